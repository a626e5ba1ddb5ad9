/*
 * Walking a subtree depth first, on a stack of its own.
 *
 * With a list of what is left out (salvage) the image is not to be trusted: then every key
 * may be entered once only, siblings are put in order, and of two with one name the first
 * stays. A sound hive needs none of that and pays nothing for it: its lists are read in place.
 */
#include "hive/walk.h"

#include <stdlib.h>

#include "hive/cursor.h"

/* Every loss is listed, but not so many that the list outgrows the hive by much. */
#define LEFT_OUT_MAX 65536u

struct level {
	struct cursor subkeys;
	uint32_t *cells; /* salvage: a talloc array in place of the cursor */
	uint32_t count, next;
};

/* Salvage: a key or value among its siblings. */
struct sibling {
	struct name name;
	uint32_t cell;
	uint32_t place; /* of a value, in the key's list */
};

struct walk {
	const struct hive *hive;
	struct sink *sink;
	struct problems *left_out;
	uint8_t *entered; /* salvage: one bit for every 8 bytes of the image */
	struct level levels[REGF_DEPTH_MAX];
	unsigned depth;
};

/* False if the walk has to stop; in salvage the loss is noted and the walk goes on. */
static bool lose(struct walk *walk, const struct hive_key *parent, const char *what,
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

static bool is_layered(const struct hive *hive)
{
	const struct regf_base *base = hive_base(hive);

	return le32_get(base->minor) >= 6 && le32_get(base->flags) & REGF_FLAG_LAYERED;
}

static bool refuse_layered(const struct hive *hive, const struct hive_key *key, struct error *err)
{
	char *path = hive_path(NULL, hive, key);

	error_set(err, ERROR_REFUSED,
	          "key \\%s is layered (format 1.6): it means nothing without the hive below it",
	          path ? path : "?");
	talloc_free(path);
	return false;
}

static bool give_data(struct walk *walk, const struct hive_value *value, struct error *err)
{
	for (uint32_t done = 0; done < value->size;) {
		struct bytes piece;

		if (!hive_value_piece(walk->hive, value, done, &piece, err) ||
		    !walk->sink->data(walk->sink, piece, err))
			return false;
		done += (uint32_t)piece.size;
	}
	return true;
}

/* In salvage a value is given only if all of its data can be read. */
static bool readable(struct walk *walk, const struct hive_value *value, struct error *err)
{
	for (uint32_t done = 0; done < value->size;) {
		struct bytes piece;

		if (!hive_value_piece(walk->hive, value, done, &piece, err))
			return false;
		done += (uint32_t)piece.size;
	}
	return true;
}

static bool give_value(struct walk *walk, const struct hive_key *key, uint32_t cell,
                       struct error *err)
{
	struct hive_value value;

	if (!hive_value_at(walk->hive, cell, &value, err) ||
	    (walk->left_out && !readable(walk, &value, err)))
		return lose(walk, key, "a value", err);
	if (le16_get(value.vk->flags) & REGF_VALUE_TOMBSTONE && is_layered(walk->hive))
		return refuse_layered(walk->hive, key, err);
	return walk->sink->begin_value(walk->sink,
	                               &(struct sink_value){ value.name, value.type, value.size },
	                               err) &&
	       give_data(walk, &value, err);
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
		else if (!lose(walk, key, "a value", err))
			goto fail;
		else
			cells[i] = REGF_NIL;
	}
	qsort(siblings, sound, sizeof(*siblings), by_name);
	for (uint32_t i = 1; i < sound; i++) {
		if (!name_equal(siblings[i - 1].name, siblings[i].name))
			continue;
		error_set(err, ERROR_SOURCE, "a second value 0x%x of one name", siblings[i].cell);
		if (!lose(walk, key, "a value", err))
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

static bool salvage_values(struct walk *walk, const struct hive_key *key, struct error *err)
{
	TALLOC_CTX *tmp = talloc_new(NULL);
	uint32_t *cells = NULL, count = 0;
	bool done;

	if (!tmp)
		return error_memory(err);
	if (hive_values(tmp, walk->hive, key, &cells, &count, err))
		done = count == 0 || sift_values(walk, key, cells, &count, err);
	else
		done = lose(walk, key, "its values", err);
	for (uint32_t i = 0; done && i < count; i++)
		done = give_value(walk, key, cells[i], err);
	talloc_free(tmp);
	return done;
}

static bool give_values(struct walk *walk, const struct hive_key *key, struct error *err)
{
	struct cursor values;
	uint32_t cell;

	if (walk->left_out)
		return salvage_values(walk, key, err);
	if (!cursor_values(&values, walk->hive, key, err))
		return false;
	while (cursor_next(&values, &cell, err)) {
		if (!give_value(walk, key, cell, err))
			return false;
	}
	return !values.failed;
}

/* --- salvage: which subkeys can be entered --- */

static bool enter_once(struct walk *walk, uint32_t cell)
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
	if (!enter_once(walk, cell))
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
		else if (!lose(walk, parent, "a subkey", err))
			return false;
	}
	qsort(siblings, count, sizeof(*siblings), by_name);
	for (uint32_t i = 0; i < count; i++) {
		if (kept && name_equal(siblings[kept - 1].name, siblings[i].name)) {
			error_set(err, ERROR_SOURCE, "a second key 0x%x of one name",
			          siblings[i].cell);
			if (!lose(walk, parent, "a subkey", err))
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

/* --- levels --- */

static bool salvage_subkeys(struct walk *walk, const struct hive_key *key, struct level *level,
                            struct error *err)
{
	if (!hive_subkeys(NULL, walk->hive, key, &level->cells, &level->count, err))
		return lose(walk, key, "its subkeys", err);
	if (level->count && walk->depth + 1 >= REGF_DEPTH_MAX) {
		error_set(err, ERROR_SOURCE, "key 0x%x: more than %u levels", key->cell,
		          REGF_DEPTH_MAX);
		level->count = 0;
		return lose(walk, key, "its subkeys", err);
	}
	return level->count == 0 || sift(walk, key, level, err);
}

static bool subkeys(struct walk *walk, const struct hive_key *key, struct level *level,
                    struct error *err)
{
	level->cells = NULL;
	level->count = level->next = 0;
	if (walk->left_out)
		return salvage_subkeys(walk, key, level, err);
	level->count = cursor_subkey_count(key);
	if (level->count && walk->depth + 1 >= REGF_DEPTH_MAX)
		return error_set(err, ERROR_SOURCE, "key 0x%x: more than %u levels", key->cell,
		                 REGF_DEPTH_MAX);
	return cursor_subkeys(&level->subkeys, walk->hive, key, err);
}

/* False at the end of the level, and if it cannot be read. */
static bool next_subkey(const struct walk *walk, struct level *level, uint32_t *cell,
                        struct error *err)
{
	if (!walk->left_out)
		return cursor_next(&level->subkeys, cell, err);
	if (level->next == level->count)
		return false;
	*cell = level->cells[level->next++];
	return true;
}

static bool enter(struct walk *walk, const struct hive_key *key, struct error *err)
{
	struct level *level = &walk->levels[walk->depth];
	struct sink_key facts = {
		.name = key->name,
		.time = hive_key_time(key),
		.link = (hive_key_flags(key) & REGF_KEY_SYM_LINK) != 0,
		.class_name = key->class_name,
	};

	if (key->nk->layer && is_layered(walk->hive))
		return refuse_layered(walk->hive, key, err);
	if (!hive_security(walk->hive, key, &facts.descriptor, err) ||
	    !subkeys(walk, key, level, err))
		return false;
	walk->depth++;
	facts.subkeys = level->count;
	return walk->sink->begin_key(walk->sink, &facts, err) && give_values(walk, key, err);
}

static bool run(struct walk *walk, const struct hive_key *top, struct error *err)
{
	if (walk->left_out)
		enter_once(walk, top->cell);
	if (!enter(walk, top, err))
		return false;
	while (walk->depth) {
		struct level *level = &walk->levels[walk->depth - 1];
		struct hive_key key;
		uint32_t cell;

		if (next_subkey(walk, level, &cell, err)) {
			if (!hive_key_at(walk->hive, cell, &key, err) || !enter(walk, &key, err))
				return false;
			continue;
		}
		TALLOC_FREE(level->cells);
		walk->depth--;
		if (level->subkeys.failed || !walk->sink->end_key(walk->sink, err))
			return false;
	}
	return true;
}

bool walk_subtree(const struct hive *hive, const struct hive_key *key, struct sink *sink,
                  struct problems *left_out, struct error *err)
{
	struct walk *walk = talloc_zero(NULL, struct walk);
	bool done = false;

	if (!walk)
		return error_memory(err);
	walk->hive = hive;
	walk->sink = sink;
	walk->left_out = left_out;
	if (left_out)
		left_out->same = LEFT_OUT_MAX;
	if (left_out)
		walk->entered = talloc_zero_size(walk, hive_image(hive)->bytes.size / 64 + 1);
	if (left_out && !walk->entered)
		error_memory(err);
	else
		done = run(walk, key, err);
	for (unsigned i = 0; i < REGF_DEPTH_MAX; i++)
		talloc_free(walk->levels[i].cells);
	talloc_free(walk);
	return done;
}
