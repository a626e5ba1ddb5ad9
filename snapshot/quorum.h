/*
 * quorum: a quorum disk, mounted or raw, of the first generation: \MSCS with chk????.tmp,
 * quolog.log and <resource GUID>\*.CPT, *.CPR (facts: Q217147, Q280353; docs/cluster.md).
 */
#ifndef SNAPSHOT_QUORUM_H
#define SNAPSHOT_QUORUM_H

#include "checkpoint/copy.h"
#include "hive/problem.h"

#define QUORUM_CHKS 16u /* the highest so many are looked at */

struct quorum {
	struct volume *volume;
	char *folder; /* "MSCS" as the disk spells it, or "" if DIR is that folder */
	/*
	 * Paths of the chk????.tmp that are not empty, by number, the highest last. Windows
	 * keeps one; a second is what a failed attempt, or somebody, has left.
	 */
	char *chks[QUORUM_CHKS];
	uint32_t chk_count;
	struct problems *problems; /* chk files that are passed over: clusdb-damaged */
};

/* DIR: where the disk is mounted, or its MSCS folder; or the raw volume. ERROR_SOURCE if none. */
struct quorum *quorum_open(TALLOC_CTX *ctx, const char *dir, struct error *err);

/* Opens chks[INDEX] as a copy of the database. */
bool quorum_copy(TALLOC_CTX *ctx, const struct quorum *quorum, uint32_t index,
                 const struct hive_options *options, struct copy *copy, struct error *err);

/*
 * NAME is "<GUID>/<id>.CPR" or ".CPT"; *SHOWN (on CTX) is its path on the disk. NULL with
 * ERROR_NONE in err->kind if there is no such file.
 */
struct image *quorum_file(TALLOC_CTX *ctx, struct quorum *quorum, const char *name, char **shown,
                          struct error *err);
struct source *quorum_source(TALLOC_CTX *ctx, struct quorum *quorum, const char *name, char **shown,
                             struct error *err);

#endif
