/*
 * quolog_format: records and payloads as they lie in quolog.log; docs/quolog.md. Not for
 * callers of quolog.h.
 */
#ifndef SNAPSHOT_QUOLOG_FORMAT_H
#define SNAPSHOT_QUOLOG_FORMAT_H

#include "hive/bytes.h"
#include "snapshot/record.h"

#define FORMAT_VERSION 1u

static inline uint64_t format_padded(uint64_t size)
{
	return (size + 7) & ~(uint64_t)7;
}

struct record_head {          /* docs/quolog.md, Records */
	uint8_t signature[4]; /* 0x00 */
	le32 length;          /* 0x04: of the whole record, a multiple of 8 */
	le16 type;            /* 0x08 */
	le16 flags;           /* 0x0a */
	le32 number;          /* 0x0c */
	le64 sequence;        /* 0x10 */
	le64 time;            /* 0x18 */
	le32 origin_size;     /* 0x20 */
	le32 stored_size;     /* 0x24: of the payload as it is in the file */
	le32 payload_size;    /* 0x28: inflated */
	le32 zero;            /* 0x2c */
};
_Static_assert(sizeof(struct record_head) == RECORD_HEAD, "");

struct record_tail {
	uint8_t mark[4]; /* 0x00 */
	le32 crc;        /* 0x04 */
};
_Static_assert(sizeof(struct record_tail) == RECORD_TAIL, "");

struct format_header {
	le32 version;       /* 0x00: 1 */
	le32 generation;    /* 0x04 */
	le32 cluster_size;  /* 0x08 */
	le32 instance_size; /* 0x0c */
};
_Static_assert(sizeof(struct format_header) == 16, "");

struct format_checkpoint {
	uint8_t digest[32]; /* 0x00 */
	le32 name_size;     /* 0x20 */
	le32 zero;          /* 0x24 */
};
_Static_assert(sizeof(struct format_checkpoint) == 40, "");

struct format_transaction {
	le32 batch_size;     /* 0x00 */
	le32 companion_size; /* 0x04 */
};
_Static_assert(sizeof(struct format_transaction) == 8, "");

struct format_manifest {
	le32 count; /* 0x00 */
	le32 zero;  /* 0x04 */
};
_Static_assert(sizeof(struct format_manifest) == 8, "");

struct format_file {
	le32 length;        /* 0x00: of the entry, a multiple of 8 */
	le32 kind;          /* 0x04: enum layout_kind, the first four */
	le64 size;          /* 0x08 */
	uint8_t digest[32]; /* 0x10 */
	le32 path_size;     /* 0x30 */
	le32 hive_size;     /* 0x34 */
	le32 key_size;      /* 0x38 */
	le32 zero;          /* 0x3c */
};
_Static_assert(sizeof(struct format_file) == 64, "");

#endif
