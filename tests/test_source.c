/* Reading a hive with what lies beside it. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "hive/source.h"
#include "tests/testing.h"

/* Files with their own names as contents. */
static char *folder_of(const char *const *names)
{
	char *folder = testing_directory();

	for (; *names; names++)
		testing_write(folder, *names, *names, strlen(*names));
	return folder;
}

static struct source *read_in(const char *folder, const char *name, struct error *err)
{
	int fd = open(folder, O_RDONLY | O_DIRECTORY);
	struct source *source = source_read(NULL, fd, name, "shown", err);

	close(fd);
	return source;
}

static void assert_image(const struct image *image, const char *text)
{
	assert_int_equal(image->bytes.size, strlen(text));
	assert_memory_equal(image->bytes.data, text, strlen(text));
	assert_true(image->sealed);
}

/* NULL: there must be none. */
static void assert_log(const struct source *source, int place, const char *name)
{
	if (!name) {
		assert_null(source->logs[place].name);
		assert_null(source->logs[place].image);
		return;
	}
	if (source->logs_named) { /* by its path */
		const char *last = strrchr(source->logs[place].name, '/');

		assert_non_null(last);
		assert_string_equal(last + 1, name);
	} else {
		assert_string_equal(source->logs[place].name, name);
	}
	assert_image(source->logs[place].image, name);
}

static void assert_refused(const char *folder, const char *name, const char *why)
{
	struct error err = { 0 };

	assert_null(read_in(folder, name, &err));
	assert_int_equal(err.kind, ERROR_SOURCE);
	assert_memory_equal(err.text, "shown: ", 7);
	if (!strstr(err.text, why))
		fail_msg("\"%s\" is not in \"%s\"", why, err.text);
}

static void logs_are_found_in_any_letter_case(void **state)
{
	static const char *const names[] = {
		"ClusDb",          "CLUSDB.log",   "clusdb.LOG1",  "cLuSdB.LoG2", "CLUSDB.LOG3",
		"CLUSDB.LOG1.old", "XCLUSDB.LOG1", "CLUSDB2.LOG1", "CLUSD.LOG1",  NULL
	};
	char *folder = folder_of(names);
	struct error err = { 0 };
	struct source *source = read_in(folder, "ClusDb", &err);

	(void)state;
	assert_non_null(source);
	assert_string_equal(source->name, "shown");
	assert_image(source->hive, "ClusDb");
	assert_log(source, SOURCE_LOG, "CLUSDB.log");
	assert_log(source, SOURCE_LOG1, "clusdb.LOG1");
	assert_log(source, SOURCE_LOG2, "cLuSdB.LoG2");
	assert_null(source->transactions);
	talloc_free(source);
	testing_remove(folder);
}

static void letters_are_those_of_windows(void **state)
{
	/* e with acute, y with diaeresis (its capital is above 0xff), dotless i (has none) */
	static const char *const names[] = { "\xc3\xa9\xc3\xbf\xc4\xb1",
		                             "\xc3\x89\xc5\xb8\xc4\xb1.LOG1",
		                             "\xc3\x89\xc5\xb8I.LOG2", "\xc3\xa9\xc3\xbf\xff.LOG2",
		                             NULL };
	char *folder = folder_of(names);
	struct error err = { 0 };
	struct source *source = read_in(folder, names[0], &err);

	(void)state;
	assert_non_null(source);
	assert_log(source, SOURCE_LOG, NULL);
	assert_log(source, SOURCE_LOG1, names[1]);
	assert_log(source, SOURCE_LOG2, NULL);
	talloc_free(source);
	testing_remove(folder);
}

static void twins_are_an_error(void **state)
{
	static const char *const logs[] = { "h", "h.LOG1", "H.log1", NULL };
	static const char *const hives[] = { "h", "H", "h.LOG1", NULL };
	char *folder = folder_of(logs), *log;

	(void)state;
	assert_refused(folder, "h", "differ in letter case only");
	testing_remove(folder);

	folder = folder_of(hives);
	assert_refused(folder, "h", "H is there too, and nobody knows whose log h.LOG1 is");
	assert_refused(folder, "H", "h is there too, and nobody knows whose log h.LOG1 is");
	/* without a log there is nothing to confuse */
	assert_true(asprintf(&log, "%s/h.LOG1", folder) > 0);
	assert_int_equal(unlink(log), 0);
	talloc_free(read_in(folder, "h", &(struct error){ 0 }));
	free(log);
	testing_remove(folder);
}

static void transactions_are_noticed(void **state)
{
	static const struct row {
		const char *name;
		bool found;
	} rows[] = {
		{ "CLUSDB.blf", true },
		{ "clusdb.1.Container", true },
		{ "CLUSDB{53b39e88-18c4-11ea-a811-000d3aa4692b}.TM.BLF", true },
		{ "ClusDb{1}.TMContainer00000000000000000001.regtrans-ms", true },
		{ "CLUSDB.regtrans", false },
		{ "xCLUSDB.blf", false },
		{ "CLUSD.blf", false },
		{ "CLUSDB.blf.old", false },
		{ "CLUSDBblf", false },
	};
	struct error err = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *const names[] = { "CLUSDB", rows[i].name, NULL };
		char *folder = folder_of(names);
		struct source *source = read_in(folder, "CLUSDB", &err);

		assert_non_null(source);
		if (rows[i].found)
			assert_string_equal(source->transactions, rows[i].name);
		else
			assert_null(source->transactions);
		talloc_free(source);
		testing_remove(folder);
	}
}

static void the_first_by_name_is_named(void **state)
{
	static const char *const names[] = { "h", "h3.blf", "h1.container", "h2.blf", NULL };
	char *folder = folder_of(names);
	struct source *source = read_in(folder, "h", &(struct error){ 0 });

	(void)state;
	assert_string_equal(source->transactions, "h1.container");
	talloc_free(source);
	testing_remove(folder);
}

static void what_cannot_be_read_is_an_error(void **state)
{
	static const char *const names[] = { "h", NULL };
	char *folder = folder_of(names), *path;

	(void)state;
	assert_refused(folder, "absent", "cannot open it");
	assert_true(asprintf(&path, "%s/H.LOG2", folder) > 0);
	assert_int_equal(mkdir(path, 0700), 0);
	assert_refused(folder, "h", "H.LOG2: is a directory");
	assert_int_equal(rmdir(path), 0);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_refused(folder, "h", "H.LOG2: is a FIFO");
	assert_int_equal(unlink(path), 0);
	assert_int_equal(symlink("h", path), 0);
	assert_refused(folder, "h", "H.LOG2: is a symbolic link");
	assert_refused(folder, "H.LOG2", "is a symbolic link");
	assert_refused(folder, ".", "is a directory");
	free(path);
	testing_remove(folder);
}

static void a_path_leads_to_the_same(void **state)
{
	static const char *const names[] = { "h", "H.LOG1", "h.blf", NULL };
	char *folder = folder_of(names), *path, *before = getcwd(NULL, 0);
	struct error err = { 0 };
	struct source *source;

	(void)state;
	assert_true(asprintf(&path, "%s/h", folder) > 0);
	source = source_read_path(NULL, path, &err);
	assert_non_null(source);
	assert_string_equal(source->name, path);
	assert_log(source, SOURCE_LOG1, "H.LOG1");
	talloc_free(source);

	assert_int_equal(chdir(folder), 0);
	source = source_read_path(NULL, "h", &err);
	assert_int_equal(chdir(before), 0);
	assert_non_null(source);
	assert_string_equal(source->name, "h");
	assert_log(source, SOURCE_LOG1, "H.LOG1");
	assert_string_equal(source->transactions, "h.blf");
	talloc_free(source);

	assert_null(source_read_path(NULL, "/nowhere at all/h", &err));
	assert_string_equal(err.text, "/nowhere at all/h: cannot open its directory: "
	                              "No such file or directory: ERROR_FILE_NOT_FOUND (2)");
	assert_null(source_read_path(NULL, "/", &err));
	assert_int_equal(err.kind, ERROR_SOURCE);
	free(path);
	free(before);
	testing_remove(folder);
}

static void logs_can_be_named(void **state)
{
	static const char *const names[] = { "h",     "h.LOG",  "h.LOG1", "h.LOG2",
		                             "other", "b.log2", NULL };
	static const struct {
		const char *add, *log, *log1, *log2;
	} rows[] = {
		{ "b.log2", NULL, NULL, "b.log2" },
		{ "other", NULL, "other", "b.log2" },
		{ "h.LOG2", "h.LOG2", "other", "b.log2" },
	};
	char *folder = folder_of(names), *before = getcwd(NULL, 0);
	struct error err = { 0 };
	struct source *source;
	char path[4096];

	(void)state;
	assert_int_equal(chdir(folder), 0);
	source = source_read_alone(NULL, "h", &err);
	assert_int_equal(chdir(before), 0);
	assert_non_null(source);
	for (int i = 0; i < SOURCE_LOGS; i++)
		assert_log(source, i, NULL);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s", folder, rows[i].add);
		assert_true(source_add_log(source, path, &err));
		assert_log(source, SOURCE_LOG, rows[i].log);
		assert_log(source, SOURCE_LOG1, rows[i].log1);
		assert_log(source, SOURCE_LOG2, rows[i].log2);
	}
	assert_false(source_add_log(source, path, &err));
	assert_int_equal(err.kind, ERROR_USAGE);
	talloc_free(source);

	/* they stand instead of those that were found, unless they cannot be read */
	snprintf(path, sizeof(path), "%s/h", folder);
	source = source_read_path(NULL, path, &err);
	assert_log(source, SOURCE_LOG1, "h.LOG1");
	assert_false(source_add_log(source, "/nowhere at all", &err));
	assert_log(source, SOURCE_LOG1, "h.LOG1");
	snprintf(path, sizeof(path), "%s/b.log2", folder);
	assert_true(source_add_log(source, path, &err));
	assert_log(source, SOURCE_LOG, NULL);
	assert_log(source, SOURCE_LOG1, NULL);
	assert_log(source, SOURCE_LOG2, "b.log2");
	talloc_free(source);

	source = source_read_alone(NULL, path, &err);
	assert_false(source_add_log(source, "/nowhere at all", &err));
	assert_string_equal(err.text, "/nowhere at all: cannot open it: No such file or directory: "
	                              "ERROR_FILE_NOT_FOUND (2)");
	assert_int_equal(err.kind, ERROR_SOURCE);
	talloc_free(source);
	free(before);
	testing_remove(folder);
}

static void nothing_is_changed(void **state)
{
	static const char *const names[] = { "h", "h.LOG1", NULL };
	char *folder = folder_of(names), path[4096];
	struct stat before[3], after;

	(void)state;
	for (int i = 0; i < 3; i++) {
		struct timespec old[2] = { { 1000000000, 5 }, { 1000000001, 6 } };

		snprintf(path, sizeof(path), "%s/%s", folder, i < 2 ? names[i] : ".");
		assert_int_equal(utimensat(AT_FDCWD, path, old, 0), 0);
		assert_int_equal(stat(path, &before[i]), 0);
	}
	talloc_free(read_in(folder, "h", &(struct error){ 0 }));
	for (int i = 0; i < 3; i++) {
		snprintf(path, sizeof(path), "%s/%s", folder, i < 2 ? names[i] : ".");
		assert_int_equal(stat(path, &after), 0);
		assert_memory_equal(&after.st_atim, &before[i].st_atim, sizeof(after.st_atim));
		assert_memory_equal(&after.st_mtim, &before[i].st_mtim, sizeof(after.st_mtim));
		assert_memory_equal(&after.st_ctim, &before[i].st_ctim, sizeof(after.st_ctim));
	}
	testing_remove(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		testing_unit(logs_are_found_in_any_letter_case),
		testing_unit(letters_are_those_of_windows),
		testing_unit(twins_are_an_error),
		testing_unit(transactions_are_noticed),
		testing_unit(the_first_by_name_is_named),
		testing_unit(what_cannot_be_read_is_an_error),
		testing_unit(a_path_leads_to_the_same),
		testing_unit(logs_can_be_named),
		testing_unit(nothing_is_changed),
	};

	return cmocka_run_group_tests(tests, testing_begin, testing_end);
}
