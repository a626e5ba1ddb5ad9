/* A directory of this system as what a hive and its logs are read from. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "hive/source_internal.h"

/* A fresh descriptor, so that nobody's position in the directory moves. */
static DIR *open_directory(int dirfd, struct error *err)
{
	int flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC;
	int fd = openat(dirfd, ".", flags | O_NOATIME);
	DIR *dir;

	if (fd < 0 && errno == EPERM)
		fd = openat(dirfd, ".", flags);
	dir = fd < 0 ? NULL : fdopendir(fd);
	if (dir)
		return dir;
	error_errno(err, ERROR_SOURCE, "cannot list its directory");
	if (fd >= 0)
		close(fd);
	return NULL;
}

static bool each(void *data, source_see_fn *see, void *to, struct error *err)
{
	DIR *dir = open_directory(*(const int *)data, err);
	const struct dirent *entry;
	bool done = dir != NULL;

	while (done) {
		errno = 0;
		entry = readdir(dir);
		if (!entry && errno)
			done = error_errno(err, ERROR_SOURCE, "cannot list its directory");
		if (!entry)
			break;
		done = see(to, entry->d_name, err);
	}
	if (dir)
		closedir(dir);
	return done;
}

static struct image *read_whole(TALLOC_CTX *ctx, void *data, const char *name, struct error *err)
{
	return image_read(ctx, *(const int *)data, name, err);
}

static struct image *read_begin(TALLOC_CTX *ctx, void *data, const char *name, struct error *err)
{
	return image_read_begin(ctx, *(const int *)data, name, err);
}

static bool has_name(void *data, const char *name, bool *has, struct error *err)
{
	struct stat st;

	*has = fstatat(*(const int *)data, name, &st, AT_SYMLINK_NOFOLLOW) == 0;
	return *has || errno == ENOENT || error_errno(err, ERROR_SOURCE, "cannot look at %s", name);
}

struct source_reader source_directory(const int *dirfd)
{
	return (struct source_reader){ (void *)dirfd, each, read_whole, read_begin, has_name };
}
