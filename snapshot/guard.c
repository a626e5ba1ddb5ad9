/* Asked before anything is read or written; what cannot be resolved is left to fail later. */
#include "snapshot/guard.h"

#include <fcntl.h>
#include <limits.h>
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

/* The directory that PATH will stand in, for fstatat; false if that cannot be said. */
static bool open_parent(const char *path, int *fd)
{
	size_t size = strlen(path);
	char *real = realpath(path, NULL), parent[PATH_MAX];

	if (real) { /* "." and links say nothing of where it stands */
		size = strlen(real);
		path = real;
	}
	while (size > 1 && path[size - 1] == '/')
		size--;
	while (size > 0 && path[size - 1] != '/')
		size--;
	if (size < sizeof(parent))
		memcpy(parent, path, size);
	parent[size < sizeof(parent) ? size : 0] = '\0';
	free(real);
	if (size >= sizeof(parent))
		return false;
	*fd = open(size ? parent : ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	return *fd >= 0;
}

bool guard_snapshot(const char *path, struct error *err)
{
	struct stat st;
	int parent;
	bool inside;

	if (!open_parent(path, &parent))
		return true;
	/* a snapshot has directories one level deep */
	inside = fstatat(parent, LAYOUT_LOG_NAME, &st, AT_SYMLINK_NOFOLLOW) == 0 ||
	         fstatat(parent, "../" LAYOUT_LOG_NAME, &st, AT_SYMLINK_NOFOLLOW) == 0;
	close(parent);
	return !inside || error_set(err, ERROR_REFUSED,
	                            "%s: would lie inside a snapshot or a quorum disk's folder, "
	                            "where nothing else belongs; name another place",
	                            path);
}
