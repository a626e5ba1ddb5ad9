/*
 * verify: is a snapshot complete, undamaged and restorable?
 *
 * quolog.log is walked record by record, every file that its manifest names is read and
 * compared by size and SHA-256, every hive image passes the validator and opens, the
 * tree of each chk file must have the digest that the log's checkpoint says, and the
 * transactions between two checkpoints must lead from one to the other. Files that the manifest
 * does not name are damage too: a snapshot holds what it says, no more.
 */
#ifndef SNAPSHOT_VERIFY_H
#define SNAPSHOT_VERIFY_H

#include "snapshot/quolog.h"

struct verdict {
	bool complete;                   /* nothing is damaged */
	char id[DIGEST_HEX];             /* SHA-256 of quolog.log; "" if it cannot be read */
	const struct quolog *log;        /* NULL if it is missing or not ours */
	uint64_t sequence;               /* the newest sound one */
	const struct quolog_file *files; /* of the manifest in force */
	size_t file_count;
	char *newest_chk; /* its name, or NULL */
	struct damage {
		char *path, *text;
	} * damage;
	uint32_t damage_count;
	struct bytes torn; /* verify_to_append: the whole log, if its torn end was left out */
};

/*
 * Verifies the open directory FD, called PATH in messages. False only if it cannot be done;
 * what is wrong with the snapshot is in verdict->damage.
 */
bool verify_directory(TALLOC_CTX *ctx, int fd, const char *path, struct verdict *verdict,
                      struct error *err);

/*
 * The same for a path. If it is not there, but what a killed run left stands beside it, the
 * error says so. ERROR_SOURCE if PATH is no directory.
 */
bool verify_path(TALLOC_CTX *ctx, const char *path, struct verdict *verdict, struct error *err);

/* The same, and ERROR_BAD_NEWS with the first damage if the snapshot is not complete. */
bool verify_complete(TALLOC_CTX *ctx, const char *path, struct verdict *verdict, struct error *err);

/*
 * For whoever goes on behind its log: as verify_newest, but the torn end of a log behind a
 * manifest, and a chk file that only it can have named, are left out of what is verified.
 * verdict->torn has the whole log then; snapshot/torn.h keeps it.
 */
struct hive *verify_to_append(TALLOC_CTX *ctx, const char *path, struct verdict *verdict,
                              struct error *err);

/*
 * The newest state of the cluster database of a snapshot that is complete; ERROR_BAD_NEWS with the
 * first damage if it is not.
 */
struct hive *verify_newest(TALLOC_CTX *ctx, const char *path, struct verdict *verdict,
                           struct error *err);

#endif
