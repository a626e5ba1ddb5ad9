/*
 * What a power cut leaves on NTFS, where ntfs-3g has no journal to recover from. Each prefix of the
 * writes of each operation was mounted:
 *
 *   create, mkdir: nothing, or a file that is not whole; both can be removed.
 *
 *   link, rename: the new name is in its directory before the file knows of it. For 3 writes it is
 *   a ghost: it can be read as the file, and neither be removed nor renamed.
 *
 *   unlink, rmdir: the file is gone before its name is. For 3 writes the name is lost: it is listed
 *   and nothing can be done with it.
 *
 *   rename over a file: that one is linked to NAME.ntfs-3g-N, NAME removed, the new one linked to
 *   NAME and removed, NAME.ntfs-3g-N removed: all of the above.
 *
 *   any new name: where the index of the directory grows for it, there are 3 writes at which the
 *   directory cannot be listed, and 4 at which it lists names twice. It can be searched and
 *   changed as before: it is the list that goes through blocks which are not part of the tree
 *   yet. When it grows once more, they stay, and with them the names of files that are gone.
 *
 *   new bytes: each sector is as it was, as it will be, or zeros. Only a file that grows by being
 *   written, and not by ftruncate(), may be unreadable (12 of 28), and what lies in its last
 * cluster behind its end may show (1).
 *
 * Only chkdsk removes ghosts and lost names. To remove the one name that a file knows of, because
 * the ghost looks like a second one, would lose it. Therefore
 *
 *  - nothing is renamed over anything, and no name is added to a directory of Windows but that of
 *    the set-aside directory and those that were there before;
 *  - nothing is renamed to a place: files there are given new bytes, or created anew
 *    (replacement_fill.c);
 *  - a set-aside directory grows to what it needs before anything is moved there. One that cannot
 *    be listed, and in which no journal is found, is of a restore that had not begun;
 *  - all that is to be removed is renamed into the set-aside directory first and removed there: a
 *    lost name can be there only, where it is in nobody's way, and is told (replacement_remains.c);
 *  - two names of one file that has one link are never taken for two files. A ghost in the
 *    set-aside directory is left alone, another name is used beside it; for the list, too. A ghost
 *    at the place of a file itself can only come of a rename by somebody else, or of a file that
 *    has other names or is compressed, which is renamed as elsewhere: then chkdsk must come first.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "snapshot/journal_check.h"
#include "snapshot/replacing.h"

bool replacement_ghost(const struct seen *a, const struct seen *b)
{
	return a->inode && a->inode == b->inode && (a->links < 2 || b->links < 2);
}

bool replacement_inconsistent(const struct replacement *r, const struct journal_step *step,
                              struct error *err)
{
	return error_set(err, ERROR_DESTINATION,
	                 "%s/%s: the file system is inconsistent here, as a power cut can leave "
	                 "NTFS: a file has two names and knows one, or a name has no file. Nothing "
	                 "is lost. Run chkdsk /f on the volume, then --resume or --rollback",
	                 volume_path(r->disks[step->disk]), step->path);
}

/*
 * Is the name in SLOT the one that the file knows? It is if it can be renamed, and gets its name
 * back then. A ghost cannot: ENOENT.
 */
static bool is_real(TALLOC_CTX *tmp, const struct replacement *r, const struct journal_step *step,
                    const struct look *look, enum slot slot, bool *real, struct error *err)
{
	enum slot other = slot == SLOT_SPARE ? SLOT_WAITING : SLOT_SPARE;
	char *name = replacement_slot(tmp, r, step, slot);
	char *probe = replacement_slot(tmp, r, step, other);

	if (!name || !probe)
		return error_memory(err);
	if (look->slots[other].present)
		return replacement_inconsistent(r, step, err);
	*real = replacement_move(r, step->disk, name, probe, err);
	if (!*real)
		return err->sys == ENOENT;
	return replacement_move(r, step->disk, probe, name, err);
}

bool replacement_resolve(const struct replacement *r, const struct journal_step *step,
                         struct look *look, struct error *err)
{
	TALLOC_CTX *tmp = talloc_new(NULL);
	bool real = false, done = true;

	if (!tmp)
		return error_memory(err);
	for (unsigned i = 0; done && i < SLOTS; i++) {
		if (!replacement_ghost(&look->place, &look->slots[i]))
			continue;
		done = is_real(tmp, r, step, look, i, &real, err);
		if (done && real)
			done = replacement_inconsistent(r, step, err);
		if (done)
			look->slots[i] = (struct seen){ .present = true, .lost = true };
	}
	talloc_free(tmp);
	return done;
}

static int look_once(const struct replacement *r, enum journal_disk disk, const char *path,
                     struct stat *st)
{
	struct error why = { 0 };
	struct site *site = replacement_site(NULL, r, disk, path, &why);
	int sys = site ? 0 : why.sys ? why.sys : ENOMEM;

	if (site && fstatat(site->fd, site->name, st, AT_SYMLINK_NOFOLLOW) != 0)
		sys = errno;
	talloc_free(site);
	return sys == ENOTDIR ? ENOENT : sys;
}

/* What is at PATH. 0, or errno: ENOENT if there is nothing, EIO for a lost name. */
static int look_at(const struct replacement *r, enum journal_disk disk, const char *path,
                   struct stat *st)
{
	int sys = look_once(r, disk, path, st);

	return sys == 0 || sys == ENOENT ? sys : look_once(r, disk, path, st);
}

bool replacement_same(const struct replacement *r, const struct journal_step *step,
                      const char *path)
{
	struct stat a, b;

	return look_at(r, step->disk, step->path, &a) == 0 &&
	       look_at(r, step->disk, path, &b) == 0 && a.st_ino == b.st_ino;
}

/* May it be removed without losing what is at the step's path? */
static bool may_remove(const struct replacement *r, const struct journal_step *step,
                       const struct stat *st)
{
	struct stat place;
	int sys = look_at(r, step->disk, step->path, &place);

	if (sys != 0)
		return sys == ENOENT;
	return place.st_ino != st->st_ino || (S_ISREG(st->st_mode) && st->st_nlink > 1);
}

bool replacement_discard(const struct replacement *r, const struct journal_step *step,
                         const char *path, struct error *err)
{
	struct stat st;
	int sys = look_at(r, step->disk, path, &st);

	if (sys == ENOENT)
		return true;
	if (sys != 0) {
		errno = sys;
		error_errno(err, ERROR_DESTINATION, "%s: cannot look at it", path);
		return replacement_remove(r, step->disk, path, err) || sys == EIO;
	}
	if (!may_remove(r, step, &st))
		return true;
	return S_ISDIR(st.st_mode) ? replacement_rmdir(r, step->disk, path, err)
	                           : replacement_remove(r, step->disk, path, err);
}
