/* What writer.c (keys) and writer_value.c (values) share. Nobody else includes it. */
#ifndef HIVE_WRITER_INTERNAL_H
#define HIVE_WRITER_INTERNAL_H

#include "hive/cells.h"
#include "hive/descriptors.h"
#include "hive/writer.h"

struct level {
	uint32_t key;           /* cell */
	uint32_t list;          /* cell of the leaf, or of the ri */
	uint32_t subkeys, seen; /* announced, and begun so far */
	uint32_t max_name, max_class, max_value_name, max_value_data;
	bool values_done;
};

struct writer {
	struct sink sink; /* first, so that a sink is a writer */
	struct cells cells;
	uint32_t minor;
	struct descriptors *descriptors;
	struct level levels[REGF_DEPTH_MAX];
	unsigned depth;
	uint32_t *values; /* cells of the values of the key at the top; talloc array */
	uint32_t value_count, value_room;
	uint32_t data_cell; /* of the value being written: its data, or its db */
	uint32_t data_size, data_done;
	uint32_t inline_value; /* cell of the value whose data is inline, or REGF_NIL */
	uint64_t keys, value_total, data_total, newest, time_sum;
};

/* Is the value that was begun last complete? */
bool writer_end_value(const struct writer *w, struct error *err);
bool writer_begin_value(struct sink *sink, const struct sink_value *value, struct error *err);
bool writer_data(struct sink *sink, struct bytes piece, struct error *err);

static inline uint32_t writer_name_size(struct name n, bool compressed)
{
	return name_length(n) * (compressed ? 1 : 2);
}

static inline void writer_put_name(uint8_t *to, struct name n, bool compressed)
{
	if (n.compressed == compressed) {
		memcpy(to, n.data, writer_name_size(n, compressed)); /* n.size may be odd */
		return;
	}
	for (uint32_t i = 0; i < name_length(n); i++)
		to[i] = (uint8_t)name_unit(n, i); /* wide, but could be compressed */
}

static inline void writer_raise(uint32_t *maximum, uint32_t value)
{
	if (value > *maximum)
		*maximum = value;
}

#endif
