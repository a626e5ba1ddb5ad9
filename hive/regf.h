/*
 * regf: the layout of a registry hive and of its transaction logs, nothing else.
 *
 * Sources: M. Suhanov's "Windows registry file format specification", libregf's
 * documentation, and measurements on real hives; docs/regf.md says what is used of them.
 * A cell offset counts from the end of the base block (file offset 0x1000).
 */
#ifndef HIVE_REGF_H
#define HIVE_REGF_H

#include <assert.h>

#include "hive/bytes.h"

#define REGF_NIL 0xffffffffu            /* "no cell" */
#define REGF_BASE_SIZE 4096u            /* the base block; cell offsets count from its end */
#define REGF_PAGE 4096u                 /* bins are made of pages */
#define REGF_SECTOR 512u                /* the unit of logs */
#define REGF_CHECKED 508u               /* bytes of the base block under the checksum */
#define REGF_BIG 16344u                 /* most data bytes in a cell, from format 1.4 on */
#define REGF_BIG_CELL 16352u            /* every segment cell, the last one too */
#define REGF_INLINE 0x80000000u         /* in a value's size: the data is in the offset field */
#define REGF_KEY_NAME_MAX 255u          /* UTF-16 units */
#define REGF_VALUE_NAME_MAX 16383u      /* UTF-16 units */
#define REGF_DEPTH_MAX 512u             /* levels of keys, the root is level 1 */
#define REGF_LEAF_MAX 507u              /* entries in an lf or lh leaf that we write */
#define REGF_BINS_MAX 0x7ffff000u       /* largest hive bins data: an offset is 31 bits */
#define REGF_STANDARD_DATA_MAX 1048576u /* value data in format 1.3 */

struct regf_base {
	uint8_t signature[4];  /* 0x00: "regf" */
	le32 sequence1;        /* 0x04: raised when a write to the hive begins */
	le32 sequence2;        /* 0x08: made equal when it ends */
	le64 time;             /* 0x0c: FILETIME of the last write */
	le32 major;            /* 0x14: 1 */
	le32 minor;            /* 0x18: 3 to 6 */
	le32 type;             /* 0x1c: 0 hive, 1 or 2 log of dirty pages, 6 log of entries */
	le32 format;           /* 0x20: 1 */
	le32 root;             /* 0x24: cell of the root key */
	le32 bins_size;        /* 0x28: multiple of 4096 */
	le32 cluster;          /* 0x2c: 1 */
	uint8_t file_name[64]; /* 0x30: UTF-16, the end of the path; for debugging */
	uint8_t rm_id[16];     /* 0x70: resource manager (Vista and later) */
	uint8_t log_id[16];    /* 0x80 */
	le32 flags;            /* 0x90: REGF_FLAG_* */
	uint8_t tm_id[16];     /* 0x94: transaction manager */
	uint8_t rmtm[4];       /* 0xa4: "rmtm" */
	le64 reorganized;      /* 0xa8: FILETIME (Windows 8 and later) */
	uint8_t unknown_0xb0[332];
	le32 checksum; /* 0x1fc: XOR of the 127 words before it */
	uint8_t unknown_0x200[3528];
	uint8_t thaw_tm_id[16];  /* 0xfc8 */
	uint8_t thaw_rm_id[16];  /* 0xfd8 */
	uint8_t thaw_log_id[16]; /* 0xfe8 */
	le32 boot_type;          /* 0xff8 */
	le32 boot_recover;       /* 0xffc */
};
static_assert(sizeof(struct regf_base) == REGF_BASE_SIZE, "");
static_assert(offsetof(struct regf_base, checksum) == REGF_CHECKED, "");
static_assert(offsetof(struct regf_base, flags) == 0x90, "");
static_assert(offsetof(struct regf_base, thaw_tm_id) == 0xfc8, "");

enum {
	REGF_FLAG_TRANSACTIONS = 1, /* kernel transactions are pending */
	REGF_FLAG_LAYERED = 2,      /* format 1.6: keys of a differencing hive */
};

enum {
	REGF_TYPE_HIVE = 0,
	REGF_TYPE_OLD_LOG = 1,
	REGF_TYPE_OLDEST_LOG = 2,
	REGF_TYPE_NEW_LOG = 6,
};

struct regf_bin {
	uint8_t signature[4]; /* 0x00: "hbin" */
	le32 offset;          /* 0x04: from the end of the base block */
	le32 size;            /* 0x08: multiple of 4096 */
	uint8_t unknown_0x0c[8];
	le64 time; /* 0x14: FILETIME, in the first bin only */
	uint8_t unknown_0x1c[4];
};
static_assert(sizeof(struct regf_bin) == 32, "");

/* The size before every cell: negative if allocated, multiple of 8, counts itself. */
struct regf_cell {
	le32 size;
};

struct regf_key {
	uint8_t signature[2]; /* 0x00: "nk" */
	le16 flags;           /* 0x02: REGF_KEY_* */
	le64 time;            /* 0x04: FILETIME of the last write */
	uint8_t access;       /* 0x0c */
	uint8_t layer;        /* 0x0d: bits 0-1 semantics, bit 7 inherit class */
	uint8_t unknown_0x0e[2];
	le32 parent;           /* 0x10: cell */
	le32 subkeys;          /* 0x14: how many */
	le32 volatile_subkeys; /* 0x18: how many; meaningless on a disk */
	le32 subkey_list;      /* 0x1c: cell */
	le32 volatile_list;    /* 0x20: meaningless on a disk */
	le32 values;           /* 0x24: how many */
	le32 value_list;       /* 0x28: cell */
	le32 security;         /* 0x2c: cell */
	le32 class_name;       /* 0x30: cell */
	le32 max_subkey_name;  /* 0x34: bytes of UTF-16 in the low 16 bits; flags above */
	le32 max_class;        /* 0x38: bytes */
	le32 max_value_name;   /* 0x3c: bytes of UTF-16 */
	le32 max_value_data;   /* 0x40: bytes */
	le32 work;             /* 0x44 */
	le16 name_size;        /* 0x48: bytes */
	le16 class_size;       /* 0x4a: bytes */
	uint8_t name[];        /* 0x4c */
};
static_assert(sizeof(struct regf_key) == 0x4c, "");

enum {
	REGF_KEY_VOLATILE = 0x01,
	REGF_KEY_HIVE_EXIT = 0x02,
	REGF_KEY_HIVE_ENTRY = 0x04,
	REGF_KEY_NO_DELETE = 0x08,
	REGF_KEY_SYM_LINK = 0x10,
	REGF_KEY_COMP_NAME = 0x20,     /* one byte a unit, all units below 0x100 */
	REGF_KEY_PREDEF_HANDLE = 0x40, /* "values" holds a handle, 0x80000000 or more, no count */
};

/* How many values the record says there are. */
static inline uint32_t regf_value_count(const struct regf_key *nk)
{
	uint32_t count = le32_get(nk->values);

	return le16_get(nk->flags) & REGF_KEY_PREDEF_HANDLE && count >= 0x80000000 ? 0 : count;
}

struct regf_value {
	uint8_t signature[2]; /* 0x00: "vk" */
	le16 name_size;       /* 0x02: bytes; 0 is the default value */
	le32 size;            /* 0x04: bytes of data; REGF_INLINE */
	le32 data;            /* 0x08: cell, or up to 4 bytes of data */
	le32 type;            /* 0x0c: REG_* */
	le16 flags;           /* 0x10: REGF_VALUE_* */
	le16 unknown_0x12;
	uint8_t name[]; /* 0x14 */
};
static_assert(sizeof(struct regf_value) == 0x14, "");

enum {
	REGF_VALUE_COMP_NAME = 0x01,
	REGF_VALUE_TOMBSTONE = 0x02, /* layered hives: a value deleted in this layer */
};

struct regf_security {
	uint8_t signature[2]; /* 0x00: "sk" */
	le16 unknown_0x02;
	le32 next;            /* 0x04: ring of all security cells */
	le32 previous;        /* 0x08 */
	le32 references;      /* 0x0c: how many keys use it */
	le32 size;            /* 0x10: bytes of the descriptor */
	uint8_t descriptor[]; /* 0x14: self-relative */
};
static_assert(sizeof(struct regf_security) == 0x14, "");

/* lf, lh, li: a leaf of subkeys; ri: a list of leaves. */
struct regf_list {
	uint8_t signature[2];
	le16 count;
};

struct regf_leaf_entry { /* lf, lh */
	le32 key;        /* cell */
	uint8_t hint[4]; /* lf: first letters of the name; lh: its hash */
};
static_assert(sizeof(struct regf_leaf_entry) == 8, "");

struct regf_big {
	uint8_t signature[2]; /* 0x00: "db" */
	le16 count;           /* 0x02: segments */
	le32 segments;        /* 0x04: cell with an array of cells */
};
static_assert(sizeof(struct regf_big) == 8, "");

/* One entry of a new-format log; at 512, then each behind the other. */
struct regf_log_entry {
	uint8_t signature[4]; /* 0x00: "HvLE" */
	le32 size;            /* 0x04: multiple of 512 */
	le32 flags;           /* 0x08: bit 0 goes into the hive's flags */
	le32 sequence;        /* 0x0c */
	le32 bins_size;       /* 0x10: of the hive after this entry */
	le32 pages;           /* 0x14: how many page references follow */
	le64 hash1;           /* 0x18: Marvin32 of 0x28 to the end */
	le64 hash2;           /* 0x20: Marvin32 of 0x00 to 0x1f */
};
static_assert(sizeof(struct regf_log_entry) == 40, "");

struct regf_log_page {
	le32 offset; /* from the end of the base block */
	le32 size;
};

/* Value types, as Windows names them. */
enum {
	REG_NONE = 0,
	REG_SZ = 1,
	REG_EXPAND_SZ = 2,
	REG_BINARY = 3,
	REG_DWORD = 4,
	REG_DWORD_BIG_ENDIAN = 5,
	REG_LINK = 6,
	REG_MULTI_SZ = 7,
	REG_RESOURCE_LIST = 8,
	REG_FULL_RESOURCE_DESCRIPTOR = 9,
	REG_RESOURCE_REQUIREMENTS_LIST = 10,
	REG_QWORD = 11,
};

/* In the size field of a cell: it is a negative number. */
#define REGF_ALLOCATED 0x80000000u

/* Bytes of a cell, of which FIELD is the size field. */
static inline uint32_t regf_cell_size(uint32_t field)
{
	return field & REGF_ALLOCATED ? 0u - field : field;
}

/* The bin at AT, if there is one that says so; it may reach beyond the end. */
static inline const struct regf_bin *regf_bin_at(struct bytes bins, uint64_t at)
{
	const struct regf_bin *bin = bytes_at(bins, at, sizeof(*bin));

	if (!bin || memcmp(bin->signature, "hbin", 4) != 0 || le32_get(bin->offset) != at ||
	    le32_get(bin->size) == 0 || le32_get(bin->size) % REGF_PAGE)
		return NULL;
	return bin;
}

/* The size of the bin at AT, if it is there as a whole; else 0. */
static inline uint32_t regf_bin_size(struct bytes bins, uint64_t at)
{
	const struct regf_bin *bin = regf_bin_at(bins, at);

	return bin && le32_get(bin->size) <= bins.size - at ? le32_get(bin->size) : 0;
}

/* XOR of the first 127 words; 0 and 0xffffffff are moved to 1 and 0xfffffffe. */
static inline uint32_t regf_checksum(const struct regf_base *base)
{
	const uint8_t *at = (const uint8_t *)base;
	uint32_t sum = 0;

	for (unsigned i = 0; i < REGF_CHECKED; i += 4) {
		le32 word;

		memcpy(&word, at + i, 4);
		sum ^= le32_get(word);
	}
	if (sum == 0)
		return 1;
	return sum == 0xffffffff ? 0xfffffffe : sum;
}

#endif
