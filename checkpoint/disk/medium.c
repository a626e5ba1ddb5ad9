/*
 * Media of descriptors and of memory.
 *
 * The odd decision: a descriptor that was opened O_DIRECT is read through a buffer of our own, in
 * aligned pieces. What is read back after writing then comes from the disk, and through the very
 * descriptor that holds it.
 */
#include "checkpoint/disk/medium.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#define PIECE ((size_t)256 << 10) /* bytes read at once through a buffer */
#define SECTOR 512u

/* The data of a medium that is read by pread(). */
struct descriptor {
	int fd;
	bool own;        /* closed with the medium */
	uint8_t *buffer; /* PIECE bytes, aligned; NULL: not needed */
};

static int descriptor_close(struct descriptor *descriptor)
{
	free(descriptor->buffer);
	if (descriptor->own)
		close(descriptor->fd);
	return 0;
}

/* Reads up to SIZE bytes; *GOT are less only at the end. */
static bool read_up_to(int fd, uint64_t offset, uint8_t *to, size_t size, size_t *got,
                       struct error *err)
{
	for (*got = 0; *got < size;) {
		ssize_t n = pread(fd, to + *got, size - *got, (off_t)(offset + *got));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return error_errno(err, ERROR_SOURCE, "cannot read it");
		if (n == 0)
			break;
		*got += (size_t)n;
		if (*got % MEDIUM_ALIGN) /* the end of a file, or what O_DIRECT cannot go on from */
			break;
	}
	return true;
}

static bool ends(struct error *err)
{
	error_set(err, ERROR_SOURCE, "ends before that");
	err->sys = EIO;
	return false;
}

static bool read_plain(struct medium *medium, uint64_t offset, void *buffer, size_t size,
                       struct error *err)
{
	const struct descriptor *descriptor = medium->data;
	uint8_t *to = buffer;
	size_t got;

	for (; size > 0; size -= got, to += got, offset += got) {
		if (!read_up_to(descriptor->fd, offset, to, size, &got, err))
			return false;
		if (got == 0)
			return ends(err);
	}
	return true;
}

static bool read_aligned(struct medium *medium, uint64_t offset, void *buffer, size_t size,
                         struct error *err)
{
	const struct descriptor *descriptor = medium->data;
	uint8_t *to = buffer;

	while (size > 0) {
		size_t before = offset % MEDIUM_ALIGN, take, got;
		size_t wanted = (before + size + MEDIUM_ALIGN - 1) / MEDIUM_ALIGN * MEDIUM_ALIGN;

		if (wanted > PIECE)
			wanted = PIECE;
		if (!read_up_to(descriptor->fd, offset - before, descriptor->buffer, wanted, &got,
		                err))
			return false;
		if (got <= before)
			return ends(err);
		take = got - before < size ? got - before : size;
		memcpy(to, descriptor->buffer + before, take);
		to += take;
		size -= take;
		offset += take;
	}
	return true;
}

/* The size of what FD is open on, and its sector. */
static bool measure(int fd, struct medium *medium, struct error *err)
{
	struct stat st;
	int sector = 0;

	medium->sector = SECTOR;
	if (fstat(fd, &st) != 0)
		return error_errno(err, ERROR_SOURCE, "%s: cannot look at it", medium->path);
	if (S_ISREG(st.st_mode)) {
		medium->size = (uint64_t)st.st_size;
		return true;
	}
	if (!S_ISBLK(st.st_mode))
		return error_set(err, ERROR_SOURCE,
		                 "%s: is neither a block device nor a regular file", medium->path);
	if (ioctl(fd, BLKGETSIZE64, &medium->size) != 0 || ioctl(fd, BLKSSZGET, &sector) != 0)
		return error_errno(err, ERROR_SOURCE, "%s: cannot ask for its size", medium->path);
	if (sector > 0)
		medium->sector = (uint32_t)sector;
	return true;
}

static struct medium *medium_new(TALLOC_CTX *ctx, const char *path, struct error *err)
{
	struct medium *medium = talloc_zero(ctx, struct medium);

	if (medium)
		medium->path = talloc_strdup(medium, path);
	if (medium && medium->path)
		return medium;
	talloc_free(medium);
	error_memory(err);
	return NULL;
}

struct medium *medium_of_fd(TALLOC_CTX *ctx, const char *path, int fd, bool aligned,
                            struct error *err)
{
	struct medium *medium = medium_new(ctx, path, err);
	struct descriptor *descriptor = medium ? talloc_zero(medium, struct descriptor) : NULL;

	if (!descriptor) {
		talloc_free(medium);
		error_memory(err);
		return NULL;
	}
	descriptor->fd = fd;
	talloc_set_destructor(descriptor, descriptor_close);
	medium->data = descriptor;
	medium->read = aligned ? read_aligned : read_plain;
	if (aligned)
		descriptor->buffer = aligned_alloc(MEDIUM_ALIGN, PIECE);
	if (aligned && !descriptor->buffer)
		error_memory(err);
	else if (measure(fd, medium, err))
		return medium;
	talloc_free(medium);
	return NULL;
}

/* Only what reading does nothing to is opened. */
static int open_quietly(const char *path, struct error *err)
{
	int flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, fd;
	struct stat st;

	if (stat(path, &st) == 0 && !S_ISREG(st.st_mode) && !S_ISBLK(st.st_mode)) {
		error_set(err, ERROR_SOURCE, "%s: is neither a block device nor a regular file",
		          path);
		return -1;
	}
	fd = open(path, flags | O_NOATIME);
	if (fd < 0 && errno == EPERM)
		fd = open(path, flags);
	if (fd < 0)
		error_errno(err, ERROR_SOURCE, "%s", path);
	return fd;
}

struct medium *medium_open(TALLOC_CTX *ctx, const char *path, struct error *err)
{
	int fd = open_quietly(path, err);
	struct medium *medium = fd < 0 ? NULL : medium_of_fd(ctx, path, fd, false, err);

	if (medium)
		((struct descriptor *)medium->data)->own = true;
	else if (fd >= 0)
		close(fd);
	return medium;
}

static bool read_bytes(struct medium *medium, uint64_t offset, void *buffer, size_t size,
                       struct error *err)
{
	(void)err;
	memcpy(buffer, (const uint8_t *)medium->data + offset, size);
	return true;
}

struct medium *medium_of_bytes(TALLOC_CTX *ctx, const char *path, struct bytes bytes,
                               struct error *err)
{
	struct medium *medium = medium_new(ctx, path, err);

	if (!medium)
		return NULL;
	medium->size = bytes.size;
	medium->sector = SECTOR;
	medium->data = (void *)bytes.data;
	medium->read = read_bytes;
	return medium;
}

bool medium_read(struct medium *medium, uint64_t offset, void *buffer, size_t size,
                 struct error *err)
{
	bool inside = offset <= medium->size && size <= medium->size - offset;

	if (inside ? medium->read(medium, offset, buffer, size, err) : ends(err))
		return true;
	return error_wrap(err, "offset 0x%llx", (unsigned long long)offset);
}
