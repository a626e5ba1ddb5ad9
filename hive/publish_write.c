/*
 * The bytes of one file. Large ones go to the disk past the page cache where the file system
 * can (O_DIRECT): they are to be durable anyway, so that a copy of them in memory, written out
 * at fsync, would only take time; and the processor has better to do meanwhile.
 */
#include "hive/publish_place.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#define WRITE_CHUNK ((size_t)1 << 30)    /* write() itself stops a little below 2 GiB */
#define DIRECT_LEAST ((uint64_t)4 << 20) /* bytes; less is not worth it */
#define DIRECT_UNIT 4096u                /* what places and sizes are multiples of */

static bool set_direct(int fd, bool direct)
{
	int flags = fcntl(fd, F_GETFL);

	return flags >= 0 && fcntl(fd, F_SETFL, direct ? flags | O_DIRECT : flags & ~O_DIRECT) == 0;
}

/* Bytes written, 0 for none, or -1 with errno. */
static ssize_t write_some(int fd, struct bytes bytes)
{
	size_t size = bytes.size < WRITE_CHUNK ? (size_t)bytes.size : WRITE_CHUNK;
	ssize_t n;

	do
		n = write(fd, bytes.data, size);
	while (n < 0 && errno == EINTR);
	return n;
}

/* As much as goes past the page cache, in BYTES what is left. What fails is not done, no more. */
static bool write_direct(int fd, struct bytes *bytes)
{
	ssize_t n = 1;

	if (bytes->size < DIRECT_LEAST || (uintptr_t)bytes->data % DIRECT_UNIT ||
	    !set_direct(fd, true))
		return true;
	while (n > 0 && bytes->size >= DIRECT_UNIT) {
		n = write_some(
			fd, (struct bytes){ bytes->data, bytes->size - bytes->size % DIRECT_UNIT });
		if (n > 0)
			*bytes = (struct bytes){ bytes->data + n, bytes->size - (uint64_t)n };
	}
	return set_direct(fd, false);
}

bool publish_write_all(int fd, struct bytes bytes)
{
	if (!write_direct(fd, &bytes))
		return false;
	while (bytes.size > 0) {
		ssize_t n = write_some(fd, bytes);

		if (n < 0)
			return false;
		if (n == 0) {
			errno = ENOSPC;
			return false;
		}
		bytes = (struct bytes){ bytes.data + n, bytes.size - (uint64_t)n };
	}
	return true;
}

int publish_create(int dirfd, const char *name, const char *shown, struct error *err)
{
	int fd = openat(dirfd, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);

	if (fd < 0)
		error_errno(err, ERROR_DESTINATION, "%s: cannot create %s", shown, name);
	return fd;
}

bool publish_fill(int fd, int dirfd, const char *name, struct bytes bytes, bool *private,
                  const char *shown, struct error *err)
{
	const char *what = NULL;
	struct stat st;
	int saved;

	if (!publish_write_all(fd, bytes))
		what = "write";
	else if (fsync(fd) != 0)
		what = "fsync";
	else if (fstat(fd, &st) != 0)
		what = "look at";
	saved = errno;
	if (close(fd) != 0 && errno != EINTR && !what) {
		what = "close";
		saved = errno;
	}
	if (what) {
		unlinkat(dirfd, name, 0);
		errno = saved;
		return error_errno(err, ERROR_DESTINATION, "%s: cannot %s %s", shown, what, name);
	}
	if (st.st_mode & 077)
		*private = false;
	return true;
}

bool publish_write(int dirfd, const char *name, struct bytes bytes, mode_t mode, bool *private,
                   const char *shown, struct error *err)
{
	int fd = publish_create(dirfd, name, shown, err);

	if (fd < 0)
		return false;
	/* a file system without modes refuses or ignores this; what came of it is looked at */
	(void)!fchmod(fd, mode);
	return publish_fill(fd, dirfd, name, bytes, private, shown, err);
}
