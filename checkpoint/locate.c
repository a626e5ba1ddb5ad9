/*
 * Each checkpoint on its own: the key in a hive of the disk, or the key container's file.
 * How Windows marks a checkpoint of the 32-bit view is not public, so paths are looked up in
 * the native view; that the key is in the other one is said, and no more.
 */
#include "checkpoint/locate.h"

#include <string.h>

#include "checkpoint/container.h"

struct locator {
	TALLOC_CTX *ctx;
	struct checkpoints *points;
	struct system *system;
	struct containers *containers; /* opened at the first crypto checkpoint */
	struct error *err;
};

/* --- registry --- */

/* Is PATH a key of this disk? */
static bool is_key(struct locator *l, const char *path, bool wow64, bool *there)
{
	TALLOC_CTX *tmp = talloc_new(NULL);
	struct hklm where;
	bool ok;

	if (!tmp)
		return error_memory(l->err);
	ok = hklm_resolve(tmp, l->system, path, wow64, &where, l->err);
	*there = ok && where.result == HKLM_PRESENT;
	talloc_free(tmp);
	return ok;
}

static bool say_missing(struct locator *l, struct checkpoint *point)
{
	bool there = false;

	if (point->where.hive == SYSTEM_SOFTWARE && !is_key(l, point->path, true, &there))
		return false;
	checkpoint_problem(l->points, point, "checkpoint-key-missing",
	                   "%s is not on this disk: %s%s", point->path, point->where.why,
	                   there ? "; in the 32-bit view, below Wow6432Node, there is one" : "");
	return true;
}

static bool say_prefixed(struct locator *l, struct checkpoint *point)
{
	bool there;

	if (!l->system || !point->where.meant[0]) {
		checkpoint_problem(l->points, point, "checkpoint-path-prefixed", "%s: %s",
		                   point->path, point->where.why);
		return true;
	}
	if (!is_key(l, point->where.meant, false, &there))
		return false;
	checkpoint_problem(l->points, point, "checkpoint-path-prefixed",
	                   "%s: %s; %s, which is probably meant, %s on this disk", point->path,
	                   point->where.why, point->where.meant, there ? "is" : "is not");
	return true;
}

static bool locate_key(struct locator *l, struct checkpoint *point)
{
	if (!hklm_resolve(l->ctx, l->system, point->path, false, &point->where, l->err))
		return false;
	switch (point->where.result) {
	case HKLM_PRESENT:
		point->present = true;
		return true;
	case HKLM_KEY_MISSING:
		return say_missing(l, point);
	case HKLM_PREFIXED:
		return say_prefixed(l, point);
	case HKLM_HIVE_MISSING:
		if (!l->system)
			return true;
		__attribute__((fallthrough));
	case HKLM_MALFORMED:
		checkpoint_problem(l->points, point, "checkpoint-key-missing",
		                   "%s is not on this disk: %s", point->path, point->where.why);
		return true;
	case HKLM_HIVE_DAMAGED:
		checkpoint_problem(l->points, point, "checkpoint-hive-damaged",
		                   "whether %s is on this disk cannot be told: %s", point->path,
		                   point->where.why);
		return true;
	case HKLM_VOLATILE:
		checkpoint_problem(l->points, point, "checkpoint-volatile", "%s: %s", point->path,
		                   point->where.why);
		return true;
	}
	return error_set(l->err, ERROR_INTERNAL, "%s: no such result of a look-up", point->path);
}

/* --- crypto --- */

bool checkpoint_crypto(TALLOC_CTX *ctx, const char *text, uint32_t *type, char **provider,
                       char **container, struct error *err)
{
	size_t digits = strspn(text, "0123456789");
	const char *name = text + digits + 1, *key;
	uint64_t number = 0;

	for (size_t i = 0; i < digits && number <= UINT32_MAX; i++)
		number = number * 10 + (uint64_t)(text[i] - '0');
	key = digits && text[digits] == '\\' ? strchr(name, '\\') : NULL;
	if (!key || !key[1] || number > UINT32_MAX)
		return error_set(err, ERROR_SOURCE,
		                 "\"%s\" is not Type\\Name\\Key, as a crypto checkpoint is", text);
	*provider = talloc_strndup(ctx, name, (size_t)(key - name));
	*container = talloc_strdup(ctx, key + 1);
	*type = (uint32_t)number;
	return (*provider && *container) || error_memory(err);
}

static bool locate_container(struct locator *l, struct checkpoint *point)
{
	struct container found;

	if (!l->containers)
		l->containers = containers_open(l->ctx, l->system, l->err);
	if (!l->containers ||
	    !container_find(l->ctx, l->containers, point->container, &found, l->err))
		return false;
	if (found.result == CONTAINER_PRESENT) {
		point->key_file = found.file;
		point->present = true;
		return true;
	}
	point->unknown = found.result == CONTAINER_UNKNOWN;
	checkpoint_problem(l->points, point, "crypto-container-missing", "%s: %s", point->container,
	                   found.why);
	return true;
}

static bool locate_crypto(struct locator *l, struct checkpoint *point)
{
	struct error why;

	if (checkpoint_crypto(l->ctx, point->path, &point->provider_type, &point->provider,
	                      &point->container, &why))
		return !l->system || locate_container(l, point);
	if (why.kind == ERROR_INTERNAL) {
		*l->err = why;
		return false;
	}
	point->unknown = true;
	checkpoint_problem(l->points, point, "crypto-container-missing", "%s", why.text);
	return true;
}

bool locate_all(TALLOC_CTX *ctx, struct checkpoints *points, struct system *system,
                struct error *err)
{
	struct locator l = { .ctx = ctx, .points = points, .system = system, .err = err };
	bool ok = true;

	for (uint32_t i = 0; ok && i < points->count; i++) {
		struct checkpoint *point = &points->list[i];

		point->looked = system != NULL;
		if (point->type == CHECKPOINT_CRYPTO)
			ok = locate_crypto(&l, point);
		else
			ok = locate_key(&l, point);
	}
	return ok;
}
