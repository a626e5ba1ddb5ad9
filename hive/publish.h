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

struct image;

/* --- one file --- */

/*
 * Writes BYTES as PATH, mode 0600, through a temporary file beside it: write, fsync, close,
 * rename, fsync of the directory. An existing regular file is replaced; anything else there,
 * a symbolic link too, is ERROR_DESTINATION. "-" is not special. Where a crash may undo half
 * of a rename (ntfs-3g, FAT) a copy of the old file stands beside it meanwhile.
 */
bool publish_file(const char *path, struct bytes bytes, struct error *err);

/*
 * The same in two steps: the first begins to write IMAGE, which must stay as it is and may
 * still be being read, in a thread of its own; the second waits for it and gives the file its
 * name. What is freed and not committed was never there. A commit is made once.
 */
struct publish_file; /* a talloc object */
struct publish_file *publish_file_begin(TALLOC_CTX *ctx, const char *path,
                                        const struct image *image, struct error *err);
bool publish_file_commit(struct publish_file *file, struct error *err);

/*
 * The same for bytes that are made piece by piece: opened; put at any places; read back, as an
 * image that nobody may change while it is looked at; settled, which is to begin to make durable
 * what was put, in a thread; committed.
 */
struct publish_file *publish_file_open(TALLOC_CTX *ctx, const char *path, struct error *err);
bool publish_file_put(void *file, uint64_t offset, struct bytes bytes, struct error *err);
struct image *publish_file_image(TALLOC_CTX *ctx, const struct publish_file *file,
                                 struct error *err);
void publish_file_settle(struct publish_file *file);

/*
 * Appends BYTES to the regular file PATH, which must be SIZE bytes long: write, fsync, close.
 * After a failure the file is cut back to SIZE; after a crash it is the old one, the new one,
 * or the old one with a torn end. ERROR_REFUSED if it has another size or another clusnap
 * is writing to it.
 */
bool publish_file_append(const char *path, uint64_t size, struct bytes bytes, struct error *err);

/* --- one directory --- */

struct publish_dir; /* a talloc object; freeing one that is not committed removes it */

/*
 * Is what stands at a destination ours to replace? OPENED is the directory. Asked when it is
 * begun, and again before it is replaced. NULL in its place: only an empty one.
 */
typedef bool publish_may_replace_fn(int opened, const char *path, struct error *err);

/*
 * Begins a directory that will stand at PATH, under another name beside it, mode 0700. A
 * trailing slash is fine; a symbolic link to a directory stays, its target is what is
 * replaced. PATH may be absent, an empty directory, or a directory that MAY_REPLACE accepts
 * (it fills the error otherwise). ERROR_DESTINATION with the text "ERROR_DIRECTORY (267)" if
 * PATH is there and is no directory, or its parent is none; ERROR_DESTINATION too for a mount
 * point, and while another process publishes at PATH. What an earlier, killed run left
 * beside PATH is removed, or put back, first; where a power cut left NTFS inconsistent, that
 * is ERROR_DESTINATION with the advice to check the file system, and nothing is touched.
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
bool publish_dir_marker(struct publish_dir *dir, const char *name, bool *hidden, struct error *err);

/* A descriptor of the directory being built, to read back what was written. */
int publish_dir_fd(const struct publish_dir *dir);

/* False if the file system lets others read what was written in spite of its modes. */
bool publish_dir_private(const struct publish_dir *dir);

/*
 * Everything durable, then into place. At every instant PATH is the whole old directory or
 * the whole new one, or (only where the file system cannot exchange two names) absent while
 * both stand whole beside it; publish_dir_left_behind() finds them. After a failure PATH is as
 * it was, unless the text says that only the durability of the new one is unknown.
 */
bool publish_dir_commit(struct publish_dir *dir, struct error *err);

/*
 * In place of a commit: what stands at PATH stays as it is, not a time of it is changed, and it is
 * made durable, it and its parent. *PRIVATE is false if a mode in it lets others read it.
 */
bool publish_dir_stay(const struct publish_dir *dir, bool *private, struct error *err);

/* After a commit: a sentence on what of the old directory could not be removed, or NULL. */
const char *publish_dir_warning(const struct publish_dir *dir);

/*
 * What a killed run left beside PATH: allocated on CTX, NULL if there is nothing. *OLD is a
 * whole earlier directory that has lost its name, *NEW one that was being built (or, if PATH
 * is there, perhaps the one that it replaced). What another process is writing is not told.
 */
bool publish_dir_left_behind(TALLOC_CTX *ctx, const char *path, char **old, char **new,
                             struct error *err);

/* fsync of a device or file that was written over in place; false and errno. */
bool publish_sync_descriptor(int fd);

#endif
