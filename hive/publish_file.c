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
 * The thread of publish_file_settle() does steps 3 to 5 and takes no memory.
 */
#include "hive/publish.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "hive/image.h"
#include "hive/publish_temporary.h"

struct publish_file {
	struct publish_place *place;
	const struct image *image; /* size 0: the bytes are put one after another */
	char *backup;
	bool present, weak; /* there is an old file; a rename over it is not atomic in a crash */
	struct publish_temporary temporary;
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

static bool put_in_place(const struct publish_place *place, struct publish_temporary *temporary,
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

	file->filled =
		publish_temporary_fill(file->place, &file->temporary, file->image, &file->err);
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
	publish_temporary_sweep(file, place, prefix);
	if (!publish_temporary_open(file, place, prefix, &file->temporary, err)) {
		file->temporary.name = NULL; /* the last one tried is not ours */
		return false;
	}
	file->weak = publish_rename_is_weak(file->temporary.fd);
	return true;
}

/* Steps 1 and 2. */
static struct publish_file *file_new(TALLOC_CTX *ctx, const char *path, const struct image *image,
                                     struct error *err)
{
	struct publish_file *file = talloc_zero(ctx, struct publish_file);

	if (!file) {
		error_memory(err);
		return NULL;
	}
	file->image = image;
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

struct publish_file *publish_file_begin(TALLOC_CTX *ctx, const char *path,
                                        const struct image *image, struct error *err)
{
	struct publish_file *file = file_new(ctx, path, image, err);

	if (file)
		publish_file_settle(file);
	return file;
}

struct publish_file *publish_file_open(TALLOC_CTX *ctx, const char *path, struct error *err)
{
	static const struct image nothing;

	return file_new(ctx, path, &nothing, err);
}

bool publish_file_put(void *to, uint64_t offset, struct bytes bytes, struct error *err)
{
	struct publish_file *file = to;

	return publish_temporary_put(file->place, &file->temporary, offset, bytes, err);
}

/* Where a program of its own is the file system, a mapping would be at its mercy. */
struct image *publish_file_image(TALLOC_CTX *ctx, const struct publish_file *file,
                                 struct error *err)
{
	int fd = file->temporary.fd;
	struct image *image = file->weak ? NULL : image_map_fd(ctx, fd, err);

	if (!image)
		image = image_read_fd(ctx, fd, err);
	if (image)
		return image;
	if (err->kind == ERROR_SOURCE)
		err->kind = ERROR_DESTINATION;
	error_wrap(err, "%s: is as it was: cannot read the new file beside it", file->place->shown);
	return NULL;
}

/* Without a thread it is filled when it is committed. */
void publish_file_settle(struct publish_file *file)
{
	file->in_thread = pthread_create(&file->thread, NULL, fill, file) == 0;
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
	const struct image image = { .bytes = bytes };
	struct publish_file *file = file_new(NULL, path, &image, err);
	bool done = file && publish_file_commit(file, err);

	talloc_free(file);
	return done;
}
