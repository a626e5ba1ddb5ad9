/*
 * torn: a log whose end was never written whole. Behind its last manifest nothing was ever
 * reported as done, so whoever appends cuts it off there, and keeps a copy.
 */
#ifndef SNAPSHOT_TORN_H
#define SNAPSHOT_TORN_H

#include "hive/problem.h"
#include "snapshot/verify.h"

/*
 * Of a verdict with a torn end: keeps the whole log as "SNAPSHOT.torn-quolog.log" beside the
 * snapshot PATH (or "-2.log" and so on), durably, and warns of it (log-torn). Does nothing if
 * the log is whole.
 */
bool torn_keep(TALLOC_CTX *ctx, const char *path, const struct verdict *verdict,
               struct problems *warnings, struct error *err);

#endif
