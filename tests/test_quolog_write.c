/*
 * The writer of quolog.log: when it deflates, what it refuses, large and many records. That the
 * rest of it is as the document says is in tests/test_quolog.c.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <zlib.h>

#include <cmocka.h>

#include "snapshot/quolog.h"
#include "tests/spec.h"

static struct error err;

static struct bytes text(const char *t)
{
	return (struct bytes){ (const uint8_t *)t, strlen(t) };
}

/* A transaction of SIZE bytes of data is deflated from 4096 bytes of payload on, and not before. */
static void assert_stored(size_t size, bool deflated)
{
	static const struct quolog_identity id = { 2, "CLUSTER", "id-1" };
	static uint8_t data[5000], inflated[6000];
	TALLOC_CTX *tmp = talloc_new(NULL);
	struct quolog_writer *w = quolog_create(tmp, &id, 100, 1, &err);
	struct quolog_transaction t = { 102, "n", false, { data, size }, { NULL, 0 } };
	static struct file file;
	uint8_t digest[DIGEST_SIZE] = { 0 };
	uLongf made = sizeof(inflated);
	const uint8_t *record;
	struct image *image;

	for (size_t i = 0; i < size; i++)
		data[i] = (uint8_t)(i * i >> 7);
	assert_true(quolog_put_checkpoint(w, "chk0001.tmp", digest, 101, "", &err));
	image = quolog_finish(tmp, w, &err);
	memcpy(file.data, image->bytes.data, file.size = image->bytes.size);
	assert_true(quolog_put_transaction(w, &t, &err));
	image = quolog_finish(tmp, w, &err);
	record = memcpy(file.data + file.size, image->bytes.data, image->bytes.size);
	file.size += image->bytes.size;
	assert_int_equal(spec_get(record + 10, 2), deflated);
	assert_int_equal(spec_get(record + 4, 4), image->bytes.size);
	assert_int_equal(spec_get(record + 40, 4), 8 + size);
	if (deflated) {
		assert_true(spec_get(record + 36, 4) < size);
		assert_int_equal(uncompress(inflated, &made, record + 56, spec_get(record + 36, 4)),
		                 Z_OK);
	} else {
		memcpy(inflated, record + 56, made = spec_get(record + 36, 4));
	}
	assert_int_equal(made, 8 + size);
	assert_int_equal(spec_get(inflated, 4), size);
	assert_int_equal(spec_get(inflated + 4, 4), 0);
	assert_memory_equal(inflated + 8, data, size);
	/* and its checksum goes on behind all the others */
	spec_seal(&file);
	assert_memory_equal(record, image->bytes.data, image->bytes.size);
	talloc_free(tmp);
}

static void test_written_deflated(void **state)
{
	(void)state;
	assert_stored(4087, false);
	assert_stored(4088, true);
	assert_stored(5000, true);
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
	assert_true(quolog_put_manifest(w, NULL, 0, 0, &err));
	image = quolog_finish(tmp, w, &err);
	log = quolog_read(tmp, image->bytes, &err);
	assert_int_equal(log->state, QUOLOG_WHOLE);
	assert_int_equal(log->entry_count, 20001);
	assert_int_equal(log->entries[20000].sequence, 20001);
	talloc_free(tmp);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_written_deflated),
		cmocka_unit_test(test_big_payloads),
		cmocka_unit_test(test_writer_refuses),
		cmocka_unit_test(test_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
