/* Lists read in place; a count is believed only when the cell holds that many entries. */
#include "hive/cursor.h"

#include "hive/open.h"

/* Goes to the list in CELL, a leaf or (only at the first level) a list of leaves. */
static bool enter_list(struct cursor *cursor, uint32_t cell, bool first, struct error *err)
{
	struct bytes in = open_cell(cursor->hive, cell, sizeof(struct regf_list), err);
	const struct regf_list *list = (const struct regf_list *)in.data;
	bool fast, index, lists;
	uint32_t count, step;

	if (!list)
		return false;
	fast = memcmp(list->signature, "lf", 2) == 0 || memcmp(list->signature, "lh", 2) == 0;
	index = memcmp(list->signature, "li", 2) == 0;
	lists = first && memcmp(list->signature, "ri", 2) == 0;
	count = le16_get(list->count);
	step = fast ? sizeof(struct regf_leaf_entry) : sizeof(le32);
	if (!(fast || index || lists) || !bytes_at(in, sizeof(*list), (uint64_t)count * step))
		return error_set(err, ERROR_SOURCE, "cell 0x%llx is no list of subkeys",
		                 open_place(cell));
	if (lists) {
		cursor->leaves = (const uint8_t *)(list + 1);
		cursor->leaves_left = count;
	} else {
		cursor->at = (const uint8_t *)(list + 1);
		cursor->step = step;
		cursor->left = count;
	}
	return true;
}

bool cursor_subkeys(struct cursor *cursor, const struct hive *hive, const struct hive_key *key,
                    struct error *err)
{
	*cursor = (struct cursor){ .hive = hive };
	if (cursor_subkey_count(key) == 0)
		return true;
	if (enter_list(cursor, le32_get(key->nk->subkey_list), true, err))
		return true;
	return error_wrap(err, "subkeys of key 0x%llx", open_place(key->cell));
}

bool cursor_values(struct cursor *cursor, const struct hive *hive, const struct hive_key *key,
                   struct error *err)
{
	uint32_t count = cursor_value_count(key);
	struct bytes in;

	*cursor = (struct cursor){ .hive = hive };
	if (count == 0)
		return true;
	in = open_cell(hive, le32_get(key->nk->value_list), sizeof(le32) * (uint64_t)count, err);
	if (!in.data)
		return error_wrap(err, "values of key 0x%llx", open_place(key->cell));
	cursor->at = in.data;
	cursor->step = sizeof(le32);
	cursor->left = count;
	return true;
}

bool cursor_next_leaf(struct cursor *cursor, struct error *err)
{
	while (cursor->left == 0) {
		le32 leaf;

		if (cursor->leaves_left == 0 || cursor->failed)
			return false;
		memcpy(&leaf, cursor->leaves, sizeof(leaf));
		cursor->leaves += sizeof(leaf);
		cursor->leaves_left--;
		cursor->failed = !enter_list(cursor, le32_get(leaf), false, err);
	}
	return true;
}

#define AHEAD 6144u /* bytes: what some ten keys take; less is too late */
#define LINES 10u   /* cache lines of 64 bytes: what one key takes */

/* An address that is none does no harm here. */
static void fetch(const struct hive *hive, uint32_t cell)
{
	const uint8_t *at = hive->bins.data + cell + AHEAD;

	for (unsigned i = 0; i < LINES; i++)
		__builtin_prefetch(at + (size_t)64 * i);
}

bool cursor_next_key(struct cursor *cursor, struct hive_key *key, struct error *err)
{
	uint32_t cell;

	if (!cursor_next(cursor, &cell, err))
		return false;
	fetch(cursor->hive, cell);
	cursor->failed = !hive_key_at(cursor->hive, cell, key, err);
	return !cursor->failed;
}
