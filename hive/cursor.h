/*
 * cursor: the subkeys and values of a key, one after another, without taking memory.
 *
 * hive_subkeys and hive_values give whole lists; walks over whole hives read them in place:
 *
 *	struct cursor cursor;
 *	uint32_t cell;
 *
 *	if (!cursor_subkeys(&cursor, hive, &key, err))
 *		...
 *	while (cursor_next(&cursor, &cell, err))
 *		...
 *	if (cursor.failed)
 *		...
 */
#ifndef HIVE_CURSOR_H
#define HIVE_CURSOR_H

#include "hive/hive.h"

struct cursor {
	const struct hive *hive;
	const uint8_t *at;     /* the next entry */
	uint32_t step;         /* bytes from one entry to the next */
	uint32_t left;         /* entries in this leaf */
	const uint8_t *leaves; /* the next leaf, in a list of lists */
	uint32_t leaves_left;
	bool failed; /* the error is filled */
};

/* In stored order: Windows' order, if the hive is sound. */
bool cursor_subkeys(struct cursor *cursor, const struct hive *hive, const struct hive_key *key,
                    struct error *err);

bool cursor_values(struct cursor *cursor, const struct hive *hive, const struct hive_key *key,
                   struct error *err);

/* Goes to the next leaf that is not empty. */
bool cursor_next_leaf(struct cursor *cursor, struct error *err);

/* False at the end, and after a failure. */
static inline bool cursor_next(struct cursor *cursor, uint32_t *cell, struct error *err)
{
	le32 entry;

	if (cursor->left == 0 && (cursor->leaves_left == 0 || !cursor_next_leaf(cursor, err)))
		return false;
	memcpy(&entry, cursor->at, sizeof(entry));
	*cell = le32_get(entry);
	cursor->at += cursor->step;
	cursor->left--;
	return true;
}

/*
 * For subkeys: the next one. The walk of a whole hive waits for memory more than for anything
 * else, and most hives, all of ours, are laid out depth first: what comes a little later is
 * asked for now. False at the end, and after a failure.
 */
bool cursor_next_key(struct cursor *cursor, struct hive_key *key, struct error *err);

/* For values only, while cursor->left is not 0: the next cell, without going on; going on. */
static inline uint32_t cursor_peek(const struct cursor *cursor)
{
	return le32_get(*(const le32 *)cursor->at);
}

static inline void cursor_pass(struct cursor *cursor)
{
	cursor->at += sizeof(le32);
	cursor->left--;
}

/* How many there are. */
static inline uint32_t cursor_subkey_count(const struct hive_key *key)
{
	return le32_get(key->nk->subkeys);
}

static inline uint32_t cursor_value_count(const struct hive_key *key)
{
	return regf_value_count(key->nk);
}

#endif
