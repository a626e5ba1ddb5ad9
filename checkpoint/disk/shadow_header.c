/*
 * The Volume Shadow Snapshot format, as libvshadow's documentation has it ("Volume Shadow Snapshot
 * (VSS) format", Joachim Metz). A volume has shadow copies if and only if
 *
 *   (1) at offset 0x1e00 is the identifier 3808876b-c176-4e48-b7ae-04046e6cc752, and
 *   (2) at 0x30 behind that is the offset of the catalog, which is not 0.
 *
 * Windows leaves the header behind, with 0 there, when the last shadow copy is deleted.
 */
#include "checkpoint/disk/shadow_header.h"

#include <assert.h>
#include <errno.h>

#define HEADER_OFFSET 0x1e00u
#define BLOCK 16384u
#define ENTRIES ((BLOCK - sizeof(struct block)) / sizeof(struct entry))

enum kind { KIND_VOLUME = 1, KIND_CATALOG, KIND_LIST, KIND_STORE, KIND_RANGES, KIND_BITMAP };

struct volume_header {
	uint8_t identifier[16];
	le32 version;
	le32 kind;
	uint8_t unknown_0x18[24];
	le64 catalog; /* 0x30 */
	uint8_t unknown_0x38[72];
};
static_assert(sizeof(struct volume_header) == 128, "");

/* How each block begins. */
struct block {
	uint8_t identifier[16];
	le32 version;
	le32 kind;
	le64 relative;
	le64 offset;
	le64 next; /* 0x28: offset of the next block, 0 in the last */
	uint8_t unknown_0x30[80];
};
static_assert(sizeof(struct block) == 128, "");

/* Of the catalog: type 2 is that there is a shadow copy, type 3 where its blocks are. */
struct entry {
	le64 type;
	le64 list; /* 0x08 */
	uint8_t store[16];
	le64 header; /* 0x20 */
	le64 ranges;
	le64 bitmap;
	le64 file;
	le64 size;
	le64 bitmap_before; /* 0x48; 0: there is none */
	uint8_t unknown_0x50[48];
};
static_assert(sizeof(struct entry) == 128, "");

static const uint8_t identifier[16] = { 0x6b, 0x87, 0x08, 0x38, 0x76, 0xc1, 0x48, 0x4e,
	                                0xb7, 0xae, 0x04, 0x04, 0x6e, 0x6c, 0xc7, 0x52 };

bool shadow_header(struct medium *medium, uint64_t *catalog, struct error *err)
{
	struct volume_header header;

	*catalog = 0;
	if (medium->size < HEADER_OFFSET + sizeof(header))
		return true;
	if (!medium_read(medium, HEADER_OFFSET, &header, sizeof(header), err))
		return false;
	if (memcmp(header.identifier, identifier, sizeof(identifier)) == 0)
		*catalog = le64_get(header.catalog);
	return true;
}

/* --- the chains --- */

/* The numbers of blocks that belong to a chain: a hash table, at most half full, 0 where free. */
struct check {
	struct medium *medium;
	uint64_t *met;
	uint32_t room; /* a power of two */
	uint32_t count;
	uint32_t copies;
};

static bool damaged(struct error *err, enum kind kind, uint64_t at, const char *why)
{
	static const char *const names[] = { "volume header", "catalog", "list of blocks",
		                             "header",        "ranges",  "bitmap" };

	error_set(err, ERROR_SOURCE, "the %s of shadow copies at offset 0x%llx %s",
	          names[kind - KIND_VOLUME], (unsigned long long)at, why);
	err->sys = EIO;
	return false;
}

/* Puts NUMBER into the table, unless it is there: then *FIRST is false. */
static void put(uint64_t *met, uint32_t room, uint64_t number, bool *first)
{
	uint32_t at = (uint32_t)(number * UINT64_C(0x9e3779b97f4a7c15) >> 32) & (room - 1);

	while (met[at] && met[at] != number)
		at = (at + 1) & (room - 1);
	*first = !met[at];
	met[at] = number;
}

static bool grow(struct check *check, struct error *err)
{
	uint32_t room = check->room * 2;
	uint64_t *met = room ? talloc_zero_array(NULL, uint64_t, room) : NULL;
	bool first;

	if (!met)
		return error_memory(err);
	for (uint32_t i = 0; check->met && i < check->room; i++) {
		if (check->met[i])
			put(met, room, check->met[i], &first);
	}
	talloc_free(check->met);
	check->met = met;
	check->room = room;
	return true;
}

/* Blocks of a sound volume do not overlap, so two of them never have one number. */
static bool meet(struct check *check, uint64_t at, bool *first, struct error *err)
{
	if (check->count >= check->room / 2 && !grow(check, err))
		return false;
	put(check->met, check->room, at / BLOCK + 1, first);
	check->count += *first;
	return true;
}

static bool read_block(struct check *check, enum kind kind, uint64_t at, void *to, size_t size,
                       struct error *err)
{
	struct block *block = to;

	if (at > check->medium->size || BLOCK > check->medium->size - at)
		return damaged(err, kind, at, "lies outside of the volume");
	if (!medium_read(check->medium, at, to, size, err))
		return false;
	if (memcmp(block->identifier, identifier, sizeof(identifier)) != 0 ||
	    le32_get(block->kind) != kind)
		return damaged(err, kind, at, "is something else");
	return true;
}

/* From AT to the end, or to what was followed before. */
static bool follow(struct check *check, enum kind kind, uint64_t at, struct error *err)
{
	bool first, begins = true;
	struct block block;

	for (; at; at = le64_get(block.next)) {
		if (!read_block(check, kind, at, &block, sizeof(block), err) ||
		    !meet(check, at, &first, err))
			return false;
		if (!first) /* a bitmap may be that of the copy before */
			return (begins && kind == KIND_BITMAP) ||
			       damaged(err, kind, at, "is in two chains, or twice in one");
		begins = false;
	}
	return true;
}

static bool check_entry(struct check *check, const struct entry *entry, struct error *err)
{
	uint64_t type = le64_get(entry->type);

	if (type == 2 && ++check->copies > SHADOW_COPIES_MAX)
		return error_set(err, ERROR_SOURCE, "the catalog has more than %u shadow copies",
		                 SHADOW_COPIES_MAX);
	if (type != 3)
		return true;
	return follow(check, KIND_STORE, le64_get(entry->header), err) &&
	       follow(check, KIND_LIST, le64_get(entry->list), err) &&
	       follow(check, KIND_RANGES, le64_get(entry->ranges), err) &&
	       follow(check, KIND_BITMAP, le64_get(entry->bitmap), err) &&
	       follow(check, KIND_BITMAP, le64_get(entry->bitmap_before), err);
}

struct catalog {
	struct block head;
	struct entry entries[ENTRIES];
};
static_assert(sizeof(struct catalog) == BLOCK, "");

static bool check_catalog(struct check *check, uint64_t at, struct catalog *to, struct error *err)
{
	bool first;

	for (; at; at = le64_get(to->head.next)) {
		if (!read_block(check, KIND_CATALOG, at, to, BLOCK, err) ||
		    !meet(check, at, &first, err))
			return false;
		if (!first)
			return damaged(err, KIND_CATALOG, at, "is there twice");
		for (unsigned i = 0; i < ENTRIES; i++) {
			if (!check_entry(check, &to->entries[i], err))
				return false;
		}
	}
	return true;
}

bool shadow_header_check(struct medium *medium, uint64_t catalog, struct error *err)
{
	struct check check = { .medium = medium, .room = 512 };
	struct catalog *buffer = talloc(NULL, struct catalog);
	bool sound = buffer && grow(&check, err) && check_catalog(&check, catalog, buffer, err);

	if (!buffer)
		error_memory(err);
	talloc_free(check.met);
	talloc_free(buffer);
	return sound;
}
