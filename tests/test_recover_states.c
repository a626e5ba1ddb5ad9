/* What is said of a hive that is recovered or is not, and the states on the way. */
#include <string.h>

#include "tests/recovering.h"

/* --- what else can be said of a hive --- */

static void a_dirty_hive_without_logs_stays_dirty(void **state)
{
	const struct recover_options ignore = { .ignore_logs = true };
	struct source *source = recovering_dirty(2);
	struct recovery recovery;
	struct error err;

	(void)state; /* R9 */
	recovering_fails(source, NULL, ERROR_BAD_NEWS, "--ignore-logs");
	recovering_put(source, SOURCE_LOG1, "", 0);
	recovering_put(source, SOURCE_LOG2, "", 0);
	recovering_fails(source, NULL, ERROR_BAD_NEWS, "the header has sequence numbers 7 and 6");
	recovering_add(source, SOURCE_LOG1, recovering_log(7, 2, 0, "b"));
	assert_ptr_equal(recover(source, source, &ignore, &recovery, &err), source->hive);
	assert_int_equal(recovery.condition, RECOVER_IGNORED);
	assert_int_equal(recovery.entries, 0);
	assert_int_equal(recovering_get(source->hive, 4), 7);
	talloc_free(source);
}

static void what_is_no_hive_is_no_dirty_hive(void **state)
{
	const struct recover_options ignore = { .ignore_logs = true };
	uint8_t zeros[PAGE * 2] = { 0 };
	struct source *source = recovering_source(zeros, sizeof(zeros));

	(void)state;
	recovering_fails(source, NULL, ERROR_SOURCE, "it is no hive: there is no regf signature");
	recovering_fails(source, &ignore, ERROR_SOURCE,
	                 "it is no hive: there is no regf signature");
	TALLOC_FREE(source->hive);
	source->hive = recovering_sealed(source, zeros, 0);
	recovering_fails(source, NULL, ERROR_SOURCE, "it is no hive: the file is empty");
	TALLOC_FREE(source->hive);
	source->hive = recovering_sealed(source, (const uint8_t *)"regf", 4);
	recovering_fails(source, NULL, ERROR_SOURCE, "it is no hive: the file has only 4 bytes");
	talloc_free(source);
}

static void one_of_two_logs_is_not_all(void **state)
{
	static const struct row {
		bool log, log1, log2, missing;
	} rows[] = {
		{ true, false, false, false }, { false, true, false, true },
		{ false, false, true, true },  { false, true, true, false },
		{ true, true, false, true },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct source *source = recovering_dirty(2);
		struct recovery recovery;
		struct error err;

		if (rows[i].log2)
			recovering_put(source, SOURCE_LOG2, "", 0);
		if (rows[i].log)
			recovering_put(source, SOURCE_LOG, "", 0);
		recovering_add(source,
		               rows[i].log1  ? SOURCE_LOG1
		               : rows[i].log ? SOURCE_LOG
		                             : SOURCE_LOG2,
		               recovering_log(7, 2, 0, "b"));
		assert_non_null(recover(source, source, NULL, &recovery, &err));
		assert_int_equal(recovery.log_missing, rows[i].missing);
		assert_false(recovery.transactions);
		source->transactions = talloc_strdup(source, "hive.blf");
		assert_non_null(recover(source, source, NULL, &recovery, &err));
		assert_true(recovery.transactions);
		talloc_free(source);
	}
}

/* --- states on the way --- */

/* A dirty hive of the letters in TEXT, with two logs: 7.. to pages 0 and 1, 9.. to 1 and 2. */
static struct source *half_written(const char *text)
{
	size_t size;
	uint8_t *hive = logbuilder_hive(NULL, (uint32_t)strlen(text), 7, 6, &size);
	struct source *source;

	for (uint32_t i = 0; text[i]; i++)
		logbuilder_bin(hive + PAGE * (i + 1), i, text[i]);
	source = recovering_source(hive, size);
	recovering_add(source, SOURCE_LOG1, recovering_log(7, 3, 0, "bc"));
	recovering_add(source, SOURCE_LOG2, recovering_log(9, 3, 1, "de"));
	talloc_free(hive);
	return source;
}

static void states_are_consistent_if_nothing_came_early(void **state)
{
	static const struct {
		const char *hive, *states;
	} rows[] = {
		/* nothing was written */
		{ "aaa", "6 aaa!; 7 baa LOG1!; 8 bca LOG1!; 9 bda LOG2!; 10 bde LOG2!; " },
		/* a page of the first entry was */
		{ "baa", "6 baa; 7 baa LOG1!; 8 bca LOG1!; 9 bda LOG2!; 10 bde LOG2!; " },
		/* page 1 as the second entry has it, and as the third has it */
		{ "aca", "6 aca; 7 bca LOG1; 8 bca LOG1!; 9 bda LOG2!; 10 bde LOG2!; " },
		{ "ada", "6 ada; 7 bda LOG1; 8 bca LOG1!; 9 bda LOG2!; 10 bde LOG2!; " },
		/* page 2 comes for the first time in the last entry */
		{ "aae", "6 aae; 7 bae LOG1; 8 bce LOG1; 9 bde LOG2; 10 bde LOG2!; " },
		{ "bde", "6 bde; 7 bde LOG1; 8 bce LOG1; 9 bde LOG2; 10 bde LOG2!; " },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct source *source = half_written(rows[i].hive);

		recovering_states(source, rows[i].states);
		/* without one of the logs nobody knows what is missing */
		TALLOC_FREE(source->logs[SOURCE_LOG2].image);
		recovering_gives(source, NULL, 2, 8, (char[]){ 'b', 'c', rows[i].hive[2], 0 });
		talloc_free(source);
	}
}

static void a_missing_log_leaves_only_the_last_state_consistent(void **state)
{
	struct source *source = half_written("aaa");

	(void)state;
	TALLOC_FREE(source->logs[SOURCE_LOG2].image);
	recovering_states(source, "6 aaa; 7 baa LOG1; 8 bca LOG1!; ");
	talloc_free(source);
}

static void odd_pages_leave_only_later_states_consistent(void **state)
{
	static const uint32_t odd[][2] = { { 512, 100 }, { 512, PAGE }, { 0, 512 } };

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct logbuilder *log = logbuilder_new(NULL, 7, 2);
		struct source *source = recovering_dirty(2);

		recovering_entry(log, 7, 2, 0, 'b');
		logbuilder_entry(log, 8, 0, 2);
		logbuilder_reference(log, odd[i][0], odd[i][1], 'b');
		logbuilder_finish(log);
		recovering_entry(log, 9, 2, 1, 'd');
		recovering_add(source, SOURCE_LOG1, log);
		recovering_put(source, SOURCE_LOG2, "", 0);
		recovering_states(source, i == 1 ? "6 aa; 7 ba LOG1; 8 bb LOG1!; 9 bd LOG1!; "
		                                 : "6 aa; 7 ba LOG1; 8 ba LOG1!; 9 bd LOG1!; ");
		talloc_free(source);
	}
}

static void the_latest_page_that_came_early_counts(void **state)
{
	size_t size;
	uint8_t *hive = logbuilder_hive(NULL, 2, 7, 6, &size);
	struct logbuilder *log = logbuilder_new(NULL, 7, 2);
	struct source *source;

	(void)state;
	logbuilder_bin(hive + PAGE, 0, 'd');
	logbuilder_bin(hive + 2 * PAGE, 1, 'c');
	source = recovering_source(hive, size);
	recovering_entry(log, 7, 2, 0, 'b');
	recovering_entry(log, 8, 2, 1, 'c');
	recovering_entry(log, 9, 2, 0, 'd');
	recovering_add(source, SOURCE_LOG1, log);
	recovering_put(source, SOURCE_LOG2, "", 0);
	recovering_states(source, "6 dc; 7 bc LOG1; 8 bc LOG1!; 9 dc LOG1!; ");
	talloc_free(source);
	talloc_free(hive);
}

static bool stop_at_8(void *data, const struct recover_state *state, struct error *err)
{
	unsigned *calls = data;

	++*calls;
	return state->sequence == 8 ? error_set(err, ERROR_REFUSED, "enough") : true;
}

static void the_caller_may_stop(void **state)
{
	struct source *source = half_written("aaa");
	TALLOC_CTX *ctx = talloc_new(NULL);
	struct recovery recovery;
	struct error err;
	unsigned calls = 0;

	(void)state;
	assert_null(recover_each(ctx, source, NULL, stop_at_8, &calls, &recovery, &err));
	assert_int_equal(calls, 3);
	assert_int_equal(err.kind, ERROR_REFUSED);
	assert_string_equal(err.text, "enough");
	assert_int_equal(talloc_total_blocks(ctx), 1);
	talloc_free(ctx);
	talloc_free(source);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		testing_unit(a_dirty_hive_without_logs_stays_dirty),
		testing_unit(what_is_no_hive_is_no_dirty_hive),
		testing_unit(one_of_two_logs_is_not_all),
		testing_unit(states_are_consistent_if_nothing_came_early),
		testing_unit(a_missing_log_leaves_only_the_last_state_consistent),
		testing_unit(odd_pages_leave_only_later_states_consistent),
		testing_unit(the_latest_page_that_came_early_counts),
		testing_unit(the_caller_may_stop),
	};

	return cmocka_run_group_tests(tests, testing_begin, testing_end);
}
