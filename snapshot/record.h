/*
 * record: the framing of quolog.log. docs/quolog.md is the specification; (R1) to (R9) there.
 *
 * All records of a file lie one behind the other. A walk keeps its place in a struct
 * record_place, which starts as all zeros:
 *
 *	while ((end = record_read(ctx, log, &place, &record, why)) == RECORD_GOOD)
 *		...
 */
#ifndef SNAPSHOT_RECORD_H
#define SNAPSHOT_RECORD_H

#include <talloc.h>

#include "hive/bytes.h"
#include "hive/error.h"
#include "hive/image.h"

#define RECORD_SIGNATURE "clql"
#define RECORD_SIGNATURE_SIZE 4u
#define RECORD_END_MARK "qEnd"
#define RECORD_HEAD 48u
#define RECORD_TAIL 8u
#define RECORD_ORIGIN_MAX 1024u
#define RECORD_PAYLOAD_MAX (128u << 20)
#define RECORD_DEFLATE_FROM 4096u /* smaller payloads are stored as they are */
#define RECORD_RATIO_MAX 64u      /* a payload is at most so many times what is stored */
#define RECORD_WHY 200

enum record_type {
	RECORD_HEADER = 1,
	RECORD_MANIFEST = 2,
	RECORD_CHECKPOINT = 3,
	RECORD_TRANSACTION = 4,
};

enum record_flag {
	RECORD_DEFLATED = 1,
	RECORD_INFERRED = 2, /* transaction: its place was inferred from times, not logged */
};

struct record {
	enum record_type type;
	uint16_t flags;
	uint32_t number; /* place in the file, from 0 */
	uint64_t sequence;
	uint64_t time;        /* FILETIME */
	struct bytes origin;  /* UTF-8 without control characters, in the log */
	struct bytes payload; /* inflated; in the log, or on the context of the call */
	uint64_t offset, length;
};

struct record_place {
	uint64_t offset;
	uint64_t sequence;
	uint32_t number;
	uint32_t crc;
};

enum record_result {
	RECORD_GOOD,
	RECORD_END,  /* nothing behind the last good record */
	RECORD_TORN, /* what is behind it was never written whole */
	RECORD_DAMAGED,
	RECORD_FOREIGN, /* not a quorum log of ours */
	RECORD_TOO_NEW, /* a later version of the format */
	RECORD_NO_MEMORY,
};

/*
 * The record at PLACE, which moves behind it if it is good. Otherwise PLACE and RECORD are
 * untouched and WHY is a sentence.
 */
enum record_result record_read(TALLOC_CTX *ctx, struct bytes log, struct record_place *place,
                               struct record *record, char why[RECORD_WHY]);

/* No control characters? So must an origin be. */
bool record_is_text(const uint8_t *text, uint64_t size);

/* Once more the payload of a record that record_read() found good at OFFSET. */
bool record_reread(TALLOC_CTX *ctx, struct bytes log, uint64_t offset, struct record *record,
                   char why[RECORD_WHY]);

/*
 * Writes a record to OUT from *USED on, making OUT larger as needed; PLACE moves on. Of RECORD,
 * type, flags (RECORD_INFERRED), sequence, time, origin and payload are taken; the order of
 * sequence numbers is the caller's to keep. ERROR_INTERNAL for what the format cannot hold.
 */
bool record_write(struct image *out, uint64_t *used, struct record_place *place,
                  const struct record *record, struct error *err);

#endif
