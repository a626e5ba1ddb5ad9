/* A journal is read back as it was written, and nothing that it says is believed. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "snapshot/journal.h"
#include "snapshot/journal_check.h"
#include "tests/allocfail.h"
#include "tests/testing.h"

#define ZEROS "0000000000000000000000000000000000000000000000000000000000000000"
#define DIGITS "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"

/* Each line is there once, so that the tables below can break it. */
static const char good[] = "{\n"
			   "  \"clusnap\": \"journal of a restore\",\n"
			   "  \"version\": 1,\n"
			   "  \"begun\": \"2026-01-02T03:04:05Z\",\n"
			   "  \"request\": {\n"
			   "    \"source\": \"/some/where\",\n"
			   "    \"to\": true,\n"
			   "    \"sequence\": 42,\n"
			   "    \"authoritative\": false,\n"
			   "    \"checkpoints\": true,\n"
			   "    \"resources\": [\n"
			   "      \"Disk Q:\",\n"
			   "      \"Na\xc3\xafve\"\n"
			   "    ],\n"
			   "    \"force\": null\n"
			   "  },\n"
			   "  \"id\": \"an identity\",\n"
			   "  \"aside\": {\n"
			   "    \"system\": \"WINNT/cluster/clusnap-A\",\n"
			   "    \"quorum\": \"MSCS/clusnap-B\"\n"
			   "  },\n"
			   "  \"steps\": [\n"
			   "    {\n"
			   "      \"op\": \"put\",\n"
			   "      \"disk\": \"system\",\n"
			   "      \"path\": \"WINNT/cluster/CLUSDB\",\n"
			   "      \"aside\": \"CLUSDB\",\n"
			   "      \"old\": {\n"
			   "        \"size\": 12,\n"
			   "        \"sha256\": \"" ZEROS "\"\n"
			   "      },\n"
			   "      \"new\": {\n"
			   "        \"size\": 4096,\n"
			   "        \"sha256\": \"" DIGITS "\"\n"
			   "      }\n"
			   "    },\n"
			   "    {\n"
			   "      \"op\": \"set-aside\",\n"
			   "      \"disk\": \"quorum\",\n"
			   "      \"path\": \"MSCS/quolog.log\",\n"
			   "      \"aside\": \"quolog.log\",\n"
			   "      \"old\": {\n"
			   "        \"size\": 0,\n"
			   "        \"sha256\": \"" ZEROS "\"\n"
			   "      },\n"
			   "      \"new\": null\n"
			   "    },\n"
			   "    {\n"
			   "      \"op\": \"mkdir\",\n"
			   "      \"disk\": \"quorum\",\n"
			   "      \"path\": \"MSCS/GUID\",\n"
			   "      \"aside\": null,\n"
			   "      \"old\": null,\n"
			   "      \"new\": null\n"
			   "    }\n"
			   "  ]\n"
			   "}\n";

static struct bytes bytes_of(const char *text)
{
	return (struct bytes){ (const uint8_t *)text, strlen(text) };
}

static void read_and_written_again(void **state)
{
	TALLOC_CTX *tmp = talloc_new(NULL);
	struct journal journal;
	struct bytes text;
	struct error err;

	(void)state;
	assert_true(journal_read(tmp, bytes_of(good), &journal, &err));
	text = journal_write(tmp, &journal, &err);
	assert_non_null(text.data);
	assert_string_equal((const char *)text.data, good);
	assert_int_equal(text.size, strlen(good));
	talloc_free(tmp);
}

static void all_of_it_is_read(void **state)
{
	TALLOC_CTX *tmp = talloc_new(NULL);
	const struct journal_step *step;
	char hex[DIGEST_HEX];
	struct journal j;
	struct error err;

	(void)state;
	assert_true(journal_read(tmp, bytes_of(good), &j, &err));
	assert_string_equal(j.begun, "2026-01-02T03:04:05Z");
	assert_string_equal(j.request.source, "/some/where");
	assert_true(j.request.to);
	assert_int_equal(j.request.sequence, 42);
	assert_false(j.request.authoritative);
	assert_true(j.request.checkpoints);
	assert_string_equal(j.request.resources[1], "Na\xc3\xafve");
	assert_null(j.request.resources[2]);
	assert_null(j.request.force);
	assert_string_equal(j.id, "an identity");
	assert_string_equal(j.aside[JOURNAL_SYSTEM], "WINNT/cluster/clusnap-A");
	assert_string_equal(j.aside[JOURNAL_QUORUM], "MSCS/clusnap-B");
	assert_int_equal(j.step_count, 3);
	step = &j.steps[0];
	assert_int_equal(step->op, JOURNAL_PUT);
	assert_int_equal(step->disk, JOURNAL_SYSTEM);
	assert_string_equal(step->path, "WINNT/cluster/CLUSDB");
	assert_string_equal(step->aside, "CLUSDB");
	assert_int_equal(step->old.size, 12);
	assert_int_equal(step->new.size, 4096);
	digest_hex(step->new.digest, hex);
	assert_string_equal(hex, DIGITS);
	assert_int_equal(j.steps[1].op, JOURNAL_ASIDE);
	assert_false(j.steps[1].new.present);
	assert_int_equal(j.steps[2].op, JOURNAL_MKDIR);
	assert_null(j.steps[2].aside);
	talloc_free(tmp);
}

/* GOOD with the first FROM behind AFTER replaced by TO; malloced. */
static char *edited(const char *after, const char *from, const char *to)
{
	const char *start = strstr(good, after), *at = start ? strstr(start, from) : NULL;
	char *text;

	if (!at)
		fail_msg("no '%s' behind '%s'", from, after);
	if (asprintf(&text, "%.*s%s%s", (int)(at - good), good, to, at + strlen(from)) < 0)
		abort();
	return text;
}

struct row {
	const char *after, *from, *to, *said;
};

static const struct row rows[] = {
	/* the whole */
	{ "{", "{", "", "line 2" },
	{ "]\n}", "}", "", "line" },
	{ "]\n}", "}", "} x", "line" },
	{ "{", "{", "[", "line" },
	{ "", "journal of a restore", "manifest", "no journal" },
	{ "", "\"journal of a restore\"", "1", "no journal" },
	{ "", "\"version\": 1", "\"version\": 2", "a newer clusnap" },
	{ "", "\"version\": 1", "\"version\": 0", "is no version" },
	{ "", "\"version\": 1", "\"version\": 1.0", "is no version" },
	{ "", "\"version\": 1", "\"version\": \"1\"", "is no version" },
	{ "", "\"version\": 1", "\"version\": 1, \"version\": 1", "duplicate" },
	{ "", "\"version\": 1", "\"version\": 1, \"more\": 1", "a member too many" },
	/* begun, id */
	{ "begun", "\"2026-01-02T03:04:05Z\"", "5", "begun: is no text" },
	{ "begun", "2026-01-02T03:04:05Z", "2026-01-02 03:04:05Z", "begun: is no time" },
	{ "begun", "2026-01-02T03:04:05Z", "2026-01-02T03:04:05Z+", "begun: is no time" },
	{ "begun", "2026-01-02T03:04:05Z", "2026-01-02T03:04:05", "begun: is no time" },
	{ "begun", "2026-01-02T03:04:05Z", "", "begun: is no time" },
	{ "", "\"begun\"", "\"bygone\"", "begun: is missing" },
	{ "\"id\"", "\"an identity\"", "null", "id: is no text" },
	{ "", "\"id\": \"an identity\",", "", "id: is missing" },
	{ "", "an identity", "an\\u0000identity", "\\u0000" },
	/* request */
	{ "", "\"request\"", "\"request2\"", "request: is missing" },
	{ "request", "/some/where", "some/where", "source: is no absolute path" },
	{ "request", "/some/where", "", "source: is no absolute path" },
	{ "request", "\"/some/where\"", "[]", "request.source: is no text" },
	{ "request", "\"to\": true", "\"to\": 1", "request.to: is neither" },
	{ "request", "\"to\": true,", "", "request.to: is missing" },
	{ "request", "42", "-1", "request.sequence: is no number" },
	{ "request", "42", "42.5", "request.sequence: is no number" },
	{ "request", "42", "9223372036854775808", "line" },
	{ "request", "\"authoritative\": false", "\"authoritative\": null", "authoritative" },
	{ "request", "\"checkpoints\": true", "\"checkpoints\": \"true\"", "checkpoints" },
	{ "request", "\"Disk Q:\"", "7", "request.resources: is no text" },
	{ "request", "\"force\": null", "\"force\": {}", "request.force: is no list" },
	{ "request", "\"force\": null", "\"force\": \"x\"", "request.force: is no list" },
	{ "request", "\"force\": null", "\"force\": null, \"x\": 1", "a member too many" },
	/* aside */
	{ "\"aside\"", "\"WINNT/cluster/clusnap-A\"", "null", "aside.system: is missing" },
	{ "\"aside\"", "WINNT/cluster/clusnap-A", "cluster/clusnap-A", "is not in the directory" },
	{ "\"aside\"", "WINNT/cluster/clusnap-A", "WINNT/clusnap-A", "is not in the directory" },
	{ "\"aside\"", "clusnap-A", "backup-A", "aside.system: is not called" },
	{ "\"aside\"", "clusnap-A", "clusnap-A/x", "aside.system: has a name" },
	{ "\"aside\"", "WINNT/cluster", "WINNT/../x/cluster", "'.' or '..'" },
	{ "\"aside\"", "WINNT/cluster", "/WINNT/cluster", "an empty name" },
	{ "\"aside\"", "MSCS/clusnap-B", "A/MSCS/clusnap-B", "aside.quorum: is neither" },
	{ "\"aside\"", "MSCS/clusnap-B", "MSCS", "aside.quorum: is not called" },
	{ "\"aside\"", "\"MSCS/clusnap-B\"", "null", "has no set-aside directory" },
	{ "\"aside\"", "\"MSCS/clusnap-B\"", "false", "aside.quorum: is no text" },
	/* steps */
	{ "", "\"steps\"", "\"step\"", "steps: is missing" },
	{ "steps", "\"put\"", "\"move\"", "steps[0].op: is none of" },
	{ "steps", "\"put\"", "0", "steps[0].op: is none of" },
	{ "steps", "\"put\"", "\"mkdir\"", "has neither an old nor a new" },
	{ "steps", "\"put\"", "\"set-aside\"", "takes an old file and no new" },
	{ "steps", "\"set-aside\"", "\"put\"", "takes a new one" },
	{ "steps", "\"mkdir\"", "\"set-aside\"", "takes an old file" },
	{ "steps", "\"disk\": \"system\"", "\"disk\": \"C:\"", "steps[0].disk: is none of" },
	{ "steps", "\"disk\": \"system\"", "\"disk\": \"quorum\"", "in no directory that" },
	{ "steps", "\"WINNT/cluster/CLUSDB\"", "null", "steps[0].path: is no text" },
	{ "steps", "WINNT/cluster/CLUSDB", "", "an empty name" },
	{ "steps", "WINNT/cluster/CLUSDB", "/WINNT/cluster/CLUSDB", "an empty name" },
	{ "steps", "WINNT/cluster/CLUSDB", "WINNT//cluster/CLUSDB", "an empty name" },
	{ "steps", "WINNT/cluster/CLUSDB", "WINNT/cluster/CLUSDB/", "an empty name" },
	{ "steps", "WINNT/cluster/CLUSDB", "WINNT/cluster/../cluster/CLUSDB", "'.' or '..'" },
	{ "steps", "WINNT/cluster/CLUSDB", "WINNT/./cluster/CLUSDB", "'.' or '..'" },
	{ "steps", "WINNT/cluster/CLUSDB", "WINNT/cluster/CLUSDB:x", "a character" },
	{ "steps", "WINNT/cluster/CLUSDB", "WINNT/cluster\\\\CLUSDB", "a character" },
	{ "steps", "WINNT/cluster/CLUSDB", "WINNT/cluster/CLUS\\nDB", "a character" },
	{ "steps", "WINNT/cluster/CLUSDB", "WINNT/CLUSDB", "in no directory that" },
	{ "steps", "WINNT/cluster/CLUSDB", "Windows/cluster/CLUSDB", "in no directory that" },
	{ "steps", "WINNT/cluster/CLUSDB", "WINNT/System32/drivers/x", "in no directory that" },
	{ "steps", "WINNT/cluster/CLUSDB", "WINNT/System32/config/a/b", "in no directory that" },
	{ "steps", "WINNT/cluster/CLUSDB", "WINNT/System32/config", "in no directory that" },
	{ "steps", "WINNT/cluster/CLUSDB", "System32/config/SYSTEM", "in no directory that" },
	{ "steps", "WINNT/cluster/CLUSDB", "CLUSDB", "in no directory that" },
	{ "steps", "WINNT/cluster/CLUSDB", "WINNT/cluster/clusnap-A/CLUSDB", "keeps for itself" },
	{ "steps", "WINNT/cluster/CLUSDB", "WINNT/cluster/Clusnap-A", "keeps for itself" },
	{ "steps", "WINNT/cluster/CLUSDB", "WINNT/cluster/x.clusnap-new", "keeps for itself" },
	{ "steps", "MSCS/quolog.log", "quolog.log", "in no directory that" },
	{ "steps", "MSCS/quolog.log", "MSCS/a/b/quolog.log", "in no directory that" },
	{ "steps", "MSCS/quolog.log", "Other/quolog.log", "in no directory that" },
	{ "steps", "MSCS/GUID", "MSCS/quolog.log", "MSCS/quolog.log is there twice" },
	{ "steps", "MSCS/GUID", "MSCS/QUOLOG.log", "is there twice" },
	{ "steps", "\"aside\": \"CLUSDB\"", "\"aside\": null", "go together" },
	{ "steps", "\"aside\": \"CLUSDB\"", "\"aside\": 1", "steps[0].aside: is no text" },
	{ "steps", "\"aside\": \"CLUSDB\"", "\"aside\": \"a/b\"", "a character" },
	{ "steps", "\"aside\": \"CLUSDB\"", "\"aside\": \"..\"", "'.' or '..'" },
	{ "steps", "\"aside\": \"CLUSDB\"", "\"aside\": \"\"", "an empty name" },
	{ "steps", "\"aside\": \"CLUSDB\"", "\"aside\": \"Journal.json\"", "keeps for itself" },
	{ "steps", "\"aside\": \"CLUSDB\"", "\"aside\": \"list.json\"", "keeps for itself" },
	{ "steps", "\"aside\": \"CLUSDB\"", "\"aside\": \"a.clusnap-new\"", "keeps for itself" },
	{ "steps", "\"size\": 12", "\"size\": -1", "steps[0].size: is no number" },
	{ "steps", "\"size\": 12", "\"size\": \"12\"", "steps[0].size: is no number" },
	{ "steps", "\"size\": 12", "\"size\": 4294967297", "larger than any hive" },
	{ "steps", "\"size\": 4096", "\"size\": 1.5", "steps[0].size: is no number" },
	{ "steps", "\"size\": 12,", "", "steps[0].size: is missing" },
	{ "steps", "\"size\": 12", "\"size\": 12, \"x\": 1", "steps[0].old: has a member" },
	{ "steps", "0000\"", "000\"", "steps[0].sha256: is no SHA-256" },
	{ "steps", "0000\"", "00000\"", "steps[0].sha256: is no SHA-256" },
	{ "steps", "0000\"", "000g\"", "steps[0].sha256: is no SHA-256" },
	{ "steps", "eeff\"", "eeFF\"", "steps[0].sha256: is no SHA-256" },
	{ "steps", "\"" ZEROS "\"", "5", "steps[0].sha256: is no SHA-256" },
	{ "steps", "\"new\": null", "\"new\": 5", "steps[1].new: is no object" },
	{ "steps", "\"new\": null", "\"new\": null, \"x\": null", "a member too many" },
	{ "MSCS/GUID", "\"new\": null\n", "\"new\": null }, 5, {\n", "steps[3]" },
};

static void each_field_is_checked(void **state)
{
	struct journal untouched = { .step_count = 99 };
	struct error err;

	(void)state;
	for (unsigned i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		char *text = edited(rows[i].after, rows[i].from, rows[i].to);

		if (journal_read(NULL, bytes_of(text), &untouched, &err))
			fail_msg("row %u: %s is accepted", i, rows[i].to);
		if (err.kind != ERROR_SOURCE || !strstr(err.text, rows[i].said))
			fail_msg("row %u: %s: kind %d, %s", i, rows[i].to, err.kind, err.text);
		assert_int_equal(untouched.step_count, 99);
		free(text);
	}
}

/* What is near to the limits and inside. */
static void what_is_allowed(void **state)
{
	static const struct row allowed[] = {
		{ "request", "42", "9223372036854775807", "" },
		{ "steps", "WINNT/cluster/CLUSDB", "winnt/SYSTEM32/Config/SYSTEM", "" },
		{ "steps", "MSCS/quolog.log", "mscs/GUID2/1.CPT", "" },
		{ "steps", "\"size\": 12", "\"size\": 4294967296", "" },
		{ "request", "[\n", "[ \"\",\n", "" },
		{ "request", "null", "[]", "" },
		{ "", "an identity", "", "" },
	};
	struct journal journal;
	struct error err;

	(void)state;
	for (unsigned i = 0; i < sizeof(allowed) / sizeof(*allowed); i++) {
		char *text = edited(allowed[i].after, allowed[i].from, allowed[i].to);
		TALLOC_CTX *tmp = talloc_new(NULL);

		if (!journal_read(tmp, bytes_of(text), &journal, &err))
			fail_msg("row %u: %s", i, err.text);
		assert_non_null(journal_write(tmp, &journal, &err).data);
		talloc_free(tmp);
		free(text);
	}
}

/* Cut after any byte it is no journal; a journal with too much of something neither. */
static void torn_and_too_large(void **state)
{
	struct bytes text = bytes_of(good);
	TALLOC_CTX *tmp = talloc_new(NULL);
	struct journal journal;
	struct error err;
	char *big;

	(void)state;
	for (text.size = 0; text.size < strlen(good) - 1; text.size++) {
		if (journal_read(tmp, text, &journal, &err))
			fail_msg("accepted after %llu bytes", (unsigned long long)text.size);
		assert_int_equal(err.kind, ERROR_SOURCE);
	}
	big = talloc_zero_array(tmp, char, JOURNAL_TEXT_MAX + 1);
	memset(big, ' ', JOURNAL_TEXT_MAX + 1);
	text = (struct bytes){ (uint8_t *)big, JOURNAL_TEXT_MAX + 1 };
	assert_false(journal_read(tmp, text, &journal, &err));
	assert_non_null(strstr(err.text, "more than any journal"));
	memset(big, '[', JOURNAL_TEXT_MAX);
	text.size = JOURNAL_TEXT_MAX;
	assert_false(journal_read(tmp, text, &journal, &err));
	assert_int_equal(err.kind, ERROR_SOURCE);
	assert_false(journal_read(tmp, (struct bytes){ NULL, 0 }, &journal, &err));
	assert_int_equal(err.kind, ERROR_SOURCE);
	talloc_free(tmp);
}

/* A list of COUNT elements behind a member. */
static char *long_list(const char *before, const char *element, unsigned count)
{
	char *text, *at;

	text = malloc(strlen(before) + count * (strlen(element) + 1) + 3);
	at = stpcpy(text, before);
	*at++ = '[';
	for (unsigned i = 0; i < count; i++) {
		at = stpcpy(at, element);
		*at++ = ',';
	}
	strcpy(at - 1, "]");
	return text;
}

static void lists_are_bounded(void **state)
{
	char *force = long_list("\"force\": ", "\"x\"", JOURNAL_TEXTS_MAX + 1);
	char *steps = long_list("\"steps\": ", "{}", JOURNAL_STEPS_MAX + 1);
	char *texts[2] = { edited("request", "\"force\": null", force),
		           edited("", "\"steps\": [", steps) };
	struct journal journal;
	struct error err;

	(void)state;
	strcpy(strstr(texts[1], "{},{}"), steps + strlen("\"steps\": ["));
	strcat(texts[1], "}");
	assert_false(journal_read(NULL, bytes_of(texts[0]), &journal, &err));
	assert_non_null(strstr(err.text, "force: is no list of texts, or too long"));
	assert_false(journal_read(NULL, bytes_of(texts[1]), &journal, &err));
	assert_non_null(strstr(err.text, "steps: is no list, or too long"));
	for (int i = 0; i < 2; i++)
		free(texts[i]);
	free(force);
	free(steps);
}

/* What could not be read again is not written. */
static void writing_refuses(void **state)
{
	TALLOC_CTX *tmp = talloc_new(NULL);
	struct journal journal;
	struct error err;

	(void)state;
	assert_true(journal_read(tmp, bytes_of(good), &journal, &err));
	journal.request.source = (char[]){ "/not \xff UTF-8" };
	assert_null(journal_write(tmp, &journal, &err).data);
	assert_int_equal(err.kind, ERROR_USAGE);
	assert_non_null(strstr(err.text, "is no UTF-8"));
	journal.request.source = (char[]){ "relative" };
	assert_null(journal_write(tmp, &journal, &err).data);
	assert_int_equal(err.kind, ERROR_INTERNAL);
	journal.request.source = (char[]){ "/absolute" };
	journal.request.sequence = UINT64_MAX;
	assert_null(journal_write(tmp, &journal, &err).data);
	assert_int_equal(err.kind, ERROR_USAGE);
	journal.request.sequence = 1;
	journal.steps[0].path = (char[]){ "WINNT/System32/ntoskrnl.exe" };
	assert_null(journal_write(tmp, &journal, &err).data);
	assert_int_equal(err.kind, ERROR_INTERNAL);
	talloc_free(tmp);
}

static bool read_and_write(void *data, struct error *err)
{
	TALLOC_CTX *tmp = talloc_new(NULL);
	struct journal journal;
	struct bytes text;
	bool done;

	(void)data;
	if (!tmp)
		return error_memory(err);
	done = journal_read(tmp, bytes_of(good), &journal, err);
	if (done) {
		text = journal_write(tmp, &journal, err);
		done = text.data != NULL;
		if (done)
			assert_string_equal((const char *)text.data, good);
	}
	talloc_free(tmp);
	return done;
}

static void memory_runs_out(void **state)
{
	int points = allocfail_run(read_and_write, NULL, 0);

	(void)state;
	print_message("# %d failures\n", points);
	assert_in_range(points, 100, 100000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		testing_unit(read_and_written_again), testing_unit(all_of_it_is_read),
		testing_unit(each_field_is_checked),  testing_unit(what_is_allowed),
		testing_unit(torn_and_too_large),     testing_unit(lists_are_bounded),
		testing_unit(writing_refuses),        testing_unit(memory_runs_out),
	};

	return cmocka_run_group_tests(tests, testing_begin, testing_end);
}
