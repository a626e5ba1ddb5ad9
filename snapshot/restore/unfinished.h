/*
 * unfinished: is a restore unfinished on a disk? A marker sector in one of its hives says so
 * (snapshot/restore/marker.h). What is on such a disk may be half of the old and half of the new.
 */
#ifndef SNAPSHOT_RESTORE_UNFINISHED_H
#define SNAPSHOT_RESTORE_UNFINISHED_H

#include "checkpoint/copy.h"

/* Then *FOUND, and copy->problems gets restore-unfinished, whose hint is the way on. */
bool unfinished_find(struct copy *copy, bool *found, struct error *err);

#endif
