/*
 * Is the image right? It is opened as a stranger's: validator, hivex, each grafted subtree
 * beside its source, and then all that leads from the old hive to the new one (hive/diff.h),
 * none of which may be outside of the grafts but for the parents that were missing. Nothing
 * here shares code with the tree that the image was made of.
 */
#include "hive/compare.h"
#include "hive/diff.h"
#include "hive/graft_internal.h"
#include "hive/read_back.h"

struct place {
	const char *asked; /* the path that was asked for */
	char *path;        /* the same with the letters that the new hive has */
	size_t size;
	uint64_t time; /* of the grafted root */
	bool made;
};

struct proof {
	const struct hive *back;
	struct place *places;
	uint32_t count;
	uint32_t last; /* where the change before this one was; they come in runs */
};

/* Is B the key A or below it? */
static bool is_within(const char *a, size_t size, const char *b)
{
	return strncmp(a, b, size) == 0 && (b[size] == '\0' || b[size] == '\\');
}

static bool in_graft(struct proof *proof, const char *key)
{
	for (uint32_t tried = 0; tried < proof->count; tried++) {
		const struct place *place = &proof->places[proof->last];

		if (is_within(place->path, place->size, key))
			return true;
		proof->last = (proof->last + 1) % proof->count;
	}
	return false;
}

/* The graft that a missing parent was made for: the first one below it. */
static const struct place *made_for(const struct proof *proof, const char *key)
{
	size_t size = strlen(key);

	for (uint32_t i = 0; i < proof->count; i++) {
		if (is_within(key, size, proof->places[i].path))
			return proof->places[i].made ? &proof->places[i] : NULL;
	}
	return NULL;
}

/* Is the last name of KEY spelled as the name at the same place in ASKED? */
static bool spelled_as(const char *key, const char *asked)
{
	size_t size;

	for (const char *next; (next = strchr(key, '\\')) != NULL; key = next + 1)
		asked += strcspn(asked, "\\") + 1;
	size = strlen(key);
	return strcspn(asked, "\\") == size && memcmp(key, asked, size) == 0;
}

/*
 * A key that is created has the descriptor of its parent, no class and no values, or there
 * would be another change that says so.
 */
static bool is_expected(void *data, const struct change *change, struct error *err)
{
	struct proof *proof = data;
	const struct place *place;
	struct hive_key key;

	if (in_graft(proof, change->key))
		return true;
	place = made_for(proof, change->key);
	if (place && change->op == CHANGE_SET_TIME && !change->replaces)
		return true; /* which time it is was looked at when the key was created */
	if (place && change->op == CHANGE_CREATE_KEY) {
		if (!hive_find(proof->back, NULL, change->key, &key, err))
			return false;
		if (key.cell != REGF_NIL && hive_key_time(&key) == place->time &&
		    spelled_as(change->key, place->asked))
			return true;
	}
	return error_set(err, ERROR_INTERNAL, "%s '%s' is none of the changes asked for",
	                 change_op_name(change->op), change->key);
}

/* One graft: is it there, under its name, and what it shall be? */
static bool same_graft(struct proof *proof, const struct graft *graft, struct place *place,
                       struct error *err)
{
	struct hive_key key, root;

	if (!hive_find(proof->back, NULL, graft->key, &key, err) ||
	    !hive_root(graft->from, &root, err))
		return false;
	if (key.cell == REGF_NIL)
		return error_set(err, ERROR_INTERNAL, "%s is not there", graft->key);
	place->path = hive_path(proof->places, proof->back, &key);
	if (!place->path)
		return error_memory(err);
	if (place->made && !spelled_as(place->path, graft->key))
		return error_set(err, ERROR_INTERNAL, "%s is spelled %s", graft->key, place->path);
	place->asked = graft->key;
	place->size = strlen(place->path);
	place->time = hive_key_time(&root);
	hive_rest(proof->back);
	hive_rest(graft->from);
	if (compare_subtrees(graft->from, &root, proof->back, &key, err))
		return true;
	return error_wrap(err, "%s", graft->key);
}

static bool prove(const struct hive *hive, const struct graft *grafts, const bool *made,
                  struct proof *proof, struct error *err)
{
	struct hive_key old_root, new_root;

	for (uint32_t i = 0; i < proof->count; i++) {
		proof->places[i].made = made[i];
		if (!same_graft(proof, &grafts[i], &proof->places[i], err))
			return false;
	}
	return hive_root(hive, &old_root, err) && hive_root(proof->back, &new_root, err) &&
	       diff_subtrees(hive, &old_root, proof->back, &new_root, NULL, is_expected, proof,
	                     err);
}

bool graft_prove(const struct hive *hive, const struct graft *grafts, const bool *made,
                 uint32_t count, const struct image *image, struct error *err)
{
	TALLOC_CTX *tmp = talloc_new(NULL);
	struct proof proof = { .count = count };
	bool same;

	if (!tmp)
		return error_memory(err);
	hive_rest(hive);
	image_rest(hive_image(hive));
	proof.back = hive_open_image(tmp, image, "the new hive", err);
	proof.places = talloc_zero_array(tmp, struct place, count);
	if (proof.back && !proof.places)
		error_memory(err);
	same = proof.back && proof.places && read_back(proof.back, err) &&
	       prove(hive, grafts, made, &proof, err);
	talloc_free(tmp);
	if (same)
		return true;
	err->kind = ERROR_INTERNAL;
	return error_wrap(err, "the new hive could not be proved right and is not kept");
}
