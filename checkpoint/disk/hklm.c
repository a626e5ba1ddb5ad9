/*
 * Resolving a registered path: first the text alone (its first name says which hive), then the
 * hive, then the key, one name at a time because any of them may be a symbolic link.
 *
 * A link's target is a path of the kernel's name space, \Registry\Machine\HIVE\..., which
 * replaces all that came before it.
 */
#include "checkpoint/disk/hklm.h"

#include <stdarg.h>
#include <string.h>

#define MACHINE "\\Registry\\Machine\\"

struct root {
	const char *name;
	int hive; /* -1: never on the system volume */
	const char *why;
};

static const struct root roots[] = {
	{ "SOFTWARE", SYSTEM_SOFTWARE, NULL },
	{ "SYSTEM", SYSTEM_SYSTEM, NULL },
	{ "SAM", SYSTEM_SAM, NULL },
	{ "SECURITY", SYSTEM_SECURITY, NULL },
	{ "COMPONENTS", SYSTEM_COMPONENTS, NULL },
	{ "DRIVERS", SYSTEM_DRIVERS, NULL },
	{ "Cluster", SYSTEM_CLUSTER, NULL },
	{ "0.Cluster", -1, "it is the cluster hive of the witness disk" },
	{ "BCD00000000", -1, "it is the hive of the boot loader, on the system partition" },
};

/* A hive and a place in it. */
struct place {
	struct system *system;
	const struct root *root;
	const struct hive *hive;
};

/* Is the first part of PATH, up to a '\' or its end, this word? All words here are ASCII. */
static bool first_is(const char *path, const char *word)
{
	size_t size = strlen(word);

	return strncasecmp(path, word, size) == 0 && (path[size] == '\\' || path[size] == '\0');
}

/* What follows the first part. */
static const char *after_first(const char *path)
{
	path += strcspn(path, "\\");
	return *path ? path + 1 : path;
}

static const struct root *find_root(const char *path)
{
	for (size_t i = 0; i < sizeof(roots) / sizeof(roots[0]); i++) {
		if (first_is(path, roots[i].name))
			return &roots[i];
	}
	return NULL;
}

/* Fills result and why; false only without memory. */
static bool answer(TALLOC_CTX *ctx, struct hklm *out, enum hklm_result result, struct error *err,
                   const char *format, ...) __attribute__((format(printf, 5, 6)));

static bool answer(TALLOC_CTX *ctx, struct hklm *out, enum hklm_result result, struct error *err,
                   const char *format, ...)
{
	va_list args;

	va_start(args, format);
	out->result = result;
	out->why = talloc_vasprintf(ctx, format, args);
	va_end(args);
	return out->why || error_memory(err);
}

/* --- the text --- */

/* True if the path leads to a hive, *ROOT; otherwise it has been answered, or err is filled. */
static bool judge_text(TALLOC_CTX *ctx, const char *path, const struct root **root,
                       struct hklm *out, bool *answered, struct error *err)
{
	static const char *const prefixes[] = { "HKEY_LOCAL_MACHINE", "HKLM", "HKLM:" };

	*answered = true;
	if (!*path)
		return answer(ctx, out, HKLM_MALFORMED, err, "the path is empty");
	if (*path == '\\')
		return answer(ctx, out, HKLM_MALFORMED, err,
		              "the path begins with a backslash, which Windows refuses");
	if (strstr(path, "\\\\"))
		return answer(ctx, out, HKLM_MALFORMED, err,
		              "the path has a name without a letter in it (two backslashes)");
	for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++) {
		if (!first_is(path, prefixes[i]))
			continue;
		out->meant = talloc_strdup(ctx, after_first(path));
		if (!out->meant)
			return error_memory(err);
		return answer(ctx, out, HKLM_PREFIXED, err,
		              "the path begins with %s, so Windows looks for a key of that name "
		              "below HKEY_LOCAL_MACHINE and never finds it",
		              prefixes[i]);
	}
	if (first_is(path, "HARDWARE"))
		return answer(ctx, out, HKLM_VOLATILE, err,
		              "HARDWARE is made at every start of Windows and is on no disk");
	*root = find_root(path);
	if (!*root)
		return answer(ctx, out, HKLM_MALFORMED, err,
		              "'%.*s' is no key directly below HKEY_LOCAL_MACHINE",
		              (int)strcspn(path, "\\"), path);
	*answered = false;
	return true;
}

/* A path in the hive of ROOT, with CurrentControlSet replaced and no '\' at its end. */
static char *path_in_hive(TALLOC_CTX *ctx, const struct system *system, const struct root *root,
                          const char *rest)
{
	const char *set = system && root->hive == SYSTEM_SYSTEM ? system->control_set : NULL;
	char *path;

	if (set && first_is(rest, "CurrentControlSet")) {
		rest = after_first(rest);
		path = talloc_asprintf(ctx, "%s%s%s", set, *rest ? "\\" : "", rest);
	} else {
		path = talloc_strdup(ctx, rest);
	}
	if (path && *path && path[strlen(path) - 1] == '\\')
		path[strlen(path) - 1] = '\0';
	return path;
}

/* --- the key --- */

/* Where a link leads, in the same hive; *PATH is NULL if it leads elsewhere or nowhere. */
static bool read_link(TALLOC_CTX *ctx, const struct place *place, const struct hive_key *key,
                      char **path, struct error *err)
{
	const char *rest;
	char *target;

	*path = NULL;
	if (!hive_text(ctx, place->hive, key, "SymbolicLinkValue", &target, err))
		return false;
	if (!target || strncasecmp(target, MACHINE, strlen(MACHINE)) != 0)
		return true;
	rest = target + strlen(MACHINE);
	if (!first_is(rest, place->root->name))
		return true;
	*path = path_in_hive(ctx, place->system, place->root, after_first(rest));
	return *path || error_memory(err);
}

/* Replaces what has been walked and what is left by the target of a link. */
static bool follow(TALLOC_CTX *ctx, const struct place *place, struct hive_key *key, char **rest,
                   struct error *err)
{
	char *target, *left = *rest;

	if (!read_link(ctx, place, key, &target, err))
		return false;
	if (!target) {
		key->cell = REGF_NIL;
		return true;
	}
	*rest = talloc_asprintf(ctx, "%s%s%s", target, *target && *left ? "\\" : "", left);
	if (!*rest)
		return error_memory(err);
	return hive_root(place->hive, key, err);
}

/* One name further; REST moves behind it. */
static bool descend(TALLOC_CTX *ctx, const struct place *place, struct hive_key *key, char **rest,
                    struct error *err)
{
	size_t size = strcspn(*rest, "\\");
	char *part = talloc_strndup(ctx, *rest, size);

	if (!part)
		return error_memory(err);
	*rest += size + ((*rest)[size] == '\\');
	return hive_find(place->hive, key, part, key, err);
}

/* FOUND is the key at PATH behind all links, cell REGF_NIL if there is none. */
static bool find_key(TALLOC_CTX *ctx, const struct place *place, char *path, struct hive_key *found,
                     const char **why, struct error *err)
{
	struct hive_key key;
	char *rest = path;
	unsigned links = 0;

	*why = "there is no such key in the hive";
	if (!hive_root(place->hive, &key, err))
		return false;
	while (key.cell != REGF_NIL) {
		if (hive_key_flags(&key) & REGF_KEY_SYM_LINK) {
			if (links++ == HKLM_LINKS_MAX) {
				*why = "symbolic links lead in a circle";
				key.cell = REGF_NIL;
			} else if (!follow(ctx, place, &key, &rest, err)) {
				return false;
			} else if (key.cell == REGF_NIL) {
				*why = "a symbolic link on the way leads out of the hive";
			}
			continue;
		}
		if (!*rest)
			break;
		if (!descend(ctx, place, &key, &rest, err))
			return false;
	}
	*found = key;
	return true;
}

/* In the 32-bit view, the path that is used if there is a Wow6432Node. */
static bool redirect(TALLOC_CTX *ctx, const struct place *place, char **path, struct error *err)
{
	struct hive_key node;

	if (place->root->hive != SYSTEM_SOFTWARE || first_is(*path, "Wow6432Node"))
		return true;
	if (!hive_find(place->hive, NULL, "Wow6432Node", &node, err))
		return false;
	if (node.cell == REGF_NIL)
		return true;
	*path = talloc_asprintf(ctx, "Wow6432Node%s%s", **path ? "\\" : "", *path);
	return *path || error_memory(err);
}

/* The hive cannot be read. */
static bool answer_no_hive(TALLOC_CTX *ctx, struct hklm *out, const struct error *why,
                           struct error *err)
{
	if (why->kind == ERROR_INTERNAL) {
		*err = *why;
		return false;
	}
	if (!out->file)
		return answer(ctx, out, HKLM_HIVE_MISSING, err, "there is no %s hive on this disk",
		              system_hive_name((enum system_hive)out->hive));
	return answer(ctx, out, HKLM_HIVE_DAMAGED, err, "%s", why->text);
}

/* The path leads to a hive that can be on this volume. */
static bool look_up(TALLOC_CTX *ctx, TALLOC_CTX *tmp, struct place *place, bool wow64,
                    struct hklm *out, struct error *err)
{
	struct system *system = place->system;
	struct error why_not;
	const char *why;

	if (system->hives[out->hive]) {
		out->file = talloc_strdup(ctx, system->hives[out->hive]);
		if (!out->file)
			return error_memory(err);
	}
	place->hive = system_hive(system, (enum system_hive)out->hive, &why_not);
	if (!place->hive || (wow64 && !redirect(ctx, place, &out->key, &why_not)) ||
	    !find_key(tmp, place, out->key, &out->found, &why, &why_not))
		return answer_no_hive(ctx, out, &why_not, err);
	if (out->found.cell == REGF_NIL)
		return answer(ctx, out, HKLM_KEY_MISSING, err, "%s", why);
	out->result = HKLM_PRESENT;
	return true;
}

bool hklm_resolve(TALLOC_CTX *ctx, struct system *system, const char *path, bool wow64,
                  struct hklm *out, struct error *err)
{
	struct place place = { system, NULL, NULL };
	struct hklm result = { .hive = -1, .found.cell = REGF_NIL };
	TALLOC_CTX *tmp = talloc_new(NULL);
	bool answered, done;

	if (!tmp)
		return error_memory(err);
	done = judge_text(ctx, path, &place.root, &result, &answered, err);
	if (done && !answered) {
		result.hive = place.root->hive;
		result.key = path_in_hive(ctx, system, place.root, after_first(path));
		if (!result.key)
			done = error_memory(err);
		else if (place.root->hive < 0)
			done = answer(ctx, &result, HKLM_HIVE_MISSING, err,
			              "%s is not on a node's system volume: %s", place.root->name,
			              place.root->why);
		else if (!system)
			done = answer(ctx, &result, HKLM_HIVE_MISSING, err, "no disk is at hand");
		else
			done = look_up(ctx, tmp, &place, wow64, &result, err);
	}
	talloc_free(tmp);
	if (done)
		*out = result;
	return done;
}
