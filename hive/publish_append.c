/* publish_append: more bytes at the end of a file that grows, or the file as it was. */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "hive/publish.h"
#include "hive/publish_place.h"

static bool append_open(int fd, const char *path, uint64_t size, struct bytes bytes,
                        struct error *err)
{
	struct stat st;

	if (fstat(fd, &st) != 0)
		return error_errno(err, ERROR_DESTINATION, "%s: cannot look at it", path);
	if (!S_ISREG(st.st_mode))
		return error_set(err, ERROR_DESTINATION, "%s: is no file", path);
	if (!publish_lock(fd))
		return error_set(err, ERROR_REFUSED, "%s: another clusnap is writing to it", path);
	if (fstat(fd, &st) != 0 || (uint64_t)st.st_size != size)
		return error_set(err, ERROR_REFUSED,
		                 "%s: is %lld bytes long, and was %llu when it was read", path,
		                 (long long)st.st_size, (unsigned long long)size);
	if (lseek(fd, (off_t)size, SEEK_SET) < 0 || !publish_write_all(fd, bytes) ||
	    fsync(fd) != 0) {
		error_errno(err, ERROR_DESTINATION, "%s: cannot append to it", path);
		if (ftruncate(fd, (off_t)size) != 0 || fsync(fd) != 0)
			error_wrap(err, "only its first %llu bytes are good",
			           (unsigned long long)size);
		return false;
	}
	return true;
}

/* 1 open  2 lock  3 look at the size  4 write  5 fsync  6 close; on failure ftruncate, fsync. */
bool publish_file_append(const char *path, uint64_t size, struct bytes bytes, struct error *err)
{
	int fd = open(path, O_WRONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	bool done;

	if (fd < 0)
		return error_errno(err, ERROR_DESTINATION, "%s: cannot open it", path);
	done = append_open(fd, path, size, bytes, err);
	if (close(fd) != 0 && errno != EINTR && done)
		return error_errno(err, ERROR_DESTINATION, "%s: cannot close it", path);
	return done;
}
