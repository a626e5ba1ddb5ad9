/*
 * The hive is loaded as a tree, subtrees are put into it, and it is saved. What must not be
 * grafted is found before anything is loaded; what came out is looked at in graft_prove.c.
 */
#include "hive/graft_internal.h"
#include "hive/tree.h"

/* --- what is refused --- */

/* Are the first units of B all of A, but for letter case, up to the end of a name in B? */
static bool holds(struct name a, struct name b)
{
	uint32_t length = name_length(a);

	if (length > name_length(b) || (length < name_length(b) && name_unit(b, length) != '\\'))
		return false;
	for (uint32_t i = 0; i < length; i++) {
		if (name_upcase(name_unit(a, i)) != name_upcase(name_unit(b, i)))
			return false;
	}
	return true;
}

static bool check_nesting(const struct graft *grafts, const struct name *paths, uint32_t i,
                          struct error *err)
{
	for (uint32_t j = 0; j < i; j++) {
		if (holds(paths[i], paths[j]) || holds(paths[j], paths[i]))
			return error_set(
				err, ERROR_REFUSED,
				"%s cannot be replaced together with %s: one is in the other",
				grafts[i].key, grafts[j].key);
	}
	return true;
}

static bool check_paths(TALLOC_CTX *tmp, const struct graft *grafts, uint32_t count,
                        struct error *err)
{
	struct name *paths = talloc_array(tmp, struct name, count);

	if (!paths)
		return error_memory(err);
	for (uint32_t i = 0; i < count; i++) {
		const struct change sound = { .op = CHANGE_CREATE_KEY, .key = grafts[i].key };

		if (!*grafts[i].key)
			return error_set(err, ERROR_REFUSED, "the root of a hive is not replaced");
		if (!change_check(&sound, err))
			return false;
		if (!name_from_utf8(paths, grafts[i].key, strlen(grafts[i].key), &paths[i]))
			return error_memory(err);
		if (!check_nesting(grafts, paths, i, err))
			return false;
	}
	return true;
}

static bool is_link(const struct hive_key *key)
{
	return hive_key_flags(key) & REGF_KEY_SYM_LINK;
}

/* As far as there are keys on the way, they must be no links. */
static bool check_links(TALLOC_CTX *tmp, const struct hive *hive, const struct graft *graft,
                        struct error *err)
{
	struct hive_key at, root;
	const char *path = graft->key;

	if (!hive_root(hive, &at, err) || !hive_root(graft->from, &root, err))
		return false;
	while (*path) {
		size_t size = strcspn(path, "\\");
		char *name = talloc_strndup(tmp, path, size);
		bool last = !path[size];

		if (!name)
			return error_memory(err);
		if (!hive_find(hive, &at, name, &at, err))
			return false;
		if (at.cell == REGF_NIL)
			return true;
		if (is_link(&at) && !(last && is_link(&root)))
			return error_set(err, ERROR_REFUSED,
			                 "%s: %s is a symbolic link, and what Windows shows there "
			                 "is kept in another place",
			                 graft->key, name);
		path += size + !last;
	}
	return true;
}

static bool check_all(const struct hive *hive, const struct graft *grafts, uint32_t count,
                      struct error *err)
{
	TALLOC_CTX *tmp = talloc_new(NULL);
	bool sound;

	if (!tmp)
		return error_memory(err);
	sound = check_paths(tmp, grafts, count, err);
	for (uint32_t i = 0; sound && i < count; i++)
		sound = check_links(tmp, hive, &grafts[i], err);
	talloc_free(tmp);
	return sound;
}

/* --- carrying it out --- */

/* Gives the last COUNT keys above PATH their time. */
static bool set_times(struct tree *tree, const char *path, uint64_t count, uint64_t time,
                      struct error *err)
{
	le64 stamp = le64_put(time);
	struct change change = { .op = CHANGE_SET_TIME, .data = { stamp.b, sizeof(stamp) } };
	char *above = talloc_strdup(NULL, path);
	bool done = true;

	if (!above)
		return error_memory(err);
	change.key = above;
	for (; done && count > 0; count--) {
		*strrchr(above, '\\') = '\0';
		done = tree_apply(tree, &change, NULL, err);
	}
	talloc_free(above);
	return done;
}

static bool carry_out(struct tree *tree, const struct graft *graft, bool *made, struct error *err)
{
	static const struct tree_rules with_parents = { .as_reg = true };
	const struct change create = { .op = CHANGE_CREATE_KEY, .key = graft->key };
	uint64_t before = tree_count(tree).keys, missing;
	struct hive_key root;

	if (!hive_root(graft->from, &root, err) || !tree_apply(tree, &create, &with_parents, err))
		return false;
	missing = tree_count(tree).keys - before;
	*made = missing > 0;
	return (missing <= 1 ||
	        set_times(tree, graft->key, missing - 1, hive_key_time(&root), err)) &&
	       tree_replace(tree, graft->key, graft->from, &root, err);
}

static struct image *make(TALLOC_CTX *ctx, const struct hive *hive, const struct graft *grafts,
                          bool *made, uint32_t count, struct error *err)
{
	struct image *image = NULL;
	struct hive_key root;
	struct tree *tree;
	bool done;

	if (!hive_root(hive, &root, err))
		return NULL;
	hive_rest(hive);
	tree = tree_load(NULL, hive, &root, err);
	done = tree != NULL;
	for (uint32_t i = 0; done && i < count; i++) {
		done = carry_out(tree, &grafts[i], &made[i], err);
		hive_rest(grafts[i].from);
	}
	if (done)
		image = tree_save(ctx, tree, save_minor(hive), NULL, err);
	talloc_free(tree);
	return image;
}

struct image *graft_hive(TALLOC_CTX *ctx, const struct hive *hive, struct graft *grafts,
                         uint32_t count, struct error *err)
{
	struct image *image;
	bool *made;

	if (!check_all(hive, grafts, count, err)) {
		error_wrap(err, "%s", hive_name(hive));
		return NULL;
	}
	made = talloc_zero_array(NULL, bool, count);
	if (!made) {
		error_memory(err);
		return NULL;
	}
	image = make(ctx, hive, grafts, made, count, err);
	if (image && !graft_prove(hive, grafts, made, count, image, err))
		TALLOC_FREE(image);
	for (uint32_t i = 0; image && i < count; i++)
		grafts[i].made = made[i];
	talloc_free(made);
	if (!image)
		error_wrap(err, "%s", hive_name(hive));
	return image;
}
