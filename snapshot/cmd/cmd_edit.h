/* What edit, checkpoint add and checkpoint remove share. */
#ifndef SNAPSHOT_CMD_CMD_EDIT_H
#define SNAPSHOT_CMD_CMD_EDIT_H

#include "snapshot/buffer.h"
#include "snapshot/cmd/cmd.h"
#include "snapshot/edit.h"

/* Publishes the edit and says what came of it; the exit status. */
int cmd_edit_end(struct cmd *cmd, struct edit *edit, const char *origin);

#endif
