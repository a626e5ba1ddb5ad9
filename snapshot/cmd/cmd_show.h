/* What the two files of `show` share. */
#ifndef SNAPSHOT_CMD_CMD_SHOW_H
#define SNAPSHOT_CMD_CMD_SHOW_H

#include "snapshot/cmd/cmd.h"

typedef bool cmd_show_parameter_fn(void *data, const char *name, const char *text,
                                   struct error *err);

/* Calls EACH for every value below RESOURCE\Parameters; secrets are masked already. */
bool cmd_show_each_parameter(TALLOC_CTX *ctx, const struct hive *hive,
                             const struct hive_key *resource, cmd_show_parameter_fn *each,
                             void *data, struct error *err);

bool cmd_show_json(struct cmd *cmd, const struct copy *copy, struct error *err);

#endif
