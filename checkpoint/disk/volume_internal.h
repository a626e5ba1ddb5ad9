/* volume_internal: what the files of volume.h share. Nobody else includes it. */
#ifndef CHECKPOINT_DISK_VOLUME_INTERNAL_H
#define CHECKPOINT_DISK_VOLUME_INTERNAL_H

#include "checkpoint/disk/spot.h"

struct volume {
	char *path;
	enum directory_flaw flaw;
	char *flawed;
	struct spot_top top;
	struct descriptor *lock;  /* of who writes; NULL: nobody here */
	struct ntfs_target *held; /* likewise, of a raw volume */
};

#endif
