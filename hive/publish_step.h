/*
 * publish_step: the single steps of replacing files in directories that stay, for whoever
 * writes down beforehand what it is about to do (snapshot/journal.h).
 *
 * Each is durable when it returns true: the file and every directory that it changed are
 * fsynced. A failure is ERROR_DESTINATION with errno in err->sys and a text that begins
 * with SHOWN, the path as the user knows it. Names are single names in open directories; a
 * symbolic link is never followed.
 */
#ifndef HIVE_PUBLISH_STEP_H
#define HIVE_PUBLISH_STEP_H

#include "hive/bytes.h"
#include "hive/error.h"

/*
 * Writes BYTES as a new file NAME; a regular file of that name, left by a killed run, is removed
 * first. LIKE: an open file whose owner, mode and NTFS attributes, descriptor and times of creation
 * it gets as far as the file system has them, or -1: mode 0600. It has them before it has
 * any bytes: what is whole after a crash has them too.
 */
bool publish_step_file(int dirfd, const char *name, struct bytes bytes, int like, const char *shown,
                       struct error *err);

/*
 * Can the file NAME be given new bytes where it is, by the next function, and is that better than
 * to rename another one to its place? So it is where a power cut in the middle of a rename leaves a
 * name that nobody can use, and the file has no other name and is stored plainly. One that is not
 * there yet counts as one.
 */
bool publish_step_in_place(int dirfd, const char *name);

/*
 * Makes BYTES the content of the file NAME, which stays what it is, or is created like LIKE (see
 * above). KEPT: up to here it is not made shorter first. A crash leaves a mixture of the bytes it
 * had and those it gets, and zeros, each where it was or will be; its first bytes are zeros until
 * all the others are there, so that nobody takes it for whole.
 */
bool publish_step_fill(int dirfd, const char *name, struct bytes bytes, uint64_t kept, int like,
                       const char *shown, struct error *err);
#define PUBLISH_STEP_HEAD 4096u /* how many bytes come last; a hive's base block */

/* Renames FROM to TO, over a file that may be there; both directories are fsynced. */
bool publish_step_move(int from_dirfd, const char *from, int to_dirfd, const char *to,
                       const char *shown, struct error *err);

/*
 * Exchanges two files at once, durable in both directories. Where the file system cannot, nothing
 * happens and *DONE is false, which is no error.
 */
bool publish_step_exchange(int a_dirfd, const char *a, int b_dirfd, const char *b, bool *done,
                           const char *shown, struct error *err);

/* Removes a file; that there is none is no error. */
bool publish_step_remove(int dirfd, const char *name, const char *shown, struct error *err);

/* Makes a directory, mode 0700; that it is there is an error. And removes an empty one, or none. */
bool publish_step_mkdir(int dirfd, const char *name, const char *shown, struct error *err);
bool publish_step_rmdir(int dirfd, const char *name, const char *shown, struct error *err);

/*
 * Makes room in a new directory for names to come, where a crash can leave a directory unreadable
 * while its index grows (NTFS: out of the directory's own record): it grows now, for an empty
 * file whose long name begins so, and which is to stay until all other names are there.
 */
bool publish_step_room(int dirfd, const char *shown, struct error *err);

/* Is NAME the name of such a file? */
bool publish_step_is_room(const char *name);

/* Makes a file that an earlier, killed run wrote or moved durable, and the directory it is in. */
bool publish_step_sync(int dirfd, const char *name, const char *shown, struct error *err);

/* An exclusive lock that ends with FD, without waiting; false if somebody else has it. */
bool publish_step_lock(int fd);

#endif
