/* What the command restore prints. */
#ifndef SNAPSHOT_CMD_CMD_RESTORE_H
#define SNAPSHOT_CMD_CMD_RESTORE_H

#include "snapshot/cmd/cmd.h"
#include "snapshot/restore/restore.h"

struct cmd_restore_result {
	const char *text;
	bool undone;                  /* the steps are those that were undone */
	bool differences;             /* print those, too */
	const struct error *obstacle; /* why the plan cannot be carried out; or NULL */
};

/*
 * The plan, or what became of it, and what is to be done now. False with the error if a hive turns
 * out to be damaged.
 */
bool cmd_restore_print(struct cmd *cmd, const struct restore *restore,
                       const struct cmd_restore_result *result, struct error *err);

/* All reasons why a restore was refused; the exit status. */
int cmd_restore_refused(struct cmd *cmd, const struct restore *restore, const struct error *err);

#endif
