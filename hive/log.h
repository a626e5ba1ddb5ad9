/*
 * log: one transaction log of a hive, of either format. It only reads; see hive/recover.h
 * for what becomes of what it finds. docs/regf.md, section "Logs", numbers the clauses.
 *
 * Calling sequence:
 *
 *	log_read(name, bytes, &log, &err);			// is it a log that can be used?
 *	if (log_is_new(&log))
 *		log_entries(ctx, &log, room, &entries, &err);	// all up to the first bad one
 *	else
 *		log_dirty_pages(ctx, &log, room, &entry, &err);	// the log as one entry
 *
 * Whatever is handed out was checked to lie inside the log, and to reach no further into the
 * hive file than ROOM bytes: the caller says how far it lets the hive grow.
 */
#ifndef HIVE_LOG_H
#define HIVE_LOG_H

#include <talloc.h>

#include "hive/error.h"
#include "hive/regf.h"

struct log {
	const char *name;      /* for messages; the caller's */
	struct bytes bytes;    /* the whole file; the caller's */
	struct regf_base base; /* its first 512 bytes, zeros behind them */
};

/* Some pages of the hive: an entry of a new log, or all that an old log holds. */
struct log_entry {
	uint32_t sequence;
	uint32_t flags;     /* of the entry; 0 in an old log */
	uint32_t bins_size; /* of the hive after it */
	const struct regf_log_page *pages;
	uint32_t page_count;
	struct bytes data; /* of all pages, one behind the other */
};

struct log_entries {
	struct log_entry *list; /* talloc array */
	uint32_t count;
	uint64_t end; /* where in the log the good entries end */
	char *why;    /* why no more of them are good; NULL at the end of the file */
};

/* Base blocks: the first 512 bytes of FILE if they have signature and checksum (L1, L2). */
bool log_base(struct bytes file, struct regf_base *base, struct error *err);

/* A log that can be used at all (L1 to L5); its entries are another matter. */
bool log_read(const char *name, struct bytes bytes, struct log *log, struct error *err);

static inline bool log_is_new(const struct log *log)
{
	return le32_get(log->base.type) == REGF_TYPE_NEW_LOG;
}

static inline uint32_t log_sequence(const struct log *log)
{
	return le32_get(log->base.sequence1);
}

/* Sequence numbers wrap around: A comes before B if it is up to 2^31 steps behind. */
static inline bool log_older(uint32_t a, uint32_t b)
{
	return a - b >= 0x80000000;
}

/* The entries of a new log up to the first that is not valid (E1 to E9), in log order. */
bool log_entries(TALLOC_CTX *ctx, const struct log *log, uint64_t room, struct log_entries *entries,
                 struct error *err);

/* The pages of an old log (D1 to D4); entry->pages is allocated on CTX. */
bool log_dirty_pages(TALLOC_CTX *ctx, const struct log *log, uint64_t room, struct log_entry *entry,
                     struct error *err);

#endif
