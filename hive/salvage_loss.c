/*
 * Salvage: the list of what is lost, by the path on which the walk came to it. A subkey or value
 * that has a name to be read is called by it.
 */
#include "hive/salvage_internal.h"

/* The path of the key at the top, as the walk came to it. */
static char *path_of(TALLOC_CTX *ctx, const struct salvage *s)
{
	char *path = talloc_strdup(ctx, s->depth > 1 ? "" : "\\");

	for (unsigned i = 1; path && i < s->depth; i++) {
		char *name = name_to_utf8(ctx, s->levels[i].key.name);

		path = name ? talloc_asprintf_append_buffer(path, "\\%s", name) : NULL;
		talloc_free(name);
	}
	return path;
}

/* The text of a loss, PATH before it; NULL if there is no memory. */
static char *loss(TALLOC_CTX *ctx, const struct salvage *s, enum salvage_kind kind,
                  struct name name)
{
	char *path = path_of(ctx, s), *text = path ? name_to_utf8(ctx, name) : NULL;

	if (!text)
		return NULL;
	if (kind == SALVAGE_VALUE && name.size == 0)
		return talloc_asprintf(ctx, "%s: default value", path);
	if (kind == SALVAGE_VALUE)
		return talloc_asprintf(ctx, "%s: value %s", path, text);
	return talloc_asprintf(ctx, "%s\\%s: all of it", s->depth > 1 ? path : "", text);
}

/* TEXT, which may be NULL for want of memory, and WHY go into the list. */
static void note_text(struct salvage *s, const char *text, const char *why)
{
	uint64_t place = open_place(s->levels[s->depth - 1].key.cell);
	size_t size;

	if (text) {
		problems_add(s->lost, PROBLEM_HEALS, place, "left-out", "%s: %s", text, why);
		size = strlen(text) + strlen(why) + sizeof(struct problem);
		s->text -= size < s->text ? size : s->text;
	} else {
		s->lost->lost = true;
	}
	if (s->text == 0)
		s->lost->same = s->lost->count;
}

/* There may be millions of them: nothing is made that is not listed. */
static bool is_listed(struct salvage *s)
{
	return !problems_enough(s->lost, PROBLEM_HEALS, "left-out");
}

void salvage_note(struct salvage *s, const char *what, const char *why)
{
	TALLOC_CTX *tmp;
	char *path;

	if (!is_listed(s))
		return;
	tmp = talloc_new(NULL);
	path = tmp ? path_of(tmp, s) : NULL;
	note_text(s, path ? talloc_asprintf(tmp, "%s: %s", path, what) : NULL, why);
	talloc_free(tmp);
}

bool salvage_lose(struct salvage *s, const char *what, struct error *err)
{
	if (err->kind == ERROR_INTERNAL)
		return false;
	salvage_note(s, what, err->text);
	return true;
}

bool salvage_lose_one(struct salvage *s, enum salvage_kind kind, struct name name,
                      struct error *err)
{
	TALLOC_CTX *tmp;

	if (!name.data)
		return salvage_lose(s, kind == SALVAGE_VALUE ? "a value" : "a subkey", err);
	if (err->kind == ERROR_INTERNAL)
		return false;
	if (is_listed(s)) {
		tmp = talloc_new(NULL);
		note_text(s, tmp ? loss(tmp, s, kind, name) : NULL, err->text);
		talloc_free(tmp);
	}
	return true;
}
