/*
 * The names in a directory of an NTFS volume: its index $I30.
 *
 * An index is a tree of blocks, the first of them in the MFT record ($INDEX_ROOT), the others in
 * the value of $INDEX_ALLOCATION, and a bitmap says which of these are in use. The odd decision,
 * which is ntfs-3g's too: blocks are read as they lie there and not down the tree. Each is read
 * once, whatever the tree says, so no damage makes it long, and it does not matter in what units a
 * tree counts its blocks. A listing is kept, as long as all of them together stay below
 * DIRECTORY_MAX names.
 */
#include <assert.h>
#include <errno.h>

#include "checkpoint/disk/directory.h"
#include "checkpoint/disk/ntfs_record.h"

#define INDEX "$I30"
#define BLOCK_MAX 65536u
#define ENTRY_LAST 0x02u
#define SPACE_DOS 2 /* of a name that stands beside a long one */

struct index_root {
	le32 type; /* 0x30 */
	le32 collation;
	le32 block; /* bytes of a block */
	le32 clusters;
};
static_assert(sizeof(struct index_root) == 0x10, "");

struct index_head {
	le32 first; /* entry, from here */
	le32 used;  /* bytes, from here */
	le32 allocated;
	le32 flags;
};
static_assert(sizeof(struct index_head) == 0x10, "");

#define BLOCK_HEAD 0x18u /* in a block, where its index_head is */

struct index_entry {
	le64 reference;
	le16 length;
	le16 key_length;
	le32 flags;          /* 0x0c */
	uint8_t key[0x40];   /* 0x10: $FILE_NAME, of which this is behind other things: */
	uint8_t name_length; /* 0x50: in units */
	uint8_t space;
};
static_assert(sizeof(struct index_entry) == 0x52, "");

#define ENTRY_HEAD 0x10u

struct ntfs_kept {
	struct ntfs_kept *next;
	uint64_t reference;
	struct ntfs_listing listing;
};

/* Room for one more name. */
static bool make_room(struct ntfs_listing *listing, struct error *err)
{
	uint32_t room = (uint32_t)talloc_array_length(listing->references);

	if (listing->count == DIRECTORY_MAX)
		return error_set(err, ERROR_SOURCE, "has more than %u names in it", DIRECTORY_MAX);
	if (listing->count < room)
		return true;
	listing->names =
		talloc_realloc(talloc_parent(listing->names), listing->names, char *, 2 * room);
	listing->references = listing->names ? talloc_realloc(listing->names, listing->references,
	                                                      uint64_t, 2 * room)
	                                     : NULL;
	return listing->references || error_memory(err);
}

static bool has_nul(struct bytes units)
{
	bool found = false;

	for (uint64_t i = 0; i < units.size; i += 2)
		found |= units.data[i] == 0 && units.data[i + 1] == 0;
	return found;
}

/* The name of an entry, unless it is one that is not shown. */
static bool add_entry(struct ntfs_listing *listing, const struct index_entry *entry,
                      struct bytes rest, struct error *err)
{
	uint64_t reference = le64_get(entry->reference);
	struct bytes units = { NULL, 2 * (uint64_t)entry->name_length };
	char *name;

	units.data = bytes_at(rest, sizeof(*entry), units.size);
	if (!units.data || !units.size || le16_get(entry->length) < sizeof(*entry) + units.size)
		return ntfs_record_damaged(err, "the index is damaged: a name leaves its entry");
	if (entry->space == SPACE_DOS || (reference & NTFS_NUMBER) < NTFS_FIRST_USER)
		return true;
	if (!make_room(listing, err))
		return false;
	name = name_utf16_to_utf8(listing->names, units);
	if (!name)
		return error_memory(err);
	if (strchr(name, '/') || has_nul(units)) { /* which no path can have */
		talloc_free(name);
		return true;
	}
	listing->names[listing->count] = name;
	listing->references[listing->count++] = reference;
	return true;
}

/* The entries behind an index_head, which lies at AT in BLOCK. */
static bool add_entries(struct ntfs_listing *listing, struct bytes block, uint64_t at,
                        struct error *err)
{
	const struct index_head *head = bytes_at(block, at, sizeof(*head));
	uint64_t end = head ? at + le32_get(head->used) : 0;

	if (!head || end > block.size)
		return ntfs_record_damaged(err, "the index is damaged: it leaves its block");
	block.size = end;
	for (at += le32_get(head->first);;) {
		const struct index_entry *entry = bytes_at(block, at, ENTRY_HEAD);
		uint32_t length = entry ? le16_get(entry->length) : 0;

		if (length < ENTRY_HEAD || length % 8 || !bytes_at(block, at, length))
			return ntfs_record_damaged(err,
			                           "the index is damaged: an entry makes no sense");
		if (le32_get(entry->flags) & ENTRY_LAST)
			return true;
		if (length < sizeof(*entry))
			return ntfs_record_damaged(err,
			                           "the index is damaged: an entry has no name");
		if (!add_entry(listing, entry, (struct bytes){ (const uint8_t *)entry, length },
		               err))
			return false;
		at += length;
	}
}

/* An index that has no bitmap, or too small a one, is in use as far as it goes. */
static bool is_used(const uint8_t *bitmap, uint64_t size, uint64_t block)
{
	return block / 8 < size && bitmap[block / 8] >> (block % 8) & 1;
}

static bool add_blocks(TALLOC_CTX *tmp, struct ntfs *ntfs, struct ntfs_listing *listing,
                       const struct ntfs_value *index, const struct ntfs_value *map, uint32_t size,
                       struct error *err)
{
	uint64_t blocks = index->size / size, bits = map ? map->size : 0;
	uint8_t *block = talloc_size(tmp, size), *bitmap;

	/* each block is one of the volume's own, so there is room for its bit */
	if (bits > blocks / 8 + 8 + ntfs_boot(ntfs)->cluster)
		bits = blocks / 8 + 8;
	bitmap = talloc_size(tmp, bits + 1);
	if (!block || !bitmap)
		return error_memory(err);
	if (map && !ntfs_value_read(ntfs, map, 0, bitmap, bits, err))
		return false;
	for (uint64_t i = 0; i < blocks; i++) {
		if (!is_used(bitmap, bits, i))
			continue;
		if (!ntfs_value_read(ntfs, index, i * size, block, size, err) ||
		    !ntfs_record_fix(block, size, "INDX", err) ||
		    !add_entries(listing, (struct bytes){ block, size }, BLOCK_HEAD, err))
			return false;
	}
	return true;
}

/* An index that lies nowhere, or in more than there is, is none. */
static bool check_index(struct ntfs *ntfs, const struct ntfs_value *index, uint32_t size,
                        struct error *err)
{
	if (index->resident || index->size > ntfs_boot(ntfs)->size)
		return ntfs_record_damaged(err, "the index is damaged: it has no sound size");
	for (uint32_t i = 0; i < index->extent_count; i++) {
		if (index->extents[i].sparse)
			return ntfs_record_damaged(err, "the index is damaged: it has holes");
	}
	return size >= 512 && size <= BLOCK_MAX && (size & (size - 1)) == 0
	               ? true
	               : ntfs_record_damaged(err,
	                                     "the index is damaged: it has no sound block size");
}

static bool read_index(TALLOC_CTX *tmp, struct ntfs_file *directory, struct ntfs_listing *listing,
                       struct error *err)
{
	const struct ntfs_record *base = ntfs_file_record(directory);
	struct ntfs *ntfs = ntfs_file_volume(directory);
	struct ntfs_value *root, *index, *map;
	const struct index_root *head;

	if (!ntfs_value_open(tmp, ntfs, base, NTFS_TYPE_INDEX_ROOT, INDEX, &root, err) ||
	    !ntfs_value_open(tmp, ntfs, base, NTFS_TYPE_INDEX, INDEX, &index, err) ||
	    !ntfs_value_open(tmp, ntfs, base, NTFS_TYPE_BITMAP, INDEX, &map, err))
		return false;
	if (!root || !root->resident || root->size < sizeof(*head))
		return ntfs_record_damaged(err, "the index is damaged: it has no root");
	head = (const struct index_root *)root->data;
	if (le32_get(head->type) != NTFS_TYPE_NAME)
		return ntfs_record_damaged(err, "the index is damaged: it is not one of names");
	if (!add_entries(listing, (struct bytes){ root->data, root->size }, sizeof(*head), err))
		return false;
	return !index || (check_index(ntfs, index, le32_get(head->block), err) &&
	                  add_blocks(tmp, ntfs, listing, index, map, le32_get(head->block), err));
}

static struct ntfs_kept *new_listing(TALLOC_CTX *ctx, uint64_t reference, struct error *err)
{
	struct ntfs_kept *kept = talloc_zero(ctx, struct ntfs_kept);

	if (kept) {
		kept->reference = reference;
		kept->listing.names = talloc_array(kept, char *, 16);
		kept->listing.references = talloc_array(kept->listing.names, uint64_t, 16);
	}
	if (kept && kept->listing.names && kept->listing.references)
		return kept;
	talloc_free(kept);
	error_memory(err);
	return NULL;
}

/* Puts it before those that are kept, unless they are too many: then these go. */
static void keep(struct ntfs *ntfs, struct ntfs_kept *kept)
{
	struct ntfs_kept **all = ntfs_kept(ntfs);
	uint64_t names = kept->listing.count;

	for (const struct ntfs_kept *one = *all; one; one = one->next)
		names += one->listing.count + 64;
	while (*all && names > DIRECTORY_MAX) {
		struct ntfs_kept *next = (*all)->next;

		talloc_free(*all);
		*all = next;
	}
	kept->next = *all;
	*all = talloc_steal(ntfs, kept);
}

const struct ntfs_listing *ntfs_list(struct ntfs_file *directory, struct error *err)
{
	struct ntfs *ntfs = ntfs_file_volume(directory);
	uint64_t reference = ntfs_file_reference(directory);
	struct ntfs_kept *kept = *ntfs_kept(ntfs);
	TALLOC_CTX *tmp;

	while (kept && kept->reference != reference)
		kept = kept->next;
	if (kept)
		return &kept->listing;
	tmp = talloc_new(NULL);
	kept = tmp ? new_listing(tmp, reference, err) : NULL;
	if (!tmp)
		error_memory(err);
	else if (kept && read_index(tmp, directory, &kept->listing, err))
		keep(ntfs, kept);
	else
		kept = NULL;
	talloc_free(tmp);
	return kept ? &kept->listing : NULL;
}
