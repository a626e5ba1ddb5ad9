/*
 * In place of ntfs.c and its kin where clusnap is built without libfsntfs (make DISKS=no): a volume
 * that is not mounted cannot be read. Otherwise there is nothing here.
 */
#include "checkpoint/disk/ntfs.h"

#ifdef WITHOUT_DISKS

const char *ntfs_library(void)
{
	return "without libfsntfs (DISKS=no): volumes are read only where they are mounted";
}

static bool none(struct error *err)
{
	return error_set(err, ERROR_SOURCE,
	                 "is an NTFS volume, and this clusnap was built without libfsntfs; mount "
	                 "the volume for reading and name the directory");
}

struct ntfs *ntfs_open(TALLOC_CTX *ctx, struct medium *medium, const struct boot *boot,
                       struct error *err)
{
	(void)ctx;
	(void)medium;
	(void)boot;
	none(err);
	return NULL;
}

/* What follows is never reached: there is no struct ntfs. */

const struct boot *ntfs_boot(const struct ntfs *ntfs)
{
	(void)ntfs;
	return NULL;
}

bool ntfs_flags(struct ntfs *ntfs, uint16_t *flags, struct error *err)
{
	(void)ntfs;
	(void)flags;
	return none(err);
}

struct ntfs_file *ntfs_file_open(TALLOC_CTX *ctx, struct ntfs *ntfs, uint64_t reference,
                                 struct error *err)
{
	(void)ctx;
	(void)ntfs;
	(void)reference;
	none(err);
	return NULL;
}

enum ntfs_kind ntfs_file_kind(const struct ntfs_file *file)
{
	(void)file;
	return NTFS_SPECIAL;
}

uint64_t ntfs_file_size(const struct ntfs_file *file)
{
	(void)file;
	return 0;
}

uint64_t ntfs_file_reference(const struct ntfs_file *file)
{
	(void)file;
	return 0;
}

uint32_t ntfs_file_links(const struct ntfs_file *file)
{
	(void)file;
	return 0;
}

uint16_t ntfs_file_flags(const struct ntfs_file *file)
{
	(void)file;
	return 0;
}

bool ntfs_read(struct ntfs_file *file, uint64_t offset, void *buffer, size_t size, size_t *got,
               struct error *err)
{
	(void)file;
	(void)offset;
	(void)buffer;
	(void)size;
	(void)got;
	return none(err);
}

struct image *ntfs_image(TALLOC_CTX *ctx, struct ntfs_file *file, struct error *err)
{
	(void)ctx;
	(void)file;
	none(err);
	return NULL;
}

bool ntfs_extents(TALLOC_CTX *ctx, struct ntfs_file *file, struct ntfs_extent **extents,
                  uint32_t *count, struct error *err)
{
	(void)ctx;
	(void)file;
	(void)extents;
	(void)count;
	return none(err);
}

const struct ntfs_value *ntfs_file_data(const struct ntfs_file *file)
{
	(void)file;
	return NULL;
}

struct ntfs *ntfs_file_volume(const struct ntfs_file *file)
{
	(void)file;
	return NULL;
}

const struct ntfs_record *ntfs_file_record(const struct ntfs_file *file)
{
	(void)file;
	return NULL;
}

struct ntfs_kept **ntfs_kept(struct ntfs *ntfs)
{
	(void)ntfs;
	return NULL;
}

bool ntfs_read_mft(struct ntfs *ntfs, uint64_t offset, void *buffer, size_t size, size_t *got,
                   struct error *err)
{
	(void)ntfs;
	(void)offset;
	(void)buffer;
	(void)size;
	(void)got;
	return none(err);
}

bool ntfs_read_raw(struct ntfs *ntfs, uint64_t offset, void *buffer, size_t size, struct error *err)
{
	(void)ntfs;
	(void)offset;
	(void)buffer;
	(void)size;
	return none(err);
}

#endif
