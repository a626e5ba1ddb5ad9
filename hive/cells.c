/*
 * Bins and cells are handed out from front to back. A bin grows page by page until it has
 * reached CELLS_BIN; the rest of its last page then becomes a free cell. A large cell may
 * make a bin larger than that, as it does in Windows. No cell lies in two windows.
 */
#include "hive/cells.h"

bool cells_set_far(struct cells *cells, uint64_t place, struct bytes bytes, struct error *err)
{
	return spool_patch(cells->spool, REGF_BASE_SIZE + place, bytes, err);
}

bool cells_begin(TALLOC_CTX *ctx, struct cells *cells, spool_put_fn *put, void *to, bool thread,
                 struct error *err)
{
	*cells = (struct cells){ .spool = spool_new(ctx, put, to, REGF_BASE_SIZE, thread, err) };
	if (!cells->spool)
		return false;
	cells->window = spool_window(cells->spool);
	cells->room = SPOOL_FIRST;
	return true;
}

/* Completes the current bin. The window reaches to its end. */
static bool close_bin(struct cells *cells, struct error *err)
{
	struct regf_bin bin = { .signature = "hbin",
		                .offset = le32_put((uint32_t)cells->bin),
		                .size = le32_put((uint32_t)(cells->end - cells->bin)) };
	le32 rest = le32_put((uint32_t)(cells->end - cells->used));

	if (cells->end > cells->used)
		memcpy(cells->window + (cells->used - cells->begin), &rest, sizeof(rest));
	if (cells->bin < cells->begin)
		return cells_set_far(cells, cells->bin,
		                     (struct bytes){ (uint8_t *)&bin, sizeof(bin) }, err);
	memcpy(cells->window + (cells->bin - cells->begin), &bin, sizeof(bin));
	return true;
}

static uint64_t pages_up(uint64_t size)
{
	return (size + REGF_PAGE - 1) / REGF_PAGE * REGF_PAGE;
}

/*
 * Makes the next SIZE bytes lie in the window, and room behind them for the rest of a page: that
 * is where a bin may end.
 */
static bool make_place(struct cells *cells, uint64_t size, struct error *err)
{
	uint64_t used = cells->used - cells->begin, least = size + REGF_PAGE;

	if (used + least <= cells->room)
		return true;
	cells->window = spool_next(cells->spool, used, least, err);
	cells->begin = cells->used;
	cells->room = least > SPOOL_WINDOW ? least : SPOOL_WINDOW;
	return cells->window != NULL;
}

/* Makes the current bin end behind the next SIZE bytes, or begins another that does. */
static bool extend(struct cells *cells, uint64_t size, struct error *err)
{
	bool first = cells->end == 0, full = cells->end - cells->bin >= CELLS_BIN;
	uint64_t header = first || full ? sizeof(struct regf_bin) : 0;
	uint64_t used = header ? cells->end : cells->used, end = pages_up(used + header + size);

	if (end > REGF_BINS_MAX)
		return error_set(err, ERROR_REFUSED,
		                 "the image would be larger than a hive can be");
	if (full && !close_bin(cells, err))
		return false;
	if (header)
		cells->bin = used;
	cells->used = used;
	if (header && !make_place(cells, header, err))
		return false;
	cells->used += header;
	cells->end = end;
	return true;
}

bool cells_more(struct cells *cells, uint64_t whole, struct error *err)
{
	uint64_t in_window;

	if (cells->used + whole > cells->end && !extend(cells, whole, err))
		return false;
	if (!make_place(cells, whole, err))
		return false;
	in_window = cells->begin + cells->room - REGF_PAGE;
	cells->limit = cells->end < in_window ? cells->end : in_window;
	return true;
}

bool cells_put(struct cells *cells, struct bytes bytes, uint32_t *cell, struct error *err)
{
	return cells_new(cells, bytes.size, cell, err) &&
	       cells_set(cells, *cell, 0, bytes.data, bytes.size, err);
}

bool cells_close(struct cells *cells, struct error *err)
{
	bool closed = close_bin(cells, err);

	cells->used = cells->end;
	return closed;
}

bool cells_finish(struct cells *cells, const struct regf_base *base, struct error *err)
{
	struct bytes bytes = { (const uint8_t *)base, sizeof(*base) };

	return spool_patch(cells->spool, 0, bytes, err) &&
	       spool_finish(cells->spool, cells->end - cells->begin, err);
}
