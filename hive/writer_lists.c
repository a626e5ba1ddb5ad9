/*
 * The lists of subkeys of the image being written. Their cells lie before those of the subkeys,
 * as Windows has them, and are filled in as the subkeys come.
 */
#include "hive/writer_internal.h"

static bool new_leaf(struct writer *w, uint32_t count, struct error *err)
{
	struct regf_list leaf = { .count = le16_put((uint16_t)count) };
	uint32_t cell;

	memcpy(leaf.signature, w->minor >= 5 ? "lh" : "lf", 2);
	if (w->leaf_count == w->leaf_room) {
		uint32_t room = 2 * w->leaf_room + 64;
		uint32_t *leaves = talloc_realloc(w, w->leaves, uint32_t, room);

		if (!leaves)
			return error_memory(err);
		w->leaves = leaves;
		w->leaf_room = room;
	}
	if (!cells_new(&w->cells, sizeof(leaf) + count * sizeof(struct regf_leaf_entry), &cell,
	               err))
		return false;
	w->leaves[w->leaf_count++] = cell;
	return cells_set(&w->cells, cell, 0, &leaf, sizeof(leaf), err);
}

bool writer_new_lists(struct writer *w, struct level *level, struct error *err)
{
	uint32_t leaves = (level->subkeys + REGF_LEAF_MAX - 1) / REGF_LEAF_MAX;
	struct regf_list index = { .signature = "ri", .count = le16_put((uint16_t)leaves) };

	level->leaves = w->leaf_count;
	if (leaves == 1) {
		if (!new_leaf(w, level->subkeys, err))
			return false;
		level->list = w->leaves[level->leaves];
		return true;
	}
	if (leaves > UINT16_MAX)
		return error_set(err, ERROR_REFUSED, "%u subkeys are more than a list can hold",
		                 level->subkeys);
	if (!cells_new(&w->cells, sizeof(index) + leaves * sizeof(le32), &level->list, err) ||
	    !cells_set(&w->cells, level->list, 0, &index, sizeof(index), err))
		return false;
	for (uint32_t i = 0; i < leaves; i++) {
		uint32_t left = level->subkeys - i * REGF_LEAF_MAX;
		le32 leaf;

		if (!new_leaf(w, left < REGF_LEAF_MAX ? left : REGF_LEAF_MAX, err))
			return false;
		leaf = le32_put(w->leaves[level->leaves + i]);
		if (!cells_set(&w->cells, level->list, sizeof(index) + i * sizeof(leaf), &leaf,
		               sizeof(leaf), err))
			return false;
	}
	return true;
}

bool writer_list_subkey(struct writer *w, struct level *parent, uint32_t cell, struct name name,
                        struct error *err)
{
	uint32_t i = parent->seen++, leaf = w->leaves[parent->leaves + i / REGF_LEAF_MAX];
	struct regf_leaf_entry entry = { .key = le32_put(cell) };

	if (w->minor >= 5) {
		le32 hash = le32_put(name_hash(name));

		memcpy(entry.hint, &hash, sizeof(hash));
	} else {
		name_hint(name, entry.hint);
	}
	return cells_set(&w->cells, leaf,
	                 sizeof(struct regf_list) + i % REGF_LEAF_MAX * sizeof(entry), &entry,
	                 sizeof(entry), err);
}
