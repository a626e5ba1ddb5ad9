/*
 * quolog.log against a second implementation: the encoder in tests/spec.c is
 * written from docs/quolog.md with plain offsets and uses nothing of snapshot/.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include <cmocka.h>

#include "snapshot/quolog.h"
#include "tests/spec.h"

static struct error err;

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

/* Two implementations of the document write the same bytes. */
static void test_written(void **state)
{
	TALLOC_CTX *tmp = talloc_new(NULL);
	struct image *image = write_same(tmp), *again = write_same(tmp);
	static struct file file;
	size_t at[AT_END + 1];

	(void)state;
	spec_build(&file, at);
	assert_true(bytes_equal(image->bytes, again->bytes));
	assert_int_equal(image->bytes.size, file.size);
	assert_memory_equal(image->bytes.data, file.data, file.size);
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
	assert_string_equal(quolog_origin(tmp, &log->entries[1]), "node-a CLUSDB.LOG1 entry 1");
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
	spec_build(&file, at);
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
	spec_build(&file, at);
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
	spec_build(&file, at);
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

		spec_build(&file, at);
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
	spec_build(&file, at);
	memset(file.data + file.size, 0, 4096);
	file.size += 4096;
	assert_int_equal(ask(&file, why, NULL), QUOLOG_TORN);
	/* but a hole of zeros in the middle is no torn end */
	spec_build(&file, at);
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
	spec_build(&file, at);
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
	spec_build(&file, at);
	spec_build(&other, at);
	other.data[at[AT_CHECKPOINT] + 24] ^= 1;
	spec_seal(&other);
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

		spec_build(&file, at);
		spec_put(file.data + at[rows[i].record] + rows[i].offset, rows[i].value, rows[i].n);
		spec_seal(&file);
		found = ask(&file, why, NULL);
		if (found != rows[i].expected || !strstr(why, rows[i].said))
			fail_msg("%s: state %d, %s", rows[i].clause, found, why);
	}
	/* R4 and R5: not sealed anew */
	spec_build(&file, at);
	file.data[at[3] - 8] = 'Q';
	assert_int_equal(ask(&file, why, NULL), QUOLOG_DAMAGED);
	assert_non_null(strstr(why, "end mark"));
	spec_build(&file, at);
	file.data[at[3] - 1] ^= 1;
	assert_int_equal(ask(&file, why, NULL), QUOLOG_DAMAGED);
	assert_non_null(strstr(why, "checksum"));
	/* R2: a length that is a multiple of 8, and wrong; and one beyond the file */
	spec_build(&file, at);
	spec_put(file.data + at[2] + 4, at[3] - at[2] + 8, 4);
	assert_int_equal(ask(&file, why, NULL), QUOLOG_DAMAGED);
	/* T2 is for the record that is due: any other one is no torn end */
	spec_build(&file, at);
	spec_put(file.data + at[4] + 0x0c, 9, 4);
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
	spec_add(&file, (struct spec){ 1, 0, 0, 0, 0, "", p, spec_header_payload(p, 1), 0 });
	spec_add(&file, (struct spec){ 3, 0, 1, 1, 0, origin, p,
	                               spec_checkpoint_payload(p, "chk0001.tmp"), 0 });
	memset(p, 0, 8);
	spec_put(p, count, 4);
	for (int i = 0; i < count; i++) {
		snprintf(name, sizeof(name), "chk%04x.tmp", numbers[i]);
		size += spec_manifest_entry(p + size, 1, name, 1, 2, "", "");
	}
	spec_add(&file, (struct spec){ 2, 0, 2, 1, 0, "", p, size, 0 });
	spec_seal(&file);
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
	spec_put(raw, real - 8, 4);
	assert_int_equal(compress2(stored, &made, raw, real, 9), Z_OK);
	spec_add(&file, (struct spec){ 1, 0, 0, 0, 0, "", p, spec_header_payload(p, 1), 0 });
	spec_add(&file, (struct spec){ 3, 0, 1, 1, 0, "", p,
	                               spec_checkpoint_payload(p, "chk0001.tmp"), 0 });
	spec_add(&file, (struct spec){ 4, 1, 2, 2, 0, "", stored, made - cut, declared });
	spec_add(&file, (struct spec){ 2, 0, 3, 2, 0, "", p, spec_manifest_payload(p), 0 });
	spec_seal(&file);
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
	assert_string_equal(quolog_origin(tmp, &both->entries[3]), "edit?");
	/* a torn log is not gone on with */
	both = quolog_read(tmp, (struct bytes){ file.data, file.size - 1 }, &err);
	assert_int_equal(both->committed, image->bytes.size);
	assert_null(quolog_continue(tmp, both, &err));
	assert_int_equal(err.kind, ERROR_BAD_NEWS);
	talloc_free(tmp);
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
		cmocka_unit_test(test_not_ours),
		cmocka_unit_test(test_append),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
