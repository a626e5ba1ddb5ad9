/*
 * history: what the disks still hold of the way to the newest state.
 *
 * All copies of the database, oldest first (cluster_compare), and of a copy whose logs were
 * replayed every consistent state on the way (recover_each), make one row of states. Each step
 * of it becomes a transaction of the log:
 *  - within a copy's logs one for each entry that changed something: its order is known;
 *  - between two copies one for each group of snapshot/infer.h: marked as inferred.
 * A copy's states that are not newer than what is there already are left out.
 */
#ifndef SNAPSHOT_HISTORY_H
#define SNAPSHOT_HISTORY_H

#include "checkpoint/copy.h"
#include "snapshot/quolog.h"

#define HISTORY_MAX_LOG (4u << 20)

struct history_options {
	const struct copy *copies;
	uint32_t count, newest;
	bool without_logs;              /* the hives were read as they are, or salvaged */
	struct recover_options recover; /* as the copies were read */
	uint64_t max_log;               /* bytes; 0: as the cluster has it, else HISTORY_MAX_LOG */

	/* To go on behind a log that is there: the log, and the state that it ends with. */
	const struct quolog *log;
	const struct hive *hive;
	const struct cluster *cluster;
};

struct history {
	struct quolog_writer *writer; /* header, a checkpoint "chk0001.tmp", transactions */
	const struct hive *oldest;    /* the state of that checkpoint; NULL: the log goes on */
	const struct copy *origin;    /* where it comes from */
	uint64_t transactions;
};

/*
 * The history that ends with the newest copy's state. When the log outgrows its limit it begins
 * anew with the state of that moment, and its sequence numbers go on. Everything is on CTX.
 * ERROR_REFUSED if the state to go on with is newer than all copies, or another cluster's.
 */
bool history_tell(TALLOC_CTX *ctx, const struct history_options *options, struct history *history,
                  struct error *err);

#endif
