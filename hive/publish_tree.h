/*
 * publish_tree: what publish_dir made, removed, and nothing else; or made durable as it is.
 *
 * Regular files, and one level of subdirectories with regular files. No link is followed, no
 * mount point crossed; whatever else is in there is left where it is, and named.
 * Not for callers of publish.h.
 */
#ifndef HIVE_PUBLISH_TREE_H
#define HIVE_PUBLISH_TREE_H

#include <talloc.h>

#include "hive/error.h"

/* The names in the directory behind FD, without "." and "..". */
bool publish_tree_list(TALLOC_CTX *ctx, int fd, char ***names, size_t *count, struct error *err);

/* Empties the directory behind FD. The error names the first thing that had to stay. */
bool publish_tree_empty(int fd, struct error *err);

/*
 * fsync of every file and directory behind FD, no time of which is changed. *PRIVATE: none has a
 * mode that lets others in.
 */
bool publish_tree_sync(int fd, bool *private, struct error *err);

/* Removes NAME with what is in it. Absent is no error. */
bool publish_tree_remove(int parent, const char *name, struct error *err);

#endif
