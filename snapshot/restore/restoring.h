/* What the files of restore share. Nobody else includes it. */
#ifndef SNAPSHOT_RESTORE_RESTORING_H
#define SNAPSHOT_RESTORE_RESTORING_H

#include "hive/graft.h"
#include "snapshot/restore/restore.h"

/* --- restore.c --- */

/* carry_open(), and what speaks against it is refused, each reason by its name. */
struct carry *restore_carry(struct restore *r, const struct undo *undo,
                            struct volume *const volumes[UNDO_VOLUMES], struct error *err);

/* Puts before an error how to go on with an undo directory. Returns false. */
bool restore_unfinished(const struct undo *undo, const char *target, struct error *err);

/* --- restore_source.c --- */

/* Opens what is to be restored. A snapshot that is damaged is a refusal. */
bool restore_source_open(struct restore *r, struct error *err);

/* --- restore_refuse.c --- */

/* Adds a refusal, or if it is overridden a warning of that name. False without memory. */
bool restore_refuse(struct restore *r, const char *name, struct error *err, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

/* Is the refusal NAME overridden? */
bool restore_forced(const struct restore *r, const char *name);

/* ERROR_REFUSED with the first reason. Returns false. */
bool restore_refused(const struct restore *r, struct error *err);

/* ERROR_INTERRUPTED if the file at PATH begins with a marker, unless that is overridden. */
bool restore_refuse_marker(struct restore *r, const char *path, const struct image *image,
                           struct error *err);

/* Is the cluster WHOSE, of the database that is WHERE, that of what is restored? */
bool restore_refuse_other(struct restore *r, const struct cluster *whose, const char *where,
                          struct error *err);

/* Does Windows on the target not run, and will it not go on with what it has in memory? */
bool restore_refuse_running(struct restore *r, struct error *err);

/* ERROR_INTERRUPTED, unless that is overridden. */
bool restore_refuse_unfinished(struct restore *r, struct error *err);

/* Is the target a stopped node of this very cluster? */
bool restore_refuse_target(struct restore *r, struct error *err);

/* And the quorum disk its quorum disk? */
bool restore_refuse_quorum(struct restore *r, struct error *err);

/* --- restore_file.c: what a plan does with a file --- */

/* NEW becomes the content of the file at PATH. OLD: what it has now, or NULL if it is not there. */
bool restore_file_put(struct restore *r, enum undo_volume volume, const char *path,
                      const struct image *old, const struct image *new, struct error *err);
bool restore_file_remove(struct restore *r, enum undo_volume volume, const char *path,
                         const struct image *old, struct error *err);
bool restore_file_mkdir(struct restore *r, enum undo_volume volume, const char *path,
                        struct error *err);

/*
 * The hive at PATH on the system disk (NULL: there is none, and it will be FOLDER/NAME) becomes
 * IMAGE, with sequence numbers above those of the old one and its logs. Its logs are erased, files
 * of kernel transactions are removed.
 */
bool restore_file_hive(struct restore *r, const char *path, const char *folder, const char *name,
                       const struct image *image, struct error *err);

/* --- restore_plan.c --- */

/* Begins a plan: fills RESTORE, and opens the disks. */
bool restore_begin(TALLOC_CTX *ctx, const struct restore_options *options, struct restore *r,
                   struct error *err);

/* The Cluster directory of a system, on CTX; NULL with ERROR_NONE in err->kind if there is none. */
char *restore_cluster(TALLOC_CTX *ctx, const struct system *system, struct error *err);

/* A and KEY_A may be NULL. B's root is what will be. */
bool restore_differs(struct restore *r, const char *what, const struct hive *a,
                     const struct hive_key *key_a, const struct hive *b, struct error *err);

/* --- restore_name.c --- */

/* What the plan calls things by: the source, the time, the disks. */
bool restore_name(struct restore *r, struct error *err);

/* --- restore_shadow.c --- */

/* What shadow copies show of the files of the plan goes into it. */
bool restore_shadows(struct restore *r, struct error *err);

/* PATH without links and "..", on r->ctx; as it is if there is nothing. NULL without memory. */
char *restore_real_path(struct restore *r, const char *path, struct error *err);

/* --- restore_quorum.c --- */

/* NAME in the folder MSCS, on r->ctx; NULL without memory. */
char *restore_quorum_path(const struct restore *r, const char *name);

/* First generation: sets the quorum disk's database aside, and puts back .CPT and .CPR. */
bool restore_quorum_database(struct restore *r, struct error *err);

/* One file of the snapshot, "<GUID>/<id>.CPT", back to the quorum disk, unless it is equal. */
bool restore_quorum_file(struct restore *r, const char *name, struct error *err);

/* --- restore_checkpoints.c --- */

bool restore_checkpoints(struct restore *r, struct error *err);

/* The path in HIVE of a key below HKLM, on r->ctx. ERROR_REFUSED if a link lies on its way. */
char *restore_key_path(struct restore *r, struct hive *hive, const struct hklm *where,
                       struct error *err);

/* A file of the snapshot; ERROR_SOURCE if it cannot be read. */
struct image *restore_snapshot_file(struct restore *r, const char *name, struct error *err);

/* --- restore_nested.c --- */

/* A checkpoint that is to be put back. */
struct restore_graft {
	struct graft graft;
	enum system_hive hive;
	const struct checkpoint *point;
	bool same; /* as what is there already */
};

struct restore_grafts {
	struct restore_graft *list;
	uint32_t count;
};

/* Is the subtree at KEY of A the whole of B? */
bool restore_same_tree(const struct hive *a, const struct hive_key *key, const struct hive *b,
                       bool *same, struct error *err);

/*
 * Leaves out what another one of them contains. ERROR_REFUSED if two hold different things of
 * one key: which of them is wanted is not ours to say.
 */
bool restore_drop_nested(struct restore *r, struct restore_grafts *grafts, struct error *err);

/* --- restore_advice.c --- */

bool restore_advise(struct restore *r, struct error *err);

#endif
