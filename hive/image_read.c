/*
 * Reading a file into an image, before the caller goes on or behind its back.
 *
 * The thread takes no memory, and calls nothing of talloc. It reads one huge page at a time:
 * to fill one for the first time is most of the work.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "hive/image_internal.h"

#define READ_PIECE ((uint64_t)2 << 20)
#define THREAD_LEAST ((uint64_t)4 << 20) /* bytes; less is read before a thread runs */

struct image_reader {
	struct bytes into;
	uint64_t room; /* bytes mapped */
	int fd;
	pthread_t thread;
	bool in_thread;
	pthread_mutex_t lock; /* of what follows */
	pthread_cond_t more;
	uint64_t done; /* bytes that are there, and patched */
	image_patch_fn *patch;
	void *patch_data;
	bool ended;
	bool stop;        /* nobody wants the rest */
	struct error err; /* why it ended, if that is not at the end of the file */
};

/*
 * How many whole pieces of the SIZE bytes at AT are a hole, in bytes: they are zeros and there
 * already. A file of two gigabytes that takes no room on its disk takes none in memory either.
 * Where a file system knows no holes, there is none.
 */
static uint64_t hole(int fd, uint64_t at, uint64_t size)
{
	off_t next = lseek(fd, (off_t)at, SEEK_DATA);
	uint64_t found = 0;

	if (next >= 0)
		found = (uint64_t)next - at < size ? (uint64_t)next - at : size;
	else if (errno == ENXIO) /* none but holes from here on, or no file any more: read_end() */
		found = size;
	return found / READ_PIECE * READ_PIECE;
}

/* Reads up to SIZE bytes; *GOT are less only at the end of the file. */
static bool read_piece(const struct image_reader *reader, uint64_t at, uint8_t *to, uint64_t size,
                       uint64_t *got, struct error *err)
{
	for (*got = 0; *got < size;) {
		ssize_t n = pread(reader->fd, to + *got, size - *got, (off_t)(at + *got));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return error_errno(err, ERROR_SOURCE, "cannot read at offset 0x%llx",
			                   (unsigned long long)(at + *got));
		if (n == 0)
			return true;
		*got += (uint64_t)n;
	}
	return true;
}

/* Behind the last byte one more is asked for: a file that grew has it. */
static bool read_end(const struct image_reader *reader, struct error *err)
{
	uint64_t got, size = reader->into.size;
	uint8_t none = 0;
	struct stat st;

	if (fstat(reader->fd, &st) != 0)
		return error_errno(err, ERROR_SOURCE, "cannot look at it");
	if ((uint64_t)st.st_size < size)
		return error_set(err, ERROR_SOURCE, "shrinks while it is read");
	if (!read_piece(reader, size, &none, 1, &got, err))
		return false;
	return got == 0 || error_set(err, ERROR_SOURCE, "grows while it is read");
}

/* Patches the bytes up to END that nobody has seen, and tells of them; true if more are wanted. */
static bool tell(struct image_reader *reader, uint64_t end)
{
	uint8_t *data = (uint8_t *)reader->into.data;
	bool wanted;

	pthread_mutex_lock(&reader->lock);
	if (reader->patch)
		reader->patch(reader->patch_data, data, reader->done, end);
	reader->done = end;
	wanted = !reader->stop;
	pthread_cond_broadcast(&reader->more);
	pthread_mutex_unlock(&reader->lock);
	return wanted;
}

static bool read_to_end(struct image_reader *reader, struct error *err)
{
	uint8_t *to = (uint8_t *)reader->into.data;
	uint64_t at = 0, got;

	for (; at < reader->into.size; at += got) {
		uint64_t left = reader->into.size - at,
			 size = left < READ_PIECE ? left : READ_PIECE;

		got = hole(reader->fd, at, left);
		if (got == 0 && !read_piece(reader, at, to + at, size, &got, err))
			return false;
		if (got < size)
			return error_set(err, ERROR_SOURCE, "shrinks while it is read");
		if (!tell(reader, at + got))
			return true;
	}
	return read_end(reader, err);
}

/*
 * The file up to its end, and the seal, which must not come between somebody's look at what
 * there is and a patch of it. Nobody looks at reader->err before it is told.
 */
static void read_all(struct image_reader *reader)
{
	struct error *err = &reader->err;
	bool good = read_to_end(reader, err);

	pthread_mutex_lock(&reader->lock);
	if (good && mprotect((void *)reader->into.data, reader->room, PROT_READ) != 0)
		error_errno(err, ERROR_INTERNAL, "cannot seal memory");
	reader->ended = true;
	pthread_cond_broadcast(&reader->more);
	pthread_mutex_unlock(&reader->lock);
}

static void *read_behind(void *data)
{
	struct image_reader *reader = data;

	read_all(reader);
	close(reader->fd);
	return NULL;
}

void image_stop(struct image *image)
{
	struct image_reader *reader = image->reader;

	if (!reader)
		return;
	pthread_mutex_lock(&reader->lock);
	reader->stop = true;
	pthread_mutex_unlock(&reader->lock);
	if (reader->in_thread)
		pthread_join(reader->thread, NULL);
	pthread_cond_destroy(&reader->more);
	pthread_mutex_destroy(&reader->lock);
	TALLOC_FREE(image->reader);
}

bool image_wait(const struct image *image, uint64_t end, struct error *err)
{
	struct image_reader *reader = image->reader;
	bool all = end >= image->bytes.size, there;

	if (!reader)
		return true;
	pthread_mutex_lock(&reader->lock);
	while (!reader->ended && (all || reader->done < end))
		pthread_cond_wait(&reader->more, &reader->lock);
	there = all ? reader->err.kind == ERROR_NONE : reader->done >= end;
	pthread_mutex_unlock(&reader->lock);
	if (!there)
		*err = reader->err;
	return there;
}

/* Is there a rest that will be read and patched? What is there already is patched now. */
static bool patch_rest(struct image_reader *reader, image_patch_fn *patch, void *data)
{
	bool rest;

	pthread_mutex_lock(&reader->lock);
	rest = !reader->ended;
	if (rest) {
		patch(data, (uint8_t *)reader->into.data, 0, reader->done);
		reader->patch = patch;
		reader->patch_data = data;
	}
	pthread_mutex_unlock(&reader->lock);
	return rest;
}

bool image_patch(struct image *image, image_patch_fn *patch, void *data)
{
	struct error ignored;

	if (image->reader && patch_rest(image->reader, patch, data))
		return true;
	if (!image_unseal(image))
		return false;
	patch(data, image_data(image), 0, image->bytes.size);
	return image_seal(image, &ignored);
}

/* An image to be read from FD, of which nothing is there. */
static struct image *image_begin(TALLOC_CTX *ctx, int fd, struct error *err)
{
	struct image_reader *reader;
	struct image *image;
	uint64_t size = 0;

	image = image_file_size(fd, &size, err) ? image_take(ctx, size, err) : NULL;
	if (!image)
		return NULL;
	reader = talloc_zero(image, struct image_reader);
	if (!reader) {
		error_memory(err);
		talloc_free(image);
		return NULL;
	}
	reader->into = image->bytes;
	reader->room = image->room;
	reader->fd = fd;
	pthread_mutex_init(&reader->lock, NULL);
	pthread_cond_init(&reader->more, NULL);
	image->reader = reader;
	image->sealed = true;
	return image;
}

/* Reads it now. IMAGE may be NULL, if the error is filled. */
static struct image *image_finish(struct image *image, struct error *err)
{
	if (!image)
		return NULL;
	read_all(image->reader);
	if (!image_wait(image, image->bytes.size, err))
		TALLOC_FREE(image);
	else
		image_stop(image);
	return image;
}

struct image *image_read_fd(TALLOC_CTX *ctx, int fd, struct error *err)
{
	return image_finish(image_begin(ctx, fd, err), err);
}

struct image *image_read(TALLOC_CTX *ctx, int dirfd, const char *name, struct error *err)
{
	int fd = image_file_open(dirfd, name, err);
	struct image *image = fd < 0 ? NULL : image_read_fd(ctx, fd, err);

	if (fd >= 0)
		close(fd);
	return image;
}

static bool start(struct image_reader *reader)
{
	reader->in_thread = reader->into.size >= THREAD_LEAST &&
	                    pthread_create(&reader->thread, NULL, read_behind, reader) == 0;
	return reader->in_thread;
}

struct image *image_read_begin(TALLOC_CTX *ctx, int dirfd, const char *name, struct error *err)
{
	int fd = image_file_open(dirfd, name, err);
	struct image *image = fd < 0 ? NULL : image_begin(ctx, fd, err);

	if (image && start(image->reader))
		return image; /* the thread closes it */
	image = image_finish(image, err);
	if (fd >= 0)
		close(fd);
	return image;
}
