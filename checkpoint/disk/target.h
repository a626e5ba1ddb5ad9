/*
 * target: one file of a volume that is written to where it is. The only way in which this program
 * changes a disk that it is given to read.
 *
 *	target_begin(volume, reasons, &err);			once for each volume
 *	struct target *t = target_open(ctx, volume, path, reasons, &err);
 *
 *	target_write(t, offset, bytes, &err);			data inside the file
 *	target_sync(t, &err);					... durable from here on
 *
 * On a mounted volume this goes through its file system; on a raw one the sectors of the file are
 * written where they lie, and nothing else (checkpoint/disk/ntfs_target.h). What changes names or
 * sizes is the work of a file-system driver, so it is possible on a mounted volume only
 * (target_can_change_names). PATH is as volume_find() spells it: no link is followed.
 * Errors are ERROR_DESTINATION, or ERROR_REFUSED where it must not be done; they begin with the
 * path.
 */
#ifndef CHECKPOINT_DISK_TARGET_H
#define CHECKPOINT_DISK_TARGET_H

#include "checkpoint/disk/volume.h"
#include "hive/problem.h"

#define TARGET_SECTOR 512u /* what a disk writes as a whole or not at all */

struct target; /* a talloc object that closes itself */

/*
 * Holds the volume as long as it is open. ERROR_DESTINATION if it is read-only; ERROR_REFUSED if
 * somebody else writes to it. What else speaks against writing to a raw volume or to a file of
 * it is added to REASONS, by the codes of ntfs_target.h.
 */
bool target_begin(struct volume *volume, struct problems *reasons, struct error *err);

/* Can names and sizes be changed on it, or data only? */
bool target_can_change_names(const struct volume *volume);

/* A regular file that is there; NULL with ERROR_NONE in err->kind if there is none. */
struct target *target_open(TALLOC_CTX *ctx, struct volume *volume, const char *path,
                           struct problems *reasons, struct error *err);
const char *target_shown(const struct target *target); /* its whole path, for messages */
uint64_t target_size(const struct target *target);

/* Reads SIZE bytes at OFFSET, from the disk rather than from memory. All must be in the file. */
bool target_read(struct target *target, uint64_t offset, void *buffer, size_t size,
                 struct error *err);

/* Is the file BYTES, from the offset FROM on? Read as anybody would who has not written it. */
bool target_is(struct target *target, struct bytes bytes, uint64_t from, bool *is,
               struct error *err);

/* Writes inside the file. Up to TARGET_SECTOR bytes at a multiple of it cannot be torn. */
bool target_write(struct target *target, uint64_t offset, struct bytes bytes, struct error *err);
bool target_sync(struct target *target, struct error *err);

/* --- names and sizes --- */

/* Makes the file as long as that, durably; what is added reads as zeros. */
bool target_resize(struct target *target, uint64_t size, struct error *err);

/* A new empty file; its directory must be there. */
struct target *target_create(TALLOC_CTX *ctx, struct volume *volume, const char *path,
                             struct error *err);

/* What is not there is removed already; a directory that is not empty stays. */
bool target_remove(struct volume *volume, const char *path, struct error *err);
bool target_make_directory(struct volume *volume, const char *path, struct error *err);
bool target_remove_directory(struct volume *volume, const char *path, struct error *err);

/* --- what a file has beside its bytes --- */

struct target_attributes {
	bool known;
	uint32_t mode, uid, gid;
	int64_t seconds; /* of its last write */
	uint32_t nanoseconds;
	/* As ntfs-3g and ntfs3 show what Windows knows; of no bytes where there is nothing. */
	struct bytes acl;    /* system.ntfs_acl: a self-relative security descriptor */
	struct bytes attrib; /* system.ntfs_attrib: FILE_ATTRIBUTE_* */
	struct bytes times;  /* system.ntfs_times: four FILETIMEs */
};

/* Best effort, both ways: a file system refuses or ignores what it does not have. */
bool target_attributes(TALLOC_CTX *ctx, const struct target *target,
                       struct target_attributes *attributes, struct error *err);
void target_set_attributes(struct target *target, const struct target_attributes *attributes);

#endif
