/*
 * The values of the image being written. Data goes where it belongs piece by piece, so that
 * it is copied once, whatever pieces the source has it in.
 */
#include "hive/writer_internal.h"

bool writer_end_value(const struct writer *w, struct error *err)
{
	if (w->data_done == w->data_size)
		return true;
	return error_set(err, ERROR_INTERNAL, "a value of %u bytes got %u", w->data_size,
	                 w->data_done);
}

static bool remember_value(struct writer *w, uint32_t cell, struct error *err)
{
	if (w->value_count == w->value_room) {
		uint32_t room = 2 * w->value_room + 64;
		uint32_t *values = talloc_realloc(w, w->values, uint32_t, room);

		if (!values)
			return error_memory(err);
		w->values = values;
		w->value_room = room;
	}
	w->values[w->value_count++] = cell;
	return true;
}

static bool new_segments(struct writer *w, uint32_t size, uint32_t *cell, struct error *err)
{
	uint32_t count = (size + REGF_BIG - 1) / REGF_BIG, list, segment;
	struct regf_big *big;

	if (count > UINT16_MAX)
		return error_set(err, ERROR_REFUSED,
		                 "a value of %u bytes is more than a hive can hold", size);
	/* 12 bytes, because every db cell that Windows writes has 16 with its size */
	if (!cells_new(&w->cells, sizeof(*big) + 4, cell, err) ||
	    !cells_new(&w->cells, count * sizeof(le32), &list, err))
		return false;
	big = cells_at(&w->cells, *cell);
	memcpy(big->signature, "db", 2);
	big->count = le16_put((uint16_t)count);
	big->segments = le32_put(list);
	for (uint32_t i = 0; i < count; i++) {
		if (!cells_new(&w->cells, REGF_BIG_CELL - 4, &segment, err))
			return false;
		((le32 *)cells_at(&w->cells, list))[i] = le32_put(segment);
	}
	return true;
}

static bool new_data(struct writer *w, uint32_t size, uint32_t *cell, struct error *err)
{
	if (size > REGF_BIG && w->minor > 3)
		return new_segments(w, size, cell, err);
	if (size > REGF_STANDARD_DATA_MAX)
		return error_set(err, ERROR_REFUSED,
		                 "a value of %u bytes is more than format 1.3 can hold (1.5 can)",
		                 size);
	return cells_new(&w->cells, size, cell, err);
}

bool writer_begin_value(struct sink *sink, const struct sink_value *value, struct error *err)
{
	struct writer *w = (struct writer *)sink;
	struct level *level = &w->levels[w->depth - 1];
	bool compressed = name_compressible(value->name), is_inline = value->size <= 4;
	uint32_t name_size = writer_name_size(value->name, compressed), cell, data = 0;
	struct regf_value *vk;

	if (!writer_end_value(w, err))
		return false;
	if (name_length(value->name) > REGF_VALUE_NAME_MAX)
		return error_set(err, ERROR_REFUSED, "a value's name of %u units is too long",
		                 name_length(value->name));
	if (!cells_new(&w->cells, sizeof(*vk) + name_size, &cell, err) ||
	    !remember_value(w, cell, err) || (!is_inline && !new_data(w, value->size, &data, err)))
		return false;
	vk = cells_at(&w->cells, cell);
	memcpy(vk->signature, "vk", 2);
	vk->name_size = le16_put((uint16_t)name_size);
	vk->size = le32_put(is_inline ? value->size | REGF_INLINE : value->size);
	vk->data = le32_put(data);
	vk->type = le32_put(value->type);
	if (name_size && compressed)
		vk->flags = le16_put(REGF_VALUE_COMP_NAME);
	writer_put_name(vk->name, value->name, compressed);
	writer_raise(&level->max_value_name, 2 * name_length(value->name));
	writer_raise(&level->max_value_data, value->size);
	w->inline_value = is_inline ? cell : REGF_NIL;
	w->data_cell = data;
	w->data_size = value->size;
	w->data_done = 0;
	w->value_total++;
	w->data_total += value->size;
	return true;
}

/* Where byte number data_done of the data goes, and how many fit there. */
static uint8_t *data_place(struct writer *w, uint64_t *fits)
{
	uint32_t done = w->data_done;

	*fits = w->data_size - done;
	if (w->inline_value != REGF_NIL)
		return ((struct regf_value *)cells_at(&w->cells, w->inline_value))->data.b + done;
	if (w->data_size > REGF_BIG && w->minor > 3) {
		const struct regf_big *big = cells_at(&w->cells, w->data_cell);
		const le32 *segments = cells_at(&w->cells, le32_get(big->segments));

		if (*fits > REGF_BIG - done % REGF_BIG)
			*fits = REGF_BIG - done % REGF_BIG;
		return (uint8_t *)cells_at(&w->cells, le32_get(segments[done / REGF_BIG])) +
		       done % REGF_BIG;
	}
	return (uint8_t *)cells_at(&w->cells, w->data_cell) + done;
}

bool writer_data(struct sink *sink, struct bytes piece, struct error *err)
{
	struct writer *w = (struct writer *)sink;

	if (piece.size > w->data_size - w->data_done)
		return error_set(err, ERROR_INTERNAL, "a value of %u bytes gets more",
		                 w->data_size);
	while (piece.size) {
		uint64_t fits;
		uint8_t *place = data_place(w, &fits);

		if (fits > piece.size)
			fits = piece.size;
		memcpy(place, piece.data, fits);
		w->data_done += (uint32_t)fits;
		piece.data += fits;
		piece.size -= fits;
	}
	return true;
}
