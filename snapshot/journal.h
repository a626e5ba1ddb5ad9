/*
 * journal: what a restore is about to do, written down before it does it, and afterwards the
 * list of what it set aside.
 *
 * A restore replaces files on a system disk and perhaps on a quorum disk. What it replaces is
 * kept in a new directory, Cluster/clusnap-<UTC time> below the Windows directory (on a
 * quorum disk: in MSCS), which holds
 *
 *	journal.json	while the restore is going on: the plan, every step of it
 *	list.json	the same, under this name when all of it is done
 *	CLUSDB, ...	the old files
 *
 * The journal is JSON, so that somebody without clusnap can read it. It lies on the system
 * disk only, names its steps in the order in which they are taken, and for each the size and
 * SHA-256 of the old and of the new file. It holds no progress: how far the restore has
 * come is seen by comparing what is on the disk with it (snapshot/replacement.h). A journal
 * comes from a disk and is not trusted: paths are looked up on the volume as any other, and
 * names in the set-aside directory are single names.
 */
#ifndef SNAPSHOT_JOURNAL_H
#define SNAPSHOT_JOURNAL_H

#include "checkpoint/disk/volume.h"
#include "hive/digest.h"

#define JOURNAL_NAME "journal.json"
#define JOURNAL_LIST_NAME "list.json"
#define JOURNAL_LIST_OTHER "list.json.clusnap-other" /* where a power cut took that name */
#define JOURNAL_PREFIX "clusnap-"                    /* of the set-aside directory's name */

enum journal_disk { JOURNAL_SYSTEM, JOURNAL_QUORUM, JOURNAL_DISKS };

enum journal_op {
	JOURNAL_PUT,   /* a new file at PATH; the old one, if there is one, goes to ASIDE */
	JOURNAL_ASIDE, /* the file at PATH goes to ASIDE */
	JOURNAL_MKDIR, /* a directory at PATH that is not there yet */
	JOURNAL_OPS
};

struct journal_file {
	bool present;
	uint64_t size;
	uint8_t digest[DIGEST_SIZE]; /* SHA-256 of its bytes */
};

struct journal_step {
	enum journal_op op;
	enum journal_disk disk;
	char *path;  /* on the volume, '/' between names, as the volume spells it */
	char *aside; /* single name in the disk's set-aside directory; NULL: nothing old */
	struct journal_file old; /* put, set-aside */
	struct journal_file new; /* put */
};

/* What was asked for: enough to begin anew when a crash came before the new files were whole. */
struct journal_request {
	char *source;      /* SNAPSHOT, SYSTEM or hive file; an absolute path in a journal */
	bool to;           /* SEQUENCE was asked for; otherwise the newest */
	uint64_t sequence; /* of the state that is restored; 0 if the source has none */
	bool authoritative;
	bool checkpoints;
	char **resources; /* NULL-terminated: --checkpoints of these alone; NULL: of all */
	char **force;     /* NULL-terminated names of refusals that are overridden; or NULL */
};

struct journal {
	char *begun; /* ISO 8601, UTC */
	struct journal_request request;
	char *id;                   /* of the snapshot, or "" */
	char *aside[JOURNAL_DISKS]; /* path of the set-aside directory; NULL: disk is not used */
	struct journal_step *steps; /* in the order in which they are carried out */
	uint32_t step_count;
};

/* The journal as JSON text, on CTX. */
struct bytes journal_write(TALLOC_CTX *ctx, const struct journal *journal, struct error *err);

/*
 * Reads one. ERROR_SOURCE, naming what is wrong, for what is no journal of ours. All strings are
 * on CTX.
 */
bool journal_read(TALLOC_CTX *ctx, struct bytes text, struct journal *journal, struct error *err);

#endif
