/*
 * Walking a subtree depth first, on a stack of its own.
 *
 * With a list of what is left out (salvage) the image is not to be trusted: then every key
 * may be entered once only, siblings are put in order, and of two with one name the first
 * stays. A sound hive needs none of that and pays nothing for it: its lists are read in place.
 */
#include "hive/walk.h"

#include "hive/walk_salvage.h"

/* Every loss is listed, but not so many that the list outgrows the hive by much. */
#define LEFT_OUT_MAX 65536u

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

bool walk_give_value(struct walk *walk, const struct hive_key *key, uint32_t cell,
                     struct error *err)
{
	struct hive_value value;

	if (!hive_value_at(walk->hive, cell, &value, err) ||
	    (walk->left_out && !walk_readable(walk, &value, err)))
		return walk_lose(walk, key, "a value", err);
	if (le16_get(value.vk->flags) & REGF_VALUE_TOMBSTONE && is_layered(walk->hive))
		return refuse_layered(walk->hive, key, err);
	return walk->sink->begin_value(walk->sink,
	                               &(struct sink_value){ value.name, value.type, value.size },
	                               err) &&
	       give_data(walk, &value, err);
}

static bool give_values(struct walk *walk, const struct hive_key *key, struct error *err)
{
	struct cursor values;
	uint32_t cell;

	if (walk->left_out)
		return walk_salvage_values(walk, key, err);
	if (!cursor_values(&values, walk->hive, key, err))
		return false;
	while (cursor_next(&values, &cell, err)) {
		if (!walk_give_value(walk, key, cell, err))
			return false;
	}
	return !values.failed;
}

static bool subkeys(struct walk *walk, const struct hive_key *key, struct level *level,
                    struct error *err)
{
	level->cells = NULL;
	level->count = level->next = 0;
	if (walk->left_out)
		return walk_salvage_subkeys(walk, key, level, err);
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
		walk_enter_once(walk, top->cell);
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
