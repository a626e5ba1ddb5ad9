/*
 * publish_dir: a directory, whole or not at all.
 *
 * It is built as ".NAME.clusnap-new" beside PATH. The order of calls:
 *
 *  1 each file: openat O_EXCL, write, fsync, close (publish_dir_file)
 *  2 fsync of each subdirectory, then of the directory itself
 *  3 into place. PATH absent or empty: rename. PATH there: renameat2(RENAME_EXCHANGE), after
 *    which NEW names the old one. Where the file system cannot exchange (ntfs-3g, FAT, most
 *    of FUSE): rename PATH to ".NAME.clusnap-old", fsync the parent, rename NEW to PATH
 *  4 fsync of the parent
 *  5 the old one is renamed to ".NAME.clusnap-gone" and removed
 *
 * So OLD, when it is there, is always whole, and GONE never worth keeping. What a kill
 * between any two of these leaves, and how the next run heals it: publish_dir_heal.c.
 *
 * On ntfs-3g each of 158 prefixes of the writes of one replacement was mounted: PATH was the
 * whole old or the whole new one, or both stood whole beside it, or the mount was refused (9).
 * NTFS has no recovery there: a third of them need chkdsk before anything is published again,
 * and that is said instead of touching what is there. tests/test_publish_powercut.sh.
 *
 * Once the new one is in place nothing is undone: after a failed fsync nobody knows what the
 * disk has, and each of the two whole directories may be the one that it will show.
 */
#include "hive/publish_dir.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "hive/publish_tree.h"

static int dir_destroy(struct publish_dir *dir)
{
	struct error ignored;

	if (dir->fd >= 0 && !dir->keep && publish_tree_empty(dir->fd, &ignored))
		unlinkat(dir->place->parent, dir->new, AT_REMOVEDIR);
	/* the locks end here, after the last call that they protect */
	if (dir->fd >= 0)
		close(dir->fd);
	if (dir->target >= 0)
		close(dir->target);
	return 0;
}

static bool dir_setup(struct publish_dir *dir, const char *path, struct error *err)
{
	struct stat st;

	dir->place = publish_place_directory(dir, path, err);
	if (!dir->place)
		return false;
	dir->new = publish_place_beside(dir->place, "new", err);
	dir->old = dir->new ? publish_place_beside(dir->place, "old", err) : NULL;
	dir->gone = dir->old ? publish_place_beside(dir->place, "gone", err) : NULL;
	if (!dir->gone || !publish_dir_take(dir, err))
		return false;
	/* a left one may have had another mode; what the file system makes of it is looked at */
	(void)!fchmod(dir->fd, 0700);
	if (fstat(dir->fd, &st) != 0)
		return error_errno(err, ERROR_DESTINATION, "%s: cannot look at %s beside it", path,
		                   dir->new);
	dir->private = !(st.st_mode & 077);
	return true;
}

struct publish_dir *publish_dir_begin(TALLOC_CTX *ctx, const char *path,
                                      publish_may_replace_fn *may_replace, struct error *err)
{
	struct publish_dir *dir = talloc_zero(ctx, struct publish_dir);

	if (!dir) {
		error_memory(err);
		return NULL;
	}
	dir->fd = dir->target = -1;
	dir->may_replace = may_replace;
	talloc_set_destructor(dir, dir_destroy);
	if (!dir_setup(dir, path, err))
		TALLOC_FREE(dir);
	return dir;
}

int publish_dir_fd(const struct publish_dir *dir)
{
	return dir->fd;
}

bool publish_dir_private(const struct publish_dir *dir)
{
	return dir->private;
}

const char *publish_dir_warning(const struct publish_dir *dir)
{
	return dir->warning;
}

/* One name, or two with a slash between them; none of them empty, "." or "..". */
static bool name_is_sound(const char *name)
{
	const char *slash = strchr(name, '/');
	const char *last = slash ? slash + 1 : name;
	size_t first = slash ? (size_t)(slash - name) : 1;

	return first > 0 && !(first <= 2 && strncmp(name, "..", first) == 0) && *last &&
	       !strchr(last, '/') && strcmp(last, ".") != 0 && strcmp(last, "..") != 0;
}

static bool make_subdirectory(struct publish_dir *dir, const char *name, struct error *err)
{
	size_t count = talloc_array_length(dir->subdirectories);
	char **list;

	if (mkdirat(dir->fd, name, 0700) != 0)
		return errno == EEXIST ||
		       error_errno(err, ERROR_DESTINATION, "%s: is as it was: cannot create %s",
		                   dir->place->shown, name);
	/* whatever the umask made of it */
	(void)!fchmodat(dir->fd, name, 0700, 0);
	list = talloc_realloc(dir, dir->subdirectories, char *, (unsigned)count + 1);
	if (!list)
		return error_memory(err);
	dir->subdirectories = list;
	list[count] = talloc_strdup(list, name);
	return list[count] || error_memory(err);
}

static bool write_below(struct publish_dir *dir, const char *name, const char *last,
                        struct bytes bytes, struct error *err)
{
	char *subdirectory = talloc_strndup(dir, name, (size_t)(last - name) - 1);
	bool done = false;
	int fd;

	if (!subdirectory)
		return error_memory(err);
	if (make_subdirectory(dir, subdirectory, err)) {
		fd = openat(dir->fd, subdirectory, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (fd < 0)
			error_errno(err, ERROR_DESTINATION, "%s: is as it was: cannot open %s",
			            dir->place->shown, subdirectory);
		else
			done = publish_write(fd, last, bytes, 0600, &dir->private,
			                     dir->place->shown, err);
		if (fd >= 0)
			close(fd);
	}
	talloc_free(subdirectory);
	return done;
}

bool publish_dir_file(struct publish_dir *dir, const char *name, struct bytes bytes,
                      struct error *err)
{
	const char *slash = strchr(name, '/');

	if (!name_is_sound(name))
		return error_set(err, ERROR_INTERNAL, "%s: '%s' is no name for a file in it",
		                 dir->place->shown, name);
	if (slash)
		return write_below(dir, name, slash + 1, bytes, err);
	return publish_write(dir->fd, name, bytes, 0600, &dir->private, dir->place->shown, err);
}

static bool sync_all(struct publish_dir *dir, struct error *err)
{
	for (size_t i = 0; i < talloc_array_length(dir->subdirectories); i++) {
		const char *name = dir->subdirectories[i];
		int fd = openat(dir->fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		bool done = fd >= 0 && publish_sync_directory(fd);

		if (!done)
			error_errno(err, ERROR_DESTINATION, "%s: is as it was: cannot fsync %s",
			            dir->place->shown, name);
		if (fd >= 0)
			close(fd);
		if (!done)
			return false;
	}
	return publish_sync_directory(dir->fd) ||
	       error_errno(err, ERROR_DESTINATION,
	                   "%s: is as it was: cannot fsync the new one beside it",
	                   dir->place->shown);
}

/* PATH is absent or an empty directory. */
static bool place_first(struct publish_dir *dir, struct error *err)
{
	int parent = dir->place->parent;
	const char *name = dir->place->name;

	if (renameat(parent, dir->new, parent, name) == 0)
		return true;
	/* some file systems rename over no directory, an empty one either */
	if (dir->target >= 0 && (errno == EEXIST || errno == EINVAL || errno == EPERM) &&
	    unlinkat(parent, name, AT_REMOVEDIR) == 0) {
		if (renameat(parent, dir->new, parent, name) == 0)
			return true;
		error_errno(err, ERROR_DESTINATION, "%s: cannot rename into place",
		            dir->place->shown);
		mkdirat(parent, name, 0700);
		return false;
	}
	return error_errno(err, ERROR_DESTINATION, "%s: is as it was: cannot rename into place",
	                   dir->place->shown);
}

/* The earlier one goes back after a failure whose text is in ERR already. */
static bool step_back(struct publish_dir *dir, struct error *err)
{
	int parent = dir->place->parent;

	if (renameat(parent, dir->old, parent, dir->place->name) == 0)
		return error_wrap(err, "%s: is as it was", dir->place->shown);
	dir->keep = true;
	return error_wrap(err,
	                  "%s: absent; whole beside it are the earlier one, %s, and the new, %s",
	                  dir->place->shown, dir->old, dir->new);
}

static bool place_by_two_renames(struct publish_dir *dir, struct error *err)
{
	int parent = dir->place->parent;

	if (renameat(parent, dir->place->name, parent, dir->old) != 0)
		return error_errno(err, ERROR_DESTINATION,
		                   "%s: is as it was: cannot rename it aside", dir->place->shown);
	if (!publish_sync_directory(parent)) {
		error_errno(err, ERROR_DESTINATION, "cannot fsync its parent directory");
		return step_back(dir, err);
	}
	if (renameat(parent, dir->new, parent, dir->place->name) != 0) {
		error_errno(err, ERROR_DESTINATION, "cannot rename the new one into place");
		return step_back(dir, err);
	}
	return true;
}

/* *DISPLACED is the name that the old one has now. */
static bool place_over(struct publish_dir *dir, const char **displaced, struct error *err)
{
	int parent = dir->place->parent;
	const char *name = dir->place->name;

	if (!publish_same(dir->target, parent, name))
		return error_set(err, ERROR_DESTINATION,
		                 "%s: was renamed or removed by somebody else meanwhile",
		                 dir->place->shown);
	if (dir->may_replace && !dir->may_replace(dir->target, dir->place->shown, err))
		return false;
	if (renameat2(parent, dir->new, parent, name, RENAME_EXCHANGE) == 0) {
		*displaced = dir->new;
		return true;
	}
	*displaced = dir->old;
	if (errno == EINVAL || errno == ENOSYS || errno == EOPNOTSUPP)
		return place_by_two_renames(dir, err);
	return error_errno(err, ERROR_DESTINATION, "%s: is as it was: cannot exchange it%s",
	                   dir->place->shown, errno == EBUSY ? " (is it a mount point?)" : "");
}

bool publish_dir_commit(struct publish_dir *dir, struct error *err)
{
	const char *displaced = NULL;
	struct error why;

	if (!sync_all(dir, err))
		return false;
	if (dir->target < 0 || dir->target_empty ? !place_first(dir, err)
	                                         : !place_over(dir, &displaced, err))
		return false;
	dir->keep = true;
	if (!publish_sync_directory(dir->place->parent))
		return error_errno(err, ERROR_DESTINATION,
		                   "%s: the new one is in place, whole%s%s, but its parent "
		                   "directory could not be fsynced",
		                   dir->place->shown,
		                   displaced ? ", and the old one is whole beside it as " : "",
		                   displaced ? displaced : "");
	if (displaced && !publish_dir_discard(dir, displaced, &why)) {
		dir->warning =
			talloc_asprintf(dir, "%s: the old one could not be removed whole: %s",
		                        dir->place->shown, why.text);
		return dir->warning || error_memory(err);
	}
	return true;
}

/* A killed run may have put it there and not have come to the fsync of the parent. */
bool publish_dir_stay(const struct publish_dir *dir, bool *private, struct error *err)
{
	const char *path = dir->place->shown;

	if (dir->target < 0)
		return error_set(err, ERROR_DESTINATION, "%s: was removed meanwhile", path);
	if (!publish_tree_sync(dir->target, private, err))
		return error_wrap(err, "%s: is as it was", path);
	return publish_sync_directory(dir->place->parent) ||
	       error_errno(err, ERROR_DESTINATION,
	                   "%s: is as it was: cannot fsync its parent directory", path);
}
