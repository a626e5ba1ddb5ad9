/*
 * again: an undo directory that is there, carried out once more, or back.
 *
 *	resume		a restore that was interrupted is finished
 *	rollback	a restore that was interrupted is undone
 *	undo		a restore that is complete, or not, is undone: today or next week
 *
 * Before anything is written, every file on the disk must be one that a run of clusnap has left.
 */
#ifndef SNAPSHOT_RESTORE_AGAIN_H
#define SNAPSHOT_RESTORE_AGAIN_H

#include "snapshot/restore/restore.h"

enum again { AGAIN_RESUME, AGAIN_ROLLBACK, AGAIN_UNDO };

/*
 * PATH: the undo directory. Of OPTIONS target (NULL: where it was then), quorum (likewise), carry,
 * and request.force with "changed-since" are used. RESTORE has the plan then. *BEFORE: what was
 * found. Nothing is done where nothing is to be done: CARRY_NEW for a resume, CARRY_OLD for an
 * undo; for a rollback either, if the restore has said that it is done.
 */
bool again_run(TALLOC_CTX *ctx, const struct restore_options *options, const char *path,
               enum again what, struct restore *restore, enum carry_state *before,
               struct error *err);

/* Is there something to do for WHAT? */
bool again_wanted(enum again what, const struct undo *undo, enum carry_state before);

#endif
