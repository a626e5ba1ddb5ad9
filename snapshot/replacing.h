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

/* What is at a site, opened for reading: its owner, mode and attributes may be wanted. */
int replacement_open(const struct site *site, struct error *err);

/* NAME in the set-aside directory of a disk; on CTX, NULL without memory. */
char *replacement_inside(TALLOC_CTX *ctx, const struct replacement *r, enum journal_disk disk,
                         const char *name);

/* Does the disk need a set-aside directory at all? */
bool replacement_needs_aside(const struct replacement *r, enum journal_disk disk);

/* ERROR_DESTINATION if a disk is mounted read-only, with what to do about it. */
bool replacement_writable(const struct replacement *r, struct error *err);

/* What is done about an error in the middle, before its text; ERROR_DESTINATION. Returns false. */
bool replacement_failed(struct error *err);

/* --- what is there: replacement_look.c --- */

struct seen {
	bool present;
	bool lost; /* a name of ours that cannot be used: see replacement_ghost.c */
	bool directory;
	bool old, new; /* a regular file with exactly the bytes of the step's old or new file */
	bool torn;     /* at the place: what an interrupted replacement_fill() leaves of the two */
	uint64_t inode, links; /* if it is one of the three */
};

/* Where a step's files can be beside its path: in the set-aside directory, under these names. */
enum slot {
	SLOT_WAITING, /* N-NAME.clusnap-new */
	SLOT_ASIDE,   /* as the journal says; only if there is an old file */
	SLOT_SPARE,   /* N-NAME.clusnap-other */
	SLOTS
};

struct look {
	struct seen place; /* at the step's path */
	struct seen slots[SLOTS];
};

/*
 * One name, as far as STEP is concerned. OURS: what cannot be looked at is seen as lost, and what
 * cannot be read as neither old nor new: a crash before it was whole can leave both.
 */
bool replacement_look(const struct replacement *r, const struct journal_step *step,
                      const char *path, bool ours, struct seen *seen, struct error *err);

/* Which file it is at PATH: seen->inode and ->links. ERROR_SOURCE. */
bool replacement_identify(const struct replacement *r, const struct journal_step *step,
                          const char *path, struct seen *seen, struct error *err);

/* All three of every step, on CTX; NULL if one cannot be looked at. */
struct look *replacement_look_all(TALLOC_CTX *ctx, const struct replacement *r, struct error *err);

/* What is at PATH on a disk, where only we write: what cannot be looked at is VOLUME_OTHER. */
bool replacement_kind(const struct replacement *r, enum journal_disk disk, const char *path,
                      enum volume_kind *kind, struct error *err);

/* ERROR_REFUSED: what is at the step's path is not what the journal says. Returns false. */
bool replacement_changed(const struct replacement *r, const struct journal_step *step,
                         const char *what, struct error *err);

/* --- single changes: replacement_site.c --- */

bool replacement_move(const struct replacement *r, enum journal_disk disk, const char *from,
                      const char *to, struct error *err);
bool replacement_exchange(const struct replacement *r, enum journal_disk disk, const char *a,
                          const char *b, bool *exchanged, struct error *err);
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
bool replacement_clean(const struct replacement *r, struct error *err);

/*
 * The paths of all set-aside directories beside the disk's, on CTX, NULL-terminated; none of them
 * where they cannot be looked at. NULL without memory.
 */
char **replacement_asides(TALLOC_CTX *ctx, const struct replacement *r, enum journal_disk disk);

/* Has the set-aside directory PATH, with these NAMES in it, nothing or a journal never whole? */
bool replacement_never_began(TALLOC_CTX *tmp, struct volume *volume, const char *path, char **names,
                             uint32_t count);

/* Removes set-aside directories that a crash left before they held a journal, as far as it can. */
void replacement_leftovers(const struct replacement *r);

/* --- moving between the place and the slots: replacement_slot.c --- */

/* The path of a slot on CTX; NULL without memory. A step without an old file has no SLOT_ASIDE. */
char *replacement_slot(TALLOC_CTX *ctx, const struct replacement *r,
                       const struct journal_step *step, enum slot slot);
bool replacement_has_slot(const struct journal_step *step, enum slot slot);

/* Is it the old, or the new, file that was seen? */
static inline bool replacement_holds(const struct seen *seen, bool new)
{
	return new ? seen->new : seen->old;
}

/* Is the old, or the new, file in a slot? */
bool replacement_kept(const struct look *look, bool new);

/* Each keeps LOOK up to date. All that is moved, or is where it is to be, is durable. */

/* Brings the new, or the old, file to its place, from the slot where it is. */
bool replacement_bring(const struct replacement *r, const struct journal_step *step,
                       struct look *look, bool new, struct error *err);
/* Moves what is at the place to a slot, to PREFERRED if that is free. */
bool replacement_take(const struct replacement *r, const struct journal_step *step,
                      struct look *look, enum slot preferred, struct error *err);
/* The old file gets its own name in the set-aside directory; the other slots are emptied. */
bool replacement_settle(const struct replacement *r, const struct journal_step *step,
                        struct look *look, struct error *err);

/* --- where no rename is safe: replacement_fill.c --- */

/* Are files at their place given new bytes, rather than exchanged with others, on this disk? */
bool replacement_weak(const struct replacement *r, enum journal_disk disk);
/* And is a step, for that, taken before all others, and undone after them? (Logs are, of a hive.)
 */
bool replacement_is_early(const struct replacement *r, const struct journal_step *step);
/* And this file? */
bool replacement_in_place(const struct replacement *r, const struct journal_step *step);

/* Is what is at the step's path, and neither file, torn? The slots must have been looked at. */
bool replacement_tear(const struct replacement *r, const struct journal_step *step,
                      struct look *look, struct error *err);

/* A copy of the old, or the new, file, which is at the place, in a slot; unless there is one. */
bool replacement_keep(const struct replacement *r, const struct journal_step *step,
                      struct look *look, bool new, struct error *err);

/* The file in a slot becomes that at the place. Whatever is whole there is kept first. */
bool replacement_fill(const struct replacement *r, const struct journal_step *step,
                      struct look *look, enum slot slot, bool new, struct error *err);

/* --- what a power cut leaves on NTFS: replacement_ghost.c --- */

/* One file under two names, of which it knows one? */
bool replacement_ghost(const struct seen *a, const struct seen *b);

/* Tells the ghosts among the slots, which become lost; an error if the one at the place is one. */
bool replacement_resolve(const struct replacement *r, const struct journal_step *step,
                         struct look *look, struct error *err);

/* ERROR_DESTINATION: only chkdsk helps. Returns false. */
bool replacement_inconsistent(const struct replacement *r, const struct journal_step *step,
                              struct error *err);

/* Is the name PATH one and the same file as what is at the step's path? */
bool replacement_same(const struct replacement *r, const struct journal_step *step,
                      const char *path);

/*
 * Removes PATH, of ours, in the set-aside directory of the step: a file, or a directory if it is
 * empty. Lost names, and ghosts of what is at the step's path, stay.
 */
bool replacement_discard(const struct replacement *r, const struct journal_step *step,
                         const char *path, struct error *err);

#endif
