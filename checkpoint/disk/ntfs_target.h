/*
 * ntfs_target: data of files of a raw NTFS volume, written over where it lies.
 *
 *	problems = problems_new(ctx);
 *	target = ntfs_target_open(ctx, "/dev/sdb2", problems, &err);	// holds the volume
 *	file = ntfs_target_file(ctx, target, "Windows/Cluster/CLUSDB", problems, &err);
 *	if (!file || problems->count) ...				// each reason by its code
 *	ntfs_target_write(file, 512, bytes, &err) && ntfs_target_sync(target, &err);
 *	image = ntfs_target_read_back(ctx, file, &err);			// compare
 *
 * Nothing but sectors of the files' own clusters, below the files' sizes but for the rest of a last
 * sector, is ever written: no size, time, name or journal changes, and so no power cut can do more
 * than tear data. What cannot be done so is refused; these are the reasons, as codes of problems:
 *
 *	volume-in-use		mounted, behind a loop device, or locked by another program
 *	volume-dirty		marked as to be checked, or its journal was not closed
 *	volume-cut		longer than its device or image
 *	file-resident		the data lies in the MFT record
 *	file-sparse, file-compressed, file-encrypted
 *	file-uninitialised	part of it was never written, and reads as zeros whatever lies there
 *	file-linked		it has more than one name, in other directories perhaps
 *	file-damaged		where its data lies cannot be: outside the volume, twice, too
 *little, in NTFS's own files, or libfsntfs reads it otherwise than we do
 *
 * That Windows is hibernated is told by checkpoint/disk/system.h.
 *
 * One descriptor reads and writes, O_DIRECT where that can be had: what is read back comes from the
 * disk. A block device is open O_EXCL; an image is locked (F_OFD_SETLK), which others may not ask.
 */
#ifndef CHECKPOINT_DISK_NTFS_TARGET_H
#define CHECKPOINT_DISK_NTFS_TARGET_H

#include "checkpoint/disk/volume.h"
#include "hive/problem.h"

struct ntfs_target;      /* a talloc object; the volume is let go when it is freed */
struct ntfs_target_file; /* likewise; must be freed before its target */

/*
 * Opens the raw volume PATH for writing, and holds it. What speaks against writing is added to
 * REASONS. NULL if it cannot be held: ERROR_REFUSED with the reason volume-in-use, or ERROR_SOURCE
 * if it is no raw volume or cannot be opened. With other reasons it is opened, and the caller
 * decides.
 */
struct ntfs_target *ntfs_target_open(TALLOC_CTX *ctx, const char *path, struct problems *reasons,
                                     struct error *err);

uint32_t ntfs_target_sector(const struct ntfs_target *target); /* bytes written in one piece */

/* The volume, read through the descriptor that is held; with nothing kept from before. */
struct volume *ntfs_target_volume(TALLOC_CTX *ctx, struct ntfs_target *target, struct error *err);

/*
 * Opens a file for writing. What speaks against it is added to REASONS, and the file can then be
 * read and not written. NULL (ERROR_SOURCE) if there is no such regular file, or it cannot be read.
 */
struct ntfs_target_file *ntfs_target_file(TALLOC_CTX *ctx, struct ntfs_target *target,
                                          const char *path, struct problems *reasons,
                                          struct error *err);

uint64_t ntfs_target_size(const struct ntfs_target_file *file);
const char *ntfs_target_path(const struct ntfs_target_file *file); /* as the volume spells it */

/* Reads SIZE bytes at OFFSET, inside the size, from where writing puts them. */
bool ntfs_target_read(struct ntfs_target_file *file, uint64_t offset, void *buffer, size_t size,
                      struct error *err);

/*
 * Writes BYTES at OFFSET, inside the size. Sectors that are covered in part are read first. Each
 * piece that lies in one is one write; so 512 bytes at a multiple of 512 are written as one sector
 * where sectors have 512 bytes. ERROR_DESTINATION if it fails, and nobody knows then how much was
 * written; ERROR_REFUSED if there was a reason against it.
 */
bool ntfs_target_write(struct ntfs_target_file *file, uint64_t offset, struct bytes bytes,
                       struct error *err);

/*
 * What was written is on the disk. After a failure (ERROR_DESTINATION) nobody knows; and no later
 * call succeeds.
 */
bool ntfs_target_sync(struct ntfs_target *target, struct error *err);

/* The whole file, as libfsntfs reads it from the disk now. */
struct image *ntfs_target_read_back(TALLOC_CTX *ctx, struct ntfs_target_file *file,
                                    struct error *err);

#endif
