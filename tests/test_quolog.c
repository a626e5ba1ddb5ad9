/*
 * quolog.log against a second implementation: the encoder and the decoder in this file are
 * written from docs/quolog.md with plain offsets and use nothing of snapshot/.
 */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include <cmocka.h>

#include "snapshot/quolog.h"
#include "tests/allocfail.h"

static struct error err;

/* --- the second implementation --- */

struct file {
	uint8_t data[1 << 16];
	size_t size;
};

static void put(uint8_t *at, uint64_t n, int bytes)
{
	for (int i = 0; i < bytes; i++)
		at[i] = (uint8_t)(n >> 8 * i);
}

static uint64_t get(const uint8_t *at, int bytes)
{
	uint64_t n = 0;

	for (int i = bytes; i-- > 0;)
		n = n << 8 | at[i];
	return n;
}

/* CRC-32 as in RFC 1952, bit by bit. */
static uint32_t crc_bits(uint32_t crc, const uint8_t *data, size_t size)
{
	crc = ~crc;
	for (size_t i = 0; i < size; i++) {
		crc ^= data[i];
		for (int bit = 0; bit < 8; bit++)
			crc = crc & 1 ? crc >> 1 ^ 0xedb88320 : crc >> 1;
	}
	return ~crc;
}

static size_t pad8(size_t size)
{
	return (size + 7) / 8 * 8;
}

/* Every field of one record, as it shall stand in the file. */
struct spec {
	unsigned type, flags, number;
	uint64_t sequence, time;
	const char *origin;
	const void *payload;
	size_t stored, inflated;
};

static size_t add(struct file *file, struct spec spec)
{
	uint8_t *at = file->data + file->size;
	size_t origin = strlen(spec.origin);
	size_t length = 48 + pad8(origin) + pad8(spec.stored) + 8, start = file->size;

	assert_true(file->size + length <= sizeof(file->data));
	memset(at, 0, length);
	memcpy(at, "clql", 4);
	put(at + 4, length, 4);
	put(at + 8, spec.type, 2);
	put(at + 10, spec.flags, 2);
	put(at + 12, spec.number, 4);
	put(at + 16, spec.sequence, 8);
	put(at + 24, spec.time, 8);
	put(at + 32, origin, 4);
	put(at + 36, spec.stored, 4);
	put(at + 40, spec.inflated ? spec.inflated : spec.stored, 4);
	memcpy(at + 48, spec.origin, origin);
	memcpy(at + 48 + pad8(origin), spec.payload, spec.stored);
	memcpy(at + length - 8, "qEnd", 4);
	file->size += length;
	return start;
}

/* Computes all checksums anew, from the start, leaving the checksums themselves out. */
static void seal(struct file *file)
{
	uint32_t crc = 0;

	for (size_t at = 0; at < file->size;) {
		size_t length = get(file->data + at + 4, 4);

		crc = crc_bits(crc, file->data + at, length - 4);
		put(file->data + at + length - 4, crc, 4);
		at += length;
	}
}

static size_t header_payload(uint8_t *out, unsigned version)
{
	put(out, version, 4);
	put(out + 4, 2, 4);
	put(out + 8, 7, 4);
	put(out + 12, 4, 4);
	memcpy(out + 16, "CLUSTERid-1", 11);
	return 27;
}

static size_t checkpoint_payload(uint8_t *out, const char *name)
{
	memset(out, 0xd1, 32);
	put(out + 32, strlen(name), 4);
	put(out + 36, 0, 4);
	memcpy(out + 40, name, strlen(name));
	return 40 + strlen(name);
}

static size_t transaction_payload(uint8_t *out, const char *batch, const char *companion)
{
	put(out, strlen(batch), 4);
	put(out + 4, strlen(companion), 4);
	memcpy(out + 8, batch, strlen(batch));
	memcpy(out + 8 + strlen(batch), companion, strlen(companion));
	return 8 + strlen(batch) + strlen(companion);
}

static size_t manifest_entry(uint8_t *out, unsigned kind, const char *path, uint64_t size,
                             uint8_t digest, const char *hive, const char *key)
{
	size_t length = pad8(64 + strlen(path) + strlen(hive) + strlen(key));

	memset(out, 0, length);
	put(out, length, 4);
	put(out + 4, kind, 4);
	put(out + 8, size, 8);
	memset(out + 16, digest, 32);
	put(out + 48, strlen(path), 4);
	put(out + 52, strlen(hive), 4);
	put(out + 56, strlen(key), 4);
	memcpy(out + 64, path, strlen(path));
	memcpy(out + 64 + strlen(path), hive, strlen(hive));
	memcpy(out + 64 + strlen(path) + strlen(hive), key, strlen(key));
	return length;
}

#define GUID1 "c8d32427-7daa-4a94-ba85-850f5a920382"
#define CPT1 GUID1 "/00000001.CPT"

static size_t manifest_payload(uint8_t *out)
{
	size_t at = 8;

	put(out, 3, 4);
	put(out + 4, 0, 4);
	at += manifest_entry(out + at, 4, "Clusbackup.dat", 0, 0xe3, "", "");
	at += manifest_entry(out + at, 2, CPT1, 8192, 0xc1, "SOFTWARE", "Acme\\App");
	at += manifest_entry(out + at, 1, "chk0001.tmp", 4096, 0xa1, "CLUSDB", "");
	return at;
}

/* Header, checkpoint 1, transactions 2 and 3, manifest: what the rows below alter. */
enum { AT_HEADER, AT_CHECKPOINT, AT_FIRST, AT_SECOND, AT_MANIFEST, AT_END };

static void build(struct file *file, size_t at[AT_END + 1])
{
	uint8_t p[4096];

	file->size = 0;
	at[0] = add(file, (struct spec){ 1, 0, 0, 0, 100, "", p, header_payload(p, 1), 0 });
	at[1] = add(file, (struct spec){ 3, 0, 1, 1, 101, "node-a CLUSDB", p,
	                                 checkpoint_payload(p, "chk0001.tmp"), 0 });
	at[2] = add(file, (struct spec){ 4, 0, 2, 2, 102, "node-a CLUSDB.LOG1 entry 1", p,
	                                 transaction_payload(p, "batch one", "more"), 0 });
	at[3] = add(file, (struct spec){ 4, 2, 3, 3, 103, "times", p,
	                                 transaction_payload(p, "batch two!", ""), 0 });
	at[4] = add(file, (struct spec){ 2, 0, 4, 3, 104, "", p, manifest_payload(p), 0 });
	at[5] = file->size;
	seal(file);
}

/* --- asking the code under test --- */

static enum quolog_state ask(const struct file *file, char *why, uint32_t *records)
{
	/* exactly as large as the log, so that a sanitizer sees a byte too far */
	uint8_t *copy = malloc(file->size ? file->size : 1);
	struct quolog *log;
	enum quolog_state state;

	memcpy(copy, file->data, file->size);
	log = quolog_read(NULL, (struct bytes){ copy, file->size }, &err);
	assert_non_null(log);
	state = log->state;
	snprintf(why, 300, "%s", log->why ? log->why : "");
	assert_int_equal(state == QUOLOG_WHOLE, log->why == NULL);
	assert_int_equal(state == QUOLOG_WHOLE, quolog_check(log, &err));
	if (records)
		*records = log->records;
	talloc_free(log);
	free(copy);
	return state;
}

static const struct quolog_file files[] = {
	{ "chk0001.tmp", LAYOUT_CHK, 4096, { 0 }, "CLUSDB", "" },
	{ "Clusbackup.dat", LAYOUT_MARKER, 0, { 0 }, "", "" },
	{ CPT1, LAYOUT_CPT, 8192, { 0 }, "SOFTWARE", "Acme\\App" },
};

static struct bytes text(const char *t)
{
	return (struct bytes){ (const uint8_t *)t, strlen(t) };
}

static struct image *write_same(TALLOC_CTX *ctx)
{
	static const struct quolog_identity id = { 2, "CLUSTER", "id-1" };
	struct quolog_file copies[3];
	uint8_t digest[DIGEST_SIZE];
	struct quolog_writer *w;
	struct image *image;

	memcpy(copies, files, sizeof(files));
	memset(copies[0].digest, 0xa1, DIGEST_SIZE);
	memset(copies[1].digest, 0xe3, DIGEST_SIZE);
	memset(copies[2].digest, 0xc1, DIGEST_SIZE);
	memset(digest, 0xd1, sizeof(digest));
	w = quolog_create(ctx, &id, 100, 1, &err);
	assert_non_null(w);
	assert_true(quolog_put_checkpoint(w, "chk0001.tmp", digest, 101, "node-a CLUSDB", &err));
	assert_true(quolog_put_transaction(
		w,
		&(struct quolog_transaction){ 102, "node-a CLUSDB.LOG1 entry 1", false,
	                                      text("batch one"), text("more") },
		&err));
	assert_true(quolog_put_transaction(
		w, &(struct quolog_transaction){ 103, "times", true, text("batch two!"), text("") },
		&err));
	assert_int_equal(quolog_sequence(w), 3);
	assert_true(quolog_put_manifest(w, copies, 3, 104, &err));
	image = quolog_finish(ctx, w, &err);
	assert_non_null(image);
	talloc_free(w);
	return image;
}

/* --- tests --- */

/* Two implementations of the document write the same bytes (the manifest is deflated). */
static void test_written(void **state)
{
	TALLOC_CTX *tmp = talloc_new(NULL);
	struct image *image = write_same(tmp), *again = write_same(tmp);
	static struct file file;
	size_t at[AT_END + 1];
	uint8_t inflated[4096], expected[4096];
	const uint8_t *manifest;
	uLongf made = sizeof(inflated);

	(void)state;
	build(&file, at);
	assert_true(bytes_equal(image->bytes, again->bytes));
	assert_true(image->bytes.size > at[AT_MANIFEST]);
	assert_memory_equal(image->bytes.data, file.data, at[AT_MANIFEST]);
	manifest = image->bytes.data + at[AT_MANIFEST];
	assert_int_equal(get(manifest + 8, 2), 2);
	assert_int_equal(get(manifest + 10, 2), 1);
	assert_int_equal(get(manifest + 12, 4), 4);
	assert_int_equal(get(manifest + 16, 8), 3);
	assert_int_equal(get(manifest + 4, 4), image->bytes.size - at[AT_MANIFEST]);
	assert_int_equal(uncompress(inflated, &made, manifest + 48, get(manifest + 36, 4)), Z_OK);
	assert_int_equal(made, get(manifest + 40, 4));
	assert_int_equal(made, manifest_payload(expected));
	assert_memory_equal(inflated, expected, made);
	/* and its checksum goes on behind all the others */
	memcpy(file.data, image->bytes.data, file.size = image->bytes.size);
	seal(&file);
	assert_memory_equal(file.data, image->bytes.data, file.size);
	talloc_free(tmp);
}

static void assert_read(struct bytes bytes)
{
	TALLOC_CTX *tmp = talloc_new(NULL);
	struct quolog *log = quolog_read(tmp, bytes, &err);
	struct quolog_transaction t;

	assert_non_null(log);
	assert_int_equal(log->state, QUOLOG_WHOLE);
	assert_int_equal(log->records, 5);
	assert_int_equal(log->committed, bytes.size);
	assert_int_equal(log->id.generation, 2);
	assert_string_equal(log->id.cluster, "CLUSTER");
	assert_string_equal(log->id.instance_id, "id-1");
	assert_int_equal(log->entry_count, 3);
	assert_int_equal(log->entries[0].type, RECORD_CHECKPOINT);
	assert_int_equal(log->entries[0].sequence, 1);
	assert_string_equal(log->entries[0].checkpoint.file, "chk0001.tmp");
	assert_int_equal(log->entries[0].checkpoint.digest[31], 0xd1);
	assert_int_equal(log->entries[1].sequence, 2);
	assert_int_equal(log->entries[1].time, 102);
	assert_string_equal(log->entries[1].origin, "node-a CLUSDB.LOG1 entry 1");
	assert_false(log->entries[1].inferred);
	assert_true(quolog_transaction(tmp, log, &log->entries[1], &t, &err));
	assert_true(bytes_equal(t.batch, text("batch one")));
	assert_true(bytes_equal(t.companion, text("more")));
	assert_true(quolog_transaction(tmp, log, &log->entries[2], &t, &err));
	assert_true(t.inferred);
	assert_true(bytes_equal(t.batch, text("batch two!")));
	assert_int_equal(t.companion.size, 0);
	assert_false(quolog_transaction(tmp, log, &log->entries[0], &t, &err));
	assert_int_equal(log->file_count, 3);
	assert_non_null(quolog_file(log, CPT1));
	assert_int_equal(quolog_file(log, CPT1)->size, 8192);
	assert_int_equal(quolog_file(log, CPT1)->kind, LAYOUT_CPT);
	assert_int_equal(quolog_file(log, CPT1)->digest[0], 0xc1);
	assert_string_equal(quolog_file(log, CPT1)->hive, "SOFTWARE");
	assert_string_equal(quolog_file(log, CPT1)->key, "Acme\\App");
	assert_non_null(quolog_file(log, "Clusbackup.dat"));
	assert_null(quolog_file(log, "chk0002.tmp"));
	talloc_free(tmp);
}

static void test_read(void **state)
{
	static struct file file;
	size_t at[AT_END + 1];
	struct image *image = write_same(NULL);

	(void)state;
	build(&file, at);
	assert_read((struct bytes){ file.data, file.size });
	assert_read(image->bytes);
	talloc_free(image);
}

static void test_every_bit(void **state)
{
	static struct file file;
	size_t at[AT_END + 1], bits;
	char why[300];

	(void)state;
	build(&file, at);
	bits = 8 * file.size;
	for (size_t bit = 0; bit < bits; bit++) {
		enum quolog_state expected = bit < 32 ? QUOLOG_FOREIGN : QUOLOG_DAMAGED, found;
		uint32_t records, hit = 0;

		while (bit / 8 >= at[hit + 1])
			hit++;
		file.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
		found = ask(&file, why, &records);
		if (found != expected || records != hit)
			fail_msg("bit %zu: state %d, %u records, %s", bit, found, records, why);
		file.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
}

static void test_every_length(void **state)
{
	static struct file file;
	size_t at[AT_END + 1], size;
	char why[300];

	(void)state;
	build(&file, at);
	size = file.size;
	for (file.size = 0; file.size < size; file.size++) {
		uint32_t records, whole = 0;

		while (file.size >= at[whole + 1])
			whole++;
		if (ask(&file, why, &records) != QUOLOG_TORN || records != whole)
			fail_msg("%zu bytes: %u records, %s", file.size, records, why);
		assert_non_null(strstr(why, "torn a"));
	}
}

/* A file that had its length before it had its bytes: zeros from a sector's start on. */
static void test_zeros_at_the_end(void **state)
{
	static struct file file;
	size_t at[AT_END + 1];
	char why[300];
	unsigned torn = 0;

	(void)state;
	for (size_t from = 4; from < 2000; from++) {
		enum quolog_state found;

		build(&file, at);
		if (from >= file.size)
			break;
		memset(file.data + from, 0, file.size - from);
		found = ask(&file, why, NULL);
		torn += found == QUOLOG_TORN;
		/* never whole; and torn wherever the cut is such as a disk makes it */
		if (found == QUOLOG_WHOLE || (found != QUOLOG_TORN && from % 512 == 0))
			fail_msg("zeros from %zu: state %d, %s", from, found, why);
		for (int i = 1; i < AT_END; i++) {
			if (from == at[i] && found != QUOLOG_TORN)
				fail_msg("zeros from record %d: %s", i, why);
		}
	}
	assert_true(torn > 0);
	/* zeros behind a whole log are the start of an append */
	build(&file, at);
	memset(file.data + file.size, 0, 4096);
	file.size += 4096;
	assert_int_equal(ask(&file, why, NULL), QUOLOG_TORN);
	/* but a hole of zeros in the middle is no torn end */
	build(&file, at);
	memset(file.data + at[AT_FIRST], 0, at[AT_SECOND] - at[AT_FIRST]);
	assert_int_equal(ask(&file, why, NULL), QUOLOG_DAMAGED);
}

/* Copies record I of FROM behind what is in TO. */
static void copy_record(struct file *to, const struct file *from, const size_t *at, int i)
{
	memcpy(to->data + to->size, from->data + at[i], at[i + 1] - at[i]);
	to->size += at[i + 1] - at[i];
}

static void test_removed_swapped_repeated(void **state)
{
	static struct file file, other;
	size_t at[AT_END + 1];
	char why[300], expected[100];
	uint32_t records;

	(void)state;
	build(&file, at);
	for (int i = 0; i < AT_END; i++) {
		other.size = 0;
		for (int j = 0; j < AT_END; j++) {
			if (j != i)
				copy_record(&other, &file, at, j);
		}
		assert_int_equal(ask(&other, why, &records),
		                 i == AT_END - 1 ? QUOLOG_TORN : QUOLOG_DAMAGED);
		assert_int_equal(records, i);
		snprintf(expected, sizeof(expected), "record %d is missing", i);
		if (i < AT_END - 1 && !strstr(why, expected))
			fail_msg("without record %d: %s", i, why);

		other.size = 0;
		for (int j = 0; j < AT_END; j++) {
			copy_record(&other, &file, at, j);
			if (j == i)
				copy_record(&other, &file, at, j);
		}
		assert_int_equal(ask(&other, why, &records), QUOLOG_DAMAGED);
		snprintf(expected, sizeof(expected), "record %d stands there, again", i);
		if (!strstr(why, expected))
			fail_msg("record %d twice: %s", i, why);

		for (int k = i + 1; k < AT_END; k++) {
			other.size = 0;
			for (int j = 0; j < AT_END; j++)
				copy_record(&other, &file, at, j == i ? k : j == k ? i : j);
			assert_int_equal(ask(&other, why, &records), QUOLOG_DAMAGED);
			assert_int_equal(records, i);
			snprintf(expected, sizeof(expected), "record %d stands there", k);
			if (!strstr(why, expected))
				fail_msg("records %d and %d swapped: %s", i, k, why);
		}
	}
}

/* A record of another log, with the right number, in its place: the chain finds it. */
static void test_chain(void **state)
{
	static struct file file, other;
	size_t at[AT_END + 1];
	char why[300];
	uint32_t records;

	(void)state;
	build(&file, at);
	build(&other, at);
	other.data[at[AT_CHECKPOINT] + 24] ^= 1;
	seal(&other);
	assert_int_equal(ask(&other, why, NULL), QUOLOG_WHOLE);
	memcpy(other.data + at[AT_SECOND], file.data + at[AT_SECOND], at[AT_END] - at[AT_SECOND]);
	assert_int_equal(ask(&other, why, &records), QUOLOG_DAMAGED);
	assert_int_equal(records, AT_SECOND);
}

/* One clause of the document a row: N bytes of VALUE at OFFSET of a record, then sealed anew. */
static void test_clauses(void **state)
{
	static const struct {
		const char *clause;
		int record;
		size_t offset;
		int n;
		uint64_t value;
		enum quolog_state expected;
		const char *said;
	} rows[] = {
		{ "R1 signature", 2, 0, 1, 'C', QUOLOG_DAMAGED, "no head" },
		{ "R2 origin longer", 2, 0x20, 4, 40, QUOLOG_DAMAGED, "no head" },
		{ "R2 origin huge", 2, 0x20, 4, 0xfffffff0, QUOLOG_DAMAGED, "no head" },
		{ "R2 stored longer", 2, 0x24, 4, 400, QUOLOG_DAMAGED, "no head" },
		{ "R2 stored huge", 2, 0x24, 4, 0xffffffff, QUOLOG_DAMAGED, "no head" },
		{ "R2 reserved", 2, 0x2c, 4, 1, QUOLOG_DAMAGED, "no head" },
		{ "R3 number", 2, 0x0c, 4, 7, QUOLOG_DAMAGED, "records 2 to 6 are missing" },
		{ "R3 number", 2, 0x0c, 4, 3, QUOLOG_DAMAGED, "record 2 is missing" },
		{ "R3 number", 2, 0x0c, 4, 1, QUOLOG_DAMAGED, "again or out of order" },
		{ "R6 type 0", 2, 0x08, 2, 0, QUOLOG_DAMAGED, "does not exist" },
		{ "R6 type 5", 2, 0x08, 2, 5, QUOLOG_DAMAGED, "does not exist" },
		{ "R6 flag", 2, 0x0a, 2, 4, QUOLOG_DAMAGED, "does not exist" },
		{ "R6 flag of another type", 1, 0x0a, 2, 2, QUOLOG_DAMAGED, "does not exist" },
		{ "R6 second header", 2, 0x08, 2, 1, QUOLOG_DAMAGED, "first record, and no other" },
		{ "R6 no header", 0, 0x08, 2, 3, QUOLOG_DAMAGED, "first record, and no other" },
		{ "R7 sequence again", 3, 0x10, 8, 2, QUOLOG_DAMAGED, "where 3 is due" },
		{ "R7 sequence left out", 3, 0x10, 8, 4, QUOLOG_DAMAGED, "where 3 is due" },
		{ "R7 manifest's sequence", 4, 0x10, 8, 4, QUOLOG_DAMAGED, "where 3 is due" },
		{ "R7 first sequence", 0, 0x10, 8, 5, QUOLOG_DAMAGED, "where 6 is due" },
		{ "R8 payload size", 2, 0x28, 4, 20, QUOLOG_DAMAGED, "stored as" },
		{ "R8 origin text", 2, 0x30, 1, 0x1b, QUOLOG_DAMAGED, "no text" },
		{ "R8 origin padding", 1, 0x3d, 1, 1, QUOLOG_DAMAGED, "padding" },
		{ "R8 payload padding", 3, 0x38 + 18, 1, 1, QUOLOG_DAMAGED, "padding" },
		{ "R9 not deflated", 2, 0x0a, 2, 1, QUOLOG_DAMAGED, "does not inflate" },
		{ "V too new", 0, 0x30, 4, 2, QUOLOG_TOO_NEW, "version 2" },
		{ "V zero", 0, 0x30, 4, 0, QUOLOG_DAMAGED, "version 0" },
		{ "H1 name size", 0, 0x38, 4, 8, QUOLOG_DAMAGED, "header do not fit" },
		{ "H1 name size", 0, 0x38, 4, 0xfffffff8, QUOLOG_DAMAGED, "header do not fit" },
		{ "H2 NUL", 0, 0x41, 1, 0, QUOLOG_DAMAGED, "a NUL" },
		{ "C1 size", 1, 0x40 + 0x20, 4, 12, QUOLOG_DAMAGED, "checkpoint do not fit" },
		{ "C1 reserved", 1, 0x40 + 0x24, 4, 1, QUOLOG_DAMAGED, "checkpoint do not fit" },
		{ "C2 name", 1, 0x40 + 0x28, 1, 'C', QUOLOG_DAMAGED, "chk file" },
		{ "X1 size", 3, 0x38, 4, 11, QUOLOG_DAMAGED, "transaction do not fit" },
		{ "X1 size", 3, 0x3c, 4, 0xffffffff, QUOLOG_DAMAGED, "transaction do not fit" },
		{ "L1 first a transaction", 1, 0x08, 2, 4, QUOLOG_DAMAGED,
		  "begin with a checkpoint" },
		{ "M1 count more", 4, 0x30, 4, 4, QUOLOG_DAMAGED, "entry of the manifest" },
		{ "M1 count huge", 4, 0x30, 4, 0xffffffff, QUOLOG_DAMAGED, "count" },
		{ "M1 reserved", 4, 0x34, 4, 1, QUOLOG_DAMAGED, "count" },
		{ "M7 count less", 4, 0x30, 4, 2, QUOLOG_DAMAGED, "entry of the manifest" },
		{ "M2 length", 4, 0x38, 4, 88, QUOLOG_DAMAGED, "entry of the manifest" },
		{ "M2 path size", 4, 0x38 + 0x30, 4, 0xffffffff, QUOLOG_DAMAGED, "entry of" },
		{ "M2 hive size", 4, 0x38 + 0x34, 4, 1, QUOLOG_DAMAGED, "entry of" },
		{ "M2 reserved", 4, 0x38 + 0x3c, 4, 1, QUOLOG_DAMAGED, "entry of" },
		{ "M3 kind", 4, 0x38 + 0x04, 4, 5, QUOLOG_DAMAGED, "entry of" },
		{ "M3 kind of another", 4, 0x38 + 0x04, 4, 1, QUOLOG_DAMAGED, "entry of" },
		{ "M4 path", 4, 0x38 + 0x40, 1, '/', QUOLOG_DAMAGED, "entry of" },
		{ "M4 NUL", 4, 0x38 + 0x41, 1, 0, QUOLOG_DAMAGED, "entry of" },
		{ "M5 padding", 4, 0x38 + 0x4f, 1, 1, QUOLOG_DAMAGED, "entry of" },
	};
	static struct file file;
	size_t at[AT_END + 1];
	char why[300];

	(void)state;
	for (unsigned i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		enum quolog_state found;

		build(&file, at);
		put(file.data + at[rows[i].record] + rows[i].offset, rows[i].value, rows[i].n);
		seal(&file);
		found = ask(&file, why, NULL);
		if (found != rows[i].expected || !strstr(why, rows[i].said))
			fail_msg("%s: state %d, %s", rows[i].clause, found, why);
	}
	/* R4 and R5: not sealed anew */
	build(&file, at);
	file.data[at[3] - 8] = 'Q';
	assert_int_equal(ask(&file, why, NULL), QUOLOG_DAMAGED);
	assert_non_null(strstr(why, "end mark"));
	build(&file, at);
	file.data[at[3] - 1] ^= 1;
	assert_int_equal(ask(&file, why, NULL), QUOLOG_DAMAGED);
	assert_non_null(strstr(why, "checksum"));
	/* R2: a length that is a multiple of 8, and wrong; and one beyond the file */
	build(&file, at);
	put(file.data + at[2] + 4, at[3] - at[2] + 8, 4);
	assert_int_equal(ask(&file, why, NULL), QUOLOG_DAMAGED);
	/* T2 is for the record that is due: any other one is no torn end */
	build(&file, at);
	put(file.data + at[4] + 0x0c, 9, 4);
	file.size -= 8;
	assert_int_equal(ask(&file, why, NULL), QUOLOG_DAMAGED);
	assert_non_null(strstr(why, "records 4 to 8 are missing"));
}

/* Header, one record with the ORIGIN, and the manifest of COUNT chk files by these numbers. */
static enum quolog_state ask_made(const char *origin, int count, const unsigned *numbers, char *why)
{
	static struct file file;
	uint8_t p[4096];
	char name[20];
	size_t size = 8;

	file.size = 0;
	add(&file, (struct spec){ 1, 0, 0, 0, 0, "", p, header_payload(p, 1), 0 });
	add(&file,
	    (struct spec){ 3, 0, 1, 1, 0, origin, p, checkpoint_payload(p, "chk0001.tmp"), 0 });
	memset(p, 0, 8);
	put(p, count, 4);
	for (int i = 0; i < count; i++) {
		snprintf(name, sizeof(name), "chk%04x.tmp", numbers[i]);
		size += manifest_entry(p + size, 1, name, 1, 2, "", "");
	}
	add(&file, (struct spec){ 2, 0, 2, 1, 0, "", p, size, 0 });
	seal(&file);
	return ask(&file, why, NULL);
}

static void test_origin_and_order(void **state)
{
	char why[300], origin[1034];

	(void)state;
	memset(origin, 'o', sizeof(origin));
	origin[1024] = 0;
	assert_int_equal(ask_made(origin, 0, NULL, why), QUOLOG_WHOLE); /* R2 */
	origin[1024] = 'o';
	origin[1025] = 0;
	assert_int_equal(ask_made(origin, 0, NULL, why), QUOLOG_DAMAGED);
	assert_int_equal(ask_made("", 3, (unsigned[]){ 1, 2, 0xa }, why), QUOLOG_WHOLE); /* M6 */
	assert_int_equal(ask_made("", 3, (unsigned[]){ 1, 2, 2 }, why), QUOLOG_DAMAGED);
	assert_int_equal(ask_made("", 3, (unsigned[]){ 2, 1, 3 }, why), QUOLOG_DAMAGED);
	assert_non_null(strstr(why, "entry of the manifest"));
}

/* One deflated transaction whose head says it has INFLATED bytes. */
static enum quolog_state ask_deflated(size_t real, size_t declared, size_t cut, char *why)
{
	static struct file file;
	static uint8_t raw[1 << 20], stored[1 << 15];
	uLongf made = sizeof(stored);
	uint8_t p[4096];

	file.size = 0;
	memset(raw, 0, sizeof(raw));
	for (size_t i = 8; i < real; i += 40)
		raw[i] = (uint8_t)(i * 7);
	put(raw, real - 8, 4);
	assert_int_equal(compress2(stored, &made, raw, real, 9), Z_OK);
	add(&file, (struct spec){ 1, 0, 0, 0, 0, "", p, header_payload(p, 1), 0 });
	add(&file, (struct spec){ 3, 0, 1, 1, 0, "", p, checkpoint_payload(p, "chk0001.tmp"), 0 });
	add(&file, (struct spec){ 4, 1, 2, 2, 0, "", stored, made - cut, declared });
	add(&file, (struct spec){ 2, 0, 3, 2, 0, "", p, manifest_payload(p), 0 });
	seal(&file);
	return ask(&file, why, NULL);
}

static void test_deflated(void **state)
{
	char why[300];

	(void)state;
	assert_int_equal(ask_deflated(2000, 2000, 0, why), QUOLOG_WHOLE);
	assert_int_equal(ask_deflated(2000, 1999, 0, why), QUOLOG_DAMAGED);
	assert_int_equal(ask_deflated(2000, 2001, 0, why), QUOLOG_DAMAGED);
	assert_int_equal(ask_deflated(2000, 2000, 1, why), QUOLOG_DAMAGED);
	assert_int_equal(ask_deflated(2000, 2000, (size_t)-1, why), QUOLOG_DAMAGED); /* one more */
	assert_non_null(strstr(why, "does not inflate"));
	/* a bomb is refused before memory is taken for it */
	assert_int_equal(ask_deflated(1 << 20, 1 << 20, 0, why), QUOLOG_DAMAGED);
	assert_non_null(strstr(why, "claim to be"));
	assert_int_equal(ask_deflated(2000, 0x7fffffff, 0, why), QUOLOG_DAMAGED);
	assert_non_null(strstr(why, "claim to be"));
}

/* What we deflate ourselves, of every compressibility, is what we read. */
static void test_big_payloads(void **state)
{
	static const struct quolog_identity id = { 1, "", "" };
	TALLOC_CTX *tmp = talloc_new(NULL);
	uint8_t digest[DIGEST_SIZE] = { 0 };
	size_t size = 300000;
	uint8_t *data = talloc_zero_size(tmp, size);
	uint32_t random = 1;

	(void)state;
	for (unsigned noise = 0; noise <= 64; noise = noise ? noise * 4 : 1) {
		struct quolog_writer *w = quolog_create(tmp, &id, 0, 41, &err);
		struct quolog_transaction t = { 1, "", false, { data, size }, { data, 7 } };
		struct image *image;
		struct quolog *log;

		for (size_t i = 0; i < size; i++) {
			random = random * 1103515245 + 12345;
			data[i] = (random >> 16) % 64 < noise ? (uint8_t)(random >> 24) : 0;
		}
		assert_true(quolog_put_checkpoint(w, "chk0001.tmp", digest, 0, "", &err));
		assert_true(quolog_put_transaction(w, &t, &err));
		assert_true(quolog_put_manifest(w, NULL, 0, 0, &err));
		assert_int_equal(quolog_sequence(w), 42);
		image = quolog_finish(tmp, w, &err);
		log = quolog_read(tmp, image->bytes, &err);
		assert_int_equal(log->state, QUOLOG_WHOLE);
		assert_int_equal(log->entries[1].sequence, 42);
		memset(&t, 0, sizeof(t));
		assert_true(quolog_transaction(tmp, log, &log->entries[1], &t, &err));
		assert_int_equal(t.batch.size, size);
		assert_memory_equal(t.batch.data, data, size);
		assert_memory_equal(t.companion.data, data, 7);
	}
	talloc_free(tmp);
}

static void test_not_ours(void **state)
{
	static const char *const starts[] = { "regf", "\0\0\0\0", "Clql", "GenuineQuorumLog", "x" };
	static struct file file;
	char why[300];

	(void)state;
	for (unsigned i = 0; i < sizeof(starts) / sizeof(*starts); i++) {
		memset(file.data, 0, 4096);
		memcpy(file.data, starts[i], i == 1 ? 4 : strlen(starts[i]));
		file.size = i == 4 ? 1 : 4096;
		assert_int_equal(ask(&file, why, NULL), QUOLOG_FOREIGN);
		assert_non_null(strstr(why, "Windows"));
		assert_int_equal(err.kind, ERROR_SOURCE);
	}
}

/* Appending: the last manifest is in force; without it the end is torn, the old log sound. */
static void test_append(void **state)
{
	TALLOC_CTX *tmp = talloc_new(NULL);
	struct image *image = write_same(tmp), *more, *close;
	struct quolog *log = quolog_read(tmp, image->bytes, &err), *both;
	struct quolog_writer *w = quolog_continue(tmp, log, &err);
	struct quolog_transaction t = { 200, "edit\x07", false, text("batch three"), text("") };
	static struct file file;
	char why[300];
	uint32_t records;

	(void)state;
	assert_non_null(w);
	assert_true(quolog_put_transaction(w, &t, &err));
	more = quolog_finish(tmp, w, &err);
	assert_true(quolog_put_manifest(w, files, 2, 201, &err));
	close = quolog_finish(tmp, w, &err);
	memcpy(file.data, image->bytes.data, file.size = image->bytes.size);
	memcpy(file.data + file.size, more->bytes.data, more->bytes.size);
	memcpy(file.data + file.size + more->bytes.size, close->bytes.data, close->bytes.size);
	for (uint64_t extra = 0; extra < more->bytes.size + close->bytes.size; extra++) {
		file.size = image->bytes.size + extra;
		assert_int_equal(ask(&file, why, &records), extra ? QUOLOG_TORN : QUOLOG_WHOLE);
		assert_int_equal(records, extra < more->bytes.size ? 5 : 6);
	}
	file.size = image->bytes.size + more->bytes.size + close->bytes.size;
	both = quolog_read(tmp, (struct bytes){ file.data, file.size }, &err);
	assert_int_equal(both->state, QUOLOG_WHOLE);
	assert_int_equal(both->file_count, 2);
	assert_int_equal(both->entry_count, 4);
	assert_int_equal(both->entries[3].sequence, 4);
	assert_string_equal(both->entries[3].origin, "edit?");
	/* a torn log is not gone on with */
	both = quolog_read(tmp, (struct bytes){ file.data, file.size - 1 }, &err);
	assert_int_equal(both->committed, image->bytes.size);
	assert_null(quolog_continue(tmp, both, &err));
	assert_int_equal(err.kind, ERROR_BAD_NEWS);
	talloc_free(tmp);
}

static void test_writer_refuses(void **state)
{
	static const struct quolog_identity id = { 1, "c", "" };
	static const struct quolog_file twice[] = {
		{ "chk0001.tmp", LAYOUT_CHK, 0, { 0 }, "", "" },
		{ "chk0001.tmp", LAYOUT_CHK, 0, { 0 }, "", "" }
	};
	static const struct quolog_file bad[] = {
		{ "quolog.log", LAYOUT_LOG, 0, { 0 }, "", "" },
		{ "../chk0001.tmp", LAYOUT_CHK, 0, { 0 }, "", "" },
		{ "chk0001.tmp", LAYOUT_CPT, 0, { 0 }, "", "" },
		{ "x", LAYOUT_UNKNOWN, 0, { 0 }, "", "" },
	};
	struct quolog_writer *w = quolog_create(NULL, &id, 0, 1, &err);
	struct quolog_transaction t = { 1, "", false, text("b"), text("") };
	uint8_t digest[DIGEST_SIZE] = { 0 };
	char origin[3000];

	(void)state;
	assert_false(quolog_put_transaction(w, &t, &err));
	assert_false(quolog_put_checkpoint(w, "../chk0001.tmp", digest, 0, "", &err));
	memset(origin, 0xc3, sizeof(origin));
	origin[sizeof(origin) - 1] = 0;
	assert_true(quolog_put_checkpoint(w, "chk0001.tmp", digest, 0, origin, &err));
	assert_false(quolog_put_manifest(w, twice, 2, 0, &err));
	for (int i = 0; i < 4; i++)
		assert_false(quolog_put_manifest(w, &bad[i], 1, 0, &err));
	assert_int_equal(quolog_sequence(w), 1);
	talloc_free(w);
}

/* Writes a log with everything in it, reads it, and looks at what came out. */
static bool write_and_read(void *data, struct error *error)
{
	static const struct quolog_identity id = { 1, "cluster", "id" };
	struct bytes *expected = data;
	TALLOC_CTX *tmp = talloc_new(NULL);
	uint8_t digest[DIGEST_SIZE] = { 0 };
	char batch[600] = { 'b' };
	struct quolog_transaction t = { 1, "origin", false, { (uint8_t *)batch, 600 }, text("c") };
	struct quolog_writer *w;
	struct image *image;
	struct quolog *log;
	bool done;

	if (!tmp)
		return error_memory(error);
	w = quolog_create(tmp, &id, 0, 1, error);
	done = w && quolog_put_checkpoint(w, "chk0001.tmp", digest, 0, "origin", error) &&
	       quolog_put_transaction(w, &t, error) && quolog_put_manifest(w, files, 3, 0, error);
	image = done ? quolog_finish(tmp, w, error) : NULL;
	log = image ? quolog_read(tmp, image->bytes, error) : NULL;
	done = log && quolog_check(log, error) &&
	       quolog_transaction(tmp, log, &log->entries[1], &t, error);
	if (done && (t.batch.size != 600 || log->file_count != 3))
		done = error_set(error, ERROR_BAD_NEWS, "not what was written");
	if (done && expected->data && !bytes_equal(*expected, image->bytes))
		done = error_set(error, ERROR_BAD_NEWS, "other bytes for want of memory");
	if (done && !expected->data)
		*expected = (struct bytes){ malloc(image->bytes.size), image->bytes.size };
	if (done && expected->data)
		memcpy((void *)expected->data, image->bytes.data, image->bytes.size);
	talloc_free(tmp);
	return done;
}

static void test_no_memory(void **state)
{
	struct bytes expected = { NULL, 0 };

	(void)state;
	assert_true(write_and_read(&expected, &err));
	assert_in_range(allocfail_run(write_and_read, &expected, 0), 20, 100000);
	free((void *)expected.data);
}

static void test_many(void **state)
{
	static const struct quolog_identity id = { 1, "c", "" };
	TALLOC_CTX *tmp = talloc_new(NULL);
	struct quolog_writer *w = quolog_create(tmp, &id, 0, 1, &err);
	struct quolog_transaction t = { 1, "node", false, text("some batch"), text("more") };
	uint8_t digest[DIGEST_SIZE] = { 0 };
	struct image *image;
	struct quolog *log;

	(void)state;
	assert_true(quolog_put_checkpoint(w, "chk0001.tmp", digest, 0, "", &err));
	for (unsigned i = 0; i < 20000; i++)
		assert_true(quolog_put_transaction(w, &t, &err));
	assert_true(quolog_put_manifest(w, files, 3, 0, &err));
	image = quolog_finish(tmp, w, &err);
	log = quolog_read(tmp, image->bytes, &err);
	assert_int_equal(log->state, QUOLOG_WHOLE);
	assert_int_equal(log->entry_count, 20001);
	assert_int_equal(log->entries[20000].sequence, 20001);
	talloc_free(tmp);
}

static void test_layout(void **state)
{
	static const struct {
		const char *path;
		enum layout_kind kind;
	} rows[] = {
		{ "chk0001.tmp", LAYOUT_CHK },
		{ "chkdeadbeef.tmp", LAYOUT_CHK },
		{ "chk0000.tmp", LAYOUT_UNKNOWN },
		{ "chk001.tmp", LAYOUT_UNKNOWN },
		{ "chk000000001.tmp", LAYOUT_UNKNOWN },
		{ "chk000A.tmp", LAYOUT_UNKNOWN },
		{ "chk0001.tmp/", LAYOUT_UNKNOWN },
		{ "./chk0001.tmp", LAYOUT_UNKNOWN },
		{ "chk0001.tmpx", LAYOUT_UNKNOWN },
		{ "quolog.log", LAYOUT_LOG },
		{ "Quolog.log", LAYOUT_UNKNOWN },
		{ "Clusbackup.dat", LAYOUT_MARKER },
		{ GUID1, LAYOUT_RESOURCE },
		{ "{" GUID1 "}", LAYOUT_UNKNOWN },
		{ "C8D32427-7daa-4a94-ba85-850f5a920382", LAYOUT_UNKNOWN },
		{ GUID1 "/00000001.CPT", LAYOUT_CPT },
		{ GUID1 "/0000000A.CPR", LAYOUT_CPR },
		{ GUID1 "/0000000a.CPR", LAYOUT_CPR },
		{ GUID1 "/00000001.cpt", LAYOUT_UNKNOWN },
		{ GUID1 "/0000001.CPT", LAYOUT_UNKNOWN },
		{ GUID1 "//0000001.CPT", LAYOUT_UNKNOWN },
		{ GUID1 "/../a/00000001.CPT", LAYOUT_UNKNOWN },
		{ GUID1 "/", LAYOUT_UNKNOWN },
		{ "/" GUID1 "/00000001.CPT", LAYOUT_UNKNOWN },
		{ "..", LAYOUT_UNKNOWN },
		{ "", LAYOUT_UNKNOWN },
	};
	char name[LAYOUT_CHK_SIZE];

	(void)state;
	for (unsigned i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		if (layout_kind(rows[i].path) != rows[i].kind)
			fail_msg("'%s' is a %s", rows[i].path,
			         layout_kind_name(layout_kind(rows[i].path)));
	}
	layout_chk_name(0x1f, name);
	assert_string_equal(name, "chk001f.tmp");
	assert_int_equal(layout_chk_number(name), 0x1f);
	layout_chk_name(0xffffffff, name);
	assert_int_equal(layout_chk_number(name), 0xffffffff);
}

static bool ask_directory(const char *make)
{
	char path[] = "/tmp/test_quolog.XXXXXX", command[1000];
	bool answer;
	int fd;

	assert_non_null(mkdtemp(path));
	snprintf(command, sizeof(command), "cd %s && G=" GUID1 " && %s", path, make);
	assert_int_equal(system(command), 0);
	fd = open(path, O_RDONLY | O_DIRECTORY);
	memset(&err, 0, sizeof(err));
	answer = layout_is_snapshot(fd, "DEST", &err);
	assert_int_equal(answer ? ERROR_NONE : ERROR_REFUSED, err.kind);
	close(fd);
	snprintf(command, sizeof(command), "rm -rf %s", path);
	assert_int_equal(system(command), 0);
	return answer;
}

/* What a backup may overwrite. */
static void test_is_snapshot(void **state)
{
	static const struct {
		const char *make, *refused;
	} rows[] = {
		{ "printf clql >quolog.log; touch chk0001.tmp Clusbackup.dat", NULL },
		{ "printf clql >quolog.log; mkdir $G; touch $G/00000001.CPT $G/00000002.CPR",
		  NULL },
		{ "printf clqlxxx >quolog.log", NULL },
		{ "touch chk0001.tmp; mkdir $G", NULL }, /* torn, but a snapshot's */
		{ "touch chk0001.tmp quolog.log", NULL },
		{ "printf clql >quolog.log; touch notes.txt", "notes.txt" },
		{ "printf clql >quolog.log; mkdir $G; touch $G/notes", "/notes is no part" },
		{ "printf clql >quolog.log; mkdir -p $G/00000001.CPT", "00000001.CPT" },
		{ "printf clql >quolog.log; mkdir chk0001.tmp", "chk0001.tmp" },
		{ "printf clql >quolog.log; touch $G", GUID1 },
		{ "printf clql >quolog.log; ln -s /etc/passwd chk0001.tmp", "chk0001.tmp" },
		{ "printf clql >quolog.log; ln -s /etc $G", GUID1 },
		{ "ln -s /etc/passwd quolog.log; touch chk0001.tmp", "quolog.log" },
		{ "printf clql >quolog.log; touch .dest.clusnap-new", ".dest.clusnap-new" },
		{ "touch Clusbackup.dat", "no snapshot" },
		{ "mkdir $G", "no snapshot" },
		{ "echo Windows >quolog.log; touch chk0001.tmp Clusbackup.dat", "Windows" },
		{ "printf cl >quolog.log", NULL },
	};

	(void)state;
	for (unsigned i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		bool answer = ask_directory(rows[i].make);

		if (answer != !rows[i].refused ||
		    (rows[i].refused && !strstr(err.text, rows[i].refused)))
			fail_msg("%s: %d, %s", rows[i].make, answer, err.text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_written),
		cmocka_unit_test(test_read),
		cmocka_unit_test(test_every_bit),
		cmocka_unit_test(test_every_length),
		cmocka_unit_test(test_zeros_at_the_end),
		cmocka_unit_test(test_removed_swapped_repeated),
		cmocka_unit_test(test_chain),
		cmocka_unit_test(test_clauses),
		cmocka_unit_test(test_origin_and_order),
		cmocka_unit_test(test_deflated),
		cmocka_unit_test(test_big_payloads),
		cmocka_unit_test(test_not_ours),
		cmocka_unit_test(test_append),
		cmocka_unit_test(test_writer_refuses),
		cmocka_unit_test(test_no_memory),
		cmocka_unit_test(test_many),
		cmocka_unit_test(test_layout),
		cmocka_unit_test(test_is_snapshot),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
