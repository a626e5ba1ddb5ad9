/*
 * Names are split once and the parent kept open: what happens to the path above it while we
 * work cannot lead us astray. Locks are flocks on the directories themselves, so that they
 * end with the process and leave no file behind.
 */
#include "hive/publish_place.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "hive/publish.h"

#define NTFS3_MAGIC 0x7366746e /* not in linux/magic.h of older systems */
#define LOCK_TRIES 16          /* each try means that another process was just here */

static int place_close(struct publish_place *place)
{
	if (place->parent >= 0)
		close(place->parent);
	return 0;
}

static struct publish_place *place_new(TALLOC_CTX *ctx, const char *shown, struct error *err)
{
	struct publish_place *place = talloc_zero(ctx, struct publish_place);

	if (!place) {
		error_memory(err);
		return NULL;
	}
	place->parent = -1;
	talloc_set_destructor(place, place_close);
	place->shown = talloc_strdup(place, shown);
	if (!place->shown) {
		error_memory(err);
		TALLOC_FREE(place);
	}
	return place;
}

/* Splits PATH, whose last character is no slash, and opens the parent. False with errno. */
static bool place_split(struct publish_place *place, const char *path)
{
	const char *slash = strrchr(path, '/');
	char *parent;

	place->name = talloc_strdup(place, slash ? slash + 1 : path);
	if (!slash)
		parent = talloc_strdup(place, ".");
	else
		parent = talloc_strndup(place, path, slash == path ? 1 : (size_t)(slash - path));
	if (!place->name || !parent) {
		errno = ENOMEM;
		return false;
	}
	place->parent = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	talloc_free(parent);
	return place->parent >= 0;
}

static bool is_dots(const char *name)
{
	return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

struct publish_place *publish_place_file(TALLOC_CTX *ctx, const char *path, struct error *err)
{
	const char *slash = strrchr(path, '/');
	const char *name = slash ? slash + 1 : path;
	struct publish_place *place;

	if (!*name || is_dots(name)) {
		error_set(err, ERROR_DESTINATION, "%s: is not the name of a file", path);
		return NULL;
	}
	place = place_new(ctx, path, err);
	if (place && !place_split(place, path)) {
		error_errno(err, errno == ENOMEM ? ERROR_INTERNAL : ERROR_DESTINATION,
		            "%s: cannot open its directory", path);
		TALLOC_FREE(place);
	}
	return place;
}

/* PATH without slashes and "/." at its end; "/" stays. */
static char *path_trim(TALLOC_CTX *ctx, const char *path)
{
	size_t length = strlen(path);

	for (;;) {
		if (length > 1 && path[length - 1] == '/')
			length--;
		else if (length > 2 && path[length - 1] == '.' && path[length - 2] == '/')
			length -= 2;
		else
			return talloc_strndup(ctx, path, length);
		if (length == 0)
			length = 1;
	}
}

/* Must PATH be resolved before its last name says what it is? */
static bool path_is_indirect(const char *path)
{
	const char *slash = strrchr(path, '/');
	const char *name = slash ? slash + 1 : path;
	struct stat st;

	if (!*name || is_dots(name))
		return true;
	return lstat(path, &st) == 0 && S_ISLNK(st.st_mode);
}

static bool place_resolve(struct publish_place *place, const char *path)
{
	char *trimmed = path_trim(place, path);
	char *real = NULL;
	bool done;

	if (!trimmed) {
		errno = ENOMEM;
		return false;
	}
	if (path_is_indirect(trimmed)) {
		real = realpath(trimmed, NULL);
		if (!real)
			return false;
	}
	done = place_split(place, real ? real : trimmed);
	free(real);
	talloc_free(trimmed);
	return done;
}

struct publish_place *publish_place_directory(TALLOC_CTX *ctx, const char *path, struct error *err)
{
	struct publish_place *place = place_new(ctx, path, err);

	if (!place)
		return NULL;
	if (!place_resolve(place, path)) {
		if (errno == ENOMEM)
			error_memory(err);
		else if (errno == ENOENT || errno == ENOTDIR || errno == ELOOP)
			error_set(err, ERROR_DESTINATION,
			          "%s: ERROR_DIRECTORY (267): there is no directory above it to "
			          "make it in",
			          path);
		else
			error_errno(err, ERROR_DESTINATION, "%s: cannot open its parent directory",
			            path);
		TALLOC_FREE(place);
	} else if (!*place->name) {
		error_set(err, ERROR_DESTINATION,
		          "%s: is the root directory and cannot be replaced as a whole; choose a "
		          "directory below it",
		          path);
		TALLOC_FREE(place);
	}
	return place;
}

char *publish_place_beside(struct publish_place *place, const char *suffix, struct error *err)
{
	char *name = talloc_asprintf(place, ".%s.clusnap-%s", place->name, suffix);

	if (!name) {
		error_memory(err);
		return NULL;
	}
	if (strlen(name) > NAME_MAX) {
		error_set(err, ERROR_DESTINATION,
		          "%s: the name is too long: %s must fit beside it in %d bytes",
		          place->shown, name, NAME_MAX);
		return NULL;
	}
	return name;
}

char *publish_place_show(TALLOC_CTX *ctx, const struct publish_place *place, const char *name)
{
	char *path = path_trim(ctx, place->shown);
	char *slash = path ? strrchr(path, '/') : NULL;
	char *shown;

	if (!path)
		return NULL;
	/* "." and ".." say nothing about where the parent is; the name alone must do */
	shown = slash && !is_dots(slash + 1)
	                ? talloc_asprintf(ctx, "%.*s%s", (int)(slash - path) + 1, path, name)
	                : talloc_strdup(ctx, name);
	talloc_free(path);
	return shown;
}

bool publish_sync_descriptor(int fd)
{
	return fsync(fd) == 0;
}

bool publish_sync_directory(int fd)
{
	return fsync(fd) == 0 || errno == EINVAL || errno == EOPNOTSUPP;
}

bool publish_rename_is_weak(int fd)
{
	struct statfs fs;

	if (fstatfs(fd, &fs) != 0)
		return true;
	return fs.f_type == FUSE_SUPER_MAGIC || fs.f_type == NTFS3_MAGIC ||
	       fs.f_type == MSDOS_SUPER_MAGIC || fs.f_type == EXFAT_SUPER_MAGIC;
}

bool publish_lock(int fd)
{
	while (flock(fd, LOCK_EX | LOCK_NB) != 0) {
		if (errno == EWOULDBLOCK)
			return false;
		if (errno != EINTR)
			return true;
	}
	return true;
}

bool publish_same(int fd, int dirfd, const char *name)
{
	struct stat a, b;

	return fstat(fd, &a) == 0 && fstatat(dirfd, name, &b, AT_SYMLINK_NOFOLLOW) == 0 &&
	       a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

int publish_lock_directory(int parent, const char *name)
{
	for (int i = 0; i < LOCK_TRIES; i++) {
		int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

		if (fd < 0)
			return -1;
		if (!publish_lock(fd)) {
			close(fd);
			errno = EWOULDBLOCK;
			return -1;
		}
		/* it may have been renamed or removed before we had the lock */
		if (publish_same(fd, parent, name))
			return fd;
		close(fd);
	}
	errno = EWOULDBLOCK;
	return -1;
}
