/*
 * ntfs_record: MFT records, attributes in them, and the values of attributes.
 *
 * The lower part of checkpoint/disk/ntfs.h. libfsntfs reads the data of files, but lists a
 * directory only where a cluster is as large as an index block, and shows neither initialised sizes
 * nor other attributes; so what a file is and which names a directory has is read here.
 *
 * An MFT record is "FILE", a few fields, then attributes one behind the other, each with its type
 * and length in front. In the last two bytes of each 512 the update sequence number stands in place
 * of what belongs there, which is in the array behind it; a sector with another number was not
 * written with the rest. An attribute list (type 0x20) names the records that hold the attributes
 * of a file, where one record is not enough; a value may be cut into parts there, by clusters.
 */
#ifndef CHECKPOINT_DISK_NTFS_RECORD_H
#define CHECKPOINT_DISK_NTFS_RECORD_H

#include "checkpoint/disk/ntfs.h"

#define NTFS_TYPE_INFORMATION 0x10u
#define NTFS_TYPE_LIST 0x20u
#define NTFS_TYPE_NAME 0x30u
#define NTFS_TYPE_VOLUME 0x70u
#define NTFS_TYPE_DATA 0x80u
#define NTFS_TYPE_INDEX_ROOT 0x90u
#define NTFS_TYPE_INDEX 0xa0u
#define NTFS_TYPE_BITMAP 0xb0u
#define NTFS_TYPE_REPARSE 0xc0u

struct ntfs_attribute {
	le32 type;
	le32 length;
	uint8_t non_resident; /* 0x08 */
	uint8_t name_length;  /* in units */
	le16 name;
	le16 flags; /* 0x0c */
	le16 id;
	union {
		struct {
			le32 size; /* 0x10 */
			le16 offset;
			le16 indexed;
		} resident;
		struct {
			le64 first; /* 0x10: cluster */
			le64 last;
			le16 runs; /* 0x20: offset */
			uint8_t unknown_0x22[6];
			le64 allocated; /* 0x28: this and what follows in the first part only */
			le64 size;
			le64 initialised; /* 0x38 */
		} outside;
	};
};

struct ntfs_record {
	uint64_t number;
	uint32_t flags;
	uint16_t sequence;
	uint64_t base;       /* reference of the base record; 0 in one */
	struct bytes bytes;  /* as far as they are used, whole again */
	uint32_t attributes; /* offset of the first one */
};

#define NTFS_RECORD_USED 0x0001u
#define NTFS_RECORD_DIRECTORY 0x0002u

/* Reads the record NUMBER. ERROR_SOURCE with errno EIO if it is damaged. */
struct ntfs_record *ntfs_record_read(TALLOC_CTX *ctx, struct ntfs *ntfs, uint64_t number,
                                     struct error *err);

/*
 * The attribute behind AFTER, or the first one if that is NULL; NULL at the end. Its whole length
 * lies in the record.
 */
const struct ntfs_attribute *ntfs_record_next(const struct ntfs_record *record,
                                              const struct ntfs_attribute *after);

/* The value of a resident attribute; no bytes if it does not lie in it. */
struct bytes ntfs_record_value(const struct ntfs_attribute *attribute);

/*
 * Puts back the bytes at the end of each 512 of BLOCK, which begins with SIGNATURE; the offset and
 * length of the update sequence are at 4 and 6.
 */
bool ntfs_record_fix(uint8_t *block, uint32_t size, const char *signature, struct error *err);

/* "WHAT" of kind ERROR_SOURCE with errno EIO. Returns false. */
bool ntfs_record_damaged(struct error *err, const char *what);

/* --- values, of ntfs_value.c --- */

struct ntfs_value {
	bool resident;
	uint16_t flags;
	uint64_t size;
	uint64_t initialised; /* what lies behind it reads as zeros */
	uint64_t allocated;
	uint8_t *data;               /* if resident */
	struct ntfs_extent *extents; /* else, in order */
	uint32_t extent_count;
};

/*
 * The value of the attribute TYPE with the name NAME (ASCII) of the file with the base record BASE,
 * on CTX; *VALUE is NULL if it has none.
 */
bool ntfs_value_open(TALLOC_CTX *ctx, struct ntfs *ntfs, const struct ntfs_record *base,
                     uint32_t type, const char *name, struct ntfs_value **value, struct error *err);

/* Reads SIZE bytes from OFFSET on, which lie in the value. Not for compressed ones. */
bool ntfs_value_read(struct ntfs *ntfs, const struct ntfs_value *value, uint64_t offset,
                     void *buffer, size_t size, struct error *err);

/*
 * Calls SEE for every attribute of a file, in its base record and in those of its list, until that
 * is false.
 */
typedef bool ntfs_see_fn(void *data, const struct ntfs_attribute *attribute, struct error *err);
bool ntfs_value_each(struct ntfs *ntfs, const struct ntfs_record *base, ntfs_see_fn *see,
                     void *data, struct error *err);

#endif
