/*
 * restore: ClusDb and checkpoints back into a stopped node.
 *
 *	restore_plan(ctx, &options, &restore, &err);	looks at everything, writes nothing
 *	restore_run(&restore, &err);			makes the undo directory, carries it out
 *
 * A plan is what an undo directory holds (snapshot/restore/undo.h): the files that change, with
 * their old and new bytes. What is restored, by options->request:
 *
 *	default		CLUSDB
 *	authoritative	CLUSDB; in the first generation also the quorum disk's copy of the
 *			database is removed, so that the cluster forms from CLUSDB, and
 *			the snapshot's .CPT and .CPR go back there
 *	checkpoints	the subtrees of registry checkpoints in the node's other hives, and on
 *			a quorum disk their .CPT; CLUSDB only together with authoritative
 *
 * Nothing is written unless it differs from what is there: restoring twice changes nothing.
 *
 * A restore that could do harm is refused, each reason by its name (the table in
 * restore_refuse.c); --force NAME overrides that one.
 */
#ifndef SNAPSHOT_RESTORE_RESTORE_H
#define SNAPSHOT_RESTORE_RESTORE_H

#include "checkpoint/checkpoint.h"
#include "checkpoint/copy.h"
#include "snapshot/quorum.h"
#include "snapshot/restore/carry.h"
#include "snapshot/verify.h"

struct restore_options {
	struct undo_request request;
	const char *target;       /* SYSTEM: where the system volume is mounted, or the volume */
	const char *quorum;       /* the quorum disk likewise, or NULL */
	const char *undo;         /* where undo directories are made; NULL: beside the source */
	struct hive_options hive; /* how hives of a source that is no snapshot are opened */
	struct carry_options carry;
};

/* What is restored: a snapshot's state, or any single copy of the database. */
struct restore_source {
	const char *path;
	bool is_snapshot;
	struct verdict verdict; /* of a snapshot */
	struct copy copy;       /* of anything else */
	struct hive *hive;      /* the database */
	struct cluster cluster;
	uint8_t digest[DIGEST_SIZE]; /* of its tree */
};

/* What is there now, and what will be: for hive/diff.h. */
struct restore_difference {
	const char *what;     /* "CLUSDB", or the key of a checkpoint */
	const struct hive *a; /* NULL: there is no such key yet */
	struct hive_key key_a;
	const struct hive *b;
	struct hive_key key_b;
	bool database;
};

/* One reason why not. */
struct restore_refusal {
	const char *name; /* for --force */
	char *text;       /* what is the matter, and what to do */
};

struct restore {
	TALLOC_CTX *ctx; /* everything below is on it */
	const struct restore_options *options;
	struct copy target;
	char *cluster;         /* path of the Cluster directory on the target */
	struct quorum *quorum; /* or NULL */
	struct restore_source source;
	struct undo undo;                       /* the plan */
	char *undo_parent;                      /* where its directory will be made */
	struct restore_difference *differences; /* not for files of a quorum disk */
	uint32_t difference_count;
	struct restore_refusal *refusals;
	uint32_t refusal_count;
	struct problems *warnings;
	char **advice; /* sentences: what Windows will do, and what is to be done; NULL-terminated
	                */
	bool database; /* CLUSDB is part of what was asked for */
	bool exact; /* files get exactly these sizes; else a smaller hive leaves its file as it is
	             */
	bool equal; /* the target's is the same already */
	bool waits; /* the data is written; the rest waits until the volume is mounted */
};

/*
 * Fills RESTORE. Without files in restore->undo there is nothing to do. ERROR_INTERRUPTED if an
 * earlier restore is unfinished; ERROR_REFUSED, with every reason in RESTORE, if it must not be
 * done; ERROR_USAGE for options that do not go together.
 */
bool restore_plan(TALLOC_CTX *ctx, const struct restore_options *options, struct restore *restore,
                  struct error *err);

/*
 * What else would stop restore_run() from beginning: ERROR_DESTINATION if a disk cannot be written
 * or has no room; ERROR_REFUSED if another clusnap writes there, or a file must not be written
 * to. Writes nothing.
 */
bool restore_check(struct restore *restore, struct error *err);

/*
 * Makes the undo directory and carries it out. ERROR_REFUSED if a file has changed since it was
 * planned. ERROR_DESTINATION: the text says whether nothing was changed, or how to go on.
 */
bool restore_run(struct restore *restore, struct error *err);

/* Is NAME one of the refusals that can be overridden? And all of them, NULL-terminated. */
bool restore_can_force(const char *name);
const char *const *restore_forces(void);

#endif
