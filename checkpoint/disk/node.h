/*
 * node: what the SYSTEM and SOFTWARE hives of a system say of the node.
 *
 * The upper part of checkpoint/disk/system.h, which is what others use. A hive that cannot be read
 * makes problems, not an error: the rest is said all the same.
 */
#ifndef CHECKPOINT_DISK_NODE_H
#define CHECKPOINT_DISK_NODE_H

#include "checkpoint/disk/system.h"

/* Fills all of *SYSTEM that comes out of hives; windows_find() has been called. */
bool node_read(struct system *system, struct error *err);

#endif
