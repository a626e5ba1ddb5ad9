/*
 * Salvage: what of a damaged key can be given. Siblings are read into a list, and sorted to find
 * those of one name; what is not sound is left out and said.
 */
#include "hive/walk_salvage.h"

#include <stdlib.h>

/* A key or value among its siblings. */
struct sibling {
	struct name name;
	uint32_t cell;
	uint32_t place; /* of a value, in the key's list */
};

bool walk_lose(struct walk *walk, const struct hive_key *parent, const char *what,
               struct error *err)
{
	char *path;

	if (!walk->left_out || err->kind == ERROR_INTERNAL)
		return false;
	path = hive_path(NULL, walk->hive, parent);
	problems_add(walk->left_out, PROBLEM_HEALS, (uint64_t)parent->cell + REGF_BASE_SIZE,
	             "left-out", "\\%s: %s: %s", path ? path : "?", what, err->text);
	talloc_free(path);
	return true;
}

bool walk_readable(struct walk *walk, const struct hive_value *value, struct error *err)
{
	for (uint32_t done = 0; done < value->size;) {
		struct bytes piece;

		if (!hive_value_piece(walk->hive, value, done, &piece, err))
			return false;
		done += (uint32_t)piece.size;
	}
	return true;
}

/* --- salvage: which values can be given --- */

static int by_name(const void *a, const void *b)
{
	const struct sibling *left = a, *right = b;
	int order = name_compare(left->name, right->name);

	return order ? order : (left->place > right->place) - (left->place < right->place);
}

/* Leaves out what is no value, and all but the first of one name; the order stays. */
static bool sift_values(struct walk *walk, const struct hive_key *key, uint32_t *cells,
                        uint32_t *count, struct error *err)
{
	struct sibling *siblings = talloc_array(NULL, struct sibling, *count);
	uint32_t sound = 0, kept = 0;

	if (!siblings)
		return error_memory(err);
	for (uint32_t i = 0; i < *count; i++) {
		struct hive_value value;

		if (hive_value_at(walk->hive, cells[i], &value, err))
			siblings[sound++] = (struct sibling){ value.name, cells[i], i };
		else if (!walk_lose(walk, key, "a value", err))
			goto fail;
		else
			cells[i] = REGF_NIL;
	}
	qsort(siblings, sound, sizeof(*siblings), by_name);
	for (uint32_t i = 1; i < sound; i++) {
		if (!name_equal(siblings[i - 1].name, siblings[i].name))
			continue;
		error_set(err, ERROR_SOURCE, "a second value 0x%x of one name", siblings[i].cell);
		if (!walk_lose(walk, key, "a value", err))
			goto fail;
		cells[siblings[i].place] = REGF_NIL;
		siblings[i] = (struct sibling){ siblings[i].name, siblings[i].cell,
			                        siblings[i - 1].place };
	}
	for (uint32_t i = 0; i < *count; i++) {
		if (cells[i] != REGF_NIL)
			cells[kept++] = cells[i];
	}
	*count = kept;
	talloc_free(siblings);
	return true;
fail:
	talloc_free(siblings);
	return false;
}

bool walk_salvage_values(struct walk *walk, const struct hive_key *key, struct error *err)
{
	TALLOC_CTX *tmp = talloc_new(NULL);
	uint32_t *cells = NULL, count = 0;
	bool done;

	if (!tmp)
		return error_memory(err);
	if (hive_values(tmp, walk->hive, key, &cells, &count, err))
		done = count == 0 || sift_values(walk, key, cells, &count, err);
	else
		done = walk_lose(walk, key, "its values", err);
	for (uint32_t i = 0; done && i < count; i++)
		done = walk_give_value(walk, key, cells[i], err);
	talloc_free(tmp);
	return done;
}

/* --- salvage: which subkeys can be entered --- */

bool walk_enter_once(struct walk *walk, uint32_t cell)
{
	uint8_t bit = (uint8_t)(1u << (cell / 8 % 8));

	if (walk->entered[cell / 64] & bit)
		return false;
	walk->entered[cell / 64] |= bit;
	return true;
}

static bool is_sound(struct walk *walk, uint32_t cell, struct hive_key *key, struct error *err)
{
	struct bytes descriptor;

	if (!hive_key_at(walk->hive, cell, key, err) ||
	    !hive_security(walk->hive, key, &descriptor, err))
		return false;
	if (name_length(key->name) == 0 || name_length(key->name) > REGF_KEY_NAME_MAX)
		return error_set(err, ERROR_SOURCE, "key 0x%x has a name of %u units", cell,
		                 name_length(key->name));
	if (!walk_enter_once(walk, cell))
		return error_set(err, ERROR_SOURCE, "key 0x%x is listed twice", cell);
	return true;
}

/* Keeps what is sound, in order, each name once. */
static bool sift(struct walk *walk, const struct hive_key *parent, struct level *level,
                 struct error *err)
{
	struct sibling *siblings = talloc_array(level->cells, struct sibling, level->count);
	uint32_t count = 0, kept = 0;
	struct hive_key key;

	if (!siblings)
		return error_memory(err);
	for (uint32_t i = 0; i < level->count; i++) {
		if (is_sound(walk, level->cells[i], &key, err))
			siblings[count++] = (struct sibling){ key.name, key.cell, i };
		else if (!walk_lose(walk, parent, "a subkey", err))
			return false;
	}
	qsort(siblings, count, sizeof(*siblings), by_name);
	for (uint32_t i = 0; i < count; i++) {
		if (kept && name_equal(siblings[kept - 1].name, siblings[i].name)) {
			error_set(err, ERROR_SOURCE, "a second key 0x%x of one name",
			          siblings[i].cell);
			if (!walk_lose(walk, parent, "a subkey", err))
				return false;
			continue;
		}
		siblings[kept] = siblings[i];
		level->cells[kept] = siblings[i].cell;
		kept++;
	}
	level->count = kept;
	talloc_free(siblings);
	return true;
}

bool walk_salvage_subkeys(struct walk *walk, const struct hive_key *key, struct level *level,
                          struct error *err)
{
	if (!hive_subkeys(NULL, walk->hive, key, &level->cells, &level->count, err))
		return walk_lose(walk, key, "its subkeys", err);
	if (level->count && walk->depth + 1 >= REGF_DEPTH_MAX) {
		error_set(err, ERROR_SOURCE, "key 0x%x: more than %u levels", key->cell,
		          REGF_DEPTH_MAX);
		level->count = 0;
		return walk_lose(walk, key, "its subkeys", err);
	}
	return level->count == 0 || sift(walk, key, level, err);
}
