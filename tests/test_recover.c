/* Recovery from new logs; the names in comments are clauses of docs/regf.md, "Logs". */
#include <string.h>

#include "hive/log.h"
#include "tests/recovering.h"

static void a_clean_hive_is_left_alone(void **state)
{
	size_t size;
	uint8_t *hive = logbuilder_hive(NULL, 2, 7, 7, &size);
	struct source *source = recovering_source(hive, size);
	struct recovery recovery;
	struct error err;

	(void)state; /* R1 */
	recovering_add(source, SOURCE_LOG1, recovering_log(8, 2, 0, "bc"));
	assert_ptr_equal(recover(source, source, NULL, &recovery, &err), source->hive);
	assert_int_equal(recovery.condition, RECOVER_CLEAN);
	assert_int_equal(recovery.entries, 0);
	assert_true(recovery.log_missing);
	assert_false(recovery.transactions);
	recovering_states(source, "7 aa!; ");
	talloc_free(source);
	talloc_free(hive);
}

static void two_logs_are_applied_in_order_whatever_their_names(void **state)
{
	(void)state; /* R3, R6 */
	for (int turn = 0; turn < 2; turn++) {
		struct source *source = recovering_dirty(4);

		recovering_add(source, turn ? SOURCE_LOG2 : SOURCE_LOG1,
		               recovering_log(7, 4, 0, "bc"));
		recovering_add(source, turn ? SOURCE_LOG1 : SOURCE_LOG2,
		               recovering_log(9, 4, 1, "de"));
		recovering_gives(source, NULL, 4, 10, "bdea");
		talloc_free(source);
	}
}

static void sequence_numbers_wrap(void **state)
{
	struct source *source;
	uint8_t *hive;
	size_t size;

	(void)state; /* R3 to R6, E5 */
	hive = logbuilder_hive(NULL, 4, 0xffffffff, 0xfffffffe, &size);
	source = recovering_source(hive, size);
	recovering_add(source, SOURCE_LOG1, recovering_log(1, 4, 2, "d"));
	recovering_add(source, SOURCE_LOG2, recovering_log(0xffffffff, 4, 0, "bc"));
	recovering_gives(source, NULL, 3, 1, "bcda");
	/* older than the hive, across the wrap */
	hive[4] = 1;
	memset(hive + 5, 0, 7);
	logbuilder_checksum(hive);
	TALLOC_FREE(source->hive);
	source->hive = recovering_sealed(source, hive, size);
	recovering_gives(source, NULL, 1, 1, "aada");
	talloc_free(source);
	talloc_free(hive);
}

static void a_log_older_than_the_hive_is_left_out(void **state)
{
	struct source *source = recovering_dirty(4);

	(void)state; /* R4 */
	recovering_add(source, SOURCE_LOG1, recovering_log(5, 4, 0, "x"));
	recovering_add(source, SOURCE_LOG2, recovering_log(6, 4, 1, "b"));
	recovering_gives(source, NULL, 1, 6, "abaa");
	/* far ahead is fine */
	recovering_add(source, SOURCE_LOG2, recovering_log(1006, 4, 1, "b"));
	recovering_gives(source, NULL, 1, 1006, "abaa");
	recovering_add(source, SOURCE_LOG2, recovering_log(4, 4, 1, "b"));
	recovering_fails(source, NULL, ERROR_BAD_NEWS, "its entry 5 is older than the hive's 6");
	talloc_free(source);
}

static void nothing_is_applied_after_a_gap(void **state)
{
	struct source *source = recovering_dirty(4);
	struct logbuilder *log;

	(void)state; /* R6 */
	recovering_add(source, SOURCE_LOG1, recovering_log(7, 4, 0, "bc"));
	recovering_add(source, SOURCE_LOG2, recovering_log(10, 4, 2, "x"));
	recovering_gives(source, NULL, 2, 8, "bcaa");
	recovering_add(source, SOURCE_LOG2, recovering_log(8, 4, 2, "x"));
	recovering_gives(source, NULL, 2, 8, "bcaa");
	/* an entry of the older log is damaged: nothing of the newer one */
	log = recovering_log(7, 4, 0, "bc");
	log->data[log->size - 1]++;
	recovering_add(source, SOURCE_LOG1, log);
	recovering_add(source, SOURCE_LOG2, recovering_log(9, 4, 2, "x"));
	recovering_gives(source, NULL, 1, 7, "baaa");
	talloc_free(source);
}

static void a_log_without_a_valid_entry_is_a_gap(void **state)
{
	struct source *source = recovering_dirty(4);
	struct logbuilder *log = recovering_log(7, 4, 0, "bc");
	struct recovery recovery;
	struct error err;

	(void)state; /* R6: as Windows applies the next log, so do we, and say so */
	log->data[log->size / 2]++;
	recovering_put(source, SOURCE_LOG1, log->data, 512);
	recovering_add(source, SOURCE_LOG2, recovering_log(9, 4, 2, "d"));
	recovering_gives(source, NULL, 1, 9, "aada");
	assert_non_null(recover(source, source, NULL, &recovery, &err));
	assert_true(recovery.gap);
	assert_string_equal(recovery.messages[recovery.message_count - 1],
	                    "entries 7 to 8 are lost, what follows them was applied nonetheless");
	recovering_states(source, "6 aaaa; 9 aada LOG2; ");
	/* no gap: both begin with the same entry */
	recovering_add(source, SOURCE_LOG2, recovering_log(7, 4, 2, "d"));
	assert_non_null(recover(source, source, NULL, &recovery, &err));
	assert_false(recovery.gap);
	/* three logs: once one does not follow, none is tried */
	recovering_add(source, SOURCE_LOG, recovering_log(7, 4, 0, "bc"));
	recovering_add(source, SOURCE_LOG1, recovering_log(8, 4, 2, "x"));
	recovering_add(source, SOURCE_LOG2, recovering_log(9, 4, 2, "x"));
	recovering_gives(source, NULL, 2, 8, "bcaa");
	talloc_free(log);
	talloc_free(source);
}

static void an_entry_of_an_earlier_round_is_not_applied(void **state)
{
	struct source *source = recovering_dirty(4);
	struct logbuilder *log = recovering_log(7, 4, 0, "bc");

	(void)state; /* E5: whole, good hashes, behind the last good one */
	recovering_entry(log, 5, 4, 3, 'x');
	recovering_entry(log, 9, 4, 3, 'x');
	recovering_add(source, SOURCE_LOG1, log);
	recovering_gives(source, NULL, 2, 8, "bcaa");
	talloc_free(source);
}

/* One log of three entries; the second begins and ends where they say. */
static struct logbuilder *three(size_t *second, size_t *third)
{
	struct logbuilder *log = recovering_log(7, 4, 0, "b");

	*second = log->size;
	recovering_entry(log, 8, 4, 1, 'c');
	*third = log->size;
	recovering_entry(log, 9, 4, 2, 'd');
	return log;
}

static void each_flipped_byte_of_an_entry_ends_the_log(void **state)
{
	struct source *source = recovering_dirty(4);
	size_t second, third;
	struct logbuilder *log = three(&second, &third);

	(void)state; /* E1 to E4: every byte of the header, of the references, some of the rest */
	for (size_t at = second; at < third; at += at < second + 64 ? 1 : 509) {
		for (int bit = 0; bit < 8; bit += 1 + (at >= second + 64)) {
			log->data[at] ^= (uint8_t)(1 << bit);
			recovering_put(source, SOURCE_LOG1, log->data, log->size);
			recovering_gives(source, NULL, 1, 7, "baaa");
			log->data[at] ^= (uint8_t)(1 << bit);
		}
	}
	log->data[third - 1] ^= 1;
	recovering_put(source, SOURCE_LOG1, log->data, log->size);
	recovering_gives(source, NULL, 1, 7, "baaa");
	log->data[third - 1] ^= 1;
	recovering_put(source, SOURCE_LOG1, log->data, log->size);
	recovering_gives(source, NULL, 3, 9, "bcda");
	talloc_free(log);
	talloc_free(source);
}

static void each_field_is_checked_though_the_hashes_are_right(void **state)
{
	static const struct row {
		const char *clause;
		unsigned at;
		uint32_t value;
	} rows[] = {
		{ "E1", 0, 0x456c7648 },  { "E2", 4, 0 },           { "E2", 4, 40 },
		{ "E2", 4, 0x1000 - 4 },  { "E2", 4, 0x1100 },      { "E2", 4, 0x10000 },
		{ "E2", 4, 0xfffffe00 },  { "E5", 12, 7 },          { "E5", 12, 9 },
		{ "E6", 16, 0 },          { "E6", 16, 0x4200 },     { "E6", 16, 0x7ffff000 },
		{ "E6", 16, 0x80000000 }, { "E6", 16, 0xfffff000 }, { "E7", 20, 0 },
		{ "E7", 20, 1024 },       { "E7", 20, 0x1fffffff }, { "E7", 20, 0x20000001 },
		{ "E7", 20, 0xffffffff }, { "E8", 44, 0x2000 },     { "E8", 44, 0xffffffff },
		{ "E8", 44, 0xfffff000 }, { "E9", 40, 0x7ffff000 }, { "E9", 40, 0x80000000 },
		{ "E9", 40, 0xfffff000 }, { "E9", 40, 0xffffffff },
	};
	struct source *source = recovering_dirty(4);

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		size_t second, third;
		struct logbuilder *log = three(&second, &third);

		logbuilder_put32(log->data + second + rows[i].at, rows[i].value);
		logbuilder_hash(log, second);
		recovering_add(source, SOURCE_LOG1, log);
		print_message("# %s: %u at 0x%x\n", rows[i].clause, rows[i].value, rows[i].at);
		recovering_gives(source, NULL, 1, 7, "baaa");
	}
	talloc_free(source);
}

static void references_must_lie_in_the_entry(void **state)
{
	(void)state; /* E7: 59 of them fill an entry of 512 bytes, the 60th would be zeros behind it
	              */
	for (uint32_t count = 59; count <= 60; count++) {
		struct source *source = recovering_dirty(1);
		struct logbuilder *log = logbuilder_new(NULL, 7, 1);

		logbuilder_entry(log, 7, 0, 1);
		logbuilder_finish(log);
		memset(log->data + 552, 0, log->size - 552);
		logbuilder_put32(log->data + 512 + 4, 512);
		logbuilder_put32(log->data + 512 + 20, count);
		logbuilder_hash(log, 512);
		recovering_add(source, SOURCE_LOG1, log);
		if (count == 59)
			recovering_gives(source, NULL, 1, 7, "a");
		else
			recovering_fails(source, NULL, ERROR_BAD_NEWS, "the entry has 60 pages");
		talloc_free(source);
	}
}

static void no_hive_has_more_bins_than_an_offset_can_reach(void **state)
{
	static const uint32_t sizes[] = { 0x7ffff000, 0x80000000, 0xfffff000 };

	(void)state; /* E6, E9, D2: with all the room there is */
	for (size_t i = 0; i < 3; i++) {
		struct logbuilder *log = logbuilder_new(NULL, 7, 1);
		struct log_entries entries;
		struct log read;
		struct error err;

		logbuilder_entry(log, 7, 0, sizes[i] / PAGE);
		logbuilder_reference(log, 0, 0, 'b');
		logbuilder_finish(log);
		logbuilder_entry(log, 8, 0, 1);
		logbuilder_reference(log, sizes[i] - PAGE, PAGE, 'b');
		logbuilder_finish(log);
		assert_true(log_read("log", (struct bytes){ log->data, log->size }, &read, &err));
		assert_true(log_entries(log, &read, UINT64_MAX, &entries, &err));
		assert_int_equal(entries.count, i ? 0 : 2);
		logbuilder_put32(log->data + 512 + 16, PAGE);
		logbuilder_hash(log, 512);
		assert_true(log_entries(log, &read, UINT64_MAX, &entries, &err));
		assert_int_equal(entries.count, i ? 1 : 2);
		talloc_free(log);
	}
}

static void a_log_cut_anywhere_keeps_its_longest_prefix(void **state)
{
	struct source *source = recovering_dirty(4);
	size_t second, third;
	struct logbuilder *log = three(&second, &third);

	(void)state; /* E2, L1 */
	for (size_t size = 0; size <= log->size; size += 512) {
		recovering_put(source, SOURCE_LOG1, log->data, size);
		if (size < second)
			recovering_fails(source, NULL, ERROR_BAD_NEWS, "hive.LOG1");
		else if (size < third)
			recovering_gives(source, NULL, 1, 7, "baaa");
		else if (size < log->size)
			recovering_gives(source, NULL, 2, 8, "bcaa");
		else
			recovering_gives(source, NULL, 3, 9, "bcda");
	}
	for (size_t size = third - 3; size <= third + 45; size++) {
		recovering_put(source, SOURCE_LOG1, log->data, size);
		recovering_gives(source, NULL, size < third ? 1 : 2, size < third ? 7 : 8,
		                 size < third ? "baaa" : "bcaa");
	}
	talloc_free(log);
	talloc_free(source);
}

static void bins_grow_and_pages_may_lie_anywhere(void **state)
{
	struct logbuilder *log = logbuilder_new(NULL, 7, 2);
	struct source *source = recovering_dirty(2);
	struct recovery recovery;
	struct image *image;
	struct error err;

	(void)state; /* R8, E9 */
	recovering_entry(log, 7, 5, 4, 'e');
	logbuilder_entry(log, 8, 0, 4);
	logbuilder_page(log, 0, 'x');
	logbuilder_page(log, 3, 'd');
	logbuilder_page(log, 0, 'b'); /* the later wins */
	logbuilder_finish(log);
	recovering_add(source, SOURCE_LOG1, log);
	recovering_gives(source, NULL, 2, 8, "ba0d");
	image = recover(source, source, NULL, &recovery, &err);
	assert_int_equal(image->bytes.size, 6 * PAGE); /* it does not shrink */
	assert_int_equal(image->bytes.data[5 * PAGE + 100], 'e');

	log = logbuilder_new(NULL, 7, 2);
	logbuilder_entry(log, 7, 0, 2);
	logbuilder_page(log, 6, 'x'); /* behind the bins */
	logbuilder_reference(log, 7 * PAGE, 0, 'x');
	logbuilder_reference(log, PAGE + 100, 0, 'x');
	logbuilder_finish(log);
	recovering_add(source, SOURCE_LOG1, log);
	recovering_gives(source, NULL, 1, 7, "aa");
	image = recover(source, source, NULL, &recovery, &err);
	assert_int_equal(image->bytes.size, 8 * PAGE);
	talloc_free(source);
}

static void memory_stays_in_proportion(void **state)
{
	struct source *source = recovering_dirty(1);
	struct logbuilder *log;

	(void)state; /* E6: bins just inside and outside of twice everything and 1 MiB */
	for (uint32_t more = 0; more < 2; more++) {
		uint32_t room = 2 * (2 * PAGE + 2 * PAGE) + (1 << 20);

		log = logbuilder_new(NULL, 7, 1);
		recovering_entry(log, 7, room / PAGE - 1 + more, 0, 'b');
		assert_int_equal(log->size, 2 * PAGE);
		recovering_add(source, SOURCE_LOG1, log);
		if (more) {
			recovering_fails(source, NULL, ERROR_BAD_NEWS, "the entry makes the hive");
		} else {
			struct recovery recovery;
			struct error err;
			struct image *image = recover(source, source, NULL, &recovery, &err);

			assert_int_equal(image->bytes.size, room);
		}
	}
	talloc_free(source);
}

static void a_bad_base_block_comes_from_the_newest_log(void **state)
{
	(void)state; /* R5, L1, L2 */
	for (int how = 0; how < 4; how++) {
		size_t size;
		uint8_t *hive = logbuilder_hive(NULL, 4, 7, 7, &size);
		struct recovery recovery;
		struct source *source;
		struct error err;

		if (how == 0)
			memset(hive, 0, PAGE);
		else if (how == 1)
			hive[509]++;
		else if (how == 2)
			memset(hive, 0, 512);
		else
			hive[0] = 'R';
		source = recovering_source(hive, size);
		recovering_add(source, SOURCE_LOG1, recovering_log(3, 4, 0, "xx"));
		recovering_add(source, SOURCE_LOG2, recovering_log(5, 4, 1, "bc"));
		recovering_gives(source, NULL, 2, 6, "abca");
		assert_non_null(recover(source, source, NULL, &recovery, &err));
		assert_true(recovery.base_lost);
		/* the older log was left out: only the end is what the kernel would see */
		recovering_states(source, "5 abaa LOG2; 6 abca LOG2!; ");
		talloc_free(source);
		talloc_free(hive);
	}
}

static void a_short_file_can_be_all_log(void **state)
{
	static const size_t sizes[] = { 0, 100, 512, PAGE - 1, PAGE, PAGE + 31 };

	(void)state; /* R5 */
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		size_t size;
		uint8_t *hive = logbuilder_hive(NULL, 2, 7, 6, &size);
		struct source *source = recovering_source(hive, sizes[i]);
		struct logbuilder *log = logbuilder_new(NULL, 7, 2);

		logbuilder_entry(log, 7, 0, 2);
		logbuilder_page(log, 0, 'b');
		logbuilder_page(log, 1, 'c');
		logbuilder_finish(log);
		recovering_add(source, SOURCE_LOG1, log);
		recovering_gives(source, NULL, 1, 7, "bc");
		recovering_states(source, "7 bc LOG1!; ");
		talloc_free(source);
		talloc_free(hive);
	}
}

static void bit_0_of_the_flags_comes_from_the_last_entry(void **state)
{
	(void)state; /* R8 */
	for (uint32_t before = 0; before < 4; before++) {
		for (uint32_t last = 0; last < 4; last++) {
			size_t size;
			uint8_t *hive = logbuilder_hive(NULL, 1, 7, 6, &size);
			struct logbuilder *log = logbuilder_new(NULL, 7, 1);
			struct recovery recovery;
			struct source *source;
			struct image *image;
			struct error err;

			hive[144] = (uint8_t)before;
			logbuilder_checksum(hive);
			source = recovering_source(hive, size);
			logbuilder_entry(log, 7, 3 - last, 1);
			logbuilder_page(log, 0, 'b');
			logbuilder_finish(log);
			logbuilder_entry(log, 8, last, 1);
			logbuilder_page(log, 0, 'c');
			logbuilder_finish(log);
			recovering_add(source, SOURCE_LOG1, log);
			image = recover(source, source, NULL, &recovery, &err);
			assert_int_equal(image->bytes.data[144], (before & 2) | (last & 1));
			assert_int_equal(recovery.transactions, last & 1);
			talloc_free(source);
			talloc_free(hive);
		}
	}
}

static void a_log_with_a_bad_header_is_not_used(void **state)
{
	static const struct row {
		const char *clause;
		unsigned at;
		uint32_t value;
		bool checksum;
		const char *why;
	} rows[] = {
		{ "L1", 0, 0x66676572 + 1, true, "there is no regf signature" },
		{ "L2", 508, 0, false, "the header checksum is" },
		{ "L2", 100, 1, false, "the header checksum is" },
		{ "L3", 8, 8, true, "the header has sequence numbers 7 and 8" },
		{ "L4", 20, 2, true, "the header has version 2 and format 1" },
		{ "L4", 32, 0, true, "the header has version 1 and format 0" },
		{ "L5", 28, 0, true, "the header has type 0" },
		{ "L5", 28, 5, true, "the header has type 5" },
		{ "L5", 28, 1, true, "there is no DIRT signature" },
	};
	struct source *source = recovering_dirty(4);

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct logbuilder *log = recovering_log(7, 4, 0, "b");

		logbuilder_put32(log->data + rows[i].at, rows[i].value);
		if (rows[i].checksum)
			logbuilder_checksum(log->data);
		recovering_add(source, SOURCE_LOG1, log);
		recovering_fails(source, NULL, ERROR_BAD_NEWS, rows[i].why);
		/* the other one is used all the same */
		recovering_add(source, SOURCE_LOG2, recovering_log(9, 4, 1, "c"));
		recovering_gives(source, NULL, 1, 9, "acaa");
		TALLOC_FREE(source->logs[SOURCE_LOG2].image);
	}
	talloc_free(source);
}

/* A clean hive needs no log. A dirty one is not recovered from the other one alone. */
static void a_log_that_cannot_be_read(void **state)
{
	static const struct recover_options ignore = { .ignore_logs = true };
	struct source *source = recovering_dirty(4);
	struct recovery recovery;
	struct error err = { 0 };

	(void)state;
	recovering_add(source, SOURCE_LOG2, recovering_log(9, 4, 1, "c"));
	source->logs[SOURCE_LOG1].name = talloc_strdup(source, "h.LOG1");
	source->logs[SOURCE_LOG1].unreadable = talloc_strdup(source, "h.LOG1: a bad sector");
	recovering_fails(source, NULL, ERROR_SOURCE, "a log cannot be read: h.LOG1: a bad sector");
	assert_ptr_equal(recover(source, source, &ignore, &recovery, &err), source->hive);
	assert_int_equal(recovery.condition, RECOVER_IGNORED);
	assert_false(recovery.log_missing);
	assert_int_equal(err.kind, ERROR_NONE);
	TALLOC_FREE(source->logs[SOURCE_LOG1].unreadable);
	recovering_gives(source, NULL, 1, 9, "acaa");
	talloc_free(source);
}

static void checksums_that_are_moved(void **state)
{
	(void)state; /* L2: 0 becomes 1, 0xffffffff becomes 0xfffffffe */
	for (uint32_t flip = 0; flip < 2; flip++) {
		struct source *source = recovering_dirty(4);
		struct logbuilder *log = recovering_log(7, 4, 0, "b");
		uint32_t sum = logbuilder_get32(log->data + 508);

		logbuilder_put32(log->data + 200, flip ? ~sum : sum);
		logbuilder_checksum(log->data);
		assert_int_equal(logbuilder_get32(log->data + 508), flip ? 0xfffffffe : 1);
		recovering_add(source, SOURCE_LOG1, log);
		recovering_gives(source, NULL, 1, 7, "baaa");
		talloc_free(source);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		testing_unit(a_clean_hive_is_left_alone),
		testing_unit(two_logs_are_applied_in_order_whatever_their_names),
		testing_unit(sequence_numbers_wrap),
		testing_unit(a_log_older_than_the_hive_is_left_out),
		testing_unit(nothing_is_applied_after_a_gap),
		testing_unit(a_log_without_a_valid_entry_is_a_gap),
		testing_unit(an_entry_of_an_earlier_round_is_not_applied),
		testing_unit(each_flipped_byte_of_an_entry_ends_the_log),
		testing_unit(each_field_is_checked_though_the_hashes_are_right),
		testing_unit(references_must_lie_in_the_entry),
		testing_unit(no_hive_has_more_bins_than_an_offset_can_reach),
		testing_unit(a_log_cut_anywhere_keeps_its_longest_prefix),
		testing_unit(bins_grow_and_pages_may_lie_anywhere),
		testing_unit(memory_stays_in_proportion),
		testing_unit(a_bad_base_block_comes_from_the_newest_log),
		testing_unit(a_short_file_can_be_all_log),
		testing_unit(bit_0_of_the_flags_comes_from_the_last_entry),
		testing_unit(a_log_with_a_bad_header_is_not_used),
		testing_unit(checksums_that_are_moved),
		testing_unit(a_log_that_cannot_be_read),
	};

	return cmocka_run_group_tests(tests, testing_begin, testing_end);
}
