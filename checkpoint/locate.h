/*
 * locate: where on a disk the thing is that a checkpoint names, and which checkpoints meet.
 * The inside of checkpoints_read(), its only user.
 */
#ifndef CHECKPOINT_LOCATE_H
#define CHECKPOINT_LOCATE_H

#include "checkpoint/checkpoint.h"

/* Fills what depends on the disk, and the parts of crypto checkpoints. SYSTEM may be NULL. */
bool locate_all(TALLOC_CTX *ctx, struct checkpoints *points, struct system *system,
                struct error *err);

/* Fills overlaps and says them. After locate_all(). */
bool overlap_find(TALLOC_CTX *ctx, struct checkpoints *points, struct error *err);

/* Adds a problem to one checkpoint and, with its name in front, to the whole list. */
void checkpoint_problem(struct checkpoints *points, const struct checkpoint *point,
                        const char *code, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

#endif
