/*
 * Holding a raw NTFS volume, and opening its files for writing.
 *
 * The odd decision: an image is opened O_DIRECT too, and so written in sectors of 512 bytes as a
 * disk is; where its file system does not have that, through the page cache and fsync.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "checkpoint/disk/ntfs_state.h"
#include "checkpoint/disk/ntfs_target_internal.h"

static int target_close(struct ntfs_target *target)
{
	if (target->fd >= 0)
		close(target->fd); /* all that counts was synced */
	free(target->buffer);
	return 0;
}

void ntfs_target_reason(struct problems *reasons, const char *code, const char *path,
                        const char *file, const char *text)
{
	problems_add(reasons, PROBLEM_FATAL, PROBLEM_NOWHERE, code, "%s%s%s: %s", path,
	             file ? "/" : "", file ? file : "", text);
}

static bool in_use(struct ntfs_target *target, const char *why, struct problems *reasons,
                   struct error *err)
{
	ntfs_target_reason(reasons, "volume-in-use", target->path, NULL, why);
	return error_set(err, ERROR_REFUSED, "%s: %s", target->path, why);
}

/* Can sectors of SECTOR bytes be read with O_DIRECT? */
static bool works_direct(struct ntfs_target *target, uint32_t sector)
{
	ssize_t n = pread(target->fd, target->buffer, sector, (off_t)sector);

	return n == (ssize_t)sector;
}

/* Reopens it without O_DIRECT; the lock goes with the descriptor, so before it is taken. */
static bool open_descriptor(struct ntfs_target *target, struct problems *reasons, struct error *err)
{
	int flags = O_RDWR | O_CLOEXEC | O_NONBLOCK | O_NOCTTY;
	struct stat st;

	if (stat(target->path, &st) != 0)
		return error_errno(err, ERROR_SOURCE, "%s", target->path);
	if (!S_ISBLK(st.st_mode) && !S_ISREG(st.st_mode))
		return error_set(err, ERROR_SOURCE,
		                 "%s: is neither a block device nor an image file", target->path);
	if (S_ISBLK(st.st_mode))
		flags |= O_EXCL;
	target->fd = open(target->path, flags | O_DIRECT);
	target->direct = target->fd >= 0;
	if (target->direct && S_ISREG(st.st_mode) && !works_direct(target, 512)) {
		close(target->fd);
		target->direct = false;
		target->fd = open(target->path, flags);
	} else if (target->fd < 0 && errno == EINVAL) {
		target->fd = open(target->path, flags);
	}
	if (target->fd < 0 && errno == EBUSY)
		return in_use(target,
		              "the system or another program uses it, or a part of it; unmount it "
		              "first",
		              reasons, err);
	return target->fd >= 0 ||
	       error_errno(err, ERROR_SOURCE, "%s: cannot open it for writing", target->path);
}

static bool hold(struct ntfs_target *target, struct problems *reasons, struct error *err)
{
	char why[300];

	target->buffer = aligned_alloc(MEDIUM_ALIGN, NTFS_TARGET_PIECE);
	if (!target->path || !target->buffer)
		return error_memory(err);
	if (!open_descriptor(target, reasons, err))
		return false;
	if (ntfs_target_in_use(target->fd, why, sizeof(why)))
		return in_use(target, why, reasons, err);
	target->medium = medium_of_fd(target, target->path, target->fd, target->direct, err);
	if (!target->medium)
		return false;
	if (!boot_read(target->medium, &target->boot, err))
		return error_wrap(err, "%s", target->path);
	return target->boot.kind == BOOT_NTFS ||
	       error_set(err, ERROR_SOURCE, "%s: no NTFS volume begins here", target->path);
}

static bool check_volume(struct ntfs_target *target, struct problems *reasons, struct error *err)
{
	struct volume *volume = ntfs_target_volume(target, target, err);
	struct ntfs_state state;
	bool done = volume && (ntfs_state_read(volume_ntfs(volume), &state, err) ||
	                       error_wrap(err, "%s", target->path));

	if (done && ntfs_state_dirty(&state))
		ntfs_target_reason(reasons, "volume-dirty", target->path, NULL,
		                   ntfs_state_dirty(&state));
	if (done && ntfs_state_journal(&state))
		ntfs_target_reason(reasons, "volume-dirty", target->path, NULL,
		                   ntfs_state_journal(&state));
	if (done && target->boot.size > target->medium->size)
		ntfs_target_reason(reasons, "volume-cut", target->path, NULL,
		                   "the volume is longer than what it lies on");
	if (done && target->boot.cluster % target->medium->sector)
		ntfs_target_reason(reasons, "volume-cut", target->path, NULL,
		                   "its clusters are no whole sectors of the device");
	talloc_free(volume);
	return done;
}

struct ntfs_target *ntfs_target_open(TALLOC_CTX *ctx, const char *path, struct problems *reasons,
                                     struct error *err)
{
	struct ntfs_target *target = talloc_zero(ctx, struct ntfs_target);

	if (!target) {
		error_memory(err);
		return NULL;
	}
	target->fd = -1;
	target->path = talloc_strdup(target, path);
	talloc_set_destructor(target, target_close);
	if (hold(target, reasons, err) && check_volume(target, reasons, err))
		return target;
	talloc_free(target);
	return NULL;
}

uint32_t ntfs_target_sector(const struct ntfs_target *target)
{
	return target->medium->sector;
}

struct volume *ntfs_target_volume(TALLOC_CTX *ctx, struct ntfs_target *target, struct error *err)
{
	return volume_of_medium(ctx, target->medium, err);
}

uint64_t ntfs_target_size(const struct ntfs_target_file *file)
{
	return file->size;
}

const char *ntfs_target_path(const struct ntfs_target_file *file)
{
	return file->path;
}

/* Looks PATH up and checks what is found. */
static bool fill(struct ntfs_target_file *file, struct volume *volume, const char *path,
                 struct problems *reasons, struct error *err)
{
	struct ntfs_file *found = volume_ntfs_file(volume, volume, path, &file->path, err);

	if (!found)
		return false;
	talloc_steal(file, file->path);
	file->reference = ntfs_file_reference(found);
	file->size = ntfs_file_size(found);
	if (!ntfs_file_data(found))
		return error_set(err, ERROR_SOURCE, "%s/%s: has no data", file->target->path,
		                 file->path);
	return ntfs_target_check(file, file->target, found, file->path, reasons, &file->extents,
	                         &file->count, err) ||
	       error_wrap(err, "%s/%s", file->target->path, file->path);
}

struct ntfs_target_file *ntfs_target_file(TALLOC_CTX *ctx, struct ntfs_target *target,
                                          const char *path, struct problems *reasons,
                                          struct error *err)
{
	struct ntfs_target_file *file = talloc_zero(ctx, struct ntfs_target_file);
	struct volume *volume = file ? ntfs_target_volume(NULL, target, err) : NULL;
	bool done = false;

	if (!file)
		error_memory(err);
	else
		file->target = target;
	if (volume)
		done = fill(file, volume, path, reasons, err);
	talloc_free(volume);
	if (!done)
		TALLOC_FREE(file);
	return file;
}

/* With nothing that libfsntfs has kept: the volume, the record and the data are read anew. */
struct image *ntfs_target_read_back(TALLOC_CTX *ctx, struct ntfs_target_file *file,
                                    struct error *err)
{
	struct ntfs_target *target = file->target;
	struct ntfs *ntfs = ntfs_open(NULL, target->medium, &target->boot, err);
	struct ntfs_file *again = ntfs ? ntfs_file_open(NULL, ntfs, file->reference, err) : NULL;
	struct image *image = again ? ntfs_image(ctx, again, err) : NULL;

	talloc_free(again);
	talloc_free(ntfs);
	if (!image)
		error_wrap(err, "%s/%s", target->path, file->path);
	return image;
}
