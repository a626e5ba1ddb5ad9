/* What several commands print of a snapshot. */
#ifndef SNAPSHOT_CMD_CMD_SNAPSHOT_H
#define SNAPSHOT_CMD_CMD_SNAPSHOT_H

#include "snapshot/cmd/cmd.h"
#include "snapshot/verify.h"

/* id, cluster, complete, sequence, files, damage, warnings */
json_t *cmd_snapshot_json(const struct verdict *verdict, const struct problems *warnings);

/* The files as a table, the damage, then the state. */
void cmd_snapshot_print(struct cmd *cmd, const char *path, const struct verdict *verdict);

/* Is it complete, up to which transaction, and its id. */
void cmd_snapshot_print_state(const char *path, const struct verdict *verdict);

/* As messages; those that matter with --quiet too. */
void cmd_snapshot_warn(const struct cmd *cmd, const struct problems *warnings);

#endif
