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
 * The thread of publish_file_begin() does steps 3 to 5 and takes no memory.
 *
 * A temporary file is locked while it is written. One without a lock was left by a killed
 * run and is swept by the next.
 */
#include "hive/publish.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
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

struct publish_file {
	struct publish_place *place;
	struct bytes bytes;
	char *backup;
	bool present, weak; /* there is an old file; a rename over it is not atomic in a crash */
	struct temporary temporary;
	pthread_t thread;
	bool in_thread; /* which nobody has waited for */
	bool filled;
	struct error err; /* why it is not filled */
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

static void *fill(void *data)
{
	struct publish_file *file = data;

	file->filled = temporary_fill(file->place, &file->temporary, file->bytes, &file->err);
	return NULL;
}

static void wait_for_thread(struct publish_file *file)
{
	if (file->in_thread)
		pthread_join(file->thread, NULL);
	file->in_thread = false;
}

static int file_destroy(struct publish_file *file)
{
	wait_for_thread(file);
	if (file->temporary.name)
		unlinkat(file->place->parent, file->temporary.name, 0);
	if (file->temporary.fd >= 0)
		close(file->temporary.fd);
	return 0;
}

static bool file_prepare(struct publish_file *file, const char *path, struct error *err)
{
	struct publish_place *place = publish_place_file(file, path, err);
	char *prefix = place ? publish_place_beside(place, "", err) : NULL;

	file->place = place;
	file->backup = prefix ? publish_place_beside(place, "bak", err) : NULL;
	if (!file->backup || !target_check(place, &file->present, err))
		return false;
	sweep(file, place, prefix);
	if (!temporary_open(file, place, prefix, &file->temporary, err)) {
		file->temporary.name = NULL; /* the last one tried is not ours */
		return false;
	}
	file->weak = publish_rename_is_weak(file->temporary.fd);
	return true;
}

/* Steps 1 and 2. */
static struct publish_file *file_new(TALLOC_CTX *ctx, const char *path, struct bytes bytes,
                                     struct error *err)
{
	struct publish_file *file = talloc_zero(ctx, struct publish_file);

	if (!file) {
		error_memory(err);
		return NULL;
	}
	file->bytes = bytes;
	file->temporary.fd = -1;
	talloc_set_destructor(file, file_destroy);
	if (!file_prepare(file, path, err))
		TALLOC_FREE(file);
	return file;
}

/* Steps 6 to 9 for a file that is filled. */
static bool file_place(struct publish_file *file, struct error *err)
{
	bool copied = file->weak && file->present, done;

	if (copied && !backup_make(file->place, file->backup, err))
		return false;
	done = put_in_place(file->place, &file->temporary, err);
	/*
	 * A copy of our own is in the way when the new file is durable, or the old untouched; one
	 * of a killed run may be all there is until then.
	 */
	if (done ? file->weak : copied && file->temporary.name)
		unlinkat(file->place->parent, file->backup, 0);
	return done;
}

struct publish_file *publish_file_begin(TALLOC_CTX *ctx, const char *path, struct bytes bytes,
                                        struct error *err)
{
	struct publish_file *file = file_new(ctx, path, bytes, err);

	/* without a thread it is filled when it is committed */
	if (file)
		file->in_thread = pthread_create(&file->thread, NULL, fill, file) == 0;
	return file;
}

bool publish_file_commit(struct publish_file *file, struct error *err)
{
	if (file->in_thread)
		wait_for_thread(file);
	else
		fill(file);
	if (file->filled)
		return file_place(file, err);
	*err = file->err;
	return false;
}

/*
 * 1 look at the target  2 create the temporary file (unpredictable name, O_EXCL, 0600), lock
 * 3 write  4 fsync  5 close  6 where rename is weak and there is an old file: copy it, fsync,
 * close, fsync the directory  7 rename  8 fsync the directory  9 remove the copy of step 6.
 */
bool publish_file(const char *path, struct bytes bytes, struct error *err)
{
	struct publish_file *file = file_new(NULL, path, bytes, err);
	bool done = file && publish_file_commit(file, err);

	talloc_free(file);
	return done;
}
