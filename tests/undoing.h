/*
 * undoing: plans of undo directories whose files are foreseen bytes, and the directories that
 * stand for the node's system disk and a quorum disk.
 *
 *	struct undo *undo = undoing_new(ctx, "/tmp/x/system", "/tmp/x/quorum");
 *
 *	undoing_add(undo, UNDO_SYSTEM, "Windows/Cluster/CLUSDB", old, UNDOING_NONE, new);
 *	undoing_erase(undo, "Windows/Cluster/CLUSDB.LOG1", log);
 *	undoing_disks(undo, UNDO_OLD);
 *
 * Failures end the program. Nothing is made durable.
 */
#ifndef TESTS_UNDOING_H
#define TESTS_UNDOING_H

#include "snapshot/restore/undo.h"

/* No such file. */
#define UNDOING_NONE ((struct bytes){ 0 })

/* A plan without files. QUORUM may be NULL. */
struct undo *undoing_new(TALLOC_CTX *ctx, const char *system, const char *quorum);

/* One file more; without old and new bytes a directory. The bytes are copied. */
struct undo_file *undoing_add(struct undo *undo, enum undo_volume volume, const char *path,
                              struct bytes old, struct bytes recovered, struct bytes new);
struct undo_file *undoing_erase(struct undo *undo, const char *path, struct bytes old);

/* A content of its bytes, or of none if they are UNDOING_NONE. */
struct undo_content undoing_content(TALLOC_CTX *ctx, struct bytes bytes);

/* SIZE bytes: "WORD N\n" with N from 0 on, so that no two sectors are equal. */
struct bytes undoing_text(TALLOC_CTX *ctx, const char *word, size_t size);

/* All kinds of actions, on both disks: an overwritten hive with its logs, and so on. */
struct undo *undoing_all(TALLOC_CTX *ctx, const char *system, const char *quorum);

/* Makes the disks of a plan anew, as they are at WHEN: UNDO_OLD or UNDO_NEW. */
void undoing_disks(const struct undo *undo, enum undo_when when);

/* The first path that is not as at WHEN, on CTX; NULL if all are. */
char *undoing_differs(TALLOC_CTX *ctx, const struct undo *undo, enum undo_when when);

/* The path on its disk, on CTX. */
char *undoing_path(TALLOC_CTX *ctx, const struct undo *undo, const struct undo_file *file);

#endif
