/* open: what hive.c, key.c, value.c, cursor.c and salvage*.c share. Nobody else includes it. */
#ifndef HIVE_OPEN_H
#define HIVE_OPEN_H

#include "hive/hive.h"

struct hivex_handle;

struct hive {
	char *name;
	const struct image *image;
	struct bytes bins; /* from the end of the base block */
	uint32_t minor;
	bool damaged;  /* the validator complains of it; nobody but salvage sees such a hive */
	bool salvaged; /* an image of what was sound */
	struct hivex_handle *hivex; /* NULL: hivex must not see the image */
	struct recovery recovery;
	struct check check;
	struct last_list *last; /* of hive_find; key.c */
};

/* The last long list of subkeys that was looked into: many look-ups go to one key. */
struct last_list {
	uint32_t key;    /* cell, or REGF_NIL */
	uint32_t *cells; /* on this struct */
	uint32_t count;
};

/* Where a cell is in the file, for people: so counts `clusnap check`, too. */
static inline unsigned long long open_place(uint32_t cell)
{
	return (unsigned long long)cell + REGF_BASE_SIZE;
}

/*
 * The contents of an allocated cell that holds at least LEAST bytes; data is NULL if there is
 * no such cell. The one way from a cell offset to bytes.
 */
static inline struct bytes open_cell_quietly(const struct hive *hive, uint32_t cell, uint64_t least)
{
	const le32 *header = bytes_at(hive->bins, cell, sizeof(*header));
	uint32_t word = header && cell % 8 == 0 ? le32_get(*header) : 0, size = 0u - word;

	/* allocated, with contents, as many as are asked for, and no more than there are */
	if (!(word & 0x80000000) || size <= 4 || size - 4 < least || size > hive->bins.size - cell)
		return (struct bytes){ NULL, 0 };
	return (struct bytes){ (const uint8_t *)(header + 1), size - 4 };
}

/* Fills the error for a cell that is not there. */
void open_no_cell(uint32_t cell, uint64_t least, struct error *err);

/* The same, with the error filled if there is none. */
static inline struct bytes open_cell(const struct hive *hive, uint32_t cell, uint64_t least,
                                     struct error *err)
{
	struct bytes at = open_cell_quietly(hive, cell, least);

	if (!at.data)
		open_no_cell(cell, least, err);
	return at;
}

/* --- hive/hivex.c: the only file that knows hivex --- */

/* It is opened by the first navigation: that takes some time, and many hives need none. */
struct hivex_handle *hivex_handle_new(TALLOC_CTX *ctx, const struct image *image);

/* Opens it if it is not open; false if hivex refuses the image. */
bool hivex_handle_wake(struct hivex_handle *handle);

/*
 * Does all of the next hivex_handle_wake() that takes memory of ours or moves the image, so that
 * another thread may do the rest. False if there is no memory.
 */
bool hivex_handle_prepare(struct hivex_handle *handle);

/* Closes hivex until the next navigation, which opens it again: it maps all of the image. */
void hivex_handle_rest(struct hivex_handle *handle);

/* True with the cells of all COUNT subkeys (values) on CTX; false if hivex gives up, or is not
 * worth while. */
bool hivex_handle_subkeys(TALLOC_CTX *ctx, struct hivex_handle *handle, uint32_t key,
                          uint32_t count, uint32_t **cells);
bool hivex_handle_values(TALLOC_CTX *ctx, struct hivex_handle *handle, uint32_t key, uint32_t count,
                         uint32_t **cells);

enum hivex_list { HIVEX_SUBKEYS, HIVEX_VALUES };

/*
 * The handles (file offsets of cells) of all subkeys or values of a key, of which there must be
 * COUNT, a zero behind them; for the caller to free(). *LIST is NULL if there are none, or more
 * than hivex can read.
 */
bool hivex_handle_list(struct hivex_handle *handle, uint32_t key, enum hivex_list which,
                       uint32_t count, size_t **list, struct error *err);

#endif
