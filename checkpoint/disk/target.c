/*
 * Writing to files of a volume. On a mounted one a path is looked up as any other, and its
 * directory opened by volume_directory(); then a single name is opened there without following a
 * link.
 */
#include "checkpoint/disk/target.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "checkpoint/disk/ntfs_target.h"
#include "checkpoint/disk/target_internal.h"
#include "checkpoint/disk/volume_internal.h"
#include "hive/publish_step.h"

#define PIECE 65536u /* bytes that are compared together */

static int target_close(struct target *target)
{
	if (target->fd >= 0)
		close(target->fd);
	return 0;
}

struct target *target_new(TALLOC_CTX *ctx, const struct volume *volume, const char *path,
                          struct error *err)
{
	struct target *target = talloc_zero(ctx, struct target);

	if (target) {
		target->fd = -1;
		talloc_set_destructor(target, target_close);
		target->shown = talloc_asprintf(target, "%s/%s", volume_path(volume), path);
	}
	if (target && target->shown)
		return target;
	talloc_free(target);
	error_memory(err);
	return NULL;
}

/* The open directory that PATH is in, and its NAME there; -1 if it cannot be opened. */
int target_parent(TALLOC_CTX *ctx, struct volume *volume, const char *path, const char **name,
                  struct error *err)
{
	const char *slash = strrchr(path, '/');
	char *parent =
		slash ? talloc_strndup(ctx, path, (size_t)(slash - path)) : talloc_strdup(ctx, "");
	int fd = -1;

	*name = slash ? slash + 1 : path;
	if (!parent)
		error_memory(err);
	else
		fd = volume_directory(volume, parent, err);
	if (fd < 0 && err->kind == ERROR_SOURCE)
		err->kind = ERROR_DESTINATION;
	talloc_free(parent);
	return fd;
}

static bool begin_mounted(struct volume *volume, struct error *err)
{
	int fd = volume_lock(volume, err);
	struct statvfs fs;

	if (fd < 0)
		return false;
	if (fstatvfs(fd, &fs) != 0)
		return error_errno(err, ERROR_DESTINATION, "%s", volume_path(volume));
	if (fs.f_flag & ST_RDONLY)
		return error_set(err, ERROR_DESTINATION,
		                 "%s: is mounted read-only; mount it read-write (ntfs-3g -o "
		                 "rw,noatime,nodev,nosuid,noexec,windows_names DEVICE DIRECTORY)",
		                 volume_path(volume));
	return true;
}

bool target_begin(struct volume *volume, struct problems *reasons, struct error *err)
{
	if (!volume_is_raw(volume))
		return begin_mounted(volume, err);
	if (!volume->held)
		volume->held = ntfs_target_open(volume, volume_path(volume), reasons, err);
	if (!volume->held && err->kind == ERROR_SOURCE)
		err->kind = ERROR_DESTINATION;
	return volume->held != NULL;
}

bool target_can_change_names(const struct volume *volume)
{
	return !volume_is_raw(volume);
}

static bool look(struct target *target, struct error *err)
{
	struct stat st;

	if (fstat(target->fd, &st) != 0)
		return error_errno(err, ERROR_DESTINATION, "%s", target->shown);
	if (!S_ISREG(st.st_mode))
		return error_set(err, ERROR_REFUSED,
		                 "%s: is a link, a directory or a special file; nothing is "
		                 "written through it",
		                 target->shown);
	/* ntfs-3g counts the short name (8.3) of a file as one of its names. */
	if (fgetxattr(target->fd, "system.ntfs_dos_name", NULL, 0) > 0)
		st.st_nlink--;
	if (st.st_nlink > 1)
		return error_set(err, ERROR_REFUSED,
		                 "%s: has %ju names (hard links), and all would be written to; "
		                 "copy it to a file of its own first",
		                 target->shown, (uintmax_t)st.st_nlink);
	target->size = (uint64_t)st.st_size;
	return true;
}

/* False with ERROR_NONE: there is none. */
static bool open_mounted(struct target *target, struct volume *volume, const char *path,
                         struct error *err)
{
	const char *name;
	int parent = target_parent(target, volume, path, &name, err);
	bool good = false;

	if (parent < 0) {
		if (err->sys == ENOENT)
			err->kind = ERROR_NONE;
		return false;
	}
	target->fd = openat(parent, name, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (target->fd >= 0)
		good = look(target, err);
	else if (errno == ENOENT)
		err->kind = ERROR_NONE;
	else
		error_errno(err, ERROR_DESTINATION, "%s: cannot open it to write", target->shown);
	close(parent);
	return good;
}

static bool open_raw(struct target *target, struct volume *volume, const char *path,
                     struct problems *reasons, struct error *err)
{
	target->held = volume->held;
	target->raw = ntfs_target_file(target, volume->held, path, reasons, err);
	if (target->raw)
		target->size = ntfs_target_size(target->raw);
	else if (err->sys == ENOENT)
		err->kind = ERROR_NONE;
	else if (err->kind == ERROR_SOURCE)
		err->kind = ERROR_DESTINATION;
	return target->raw != NULL;
}

struct target *target_open(TALLOC_CTX *ctx, struct volume *volume, const char *path,
                           struct problems *reasons, struct error *err)
{
	struct target *target = target_new(ctx, volume, path, err);

	if (!target)
		return NULL;
	if (volume_is_raw(volume) ? open_raw(target, volume, path, reasons, err)
	                          : open_mounted(target, volume, path, err))
		return target;
	talloc_free(target);
	return NULL;
}

const char *target_shown(const struct target *target)
{
	return target->shown;
}

uint64_t target_size(const struct target *target)
{
	return target->size;
}

bool target_read(struct target *target, uint64_t offset, void *buffer, size_t size,
                 struct error *err)
{
	uint8_t *at = buffer;

	if (target->raw)
		return ntfs_target_read(target->raw, offset, buffer, size, err) ||
		       error_wrap(err, "%s", target->shown);
	(void)posix_fadvise(target->fd, (off_t)offset, (off_t)size, POSIX_FADV_DONTNEED);
	while (size) {
		ssize_t done = pread(target->fd, at, size, (off_t)offset);

		if (done < 0 && errno == EINTR)
			continue;
		if (done <= 0)
			return done < 0 ? error_errno(err, ERROR_DESTINATION, "%s: cannot read it",
			                              target->shown)
			                : error_set(err, ERROR_DESTINATION,
			                            "%s: became shorter while it was read",
			                            target->shown);
		at += done;
		size -= (size_t)done;
		offset += (uint64_t)done;
	}
	return true;
}

static bool raw_is(struct target *target, struct bytes bytes, uint64_t from, bool *is,
                   struct error *err)
{
	struct image *image = ntfs_target_read_back(target, target->raw, err);

	if (!image)
		return error_wrap(err, "%s", target->shown);
	*is = image->bytes.size == bytes.size &&
	      (from >= bytes.size ||
	       memcmp(image->bytes.data + from, bytes.data + from, bytes.size - from) == 0);
	talloc_free(image);
	return true;
}

bool target_is(struct target *target, struct bytes bytes, uint64_t from, bool *is,
               struct error *err)
{
	uint8_t *piece;
	bool done = true;

	if (target->raw)
		return raw_is(target, bytes, from, is, err);
	piece = talloc_size(NULL, PIECE);
	if (!piece)
		return error_memory(err);
	*is = target->size == bytes.size;
	for (uint64_t at = from; done && *is && at < bytes.size; at += PIECE) {
		size_t size = bytes.size - at < PIECE ? (size_t)(bytes.size - at) : PIECE;

		done = target_read(target, at, piece, size, err);
		*is = done && memcmp(piece, bytes.data + at, size) == 0;
	}
	talloc_free(piece);
	return done;
}

bool target_write(struct target *target, uint64_t offset, struct bytes bytes, struct error *err)
{
	if (offset > target->size || bytes.size > target->size - offset)
		return error_set(err, ERROR_INTERNAL, "%s: a write behind its end", target->shown);
	if (target->raw)
		return ntfs_target_write(target->raw, offset, bytes, err) ||
		       error_wrap(err, "%s", target->shown);
	return publish_step_write(target->fd, offset, bytes, target->shown, err);
}

bool target_sync(struct target *target, struct error *err)
{
	if (target->raw)
		return ntfs_target_sync(target->held, err) || error_wrap(err, "%s", target->shown);
	return publish_step_sync(target->fd, target->shown, err);
}

bool target_resize(struct target *target, uint64_t size, struct error *err)
{
	if (target->raw)
		return error_set(err, ERROR_REFUSED, "%s: its volume is not mounted",
		                 target->shown);
	if (!publish_step_resize(target->fd, size, target->shown, err))
		return false;
	target->size = size;
	return true;
}

struct target *target_create(TALLOC_CTX *ctx, struct volume *volume, const char *path,
                             struct error *err)
{
	struct target *target = target_new(ctx, volume, path, err);
	const char *name;
	int parent;

	if (!target)
		return NULL;
	parent = target_parent(target, volume, path, &name, err);
	if (parent >= 0) {
		target->fd = publish_step_create(parent, name, target->shown, err);
		close(parent);
	}
	if (target->fd >= 0)
		return target;
	talloc_free(target);
	return NULL;
}
