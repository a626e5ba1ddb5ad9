/*
 * Salvage: subkeys that no list leads to any more, because it is the list that is damaged. A key
 * names its parent; one that is allocated, that no list refers to, and whose parent lacks some
 * of its subkeys, is a subkey of it.
 *
 * Which keys the lists lead to is known after a walk that follows nothing else. A deleted key is
 * not taken for a lost one: its cell is free.
 */
#include <stdlib.h>

#include "hive/salvage_internal.h"

struct salvage_orphan {
	uint32_t parent, cell;
};

static bool add(struct salvage *s, uint32_t parent, uint32_t cell, struct error *err)
{
	if (s->orphan_count == s->orphan_room) {
		uint32_t room = 2 * s->orphan_room + 16;
		struct salvage_orphan *list =
			talloc_realloc(s, s->orphans, struct salvage_orphan, room);

		if (!list)
			return error_memory(err);
		s->orphans = list;
		s->orphan_room = room;
	}
	s->orphans[s->orphan_count++] = (struct salvage_orphan){ parent, cell };
	return true;
}

/* The keys among the cells from FROM to END, as far as those can be read. */
static bool look_at_cells(struct salvage *s, uint32_t from, uint32_t end, struct error *err)
{
	for (uint32_t at = from, size; at < end; at += size) {
		const le32 *header = bytes_at(s->hive->bins, at, sizeof(*header));
		uint32_t word = header ? le32_get(*header) : 0;
		struct hive_key key;
		struct error ignored;

		size = regf_cell_size(word);
		if (size == 0 || size % 8 || size > end - at)
			return true;
		if (!(word & REGF_ALLOCATED) || salvage_bit(s->owned, at))
			continue;
		if (hive_key_at(s->hive, at, &key, &ignored) && salvage_is_named(&key, &ignored) &&
		    !add(s, le32_get(key.nk->parent), at, err))
			return false;
	}
	return true;
}

static int by_parent(const void *a, const void *b)
{
	const struct salvage_orphan *left = a, *right = b;

	if (left->parent != right->parent)
		return left->parent < right->parent ? -1 : 1;
	return (left->cell > right->cell) - (left->cell < right->cell);
}

bool salvage_orphans_find(struct salvage *s, struct error *err)
{
	uint64_t size = s->hive->bins.size, next;

	for (uint64_t at = 0; at < size; at = next) {
		const struct regf_bin *bin = regf_bin_at(s->hive->bins, at);

		next = at + (bin ? le32_get(bin->size) : REGF_PAGE);
		if (!bin)
			continue;
		next = next < size ? next : size;
		if (!look_at_cells(s, (uint32_t)(at + sizeof(*bin)), (uint32_t)next, err))
			return false;
	}
	if (s->orphan_count)
		qsort(s->orphans, s->orphan_count, sizeof(*s->orphans), by_parent);
	return true;
}

/* The first of a parent's, or the place where it would be. */
static uint32_t first_of(const struct salvage *s, uint32_t parent)
{
	uint32_t low = 0, high = s->orphan_count;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (s->orphans[middle].parent < parent)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

bool salvage_orphans_add(struct salvage *s, struct salvage_items *items, struct error *err)
{
	uint32_t parent = s->levels[s->depth - 1].key.cell, found = 0;
	char *text;

	for (uint32_t i = first_of(s, parent);
	     i < s->orphan_count && s->orphans[i].parent == parent; i++) {
		struct hive_key key = { 0 };

		if (!salvage_enter(s, s->orphans[i].cell, &key, err)) {
			if (!salvage_lose_one(s, SALVAGE_SUBKEY, key.name, err))
				return false;
			continue;
		}
		if (!salvage_item_add(items, key.name, key.cell, err))
			return false;
		items->seen++;
		found++;
	}
	if (!found)
		return true;
	text = found == 1 ? talloc_strdup(NULL, "one subkey is here all the same")
	                  : talloc_asprintf(NULL, "%u subkeys are here all the same", found);
	if (!text)
		return error_memory(err);
	salvage_note(s, text, "no list leads there, but this key is named as the parent");
	talloc_free(text);
	return true;
}
