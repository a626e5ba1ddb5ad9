/* Looking up and reading on a volume: a walk (checkpoint/disk/spot.h), and what is done at its end.
 */
#include "checkpoint/disk/volume.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "checkpoint/disk/volume_internal.h"
#include "hive/publish_step.h"

enum directory_flaw volume_flaw(const struct volume *volume, const char **path)
{
	*path = volume->flawed;
	return volume->flaw;
}

static bool remember(struct volume *volume, enum directory_flaw flaw, const char *path,
                     struct error *err)
{
	char *flawed;

	if (flaw <= volume->flaw)
		return true;
	flawed = talloc_strdup(volume, path);
	if (!flawed)
		return error_memory(err);
	talloc_free(volume->flawed);
	volume->flawed = flawed;
	volume->flaw = flaw;
	return true;
}

/* To PATH. */
static bool walk(TALLOC_CTX *ctx, struct volume *volume, const char *path, struct spot *spot,
                 struct error *err)
{
	return spot_walk(ctx, &volume->top, path, spot, err) &&
	       remember(volume, spot->flaw, spot->flawed, err);
}

const char *volume_path(const struct volume *volume)
{
	return volume->path;
}

bool volume_find(TALLOC_CTX *ctx, struct volume *volume, const char *path,
                 struct volume_entry *entry, struct error *err)
{
	TALLOC_CTX *tmp = talloc_new(NULL);
	struct spot spot;
	bool done;

	if (!tmp)
		return error_memory(err);
	done = walk(tmp, volume, path, &spot, err);
	if (done)
		*entry = (struct volume_entry){ spot_kind(&spot),
			                        spot.there ? talloc_steal(ctx, spot.path) : NULL,
			                        spot.there ? spot.size : 0 };
	talloc_free(tmp);
	return done;
}

bool volume_list(TALLOC_CTX *ctx, struct volume *volume, const char *path, char ***names,
                 uint32_t *count, struct error *err)
{
	TALLOC_CTX *tmp = talloc_new(NULL);
	struct directory *directory;
	struct spot spot;
	bool done;

	if (!tmp)
		return error_memory(err);
	done = walk(tmp, volume, path, &spot, err);
	if (done && spot_kind(&spot) != VOLUME_DIRECTORY)
		done = error_set(err, ERROR_SOURCE, "%s/%s: is no directory", volume->path, path);
	if (done) {
		directory = spot_directory(tmp, &volume->top, &spot, err);
		done = ((directory && directory_names(ctx, directory, names, count, err)) ||
		        spot_wrap(&volume->top, &spot, err)) &&
		       remember(volume, directory_flaw(directory), spot.path, err);
	}
	talloc_free(tmp);
	return done;
}

/* Walks to a regular file; anything else there, or nothing, is an error. */
static bool walk_to_file(TALLOC_CTX *ctx, struct volume *volume, const char *path,
                         struct spot *spot, struct error *err)
{
	if (!walk(ctx, volume, path, spot, err))
		return false;
	switch (spot_kind(spot)) {
	case VOLUME_FILE:
		return true;
	case VOLUME_ABSENT:
		errno = ENOENT;
		return error_errno(err, ERROR_SOURCE, "%s/%s", volume->path, path);
	case VOLUME_DIRECTORY:
		error_set(err, ERROR_SOURCE, "is a directory, not a file");
		return spot_wrap(&volume->top, spot, err);
	case VOLUME_OTHER:
		break;
	}
	if (S_ISLNK(spot->mode))
		error_set(err, ERROR_SOURCE, "is a symbolic link or junction; it is not followed");
	else
		error_set(err, ERROR_SOURCE, "is no regular file");
	return spot_wrap(&volume->top, spot, err);
}

/* --- a hive on a raw volume, with what lies beside it --- */

static bool ntfs_each(void *data, source_see_fn *see, void *to, struct error *err)
{
	const struct spot *spot = data;

	for (uint32_t i = 0; i < spot->listing->count; i++) {
		if (!see(to, spot->listing->names[i], err))
			return false;
	}
	return true;
}

static struct image *ntfs_read_name(TALLOC_CTX *ctx, void *data, const char *name,
                                    struct error *err)
{
	const struct spot *spot = data;
	struct ntfs_file *file;
	struct image *image;

	file = ntfs_file_open(ctx, spot->ntfs, spot_ntfs_reference(spot->listing, name), err);
	image = file ? ntfs_image(ctx, file, err) : NULL;
	talloc_free(file);
	return image;
}

static struct source *read_source(TALLOC_CTX *ctx, const struct volume *volume, struct spot *spot,
                                  const char *shown, struct error *err)
{
	struct source_reader reader = { spot, ntfs_each, ntfs_read_name, NULL, NULL };

	if (!volume->top.ntfs)
		return source_read(ctx, directory_fd(spot->parent), spot->name, shown, err);
	return source_read_by(ctx, &reader, spot->name, shown, err);
}

struct source *volume_source(TALLOC_CTX *ctx, struct volume *volume, const char *path,
                             struct error *err)
{
	TALLOC_CTX *tmp = talloc_new(NULL);
	struct source *source = NULL;
	struct spot spot;
	char *shown;

	if (!tmp) {
		error_memory(err);
		return NULL;
	}
	if (walk_to_file(tmp, volume, path, &spot, err)) {
		shown = talloc_asprintf(tmp, "%s/%s", volume->path, spot.path);
		if (!shown)
			error_memory(err);
		else
			source = read_source(ctx, volume, &spot, shown, err);
	}
	talloc_free(tmp);
	return source;
}

struct image *volume_file(TALLOC_CTX *ctx, struct volume *volume, const char *path,
                          struct error *err)
{
	TALLOC_CTX *tmp = talloc_new(NULL);
	struct image *image = NULL;
	struct spot spot;

	if (!tmp) {
		error_memory(err);
		return NULL;
	}
	if (walk_to_file(tmp, volume, path, &spot, err)) {
		image = volume->top.ntfs
		                ? ntfs_image(ctx, spot.file, err)
		                : image_read(ctx, directory_fd(spot.parent), spot.name, err);
		if (!image)
			spot_wrap(&volume->top, &spot, err);
	}
	talloc_free(tmp);
	return image;
}

struct ntfs_file *volume_ntfs_file(TALLOC_CTX *ctx, struct volume *volume, const char *path,
                                   char **spelled, struct error *err)
{
	TALLOC_CTX *tmp = talloc_new(NULL);
	struct ntfs_file *file = NULL;
	struct spot spot;

	if (!tmp) {
		error_memory(err);
		return NULL;
	}
	if (!volume->top.ntfs) {
		error_set(err, ERROR_SOURCE, "%s: is mounted", volume->path);
	} else if (walk_to_file(tmp, volume, path, &spot, err)) {
		file = talloc_steal(ctx, spot.file);
		*spelled = talloc_steal(ctx, spot.path);
	}
	talloc_free(tmp);
	return file;
}

/* Reads from the start of a file that was seen to be regular, and is looked at once more. */
static bool read_head(const struct spot *spot, void *buffer, size_t size, size_t *got,
                      struct error *err)
{
	int fd = spot->file ? -1 : directory_open_file(spot->parent, spot->name);
	size_t done = 0;
	struct stat st;
	ssize_t n = 0;

	if (spot->file)
		return ntfs_read(spot->file, 0, buffer, size, got, err);
	if (fd < 0)
		return directory_errno(err, "cannot open it");
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode)) {
		while (done < size && (n = read(fd, (char *)buffer + done, size - done)) > 0)
			done += (size_t)n;
		if (n < 0)
			error_errno(err, ERROR_SOURCE, "cannot read it");
	} else {
		n = -1;
		error_set(err, ERROR_SOURCE, "is no regular file any more");
	}
	close(fd);
	if (n < 0)
		return false;
	*got = done;
	return true;
}

bool volume_head(struct volume *volume, const char *path, void *buffer, size_t size, size_t *got,
                 struct error *err)
{
	TALLOC_CTX *tmp = talloc_new(NULL);
	struct spot spot;
	bool done;

	if (!tmp)
		return error_memory(err);
	done = walk_to_file(tmp, volume, path, &spot, err) &&
	       (read_head(&spot, buffer, size, got, err) || spot_wrap(&volume->top, &spot, err));
	talloc_free(tmp);
	return done;
}

bool volume_same(const struct volume *one, const struct volume *other)
{
	struct stat a, b;

	return stat(one->path, &a) == 0 && stat(other->path, &b) == 0 && a.st_dev == b.st_dev &&
	       a.st_ino == b.st_ino;
}

int volume_lock(struct volume *volume, struct error *err)
{
	int fd;

	if (volume->lock)
		return volume->lock->fd;
	fd = openat(volume->top.at->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	volume->lock = spot_descriptor(volume, fd);
	if (!volume->lock) {
		error_errno(err, ERROR_DESTINATION, "%s: cannot open it", volume->path);
	} else if (!publish_step_lock(fd)) {
		TALLOC_FREE(volume->lock);
		error_set(err, ERROR_REFUSED,
		          "%s: another clusnap is writing to it; wait until it has ended",
		          volume->path);
	}
	return volume->lock ? fd : -1;
}

int volume_directory(struct volume *volume, const char *path, struct error *err)
{
	TALLOC_CTX *tmp = talloc_new(NULL);
	struct spot spot;
	int fd = -1;

	if (!tmp) {
		error_memory(err);
		return -1;
	}
	if (volume->top.ntfs) {
		error_set(err, ERROR_SOURCE, "%s: is not mounted, so no directory of it is open",
		          volume->path);
	} else if (walk(tmp, volume, path, &spot, err)) {
		if (spot_kind(&spot) == VOLUME_DIRECTORY)
			fd = openat(spot.at->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		else
			errno = spot.there ? ENOTDIR : ENOENT;
		if (fd < 0)
			error_errno(err, ERROR_SOURCE, "%s/%s", volume->path, path);
	}
	talloc_free(tmp);
	return fd;
}
