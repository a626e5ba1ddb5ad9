/* Salvage: values. One is given only if all of its data can be read and nobody else has it. */
#include <stdlib.h>

#include "hive/cursor.h"
#include "hive/salvage_internal.h"
#include "hive/walk.h"

static int by_place(const void *a, const void *b)
{
	const struct salvage_item *left = a, *right = b;

	return (left->place > right->place) - (left->place < right->place);
}

static bool claim_segments(struct salvage *s, const struct hive_value *value, struct error *err)
{
	uint32_t count = (value->size + REGF_BIG - 1) / REGF_BIG, cell = le32_get(value->vk->data);
	struct bytes at = open_cell(s->hive, cell, sizeof(struct regf_big), err);
	const struct regf_big *big = (const struct regf_big *)at.data;
	const le32 *segments;
	uint32_t list;

	if (!big)
		return false;
	if (memcmp(big->signature, "db", 2) != 0 || le16_get(big->count) < count)
		return error_set(err, ERROR_SOURCE, "cell 0x%llx is no big data of %u bytes",
		                 open_place(cell), value->size);
	list = le32_get(big->segments);
	if (!salvage_claim(s, cell, sizeof(*big), err))
		return false;
	at = open_cell(s->hive, list, sizeof(le32) * (uint64_t)count, err);
	segments = (const le32 *)at.data;
	if (!segments || !salvage_claim(s, list, sizeof(le32) * (uint64_t)count, err))
		return false;
	for (uint32_t i = 0; i < count; i++) {
		uint32_t part = i + 1 < count ? REGF_BIG : value->size - i * REGF_BIG;

		if (!open_cell(s->hive, le32_get(segments[i]), part, err).data ||
		    !salvage_claim(s, le32_get(segments[i]), part, err))
			return false;
	}
	return true;
}

static bool claim_data(struct salvage *s, const struct hive_value *value, struct error *err)
{
	uint32_t cell = le32_get(value->vk->data);

	if (le32_get(value->vk->size) & REGF_INLINE || value->size == 0)
		return true;
	if (value->size > s->data_max)
		return error_set(err, ERROR_SOURCE, "value 0x%llx: %u bytes are too much",
		                 open_place(value->cell), value->size);
	if (value->size > REGF_BIG && s->hive->minor > 3)
		return claim_segments(s, value, err);
	return open_cell(s->hive, cell, value->size, err).data &&
	       salvage_claim(s, cell, value->size, err);
}

static bool is_sound(struct salvage *s, uint32_t cell, struct hive_value *value, struct error *err)
{
	if (!hive_value_at(s->hive, cell, value, err))
		return false;
	if (name_length(value->name) > REGF_VALUE_NAME_MAX)
		return error_set(err, ERROR_SOURCE, "value 0x%llx has a name of %u units",
		                 open_place(cell), name_length(value->name));
	if (!value->name.compressed && value->name.size % 2)
		return error_set(err, ERROR_SOURCE,
		                 "value 0x%llx has a name of %u bytes, in UTF-16", open_place(cell),
		                 value->name.size);
	return salvage_claim(s, cell, sizeof(*value->vk) + value->name.size, err) &&
	       claim_data(s, value, err);
}

static bool sift(struct salvage *s, struct salvage_items *items, struct error *err)
{
	const struct hive_key *key = &s->levels[s->depth - 1].key;
	uint32_t count = cursor_value_count(key), cell = le32_get(key->nk->value_list);
	uint64_t size = sizeof(le32) * (uint64_t)count;
	const le32 *cells;

	if (count == 0)
		return true;
	cells = (const le32 *)open_cell(s->hive, cell, size, err).data;
	if (!cells || !salvage_claim(s, cell, size, err))
		return salvage_lose(s, "its values", err);
	for (uint32_t i = 0; i < count; i++, items->seen++) {
		struct hive_value value = { 0 };

		if (!is_sound(s, le32_get(cells[i]), &value, err)) {
			if (!salvage_lose_one(s, SALVAGE_VALUE, value.name, err))
				return false;
		} else if (!salvage_item_add(items, value.name, value.cell, err)) {
			return false;
		}
	}
	if (!salvage_items_unique(s, items, SALVAGE_VALUE, err))
		return false;
	if (items->count)
		qsort(items->list, items->count, sizeof(*items->list), by_place);
	return true;
}

static bool give(struct salvage *s, uint32_t cell, struct error *err)
{
	struct hive_value value;
	struct bytes piece;

	if (!hive_value_at(s->hive, cell, &value, err))
		return false;
	if (le16_get(value.vk->flags) & REGF_VALUE_TOMBSTONE && walk_is_layered(s->hive))
		return error_set(err, ERROR_REFUSED,
		                 "value 0x%llx is layered (format 1.6): it means nothing without "
		                 "the hive below it",
		                 open_place(cell));
	if (!s->sink->begin_value(s->sink,
	                          &(struct sink_value){ value.name, value.type, value.size }, err))
		return false;
	for (uint32_t done = 0; done < value.size; done += (uint32_t)piece.size) {
		if (!hive_value_piece(s->hive, &value, done, &piece, err) ||
		    !s->sink->data(s->sink, piece, err))
			return false;
	}
	return true;
}

bool salvage_values(struct salvage *s, struct error *err)
{
	struct salvage_items items = { 0 };
	bool done = sift(s, &items, err);

	for (uint32_t i = 0; done && i < items.count; i++)
		done = give(s, items.list[i].cell, err);
	talloc_free(items.list);
	return done;
}
