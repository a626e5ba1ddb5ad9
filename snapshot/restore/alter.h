/*
 * alter: changes in the registry of a stopped node: `reg import` for a system that is down.
 *
 *	struct alter *alter = alter_open(ctx, &options, &restore, &err);
 *
 *	alter_change(alter, &change, &err);	any number of times; reg_read() can call it
 *	alter_plan(alter, &err);		fills RESTORE; then restore_run(&restore, &err)
 *
 * Keys below HKEY_LOCAL_MACHINE\Cluster, \SYSTEM (CurrentControlSet is the control set that is
 * current) and \SOFTWARE. Each hive is written anew as a whole, by the engine of restore: what it
 * was lies in an undo directory. Changes mean what they mean in a .reg file.
 */
#ifndef SNAPSHOT_RESTORE_ALTER_H
#define SNAPSHOT_RESTORE_ALTER_H

#include "hive/change.h"
#include "snapshot/restore/restore.h"

struct alter;

/*
 * Of OPTIONS target, quorum, undo, carry, and of its request source (a name for the plan, or NULL),
 * authoritative and force are used. ERROR_INTERRUPTED if a restore is unfinished there;
 * ERROR_REFUSED as for a restore.
 */
struct alter *alter_open(TALLOC_CTX *ctx, const struct restore_options *options,
                         struct restore *restore, struct error *err);

/*
 * A change_fn whose data is the alter. change->key is a whole path, below HKEY_LOCAL_MACHINE or
 * HKLM, or without that name: "SYSTEM\CurrentControlSet\...".
 */
bool alter_change(void *alter, const struct change *change, struct error *err);

/* Without any difference the plan is empty. Times of keys alone are no difference. */
bool alter_plan(struct alter *alter, struct error *err);

#endif
