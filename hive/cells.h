/*
 * cells: the bins and cells of an image that is being written, addressed by cell offset.
 *
 * Cells are made from front to back and filled soon after, so that nearly all of this happens
 * in one small window of memory (hive/spool.h). What is set in a cell that has left the window
 * is written later; nothing of an image is ever read back here.
 */
#ifndef HIVE_CELLS_H
#define HIVE_CELLS_H

#include "hive/regf.h"
#include "hive/spool.h"

#define CELLS_BIN 65536u /* a bin is closed once it is this large */

struct cells {
	struct spool *spool;     /* takes base block and bins */
	uint8_t *window;         /* zero behind the newest cell */
	uint64_t begin, room;    /* where the window begins, and how large it is */
	uint64_t bin, used, end; /* current bin: begin, next free byte, end */
	uint64_t limit;          /* a cell that ends here or before needs nothing new */
};

/* The bytes go to PUT, with offsets as in the file; by a second thread if that is wanted. */
bool cells_begin(TALLOC_CTX *ctx, struct cells *cells, spool_put_fn *put, void *to, bool thread,
                 struct error *err);

/* Makes room for a cell of WHOLE bytes: more of the bin, another bin, another window. */
bool cells_more(struct cells *cells, uint64_t whole, struct error *err);

/* A cell for SIZE bytes, all zero. ERROR_REFUSED when the hive would be too large. */
static inline bool cells_new(struct cells *cells, uint64_t size, uint32_t *cell, struct error *err)
{
	uint64_t whole = (size + 4 + 7) / 8 * 8;
	le32 field = le32_put(0u - (uint32_t)whole);

	if (cells->used + whole > cells->limit && !cells_more(cells, whole, err))
		return false;
	memcpy(cells->window + (cells->used - cells->begin), &field, sizeof(field));
	*cell = (uint32_t)cells->used;
	cells->used += whole;
	return true;
}

/* The same outside of the window. */
bool cells_set_far(struct cells *cells, uint64_t place, struct bytes bytes, struct error *err);

/* Sets SIZE bytes of a cell's contents, from AT on. */
static inline bool cells_set(struct cells *cells, uint32_t cell, uint64_t at, const void *data,
                             uint64_t size, struct error *err)
{
	uint64_t place = cell + 4 + at;

	if (place < cells->begin)
		return cells_set_far(cells, place, (struct bytes){ data, size }, err);
	if (size)
		memcpy(cells->window + (place - cells->begin), data, size);
	return true;
}

/* A cell with these bytes. */
bool cells_put(struct cells *cells, struct bytes bytes, uint32_t *cell, struct error *err);

/* Completes the last bin: cells->end bytes are bins then, and no more cells can be made. */
bool cells_close(struct cells *cells, struct error *err);

/* Writes all that has not been written, and last the base block. */
bool cells_finish(struct cells *cells, const struct regf_base *base, struct error *err);

#endif
