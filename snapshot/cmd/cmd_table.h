/* Tables of libsmartcols with text from disks in them. */
#ifndef SNAPSHOT_CMD_CMD_TABLE_H
#define SNAPSHOT_CMD_CMD_TABLE_H

#include <libsmartcols/libsmartcols.h>

#include "snapshot/cmd/cmd.h"

/* An empty table, to be released with scols_unref_table(); NULL if there is no memory. */
struct libscols_table *cmd_table_new(void);

/*
 * Puts TEXT (NULL is "") there, control characters made visible, and without a UTF-8 locale "?"
 * for each character that is not ASCII. False without memory.
 */
bool cmd_table_cell(TALLOC_CTX *ctx, struct libscols_line *line, unsigned column, const char *text);

#endif
