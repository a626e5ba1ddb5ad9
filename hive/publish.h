/*
 * publish: the only place where files and directories come into being.
 *
 * Nothing else in the tree calls rename, link, fsync or unlink. What is published appears
 * under its name whole and durable, or not at all; a failure leaves nothing of ours behind.
 */
#ifndef HIVE_PUBLISH_H
#define HIVE_PUBLISH_H

#include <talloc.h>

#include "hive/bytes.h"
#include "hive/error.h"

/* --- one file --- */

/*
 * Writes BYTES as PATH, mode 0600, through a temporary file beside it: write, fsync, close,
 * rename, fsync of the directory. An existing regular file is replaced; anything else there
 * is ERROR_DESTINATION. "-" is not special.
 */
bool publish_file(const char *path, struct bytes bytes, struct error *err);

/* --- one directory --- */

struct publish_dir;	/* a talloc object; freeing one that is not committed removes it */

/* Is what stands at a destination ours to replace? OPENED is the directory. */
typedef bool publish_may_replace_fn(int opened, const char *path, struct error *err);

/*
 * Begins a directory that will stand at PATH, under another name beside it, mode 0700. A
 * trailing slash is fine. PATH may be absent, an empty directory, or a directory that
 * MAY_REPLACE accepts (it fills the error otherwise). ERROR_DESTINATION with the text
 * "ERROR_DIRECTORY (267)" if PATH is there and is no directory, or its parent is none.
 * What an earlier, killed run left beside PATH is removed, or put back, first.
 */
struct publish_dir *publish_dir_begin(TALLOC_CTX *ctx, const char *path,
				      publish_may_replace_fn *may_replace, struct error *err);

/* Writes a file (mode 0600) in it. NAME may hold one '/'; the subdirectory (0700) is made. */
bool publish_dir_file(struct publish_dir *dir, const char *name, struct bytes bytes,
		      struct error *err);

/*
 * The completion marker: an empty file, read-only, and hidden where the file system knows
 * the attribute. *HIDDEN says whether it does. To be called last before the commit.
 */
bool publish_dir_marker(struct publish_dir *dir, const char *name, bool *hidden,
			struct error *err);

/* A descriptor of the directory being built, to read back what was written. */
int publish_dir_fd(const struct publish_dir *dir);

/*
 * Everything durable, then into place. At every instant PATH is the whole old directory or
 * the whole new one, or (only where the file system cannot exchange two names) absent while
 * both stand whole beside it; publish_dir_left_behind() finds them.
 */
bool publish_dir_commit(struct publish_dir *dir, struct error *err);

/*
 * What a killed run left beside PATH: allocated on CTX, NULL if there is nothing. *OLD is a
 * whole earlier directory that has lost its name, *NEW one that was being built.
 */
bool publish_dir_left_behind(TALLOC_CTX *ctx, const char *path, char **old, char **new,
			     struct error *err);

#endif
