/*
 * Looking up and reading on a volume whose contents are not trusted.
 *
 * The odd decision: openat2() with its RESOLVE_ flags is not used. A name that readdir() gave
 * has no '/' and is neither "." nor "..", so one openat() of it with O_NOFOLLOW cannot leave
 * its directory; all that is left to find out is whether something is mounted there. As
 * letter case makes us read every directory anyway, this costs nothing, needs no second way
 * for systems without openat2, and lets us say what stands in the way.
 */
#include "checkpoint/volume.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "checkpoint/directory.h"

struct descriptor {
	int fd;
};

struct volume {
	char *path;
	struct descriptor *top;
	uint64_t mount; /* statx mount id, 0 if the kernel has none */
	uint64_t device;
};

/* How far a walk has come. */
struct spot {
	struct directory *parent; /* the directory it is in; NULL at the top */
	struct descriptor *at;    /* O_PATH; NULL: there is no such thing */
	char *name;               /* in parent, as the volume spells it */
	char *path;               /* from the top, likewise */
	mode_t mode;
	uint64_t size;
};

static int descriptor_close(struct descriptor *descriptor)
{
	return close(descriptor->fd);
}

/* Takes FD over, also when there is no memory. A negative FD gives NULL. */
static struct descriptor *descriptor_new(TALLOC_CTX *ctx, int fd)
{
	struct descriptor *descriptor = fd < 0 ? NULL : talloc(ctx, struct descriptor);

	if (descriptor) {
		descriptor->fd = fd;
		talloc_set_destructor(descriptor, descriptor_close);
	} else if (fd >= 0) {
		close(fd);
		errno = ENOMEM;
	}
	return descriptor;
}

/* What a descriptor is, and on which mount. */
static bool look(int fd, struct statx *found)
{
	if (statx(fd, "", AT_EMPTY_PATH, STATX_BASIC_STATS | STATX_MNT_ID, found) != 0)
		return false;
	if (!(found->stx_mask & STATX_MNT_ID))
		found->stx_mnt_id = 0;
	return true;
}

static uint64_t device_of(const struct statx *found)
{
	return (uint64_t)found->stx_dev_major << 32 | found->stx_dev_minor;
}

/*
 * Has something been mounted here? Without mount ids (before Linux 5.8) the device number of
 * directories must do: that of files may differ within one overlay.
 */
static bool elsewhere(const struct volume *volume, const struct statx *found)
{
	if (volume->mount && found->stx_mnt_id)
		return found->stx_mnt_id != volume->mount;
	return S_ISDIR(found->stx_mode) && device_of(found) != volume->device;
}

struct volume *volume_open(TALLOC_CTX *ctx, const char *path, struct error *err)
{
	struct volume *volume = talloc_zero(ctx, struct volume);
	struct statx found;

	if (volume)
		volume->path = talloc_strdup(volume, path);
	if (!volume || !volume->path) {
		talloc_free(volume);
		error_memory(err);
		return NULL;
	}
	volume->top = descriptor_new(volume, open(path, O_PATH | O_DIRECTORY | O_CLOEXEC));
	if (!volume->top || !look(volume->top->fd, &found)) {
		directory_errno(err, path);
		talloc_free(volume);
		return NULL;
	}
	volume->mount = found.stx_mnt_id;
	volume->device = device_of(&found);
	return volume;
}

const char *volume_path(const struct volume *volume)
{
	return volume->path;
}

/* The next part of a path; false at its end. */
static bool next_part(const char **path, const char **part, size_t *size)
{
	*part = *path + strspn(*path, "/\\");
	*size = strcspn(*part, "/\\");
	*path = *part + *size;
	return *size != 0;
}

/* All of a path is judged before any of it is looked up. */
static bool check_path(const char *path, struct error *err)
{
	const char *rest = path, *part;
	size_t size;

	while (next_part(&rest, &part, &size)) {
		if (part[0] == '.' && (size == 1 || (size == 2 && part[1] == '.')))
			return error_set(err, ERROR_SOURCE,
			                 "'%s' is no path on a Windows volume: '%.*s' is refused",
			                 path, (int)size, part);
	}
	return true;
}

/* Opens the entry that was found in spot->parent and looks what it is. */
static bool spot_look(TALLOC_CTX *ctx, const struct volume *volume, struct spot *spot,
                      struct error *err)
{
	int flags = O_PATH | O_NOFOLLOW | O_CLOEXEC;
	struct statx found;

	spot->at = descriptor_new(ctx, openat(directory_fd(spot->parent), spot->name, flags));
	if (!spot->at || !look(spot->at->fd, &found))
		return directory_errno(err, "cannot look at it");
	if (elsewhere(volume, &found))
		return error_set(err, ERROR_SOURCE,
		                 "another file system is mounted here; it is not looked into");
	spot->mode = found.stx_mode;
	spot->size = S_ISREG(found.stx_mode) ? found.stx_size : 0;
	return true;
}

/* The directory that a walk has reached, opened; what it came through is closed. */
static bool spot_descend(TALLOC_CTX *ctx, const struct volume *volume, struct spot *spot,
                         struct error *err)
{
	struct directory *directory = directory_open(ctx, spot->at->fd, err);

	if (!directory)
		return false;
	talloc_free(spot->parent);
	if (spot->at != volume->top)
		talloc_free(spot->at);
	spot->parent = directory;
	spot->at = NULL;
	return true;
}

/* One part further. spot->at becomes NULL if there is no such name. */
static bool spot_enter(TALLOC_CTX *ctx, const struct volume *volume, struct spot *spot,
                       const char *part, size_t size, struct error *err)
{
	char *path;

	if (S_ISLNK(spot->mode))
		return error_set(err, ERROR_SOURCE,
		                 "is a symbolic link or junction; it is not followed");
	if (!S_ISDIR(spot->mode)) {
		spot->at = NULL;
		return true;
	}
	if (!spot_descend(ctx, volume, spot, err) ||
	    !directory_match(ctx, spot->parent, part, size, &spot->name, err))
		return false;
	if (!spot->name)
		return true;
	path = talloc_asprintf(ctx, "%s%s%s", spot->path, *spot->path ? "/" : "", spot->name);
	if (!path)
		return error_memory(err);
	spot->path = path;
	return spot_look(ctx, volume, spot, err);
}

static bool wrap(const struct volume *volume, const struct spot *spot, struct error *err)
{
	if (!*spot->path)
		return error_wrap(err, "%s", volume->path);
	return error_wrap(err, "%s/%s", volume->path, spot->path);
}

/* Everything of the SPOT is allocated on CTX. The text of an error begins with the path. */
static bool walk(TALLOC_CTX *ctx, struct volume *volume, const char *path, struct spot *spot,
                 struct error *err)
{
	const char *part;
	size_t size;

	*spot = (struct spot){ .at = volume->top, .mode = S_IFDIR };
	spot->path = talloc_strdup(ctx, "");
	if (!spot->path)
		return error_memory(err);
	if (!check_path(path, err))
		return wrap(volume, spot, err);
	while (spot->at && next_part(&path, &part, &size)) {
		if (!spot_enter(ctx, volume, spot, part, size, err))
			return wrap(volume, spot, err);
	}
	return true;
}

static enum volume_kind kind_of(const struct spot *spot)
{
	if (!spot->at)
		return VOLUME_ABSENT;
	if (S_ISDIR(spot->mode))
		return VOLUME_DIRECTORY;
	return S_ISREG(spot->mode) ? VOLUME_FILE : VOLUME_OTHER;
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
		*entry = (struct volume_entry){ kind_of(&spot),
			                        spot.at ? talloc_steal(ctx, spot.path) : NULL,
			                        spot.at ? spot.size : 0 };
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
	if (done && kind_of(&spot) != VOLUME_DIRECTORY)
		done = error_set(err, ERROR_SOURCE, "%s/%s: is no directory", volume->path, path);
	if (done) {
		directory = directory_open(tmp, spot.at->fd, err);
		done = (directory && directory_names(ctx, directory, names, count, err)) ||
		       wrap(volume, &spot, err);
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
	switch (kind_of(spot)) {
	case VOLUME_FILE:
		return true;
	case VOLUME_ABSENT:
		errno = ENOENT;
		return error_errno(err, ERROR_SOURCE, "%s/%s", volume->path, path);
	case VOLUME_DIRECTORY:
		error_set(err, ERROR_SOURCE, "is a directory, not a file");
		return wrap(volume, spot, err);
	case VOLUME_OTHER:
		break;
	}
	if (S_ISLNK(spot->mode))
		error_set(err, ERROR_SOURCE, "is a symbolic link or junction; it is not followed");
	else
		error_set(err, ERROR_SOURCE, "is no regular file");
	return wrap(volume, spot, err);
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
			source = source_read(ctx, directory_fd(spot.parent), spot.name, shown, err);
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
		image = image_read(ctx, directory_fd(spot.parent), spot.name, err);
		if (!image)
			wrap(volume, &spot, err);
	}
	talloc_free(tmp);
	return image;
}

/* Reads from the start of a file that was seen to be regular, and is looked at once more. */
static bool read_head(const struct spot *spot, void *buffer, size_t size, size_t *got,
                      struct error *err)
{
	int fd = directory_open_file(spot->parent, spot->name);
	size_t done = 0;
	struct stat st;
	ssize_t n = 0;

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
	       (read_head(&spot, buffer, size, got, err) || wrap(volume, &spot, err));
	talloc_free(tmp);
	return done;
}
