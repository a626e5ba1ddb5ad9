/*
 * backup: BackupClusterDatabase, for nodes that are down. A snapshot is collected in memory,
 * written beside its destination, verified there, and then gets its name.
 */
#ifndef SNAPSHOT_BACKUP_H
#define SNAPSHOT_BACKUP_H

#include "hive/publish.h"
#include "snapshot/collect.h"
#include "snapshot/verify.h"

struct backup_options {
	struct collect_options collect;
	const char *destination;
	char **copies; /* further destinations, NULL-terminated, or NULL */
};

/*
 * Fills what was collected and, of the published snapshot, what verify says (all is well). The
 * snapshot is durable when it returns true. A destination inside a SYSTEM is ERROR_REFUSED.
 *
 * collection->unchanged: the snapshot that goes on stays as it is, and so does a copy that is whole
 * and equal to it; any other copy is written. Only a torn end of its log is cut off, and a
 * snapshot whose modes let others read it is written anew, with the same bytes.
 */
bool backup(TALLOC_CTX *ctx, const struct backup_options *options, struct collection *collection,
            struct verdict *verdict, struct error *err);

/* --- for whoever makes a snapshot of another kind of collection --- */

/* The manifest of a collection's files and the marker. */
bool backup_manifest(TALLOC_CTX *ctx, struct quolog_writer *writer,
                     const struct collection *collection, uint64_t time, struct error *err);

/*
 * Writes files, LOG and marker into DIR, which was begun for PATH, verifies what was written,
 * and commits it. Of the collection, files and warnings are used.
 */
bool backup_publish(TALLOC_CTX *ctx, struct publish_dir *dir, const char *path,
                    const struct collection *collection, const struct image *log,
                    struct verdict *verdict, struct error *err);

#endif
