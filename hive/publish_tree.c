/*
 * Names are listed first and removed then: what readdir does while its directory shrinks
 * differs between file systems.
 */
#include "hive/publish_tree.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "hive/publish_place.h"

#define LEVELS 2 /* a snapshot's own and its resources' directories */

static bool list_read(TALLOC_CTX *ctx, DIR *stream, char ***names, size_t *count)
{
	char **list = NULL;
	size_t n = 0;

	for (;;) {
		struct dirent *entry;

		errno = 0;
		entry = readdir(stream);
		if (!entry)
			break;
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		if ((n & (n - 1)) == 0)
			list = talloc_realloc(ctx, list, char *, n ? (unsigned)(2 * n) : 1);
		if (!list || !(list[n] = talloc_strdup(list, entry->d_name))) {
			errno = ENOMEM;
			return false;
		}
		n++;
	}
	if (errno)
		return false;
	*names = list;
	*count = n;
	return true;
}

/* Opened for reading; O_NOATIME, which leaves the times alone, is for the owner and root. */
static int open_quietly(int fd, const char *name, int flags)
{
	int opened = openat(fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NOATIME | flags);

	return opened < 0 && errno == EPERM
	               ? openat(fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | flags)
	               : opened;
}

bool publish_tree_list(TALLOC_CTX *ctx, int fd, char ***names, size_t *count, struct error *err)
{
	/* a new descriptor: closedir closes it, and its offset is its own */
	int own = open_quietly(fd, ".", O_DIRECTORY);
	DIR *stream = own < 0 ? NULL : fdopendir(own);
	bool done;

	if (!stream) {
		error_errno(err, errno == ENOMEM ? ERROR_INTERNAL : ERROR_DESTINATION,
		            "cannot open the directory");
		if (own >= 0)
			close(own);
		return false;
	}
	done = list_read(ctx, stream, names, count);
	if (!done && errno == ENOMEM)
		error_memory(err);
	else if (!done)
		error_errno(err, ERROR_DESTINATION, "cannot list the directory");
	closedir(stream);
	return done;
}

/* On a network share a read-only file must lose that attribute first. */
static bool remove_file(int fd, const char *name)
{
	if (unlinkat(fd, name, 0) == 0 || errno == ENOENT)
		return true;
	if (errno != EACCES && errno != EPERM)
		return false;
	return fchmodat(fd, name, 0600, 0) == 0 && unlinkat(fd, name, 0) == 0;
}

static bool tree_empty(int fd, unsigned levels, struct error *err);

static bool remove_directory(int parent, const char *name, unsigned levels, struct error *err)
{
	int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	bool done;

	if (fd < 0)
		return error_errno(err, ERROR_DESTINATION, "cannot open %s", name);
	done = tree_empty(fd, levels, err);
	close(fd);
	if (!done)
		return error_wrap(err, "%s", name);
	if (unlinkat(parent, name, AT_REMOVEDIR) != 0)
		return error_errno(err, ERROR_DESTINATION, "cannot remove %s", name);
	return true;
}

static bool remove_entry(int fd, const char *name, dev_t device, unsigned levels, struct error *err)
{
	struct stat st;

	if (fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return errno == ENOENT ||
		       error_errno(err, ERROR_DESTINATION, "cannot look at %s", name);
	if (S_ISREG(st.st_mode))
		return remove_file(fd, name) ||
		       error_errno(err, ERROR_DESTINATION, "cannot remove %s", name);
	if (S_ISDIR(st.st_mode) && st.st_dev == device && levels > 0)
		return remove_directory(fd, name, levels, err);
	return error_set(err, ERROR_DESTINATION, "%s is not ours and was left there", name);
}

/* Goes on after what cannot be removed: the less is left the better. */
static bool tree_empty(int fd, unsigned levels, struct error *err)
{
	struct error ignored, *report = err;
	TALLOC_CTX *tmp = talloc_new(NULL);
	char **names = NULL;
	size_t count = 0;
	struct stat st;
	bool done;

	if (!tmp)
		return error_memory(err);
	if (fstat(fd, &st) != 0) {
		talloc_free(tmp);
		return error_errno(err, ERROR_DESTINATION, "cannot look at the directory");
	}
	done = publish_tree_list(tmp, fd, &names, &count, err);
	for (size_t i = 0; i < count; i++) {
		if (!remove_entry(fd, names[i], st.st_dev, levels - 1, report)) {
			report = &ignored;
			done = false;
		}
	}
	talloc_free(tmp);
	return done;
}

bool publish_tree_empty(int fd, struct error *err)
{
	return tree_empty(fd, LEVELS, err);
}

bool publish_tree_remove(int parent, const char *name, struct error *err)
{
	struct stat st;

	if (fstatat(parent, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return errno == ENOENT ||
		       error_errno(err, ERROR_DESTINATION, "cannot look at %s", name);
	if (!S_ISDIR(st.st_mode))
		return error_set(err, ERROR_DESTINATION, "%s is not ours and was left there", name);
	return remove_directory(parent, name, LEVELS, err);
}

static bool tree_sync(int fd, unsigned levels, bool *private, struct error *err);

static bool sync_entry(int parent, const char *name, unsigned levels, bool *private,
                       struct error *err)
{
	int fd = open_quietly(parent, name, O_NONBLOCK);
	struct stat st;
	bool done;

	if (fd < 0)
		return error_errno(err, ERROR_DESTINATION, "cannot open %s", name);
	if (fstat(fd, &st) != 0) {
		done = error_errno(err, ERROR_DESTINATION, "cannot look at %s", name);
	} else if (S_ISDIR(st.st_mode) && levels > 0) {
		done = tree_sync(fd, levels, private, err) || error_wrap(err, "%s", name);
	} else if (S_ISREG(st.st_mode)) {
		*private = *private && !(st.st_mode & 077);
		done = fsync(fd) == 0 ||
		       error_errno(err, ERROR_DESTINATION, "cannot fsync %s", name);
	} else {
		done = error_set(err, ERROR_DESTINATION, "%s is not ours", name);
	}
	close(fd);
	return done;
}

static bool tree_sync(int fd, unsigned levels, bool *private, struct error *err)
{
	TALLOC_CTX *tmp = talloc_new(NULL);
	char **names = NULL;
	size_t count = 0;
	struct stat st;
	bool done;

	if (!tmp)
		return error_memory(err);
	done = publish_tree_list(tmp, fd, &names, &count, err);
	for (size_t i = 0; done && i < count; i++)
		done = sync_entry(fd, names[i], levels - 1, private, err);
	talloc_free(tmp);
	if (!done)
		return false;
	if (fstat(fd, &st) != 0 || !publish_sync_directory(fd))
		return error_errno(err, ERROR_DESTINATION, "cannot fsync the directory");
	*private = *private && !(st.st_mode & 077);
	return true;
}

bool publish_tree_sync(int fd, bool *private, struct error *err)
{
	bool found = true;

	if (!tree_sync(fd, LEVELS, &found, err))
		return false;
	*private = found;
	return true;
}
