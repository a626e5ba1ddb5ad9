/*
 * publish_file: one file, whole or not at all.
 *
 * The order of calls stands above publish_file(). A rename over an existing file is atomic
 * in a crash on ext4, xfs, btrfs and their like. On ntfs-3g it is not (of 117 crash points
 * measured, 5 had no file of that name), and FAT promises nothing: there the old file is
 * first copied to ".NAME.clusnap-bak", so that at every crash point NAME is whole, old or
 * new, or it is missing and the copy is whole beside it. The copy goes when the new file is
 * durable; one that a crash left is removed by the next publication of the same name, once
 * that is durable.
 *
 * A temporary file is locked while it is written. One without a lock was left by a killed
 * run and is swept by the next.
 */
#include "hive/publish.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "hive/image.h"
#include "hive/publish_place.h"
#include "hive/publish_tree.h"

#define TEMPORARY_TRIES 16
#define RANDOM_DIGITS 16

struct temporary {
	char *name;
	int fd;
};

/* Only a regular file is replaced. *PRESENT says whether there is one. */
static bool target_check(const struct publish_place *place, bool *present, struct error *err)
{
	struct stat st;

	*present = fstatat(place->parent, place->name, &st, AT_SYMLINK_NOFOLLOW) == 0;
	if (!*present)
		return errno == ENOENT ||
		       error_errno(err, ERROR_DESTINATION, "%s: cannot look at it", place->shown);
	if (S_ISREG(st.st_mode))
		return true;
	return error_set(err, ERROR_DESTINATION, "%s: is there and is %s; only a file is replaced",
	                 place->shown,
	                 S_ISDIR(st.st_mode)   ? "a directory"
	                 : S_ISLNK(st.st_mode) ? "a symbolic link"
	                                       : "a special file");
}

/* Is NAME PREFIX and RANDOM_DIGITS hexadecimal digits? */
static bool is_temporary(const char *name, const char *prefix)
{
	size_t length = strlen(prefix);

	return strncmp(name, prefix, length) == 0 && strlen(name) == length + RANDOM_DIGITS &&
	       strspn(name + length, "0123456789abcdef") == RANDOM_DIGITS;
}

/* Removes the temporary files of killed runs. Nothing depends on it, so it cannot fail. */
static void sweep(TALLOC_CTX *ctx, const struct publish_place *place, const char *prefix)
{
	struct error ignored;
	char **names = NULL;
	size_t count = 0;

	if (!publish_tree_list(ctx, place->parent, &names, &count, &ignored))
		return;
	for (size_t i = 0; i < count; i++) {
		int fd;

		if (!is_temporary(names[i], prefix))
			continue;
		fd = openat(place->parent, names[i],
		            O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
		if (fd < 0)
			continue;
		if (publish_lock(fd))
			unlinkat(place->parent, names[i], 0);
		close(fd);
	}
}

static bool temporary_open(TALLOC_CTX *ctx, const struct publish_place *place, const char *prefix,
                           struct temporary *out, struct error *err)
{
	for (int i = 0; i < TEMPORARY_TRIES; i++) {
		uint64_t random;
		int fd;

		if (getrandom(&random, sizeof(random), 0) != sizeof(random))
			return error_errno(err, ERROR_INTERNAL, "no random numbers");
		out->name = talloc_asprintf(ctx, "%s%016llx", prefix, (unsigned long long)random);
		if (!out->name)
			return error_memory(err);
		fd = openat(place->parent, out->name,
		            O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
		if (fd < 0 && errno != EEXIST)
			return error_errno(err, ERROR_DESTINATION,
			                   "%s: cannot create a file beside it", place->shown);
		if (fd < 0)
			continue;
		/* another run may have swept it before it was locked */
		if (publish_lock(fd) && publish_same(fd, place->parent, out->name)) {
			out->fd = fd;
			return true;
		}
		close(fd);
	}
	return error_set(err, ERROR_DESTINATION, "%s: cannot create a file beside it",
	                 place->shown);
}

/*
 * Write, fsync, close. The lock lives on in a second descriptor of the same open file: each
 * close() reports what is its own to report.
 */
static bool temporary_fill(const struct publish_place *place, struct temporary *temporary,
                           struct bytes bytes, struct error *err)
{
	int lock = fcntl(temporary->fd, F_DUPFD_CLOEXEC, 0);
	const char *what = NULL;
	int saved;

	(void)!fchmod(temporary->fd, 0600);
	if (lock < 0)
		what = "lock";
	else if (!publish_write_all(temporary->fd, bytes))
		what = "write";
	else if (fsync(temporary->fd) != 0)
		what = "fsync";
	saved = errno;
	if (close(temporary->fd) != 0 && errno != EINTR && !what) {
		what = "close";
		saved = errno;
	}
	temporary->fd = lock;
	errno = saved;
	return !what || error_errno(err, ERROR_DESTINATION,
	                            "%s: is as it was: cannot %s the new file beside it",
	                            place->shown, what);
}

/* The full copy of the old file, durable under its own name. */
static bool backup_make(const struct publish_place *place, const char *backup, struct error *err)
{
	TALLOC_CTX *tmp = talloc_new(NULL);
	bool private = true, done = false;
	struct image *old;

	if (!tmp)
		return error_memory(err);
	old = image_read(tmp, place->parent, place->name, err);
	if (!old) {
		err->kind = ERROR_DESTINATION;
		error_wrap(err, "%s: cannot copy the old file", place->shown);
	} else if (unlinkat(place->parent, backup, 0) != 0 && errno != ENOENT) {
		error_errno(err, ERROR_DESTINATION, "%s: cannot remove %s", place->shown, backup);
	} else if (publish_write(place->parent, backup, old->bytes, 0600, &private, place->shown,
	                         err)) {
		done = publish_sync_directory(place->parent);
		if (!done) {
			error_errno(err, ERROR_DESTINATION, "%s: cannot fsync its directory",
			            place->shown);
			unlinkat(place->parent, backup, 0);
		}
	}
	talloc_free(tmp);
	return done;
}

static bool put_in_place(const struct publish_place *place, struct temporary *temporary,
                         struct error *err)
{
	if (renameat(place->parent, temporary->name, place->parent, place->name) != 0)
		return error_errno(err, ERROR_DESTINATION,
		                   "%s: is as it was: cannot rename into place", place->shown);
	temporary->name = NULL;
	return publish_sync_directory(place->parent) ||
	       error_errno(err, ERROR_DESTINATION,
	                   "%s: is in place, whole, but its directory could not be fsynced",
	                   place->shown);
}

static bool publish_at(TALLOC_CTX *tmp, struct publish_place *place, struct bytes bytes,
                       struct error *err)
{
	char *prefix = publish_place_beside(place, "", err);
	char *backup = publish_place_beside(place, "bak", err);
	struct temporary temporary = { NULL, -1 };
	bool present, weak, copied = false, done;

	if (!prefix || !backup || !target_check(place, &present, err))
		return false;
	sweep(tmp, place, prefix);
	if (!temporary_open(tmp, place, prefix, &temporary, err))
		return false;
	weak = publish_rename_is_weak(temporary.fd);
	done = temporary_fill(place, &temporary, bytes, err);
	if (done && weak && present)
		done = copied = backup_make(place, backup, err);
	done = done && put_in_place(place, &temporary, err);
	if (temporary.name)
		unlinkat(place->parent, temporary.name, 0);
	if (temporary.fd >= 0)
		close(temporary.fd);
	/*
	 * A copy of our own is in the way when the new file is durable, or the old untouched; one
	 * of a killed run may be all there is until then.
	 */
	if (done ? weak : copied && temporary.name)
		unlinkat(place->parent, backup, 0);
	return done;
}

/*
 * 1 look at the target  2 create the temporary file (unpredictable name, O_EXCL, 0600), lock
 * 3 write  4 fsync  5 close  6 where rename is weak and there is an old file: copy it, fsync,
 * close, fsync the directory  7 rename  8 fsync the directory  9 remove the copy of step 6.
 */
bool publish_file(const char *path, struct bytes bytes, struct error *err)
{
	TALLOC_CTX *tmp = talloc_new(NULL);
	struct publish_place *place;
	bool done;

	if (!tmp)
		return error_memory(err);
	place = publish_place_file(tmp, path, err);
	done = place && publish_at(tmp, place, bytes, err);
	talloc_free(tmp);
	return done;
}

static bool append_open(int fd, const char *path, uint64_t size, struct bytes bytes,
                        struct error *err)
{
	struct stat st;

	if (fstat(fd, &st) != 0)
		return error_errno(err, ERROR_DESTINATION, "%s: cannot look at it", path);
	if (!S_ISREG(st.st_mode))
		return error_set(err, ERROR_DESTINATION, "%s: is no file", path);
	if (!publish_lock(fd))
		return error_set(err, ERROR_REFUSED, "%s: another clusnap is writing to it", path);
	if (fstat(fd, &st) != 0 || (uint64_t)st.st_size != size)
		return error_set(err, ERROR_REFUSED,
		                 "%s: is %lld bytes long, and was %llu when it was read", path,
		                 (long long)st.st_size, (unsigned long long)size);
	if (lseek(fd, (off_t)size, SEEK_SET) < 0 || !publish_write_all(fd, bytes) ||
	    fsync(fd) != 0) {
		error_errno(err, ERROR_DESTINATION, "%s: cannot append to it", path);
		if (ftruncate(fd, (off_t)size) != 0 || fsync(fd) != 0)
			error_wrap(err, "only its first %llu bytes are good",
			           (unsigned long long)size);
		return false;
	}
	return true;
}

/* 1 open  2 lock  3 look at the size  4 write  5 fsync  6 close; on failure ftruncate, fsync. */
bool publish_file_append(const char *path, uint64_t size, struct bytes bytes, struct error *err)
{
	int fd = open(path, O_WRONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	bool done;

	if (fd < 0)
		return error_errno(err, ERROR_DESTINATION, "%s: cannot open it", path);
	done = append_open(fd, path, size, bytes, err);
	if (close(fd) != 0 && errno != EINTR && done)
		return error_errno(err, ERROR_DESTINATION, "%s: cannot close it", path);
	return done;
}
