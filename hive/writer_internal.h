/* What writer.c (keys), writer_lists.c and writer_value.c (values) share. Nobody else includes it.
 */
#ifndef HIVE_WRITER_INTERNAL_H
#define HIVE_WRITER_INTERNAL_H

#include "hive/cells.h"
#include "hive/descriptors.h"
#include "hive/writer.h"

struct level {
	uint32_t key;    /* cell */
	uint32_t list;   /* cell of the leaf, or of the ri; REGF_NIL if there are no subkeys */
	uint32_t leaves; /* the first of its leaves, in the writer's */
	uint32_t subkeys, seen; /* announced, and begun so far */
	uint32_t values, value_list, security, class_name;
	uint32_t max_name, max_class, max_value_name, max_value_data;
	bool values_done;
};

struct writer {
	struct sink sink;    /* first, so that a sink is a writer */
	struct image *image; /* NULL if it goes elsewhere */
	struct cells cells;
	uint32_t minor;
	struct descriptors *descriptors;
	struct level levels[REGF_DEPTH_MAX];
	unsigned depth;
	uint32_t *leaves; /* cells of the leaves of all levels; talloc array */
	uint32_t leaf_count, leaf_room;
	le32 *values; /* cells of the values of the key at the top; talloc array */
	uint32_t value_count, value_room;
	uint32_t data_cell; /* of the value being written: its data, or its list of segments */
	uint32_t data_size, data_done;
	uint32_t inline_value; /* cell of the value whose data is inline, or REGF_NIL */
	uint32_t segment;      /* cell of the segment being written */
	uint64_t keys, value_total, data_total, newest, time_sum;
	uint8_t root_name[2 * REGF_KEY_NAME_MAX]; /* as it is stored */
	uint32_t root_name_size;
	uint8_t name[REGF_VALUE_NAME_MAX]; /* room for a wide name that is stored compressed */
};

/* Makes the lists of a key whose values are complete, of as many subkeys as it announced. */
bool writer_new_lists(struct writer *w, struct level *level, struct error *err);

/* Enters the subkey in its parent's list. */
bool writer_list_subkey(struct writer *w, struct level *parent, uint32_t cell, struct name name,
                        struct error *err);

/* Is the value that was begun last complete? */
bool writer_end_value(const struct writer *w, struct error *err);
bool writer_begin_value(struct sink *sink, const struct sink_value *value, struct error *err);
bool writer_data(struct sink *sink, struct bytes piece, struct error *err);

/* The bytes of a name as they are stored, until the next call. Wide ones stay wide or not. */
static inline const uint8_t *writer_name(struct writer *w, struct name n, bool compressed)
{
	if (n.compressed == compressed)
		return n.data;
	for (uint32_t i = 0; i < name_length(n); i++)
		w->name[i] = (uint8_t)name_unit(n, i);
	return w->name;
}

static inline void writer_raise(uint32_t *maximum, uint32_t value)
{
	if (value > *maximum)
		*maximum = value;
}

#endif
