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
		le32 *values = talloc_realloc(w, w->values, le32, room);

		if (!values)
			return error_memory(err);
		w->values = values;
		w->value_room = room;
	}
	w->values[w->value_count++] = le32_put(cell);
	return true;
}

/* The db record and the list of its segments, which come with the data. */
static bool new_big(struct writer *w, uint32_t size, uint32_t *cell, uint32_t *list,
                    struct error *err)
{
	uint32_t count = (size + REGF_BIG - 1) / REGF_BIG;
	struct regf_big big = { .signature = "db", .count = le16_put((uint16_t)count) };

	if (count > UINT16_MAX)
		return error_set(err, ERROR_REFUSED,
		                 "a value of %u bytes is more than a hive can hold", size);
	/* 12 bytes, because every db cell that Windows writes has 16 with its size */
	if (!cells_new(&w->cells, sizeof(big) + 4, cell, err) ||
	    !cells_new(&w->cells, count * sizeof(le32), list, err))
		return false;
	big.segments = le32_put(*list);
	return cells_set(&w->cells, *cell, 0, &big, sizeof(big), err);
}

static bool is_big(const struct writer *w, uint32_t size)
{
	return size > REGF_BIG && w->minor > 3;
}

/* *CELL is what the value refers to, *DATA where the data goes, or its list of segments. */
static bool new_data(struct writer *w, uint32_t size, uint32_t *cell, uint32_t *data,
                     struct error *err)
{
	if (is_big(w, size))
		return new_big(w, size, cell, data, err);
	if (size > REGF_STANDARD_DATA_MAX)
		return error_set(err, ERROR_REFUSED,
		                 "a value of %u bytes is more than format 1.3 can hold (1.5 can)",
		                 size);
	if (!cells_new(&w->cells, size, cell, err))
		return false;
	*data = *cell;
	return true;
}

bool writer_begin_value(struct sink *sink, const struct sink_value *value, struct error *err)
{
	struct writer *w = (struct writer *)sink;
	struct level *level = &w->levels[w->depth - 1];
	bool compressed = name_compressible(value->name), is_inline = value->size <= 4;
	uint32_t length = name_length(value->name), name_size = compressed ? length : 2 * length;
	uint32_t cell, refers = 0, data = 0;
	struct regf_value vk = {
		.signature = "vk",
		.name_size = le16_put((uint16_t)name_size),
		.size = le32_put(is_inline ? value->size | REGF_INLINE : value->size),
		.type = le32_put(value->type),
		.flags = le16_put(name_size && compressed ? REGF_VALUE_COMP_NAME : 0),
	};

	if (!writer_end_value(w, err))
		return false;
	if (length > REGF_VALUE_NAME_MAX)
		return error_set(err, ERROR_REFUSED, "a value's name of %u units is too long",
		                 length);
	if (!cells_new(&w->cells, sizeof(vk) + name_size, &cell, err) ||
	    !remember_value(w, cell, err) ||
	    (!is_inline && !new_data(w, value->size, &refers, &data, err)))
		return false;
	vk.data = le32_put(refers);
	if (!cells_set(&w->cells, cell, 0, &vk, sizeof(vk), err) ||
	    !cells_set(&w->cells, cell, sizeof(vk), writer_name(w, value->name, compressed),
	               name_size, err))
		return false;
	writer_raise(&level->max_value_name, 2 * length);
	writer_raise(&level->max_value_data, value->size);
	w->inline_value = is_inline ? cell : REGF_NIL;
	w->data_cell = data;
	w->data_size = value->size;
	w->data_done = 0;
	w->value_total++;
	w->data_total += value->size;
	return true;
}

/* Makes the segment that byte number data_done begins. */
static bool next_segment(struct writer *w, struct error *err)
{
	uint32_t number = w->data_done / REGF_BIG;
	le32 segment;

	if (!cells_new(&w->cells, REGF_BIG_CELL - 4, &w->segment, err))
		return false;
	segment = le32_put(w->segment);
	return cells_set(&w->cells, w->data_cell, number * sizeof(segment), &segment,
	                 sizeof(segment), err);
}

/* As much of the piece as goes into one segment; *SIZE of it. */
static bool put_in_segment(struct writer *w, struct bytes piece, uint64_t *size, struct error *err)
{
	uint32_t inside = w->data_done % REGF_BIG;

	*size = piece.size < REGF_BIG - inside ? piece.size : REGF_BIG - inside;
	return (inside || next_segment(w, err)) &&
	       cells_set(&w->cells, w->segment, inside, piece.data, *size, err);
}

bool writer_data(struct sink *sink, struct bytes piece, struct error *err)
{
	struct writer *w = (struct writer *)sink;

	if (piece.size > w->data_size - w->data_done)
		return error_set(err, ERROR_INTERNAL, "a value of %u bytes gets more",
		                 w->data_size);
	while (piece.size) {
		uint64_t size = piece.size;
		bool done;

		if (is_big(w, w->data_size))
			done = put_in_segment(w, piece, &size, err);
		else if (w->inline_value != REGF_NIL)
			done = cells_set(&w->cells, w->inline_value,
			                 offsetof(struct regf_value, data) + w->data_done,
			                 piece.data, size, err);
		else
			done = cells_set(&w->cells, w->data_cell, w->data_done, piece.data, size,
			                 err);
		if (!done)
			return false;
		w->data_done += (uint32_t)size;
		piece = (struct bytes){ piece.data + size, piece.size - size };
	}
	return true;
}
