/*
 * legacy: what the restore of clusnap 0.1 left on a node's disk: a directory clusnap-<UTC time> in
 * Cluster, with the old files and their list (journal.json while it was going on, list.json
 * afterwards). It is recognised, and can be undone by today's engine.
 */
#ifndef SNAPSHOT_RESTORE_LEGACY_H
#define SNAPSHOT_RESTORE_LEGACY_H

#include "snapshot/restore/restore.h"

/*
 * Adds a problem for each such directory on the disk of COPY: restore-unfinished, which sets
 * *FOUND, or the note set-aside.
 */
bool legacy_status(struct copy *copy, bool *found, struct error *err);

/* Is PATH, as a user gave it, such a directory? */
bool legacy_is(TALLOC_CTX *ctx, const char *path);

/*
 * A plan that puts back every old file of the directory PATH (its name counts, it is looked up in
 * Cluster on the target); then restore_run(). ERROR_SOURCE if its list cannot be read, or an
 * old file is not there whole.
 */
bool legacy_plan(TALLOC_CTX *ctx, const struct restore_options *options, const char *path,
                 struct restore *restore, struct error *err);

#endif
