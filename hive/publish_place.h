/*
 * publish_place: what publishing a file and publishing a directory have in common.
 *
 * Not for callers of publish.h.
 */
#ifndef HIVE_PUBLISH_PLACE_H
#define HIVE_PUBLISH_PLACE_H

#include <sys/types.h>
#include <talloc.h>

#include "hive/bytes.h"
#include "hive/error.h"

/* A name in a directory that is open. A talloc object; freeing it closes the directory. */
struct publish_place {
	int parent;
	char *name;
	char *shown; /* the path as the user gave it, for messages */
};

/* PATH as a file to be; its directory must be there. */
struct publish_place *publish_place_file(TALLOC_CTX *ctx, const char *path, struct error *err);

/*
 * PATH as a directory to be: trailing slashes, "/.", ".." and a symbolic link to a directory
 * are resolved. "ERROR_DIRECTORY (267)" where the parent is none.
 */
struct publish_place *publish_place_directory(TALLOC_CTX *ctx, const char *path, struct error *err);

/* ".NAME.clusnap-SUFFIX", allocated on the place; and the path to show for a name beside it. */
char *publish_place_beside(struct publish_place *place, const char *suffix, struct error *err);
char *publish_place_show(TALLOC_CTX *ctx, const struct publish_place *place, const char *name);

/*
 * Creates NAME, which must not exist, with MODE, writes BYTES, fsyncs, closes and checks each.
 * *PRIVATE becomes false if the file system gave others access all the same. A failure
 * leaves nothing; errno is in err->sys. The text names SHOWN.
 */
bool publish_write(int dirfd, const char *name, struct bytes bytes, mode_t mode, bool *private,
                   const char *shown, struct error *err);

/*
 * The same in two halves, for who has something to do between them. The first creates NAME, mode
 * 0600, and returns its descriptor, or -1; the second closes it in any case.
 */
int publish_create(int dirfd, const char *name, const char *shown, struct error *err);
bool publish_fill(int fd, int dirfd, const char *name, struct bytes bytes, bool *private,
                  const char *shown, struct error *err);

/* The loop behind it, for a file that is open. False with errno. */
bool publish_write_all(int fd, struct bytes bytes);

/* fsync of a directory. File systems that do not know it (EINVAL) are taken at their word. */
bool publish_sync_directory(int fd);

/* Is the file behind FD on a file system where a rename over a file may lose both in a crash? */
bool publish_rename_is_weak(int fd);

/* flock, exclusive, without waiting. A file system that has no locks counts as locked. */
bool publish_lock(int fd);

/* Is NAME in DIRFD still the file behind FD? */
bool publish_same(int fd, int dirfd, const char *name);

/*
 * Opens the directory NAME and locks it. -1 with errno: ENOENT, ENOTDIR (or ELOOP),
 * EWOULDBLOCK if another process has the lock.
 */
int publish_lock_directory(int parent, const char *name);

#endif
