/*
 * infer: what may have happened between two copies of a database when no log says it.
 *
 * The changes that lead from one to the other are grouped and ordered by the times at which
 * the keys they touch were last written:
 *  - what is of a key belongs to the key's time in the newer copy, if that is another than
 *    in the older one;
 *  - a new key comes with the earliest of its own time and those of the new keys below it;
 *  - a deleted key belongs to the time of its parent, or to that of the new key that takes
 *    its name in another letter case;
 *  - what cannot be placed comes in the last group.
 * Carried out in order, all groups together give the newer copy exactly. The states between
 * are likely, not known.
 */
#ifndef SNAPSHOT_INFER_H
#define SNAPSHOT_INFER_H

#include "hive/hive.h"
#include "snapshot/batch.h"

/* Called for each group, earliest first; TIME is a FILETIME. BATCH is used again afterwards. */
typedef bool infer_fn(void *data, uint64_t time, struct batch *batch, struct error *err);

/* LAST: the time of the group of what cannot be placed. Nothing is called if they are equal. */
bool infer_groups(const struct hive *a, const struct hive *b, uint64_t last, infer_fn *each,
                  void *data, struct error *err);

#endif
