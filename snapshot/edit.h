/*
 * edit: one more transaction at the end of a snapshot's log.
 *
 *	struct edit *edit = edit_open(ctx, path, &err);
 *
 *	reg_read(text, "HKEY_LOCAL_MACHINE\\Cluster", edit_change, edit, &err);
 *	edit_publish(edit, "edit of FILE.reg", &verdict, &err);
 *
 * Changes mean what they mean in a .reg file (tree_rules.as_reg). They are carried out on a
 * tree in memory; when all could be, and it is still the same cluster's database, a whole
 * new snapshot is published in the place of the old one: its files, the log with one
 * transaction and one checkpoint more, and a new highest chk. Until then nothing is there but
 * a directory beside it, which a failure removes.
 */
#ifndef SNAPSHOT_EDIT_H
#define SNAPSHOT_EDIT_H

#include "checkpoint/cluster.h"
#include "hive/change.h"
#include "snapshot/verify.h"

struct edit; /* a talloc object; freeing one that is not published leaves the snapshot as it is */

/*
 * ERROR_BAD_NEWS if the snapshot is not complete (a torn end of its log is cut off);
 * ERROR_DESTINATION while another process writes it, or if nothing can be written beside it.
 */
struct edit *edit_open(TALLOC_CTX *ctx, const char *path, struct error *err);

/* The database as it is before the edit. */
const struct cluster *edit_cluster(const struct edit *edit);

/* A change_fn whose data is the edit. */
bool edit_change(void *edit, const struct change *change, struct error *err);

/* The current time as FILETIME. */
uint64_t edit_now(void);

/*
 * Is AFTER still the database of the cluster BEFORE? ERROR_REFUSED, with PATH, if it is none any
 * more, or another cluster's.
 */
bool edit_same_cluster(TALLOC_CTX *ctx, const struct cluster *before, struct hive *after,
                       const char *path, struct error *err);

/* Leaves a file out of the new snapshot: that of a checkpoint which is no more. */
void edit_drop_file(struct edit *edit, const char *path);

/* What was noticed and is no reason not to do it. */
const struct problems *edit_warnings(const struct edit *edit);

/*
 * ERROR_REFUSED if what came out is no cluster database, or another cluster's. Without any
 * change nothing is written, and *VERDICT is of the snapshot as it was; *CHANGED says so.
 */
bool edit_publish(struct edit *edit, const char *origin, bool *changed, struct verdict *verdict,
                  struct error *err);

#endif
