/*
 * cells: the bins and cells of an image that is being written, addressed by cell offset,
 * because the image moves when it grows.
 */
#ifndef HIVE_CELLS_H
#define HIVE_CELLS_H

#include "hive/image.h"
#include "hive/regf.h"

#define CELLS_BIN 65536u /* a bin is closed once it is this large */

struct cells {
	struct image *image;     /* base block (all zero) and bins */
	uint8_t *bins;           /* image data behind the base block; moves */
	uint64_t room;           /* bytes of bins that there is memory for */
	uint64_t bin, used, end; /* current bin: begin, next free byte, end */
};

/* The image is allocated on CTX; ROOM is a guess of its size. */
bool cells_begin(TALLOC_CTX *ctx, struct cells *cells, uint64_t room, struct error *err);

/* A cell for SIZE bytes, all zero. ERROR_REFUSED when the hive would be too large. */
bool cells_new(struct cells *cells, uint64_t size, uint32_t *cell, struct error *err);

/* A cell with these bytes. */
bool cells_put(struct cells *cells, struct bytes bytes, uint32_t *cell, struct error *err);

/* Completes the current bin; cells->end is then the size of all bins. */
void cells_close_bin(struct cells *cells);

/* The contents of a cell, until the next cells_new. */
static inline void *cells_at(const struct cells *cells, uint32_t cell)
{
	return cells->bins + cell + 4;
}

#endif
