/*
 * carry: carries out the plan of an undo directory, with the new bytes or with the old ones.
 *
 *	struct carry *carry = carry_open(ctx, &undo, volumes, reasons, &err);
 *
 *	carry_look(carry, force, &state, &err);		is every file one of ours?
 *	carry_out(carry, UNDO_NEW, &options, &waits, &err);	or UNDO_OLD
 *
 * All bytes, old and new, are whole in the undo directory, so nothing has to be found out about how
 * far an interrupted run came: each step can be repeated from any state that a run, or a power
 * cut, has left. What each file of the plan goes through, in both directions; each is durable
 * before the next begins:
 *
 *  (1) calm     A hive that is dirty becomes, where it is, what Windows would load: its logs are
 *               applied, then its first sector says that it is clean. From here on its logs do
 *               not count any more.
 *  (2) erase    The first sector of each log becomes zeros.
 *  (3) mark     The first sector of each file that is written to becomes a marker (marker.h).
 *  (4) write    All sectors but the first, of the files that do not get longer.
 *  (5) names    What a file-system driver must do: directories and files are made, files get
 *               longer (the size is durable before the data) or shorter, files and directories
 *               are removed.
 *  (6) finish   The first sectors, in reverse order of the plan: CLUSDB's, which is the first of
 *               a plan, is the last, so nothing looks finished before all is.
 *  (7) logs     Back only: the first sectors of logs, then those of hives that were dirty, then
 *               their other sectors.
 *  (8) compare  Every file is read back.
 *
 * Why a power cut at any point leaves each hive, recovered with its logs as Windows does it, old,
 * new or refused, under any order and tearing of the writes since the last flush:
 *
 *   - Before (1) ends a dirty hive has all its logs, and what (1) writes is what they say.
 *   - While logs are erased or come back one by one, their hive is clean, so they are ignored. (Of
 *     a dirty hive, one of two logs would make a mixture that Windows takes for clean.)
 *   - While a hive is torn, its first sector is a marker and no log beside it is valid. (Of a
 *     torn first sector beside a valid log Windows makes a hive: facts 9.3.)
 *   - A first sector is written alone, when all that it vouches for is durable.
 *
 * On a volume where names cannot be changed (target_can_change_names) (5) is not possible: if the
 * plan needs it, ERROR_REFUSED before anything is written; with options->data_first (1) to (4) are
 * done there, the markers stay, and *WAITS says so.
 */
#ifndef SNAPSHOT_RESTORE_CARRY_H
#define SNAPSHOT_RESTORE_CARRY_H

#include "snapshot/restore/undo.h"

struct carry; /* a talloc object */

/*
 * Called before each step, with a word for it: "calm", "erase", "mark", "write", "create",
 * "remove", "finish", "compare".
 */
typedef void carry_progress(void *data, const char *step, const char *path);

struct carry_options {
	bool data_first;
	carry_progress *progress; /* or NULL */
	void *data;
};

/*
 * UNDO with all its contents (undo_read) and VOLUMES, NULL for one that it does not use, must live
 * as long. Takes the volumes' locks and opens the files. ERROR_REFUSED if a volume has another
 * serial number than the plan says; ERROR_DESTINATION if it cannot be written to. What speaks
 * against writing to a raw volume, or to a file of it, is added to REASONS (target.h): then only
 * who knows better may carry it out.
 */
struct carry *carry_open(TALLOC_CTX *ctx, const struct undo *undo,
                         struct volume *const volumes[UNDO_VOLUMES], struct problems *reasons,
                         struct error *err);

enum carry_state {
	CARRY_OLD,     /* every file is the old one */
	CARRY_NEW,     /* every file is the new one */
	CARRY_BETWEEN, /* anything else that a run can have left */
};

/*
 * ERROR_REFUSED, "changed-since", if a file has a sector that no run has written (old, recovered,
 * new, zeros in a new file, marker): somebody else has. FORCE takes it for one of ours.
 */
bool carry_look(struct carry *carry, bool force, enum carry_state *state, struct error *err);

/*
 * Does the plan need (5) on a volume where that is impossible? Then such a file of it, else NULL;
 * and the refusal, which returns false.
 */
const struct undo_file *carry_needs_driver(const struct carry *carry, enum undo_when to);
bool carry_refuse_driver(const struct carry *carry, const struct undo_file *file,
                         struct error *err);

/* The attributes of the file NUMBER, on CTX; not known where it is not there. */
bool carry_attributes(TALLOC_CTX *ctx, const struct carry *carry, uint32_t number,
                      struct target_attributes *attributes, struct error *err);

/* Makes every file durable as it is. */
bool carry_sync(struct carry *carry, struct error *err);

/* Is there room for what gets longer or is created? ERROR_DESTINATION. */
bool carry_check_room(const struct carry *carry, enum undo_when to, struct error *err);

/*
 * (1) to (8), TO being UNDO_NEW or UNDO_OLD. *WAITS: (5) and what follows is left to be done. A
 * failure is ERROR_DESTINATION; it can be carried out again, in either direction.
 */
bool carry_out(struct carry *carry, enum undo_when to, const struct carry_options *options,
               bool *waits, struct error *err);

#endif
