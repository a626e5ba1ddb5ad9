/* Recovery from old logs; the names in comments are clauses of docs/regf.md, "Logs". */
#include <string.h>

#include "tests/recovering.h"

/* The letters of the first bytes of the first SECTORS pieces of 512 bytes of the bins. */
static void assert_sectors(struct source *source, const struct recover_options *options,
                           uint32_t sequence, uint32_t pages, const char *want)
{
	struct recovery recovery;
	struct error err = { 0 };
	struct image *image = recover(source, source, options, &recovery, &err);

	if (!image)
		fail_msg("%s", err.text);
	recovering_clean(image, sequence);
	assert_int_equal(recovering_get(image, 40), pages * PAGE);
	for (size_t i = 0; want[i]; i++) {
		for (size_t at = i % 8 ? 0 : 32; at < 512; at++)
			assert_int_equal(image->bytes.data[PAGE + 512 * i + at], want[i]);
	}
	assert_int_equal(recovery.entries, 1);
	talloc_free(image);
}

static void an_old_log_is_applied_by_its_bitmap(void **state)
{
	struct source *source = recovering_dirty(3);

	(void)state; /* D1 to D5, R7, R8 */
	for (uint32_t type = 1; type <= 2; type++) {
		recovering_add(source, SOURCE_LOG,
		               logbuilder_old(NULL, type, 7, 3, "b  cdd  ee             f"));
		assert_sectors(source, NULL, 7, 3, "baacddaaeeaaaaaaaaaaaaaf");
	}
	/* it may make the hive longer, or shorter, and its number may be the smaller one */
	recovering_add(source, SOURCE_LOG,
	               logbuilder_old(NULL, 1, 6, 4, "b                       cdef"));
	assert_sectors(source, NULL, 7, 4, "baaaaaaaaaaaaaaaaaaaaaaacdef");
	recovering_add(source, SOURCE_LOG, logbuilder_old(NULL, 1, 9, 2, "       b"));
	assert_sectors(source, NULL, 9, 2, "aaaaaaabaaaaaaaa");
	recovering_states(source, "6 aaa; 9 aa LOG!; ");
	talloc_free(source);
}

static void an_old_log_leaves_the_flags_alone(void **state)
{
	(void)state; /* R8 */
	for (uint8_t flags = 0; flags < 4; flags++) {
		size_t size;
		uint8_t *hive = logbuilder_hive(NULL, 1, 7, 6, &size);
		struct recovery recovery;
		struct source *source;
		struct image *image;
		struct error err;

		hive[144] = flags;
		logbuilder_checksum(hive);
		source = recovering_source(hive, size);
		recovering_add(source, SOURCE_LOG, logbuilder_old(NULL, 1, 7, 1, "b"));
		image = recover(source, source, NULL, &recovery, &err);
		assert_int_equal(image->bytes.data[144], flags);
		assert_int_equal(recovery.transactions, flags & 1);
		talloc_free(source);
		talloc_free(hive);
	}
}

static void an_old_log_must_be_whole(void **state)
{
	static const struct row {
		const char *clause;
		unsigned at;
		uint32_t value;
		const char *why;
	} rows[] = {
		{ "D1", 512, 0x54524945, "there is no DIRT signature" },
		{ "D2", 40, 0, "the header makes the hive 0 bytes long" },
		{ "D2", 40, 0x3200, "the header makes the hive 12800 bytes long" },
		{ "D2", 40, 0x7ffff000, "the header makes the hive 2147479552 bytes long" },
		{ "D2", 40, 0xfffff000, "the header makes the hive 4294963200 bytes long" },
	};
	struct source *source = recovering_dirty(3);
	struct logbuilder *log;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		log = logbuilder_old(NULL, 1, 7, 3, "b");
		logbuilder_put32(log->data + rows[i].at, rows[i].value);
		logbuilder_checksum(log->data);
		recovering_add(source, SOURCE_LOG, log);
		recovering_fails(source, NULL, ERROR_BAD_NEWS, rows[i].why);
	}
	/* D3, D4: cut everywhere; the two pieces behind it are remnants */
	log = logbuilder_old(NULL, 1, 7, 3, "b bb");
	for (size_t size = 512; size <= log->size; size++) {
		recovering_put(source, SOURCE_LOG, log->data, size);
		if (size < log->size - 1024)
			recovering_fails(source, NULL, ERROR_BAD_NEWS, "hive.LOG");
		else if (size % 64 == 0)
			assert_sectors(source, NULL, 7, 3, "babbaaaa");
	}
	talloc_free(log);
	talloc_free(source);
}

static struct logbuilder *old_at(uint64_t time, uint32_t sequence, char letter)
{
	struct logbuilder *log = logbuilder_old(NULL, 1, sequence, 2, (char[]){ letter, 0 });

	logbuilder_put32(log->data + 12, (uint32_t)time);
	logbuilder_put32(log->data + 16, (uint32_t)(time >> 32));
	logbuilder_checksum(log->data);
	return log;
}

static void an_old_log_must_have_the_time_of_the_hive(void **state)
{
	const struct recover_options relaxed = { .relaxed = true };
	struct source *source = recovering_dirty(2);

	(void)state; /* D5 */
	recovering_add(source, SOURCE_LOG, old_at(LOGBUILDER_TIME + 1, 7, 'b'));
	recovering_fails(source, NULL, ERROR_BAD_NEWS, "newer (--relaxed takes it)");
	assert_sectors(source, &relaxed, 7, 2, "baaaaaaa");
	recovering_add(source, SOURCE_LOG, old_at(LOGBUILDER_TIME - 1, 7, 'b'));
	recovering_fails(source, NULL, ERROR_BAD_NEWS, "is older than the hive's");
	recovering_fails(source, &relaxed, ERROR_BAD_NEWS, "is older than the hive's");
	talloc_free(source);
}

static void the_newest_old_log_that_belongs_is_taken(void **state)
{
	struct source *source = recovering_dirty(2);

	(void)state; /* R7 */
	recovering_add(source, SOURCE_LOG1, old_at(LOGBUILDER_TIME, 8, 'b'));
	recovering_add(source, SOURCE_LOG2, old_at(LOGBUILDER_TIME, 9, 'c'));
	assert_sectors(source, NULL, 9, 2, "caaaaaaa");
	recovering_add(source, SOURCE_LOG1, old_at(LOGBUILDER_TIME, 10, 'b'));
	assert_sectors(source, NULL, 10, 2, "baaaaaaa");
	recovering_add(source, SOURCE_LOG1, old_at(LOGBUILDER_TIME + 1, 10, 'b'));
	assert_sectors(source, NULL, 9, 2, "caaaaaaa");
	/* a new log beside them counts alone, even if it is of no use */
	recovering_add(source, SOURCE_LOG, recovering_log(7, 2, 0, "d"));
	recovering_gives(source, NULL, 1, 7, "da");
	recovering_add(source, SOURCE_LOG, recovering_log(5, 2, 0, "d"));
	recovering_fails(source, NULL, ERROR_BAD_NEWS, "beside one of the new");
	talloc_free(source);
}

static void the_first_bin_has_the_time_if_the_base_block_is_bad(void **state)
{
	size_t size;
	uint8_t *hive = logbuilder_hive(NULL, 2, 7, 6, &size);
	const struct recover_options relaxed = { .relaxed = true };
	struct source *source;

	(void)state; /* D5, R7 */
	hive[508]++;
	source = recovering_source(hive, size);
	recovering_add(source, SOURCE_LOG, old_at(LOGBUILDER_TIME, 3, 'b'));
	assert_sectors(source, NULL, 3, 2, "baaaaaaa");
	recovering_states(source, "3 ba LOG!; ");
	hive[PAGE + 20]++;
	TALLOC_FREE(source->hive);
	source->hive = recovering_sealed(source, hive, size);
	recovering_fails(source, NULL, ERROR_BAD_NEWS, "is older than the hive's");
	recovering_add(source, SOURCE_LOG, old_at(LOGBUILDER_TIME + 2, 3, 'b'));
	recovering_fails(source, NULL, ERROR_BAD_NEWS, "newer (--relaxed takes it)");
	assert_sectors(source, &relaxed, 3, 2, "baaaaaaa");
	hive[PAGE] = 'x';
	TALLOC_FREE(source->hive);
	source->hive = recovering_sealed(source, hive, size);
	recovering_fails(source, NULL, ERROR_BAD_NEWS, "base block and first bin are bad");
	talloc_free(source);
	talloc_free(hive);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		testing_unit(an_old_log_is_applied_by_its_bitmap),
		testing_unit(an_old_log_leaves_the_flags_alone),
		testing_unit(an_old_log_must_be_whole),
		testing_unit(an_old_log_must_have_the_time_of_the_hive),
		testing_unit(the_newest_old_log_that_belongs_is_taken),
		testing_unit(the_first_bin_has_the_time_if_the_base_block_is_bad),
	};

	return cmocka_run_group_tests(tests, testing_begin, testing_end);
}
