/*
 * recover: what the kernel does with the transaction logs of a dirty hive, in memory.
 *
 * docs/regf.md section "Logs" has the rules (facts: msuhanov/regf, measurements). The file
 * is never touched. A hive that is clean is handed back as it is, whatever its logs hold.
 * What comes out is not validated: pass it through check_image() before anything else.
 *
 * Memory: one copy of the hive unless it is recovered in place, and some bytes for every entry.
 * The recovered file is no longer than twice the hive and its logs together and 1 MiB,
 * whatever the logs say.
 */
#ifndef HIVE_RECOVER_H
#define HIVE_RECOVER_H

#include "hive/regf.h"
#include "hive/source.h"

struct recover_options {
	bool ignore_logs; /* read a dirty hive as it is */
	bool relaxed;     /* an old log may be newer than the hive it belongs to */
	bool in_place;    /* change the source's own image, where it can be, instead of a copy */
};

enum recover_condition {
	RECOVER_CLEAN,    /* nothing to do */
	RECOVER_REPLAYED, /* logs were applied */
	RECOVER_IGNORED,  /* dirty, and read as it is because the caller said so */
};

struct recovery {
	enum recover_condition condition;
	uint32_t entries;     /* log entries applied; an old log counts as one */
	uint32_t first, last; /* sequence numbers of the first and the last of them */
	char **messages;      /* what was applied, skipped, why it stopped; one line each */
	uint32_t message_count;
	bool log_missing;  /* exactly one of LOG1 and LOG2 is there */
	bool unlisted;     /* the source's: there may be logs that were not seen */
	bool transactions; /* kernel transactions may be pending: flag or files beside it */
	bool gap;          /* a damaged log lost the entries before the first applied one */
	bool base_lost;    /* the base block was bad and is a log's */
};

/*
 * The hive of SOURCE as the kernel would see it: a sealed image of the whole file, or
 * SOURCE's own when there was nothing to do or it was done in place (after which the source
 * is of no use for another recovery, but must stay). It may still be being read, if the
 * source's was: image_wait(). RECOVERY and the image are allocated on CTX; OPTIONS
 * may be NULL.
 * ERROR_BAD_NEWS for a dirty hive whose logs cannot be used (the text names the way out),
 * ERROR_SOURCE for a file that is no hive, and for a dirty one with a log that cannot be read.
 */
struct image *recover(TALLOC_CTX *ctx, const struct source *source,
                      const struct recover_options *options, struct recovery *recovery,
                      struct error *err);

/*
 * A sealed copy of a hive that is read as it is, with the base block of a clean one: sequence
 * numbers, type and checksum. All else is as it was; what the logs held is still not in it.
 */
struct image *recover_as_clean(TALLOC_CTX *ctx, const struct image *image, struct error *err);

/* What recover() would have said of logs and transactions if SOURCE could have been recovered. */
struct recovery recover_unused(const struct source *source);

/*
 * One state on the way. IMAGE is the hive after this entry, with a clean base block, so that
 * it can be opened like any other. It is valid during the call only: the pages of the next
 * entry are written over it. PAGES are those the entry brought, changed or not.
 *
 * CONSISTENT means that this is what the hive was in memory when the entry was written. That
 * cannot be taken for granted: the machine may have died while it wrote the hive itself, and
 * the hive then holds pages of entries that are still to come, which only their entry makes
 * whole. The state after N entries is called consistent if and only if
 *  (1) no entries are known to be lost before it (recovery->gap), and
 *  (2) it is the last one, which is the state that the kernel would load, or
 *  (3) the logs are of the new format, both LOG1 and LOG2 are there or neither, the hive's
 *      own base block was good, and no page that comes for the first time in a later entry
 *      already stands in the hive as any later entry has it.
 * A page is taken to be written whole or not at all. Some states that were consistent are
 * not called so: a page that an entry brings unchanged looks as if it had come too early.
 */
struct recover_state {
	uint32_t sequence;         /* of the entry; the hive's own before the first */
	const char *log;           /* the log file the entry came from, NULL before the first */
	const struct image *image; /* not sealed */
	const struct regf_log_page *pages;
	uint32_t page_count;
	bool consistent;
};

/*
 * Called for the state before the first entry (page_count 0) and after each entry; once for
 * a clean hive. The state before the first is left out if the hive's own base block is bad or
 * the file is too short for its bins. Not called for a dirty hive that is read as it is.
 */
typedef bool recover_state_fn(void *data, const struct recover_state *state, struct error *err);

/* As recover(), handing out every state; NULL with EACH's error when that returns false. */
struct image *recover_each(TALLOC_CTX *ctx, const struct source *source,
                           const struct recover_options *options, recover_state_fn *each,
                           void *data, struct recovery *recovery, struct error *err);

#endif
