/*
 * The tree digest: SHA-256 over a stream of records that the walk gives in order.
 *
 *	'K' time:u64 link:u8 name:text class:bytes descriptor:bytes	a key begins
 *	'V' name:text type:u32 data:bytes				a value of it
 *	'E'								the key ends
 *
 * text is a u32 count of UTF-16 units and the units, bytes a u32 count and the bytes; all
 * numbers little-endian. The name of the top key is empty: a subtree and its image are equal.
 */
#include "hive/digest.h"

#include <nettle/sha2.h>

#include "hive/walk.h"

#define THREAD_FROM (1u << 20)

struct digest {
	struct sink sink; /* first, so that a sink is a digest */
	struct sha256_ctx sha;
	unsigned depth;
};

static void add(struct digest *digest, const void *data, uint64_t size)
{
	sha256_update(&digest->sha, size, data);
}

static void add_number(struct digest *digest, uint64_t number, unsigned size)
{
	le64 n = le64_put(number);

	add(digest, n.b, size);
}

static void add_bytes(struct digest *digest, struct bytes bytes)
{
	add_number(digest, bytes.size, 4);
	add(digest, bytes.data, bytes.size);
}

static void add_name(struct digest *digest, struct name name)
{
	uint32_t length = name_length(name);
	le16 chunk[64];

	add_number(digest, length, 4);
	for (uint32_t i = 0; i < length;) {
		unsigned n = 0;

		while (n < 64 && i < length)
			chunk[n++] = le16_put(name_unit(name, i++));
		add(digest, chunk, n * sizeof(chunk[0]));
	}
}

static bool begin_key(struct sink *sink, const struct sink_key *key, struct error *err)
{
	struct digest *digest = (struct digest *)sink;

	(void)err;
	add_number(digest, 'K', 1);
	add_number(digest, key->time, 8);
	add_number(digest, key->link, 1);
	add_name(digest, digest->depth++ ? key->name : (struct name){ NULL, 0, true });
	add_bytes(digest, key->class_name);
	add_bytes(digest, key->descriptor);
	return true;
}

static bool begin_value(struct sink *sink, const struct sink_value *value, struct error *err)
{
	struct digest *digest = (struct digest *)sink;

	(void)err;
	add_number(digest, 'V', 1);
	add_name(digest, value->name);
	add_number(digest, value->type, 4);
	add_number(digest, value->size, 4);
	return true;
}

static bool data(struct sink *sink, struct bytes piece, struct error *err)
{
	(void)err;
	add((struct digest *)sink, piece.data, piece.size);
	return true;
}

static bool end_key(struct sink *sink, struct error *err)
{
	struct digest *digest = (struct digest *)sink;

	(void)err;
	digest->depth--;
	add_number(digest, 'E', 1);
	return true;
}

struct digest *digest_new(TALLOC_CTX *ctx)
{
	struct digest *digest = talloc_zero(ctx, struct digest);

	if (!digest)
		return NULL;
	digest->sink = (struct sink){ begin_key, begin_value, data, end_key };
	sha256_init(&digest->sha);
	return digest;
}

struct sink *digest_sink(struct digest *digest)
{
	return &digest->sink;
}

void digest_finish(struct digest *digest, uint8_t out[DIGEST_SIZE])
{
	sha256_digest(&digest->sha, DIGEST_SIZE, out);
}

bool digest_subtree(const struct hive *hive, const struct hive_key *key, uint8_t out[DIGEST_SIZE],
                    struct error *err)
{
	struct digest *digest = digest_new(NULL);
	bool done = digest ? walk_subtree(hive, key, &digest->sink, err) : error_memory(err);

	if (done)
		digest_finish(digest, out);
	talloc_free(digest);
	return done;
}

void digest_bytes(struct bytes bytes, uint8_t out[DIGEST_SIZE])
{
	struct sha256_ctx sha;

	sha256_init(&sha);
	sha256_update(&sha, bytes.size, bytes.data);
	sha256_digest(&sha, DIGEST_SIZE, out);
}

static void *sum(void *data)
{
	struct digest_job *job = data;

	digest_bytes(job->bytes, job->digest);
	return NULL;
}

/* What is small, or cannot have a thread, is done at once. */
void digest_begin(struct digest_job *job, struct bytes bytes)
{
	job->bytes = bytes;
	job->in_thread =
		bytes.size >= THREAD_FROM && pthread_create(&job->thread, NULL, sum, job) == 0;
	if (!job->in_thread)
		sum(job);
}

void digest_wait(struct digest_job *job)
{
	if (job->in_thread)
		pthread_join(job->thread, NULL);
	job->in_thread = false;
}

void digest_hex(const uint8_t digest[DIGEST_SIZE], char hex[DIGEST_HEX])
{
	static const char digits[] = "0123456789abcdef";

	for (unsigned i = 0; i < DIGEST_SIZE; i++) {
		hex[2 * i] = digits[digest[i] >> 4];
		hex[2 * i + 1] = digits[digest[i] & 15];
	}
	hex[2 * DIGEST_SIZE] = '\0';
}
