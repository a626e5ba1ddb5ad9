/* ntfs_target_internal: what the files of ntfs_target.h share. Nobody else includes it. */
#ifndef CHECKPOINT_DISK_NTFS_TARGET_INTERNAL_H
#define CHECKPOINT_DISK_NTFS_TARGET_INTERNAL_H

#include "checkpoint/disk/ntfs_record.h"
#include "checkpoint/disk/ntfs_target.h"

struct ntfs_target {
	char *path;
	int fd;
	bool direct;     /* O_DIRECT */
	bool failed;     /* a sync did */
	uint8_t *buffer; /* NTFS_TARGET_PIECE bytes, aligned */
	struct medium *medium;
	struct boot boot;
};

#define NTFS_TARGET_PIECE ((size_t)1 << 20)

struct ntfs_target_file {
	struct ntfs_target *target;
	char *path;
	uint64_t reference;
	uint64_t size;
	struct ntfs_extent *extents; /* NULL: there was a reason not to write it */
	uint32_t count;
};

/* Adds a reason, with the path of the volume in front. */
void ntfs_target_reason(struct problems *reasons, const char *code, const char *path,
                        const char *file, const char *text);

/* Is the device or image that FD is open on mounted, looped or locked? Locks an image. */
bool ntfs_target_in_use(int fd, char *why, size_t size);

/* What speaks against writing FILE; *EXTENTS (on CTX) are where its data lies, if nothing does. */
bool ntfs_target_check(TALLOC_CTX *ctx, struct ntfs_target *target, struct ntfs_file *file,
                       const char *path, struct problems *reasons, struct ntfs_extent **extents,
                       uint32_t *count, struct error *err);

#endif
