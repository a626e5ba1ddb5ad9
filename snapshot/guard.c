/* Asked before anything is read or written; what cannot be resolved is left to fail later. */
#include "snapshot/guard.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "snapshot/layout.h"

/* The nearest existing directory or file of PATH, resolved; NULL if there is none. */
static char *nearest(const char *path)
{
	char *copy = strdup(path), *resolved = NULL;

	while (copy && !(resolved = realpath(copy, NULL))) {
		char *slash = strrchr(copy, '/');

		if (!slash || slash == copy) {
			resolved = realpath(slash ? "/" : ".", NULL);
			break;
		}
		*slash = '\0';
	}
	free(copy);
	return resolved;
}

static bool is_inside(const char *path, const char *folder)
{
	size_t size = strlen(folder);

	return strncmp(path, folder, size) == 0 &&
	       (path[size] == '/' || path[size] == '\0' || (size == 1 && *folder == '/'));
}

static bool is_directory(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

bool guard_source(const char *destination, const char *source, struct error *err)
{
	char *folder = realpath(source, NULL), *path = nearest(destination);
	char *replaced = realpath(destination, NULL);
	bool in_source = folder && path && is_directory(folder) && is_inside(path, folder);
	bool in_destination =
		folder && replaced && is_directory(replaced) && is_inside(folder, replaced);

	free(folder);
	free(path);
	free(replaced);
	if (in_source)
		return error_set(err, ERROR_REFUSED,
		                 "%s: lies on %s, which is a source and is never changed; name a "
		                 "directory elsewhere",
		                 destination, source);
	if (in_destination)
		return error_set(err, ERROR_REFUSED,
		                 "%s: holds %s, which is a source and is never changed; name a "
		                 "directory elsewhere",
		                 destination, source);
	return true;
}

/*
 * PATH without links, dots and slashes too many; its last name need not exist. ERROR_DESTINATION if
 * the directory above it does not.
 */
static char *resolve(const char *path, struct error *err)
{
	size_t size = strlen(path), from;
	char *real = realpath(path, NULL), *parent, *full = NULL;

	if (real)
		return real;
	while (size > 1 && path[size - 1] == '/')
		size--;
	for (from = size; from > 0 && path[from - 1] != '/'; from--)
		;
	parent = from ? strndup(path, from) : strdup(".");
	real = parent ? realpath(parent, NULL) : NULL;
	if (real && is_directory(real) &&
	    asprintf(&full, "%s/%.*s", strcmp(real, "/") == 0 ? "" : real, (int)(size - from),
	             path + from) < 0)
		full = NULL;
	free(parent);
	free(real);
	if (!full)
		error_set(err, ERROR_DESTINATION,
		          "%s: ERROR_DIRECTORY (267): there is no directory above it to make it in",
		          path);
	return full;
}

bool guard_apart(const char *one, const char *other, struct error *err)
{
	char *a = resolve(one, err), *b = a ? resolve(other, err) : NULL;
	bool known = a && b, same = known && strcmp(a, b) == 0;
	bool inside = known && (is_inside(a, b) || is_inside(b, a));

	free(a);
	free(b);
	if (same)
		return error_set(err, ERROR_REFUSED, "%s: is named twice as a destination", one);
	if (inside)
		return error_set(err, ERROR_REFUSED,
		                 "%s and %s: one would lie inside the other, which is to hold a "
		                 "snapshot and nothing else",
		                 one, other);
	return known;
}

bool guard_snapshot(const char *path, struct error *err)
{
	char *full = resolve(path, err);
	char *name = full ? strrchr(full, '/') : NULL;
	struct stat st;
	bool inside;
	int parent;

	if (!name)
		return false;
	*name = '\0';
	parent = open(*full ? full : "/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	/* a snapshot has directories one level deep */
	inside = parent >= 0 &&
	         (fstatat(parent, LAYOUT_LOG_NAME, &st, AT_SYMLINK_NOFOLLOW) == 0 ||
	          fstatat(parent, "../" LAYOUT_LOG_NAME, &st, AT_SYMLINK_NOFOLLOW) == 0);
	if (parent >= 0)
		close(parent);
	free(full);
	return !inside || error_set(err, ERROR_REFUSED,
	                            "%s: would lie inside a snapshot or a quorum disk's folder, "
	                            "where nothing else belongs; name another place",
	                            path);
}

/* The directory of this name in the open directory FD, letter case aside; FD is closed. */
static int enter(int fd, const char *name)
{
	DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
	const struct dirent *entry;
	int found = -1;

	if (!dir) {
		if (fd >= 0)
			close(fd);
		return -1;
	}
	while (found < 0 && (entry = readdir(dir)) != NULL) {
		if (strcasecmp(entry->d_name, name) == 0)
			found = layout_open(dirfd(dir), entry->d_name, O_DIRECTORY | O_NOFOLLOW);
	}
	closedir(dir);
	return found;
}

static bool has_windows(const char *folder)
{
	static const char *const names[] = { "Windows", "WINNT" };
	bool found = false;

	for (unsigned i = 0; !found && i < sizeof(names) / sizeof(names[0]); i++) {
		int fd = layout_open(AT_FDCWD, folder, O_DIRECTORY);

		fd = enter(enter(enter(fd, names[i]), "System32"), "config");
		found = fd >= 0;
		if (found)
			close(fd);
	}
	return found;
}

bool guard_windows(const char *path, struct error *err)
{
	char *folder = nearest(path), *slash;
	bool found = false;

	while (folder && !(found = has_windows(*folder ? folder : "/")) && *folder &&
	       (slash = strrchr(folder, '/')) != NULL)
		*slash = '\0';
	if (found)
		error_set(err, ERROR_REFUSED,
		          "%s: would lie on a Windows system volume (%s), which nothing but a "
		          "restore may change; name another place",
		          path, *folder ? folder : "/");
	free(folder);
	return !found;
}
