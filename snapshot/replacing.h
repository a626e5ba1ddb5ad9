/*
 * replacing: what the files of replacement share. Not for callers of replacement.h.
 */
#ifndef SNAPSHOT_REPLACING_H
#define SNAPSHOT_REPLACING_H

#include "snapshot/replacement.h"

struct replacement {
	struct volume *disks[JOURNAL_DISKS];
	const struct journal *journal;
	int parents[JOURNAL_DISKS]; /* directories of the set-aside directories, locked; or -1 */
	replacement_progress *progress;
	void *data;
};

void replacement_tell(const struct replacement *r, const char *step, const char *path);

/* --- where something is: replacement_site.c --- */

/* A name in a directory that is open; a talloc object that closes it. */
struct site {
	int fd;
	char *name;
	char *shown; /* the whole path, for messages */
};

/* The directory must be there. ERROR_DESTINATION. */
struct site *replacement_site(TALLOC_CTX *ctx, const struct replacement *r, enum journal_disk disk,
                              const char *path, struct error *err);

/* Paths on the disk of a step, on CTX; NULL without memory. */
char *replacement_waiting(TALLOC_CTX *ctx, const struct journal_step *step); /* NAME.clusnap-new */
char *replacement_aside(TALLOC_CTX *ctx, const struct replacement *r,
                        const struct journal_step *step); /* its old file, set aside */
char *replacement_inside(TALLOC_CTX *ctx, const struct replacement *r, enum journal_disk disk,
                         const char *name); /* NAME in the set-aside directory */

/* Does the disk need a set-aside directory at all? */
bool replacement_needs_aside(const struct replacement *r, enum journal_disk disk);

/* ERROR_DESTINATION if a disk is mounted read-only, with what to do about it. */
bool replacement_writable(const struct replacement *r, struct error *err);

/* The same advice before the text of an error that came of it later. Returns false. */
bool replacement_failed(struct error *err);

/* --- what is there: replacement_look.c --- */

struct seen {
	bool present;
	bool directory;
	bool old, new; /* a regular file with exactly the bytes of the step's old or new file */
};

struct look {
	struct seen place, waiting, aside; /* at PATH, at NAME.clusnap-new, set aside */
};

/* One name, as far as STEP is concerned. */
bool replacement_look(const struct replacement *r, const struct journal_step *step,
                      const char *path, struct seen *seen, struct error *err);

/* All three of every step, on CTX; NULL if one cannot be looked at. */
struct look *replacement_look_all(TALLOC_CTX *ctx, const struct replacement *r, struct error *err);

/* What is at PATH on a disk. */
bool replacement_kind(const struct replacement *r, enum journal_disk disk, const char *path,
                      enum volume_kind *kind, struct error *err);

/* ERROR_REFUSED: what is at the step's path is not what the journal says. Returns false. */
bool replacement_changed(const struct replacement *r, const struct journal_step *step,
                         const char *what, struct error *err);

/* --- single changes: replacement_site.c --- */

bool replacement_move(const struct replacement *r, enum journal_disk disk, const char *from,
                      const char *to, struct error *err);
bool replacement_remove(const struct replacement *r, enum journal_disk disk, const char *path,
                        struct error *err);
bool replacement_sync(const struct replacement *r, enum journal_disk disk, const char *path,
                      struct error *err);
bool replacement_mkdir(const struct replacement *r, enum journal_disk disk, const char *path,
                       struct error *err);
/* A directory that is not empty, or not there, stays as it is. */
bool replacement_rmdir(const struct replacement *r, enum journal_disk disk, const char *path,
                       struct error *err);

/* --- the journal, and what is ours: replacement_finish.c, replacement_find.c --- */

/* If the journal has become the list, that becomes the journal again. */
bool replacement_reopen(const struct replacement *r, struct error *err);

/* Removes all that is ours, the journal last; every path must hold the old file by then. */
bool replacement_clean(const struct replacement *r, const struct look *looks, struct error *err);

/* Removes set-aside directories that a crash left before they held a journal. */
bool replacement_leftovers(const struct replacement *r, struct error *err);

#endif
