/*
 * How a publication begins: what a killed run left is put right first.
 *
 * Taking the name NEW (mkdir and flock, or flock of what stands there) is the mutex: whoever
 * has it is alone among all that publish at PATH. Found beside PATH, and what becomes of it:
 *
 *	PATH		OLD	NEW	it was killed
 *	absent, empty	whole	whole	between two renames: OLD goes back to PATH, NEW is emptied
 *	absent, empty	-	part	while it was built: NEW is emptied
 *	there		-	part	the same
 *	there		-	whole	after an exchange: NEW is what PATH replaced, and is emptied
 *	there		whole	-	after two renames: OLD is removed
 *	there		any	GONE	while the old one was removed: GONE is removed
 *
 * A crash of NTFS can leave one directory under two names. Removing one of them would empty
 * the other, so that is an error.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "hive/publish_dir.h"
#include "hive/publish_tree.h"

#define TAKE_TRIES 16

static bool busy(const struct publish_dir *dir, struct error *err)
{
	return error_set(err, ERROR_DESTINATION, "%s: another clusnap is writing there",
	                 dir->place->shown);
}

/* Makes NEW and locks it, or locks the one that a killed run left, which is not yet ours. */
static bool take_new(struct publish_dir *dir, struct error *err)
{
	for (int i = 0; i < TAKE_TRIES; i++) {
		dir->keep = mkdirat(dir->place->parent, dir->new, 0700) != 0;
		if (dir->keep && errno != EEXIST)
			return error_errno(err, ERROR_DESTINATION,
			                   "%s: is as it was: cannot create a directory beside it",
			                   dir->place->shown);
		dir->fd = publish_lock_directory(dir->place->parent, dir->new);
		if (dir->fd >= 0)
			return true;
		if (errno == EWOULDBLOCK)
			return busy(dir, err);
		if (errno != ENOENT) {
			error_errno(err, ERROR_DESTINATION,
			            "%s: is as it was: cannot open %s beside it", dir->place->shown,
			            dir->new);
			if (!dir->keep)
				unlinkat(dir->place->parent, dir->new, AT_REMOVEDIR);
			return false;
		}
	}
	return busy(dir, err);
}

/* A mount point cannot be renamed or exchanged: said now, and not after an hour of work. */
static bool check_mount(const struct publish_dir *dir, struct error *err)
{
	struct statx st;

	if (statx(dir->target, "", AT_EMPTY_PATH, STATX_TYPE, &st) == 0 &&
	    st.stx_attributes & STATX_ATTR_MOUNT_ROOT)
		return error_set(err, ERROR_DESTINATION,
		                 "%s: is a mount point and cannot be replaced as a whole; choose a "
		                 "directory below it",
		                 dir->place->shown);
	return true;
}

static bool target_is_empty(struct publish_dir *dir, struct error *err)
{
	char **names = NULL;
	size_t count;

	if (!publish_tree_list(dir, dir->target, &names, &count, err))
		return error_wrap(err, "%s", dir->place->shown);
	talloc_free(names);
	dir->target_empty = count == 0;
	return true;
}

static bool open_target(struct publish_dir *dir, struct error *err)
{
	dir->target_empty = false;
	dir->target = publish_lock_directory(dir->place->parent, dir->place->name);
	if (dir->target >= 0)
		return check_mount(dir, err) && target_is_empty(dir, err);
	if (errno == ENOENT)
		return true;
	if (errno == EWOULDBLOCK)
		return busy(dir, err);
	if (errno == ENOTDIR || errno == ELOOP)
		return error_set(err, ERROR_DESTINATION,
		                 "%s: ERROR_DIRECTORY (267): is there and is no directory",
		                 dir->place->shown);
	return error_errno(err, ERROR_DESTINATION, "%s: cannot open it", dir->place->shown);
}

static bool ask(struct publish_dir *dir, struct error *err)
{
	if (dir->target < 0 || dir->target_empty)
		return true;
	if (dir->may_replace)
		return dir->may_replace(dir->target, dir->place->shown, err);
	return error_set(err, ERROR_REFUSED, "%s: is not empty", dir->place->shown);
}

static bool exists(const struct publish_dir *dir, const char *name)
{
	struct stat st;

	return fstatat(dir->place->parent, name, &st, AT_SYMLINK_NOFOLLOW) == 0 || errno != ENOENT;
}

static bool check_twins(const struct publish_dir *dir, struct error *err)
{
	const char *names[] = { dir->new, dir->old, dir->gone };
	int parent = dir->place->parent;

	for (int i = 0; i < 3 && dir->target >= 0; i++) {
		if (publish_same(dir->target, parent, names[i]))
			return error_set(err, ERROR_DESTINATION,
			                 "%s: is also named %s, as a crash can leave it; check the "
			                 "file system first (chkdsk, fsck)",
			                 dir->place->shown, names[i]);
	}
	if (publish_same(dir->fd, parent, dir->old) || publish_same(dir->fd, parent, dir->gone))
		return error_set(err, ERROR_DESTINATION,
		                 "%s: one directory has two names beside it, as a crash can leave "
		                 "it; check the file system first (chkdsk, fsck)",
		                 dir->place->shown);
	return true;
}

/*
 * After a power cut NTFS may have half of a rename: the directory is all there, but listing it
 * is an error. One more rename on top of that was seen to lose it (ntfs-3g), so nothing is
 * touched before the file system was checked.
 */
static bool check_old(struct publish_dir *dir, struct error *err)
{
	int fd = publish_lock_directory(dir->place->parent, dir->old);
	char **names = NULL;
	size_t count;
	bool done = false;

	if (fd < 0) {
		error_errno(err, ERROR_DESTINATION, "cannot open it");
	} else {
		done = publish_tree_list(dir, fd, &names, &count, err);
		dir->keep = !done;
		talloc_free(names);
		close(fd);
	}
	return done || error_wrap(err,
	                          "%s: an interrupted run left the earlier one in %s beside it; "
	                          "check the file system first (chkdsk, fsck)",
	                          dir->place->shown, dir->old);
}

static bool put_back(struct publish_dir *dir, struct error *err)
{
	int parent = dir->place->parent;

	if (!check_old(dir, err))
		return false;
	if (dir->target >= 0)
		close(dir->target);
	dir->target = -1;
	unlinkat(parent, dir->place->name, AT_REMOVEDIR);
	if (renameat(parent, dir->old, parent, dir->place->name) != 0)
		return error_errno(
			err, ERROR_DESTINATION,
			"%s: the earlier one stands in %s beside it and cannot be put back",
			dir->place->shown, dir->old);
	if (!publish_sync_directory(parent))
		return error_errno(err, ERROR_DESTINATION, "%s: cannot fsync its parent directory",
		                   dir->place->shown);
	return open_target(dir, err);
}

bool publish_dir_discard(struct publish_dir *dir, const char *name, struct error *err)
{
	int parent = dir->place->parent;

	if (!publish_tree_remove(parent, dir->gone, err))
		return false;
	if (renameat(parent, name, parent, dir->gone) != 0)
		return error_errno(err, ERROR_DESTINATION, "cannot rename %s", name);
	return publish_tree_remove(parent, dir->gone, err);
}

static bool heal(struct publish_dir *dir, struct error *err)
{
	bool lost = dir->target < 0 || dir->target_empty;

	if (lost && exists(dir, dir->old) && !put_back(dir, err))
		return false;
	if (!ask(dir, err))
		return false;
	if ((exists(dir, dir->old) && !publish_dir_discard(dir, dir->old, err)) ||
	    !publish_tree_remove(dir->place->parent, dir->gone, err) ||
	    !publish_tree_empty(dir->fd, err))
		return error_wrap(err, "%s: cannot remove what an interrupted run left beside it",
		                  dir->place->shown);
	return true;
}

bool publish_dir_take(struct publish_dir *dir, struct error *err)
{
	/* a destination that is refused is refused before anything is created or removed */
	if (!open_target(dir, err) || !ask(dir, err))
		return false;
	if (dir->target >= 0)
		close(dir->target);
	dir->target = -1;
	if (!take_new(dir, err))
		return false;
	if (!open_target(dir, err) || !check_twins(dir, err))
		return false;
	dir->keep = false;
	return heal(dir, err);
}
