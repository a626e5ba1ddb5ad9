/* target_internal: what the files of target.h share. Nobody else includes it. */
#ifndef CHECKPOINT_DISK_TARGET_INTERNAL_H
#define CHECKPOINT_DISK_TARGET_INTERNAL_H

#include "checkpoint/disk/ntfs_target.h"
#include "checkpoint/disk/target.h"

struct target {
	int fd; /* on a mounted volume, else -1 */
	char *shown;
	uint64_t size;
	struct ntfs_target *held; /* of a raw volume */
	struct ntfs_target_file *raw;
};

/* One that is not open yet. NULL without memory. */
struct target *target_new(TALLOC_CTX *ctx, const struct volume *volume, const char *path,
                          struct error *err);

/* The open directory that PATH is in, and its NAME there; -1 if it cannot be opened. */
int target_parent(TALLOC_CTX *ctx, struct volume *volume, const char *path, const char **name,
                  struct error *err);

#endif
