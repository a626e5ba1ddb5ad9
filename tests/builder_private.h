/* What builder_layout.c (places) and builder_write.c (contents) share, and nobody else uses. */
#ifndef TESTS_BUILDER_PRIVATE_H
#define TESTS_BUILDER_PRIVATE_H

#include "tests/builder.h"

#define BASE 4096u     /* the base block, from whose end offsets count */
#define PAGE 4096u     /* bins are made of them */
#define SEGMENT 16344u /* data bytes in a segment of a db record */

struct layout {
	struct builder *b;
	struct cell *cells;
	uint32_t count, room;
	uint8_t *image;               /* of malloc: talloc refuses 256 MiB */
	uint32_t used, size, bin_end; /* of the bins: filled, taken, end of the last */
	uint32_t dice;
};

/* Makes the bins with all cells in their places, noted in the tree, and nothing in them. */
void builder_layout(struct layout *l);

static inline void put16(uint8_t *at, uint32_t n)
{
	at[0] = (uint8_t)n;
	at[1] = (uint8_t)(n >> 8);
}

static inline void put32(uint8_t *at, uint32_t n)
{
	put16(at, n);
	put16(at + 2, n >> 16);
}

static inline void put64(uint8_t *at, uint64_t n)
{
	put32(at, (uint32_t)n);
	put32(at + 4, (uint32_t)(n >> 32));
}

static inline bool is_narrow(const uint16_t *name, uint32_t units)
{
	for (uint32_t i = 0; i < units; i++) {
		if (name[i] > 0xff)
			return false;
	}
	return true;
}

static inline uint32_t stored_size(const uint16_t *name, uint32_t units, bool wide)
{
	return !wide && is_narrow(name, units) ? units : 2 * units;
}

static inline bool is_big(const struct builder *b, const struct builder_value *value)
{
	return value->size > SEGMENT && b->minor > 3 && !b->big_plain;
}

static inline uint32_t entry_size(const struct builder *b)
{
	return b->list == BUILDER_LI ? 4 : 8;
}

#endif
