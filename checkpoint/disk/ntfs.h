/*
 * ntfs: an NTFS volume that is read from a medium, by libfsntfs.
 *
 *	struct ntfs *ntfs = ntfs_open(ctx, medium, &err);
 *	struct ntfs_file *top = ntfs_file_open(ctx, ntfs, NTFS_TOP, &err);
 *	const struct ntfs_listing *listing = ntfs_list(top, &err);	// names, and what they
 *refer to struct ntfs_file *file = ntfs_file_open(ctx, ntfs, listing->references[0], &err); struct
 *image *image = ntfs_image(ctx, file, &err);
 *
 * The volume is not trusted. libfsntfs reads $MFT and the data of files, through the medium, and
 *what it reads is counted there: a volume that leads it in circles ends with an error. What a file
 *is, and which names a directory has, is read here (checkpoint/disk/ntfs_record.h). Errors are of
 *kind ERROR_SOURCE and do not name the volume or the file, which the caller knows. A file must be
 *freed before its volume.
 *
 * ntfs.c and ntfs_file.c alone include libfsntfs.h; a build without the library (DISKS=no) has
 * ntfs_none.c instead.
 */
#ifndef CHECKPOINT_DISK_NTFS_H
#define CHECKPOINT_DISK_NTFS_H

#include "checkpoint/disk/boot.h"
#include "hive/image.h"

struct ntfs;      /* a talloc object */
struct ntfs_file; /* likewise: a file, directory or link */
struct ntfs_record;
struct ntfs_value;

/* A file reference: the number of its MFT record in 48 bits, above them its sequence number. */
#define NTFS_NUMBER ((UINT64_C(1) << 48) - 1)
#define NTFS_MFT 0u
#define NTFS_LOG 2u
#define NTFS_VOLUME 3u
#define NTFS_TOP 5u         /* the top directory; references without a sequence number fit any */
#define NTFS_FIRST_USER 16u /* files of lower numbers are NTFS's own */

/* "libfsntfs 20200921", or that this program was built without it. */
const char *ntfs_library(void);

/* MEDIUM must outlive the volume and begin with the boot sector BOOT. */
struct ntfs *ntfs_open(TALLOC_CTX *ctx, struct medium *medium, const struct boot *boot,
                       struct error *err);
const struct boot *ntfs_boot(const struct ntfs *ntfs);

/* The flags of $VOLUME_INFORMATION. */
#define NTFS_FLAG_DIRTY 0x0001u
bool ntfs_flags(struct ntfs *ntfs, uint16_t *flags, struct error *err);

enum ntfs_kind {
	NTFS_FILE,
	NTFS_DIRECTORY,
	NTFS_LINK,    /* a reparse point of any kind, or a link as ntfs-3g makes them */
	NTFS_SPECIAL, /* a device, as ntfs-3g makes them */
};

/*
 * Opens what REFERENCE stands for. ERROR_SOURCE with errno ENOENT if that MFT record is free or
 * another file's by now.
 */
struct ntfs_file *ntfs_file_open(TALLOC_CTX *ctx, struct ntfs *ntfs, uint64_t reference,
                                 struct error *err);

enum ntfs_kind ntfs_file_kind(const struct ntfs_file *file);
uint64_t ntfs_file_size(const struct ntfs_file *file); /* of its unnamed data, in bytes */
uint64_t ntfs_file_reference(const struct ntfs_file *file);
uint32_t ntfs_file_links(
	const struct ntfs_file *file); /* names, those of 8.3 beside others aside */

/* What is said of the unnamed data of a file as a whole: attribute flags. */
#define NTFS_COMPRESSED 0x0001u
#define NTFS_ENCRYPTED 0x4000u
#define NTFS_SPARSE 0x8000u
uint16_t ntfs_file_flags(const struct ntfs_file *file);

/* Reads SIZE bytes from OFFSET on, or as many as there are. */
bool ntfs_read(struct ntfs_file *file, uint64_t offset, void *buffer, size_t size, size_t *got,
               struct error *err);

/* The whole of a file, sealed. Parts that take no room on the volume take none in memory. */
struct image *ntfs_image(TALLOC_CTX *ctx, struct ntfs_file *file, struct error *err);

/* Where the data of a file lies on the volume; none if it lies in its MFT record. */
struct ntfs_extent {
	uint64_t offset; /* in the volume; 0 if sparse */
	uint64_t size;   /* whole clusters */
	bool sparse;
};
bool ntfs_extents(TALLOC_CTX *ctx, struct ntfs_file *file, struct ntfs_extent **extents,
                  uint32_t *count, struct error *err);

/* The same as the MFT record has it, read by ourselves, and what else is said there of the data. */
const struct ntfs_value *ntfs_file_data(const struct ntfs_file *file); /* NULL: it has none */

/* Bytes of $MFT, and of the volume as it lies there. */
bool ntfs_read_mft(struct ntfs *ntfs, uint64_t offset, void *buffer, size_t size, size_t *got,
                   struct error *err);
bool ntfs_read_raw(struct ntfs *ntfs, uint64_t offset, void *buffer, size_t size,
                   struct error *err);

/*
 * The long (or only) names in a directory as UTF-8, in the order of the volume, without NTFS's own
 * files; kept by the volume, so that a directory is read once.
 */
struct ntfs_listing {
	char **names;
	uint64_t *references;
	uint32_t count;
};
const struct ntfs_listing *ntfs_list(struct ntfs_file *directory, struct error *err);

/* Where the volume keeps what it has listed; NULL at first. */
struct ntfs_kept;
struct ntfs_kept **ntfs_kept(struct ntfs *ntfs);

/* What of a file ntfs_list() reads. */
struct ntfs *ntfs_file_volume(const struct ntfs_file *file);
const struct ntfs_record *ntfs_file_record(const struct ntfs_file *file);

#endif
