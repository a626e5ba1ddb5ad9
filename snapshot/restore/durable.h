/*
 * durable: does a directory survive a power cut? Not on a file system that is in memory, which is
 * what the root of a live system usually is.
 */
#ifndef SNAPSHOT_RESTORE_DURABLE_H
#define SNAPSHOT_RESTORE_DURABLE_H

#include <talloc.h>

#include "hive/error.h"

/*
 * PATH, or what is there of the way to it. *WHY, on CTX, is a sentence if it does not, else NULL.
 * ERROR_DESTINATION if that cannot be told.
 */
bool durable_check(TALLOC_CTX *ctx, const char *path, char **why, struct error *err);

#endif
