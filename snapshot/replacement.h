/*
 * replacement: carries out a journal, forward or back, so that it can be interrupted anywhere.
 *
 *	struct replacement *r = replacement_new(ctx, disks, &journal, &err);
 *
 *	replacement_prepare(r, contents, &err);		begins; nothing that was there is changed
 *	replacement_forward(r, &err);			all steps, in their order
 *	replacement_finish(r, &err);			the journal becomes the list
 *
 * and after a crash, with the journal that replacement_find() found,
 *
 *	replacement_forward(), replacement_finish()	or
 *	replacement_back(), which ends with nothing of ours left
 *
 * Order of what is durable, (1) to (7):
 *
 *  (1) the set-aside directories, mode 0700;
 *  (2) journal.json;
 *  (3) in the order of the journal: a new directory; for every put the new file, as
 *      N-NAME.clusnap-new in the set-aside directory, with the owner, mode and attributes of
 *      the old one. N is the number of the step. On NTFS a copy of the old one, too, under the name
 *      that it is to have there;
 *  (4) put: the new file and the old one are exchanged, and the old one, which is in the set-aside
 *      directory then, gets its name there. On NTFS the file at the place gets the bytes of the
 *      new one (replacement_fill.c): meanwhile it is torn, and both are whole in the set-aside
 *      directory, until (6) is done. Where a file system cannot exchange otherwise, the old one
 *      is renamed into the set-aside directory, and then the new one to its place: meanwhile
 *      there is nothing at the place;
 *  (5) set-aside: the file is renamed into the set-aside directory, over nothing;
 *  (6) every new file is read back and compared;
 *  (7) list.json, with the text of the journal; then journal.json is removed.
 *
 * Nothing is renamed over anything, and nothing removed outside of the set-aside directories: what
 * a power cut does to either on NTFS is told in snapshot/replacement_ghost.c.
 *
 * Steps (4) and (5) come in the order of the journal: a hive before the logs of the hive it
 * replaces, so that a kernel that loads the disk at any point sees a clean hive, or the
 * old hive with all its logs. Back they go in reverse. On NTFS all of (5) comes before the first of
 * (4), and on the way back after the last: a torn hive has no log beside it that Windows could
 * make a hive of. There a kernel sees the old hive with all its logs, or without those that come
 * later; no hive; or a clean one. Every step looks at what is there first, by size and SHA-256,
 * and does what is left to do: each can be repeated.
 *
 * A file that is neither the old nor the new one was changed by somebody else since (Windows, if
 * the node was started meanwhile): ERROR_REFUSED, naming it, before anything is done.
 */
#ifndef SNAPSHOT_REPLACEMENT_H
#define SNAPSHOT_REPLACEMENT_H

#include "hive/problem.h"
#include "snapshot/journal.h"

/*
 * Behind names in a set-aside directory, and the number of the step before them: a new file that
 * waits; one whose own name there could not be used.
 */
#define REPLACEMENT_NEW ".clusnap-new"
#define REPLACEMENT_OTHER ".clusnap-other"

struct replacement; /* a talloc object */

/*
 * DISKS: the mounted volumes, NULL for one that the journal does not use (ERROR_USAGE if it does).
 * JOURNAL must live as long. Takes a lock on the directories of the set-aside directories:
 * ERROR_REFUSED if another clusnap has it.
 */
struct replacement *replacement_new(TALLOC_CTX *ctx, struct volume *const disks[JOURNAL_DISKS],
                                    const struct journal *journal, struct error *err);

/*
 * (1) to (3). CONTENTS[i] is the new file of step i if that is a put. Before anything is written,
 * the old files are compared with the journal (ERROR_REFUSED if one has changed since) and the room
 * is looked at. A failure is ERROR_DESTINATION; all that was made is removed again, and the text
 * says that nothing was changed. Directories that a crash before (2) left are removed first.
 *
 * PROGRESS (may be NULL) is called before each step with a word for it: "write", "mkdir" in
 * (3); "put", "set-aside", "mkdir" in (4) and (5), also where it is done already; "compare" in (6);
 * "put back" and "remove" on the way back.
 */
typedef void replacement_progress(void *data, const char *step, const char *path);
bool replacement_prepare(struct replacement *replacement, const struct bytes *contents,
                         replacement_progress *progress, void *data, struct error *err);

/* Of what replacement_prepare() looks at first: can the disks be written, and is there room? */
bool replacement_check(const struct replacement *replacement, struct error *err);

/*
 * (4) to (6). ERROR_BAD_NEWS, with nothing done, if a new file is not there whole, which is what a
 * crash in (1) to (3) leaves: go back then, and begin anew. ERROR_DESTINATION if a step fails; the
 * text says which, and that --resume and --rollback are possible.
 */
bool replacement_forward(struct replacement *replacement, replacement_progress *progress,
                         void *data, struct error *err);

/* (7) */
bool replacement_finish(struct replacement *replacement, struct error *err);

/*
 * Everything as it was; then the new files, the copies, the journal and the directories go. Also of
 * a restore that was finished, with the list as its journal. It writes no file, so it needs no
 * room, but on NTFS, where it is done as in (4), and files that were set aside are written anew.
 * ERROR_REFUSED, with nothing done, if a file is neither the old nor the new one, or the old
 * one is nowhere whole. What others have put into a new directory, or into ours, stays.
 */
bool replacement_back(struct replacement *replacement, replacement_progress *progress, void *data,
                      struct error *err);

/*
 * Behind the end of either direction: adds a warning, "chkdsk-needed", for every name of ours that
 * is left because a power cut has made it one that only chkdsk can remove, and for every set-aside
 * directory that cannot be listed, or is left of a restore that never began. They are in nobody's
 * way. Finds nothing where it cannot look.
 */
void replacement_remains(const struct replacement *replacement, bool back,
                         struct problems *warnings);

/*
 * The journal of an interrupted restore on a system disk. CLUSTER: path of its Cluster directory
 * on the volume. *FOUND says if there is one; JOURNAL is on CTX then. A directory of ours without a
 * journal (a crash before (2)) counts as none; of two journals it is the newest. ERROR_SOURCE
 * if a journal cannot be read, or is that of another directory than the one it is in.
 */
bool replacement_find(TALLOC_CTX *ctx, struct volume *volume, const char *cluster,
                      struct journal *journal, bool *found, struct error *err);

#endif
