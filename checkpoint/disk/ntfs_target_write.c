/*
 * Writing bytes of a file to the sectors where they lie.
 *
 * 1. A write is cut where extents end, and where the buffer does; each piece is whole sectors.
 * 2. A piece lies in one extent: extents are whole clusters, and clusters are whole sectors.
 * 3. The bytes of a piece that are not to be changed are read from the disk first: those of its
 * first and of its last sector.
 */
#include <errno.h>
#include <unistd.h>

#include "checkpoint/disk/ntfs_target_internal.h"
#include "hive/publish.h"

/* Where the byte at OFFSET of a file lies, and how many follow it there. */
static bool find(const struct ntfs_target_file *file, uint64_t offset, uint64_t *place,
                 uint64_t *follow)
{
	for (uint32_t i = 0; i < file->count; i++) {
		const struct ntfs_extent *extent = &file->extents[i];

		if (offset < extent->size) {
			*place = extent->offset + offset;
			*follow = extent->size - offset;
			return true;
		}
		offset -= extent->size;
	}
	return false;
}

static bool wrap(const struct ntfs_target_file *file, struct error *err)
{
	return error_wrap(err, "%s/%s", file->target->path, file->path);
}

/* May the bytes be got at? */
static bool check(const struct ntfs_target_file *file, uint64_t offset, uint64_t size,
                  struct error *err)
{
	if (!file->extents)
		return error_set(err, ERROR_REFUSED, "%s/%s: cannot be written in place",
		                 file->target->path, file->path);
	if (offset > file->size || size > file->size - offset)
		return error_set(err, ERROR_INTERNAL,
		                 "%s/%s: offset %llu and %llu bytes are not "
		                 "inside its %llu bytes",
		                 file->target->path, file->path, (unsigned long long)offset,
		                 (unsigned long long)size, (unsigned long long)file->size);
	return true;
}

bool ntfs_target_read(struct ntfs_target_file *file, uint64_t offset, void *buffer, size_t size,
                      struct error *err)
{
	uint8_t *to = buffer;

	if (!check(file, offset, size, err))
		return false;
	while (size > 0) {
		uint64_t place = 0, part = 0;

		if (!find(file, offset, &place, &part))
			return error_set(err, ERROR_INTERNAL, "%s: has no such byte", file->path);
		if (part > size)
			part = size;
		if (!medium_read(file->target->medium, place, to, (size_t)part, err))
			return wrap(file, err);
		to += part;
		offset += part;
		size -= (size_t)part;
	}
	return true;
}

/* One write of whole sectors. A short count leaves the disk as nobody knows it: it is no success.
 */
static bool put(struct ntfs_target *target, uint64_t place, size_t size, struct error *err)
{
	ssize_t n;

	do
		n = pwrite(target->fd, target->buffer, size, (off_t)place);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return error_errno(err, ERROR_DESTINATION, "cannot write at offset 0x%llx",
		                   (unsigned long long)place);
	if ((size_t)n == size)
		return true;
	error_set(err, ERROR_DESTINATION, "%zd of %zu bytes were written at offset 0x%llx", n, size,
	          (unsigned long long)place);
	err->sys = EIO;
	return false;
}

/* SIZE bytes that lie at PLACE in one extent and, with the rest of their sectors, in the buffer. */
static bool write_piece(struct ntfs_target *target, uint64_t place, const uint8_t *from,
                        size_t size, struct error *err)
{
	uint32_t sector = target->medium->sector;
	size_t before = place % sector, whole = (before + size + sector - 1) / sector * sector;
	uint8_t *last = target->buffer + whole - sector;

	place -= before;
	if (before && !medium_read(target->medium, place, target->buffer, sector, err))
		return false;
	if ((before + size) % sector && (whole > sector || !before) &&
	    !medium_read(target->medium, place + whole - sector, last, sector, err))
		return false;
	memcpy(target->buffer + before, from, size);
	return put(target, place, whole, err);
}

bool ntfs_target_write(struct ntfs_target_file *file, uint64_t offset, struct bytes bytes,
                       struct error *err)
{
	if (!check(file, offset, bytes.size, err))
		return false;
	while (bytes.size > 0) {
		uint64_t place = 0, part = 0, room;

		if (!find(file, offset, &place, &part))
			return error_set(err, ERROR_INTERNAL, "%s: has no such byte", file->path);
		room = NTFS_TARGET_PIECE - place % file->target->medium->sector;
		if (part > room)
			part = room;
		if (part > bytes.size)
			part = bytes.size;
		if (!write_piece(file->target, place, bytes.data, (size_t)part, err))
			return wrap(file, err);
		bytes.data += part;
		bytes.size -= part;
		offset += part;
	}
	return true;
}

/* An error is told once by the system, and forgotten: what was not written stays unwritten. */
bool ntfs_target_sync(struct ntfs_target *target, struct error *err)
{
	if (target->failed)
		return error_set(err, ERROR_DESTINATION,
		                 "%s: could not be synced before; what is on it is not known",
		                 target->path);
	if (publish_sync_descriptor(target->fd))
		return true;
	target->failed = true;
	return error_errno(err, ERROR_DESTINATION, "%s: cannot sync it", target->path);
}
