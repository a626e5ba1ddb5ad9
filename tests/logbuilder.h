/*
 * logbuilder: hives of plain pages and transaction logs for tests, written byte by byte.
 *
 * Shares nothing with hive/: offsets, checksum and Marvin32 are written out again here.
 *
 *	uint8_t *hive = logbuilder_hive(ctx, 4, 7, 6, &size);	// 4 pages, all of 'a'
 *	struct logbuilder *log = logbuilder_new(ctx, 7, 4);
 *
 *	logbuilder_entry(log, 7, 0, 4);		// sequence, flags, pages of the hive after it
 *	logbuilder_page(log, 1, 'b');		// page 1 becomes all 'b'
 *	logbuilder_finish(log);
 *
 * A page is a bin of 4096 bytes whose contents are one letter. log->entry is where the last entry
 * begins; after changing a byte of it, logbuilder_hash makes its hashes right again.
 */
#ifndef TESTS_LOGBUILDER_H
#define TESTS_LOGBUILDER_H

#include <stddef.h>
#include <stdint.h>
#include <talloc.h>

#define LOGBUILDER_TIME 132223104000000000u

struct logbuilder {
	uint8_t *data;
	size_t size;
	size_t entry; /* where the last entry begins */
	uint32_t references;
	uint8_t *pages; /* of the entry that is being made */
	size_t pages_size;
};

/* A base block of 4096 bytes followed by PAGES bins. */
uint8_t *logbuilder_hive(TALLOC_CTX *ctx, uint32_t pages, uint32_t sequence1, uint32_t sequence2,
                         size_t *size);

/* The 4096 bytes of a bin: its header, then LETTER. */
void logbuilder_bin(uint8_t *page, uint32_t number, char letter);

/* A new log, so far only its header. */
struct logbuilder *logbuilder_new(TALLOC_CTX *ctx, uint32_t sequence, uint32_t hive_pages);

void logbuilder_entry(struct logbuilder *log, uint32_t sequence, uint32_t flags,
                      uint32_t hive_pages);
void logbuilder_page(struct logbuilder *log, uint32_t number, char letter);
/* Any reference; its bytes are LETTER. */
void logbuilder_reference(struct logbuilder *log, uint32_t offset, uint32_t size, char letter);
/* Ends on a multiple of 4096 bytes of the file, as Windows does; the padding is no zeros. */
void logbuilder_finish(struct logbuilder *log);
/* The right hashes for the entry at AT, whatever its fields say, if it is in the log. */
void logbuilder_hash(struct logbuilder *log, size_t at);

/*
 * An old log of a hive of HIVE_PAGES: each letter of SECTORS stands for 512 bytes of bins, ' '
 * for a piece that is not in the log. With remnants behind the last piece.
 */
struct logbuilder *logbuilder_old(TALLOC_CTX *ctx, uint32_t type, uint32_t sequence,
                                  uint32_t hive_pages, const char *sectors);

/* Puts the right checksum into a base block. */
void logbuilder_checksum(uint8_t *base);

uint64_t logbuilder_marvin(const uint8_t *data, size_t size);

void logbuilder_put32(uint8_t *at, uint32_t n);
uint32_t logbuilder_get32(const uint8_t *at);

#endif
