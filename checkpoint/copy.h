/*
 * copy: one copy of a cluster's database, and where it was found: on a node's system disk, or
 * as a single hive file (a CLUSDB, a chk????.tmp, a witness disk's hive).
 */
#ifndef CHECKPOINT_COPY_H
#define CHECKPOINT_COPY_H

#include "checkpoint/cluster.h"
#include "checkpoint/disk/system.h"

enum copy_condition { COPY_CLEAN, COPY_RECOVERED, COPY_DAMAGED, COPY_MISSING };

struct copy {
	char *path;            /* as given */
	struct system *system; /* NULL if it is a single file */
	struct volume *volume; /* what FILE is on; NULL if FILE is a path of this system */
	char *file;            /* the database: its path on the volume, or PATH; NULL if missing */
	enum copy_condition condition;
	bool unreadable;           /* damaged, as far as can be told: the system cannot read it */
	char *why;                 /* damaged: what is wrong; missing: what is missing */
	struct hive *hive;         /* NULL unless clean or recovered */
	struct cluster cluster;    /* if there is a hive */
	struct problems *problems; /* all of the disk, the database and its checkpoints */
};

/*
 * PATH is a volume with Windows on it, mounted or raw, or a hive file. ERROR_SOURCE if it is none
 * of these or cannot be read; copy->problems then may say more (bitlocker). A database that is
 * missing or damaged is no error here but copy->condition.
 */
bool copy_open(TALLOC_CTX *ctx, const char *path, const struct hive_options *options,
               struct copy *copy, struct error *err);

/* A single hive on a volume: FILE is its path there, the volume's own and FILE are the copy's. */
bool copy_open_on(TALLOC_CTX *ctx, struct volume *volume, const char *file,
                  const struct hive_options *options, struct copy *copy, struct error *err);

/* Reads the database once more, with its logs. */
struct source *copy_source(TALLOC_CTX *ctx, const struct copy *copy, struct error *err);

/* A mark behind the origin of what was made of a damaged hive. */
#define COPY_SALVAGED " (salvaged)"

/* Whose copy it is, for a log: the node's name, or that of the file; on CTX, NULL without memory.
 */
const char *copy_origin(TALLOC_CTX *ctx, const struct copy *copy);

/* "clean", "recovered", "damaged", "missing" */
const char *copy_condition_name(enum copy_condition condition);

/*
 * Copies of different clusters get the problem identity-mismatch if they should be of one: the
 * clusters have the same name, or a computer is a member of both. Windows Server 2003 removes
 * clustering from a node that joins with another instance id (KB924473).
 */
void copy_check_identities(struct copy *copies, uint32_t count);

/*
 * The newest of COUNT copies of one cluster that have a database; COUNT if there is none or
 * there are several clusters among them (*MIXED). *WHY is a sentence on CTX, or NULL. Older
 * ones get the problem `stale`.
 */
uint32_t copy_newest(TALLOC_CTX *ctx, struct copy *copies, uint32_t count, bool *mixed, char **why);

#endif
