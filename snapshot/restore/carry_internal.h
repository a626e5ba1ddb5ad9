/* carry_internal: what the files of carry share. Nobody else includes it. */
#ifndef SNAPSHOT_RESTORE_CARRY_INTERNAL_H
#define SNAPSHOT_RESTORE_CARRY_INTERNAL_H

#include "snapshot/restore/carry.h"

/* A file of the plan on its volume. */
struct carried {
	const struct undo_file *file;
	struct volume *volume;
	struct target *target; /* NULL: there is no such file now */
};

struct carry {
	const struct undo *undo;
	struct volume *volumes[UNDO_VOLUMES];
	struct problems *reasons; /* of carry_open() */
	struct carried *files;
	uint32_t count;
	uint8_t marker[TARGET_SECTOR];
	struct carry_options options;
};

void carry_tell(const struct carry *carry, const char *step, const struct carried *one);

/* --- carry_file.c: the steps, one file each --- */

typedef bool carry_step(struct carry *carry, struct carried *one, enum undo_when to,
                        struct error *err);

carry_step carry_calm;       /* (1) */
carry_step carry_erase;      /* (2) */
carry_step carry_mark_it;    /* (3), if it is written to */
carry_step carry_data;       /* (4) */
carry_step carry_finish;     /* (6) */
carry_step carry_log_back;   /* (7): logs, */
carry_step carry_dirty_back; /* hives that were dirty, */
carry_step carry_dress;      /* and what a file has beside its bytes */
carry_step carry_compare;    /* (8) */

/* The bytes that a file is given in (4) to (6): of a dirty hive the recovered form comes first. */
const struct undo_content *carry_first(const struct undo_file *file, enum undo_when to);

/* What there is of the first sector. */
struct bytes carry_head(struct bytes bytes);

/* Writes all of CONTENT but its first sector; behind it, to the end of the file, zeros. */
bool carry_write(struct carry *carry, struct carried *one, const struct undo_content *content,
                 struct error *err);
bool carry_mark(struct carry *carry, struct carried *one, struct error *err);

/* --- carry_names.c: (5) --- */

bool carry_names(struct carry *carry, enum undo_when to, struct error *err);

/* Has a file that is there, or not, to be made, removed or given another size? */
bool carry_changes_name(const struct carried *one, enum undo_when to);

/* Creates the file of ONE, which is not there. */
bool carry_make(struct carry *carry, struct carried *one, enum undo_when to, struct error *err);

#endif
