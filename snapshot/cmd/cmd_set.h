/* A change that is written as words: KEY NAME TYPE DATA, as reg add takes it. */
#ifndef SNAPSHOT_CMD_CMD_SET_H
#define SNAPSHOT_CMD_CMD_SET_H

#include "hive/change.h"
#include "snapshot/cmd/cmd.h"

/*
 * WORDS are KEY NAME TYPE DATA. TYPE is REG_SZ, REG_EXPAND_SZ, REG_MULTI_SZ (DATA with "\0" between
 * the texts), REG_DWORD, REG_QWORD (decimal, or hexadecimal with 0x), REG_BINARY or REG_NONE
 * (hexadecimal digits), with or without REG_. NAME "" is the default value. ERROR_USAGE.
 */
bool cmd_set(struct cmd *cmd, char *const words[4], struct change *change, struct error *err);

#endif
