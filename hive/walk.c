/*
 * Walking a subtree depth first, on a stack of its own. Lists are read in place, in stored order:
 * the hive is sound. A damaged one is for salvage.c.
 */
#include "hive/walk.h"

#include "hive/cursor.h"

struct walk {
	const struct hive *hive;
	struct sink *sink;
	struct cursor levels[REGF_DEPTH_MAX]; /* the subkeys still to come */
	unsigned depth;
};

bool walk_is_layered(const struct hive *hive)
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

/* Which value it is that cannot be taken. */
static bool wrap_refused(struct walk *walk, const struct hive_key *key,
                         const struct hive_value *value, struct error *err)
{
	TALLOC_CTX *tmp = talloc_new(NULL);
	char *path = tmp ? hive_path(tmp, walk->hive, key) : NULL;
	char *name = tmp ? name_to_utf8(tmp, value->name) : NULL;

	if (err->kind == ERROR_REFUSED && path && name)
		error_wrap(err, "key \\%s, value %s", path, *name ? name : "(default)");
	talloc_free(tmp);
	return false;
}

static bool give_value(struct walk *walk, const struct hive_key *key, uint32_t cell,
                       struct error *err)
{
	struct hive_value value;

	if (!hive_value_at(walk->hive, cell, &value, err))
		return false;
	if (le16_get(value.vk->flags) & REGF_VALUE_TOMBSTONE && walk_is_layered(walk->hive))
		return refuse_layered(walk->hive, key, err);
	if (!walk->sink->begin_value(
		    walk->sink, &(struct sink_value){ value.name, value.type, value.size }, err))
		return wrap_refused(walk, key, &value, err);
	return give_data(walk, &value, err);
}

static bool give_values(struct walk *walk, const struct hive_key *key, struct error *err)
{
	struct cursor values;
	uint32_t cell;

	if (!cursor_values(&values, walk->hive, key, err))
		return false;
	while (cursor_next(&values, &cell, err)) {
		if (!give_value(walk, key, cell, err))
			return false;
	}
	return !values.failed;
}

static bool enter(struct walk *walk, const struct hive_key *key, struct error *err)
{
	struct sink_key facts = {
		.name = key->name,
		.time = hive_key_time(key),
		.link = (hive_key_flags(key) & REGF_KEY_SYM_LINK) != 0,
		.class_name = key->class_name,
		.subkeys = cursor_subkey_count(key),
	};

	if (key->nk->layer && walk_is_layered(walk->hive))
		return refuse_layered(walk->hive, key, err);
	if (facts.subkeys && walk->depth + 1 >= REGF_DEPTH_MAX)
		return error_set(err, ERROR_SOURCE, "key 0x%x: more than %u levels", key->cell,
		                 REGF_DEPTH_MAX);
	if (!hive_security(walk->hive, key, &facts.descriptor, err) ||
	    !cursor_subkeys(&walk->levels[walk->depth], walk->hive, key, err))
		return false;
	walk->depth++;
	return walk->sink->begin_key(walk->sink, &facts, err) && give_values(walk, key, err);
}

static bool run(struct walk *walk, const struct hive_key *top, struct error *err)
{
	if (!enter(walk, top, err))
		return false;
	while (walk->depth) {
		struct cursor *subkeys = &walk->levels[walk->depth - 1];
		struct hive_key key;

		if (cursor_next_key(subkeys, &key, err)) {
			if (!enter(walk, &key, err))
				return false;
			continue;
		}
		walk->depth--;
		if (subkeys->failed || !walk->sink->end_key(walk->sink, err))
			return false;
	}
	return true;
}

bool walk_subtree(const struct hive *hive, const struct hive_key *key, struct sink *sink,
                  struct error *err)
{
	struct walk *walk = talloc_zero(NULL, struct walk);
	bool done;

	if (!walk)
		return error_memory(err);
	walk->hive = hive;
	walk->sink = sink;
	done = run(walk, key, err);
	talloc_free(walk);
	return done;
}
