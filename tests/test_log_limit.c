/*
 * When the log begins anew: what Quorum\MaxQuorumLogSize of a first generation cluster says, else
 * 4 MiB, or --max-log; what becomes of the entries of a hive's log; a log that is cut at any
 * length.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "tests/testing.h"

#include "snapshot/backup.h"
#include "snapshot/edit.h"
#include "snapshot/replay.h"
#include "tests/builder.h"
#include "tests/logbuilder.h"

static char *folder;

static char *below(TALLOC_CTX *ctx, const char *name)
{
	return talloc_asprintf(ctx, "%s/%s", folder, name);
}

struct row {
	const char *name;
	unsigned generation;
	uint32_t limit;   /* MaxQuorumLogSize; 0: there is none */
	uint64_t max_log; /* --max-log; 0: not given */
	uint32_t noise;   /* bytes that change and cannot be deflated */
	bool anew;
};

/* The database at TIME, with NOISE random bytes in a value if it is the second state of it. */
static char *write_database(TALLOC_CTX *ctx, const struct row *row, unsigned state)
{
	struct builder *b = builder_new(ctx);
	uint64_t time = BUILDER_TIME + state * 10000000u;
	char *path = below(ctx, state ? "newer" : "older");
	struct builder_key *key;
	uint8_t *noise = talloc_size(ctx, row->noise);

	builder_root_name(b, "Cluster");
	builder_string(b->root, "ClusterName", "LIMIT");
	builder_string(b->root, "ClusterInstanceID", "cccccccc-dddd-4eee-8fff-000000000000");
	if (row->generation == 2)
		builder_string(b->root, "PaxosTag", state ? "1:1:2" : "1:1:1");
	key = builder_path(b, "Nodes\\1");
	builder_string(key, "NodeName", "NODE1");
	builder_dword(key, "NodeHighestVersion",
	              row->generation == 1 ? 4u << 16 | 3790 : 10u << 16);
	key = builder_path(b, "Quorum");
	if (row->limit)
		builder_dword(key, "MaxQuorumLogSize", row->limit);
	builder_path(b, "Groups");
	key = builder_path(b, "Resources");
	srandom(1);
	for (uint32_t i = 0; i < row->noise; i++)
		noise[i] = (uint8_t)(random() >> 7);
	if (state)
		builder_value(key, "Noise", 3, noise, row->noise);
	key->time = b->root->time = time;
	builder_write_file(b, path);
	return path;
}

static bool back_up(TALLOC_CTX *ctx, const struct row *row, const char *snapshot,
                    struct verdict *verdict)
{
	char *systems[] = { write_database(ctx, row, 0), write_database(ctx, row, 1), NULL };
	struct backup_options options = {
		.collect = { .systems = systems, .max_log = row->max_log },
		.destination = (char *)snapshot,
	};
	struct collection collection;
	struct error err;

	return backup(ctx, &options, &collection, verdict, &err) || (puts(err.text), false);
}

static void a_log_begins_anew_when_it_is_too_long(void **state)
{
	static const struct row rows[] = {
		{ "first generation, below its limit", 1, 100000, 0, 8000, false },
		{ "first generation, above it", 1, 4096, 0, 8000, true },
		{ "first generation without a limit, above 4 MiB", 1, 0, 0, 4 << 20, true },
		{ "first generation without a limit, below 4 MiB", 1, 0, 0, 4000000, false },
		{ "second generation: there the value is no size", 2, 4096, 0, 8000, false },
		{ "second generation, above 4 MiB", 2, 1024, 0, 4 << 20, true },
		{ "second generation, below 4 MiB", 2, 0, 0, 4000000, false },
		{ "--max-log above 4 MiB", 2, 0, 100 << 20, 5 << 20, false },
		{ "--max-log below the cluster's own", 1, 100000, 4096, 8000, true },
		{ "--max-log above the cluster's own", 1, 4096, 100000, 8000, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		TALLOC_CTX *ctx = talloc_new(NULL);
		struct verdict verdict;
		const struct quolog_entry *entry;

		if (rows[i].noise > testing_rounds(8 << 20, 8000)) { /* too slow under valgrind */
			talloc_free(ctx);
			continue;
		}
		if (!back_up(ctx, &rows[i], below(ctx, "snapshot"), &verdict))
			fail_msg("%s", rows[i].name);
		assert_true(verdict.complete);
		entry = verdict.log->entries;
		if (verdict.log->entry_count != (rows[i].anew ? 1 : 3))
			fail_msg("%s: %zu entries", rows[i].name, verdict.log->entry_count);
		/* checkpoint 1 and transaction 2 have been; what is there goes on behind them */
		assert_int_equal(entry->sequence, rows[i].anew ? 3 : 1);
		assert_int_equal(verdict.sequence, 3);
		assert_string_equal(verdict.newest_chk,
		                    rows[i].anew ? "chk0001.tmp" : "chk0002.tmp");
		talloc_free(ctx);
	}
}

/* --- a log of a hive --- */

#define PAGE 4096u

/* The database whose pages say VERSION. */
static uint8_t *version(TALLOC_CTX *ctx, unsigned number, size_t *size)
{
	struct builder *b = builder_new(ctx);

	builder_root_name(b, "Cluster");
	builder_string(b->root, "ClusterName", "LOGGED");
	builder_string(b->root, "ClusterInstanceID", "cccccccc-dddd-4eee-8fff-000000000000");
	builder_dword(b->root, "Version", number);
	b->root->time = BUILDER_TIME + number;
	builder_path(b, "Nodes");
	builder_path(b, "Groups");
	builder_path(b, "Resources");
	return builder_write(b, size);
}

/* A dirty hive, whose log has an entry for each digit of VERSIONS: the whole database of then. */
static char *write_dirty(TALLOC_CTX *ctx, const char *versions)
{
	size_t size;
	uint8_t *hive = version(ctx, 0, &size), *next;
	uint32_t pages = (uint32_t)(size / PAGE) - 1, sequence = 7;
	struct logbuilder *log = logbuilder_new(ctx, sequence, pages);

	for (const char *at = versions; *at; at++) {
		next = version(ctx, (unsigned)(*at - '0'), &size);
		logbuilder_entry(log, sequence++, 0, pages);
		logbuilder_reference(log, 0, pages * PAGE, 'x');
		memcpy(log->pages, next + PAGE, pages * PAGE);
		logbuilder_finish(log);
	}
	logbuilder_put32(hive + 4, 7);
	logbuilder_put32(hive + 8, 6);
	logbuilder_checksum(hive);
	testing_write(folder, "CLUSDB", hive, size);
	testing_write(folder, "CLUSDB.LOG1", log->data, log->size);
	testing_write(folder, "CLUSDB.LOG2", "", 0);
	return below(ctx, "CLUSDB");
}

/* Entries 7 to 11, of which 9 and 11 change nothing. */
static void an_entry_that_changes_nothing_is_no_transaction(void **state)
{
	static const char *const origins[] = { "CLUSDB", "CLUSDB CLUSDB.LOG1 entry 7",
		                               "CLUSDB CLUSDB.LOG1 entry 8",
		                               "CLUSDB CLUSDB.LOG1 entry 10", "CLUSDB" };
	TALLOC_CTX *ctx = talloc_new(NULL);
	char *systems[] = { write_dirty(ctx, "12233"), NULL };
	struct backup_options options = { .collect = { .systems = systems },
		                          .destination = below(ctx, "logged") };
	struct collection collection;
	struct verdict verdict;
	struct error err = { 0 };

	(void)state;
	if (!backup(ctx, &options, &collection, &verdict, &err))
		fail_msg("%s", err.text);
	assert_int_equal(verdict.log->entry_count, 5);
	for (size_t i = 0; i < 5; i++) {
		const struct quolog_entry *entry = &verdict.log->entries[i];

		assert_string_equal(quolog_origin(ctx, entry), origins[i]);
		assert_int_equal(entry->type, i % 4 ? RECORD_TRANSACTION : RECORD_CHECKPOINT);
		assert_int_equal(entry->time, BUILDER_TIME + (i < 4 ? i : 3));
		assert_false(entry->inferred);
	}
	talloc_free(ctx);
}

/* --- a log that was cut --- */

static void edit_once(const char *snapshot, const char *key)
{
	TALLOC_CTX *ctx = talloc_new(NULL);
	struct change change = { .op = CHANGE_CREATE_KEY, .key = key };
	struct error err;
	struct edit *edit = edit_open(ctx, snapshot, &err);
	struct verdict verdict;
	bool changed;

	assert_true(edit && edit_change(edit, &change, &err));
	assert_true(edit_publish(edit, "test", &changed, &verdict, &err) && changed);
	talloc_free(ctx);
}

/* What is believed of a cut log is how the whole one begins. */
static void assert_begins(const struct quolog *whole, const struct quolog *cut)
{
	assert_true(cut->entry_count <= whole->entry_count);
	for (size_t i = 0; i < cut->entry_count; i++) {
		assert_int_equal(cut->entries[i].sequence, whole->entries[i].sequence);
		assert_int_equal(cut->entries[i].offset, whole->entries[i].offset);
		assert_int_equal(cut->entries[i].type, whole->entries[i].type);
	}
}

static void cut_at(const char *snapshot, struct bytes log, uint64_t size, unsigned *closed)
{
	TALLOC_CTX *ctx = talloc_new(NULL);
	struct verdict verdict;
	struct error err;
	struct quolog *whole = quolog_read(ctx, log, &err);
	struct quolog *cut = quolog_read(ctx, (struct bytes){ log.data, size }, &err);
	char expected[40];

	testing_write(snapshot, LAYOUT_LOG_NAME, log.data, size);
	assert_true(verify_path(ctx, snapshot, &verdict, &err));
	assert_true(!verdict.complete && verdict.damage_count > 0);
	assert_begins(whole, cut);
	snprintf(expected, sizeof(expected), "torn a%s", size ? "fter " : "t its start");
	if (cut->state ==
	    QUOLOG_WHOLE) { /* behind a manifest: then it is the chk that is too many */
		++*closed;
		assert_int_equal(cut->committed, size);
		assert_non_null(strstr(verdict.damage[0].text, "is no part of the snapshot"));
	} else if (strncmp(verdict.damage[0].text, expected, strlen(expected)) != 0) {
		fail_msg("cut at %llu: %s", (unsigned long long)size, verdict.damage[0].text);
	}
	assert_null(verify_newest(ctx, snapshot, &verdict, &err));
	assert_int_equal(err.kind, ERROR_BAD_NEWS);
	talloc_free(ctx);
}

static void a_log_cut_anywhere_is_never_believed(void **state)
{
	const struct row row = { "cut", 2, 0, 0, 100, false };
	uint64_t step = testing_rounds(1, 97);
	TALLOC_CTX *ctx = talloc_new(NULL);
	char *snapshot = below(ctx, "snapshot");
	struct verdict verdict;
	unsigned closed = 0;
	struct bytes log;

	(void)state;
	assert_true(back_up(ctx, &row, snapshot, &verdict));
	edit_once(snapshot, "Resources\\One");
	edit_once(snapshot, "Resources\\One\\Two");
	assert_true(verify_path(ctx, snapshot, &verdict, &(struct error){ 0 }));
	assert_true(verdict.complete && verdict.sequence == 7);
	log = verdict.log->bytes;
	for (uint64_t size = 0; size < log.size; size += step)
		cut_at(snapshot, log, size, &closed);
	assert_true(closed == 2 || step > 1);
	testing_write(snapshot, LAYOUT_LOG_NAME, log.data, log.size);
	assert_true(verify_path(ctx, snapshot, &verdict, &(struct error){ 0 }));
	assert_true(verdict.complete);
	talloc_free(ctx);
}

static int set_up(void **state)
{
	testing_begin(state);
	folder = testing_directory();
	return 0;
}

static int tear_down(void **state)
{
	testing_remove(folder);
	return testing_end(state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		testing_unit(a_log_begins_anew_when_it_is_too_long),
		testing_unit(an_entry_that_changes_nothing_is_no_transaction),
		testing_unit(a_log_cut_anywhere_is_never_believed),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
