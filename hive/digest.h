/*
 * digest: one number that stands for a subtree, as SHA-256 (nettle).
 *
 * It covers exactly what compare_subtrees compares. docs/regf.md, "Tree digest", has the
 * byte stream, so that somebody else can compute it.
 */
#ifndef HIVE_DIGEST_H
#define HIVE_DIGEST_H

#include <pthread.h>

#include "hive/hive.h"
#include "hive/sink.h"

#define DIGEST_SIZE 32u
#define DIGEST_HEX (2 * DIGEST_SIZE + 1)

bool digest_subtree(const struct hive *hive, const struct hive_key *key,
                    uint8_t digest[DIGEST_SIZE], struct error *err);

/* The same, of a tree that does not come from a hive: give it to the sink, then finish. */
struct digest *digest_new(TALLOC_CTX *ctx);
struct sink *digest_sink(struct digest *digest);
void digest_finish(struct digest *digest, uint8_t out[DIGEST_SIZE]);

/* Plain SHA-256 of bytes. */
void digest_bytes(struct bytes bytes, uint8_t digest[DIGEST_SIZE]);

/* The same beside what the caller does meanwhile. BYTES must live until the other half is done. */
struct digest_job {
	struct bytes bytes;
	uint8_t digest[DIGEST_SIZE];
	pthread_t thread;
	bool in_thread;
};

void digest_begin(struct digest_job *job, struct bytes bytes);
void digest_wait(struct digest_job *job); /* then the digest is there */

/* Lower-case hexadecimal, NUL-terminated. */
void digest_hex(const uint8_t digest[DIGEST_SIZE], char hex[DIGEST_HEX]);

#endif
