/* Images live in memfds; every size is the file's own before memory is taken for it. */
#include "hive/image.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#define IMAGE_MAX ((uint64_t)4 << 30) /* more than a hive (2 GiB) or a log can have */
#define COPY_CHUNK ((size_t)1 << 20)

static int image_destroy(struct image *image)
{
	if (image->bytes.data)
		munmap((void *)image->bytes.data, image->room);
	if (image->fd >= 0)
		close(image->fd);
	return 0;
}

static uint64_t mapping_size(uint64_t size)
{
	return size ? size : 1; /* an empty file cannot be mapped, one byte can */
}

/* Takes the memory and nothing else: not mapped, not filled. */
static struct image *image_create(TALLOC_CTX *ctx, uint64_t size, struct error *err)
{
	struct image *image;

	if (size > IMAGE_MAX) {
		error_set(err, ERROR_INTERNAL, "an image cannot have %llu bytes",
		          (unsigned long long)size);
		return NULL;
	}
	image = talloc_zero(ctx, struct image);
	if (!image) {
		error_memory(err);
		return NULL;
	}
	image->fd = memfd_create("clusnap", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	talloc_set_destructor(image, image_destroy);
	if (image->fd < 0 || ftruncate(image->fd, (off_t)size) != 0) {
		error_errno(err, ERROR_INTERNAL, "cannot take %llu bytes of memory",
		            (unsigned long long)size);
		talloc_free(image);
		return NULL;
	}
	image->bytes.size = size;
	return image;
}

static bool image_map(struct image *image, int protection, struct error *err)
{
	uint64_t room = mapping_size(image->bytes.size);
	void *data = mmap(NULL, room, protection, MAP_SHARED, image->fd, 0);

	if (data == MAP_FAILED)
		return error_errno(err, ERROR_INTERNAL, "cannot map %llu bytes",
		                   (unsigned long long)room);
	image->bytes.data = data;
	image->room = room;
	return true;
}

struct image *image_new(TALLOC_CTX *ctx, uint64_t size, struct error *err)
{
	struct image *image = image_create(ctx, size, err);

	if (image && !image_map(image, PROT_READ | PROT_WRITE, err))
		TALLOC_FREE(image);
	return image;
}

/* Writes all of a chunk; FUSE file systems and signals make short counts and EINTR real. */
static bool fill_chunk(struct image *image, struct bytes chunk, uint64_t offset, struct error *err)
{
	while (chunk.size > 0) {
		ssize_t n = pwrite(image->fd, chunk.data, chunk.size, (off_t)offset);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return error_errno(err, ERROR_INTERNAL, "cannot fill memory");
		chunk.data += n;
		chunk.size -= (size_t)n;
		offset += (uint64_t)n;
	}
	return true;
}

bool image_write(struct image *image, uint64_t offset, struct bytes bytes, struct error *err)
{
	if (image->sealed || !bytes_at(image->bytes, offset, bytes.size))
		return error_set(err, ERROR_INTERNAL, "an image has no such place to write to");
	return fill_chunk(image, bytes, offset, err);
}

/* Through the descriptor: memcpy into a fresh mapping would wait for a fault on every page. */
struct image *image_copy(TALLOC_CTX *ctx, struct bytes from, struct error *err)
{
	struct image *image = image_new(ctx, from.size, err);

	if (image && !fill_chunk(image, from, 0, err))
		TALLOC_FREE(image);
	return image;
}

uint8_t *image_data(struct image *image)
{
	return image->sealed ? NULL : (uint8_t *)image->bytes.data;
}

/* The mapping never reaches beyond the file: there it would be SIGBUS. */
bool image_resize(struct image *image, uint64_t size, struct error *err)
{
	bool smaller = size < image->bytes.size;
	void *data;

	if (image->sealed || size > IMAGE_MAX)
		return error_set(err, ERROR_INTERNAL, "an image cannot have %llu bytes",
		                 (unsigned long long)size);
	if (!smaller && ftruncate(image->fd, (off_t)size) != 0)
		return error_errno(err, ERROR_INTERNAL, "cannot take %llu bytes of memory",
		                   (unsigned long long)size);
	data = mremap((void *)image->bytes.data, image->room, mapping_size(size), MREMAP_MAYMOVE);
	if (data == MAP_FAILED)
		return error_errno(err, ERROR_INTERNAL, "cannot map %llu bytes",
		                   (unsigned long long)size);
	image->bytes = (struct bytes){ data, size };
	image->room = mapping_size(size);
	if (smaller && ftruncate(image->fd, (off_t)size) != 0)
		return error_errno(err, ERROR_INTERNAL, "cannot give back memory");
	return true;
}

/* A memfd with a writable mapping cannot be sealed. */
static bool add_seals(struct image *image, struct error *err)
{
	if (fcntl(image->fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL))
		return error_errno(err, ERROR_INTERNAL, "cannot seal memory");
	image->sealed = true;
	return true;
}

bool image_seal(struct image *image, struct error *err)
{
	if (image->sealed)
		return true;
	if (munmap((void *)image->bytes.data, image->room) != 0)
		return error_errno(err, ERROR_INTERNAL, "cannot unmap memory");
	image->bytes.data = NULL;
	if (add_seals(image, err) && image_map(image, PROT_READ, err))
		return true;
	image->bytes.size = 0; /* nothing is mapped, so nothing may be read */
	return false;
}

/*
 * The next bytes of the file; *GOT says how many, 0 at its end. sendfile() spares a copy; where
 * it does not get on, read() does, or says why not.
 */
static bool fill_some(struct image *image, int fd, uint8_t *buffer, uint64_t done, ssize_t *got,
                      struct error *err)
{
	uint64_t left = image->bytes.size - done;
	off_t from = (off_t)done;

	*got = -1;
	if (left && lseek(image->fd, from, SEEK_SET) == from)
		*got = sendfile(image->fd, fd, &from, left);
	if (*got > 0)
		return true;
	do
		*got = pread(fd, buffer, COPY_CHUNK, (off_t)done);
	while (*got < 0 && errno == EINTR);
	if (*got < 0)
		return error_errno(err, ERROR_SOURCE, "cannot read at offset 0x%llx",
		                   (unsigned long long)done);
	if ((uint64_t)*got > left)
		return error_set(err, ERROR_SOURCE, "grows while it is read");
	return fill_chunk(image, (struct bytes){ buffer, (uint64_t)*got }, done, err);
}

/* Reads the file into the memfd; the mapping comes after the seal. */
static bool image_fill(struct image *image, int fd, struct error *err)
{
	uint8_t *buffer = talloc_size(image, COPY_CHUNK);
	uint64_t done = 0;
	ssize_t got;

	if (!buffer)
		return error_memory(err);
	do {
		if (!fill_some(image, fd, buffer, done, &got, err))
			return false;
		done += (uint64_t)got;
	} while (got > 0);
	talloc_free(buffer);
	if (done != image->bytes.size)
		return error_set(err, ERROR_SOURCE, "shrinks while it is read");
	return true;
}

static const char *what_it_is(mode_t mode)
{
	if (S_ISDIR(mode))
		return "is a directory, not a file";
	if (S_ISLNK(mode))
		return "is a symbolic link, which is not followed";
	if (S_ISFIFO(mode))
		return "is a FIFO, not a regular file";
	return "is not a regular file";
}

struct image *image_read_fd(TALLOC_CTX *ctx, int fd, struct error *err)
{
	struct image *image;
	struct stat st;

	if (fstat(fd, &st) != 0) {
		error_errno(err, ERROR_SOURCE, "cannot look at it");
		return NULL;
	}
	if (!S_ISREG(st.st_mode)) {
		error_set(err, ERROR_SOURCE, "%s", what_it_is(st.st_mode));
		return NULL;
	}
	if ((uint64_t)st.st_size > IMAGE_MAX) {
		error_set(err, ERROR_SOURCE, "has %llu bytes, more than any hive",
		          (unsigned long long)st.st_size);
		return NULL;
	}
	image = image_create(ctx, (uint64_t)st.st_size, err);
	if (!image)
		return NULL;
	if (!image_fill(image, fd, err) || !add_seals(image, err) ||
	    !image_map(image, PROT_READ, err))
		TALLOC_FREE(image);
	return image;
}

static void close_keeping_errno(int fd)
{
	int sys = errno;

	close(fd);
	errno = sys;
}

/*
 * O_PATH first: opening a FIFO can wait for ever and opening a device can already do
 * something. What was found to be a regular file is then opened itself, not whatever has its
 * name by now. O_NOATIME is the owner's privilege (or root's).
 */
static int open_regular(int dirfd, const char *name)
{
	int flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY;
	int path = openat(dirfd, name, O_PATH | O_CLOEXEC | O_NOFOLLOW), fd;
	char again[64];
	struct stat st;

	if (path < 0 || fstat(path, &st) != 0 || !S_ISREG(st.st_mode))
		return path; /* image_read_fd says what it is */
	snprintf(again, sizeof(again), "/proc/self/fd/%d", path);
	fd = open(again, flags | O_NOATIME);
	if (fd < 0 && errno == EPERM)
		fd = open(again, flags);
	close_keeping_errno(path);
	return fd;
}

struct image *image_read(TALLOC_CTX *ctx, int dirfd, const char *name, struct error *err)
{
	struct image *image;
	int fd = open_regular(dirfd, name);

	if (fd < 0) {
		error_errno(err, ERROR_SOURCE, "cannot open it");
		return NULL;
	}
	image = image_read_fd(ctx, fd, err);
	close(fd);
	return image;
}

void image_rest(const struct image *image)
{
	if (image->bytes.data)
		madvise((void *)image->bytes.data, image->room, MADV_DONTNEED);
}

char *image_path(TALLOC_CTX *ctx, const struct image *image)
{
	return talloc_asprintf(ctx, "/proc/self/fd/%d", image->fd);
}
