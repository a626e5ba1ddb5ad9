/*
 * batch: the changes of one transaction as an [MS-CMRP] 2.2.3.17 CLUSTER_REG_BATCH_UPDATE,
 * which ClusterRegBatch could carry out on a live cluster, and beside it the companion: what
 * a batch has no words for. docs/quolog.md, "Batch" and "Companion", is the specification.
 *
 *	struct batch *batch = batch_new(ctx, &err);
 *
 *	diff_subtrees(a, &key_a, b, &key_b, NULL, batch_put, batch, &err);
 *	batch_finish(batch, &transaction.batch, &transaction.companion, &err);
 *
 * batch_read() gives back exactly the changes that were put, in their order (but for old_*).
 */
#ifndef SNAPSHOT_BATCH_H
#define SNAPSHOT_BATCH_H

#include <talloc.h>

#include "hive/change.h"

struct batch; /* a talloc object */

struct batch *batch_new(TALLOC_CTX *ctx, struct error *err);

/*
 * A change_fn: adds a change, which must have passed change_check. ERROR_REFUSED for more than
 * a record can hold.
 */
bool batch_put(void *batch, const struct change *change, struct error *err);

/* How many changes were put. */
uint64_t batch_count(const struct batch *batch);

/* Both parts, in BATCH, which can be used again after batch_clear(). */
bool batch_finish(struct batch *batch, struct bytes *commands, struct bytes *companion,
                  struct error *err);
void batch_clear(struct batch *batch);

struct batch_reader; /* a talloc object; its memory is used again for every batch */

struct batch_reader *batch_reader_new(TALLOC_CTX *ctx, struct error *err);

/*
 * Calls EACH with every change; not all of them have passed change_check. ERROR_SOURCE, with
 * the number of the command, for what is malformed; EACH may have been called by then.
 */
bool batch_read(struct batch_reader *reader, struct bytes commands, struct bytes companion,
                change_fn *each, void *data, struct error *err);

/* The same for one batch alone. */
bool batch_each(struct bytes commands, struct bytes companion, change_fn *each, void *data,
                struct error *err);

#endif
