/*
 * directory: one open directory of a volume, and the names in it as Windows sees them.
 *
 * The lower half of checkpoint/disk/volume.h, which is what others use. Errors do not name the
 * directory: the caller knows its path.
 */
#ifndef CHECKPOINT_DISK_DIRECTORY_H
#define CHECKPOINT_DISK_DIRECTORY_H

#include <talloc.h>

#include "hive/error.h"
#include "hive/name.h"

#define DIRECTORY_NAME_MAX 1024u /* bytes; no file system under Linux has longer names */
#define DIRECTORY_MAX 1000000u   /* names in one directory; more are an error */

struct directory; /* a talloc object that closes itself */

/* What a power cut can leave of a directory of NTFS, as far as it was come upon. */
enum directory_flaw {
	DIRECTORY_SOUND,
	DIRECTORY_TWICE,    /* a name is listed twice; some that are listed may not be there */
	DIRECTORY_UNLISTED, /* it cannot be listed (EIO), but names can be looked up */
};

/* AT is any descriptor of the directory, O_PATH too; it stays the caller's. */
struct directory *directory_open(TALLOC_CTX *ctx, int at, struct error *err);

/* One whose COUNT names are known; they outlive it. */
struct directory *directory_of_names(TALLOC_CTX *ctx, char *const *names, uint32_t count,
                                     struct error *err);

/* For openat() and the like; lives as long as the directory. -1 for one of names. */
int directory_fd(const struct directory *directory);

/*
 * The name that is WANTED (SIZE bytes of WTF-8) but for letter case, spelled as the directory has
 * it, on CTX; *MATCH is NULL if there is none. Two such names are an error that names both,
 * with err->sys ENOTUNIQ; the same one twice is one. Names that are not well-formed UTF-8 match
 * nothing. A directory can be asked once. In one that cannot be listed WANTED matches if it is
 * there as it is spelled; that it is absent cannot be known, and is the error.
 */
bool directory_match(TALLOC_CTX *ctx, struct directory *directory, const char *wanted, size_t size,
                     char **match, struct error *err);
enum directory_flaw directory_flaw(const struct directory *directory);

/*
 * All names that are UTF-8, but for "." and "..", each once, sorted by bytes, on CTX. Once, as
 * above.
 */
bool directory_names(TALLOC_CTX *ctx, struct directory *directory, char ***names, uint32_t *count,
                     struct error *err);

/*
 * Opens a file in it for reading: no link is followed, no FIFO waited for, the access time is
 * left alone where we may. -1 and errno if it cannot be opened.
 */
int directory_open_file(const struct directory *directory, const char *name);

/* "WHAT: the text of errno" of kind ERROR_SOURCE, or "out of memory". Returns false. */
bool directory_errno(struct error *err, const char *what);

#endif
