/*
 * spot: where a walk on a volume has come to.
 *
 * The middle of checkpoint/disk/volume.h, which is what others use, and where the rules are: no
 * link is followed, nothing that is mounted on top of the volume is entered. Mounted or raw, the
 * walk is the same; spot.c has what the system does of it, spot_ntfs.c what libfsntfs does.
 */
#ifndef CHECKPOINT_DISK_SPOT_H
#define CHECKPOINT_DISK_SPOT_H

#include <sys/stat.h>

#include "checkpoint/disk/directory.h"
#include "checkpoint/disk/ntfs.h"
#include "checkpoint/disk/volume.h"

/* A power cut can leave NTFS so; or somebody removes it now. */
#define SPOT_LISTED                                                                                \
	"is listed in its directory and cannot be found there (if it comes again, run chkdsk /f "  \
	"on the volume)"

/* A descriptor that closes itself. */
struct descriptor {
	int fd;
};

/* Takes FD over, also when there is no memory. A negative FD gives NULL. */
struct descriptor *spot_descriptor(TALLOC_CTX *ctx, int fd);

/*
 * The directory that the last walk looked its last name up in: most walks are to files of the same
 * few directories, and begin there.
 */
struct spot_last {
	char *asked; /* its path as it was asked for; NULL: none yet */
	char *path;  /* as the volume spells it */
	struct descriptor *at;
};

/* The top directory of a volume. */
struct spot_top {
	const char *path; /* as the user knows it */
	struct descriptor *at;
	uint64_t mount; /* statx mount id, 0 if the kernel has none */
	uint64_t device;
	struct spot_last *last;
	struct ntfs *ntfs; /* a raw volume; what is above is of a mounted one, but for the path */
};

struct spot {
	bool there;               /* false: there is no such thing */
	struct directory *parent; /* the directory it is in; NULL at the top */
	struct descriptor *at;    /* O_PATH; of a mounted volume */
	struct ntfs *ntfs;        /* of a raw volume, like the next two */
	struct ntfs_file *file;
	const struct ntfs_listing *listing; /* of parent */
	char *name;                         /* in parent, as the volume spells it */
	char *path;                         /* from the top, likewise */
	enum directory_flaw flaw;           /* the last of a directory on the way */
	char *flawed;                       /* its path */
	mode_t mode;
	uint64_t size;
};

/* Opens PATH, which must be a directory and outlive *TOP, for walks. What is in *TOP is on CTX. */
bool spot_top_open(TALLOC_CTX *ctx, const char *path, struct spot_top *top, struct error *err);

/* The top of a raw volume; PATH and NTFS must outlive *TOP. */
void spot_top_ntfs(const char *path, struct ntfs *ntfs, struct spot_top *top);

/*
 * Walks to PATH. All of *SPOT is allocated on CTX, but for the top itself, which may be where
 * it ends. The text of an error begins with the path.
 */
bool spot_walk(TALLOC_CTX *ctx, const struct spot_top *top, const char *path, struct spot *spot,
               struct error *err);

/* The names in the directory that a walk has come to, on CTX. */
struct directory *spot_directory(TALLOC_CTX *ctx, const struct spot_top *top,
                                 const struct spot *spot, struct error *err);

/* Of a raw volume: spot_look() and what spot_descend() opens, of spot.c. */
bool spot_ntfs_look(TALLOC_CTX *ctx, const struct spot_top *top, struct spot *spot,
                    struct error *err);
struct directory *spot_ntfs_directory(TALLOC_CTX *ctx, struct ntfs_file *file,
                                      const struct ntfs_listing **listing, struct error *err);

/* The entry of a name that the listing has. */
uint64_t spot_ntfs_reference(const struct ntfs_listing *listing, const char *name);

enum volume_kind spot_kind(const struct spot *spot);

/* Puts the path of a spot before the text of an error. Returns false. */
bool spot_wrap(const struct spot_top *top, const struct spot *spot, struct error *err);

#endif
