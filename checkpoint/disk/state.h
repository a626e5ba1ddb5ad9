/*
 * state: is this disk that of a cluster node? The rules are in checkpoint/disk/system.h.
 */
#ifndef CHECKPOINT_DISK_STATE_H
#define CHECKPOINT_DISK_STATE_H

#include "checkpoint/disk/system.h"

#define SYSTEM_SERVICE_DISABLED 4u /* Start of a service that is not to start */

/*
 * Fills state, state_known and, if the version did not tell it, generation, and adds the problems
 * state-unknown and clusdb-missing. HIVE (SYSTEM) and SOFTWARE are NULL if they cannot be read;
 * everything else that comes out of them has been filled in.
 */
bool state_judge(struct system *system, const struct hive *hive, const struct hive *software,
                 struct error *err);

#endif
