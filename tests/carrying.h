/*
 * carrying: plans with real hives and logs (tests/logbuilder.h) on plain directories, carried out,
 * and what a hive is at any moment in the eyes of whoever loads it.
 *
 *	struct undo *undo = carrying_plan(ctx, &carrying_rows[i], directory);
 *
 *	undoing_disks(undo, UNDO_OLD);
 *	carrying_out(undo, UNDO_NEW, 0, &err);
 *	carrying_judge(undo);			// NULL: each hive is old, new or refused
 */
#ifndef TESTS_CARRYING_H
#define TESTS_CARRYING_H

#include "snapshot/restore/carry.h"
#include "tests/undoing.h"

/* A plan; its letters are pages, "" is a hive that is not there. */
struct carrying_row {
	const char *name;
	const char *old;   /* pages of CLUSDB */
	uint32_t one, two; /* its sequence numbers */
	const char *log1,
		*log2; /* pages that entries write, from 7 and 7 + strlen(log1) on; or NULL */
	const char *new;
	enum {
		CARRYING_NO_BASE = 1,  /* the old hive's first sector is lost */
		CARRYING_CUT = 2,      /* it ends in the middle of a sector */
		CARRYING_OTHERS = 4,   /* and SOFTWARE, files of transactions, a quorum disk */
		CARRYING_ONE_DISK = 8, /* which is the same directory */
		CARRYING_OLD_LOG = 16, /* log1 is one of the old format, a letter a sector */
	} flags;
};

extern const struct carrying_row carrying_rows[];
extern const size_t carrying_count;

/* A plan whose disks lie in DIRECTORY, as restore makes it; its undo->path is a foreseen one. */
struct undo *carrying_plan(TALLOC_CTX *ctx, const struct carrying_row *row, const char *directory);

/* --- the disks in memory --- */

/* One for each file of the plan; a directory that is there has no bytes. */
struct carrying_file {
	bool there;
	struct bytes bytes;
};

/* What is on the disks now, on CTX. */
struct carrying_file *carrying_take(TALLOC_CTX *ctx, const struct undo *undo);

/* Makes them so. */
void carrying_put(const struct undo *undo, const struct carrying_file *files);

/* What is on the disks of a plan at WHEN. */
struct carrying_file *carrying_at(TALLOC_CTX *ctx, const struct undo *undo, enum undo_when when);

/*
 * Is each hive in FILES, with its logs, what it was before, or will be, or refused? NULL, or what
 * is wrong, on CTX. *REFUSED counts those that are.
 */
char *carrying_judge(TALLOC_CTX *ctx, const struct undo *undo, const struct carrying_file *files,
                     unsigned *refused);

/* --- carried out --- */

enum { CARRYING_FORCE = 1, CARRYING_NO_LOOK = 2 };

/* Looks, and carries it out. */
bool carrying_out(const struct undo *undo, enum undo_when to, int how, struct error *err);

/* Looks only. */
bool carrying_look(const struct undo *undo, bool force, enum carry_state *state, struct error *err);

#endif
