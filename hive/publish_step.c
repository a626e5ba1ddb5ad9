/* Changes of files that stay where they are, one call each. */
#include "hive/publish_step.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "hive/publish_place.h"

static bool failed(struct error *err, const char *shown, const char *what)
{
	return error_errno(err, ERROR_DESTINATION, "%s: cannot %s", shown, what);
}

bool publish_step_write(int fd, uint64_t offset, struct bytes bytes, const char *shown,
                        struct error *err)
{
	while (bytes.size) {
		ssize_t done = pwrite(fd, bytes.data, bytes.size, (off_t)offset);

		if (done < 0 && errno == EINTR)
			continue;
		if (done <= 0)
			return failed(err, shown, "write to it");
		bytes.data += done;
		bytes.size -= (uint64_t)done;
		offset += (uint64_t)done;
	}
	return true;
}

bool publish_step_sync(int fd, const char *shown, struct error *err)
{
	return fsync(fd) == 0 || failed(err, shown, "fsync it");
}

bool publish_step_resize(int fd, uint64_t size, const char *shown, struct error *err)
{
	return (ftruncate(fd, (off_t)size) == 0 || failed(err, shown, "change its size")) &&
	       publish_step_sync(fd, shown, err);
}

static bool sync_names(int dirfd, const char *shown, struct error *err)
{
	return publish_sync_directory(dirfd) || failed(err, shown, "fsync its directory");
}

int publish_step_create(int dirfd, const char *name, const char *shown, struct error *err)
{
	int fd = openat(dirfd, name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);

	if (fd < 0) {
		failed(err, shown, "create it");
		return -1;
	}
	if (publish_step_sync(fd, shown, err) && sync_names(dirfd, shown, err))
		return fd;
	close(fd);
	return -1;
}

bool publish_step_remove(int dirfd, const char *name, const char *shown, struct error *err)
{
	if (unlinkat(dirfd, name, 0) != 0 && errno != ENOENT)
		return failed(err, shown, "remove it");
	return sync_names(dirfd, shown, err);
}

bool publish_step_mkdir(int dirfd, const char *name, const char *shown, struct error *err)
{
	if (mkdirat(dirfd, name, 0700) != 0 && errno != EEXIST)
		return failed(err, shown, "make this directory");
	return sync_names(dirfd, shown, err);
}

bool publish_step_rmdir(int dirfd, const char *name, const char *shown, struct error *err)
{
	if (unlinkat(dirfd, name, AT_REMOVEDIR) != 0 && errno != ENOENT && errno != ENOTEMPTY &&
	    errno != EEXIST)
		return failed(err, shown, "remove this directory");
	return sync_names(dirfd, shown, err);
}

bool publish_step_lock(int fd)
{
	return publish_lock(fd);
}
