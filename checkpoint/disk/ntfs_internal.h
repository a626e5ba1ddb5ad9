/* ntfs_internal: what the files of ntfs.h that call libfsntfs share. Nobody else includes it. */
#ifndef CHECKPOINT_DISK_NTFS_INTERNAL_H
#define CHECKPOINT_DISK_NTFS_INTERNAL_H

#include "checkpoint/disk/medium_io.h"
#include "checkpoint/disk/ntfs_record.h"

#define LIBFSNTFS_HAVE_BFIO 1
#include <libfsntfs.h>

struct ntfs_kept; /* a listing that was read, of ntfs_list.c */

struct ntfs {
	struct boot boot;
	struct medium_io io; /* what libfsntfs reads through */
	libbfio_handle_t *handle;
	libfsntfs_volume_t *volume;
	libfsntfs_file_entry_t *mft;
	struct ntfs_kept *kept;
};

struct ntfs_file {
	struct ntfs *ntfs;
	struct ntfs_record *base;
	struct ntfs_value *data;       /* the unnamed data; NULL: none */
	libfsntfs_file_entry_t *entry; /* opened when the data is read */
	enum ntfs_kind kind;
	uint32_t links;
};

/*
 * Before libfsntfs is called: how much it may read, MORE bytes beside what anything needs, and that
 * nothing has failed.
 */
void ntfs_begin(struct ntfs *ntfs, uint64_t more);

/*
 * "WHAT: why" of kind ERROR_SOURCE with errno EIO, of what the medium or libfsntfs said; *ERROR is
 * freed. Returns false.
 */
bool ntfs_error(struct ntfs *ntfs, libfsntfs_error_t **error, const char *what, struct error *err);

#endif
