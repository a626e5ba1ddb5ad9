/*
 * backup: BackupClusterDatabase, for nodes that are down. A snapshot is collected in memory,
 * written beside its destination, verified there, and then gets its name.
 */
#ifndef SNAPSHOT_BACKUP_H
#define SNAPSHOT_BACKUP_H

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
 */
bool backup(TALLOC_CTX *ctx, const struct backup_options *options, struct collection *collection,
            struct verdict *verdict, struct error *err);

#endif
