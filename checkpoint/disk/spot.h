/*
 * spot: where a walk on a volume has come to.
 *
 * The middle of checkpoint/disk/volume.h, which is what others use, and where the rules are: no
 * link is followed, nothing that is mounted on top of the volume is entered.
 */
#ifndef CHECKPOINT_DISK_SPOT_H
#define CHECKPOINT_DISK_SPOT_H

#include <sys/stat.h>

#include "checkpoint/disk/directory.h"
#include "checkpoint/disk/volume.h"

/* A descriptor that closes itself. */
struct descriptor {
	int fd;
};

/* Takes FD over, also when there is no memory. A negative FD gives NULL. */
struct descriptor *spot_descriptor(TALLOC_CTX *ctx, int fd);

/* The top directory of a volume. */
struct spot_top {
	const char *path; /* as the user knows it */
	struct descriptor *at;
	uint64_t mount; /* statx mount id, 0 if the kernel has none */
	uint64_t device;
};

struct spot {
	struct directory *parent; /* the directory it is in; NULL at the top */
	struct descriptor *at;    /* O_PATH; NULL: there is no such thing */
	char *name;               /* in parent, as the volume spells it */
	char *path;               /* from the top, likewise */
	enum directory_flaw flaw; /* the last of a directory on the way */
	char *flawed;             /* its path */
	mode_t mode;
	uint64_t size;
};

/* Opens PATH, which must be a directory and outlive *TOP, for walks. top->at is on CTX. */
bool spot_top_open(TALLOC_CTX *ctx, const char *path, struct spot_top *top, struct error *err);

/*
 * Walks to PATH. All of *SPOT is allocated on CTX, but for the top itself, which may be where
 * it ends. The text of an error begins with the path.
 */
bool spot_walk(TALLOC_CTX *ctx, const struct spot_top *top, const char *path, struct spot *spot,
               struct error *err);

enum volume_kind spot_kind(const struct spot *spot);

/* Puts the path of a spot before the text of an error. Returns false. */
bool spot_wrap(const struct spot_top *top, const struct spot *spot, struct error *err);

#endif
