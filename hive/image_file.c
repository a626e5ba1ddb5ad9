/* The file that an image is read from: opened without waiting, and looked at. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "hive/image_internal.h"

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

bool image_file_size(int fd, uint64_t *size, struct error *err)
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
int image_file_open(int dirfd, const char *name, struct error *err)
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
	return fd; /* image_file_size() says what it is */
}
