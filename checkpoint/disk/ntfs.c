/*
 * An NTFS volume as a whole: libfsntfs on top of a medium.
 *
 * The odd decision is the count of bytes that may be read. Indexes and lists of a damaged volume
 * can lead back to themselves, and libfsntfs follows them to a depth of 256, which is for ever.
 * Whatever it does there, it reads: so each call of ours gives it a multiple of the volume's size,
 * which nothing that is sound needs; when that is used up every read fails, and later calls are
 * given little.
 */
#include "checkpoint/disk/ntfs_internal.h"

#include <errno.h>
#include <stdio.h>

const char *ntfs_library(void)
{
	return "libfsntfs " LIBFSNTFS_VERSION_STRING;
}

const struct boot *ntfs_boot(const struct ntfs *ntfs)
{
	return &ntfs->boot;
}

/* The innermost message of libfsntfs, without the name of the function in front. */
static void innermost(libfsntfs_error_t *error, char *text, size_t size)
{
	char all[4096] = "", *line = all, *end, *colon;

	if (error && libfsntfs_error_backtrace_sprint(error, all, sizeof(all)) < 0)
		all[0] = '\0';
	all[sizeof(all) - 1] = '\0';
	end = strchr(line, '\n');
	if (end)
		*end = '\0';
	colon = strstr(line, ": ");
	if (colon && strncmp(line, "lib", 3) == 0)
		line = colon + 2;
	snprintf(text, size, "%s", *line ? line : "no reason is given");
}

void ntfs_begin(struct ntfs *ntfs, uint64_t more)
{
	medium_io_begin(&ntfs->io, more);
}

bool ntfs_error(struct ntfs *ntfs, libfsntfs_error_t **error, const char *what, struct error *err)
{
	char text[256];

	innermost(*error, text, sizeof(text));
	libfsntfs_error_free(error);
	if (ntfs->io.failed) {
		*err = ntfs->io.why;
		return error_wrap(err, "%s", what);
	}
	if (ntfs->io.exhausted)
		error_set(err, ERROR_SOURCE,
		          "%s: the volume is damaged: its structures are read without an end",
		          what);
	else
		error_set(err, ERROR_SOURCE, "%s: NTFS: %s", what, text);
	err->sys = EIO;
	return false;
}

/* --- opening --- */

static int ntfs_close(struct ntfs *ntfs)
{
	if (ntfs->mft)
		libfsntfs_file_entry_free(&ntfs->mft, NULL);
	if (ntfs->volume)
		libfsntfs_volume_free(&ntfs->volume, NULL);
	if (ntfs->handle)
		libbfio_handle_free(&ntfs->handle, NULL);
	return 0;
}

static bool open_volume(struct ntfs *ntfs, struct error *err)
{
	libfsntfs_error_t *error = NULL;

	if (!medium_io_handle(&ntfs->io, &ntfs->handle) ||
	    libfsntfs_volume_initialize(&ntfs->volume, NULL) != 1)
		return error_memory(err);
	if (libfsntfs_volume_open_file_io_handle(ntfs->volume, ntfs->handle, LIBFSNTFS_OPEN_READ,
	                                         &error) != 1)
		return ntfs_error(ntfs, &error, "cannot open the NTFS volume", err);
	return true;
}

struct ntfs *ntfs_open(TALLOC_CTX *ctx, struct medium *medium, const struct boot *boot,
                       struct error *err)
{
	struct ntfs *ntfs = talloc_zero(ctx, struct ntfs);

	if (!ntfs) {
		error_memory(err);
		return NULL;
	}
	ntfs->boot = *boot;
	ntfs->io.medium = medium;
	ntfs_begin(ntfs, 0);
	talloc_set_destructor(ntfs, ntfs_close);
	if (open_volume(ntfs, err))
		return ntfs;
	talloc_free(ntfs);
	return NULL;
}

static bool see_flags(void *data, const struct ntfs_attribute *attribute, struct error *err)
{
	struct bytes value = ntfs_record_value(attribute);
	uint16_t *flags = data;

	(void)err;
	if (le32_get(attribute->type) == NTFS_TYPE_VOLUME && value.size >= 12)
		memcpy(flags, value.data + 10, 2);
	return true;
}

bool ntfs_flags(struct ntfs *ntfs, uint16_t *flags, struct error *err)
{
	struct ntfs_record *record = ntfs_record_read(ntfs, ntfs, NTFS_VOLUME, err);
	le16 found = { { 0xff, 0xff } };
	bool done = record && ntfs_value_each(ntfs, record, see_flags, &found, err);

	talloc_free(record);
	if (done && le16_get(found) == 0xffff)
		done = ntfs_record_damaged(err, "$Volume has no flags");
	if (done)
		*flags = le16_get(found);
	return done;
}

struct ntfs_kept **ntfs_kept(struct ntfs *ntfs)
{
	return &ntfs->kept;
}

bool ntfs_read_raw(struct ntfs *ntfs, uint64_t offset, void *buffer, size_t size, struct error *err)
{
	return medium_read(ntfs->io.medium, offset, buffer, size, err);
}

bool ntfs_read_mft(struct ntfs *ntfs, uint64_t offset, void *buffer, size_t size, size_t *got,
                   struct error *err)
{
	libfsntfs_error_t *error = NULL;
	size64_t end = 0;
	ssize_t n = 0;

	ntfs_begin(ntfs, 0);
	if (!ntfs->mft && libfsntfs_volume_get_file_entry_by_index(ntfs->volume, NTFS_MFT,
	                                                           &ntfs->mft, &error) != 1)
		return ntfs_error(ntfs, &error, "cannot open $MFT", err);
	if (libfsntfs_file_entry_get_size(ntfs->mft, &end, &error) != 1)
		return ntfs_error(ntfs, &error, "cannot read $MFT", err);
	for (*got = 0; *got < size && offset + *got < end; *got += (size_t)n) {
		n = libfsntfs_file_entry_read_buffer_at_offset(ntfs->mft, (uint8_t *)buffer + *got,
		                                               size - *got,
		                                               (off64_t)(offset + *got), &error);
		if (n <= 0)
			return ntfs_error(ntfs, &error, "cannot read $MFT", err);
	}
	return true;
}
