/*
 * collect: everything that goes into a snapshot, in memory, before anything is written.
 */
#ifndef SNAPSHOT_COLLECT_H
#define SNAPSHOT_COLLECT_H

#include "checkpoint/checkpoint.h"
#include "checkpoint/copy.h"
#include "hive/digest.h"
#include "snapshot/history.h"
#include "snapshot/verify.h"

struct collect_options {
	char **systems;           /* NULL-terminated: SYSTEMs as given */
	const char *quorum;       /* a mounted quorum disk, or NULL */
	struct hive_options hive; /* left_out: salvage damaged hives */

	/* Called before each step that may take a while: "reading", and what. May be NULL. */
	void (*progress)(void *data, const char *step, const char *what);
	void *progress_data;
	const char *append; /* a snapshot whose log shall go on, if it is there; or NULL */
	uint64_t max_log;   /* bytes of quolog.log; 0: as the cluster has it, else 4 MiB */
};

/* One file of a snapshot that is to be. */
struct collected {
	char *path;              /* in the snapshot: "chk0001.tmp", "<GUID>/<id>.CPT" */
	struct bytes bytes;      /* on the struct collection */
	char *hive, *key;        /* where it comes from: SYSTEM and file, key in it; may be "" */
	const struct hive *from; /* of a .CPT: the open hive and the key's cell, or NULL */
	uint32_t cell;
};

struct collection {
	struct copy *copies;
	uint32_t copy_count;
	uint32_t newest; /* index of the copy that chk is made of */
	char *why;       /* why it is the newest, or NULL */
	struct collected *files;
	uint32_t file_count;
	uint8_t digest[DIGEST_SIZE]; /* of the cluster database's tree */
	const char *newest_chk;      /* the file that holds it; NULL: the one that begins the log */
	const struct verdict *previous; /* of the snapshot that goes on, or NULL */
	/*
	 * The snapshot that goes on holds all of this already: there is no transaction, its newest
	 * checkpoint has the digest of the database (names, values and their order, security,
	 * classes, times of keys), and its manifest names the same files, with the same bytes
	 * from the same hives and keys. Where disks are mounted, and what is warned of, is not in
	 * a snapshot and does not count.
	 */
	bool unchanged;
	struct history history; /* how it came about; the log ends where that file is due */
	struct problems *warnings;
	bool incomplete; /* a checkpoint is not in it because its hive cannot be read */
};

/*
 * ERROR_BAD_NEWS if no SYSTEM is a cluster node, ERROR_SOURCE if none has a readable database,
 * ERROR_REFUSED if they belong to different clusters.
 */
bool collect(TALLOC_CTX *ctx, const struct collect_options *options, struct collection *out,
             struct error *err);

/* Calls options->progress if there is one. */
static inline void collect_progress(const struct collect_options *options, const char *step,
                                    const char *what)
{
	if (options->progress)
		options->progress(options->progress_data, step, what);
}

#endif
