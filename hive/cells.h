/*
 * cells: the bins and cells of an image that is being written, addressed by cell offset,
 * because the image moves when it grows.
 *
 * The newest cells are in a window of memory that is used again and again, and go into the image
 * when it is full: a page of an image that is written for the first time through its mapping
 * costs three times as much. Older cells are reached in the image.
 */
#ifndef HIVE_CELLS_H
#define HIVE_CELLS_H

#include "hive/image.h"
#include "hive/regf.h"

#define CELLS_BIN 65536u     /* a bin is closed once it is this large */
#define CELLS_WINDOW 262144u /* bytes; larger cells are made in the image */

struct cells {
	struct image *image;     /* base block (all zero) and bins */
	uint8_t *bins;           /* image data behind the base block; moves */
	uint8_t *window;         /* zero behind the newest cell */
	uint64_t begin;          /* where the window begins; before it all is in the image */
	uint64_t room;           /* bytes of bins that there is memory for */
	uint64_t bin, used, end; /* current bin: begin, next free byte, end */
};

/* The image is allocated on CTX; ROOM is a guess of its size. */
bool cells_begin(TALLOC_CTX *ctx, struct cells *cells, uint64_t room, struct error *err);

/* A cell for SIZE bytes, all zero. ERROR_REFUSED when the hive would be too large. */
bool cells_new(struct cells *cells, uint64_t size, uint32_t *cell, struct error *err);

/* A cell with these bytes. */
bool cells_put(struct cells *cells, struct bytes bytes, uint32_t *cell, struct error *err);

/*
 * Completes the last bin and the image, of which cells->end bytes are bins then. Cells can be
 * written to after that, but no more can be made.
 */
bool cells_finish(struct cells *cells, struct error *err);

/* The byte at AT of the bins. */
static inline uint8_t *cells_place(const struct cells *cells, uint64_t at)
{
	return at < cells->begin ? cells->bins + at : cells->window + (at - cells->begin);
}

/* The contents of a cell, until the next cells_new. */
static inline void *cells_at(const struct cells *cells, uint32_t cell)
{
	return cells_place(cells, cell) + 4;
}

#endif
