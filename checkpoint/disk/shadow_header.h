/*
 * shadow_header: does a volume say that it has shadow copies, and are the blocks in which it keeps
 * them chained as they must be?
 *
 * Catalog, lists of blocks, ranges and bitmaps are chains of blocks of 16 KiB, each with the offset
 * of the next. libvshadow follows them to their end and keeps what is in them. So each is followed
 * here before: one that leads back to itself has no end.
 */
#ifndef CHECKPOINT_DISK_SHADOW_HEADER_H
#define CHECKPOINT_DISK_SHADOW_HEADER_H

#include "checkpoint/disk/medium.h"

#define SHADOW_COPIES_MAX 512u /* Windows keeps 512 of a volume at most */

/* *CATALOG: the offset of the catalog, 0 if there is none. ERROR_SOURCE if that cannot be read. */
bool shadow_header(struct medium *medium, uint64_t *catalog, struct error *err);

/* ERROR_SOURCE if a chain is none, leaves the medium or has no end. */
bool shadow_header_check(struct medium *medium, uint64_t catalog, struct error *err);

#endif
