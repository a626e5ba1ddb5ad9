/*
 * Bins and cells are handed out from front to back. A bin grows page by page until it has
 * reached CELLS_BIN; the rest of its last page then becomes a free cell. A large cell may
 * make a bin larger than that, as it does in Windows.
 */
#include "hive/cells.h"

static void put_size(struct cells *cells, uint64_t at, int64_t size)
{
	le32 field = le32_put((uint32_t)(int32_t)size);

	memcpy(cells_place(cells, at), &field, sizeof(field));
}

static bool make_room(struct cells *cells, uint64_t end, struct error *err)
{
	uint64_t room = cells->room + cells->room / 2 + 65536;

	if (end <= cells->room)
		return true;
	if (end > REGF_BINS_MAX)
		return error_set(err, ERROR_REFUSED,
		                 "the image would be larger than a hive can be");
	if (room < end)
		room = end;
	if (!image_resize(cells->image, room + REGF_BASE_SIZE, err))
		return false;
	cells->bins = image_data(cells->image) + REGF_BASE_SIZE;
	cells->room = room;
	return true;
}

bool cells_begin(TALLOC_CTX *ctx, struct cells *cells, uint64_t room, struct error *err)
{
	*cells = (struct cells){ .image = image_new(ctx, REGF_BASE_SIZE, err) };
	if (!cells->image)
		return false;
	/* and a page, for the rest of a bin behind the newest cell */
	cells->window = talloc_zero_size(ctx, CELLS_WINDOW + REGF_PAGE);
	if (!cells->window)
		return error_memory(err);
	return make_room(cells, room < REGF_BINS_MAX ? room : 0, err);
}

/* Completes the current bin. */
static void close_bin(struct cells *cells)
{
	struct regf_bin bin;

	memset(&bin, 0, sizeof(bin));
	memcpy(bin.signature, "hbin", 4);
	bin.offset = le32_put((uint32_t)cells->bin);
	bin.size = le32_put((uint32_t)(cells->end - cells->bin));
	memcpy(cells_place(cells, cells->bin), &bin, sizeof(bin));
	if (cells->end > cells->used)
		put_size(cells, cells->used, (int64_t)(cells->end - cells->used));
}

static uint64_t pages_up(uint64_t size)
{
	return (size + REGF_PAGE - 1) / REGF_PAGE * REGF_PAGE;
}

/* Puts what is in the window, up to END, into the image. */
static bool flush(struct cells *cells, uint64_t end, struct error *err)
{
	struct bytes ready = { cells->window, end - cells->begin };

	if (!image_write(cells->image, REGF_BASE_SIZE + cells->begin, ready, err))
		return false;
	memset(cells->window, 0, ready.size);
	cells->begin = end;
	return true;
}

/* Makes the next SIZE bytes, which are zero, one piece. */
static bool make_place(struct cells *cells, uint64_t size, struct error *err)
{
	if (cells->used + size <= cells->begin + CELLS_WINDOW)
		return true;
	if (!flush(cells, cells->used, err))
		return false;
	if (size > CELLS_WINDOW)
		cells->begin += size;
	return true;
}

/* Makes the current bin end behind the next SIZE bytes, or begins another that does. */
static bool extend(struct cells *cells, uint64_t size, struct error *err)
{
	bool first = cells->end == 0, full = cells->end - cells->bin >= CELLS_BIN;
	uint64_t header = first || full ? sizeof(struct regf_bin) : 0;
	uint64_t used = header ? cells->end : cells->used, end = pages_up(used + header + size);

	if (!make_room(cells, end, err))
		return false;
	if (full)
		close_bin(cells);
	if (header)
		cells->bin = used;
	cells->used = used;
	if (header && !make_place(cells, header, err))
		return false;
	cells->used += header;
	cells->end = end;
	return true;
}

bool cells_new(struct cells *cells, uint64_t size, uint32_t *cell, struct error *err)
{
	uint64_t whole = (size + 4 + 7) / 8 * 8;

	if (cells->used + whole > cells->end && !extend(cells, whole, err))
		return false;
	if (!make_place(cells, whole, err))
		return false;
	put_size(cells, cells->used, -(int64_t)whole);
	*cell = (uint32_t)cells->used;
	cells->used += whole;
	return true;
}

bool cells_finish(struct cells *cells, struct error *err)
{
	close_bin(cells);
	return flush(cells, cells->end, err);
}

bool cells_put(struct cells *cells, struct bytes bytes, uint32_t *cell, struct error *err)
{
	if (!cells_new(cells, bytes.size, cell, err))
		return false;
	memcpy(cells_at(cells, *cell), bytes.data, bytes.size);
	return true;
}
