/*
 * quolog: quolog.log as a whole. docs/quolog.md is the specification.
 *
 * Writing: the header, a checkpoint, then transactions and checkpoints, and a manifest as the
 * last record: it stands for "all before me is complete". Everything is built in memory,
 * nothing is taken from the clock: the same calls give the same bytes.
 *
 *	w = quolog_create(ctx, &id, time, first, err);
 *	quolog_put_checkpoint(w, "chk0001.tmp", digest, time, origin, err);
 *	quolog_put_transaction(w, &transaction, err);
 *	quolog_put_manifest(w, files, count, time, err);
 *	image = quolog_finish(w, err);
 *
 * Appending: quolog_continue() on a log that was read. What is appended has its own manifest,
 * the last of a log is in force. Write what quolog_finish() gave before the manifest was put,
 * fsync it, and then the manifest: a crash in between leaves a torn end, never a gap.
 */
#ifndef SNAPSHOT_QUOLOG_H
#define SNAPSHOT_QUOLOG_H

#include "hive/digest.h"
#include "snapshot/layout.h"
#include "snapshot/record.h"

struct quolog_identity {
	uint32_t generation; /* 1, 2, or 0 if it is not known */
	const char *cluster; /* names, UTF-8; "" if there is none */
	const char *instance_id;
};

struct quolog_file {
	const char *path; /* as layout.h knows them */
	enum layout_kind kind;
	uint64_t size;
	uint8_t digest[DIGEST_SIZE];
	const char *hive,
		*key; /* where it came from: hive file and key; "" if that means nothing */
};

struct quolog_transaction {
	uint64_t time;
	const char *origin;     /* NULL: none; only of one that is written */
	bool inferred;          /* its place comes from times, not from a log */
	struct bytes batch;     /* [MS-CMRP] CLUSTER_REG_BATCH_UPDATE */
	struct bytes companion; /* what a batch cannot say */
};

/* --- writing --- */

struct quolog_writer; /* a talloc object */

/* FIRST is the sequence number that the first checkpoint gets: 1, or more after a reset. */
struct quolog_writer *quolog_create(TALLOC_CTX *ctx, const struct quolog_identity *id,
                                    uint64_t time, uint64_t first, struct error *err);

/* Each gets the next sequence number; a log starts with a checkpoint. */
bool quolog_put_checkpoint(struct quolog_writer *writer, const char *file,
                           const uint8_t digest[DIGEST_SIZE], uint64_t time, const char *origin,
                           struct error *err);
bool quolog_put_transaction(struct quolog_writer *writer,
                            const struct quolog_transaction *transaction, struct error *err);

/* FILES in any order; they are sorted by path. quolog.log itself is not one of them. */
bool quolog_put_manifest(struct quolog_writer *writer, const struct quolog_file *files,
                         size_t count, uint64_t time, struct error *err);

uint64_t quolog_sequence(const struct quolog_writer *writer); /* the last one given */
uint64_t quolog_length(const struct quolog_writer *writer);   /* of the whole log so far */

/* What was put since the start or the last finish, sealed, on the writer's context. */
struct image *quolog_finish(TALLOC_CTX *ctx, struct quolog_writer *writer, struct error *err);

/* --- reading --- */

enum quolog_state {
	QUOLOG_WHOLE,
	QUOLOG_TORN, /* an end that was never written whole; what is before is sound */
	QUOLOG_DAMAGED,
	QUOLOG_TOO_NEW,
	QUOLOG_FOREIGN, /* not ours; a genuine Windows quorum log too */
};

struct quolog_checkpoint {
	char *file;
	uint8_t digest[DIGEST_SIZE]; /* of the whole tree, hive/digest.h */
};

/* A checkpoint or a transaction. */
struct quolog_entry {
	enum record_type type;
	bool inferred;
	uint64_t sequence, time, offset;
	struct bytes origin;                 /* quolog_origin() has it as a string */
	struct quolog_checkpoint checkpoint; /* of a checkpoint */
};

struct quolog {
	enum quolog_state state;
	char *why;                 /* one sentence, unless it is whole */
	uint32_t records;          /* sound ones, from the start */
	uint64_t sound, committed; /* bytes of them; and up to the last manifest's end */
	struct quolog_identity id;
	struct quolog_file *files; /* of the last sound manifest, sorted by path */
	size_t file_count;
	struct quolog_entry *entries;
	size_t entry_count;
	struct bytes bytes;      /* the caller's; they must outlive this */
	struct record_place end; /* behind the last sound record */
};

/*
 * Reads a log as far as it is sound, and says in state what comes behind. NULL only if there
 * is no memory.
 */
struct quolog *quolog_read(TALLOC_CTX *ctx, struct bytes bytes, struct error *err);

/* True if it is whole; otherwise the error (ERROR_BAD_NEWS, or ERROR_SOURCE if not ours). */
bool quolog_check(const struct quolog *log, struct error *err);

/* Where an entry comes from: UTF-8, or what else stands there. NULL: no memory. */
char *quolog_origin(TALLOC_CTX *ctx, const struct quolog_entry *entry);

/* The contents of a transaction, on CTX or in the log. */
bool quolog_transaction(TALLOC_CTX *ctx, const struct quolog *log, const struct quolog_entry *entry,
                        struct quolog_transaction *out, struct error *err);

const struct quolog_file *quolog_file(const struct quolog *log, const char *path);

/* Goes on behind a whole log. */
struct quolog_writer *quolog_continue(TALLOC_CTX *ctx, const struct quolog *log, struct error *err);

#endif
