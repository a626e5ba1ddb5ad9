/*
 * Walking on a volume whose contents are not trusted, one name at a time.
 *
 * The odd decision: openat2() with its RESOLVE_ flags is not used. A name that readdir() gave
 * has no '/' and is neither "." nor "..", so one openat() of it with O_NOFOLLOW cannot leave
 * its directory; all that is left to find out is whether something is mounted there. As
 * letter case makes us read every directory anyway, this costs nothing, needs no second way
 * for systems without openat2, and lets us say what stands in the way.
 */
#include "checkpoint/disk/spot.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

static int descriptor_close(struct descriptor *descriptor)
{
	return close(descriptor->fd);
}

struct descriptor *spot_descriptor(TALLOC_CTX *ctx, int fd)
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
static bool elsewhere(const struct spot_top *top, const struct statx *found)
{
	if (top->mount && found->stx_mnt_id)
		return found->stx_mnt_id != top->mount;
	return S_ISDIR(found->stx_mode) && device_of(found) != top->device;
}

bool spot_top_open(TALLOC_CTX *ctx, const char *path, struct spot_top *top, struct error *err)
{
	struct descriptor *at = spot_descriptor(ctx, open(path, O_PATH | O_DIRECTORY | O_CLOEXEC));
	struct statx found;

	if (!at || !look(at->fd, &found)) {
		directory_errno(err, path);
		talloc_free(at);
		return false;
	}
	*top = (struct spot_top){
		path, at, found.stx_mnt_id, device_of(&found), talloc_zero(ctx, struct spot_last),
		NULL
	};
	return top->last || error_memory(err);
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
static bool spot_look(TALLOC_CTX *ctx, const struct spot_top *top, struct spot *spot,
                      struct error *err)
{
	int flags = O_PATH | O_NOFOLLOW | O_CLOEXEC;
	struct statx found;

	if (top->ntfs)
		return spot_ntfs_look(ctx, top, spot, err);
	spot->at = spot_descriptor(ctx, openat(directory_fd(spot->parent), spot->name, flags));
	if (!spot->at || !look(spot->at->fd, &found))
		return directory_errno(err, errno == ENOENT ? SPOT_LISTED : "cannot look at it");
	if (elsewhere(top, &found))
		return error_set(err, ERROR_SOURCE,
		                 "another file system is mounted here; it is not looked into");
	spot->there = true;
	spot->mode = found.stx_mode;
	spot->size = S_ISREG(found.stx_mode) ? found.stx_size : 0;
	return true;
}

struct directory *spot_directory(TALLOC_CTX *ctx, const struct spot_top *top,
                                 const struct spot *spot, struct error *err)
{
	const struct ntfs_listing *listing;

	return top->ntfs ? spot_ntfs_directory(ctx, spot->file, &listing, err)
	                 : directory_open(ctx, spot->at->fd, err);
}

/* The directory that a walk has reached, opened; what it came through is closed. */
static bool spot_descend(TALLOC_CTX *ctx, const struct spot_top *top, struct spot *spot,
                         struct error *err)
{
	struct directory *directory;

	directory = top->ntfs ? spot_ntfs_directory(ctx, spot->file, &spot->listing, err)
	                      : directory_open(ctx, spot->at->fd, err);
	if (!directory)
		return false;
	talloc_free(spot->parent);
	if (spot->at != top->at && (!top->last || spot->at != top->last->at))
		talloc_free(spot->at);
	TALLOC_FREE(spot->file);
	spot->parent = directory;
	spot->at = NULL;
	spot->there = false;
	return true;
}

/* One part further. spot->there becomes false if there is no such name. */
static bool spot_enter(TALLOC_CTX *ctx, const struct spot_top *top, struct spot *spot,
                       const char *part, size_t size, struct error *err)
{
	char *path;

	if (S_ISLNK(spot->mode))
		return error_set(err, ERROR_SOURCE,
		                 "is a symbolic link or junction; it is not followed");
	if (!S_ISDIR(spot->mode)) {
		spot->there = false;
		return true;
	}
	if (!spot_descend(ctx, top, spot, err) ||
	    !directory_match(ctx, spot->parent, part, size, &spot->name, err))
		return false;
	if (directory_flaw(spot->parent) != DIRECTORY_SOUND) {
		spot->flaw = directory_flaw(spot->parent);
		spot->flawed = spot->path;
	}
	if (!spot->name)
		return true;
	path = talloc_asprintf(ctx, "%s%s%s", spot->path, *spot->path ? "/" : "", spot->name);
	if (!path)
		return error_memory(err);
	spot->path = path;
	return spot_look(ctx, top, spot, err);
}

bool spot_wrap(const struct spot_top *top, const struct spot *spot, struct error *err)
{
	if (!*spot->path)
		return error_wrap(err, "%s", top->path);
	return error_wrap(err, "%s/%s", top->path, spot->path);
}

/* --- where the last walk was --- */

/* The size of the directory's part of PATH. */
static size_t directory_part(const char *path)
{
	size_t size = strlen(path);

	while (size > 0 && path[size - 1] != '/' && path[size - 1] != '\\')
		size--;
	return size;
}

/* Begins a walk to PATH in the directory of the last one, if it is there; *PATH is what is left. */
static bool begin_at_last(TALLOC_CTX *ctx, const struct spot_top *top, const char **path,
                          struct spot *spot)
{
	const struct spot_last *last = top->last;
	size_t size = directory_part(*path);
	char *copy;

	if (!last || !last->asked || strlen(last->asked) != size ||
	    memcmp(last->asked, *path, size) != 0 || !(copy = talloc_strdup(ctx, last->path)))
		return false;
	spot->at = last->at;
	spot->path = copy;
	*path += size;
	return true;
}

/* Keeps the directory that a walk to WHOLE has come to, if REST is one name more. */
static void keep_last(const struct spot_top *top, const char *whole, const char *rest,
                      struct spot *spot)
{
	struct spot_last *last = top->last, new;
	size_t size = directory_part(whole);

	if (!last || spot->at == top->at || spot->at == last->at || !S_ISDIR(spot->mode) ||
	    rest + strspn(rest, "/\\") != whole + size || !whole[size])
		return;
	new = (struct spot_last){ talloc_strndup(last, whole, size),
		                  talloc_strdup(last, spot->path), spot->at };
	if (!new.asked || !new.path) {
		talloc_free(new.asked);
		talloc_free(new.path);
		return;
	}
	talloc_free(last->asked);
	talloc_free(last->path);
	talloc_free(last->at);
	*last = new;
	talloc_steal(last, last->at);
}

bool spot_walk(TALLOC_CTX *ctx, const struct spot_top *top, const char *path, struct spot *spot,
               struct error *err)
{
	const char *part, *whole = path;
	size_t size;

	*spot = (struct spot){ .there = true, .at = top->at, .ntfs = top->ntfs, .mode = S_IFDIR };
	spot->path = talloc_strdup(ctx, "");
	if (!spot->path)
		return error_memory(err);
	if (!check_path(path, err))
		return spot_wrap(top, spot, err);
	if (top->ntfs)
		spot->file = ntfs_file_open(ctx, top->ntfs, NTFS_TOP, err);
	if (top->ntfs && !spot->file)
		return spot_wrap(top, spot, err);
	(void)begin_at_last(ctx, top, &path, spot);
	while (spot->there && next_part(&path, &part, &size)) {
		keep_last(top, whole, part, spot);
		if (!spot_enter(ctx, top, spot, part, size, err))
			return spot_wrap(top, spot, err);
	}
	return true;
}

enum volume_kind spot_kind(const struct spot *spot)
{
	if (!spot->there)
		return VOLUME_ABSENT;
	if (S_ISDIR(spot->mode))
		return VOLUME_DIRECTORY;
	return S_ISREG(spot->mode) ? VOLUME_FILE : VOLUME_OTHER;
}
