/*
 * Bins and cells are handed out from front to back. A bin grows page by page until it has
 * reached CELLS_BIN; the rest of its last page then becomes a free cell. A large cell may
 * make a bin larger than that, as it does in Windows.
 */
#include "hive/cells.h"

static void put_size(struct cells *cells, uint64_t at, int64_t size)
{
	le32 field = le32_put((uint32_t)(int32_t)size);

	memcpy(cells->bins + at, &field, sizeof(field));
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
	return cells->image && make_room(cells, room < REGF_BINS_MAX ? room : 0, err);
}

void cells_close_bin(struct cells *cells)
{
	struct regf_bin bin;

	memset(&bin, 0, sizeof(bin));
	memcpy(bin.signature, "hbin", 4);
	bin.offset = le32_put((uint32_t)cells->bin);
	bin.size = le32_put((uint32_t)(cells->end - cells->bin));
	memcpy(cells->bins + cells->bin, &bin, sizeof(bin));
	if (cells->end > cells->used)
		put_size(cells, cells->used, (int64_t)(cells->end - cells->used));
}

static uint64_t pages_up(uint64_t size)
{
	return (size + REGF_PAGE - 1) / REGF_PAGE * REGF_PAGE;
}

bool cells_new(struct cells *cells, uint64_t size, uint32_t *cell, struct error *err)
{
	uint64_t whole = (size + 4 + 7) / 8 * 8;

	if (cells->used + whole > cells->end) {
		bool first = cells->end == 0, full = cells->end - cells->bin >= CELLS_BIN;
		uint64_t used = first || full ? cells->end + sizeof(struct regf_bin) : cells->used;
		uint64_t end = pages_up(used + whole);

		if (!make_room(cells, end, err))
			return false;
		if (full)
			cells_close_bin(cells);
		if (first || full)
			cells->bin = cells->end;
		cells->used = used;
		cells->end = end;
	}
	put_size(cells, cells->used, -(int64_t)whole);
	*cell = (uint32_t)cells->used;
	cells->used += whole;
	return true;
}

bool cells_put(struct cells *cells, struct bytes bytes, uint32_t *cell, struct error *err)
{
	if (!cells_new(cells, bytes.size, cell, err))
		return false;
	memcpy(cells_at(cells, *cell), bytes.data, bytes.size);
	return true;
}
