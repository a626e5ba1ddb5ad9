/* What the command restore prints. */
#ifndef SNAPSHOT_CMD_CMD_RESTORE_H
#define SNAPSHOT_CMD_CMD_RESTORE_H

#include "snapshot/cmd/cmd.h"
#include "snapshot/restore.h"

/*
 * The plan, or with DONE what became of it, and what is to be done now. DIFFERENCES: print those,
 * too. False with the error if a hive turns out to be damaged.
 */
bool cmd_restore_print(struct cmd *cmd, const struct restore *restore, const char *result,
                       bool differences, struct error *err);

/* All reasons why a restore was refused; the exit status. */
int cmd_restore_refused(struct cmd *cmd, const struct restore *restore, const struct error *err);

#endif
