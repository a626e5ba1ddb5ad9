/* quolog.log with each allocation failing in turn. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "snapshot/quolog.h"
#include "tests/allocfail.h"

static const struct quolog_file files[] = {
	{ "chk0001.tmp", LAYOUT_CHK, 4096, { 0 }, "CLUSDB", "" },
	{ "Clusbackup.dat", LAYOUT_MARKER, 0, { 0 }, "", "" },
	{ "c8d32427-7daa-4a94-ba85-850f5a920382/00000001.CPT", LAYOUT_CPT, 1, { 0 }, "S", "K" },
};

static struct error err;

static struct bytes text(const char *t)
{
	return (struct bytes){ (const uint8_t *)t, strlen(t) };
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

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_no_memory) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
