/*
 * recover: what the kernel does with the transaction logs of a dirty hive, in memory.
 *
 * docs/regf.md section "Logs" has the rules (facts: msuhanov/regf, measurements). The source
 * is never touched. A hive that is clean is handed back as it is, whatever its logs hold.
 */
#ifndef HIVE_RECOVER_H
#define HIVE_RECOVER_H

#include "hive/source.h"

struct recover_options {
	bool ignore_logs;	/* read a dirty hive as it is */
	bool relaxed;		/* an old log may be newer than the hive it belongs to */
};

enum recover_condition {
	RECOVER_CLEAN,		/* nothing to do */
	RECOVER_REPLAYED,	/* logs were applied */
	RECOVER_IGNORED,	/* dirty, and read as it is because the caller said so */
};

struct recovery {
	enum recover_condition condition;
	uint32_t entries;	/* log entries applied; an old log counts as one */
	uint32_t first, last;	/* sequence numbers of the first and the last of them */
	char **messages;	/* what was applied, skipped, why it stopped; one line each */
	uint32_t message_count;
	bool log_missing;	/* exactly one of LOG1 and LOG2 is there */
	bool transactions;	/* kernel transactions may be pending: flag or files beside it */
};

/*
 * The hive of SOURCE as the kernel would see it: a sealed image of the whole file, or
 * SOURCE's own when there was nothing to do. RECOVERY and the image are allocated on CTX.
 * ERROR_BAD_NEWS for a dirty hive whose logs cannot be used (the text names the way out),
 * ERROR_SOURCE for a file that is no hive.
 */
struct image *recover(TALLOC_CTX *ctx, const struct source *source,
		      const struct recover_options *options, struct recovery *recovery,
		      struct error *err);

/*
 * One consistent state on the way. IMAGE is the hive after this entry, valid during the call
 * only (the pages of the next entry are written over it); PAGES are those the entry changed.
 */
struct recover_state {
	uint32_t sequence;
	const char *log;		/* name of the log file the entry came from */
	struct bytes image;
	const struct regf_log_page *pages;
	uint32_t page_count;
};

/* Called for the state before the first entry (page_count 0) and after each entry. */
typedef bool recover_state_fn(void *data, const struct recover_state *state, struct error *err);

/* As recover(), handing out every consistent state; stops when EACH returns false. */
struct image *recover_each(TALLOC_CTX *ctx, const struct source *source,
			   const struct recover_options *options, recover_state_fn *each,
			   void *data, struct recovery *recovery, struct error *err);

#endif
