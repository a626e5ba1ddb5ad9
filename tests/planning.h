/*
 * planning: the journal of a restore whose files are foreseen texts, on directories that stand for
 * a node's system disk and a quorum disk.
 */
#ifndef TESTS_PLANNING_H
#define TESTS_PLANNING_H

#include "snapshot/replacement.h"

#define PLANNING_CLUSTER "Windows/Cluster"
#define PLANNING_ASIDE "clusnap-20260101T000000Z"

struct planned {
	enum journal_op op;
	enum journal_disk disk;
	const char *path;
	const char *aside; /* if there is an old file */
	uint32_t size;     /* of the new file: planning_text of its last name */
};

/* All kinds of steps, on both disks, in the order of a real restore. */
extern const struct planned planning_all[];
extern const uint32_t planning_all_count;

/* SIZE bytes: "WHICH NAME" and a newline, over and over. */
struct bytes planning_text(TALLOC_CTX *ctx, const char *which, const char *name, uint32_t size);

/*
 * The journal of those of ROWS that have something to do: a file that is not there is not set
 * aside, a directory that is there is not made. contents[i] are the new files, "new NAME". A disk
 * that is NULL is not used. Failures end the program.
 */
void planning_journal(TALLOC_CTX *ctx, struct volume *const disks[JOURNAL_DISKS],
                      const struct planned *rows, uint32_t count, struct journal *journal,
                      struct bytes **contents);

#endif
