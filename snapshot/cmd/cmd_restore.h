/* What restore, undo and the edit of a SYSTEM share. */
#ifndef SNAPSHOT_CMD_CMD_RESTORE_H
#define SNAPSHOT_CMD_CMD_RESTORE_H

#include "snapshot/cmd/cmd.h"
#include "snapshot/restore/again.h"
#include "snapshot/restore/restore.h"

struct cmd_restore_result {
	const char *text;
	bool steps;                   /* print those */
	bool undone;                  /* and they were undone */
	bool differences;             /* print those, too */
	const struct error *obstacle; /* why the plan cannot be carried out; or NULL */
};

/*
 * The plan, or what became of it, and what is to be done now. False with the error if a hive turns
 * out to be damaged.
 */
bool cmd_restore_print(struct cmd *cmd, const struct restore *restore,
                       const struct cmd_restore_result *result, struct error *err);

/* The same at the end of a command; its exit status. */
int cmd_restore_end(struct cmd *cmd, const struct restore *restore,
                    const struct cmd_restore_result *result);
int cmd_restore_fail(struct cmd *cmd, const struct restore *restore, const struct error *err);

/* cmd_progress() for carry_options. */
void cmd_restore_progress(void *cmd, const char *step, const char *what);

/* What became of a plan, in words. */
struct cmd_restore_words {
	const char *done, *waits, *unchanged;
	const char *could, *could_not; /* of a dry run */
	bool differences;              /* printed when it is done, too */
};

/* Carries a plan out, or shows it; the exit status. */
int cmd_restore_run(struct cmd *cmd, struct restore *restore, bool dry,
                    const struct cmd_restore_words *words);

/* The undo directory args[0] once more, or back; the exit status. */
int cmd_restore_again(struct cmd *cmd, const struct restore_options *options, enum again what);

/* Is PATH an undo directory, perhaps a damaged one? And is it whole; the exit status. */
bool cmd_undo_is(TALLOC_CTX *ctx, const char *path);
int cmd_undo_verify(struct cmd *cmd, const char *path);

/* What is wrong with the names that --force was given, or NULL. */
const char *cmd_restore_check_force(struct cmd *cmd, char *const *force);

/* All reasons why a restore was refused; the exit status. */
int cmd_restore_refused(struct cmd *cmd, const struct restore *restore, const struct error *err);

#endif
