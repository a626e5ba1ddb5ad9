/* What stands in the folder of a snapshot, and the manifest does not name. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "snapshot/verifying.h"

/* The first file of the manifest, which is sorted, that does not come before NAME. */
static size_t lower_bound(const struct verdict *verdict, const char *name)
{
	size_t low = 0, high = verdict->file_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (strcmp(verdict->files[middle].path, name) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* *KNOWN: PATH is a file of the snapshot, or (*FOLDER) a directory with one in it. */
static bool look_up(struct verifying *v, const char *path, bool *known, bool *folder)
{
	const struct verdict *verdict = v->verdict;
	size_t size = strlen(path), at = lower_bound(verdict, path);
	char *inside;

	*folder = false;
	*known = strcmp(path, LAYOUT_LOG_NAME) == 0 ||
	         (at < verdict->file_count && strcmp(verdict->files[at].path, path) == 0);
	if (*known)
		return true;
	inside = talloc_asprintf(v->ctx, "%s/", path);
	if (!inside)
		return error_memory(v->err);
	at = lower_bound(verdict, inside);
	*folder =
		at < verdict->file_count && strncmp(verdict->files[at].path, inside, size + 1) == 0;
	*known = *folder;
	talloc_free(inside);
	return true;
}

static bool check_folder(struct verifying *v, const char *folder);

static bool check_entry(struct verifying *v, const char *folder, const char *name)
{
	char *path = talloc_asprintf(v->ctx, "%s%s%s", folder, *folder ? "/" : "", name);
	bool known, is_folder;

	if (!path)
		return error_memory(v->err);
	if (!look_up(v, path, &known, &is_folder))
		return false;
	if (!known && v->verdict->torn.size && layout_kind(path) == LAYOUT_CHK)
		return true; /* written before what should have named it */
	if (!known)
		return verify_damage(v, path,
		                     "is no part of the snapshot: the manifest does not name it");
	return !is_folder || check_folder(v, path); /* one level: a path has at most one '/' */
}

static bool check_folder(struct verifying *v, const char *folder)
{
	const char *name = *folder ? folder : ".";
	int fd = layout_open(v->fd, name, O_DIRECTORY | O_NOFOLLOW);
	DIR *dir = NULL;
	const struct dirent *entry;
	bool done = true;

	if (fd >= 0)
		dir = fdopendir(fd);
	if (!dir) {
		if (fd >= 0)
			close(fd);
		return verify_damage(v, *folder ? folder : v->path, "cannot be listed: %m");
	}
	errno = 0;
	while (done && (entry = readdir(dir)) != NULL) {
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			done = check_entry(v, folder, entry->d_name);
		errno = 0;
	}
	if (done && errno)
		done = verify_damage(v, *folder ? folder : v->path, "cannot be listed: %m");
	closedir(dir);
	return done;
}

bool verify_folder(struct verifying *v)
{
	return check_folder(v, "");
}
