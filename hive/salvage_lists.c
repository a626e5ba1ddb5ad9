/*
 * Salvage: lists of subkeys, and siblings. A leaf that cannot be read is left out alone; an
 * entry that leads to no sound key, too. The order is made anew: whatever it was, ours is right.
 */
#include <stdlib.h>

#include "hive/salvage_internal.h"

bool salvage_claim(struct salvage *s, uint32_t cell, uint64_t size, struct error *err)
{
	unsigned long long where = open_place(cell);

	if (salvage_bit(s->owned, cell))
		return error_set(err, ERROR_SOURCE, "cell 0x%llx has another owner", where);
	if (size > s->left)
		return error_set(err, ERROR_SOURCE,
		                 "cell 0x%llx: cells overlap, there is more in them than in the "
		                 "hive",
		                 where);
	salvage_bit_set(s->owned, cell);
	s->left -= size;
	return true;
}

/* --- siblings --- */

bool salvage_item_add(struct salvage_items *items, struct name name, uint32_t cell,
                      struct error *err)
{
	if (items->count == items->room) {
		uint32_t room = 2 * items->room + 16;
		struct salvage_item *list =
			talloc_realloc(NULL, items->list, struct salvage_item, room);

		if (!list)
			return error_memory(err);
		items->list = list;
		items->room = room;
	}
	items->list[items->count++] = (struct salvage_item){ name, cell, items->seen };
	return true;
}

static int by_name(const void *a, const void *b)
{
	const struct salvage_item *left = a, *right = b;
	int order = name_compare(left->name, right->name);

	return order ? order : (left->place > right->place) - (left->place < right->place);
}

bool salvage_items_unique(struct salvage *s, struct salvage_items *items, enum salvage_kind kind,
                          struct error *err)
{
	struct salvage_item *list = items->list;
	uint32_t kept = 0;

	if (items->count == 0)
		return true;
	qsort(list, items->count, sizeof(*list), by_name);
	for (uint32_t i = 0; i < items->count; i++) {
		if (kept == 0 || !name_equal(list[kept - 1].name, list[i].name)) {
			list[kept++] = list[i];
			continue;
		}
		error_set(err, ERROR_SOURCE, "0x%llx has the name of another one",
		          open_place(list[i].cell));
		if (!salvage_lose_one(s, kind, list[i].name, err))
			return false;
	}
	items->count = kept;
	return true;
}

/* --- which subkeys can be entered --- */

static bool has_backslash(struct name name)
{
	for (uint32_t i = 0; i < name_length(name); i++) {
		if (name_unit(name, i) == '\\')
			return true;
	}
	return false;
}

bool salvage_is_named(const struct hive_key *key, struct error *err)
{
	uint32_t length = name_length(key->name);
	unsigned long long where = open_place(key->cell);

	if (length == 0 || length > REGF_KEY_NAME_MAX)
		return error_set(err, ERROR_SOURCE, "key 0x%llx has a name of %u units", where,
		                 length);
	if (!key->name.compressed && key->name.size % 2)
		return error_set(err, ERROR_SOURCE, "key 0x%llx has a name of %u bytes, in UTF-16",
		                 where, key->name.size);
	if (has_backslash(key->name))
		return error_set(err, ERROR_SOURCE, "key 0x%llx has a backslash in its name",
		                 where);
	return true;
}

bool salvage_enter(struct salvage *s, uint32_t cell, struct hive_key *key, struct error *err)
{
	return hive_key_at(s->hive, cell, key, err) && salvage_is_named(key, err) &&
	       salvage_claim(s, cell, sizeof(*key->nk) + key->name.size, err);
}

/* --- lists --- */

struct list {
	const uint8_t *entries;
	uint32_t count, step;
	bool index; /* an ri */
};

static bool is_list(struct bytes at)
{
	const char *kinds = "lflhliri";

	for (unsigned i = 0; i < 8; i += 2) {
		if (at.data && memcmp(at.data, kinds + i, 2) == 0)
			return true;
	}
	return false;
}

static bool open_list(struct salvage *s, uint32_t cell, struct list *list, struct error *err)
{
	struct bytes at = open_cell(s->hive, cell, sizeof(struct regf_list), err);
	const struct regf_list *header = (const struct regf_list *)at.data;
	uint64_t size;

	if (!header)
		return false;
	if (!is_list(at))
		return error_set(err, ERROR_SOURCE, "cell 0x%llx is no list of subkeys",
		                 open_place(cell));
	list->index = header->signature[0] == 'r';
	list->step = header->signature[1] == 'i' ? sizeof(le32) : sizeof(struct regf_leaf_entry);
	list->count = le16_get(header->count);
	list->entries = (const uint8_t *)(header + 1);
	size = sizeof(*header) + (uint64_t)list->count * list->step;
	if (size > at.size)
		return error_set(err, ERROR_SOURCE,
		                 "list of subkeys 0x%llx: there is no room for its %u entries",
		                 open_place(cell), list->count);
	return salvage_claim(s, cell, size, err);
}

static uint32_t entry(const struct list *list, uint32_t i)
{
	le32 cell;

	memcpy(&cell, list->entries + (size_t)list->step * i, sizeof(cell));
	return le32_get(cell);
}

static bool add_leaf(struct salvage *s, const struct list *leaf, struct salvage_items *items,
                     struct error *err)
{
	for (uint32_t i = 0; i < leaf->count; i++, items->seen++) {
		uint32_t cell = entry(leaf, i);
		struct hive_key key = { 0 };

		if (!salvage_enter(s, cell, &key, err)) {
			items->incomplete = true;
			if (!salvage_lose_one(s, SALVAGE_SUBKEY, key.name, err))
				return false;
		} else if (!salvage_item_add(items, key.name, cell, err)) {
			return false;
		}
	}
	return true;
}

static bool add_leaves(struct salvage *s, const struct list *index, struct salvage_items *items,
                       struct error *err)
{
	for (uint32_t i = 0; i < index->count; i++) {
		uint32_t cell = entry(index, i);
		struct list leaf;
		bool found = open_list(s, cell, &leaf, err);

		if (found && leaf.index)
			found = error_set(err, ERROR_SOURCE, "cell 0x%llx: an ri inside an ri",
			                  open_place(cell));
		items->incomplete = items->incomplete || !found;
		if (found ? !add_leaf(s, &leaf, items, err)
		          : !salvage_lose(s, "a part of its subkeys", err))
			return false;
	}
	return true;
}

/* All that lists lead to. */
static bool add_lists(struct salvage *s, const struct regf_key *nk, struct salvage_items *items,
                      struct error *err)
{
	uint32_t cell = le32_get(nk->subkey_list);
	struct list list;

	/* A count of 0 is not believed if there is a list: the count may be what is broken. */
	if (le32_get(nk->subkeys) == 0 &&
	    !is_list(open_cell_quietly(s->hive, cell, sizeof(struct regf_list))))
		return true;
	if (!open_list(s, cell, &list, err)) {
		items->incomplete = true;
		return salvage_lose(s, "its subkeys", err);
	}
	if (list.count && s->depth == REGF_DEPTH_MAX) {
		error_set(err, ERROR_SOURCE, "more than %u levels", REGF_DEPTH_MAX);
		return salvage_lose(s, "its subkeys", err);
	}
	return list.index ? add_leaves(s, &list, items, err) : add_leaf(s, &list, items, err);
}

bool salvage_subkeys(struct salvage *s, struct salvage_items *items, struct error *err)
{
	const struct regf_key *nk = s->levels[s->depth - 1].key.nk;

	if (!add_lists(s, nk, items, err))
		return false;
	if ((items->incomplete || items->seen < le32_get(nk->subkeys)) &&
	    s->depth < REGF_DEPTH_MAX && !salvage_orphans_add(s, items, err))
		return false;
	return salvage_items_unique(s, items, SALVAGE_SUBKEY, err);
}
