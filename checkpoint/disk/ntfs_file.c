/*
 * One file of an NTFS volume: what it is, by its MFT record, and its bytes, by libfsntfs.
 *
 * The odd decision: a file is read through a small buffer, and a buffer of zeros is not copied. The
 * memory of an image is zeros to begin with, so a sparse or compressed file of 4 GiB that takes
 * nothing on the volume takes nothing in memory.
 */
#include <errno.h>
#include <stdlib.h>

#include "checkpoint/disk/ntfs_internal.h"

#define PIECE ((size_t)1 << 20)
#define EXTENTS_MAX 4000000
#define SYSTEM_FILE 0x00000004u
#define REPARSE_POINT 0x00000400u
#define ATTRIBUTES 0x20u /* in $STANDARD_INFORMATION */
#define SPACE 0x41u      /* in $FILE_NAME: 2 is a name of 8.3 that stands beside a long one */

static int file_close(struct ntfs_file *file)
{
	if (file->entry)
		libfsntfs_file_entry_free(&file->entry, NULL);
	return 0;
}

enum ntfs_kind ntfs_file_kind(const struct ntfs_file *file)
{
	return file->kind;
}

uint64_t ntfs_file_size(const struct ntfs_file *file)
{
	return file->data ? file->data->size : 0;
}

uint64_t ntfs_file_reference(const struct ntfs_file *file)
{
	return (uint64_t)file->base->sequence << 48 | file->base->number;
}

uint16_t ntfs_file_flags(const struct ntfs_file *file)
{
	return file->data ? file->data->flags : 0;
}

uint32_t ntfs_file_links(const struct ntfs_file *file)
{
	return file->links;
}

const struct ntfs_value *ntfs_file_data(const struct ntfs_file *file)
{
	return file->data;
}

struct ntfs *ntfs_file_volume(const struct ntfs_file *file)
{
	return file->ntfs;
}

const struct ntfs_record *ntfs_file_record(const struct ntfs_file *file)
{
	return file->base;
}

/* What the attributes of a file say of it. */
struct seen {
	uint32_t attributes;
	uint32_t links;
	bool reparse;
};

static bool see(void *data, const struct ntfs_attribute *attribute, struct error *err)
{
	struct bytes value = ntfs_record_value(attribute);
	struct seen *seen = data;
	le32 attributes;

	(void)err;
	switch (le32_get(attribute->type)) {
	case NTFS_TYPE_INFORMATION:
		if (value.size >= ATTRIBUTES + sizeof(attributes)) {
			memcpy(&attributes, value.data + ATTRIBUTES, sizeof(attributes));
			seen->attributes = le32_get(attributes);
		}
		break;
	case NTFS_TYPE_NAME:
		seen->links += value.size > SPACE && value.data[SPACE] != 2;
		break;
	case NTFS_TYPE_REPARSE:
		seen->reparse = true;
		break;
	}
	return true;
}

/* ntfs-3g keeps links and devices as small system files that begin with one of these. */
static bool small_system_file(struct ntfs_file *file, struct error *err)
{
	char head[8];
	size_t got;

	if (ntfs_file_size(file) <= sizeof(head) || ntfs_file_size(file) > 8192 ||
	    ntfs_file_flags(file))
		return true;
	if (!ntfs_read(file, 0, head, sizeof(head), &got, err))
		return false;
	if (memcmp(head, "IntxLNK\1", 8) == 0)
		file->kind = NTFS_LINK;
	if (memcmp(head, "IntxCHR", 8) == 0 || memcmp(head, "IntxBLK", 8) == 0)
		file->kind = NTFS_SPECIAL;
	return true;
}

static bool read_file(struct ntfs_file *file, uint64_t reference, struct error *err)
{
	struct seen seen = { 0 };

	file->base = ntfs_record_read(file, file->ntfs, reference & NTFS_NUMBER, err);
	if (!file->base)
		return false;
	if (!(file->base->flags & NTFS_RECORD_USED) || file->base->base != 0 ||
	    (reference > NTFS_NUMBER && reference != ntfs_file_reference(file))) {
		error_set(err, ERROR_SOURCE, "its file record is not in use, or another file's");
		err->sys = ENOENT;
		return false;
	}
	if (!ntfs_value_each(file->ntfs, file->base, see, &seen, err))
		return false;
	file->links = seen.links;
	if (seen.reparse || (seen.attributes & REPARSE_POINT))
		file->kind = NTFS_LINK;
	else if (file->base->flags & NTFS_RECORD_DIRECTORY)
		file->kind = NTFS_DIRECTORY;
	if (file->kind != NTFS_FILE)
		return true;
	if (!ntfs_value_open(file, file->ntfs, file->base, NTFS_TYPE_DATA, "", &file->data, err))
		return false;
	return !(seen.attributes & SYSTEM_FILE) || small_system_file(file, err);
}

struct ntfs_file *ntfs_file_open(TALLOC_CTX *ctx, struct ntfs *ntfs, uint64_t reference,
                                 struct error *err)
{
	struct ntfs_file *file = talloc_zero(ctx, struct ntfs_file);

	if (!file) {
		error_memory(err);
		return NULL;
	}
	file->ntfs = ntfs;
	talloc_set_destructor(file, file_close);
	if (read_file(file, reference, err))
		return file;
	talloc_free(file);
	return NULL;
}

/* For its data. */
static bool open_entry(struct ntfs_file *file, struct error *err)
{
	libfsntfs_error_t *error = NULL;
	size64_t size = 0;

	if (file->kind == NTFS_DIRECTORY || !file->data)
		return error_set(err, ERROR_SOURCE, "has no data");
	if (file->data->flags & NTFS_ENCRYPTED)
		return error_set(err, ERROR_SOURCE,
		                 "is encrypted (EFS): only Windows, with the owner's key, can "
		                 "read it");
	if (file->entry)
		return true;
	ntfs_begin(file->ntfs, 0);
	if (libfsntfs_volume_get_file_entry_by_index(file->ntfs->volume, file->base->number,
	                                             &file->entry, &error) != 1 ||
	    libfsntfs_file_entry_get_size(file->entry, &size, &error) != 1)
		return ntfs_error(file->ntfs, &error, "cannot open it", err);
	return size == file->data->size ||
	       ntfs_record_damaged(err, "damaged: its size is said in two ways");
}

bool ntfs_read(struct ntfs_file *file, uint64_t offset, void *buffer, size_t size, size_t *got,
               struct error *err)
{
	libfsntfs_error_t *error = NULL;
	uint8_t *to = buffer;
	uint64_t end;
	size_t done = 0;

	if (!open_entry(file, err))
		return false;
	if (offset >= file->data->size)
		size = 0;
	else if (size > file->data->size - offset)
		size = (size_t)(file->data->size - offset);
	/* libfsntfs takes a file of which nothing was ever written for one of which all was */
	end = file->data->initialised;
	ntfs_begin(file->ntfs, 4 * (uint64_t)size);
	while (done < size && offset + done < end) {
		ssize_t n = libfsntfs_file_entry_read_buffer_at_offset(
			file->entry, to + done, size - done, (off64_t)(offset + done), &error);

		if (n <= 0)
			return ntfs_error(file->ntfs, &error, "cannot read it", err);
		done += (size_t)n;
	}
	if (offset + size > end)
		memset(to + (offset < end ? end - offset : 0), 0,
		       size - (size_t)(offset < end ? end - offset : 0));
	*got = size;
	return true;
}

/* Only what takes room on the volume may take room in memory. */
static bool check_size(const struct ntfs_file *file, struct error *err)
{
	uint64_t size = ntfs_file_size(file);
	bool plain = !(ntfs_file_flags(file) & (NTFS_COMPRESSED | NTFS_SPARSE));

	if (file->kind != NTFS_FILE)
		return error_set(err, ERROR_SOURCE, "is no regular file");
	if (size > IMAGE_MAX)
		return error_set(err, ERROR_SOURCE, "has %llu bytes, more than any hive",
		                 (unsigned long long)size);
	if (plain && size > file->ntfs->boot.size)
		return ntfs_record_damaged(err, "damaged: it is larger than its volume");
	return true;
}

static bool is_zero(const uint8_t *data, size_t size)
{
	return size == 0 || (data[0] == 0 && memcmp(data, data + 1, size - 1) == 0);
}

static bool fill(struct ntfs_file *file, uint8_t *to, uint8_t *buffer, struct error *err)
{
	size_t got = 0;

	for (uint64_t at = 0; at < file->data->size; at += got) {
		if (!ntfs_read(file, at, buffer, PIECE, &got, err))
			return false;
		if (!is_zero(buffer, got))
			memcpy(to + at, buffer, got);
	}
	return true;
}

struct image *ntfs_image(TALLOC_CTX *ctx, struct ntfs_file *file, struct error *err)
{
	uint64_t size = ntfs_file_size(file);
	struct image *image = check_size(file, err) ? image_take(ctx, size, err) : NULL;
	uint8_t *buffer = image ? malloc(PIECE) : NULL;

	if (image && !buffer)
		error_memory(err);
	if (!buffer || (size && !fill(file, image_data(image), buffer, err)) ||
	    !image_seal(image, err))
		TALLOC_FREE(image);
	free(buffer);
	return image;
}

bool ntfs_extents(TALLOC_CTX *ctx, struct ntfs_file *file, struct ntfs_extent **extents,
                  uint32_t *count, struct error *err)
{
	libfsntfs_error_t *error = NULL;
	struct ntfs_extent *list;
	int number = 0;

	if (!open_entry(file, err))
		return false;
	ntfs_begin(file->ntfs, 0);
	if (libfsntfs_file_entry_get_number_of_extents(file->entry, &number, &error) != 1 ||
	    number < 0 || number > EXTENTS_MAX)
		return ntfs_error(file->ntfs, &error, "cannot read where its data lies", err);
	list = talloc_zero_array(ctx, struct ntfs_extent, (unsigned)number + 1);
	if (!list)
		return error_memory(err);
	for (int i = 0; i < number; i++) {
		uint32_t flags = 0;
		off64_t offset = 0;
		size64_t size = 0;

		if (libfsntfs_file_entry_get_extent_by_index(file->entry, i, &offset, &size, &flags,
		                                             &error) != 1) {
			talloc_free(list);
			return ntfs_error(file->ntfs, &error, "cannot read where its data lies",
			                  err);
		}
		list[i] = (struct ntfs_extent){ (uint64_t)offset, size,
			                        flags & LIBFSNTFS_EXTENT_FLAG_IS_SPARSE };
	}
	*extents = list;
	*count = (uint32_t)number;
	return true;
}
