/*
 * Images in anonymous memory and in memfds; every size is the file's own before memory is
 * taken for it. The odd decision is in move(): a memfd is mapped over the bytes piece by
 * piece, so that no more than one piece is there twice, and nobody's pointer moves.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "hive/image_internal.h"

#define HUGE_PAGE ((uint64_t)2 << 20)
#define MOVE_PIECE ((uint64_t)16 << 20)

static int image_destroy(struct image *image)
{
	image_stop(image);
	if (image->bytes.data)
		munmap((void *)image->bytes.data, image->room);
	if (image->fd >= 0)
		close(image->fd);
	return 0;
}

/* What is mapped: whole pages, huge ones where they are wanted; one for an empty image. */
static uint64_t room_for(const struct image *image, uint64_t size)
{
	bool huge = image->fd < 0 && size >= HUGE_PAGE;
	uint64_t page = huge ? HUGE_PAGE : (uint64_t)sysconf(_SC_PAGESIZE);

	return size ? (size + page - 1) / page * page : page;
}

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
	image->fd = -1;
	image->bytes.size = size;
	talloc_set_destructor(image, image_destroy);
	return image;
}

static bool image_map(struct image *image, int protection, struct error *err)
{
	int flags = image->fd < 0 ? MAP_PRIVATE | MAP_ANONYMOUS : MAP_SHARED;
	uint64_t room = room_for(image, image->bytes.size);
	void *data = mmap(NULL, room, protection, flags, image->fd, 0);

	if (data == MAP_FAILED)
		return error_errno(err, ERROR_INTERNAL, "cannot map %llu bytes",
		                   (unsigned long long)room);
	image->bytes.data = data;
	image->room = room;
	return true;
}

struct image *image_take(TALLOC_CTX *ctx, uint64_t size, struct error *err)
{
	struct image *image = image_create(ctx, size, err);

	if (image && !image_map(image, PROT_READ | PROT_WRITE, err))
		TALLOC_FREE(image);
	if (image && size >= HUGE_PAGE) /* without them it works as well */
		madvise((void *)image->bytes.data, image->room, MADV_HUGEPAGE);
	return image;
}

static int memfd(uint64_t size)
{
	int fd = memfd_create("clusnap", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (fd >= 0 && ftruncate(fd, (off_t)size) != 0) {
		int sys = errno;

		close(fd);
		errno = sys;
		return -1;
	}
	return fd;
}

struct image *image_new(TALLOC_CTX *ctx, uint64_t size, struct error *err)
{
	struct image *image = image_create(ctx, size, err);

	if (!image)
		return NULL;
	image->fd = memfd(size);
	if (image->fd < 0)
		error_errno(err, ERROR_INTERNAL, "cannot take %llu bytes of memory",
		            (unsigned long long)size);
	if (image->fd < 0 || !image_map(image, PROT_READ | PROT_WRITE, err))
		TALLOC_FREE(image);
	return image;
}

struct image *image_map_fd(TALLOC_CTX *ctx, int fd, struct error *err)
{
	off_t size = lseek(fd, 0, SEEK_END);
	struct image *image = image_create(ctx, size < 0 ? 0 : (uint64_t)size, err);

	if (!image)
		return NULL;
	image->fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	if (size < 0 || image->fd < 0)
		error_errno(err, ERROR_INTERNAL, "cannot map a file");
	else if (image_map(image, PROT_READ, err))
		image->sealed = true;
	if (!image->sealed)
		TALLOC_FREE(image);
	return image;
}

/* Writes all of a piece; signals make short counts and EINTR real. */
static bool fill(int fd, struct bytes piece, uint64_t offset)
{
	while (piece.size > 0) {
		ssize_t n = pwrite(fd, piece.data, piece.size, (off_t)offset);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		piece.data += n;
		piece.size -= (size_t)n;
		offset += (uint64_t)n;
	}
	return true;
}

/* Through the descriptor: memcpy into a fresh mapping would wait for a fault on every page. */
bool image_write(struct image *image, uint64_t offset, struct bytes bytes, struct error *err)
{
	if (image->sealed || !bytes_at(image->bytes, offset, bytes.size))
		return error_set(err, ERROR_INTERNAL, "an image has no such place to write to");
	if (image->fd >= 0)
		return fill(image->fd, bytes, offset) ||
		       error_errno(err, ERROR_INTERNAL, "cannot fill memory");
	if (bytes.size)
		memcpy(image_data(image) + offset, bytes.data, bytes.size);
	return true;
}

struct image *image_copy(TALLOC_CTX *ctx, struct bytes from, struct error *err)
{
	struct image *image = image_take(ctx, from.size, err);

	if (image && from.size)
		memcpy(image_data(image), from.data, from.size);
	return image;
}

uint8_t *image_data(struct image *image)
{
	return image->sealed ? NULL : (uint8_t *)image->bytes.data;
}

/* The mapping of a memfd never reaches beyond the file: there it would be SIGBUS. */
bool image_resize(struct image *image, uint64_t size, struct error *err)
{
	uint64_t old = image->bytes.size, room = room_for(image, size);
	bool smaller = size < old;
	void *data;

	if (image->sealed || size > IMAGE_MAX)
		return error_set(err, ERROR_INTERNAL, "an image cannot have %llu bytes",
		                 (unsigned long long)size);
	if (image->fd >= 0 && !smaller && ftruncate(image->fd, (off_t)size) != 0)
		return error_errno(err, ERROR_INTERNAL, "cannot take %llu bytes of memory",
		                   (unsigned long long)size);
	data = mremap((void *)image->bytes.data, image->room, room, MREMAP_MAYMOVE);
	if (data == MAP_FAILED)
		return error_errno(err, ERROR_INTERNAL, "cannot map %llu bytes",
		                   (unsigned long long)size);
	image->bytes = (struct bytes){ data, size };
	image->room = room;
	if (image->fd < 0 && room >= HUGE_PAGE && !smaller)
		madvise(data, room, MADV_HUGEPAGE);
	if (image->fd >= 0 && smaller && ftruncate(image->fd, (off_t)size) != 0)
		return error_errno(err, ERROR_INTERNAL, "cannot give back memory");
	if (image->fd < 0 && smaller)
		memset((uint8_t *)data + size, 0, (old < room ? old : room) - size);
	return true;
}

static bool add_seals(int fd)
{
	return fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL) ==
	       0;
}

/* A memfd with a writable mapping cannot be sealed. */
static bool seal_memfd(struct image *image, struct error *err)
{
	if (munmap((void *)image->bytes.data, image->room) != 0)
		return error_errno(err, ERROR_INTERNAL, "cannot unmap memory");
	image->bytes.data = NULL;
	image->sealed = add_seals(image->fd);
	if (image->sealed ? image_map(image, PROT_READ, err)
	                  : error_errno(err, ERROR_INTERNAL, "cannot seal memory"))
		return true;
	image->bytes.size = 0; /* nothing is mapped, so nothing may be read */
	return false;
}

bool image_seal(struct image *image, struct error *err)
{
	if (image->sealed)
		return true;
	if (image->fd >= 0)
		return seal_memfd(image, err);
	image->sealed = mprotect((void *)image->bytes.data, image->room, PROT_READ) == 0;
	return image->sealed || error_errno(err, ERROR_INTERNAL, "cannot seal memory");
}

bool image_unseal(struct image *image)
{
	if (image->fd < 0 && image->sealed)
		image->sealed = mprotect((void *)image->bytes.data, image->room,
		                         PROT_READ | PROT_WRITE) != 0;
	return !image->sealed;
}

void image_rest(const struct image *image)
{
	if (image->fd >= 0 && image->bytes.data)
		madvise((void *)image->bytes.data, image->room, MADV_DONTNEED);
}

/* Whatever fails on the way, the bytes are there: of the one memory or of the other. */
static bool move(struct bytes from, int fd)
{
	for (uint64_t at = 0; at < from.size; at += MOVE_PIECE) {
		uint64_t left = from.size - at, size = left < MOVE_PIECE ? left : MOVE_PIECE;
		void *place = (void *)(from.data + at);

		if (!fill(fd, (struct bytes){ place, size }, at) ||
		    mmap(place, size, PROT_READ, MAP_PRIVATE | MAP_FIXED, fd, (off_t)at) ==
		            MAP_FAILED)
			return false;
	}
	return add_seals(fd);
}

/* Only its memory changes, and none of its bytes: that is why it may be const. */
static bool share(struct image *image)
{
	int fd;

	if (image->fd >= 0)
		return true;
	fd = image->sealed ? memfd(image->bytes.size) : -1;
	if (fd >= 0 && !move(image->bytes, fd)) {
		close(fd);
		fd = -1;
	}
	image->fd = fd;
	return fd >= 0;
}

char *image_path(TALLOC_CTX *ctx, const struct image *image)
{
	if (!share((struct image *)image))
		return NULL;
	return talloc_asprintf(ctx, "/proc/self/fd/%d", image->fd);
}
