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
	uint64_t done; /* bytes */
	bool ended;
	bool stop;        /* nobody wants the rest */
	struct error err; /* why it ended, if that is not at the end of the file */
};

/*
 * How many of the SIZE bytes at AT are a hole at least: they are zeros and there already. A file
 * of two gigabytes that takes no room on its disk takes none in memory either. Where a file
 * system knows no holes, there is none.
 */
static size_t hole(int fd, uint64_t at, uint64_t size)
{
	off_t next = lseek(fd, (off_t)at, SEEK_DATA);

	if (next < 0)
		return errno == ENXIO ? size : 0; /* none but holes from here on */
	return (uint64_t)next - at < size ? (size_t)((uint64_t)next - at) : size;
}

/* Behind the last byte one more is asked for: a file that grew has it. */
static bool read_some(const struct image_reader *reader, uint64_t at, ssize_t *got,
                      struct error *err)
{
	uint64_t left = reader->into.size - at;
	uint8_t none = 0;
	void *to = left ? (void *)(reader->into.data + at) : &none;
	size_t size = left == 0 ? 1 : left < READ_PIECE ? left : READ_PIECE;

	*got = left ? (ssize_t)hole(reader->fd, at, left) : 0;
	if (*got > 0)
		return true;
	do
		*got = pread(reader->fd, to, size, (off_t)at);
	while (*got < 0 && errno == EINTR);
	if (*got < 0)
		return error_errno(err, ERROR_SOURCE, "cannot read at offset 0x%llx",
		                   (unsigned long long)at);
	if (*got > 0 && left == 0)
		return error_set(err, ERROR_SOURCE, "grows while it is read");
	return *got > 0 || left == 0 || error_set(err, ERROR_SOURCE, "shrinks while it is read");
}

/* Says that DONE bytes are there, and that no more come if ENDED; true if more are wanted. */
static bool tell(struct image_reader *reader, uint64_t done, bool ended)
{
	bool wanted;

	pthread_mutex_lock(&reader->lock);
	reader->done = done;
	reader->ended = ended;
	wanted = !reader->stop;
	pthread_cond_broadcast(&reader->more);
	pthread_mutex_unlock(&reader->lock);
	return wanted;
}

/* The file up to its end, and the seal. Nobody looks at reader->err before it is told. */
static void read_all(struct image_reader *reader)
{
	struct error *err = &reader->err;
	uint64_t done = 0;
	ssize_t got;
	bool good;

	do {
		good = read_some(reader, done, &got, err);
		done += good ? (uint64_t)got : 0;
	} while (good && got > 0 && tell(reader, done, false));
	if (good && mprotect((void *)reader->into.data, reader->room, PROT_READ) != 0)
		error_errno(err, ERROR_INTERNAL, "cannot seal memory");
	tell(reader, done, true);
}

static void *read_behind(void *data)
{
	struct image_reader *reader = data;

	read_all(reader);
	close(reader->fd);
	return NULL;
}

void image_reader_stop(struct image *image)
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

static bool look_at(int fd, uint64_t *size, struct error *err)
{
	struct stat st;

	if (fstat(fd, &st) != 0)
		return error_errno(err, ERROR_SOURCE, "cannot look at it");
	if (!S_ISREG(st.st_mode))
		return error_set(err, ERROR_SOURCE, "%s", what_it_is(st.st_mode));
	if ((uint64_t)st.st_size > IMAGE_MAX)
		return error_set(err, ERROR_SOURCE, "has %llu bytes, more than any hive",
		                 (unsigned long long)st.st_size);
	*size = (uint64_t)st.st_size;
	return true;
}

/* An image to be read from FD, of which nothing is there. */
static struct image *image_begin(TALLOC_CTX *ctx, int fd, struct error *err)
{
	struct image_reader *reader;
	struct image *image;
	uint64_t size = 0;

	image = look_at(fd, &size, err) ? image_take(ctx, size, err) : NULL;
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
		image_reader_stop(image);
	return image;
}

struct image *image_read_fd(TALLOC_CTX *ctx, int fd, struct error *err)
{
	return image_finish(image_begin(ctx, fd, err), err);
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
static int open_regular(int dirfd, const char *name, struct error *err)
{
	int flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY;
	int path = openat(dirfd, name, O_PATH | O_CLOEXEC | O_NOFOLLOW), fd = path;
	char again[64];
	struct stat st;

	if (path >= 0 && fstat(path, &st) == 0 && S_ISREG(st.st_mode)) {
		snprintf(again, sizeof(again), "/proc/self/fd/%d", path);
		fd = open(again, flags | O_NOATIME);
		if (fd < 0 && errno == EPERM)
			fd = open(again, flags);
		close_keeping_errno(path);
	}
	if (fd < 0)
		error_errno(err, ERROR_SOURCE, "cannot open it");
	return fd; /* look_at says what it is */
}

struct image *image_read(TALLOC_CTX *ctx, int dirfd, const char *name, struct error *err)
{
	int fd = open_regular(dirfd, name, err);
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
	int fd = open_regular(dirfd, name, err);
	struct image *image = fd < 0 ? NULL : image_begin(ctx, fd, err);

	if (image && start(image->reader))
		return image; /* the thread closes it */
	image = image_finish(image, err);
	if (fd >= 0)
		close(fd);
	return image;
}
