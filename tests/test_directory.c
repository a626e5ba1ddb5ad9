/*
 * Directories as a power cut can leave them on NTFS: that list a name twice, list one that is not
 * there, or cannot be listed at all. (The real ones: test_restore_powercut.sh.)
 */
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "checkpoint/disk/volume.h"
#include "tests/testing.h"

static char *base;
static TALLOC_CTX *ctx;
static struct volume *volume;
static struct error err;

/* What readdir does from here on. */
static enum { SOUND, TWICE, FAILS, FAILS_LATE } flaw;
static const char *ghost; /* a name more, which cannot be looked up */

/* In place of libc's. */
struct dirent *readdir(DIR *dir)
{
	static struct dirent *(*real)(DIR *);
	static struct dirent last;
	static DIR *repeated, *haunted;
	struct dirent *entry;

	if (!real)
		*(void **)&real = dlsym(RTLD_NEXT, "readdir");
	if (flaw == TWICE && repeated == dir) {
		repeated = NULL;
		return &last;
	}
	entry = flaw == FAILS ? NULL : real(dir);
	if (entry && flaw == TWICE) {
		last = *entry;
		repeated = dir;
	}
	if (!entry && (flaw == FAILS || flaw == FAILS_LATE))
		errno = EIO;
	if (!entry && flaw == SOUND && ghost && haunted != dir) {
		haunted = dir;
		snprintf(last.d_name, sizeof(last.d_name), "%s", ghost);
		return &last;
	}
	if (!entry)
		repeated = haunted = NULL;
	return entry;
}

static int setup(void **state)
{
	testing_count(state);
	base = testing_directory();
	testing_write(base, "CLUSDB", "database", 8);
	testing_write(base, "CLUSDB.LOG1", "log", 3);
	testing_write(base, "CLUSDB.log2", "log", 3);
	testing_write(base, "other", "x", 1);
	ctx = talloc_new(NULL);
	volume = volume_open(ctx, base, &err);
	flaw = SOUND;
	ghost = NULL;
	return volume ? 0 : -1;
}

static int teardown(void **state)
{
	flaw = SOUND;
	TALLOC_FREE(ctx);
	testing_remove(base);
	return testing_compare(state);
}

static enum volume_kind kind_of(const char *path)
{
	struct volume_entry entry;

	if (!volume_find(ctx, volume, path, &entry, &err))
		fail_msg("%s: %s", path, err.text);
	return entry.kind;
}

static void a_name_listed_twice_is_one(void **state)
{
	const char *path = "unset";
	char **names;
	uint32_t count;

	(void)state;
	assert_int_equal(volume_flaw(volume, &path), DIRECTORY_SOUND);
	assert_null(path);
	flaw = TWICE;
	assert_int_equal(kind_of("clusdb"), VOLUME_FILE);
	assert_int_equal(kind_of("absent"), VOLUME_ABSENT);
	assert_true(volume_list(ctx, volume, "", &names, &count, &err));
	assert_int_equal(count, 4);
	assert_string_equal(names[0], "CLUSDB");
	assert_string_equal(names[1], "CLUSDB.LOG1");
	assert_string_equal(names[2], "CLUSDB.log2");
	assert_string_equal(names[3], "other");
	assert_int_equal(volume_flaw(volume, &path), DIRECTORY_TWICE);
	assert_string_equal(path, "");
}

static void twins_are_still_an_error(void **state)
{
	struct volume_entry entry;

	(void)state;
	testing_write(base, "ClusDb", "another", 7);
	flaw = TWICE;
	assert_false(volume_find(ctx, volume, "clusdb", &entry, &err));
	assert_non_null(strstr(err.text, "holds both"));
}

static void logs_listed_twice_are_one(void **state)
{
	struct source *source;

	(void)state;
	flaw = TWICE;
	source = volume_source(ctx, volume, "CLUSDB", &err);
	if (!source)
		fail_msg("%s", err.text);
	assert_string_equal(source->logs[SOURCE_LOG1].name, "CLUSDB.LOG1");
	assert_string_equal(source->logs[SOURCE_LOG2].name, "CLUSDB.log2");
	assert_false(source->unlisted);
}

/* By its exact name alone; that one is absent nobody knows. */
static void what_cannot_be_listed_is_looked_up(void **state)
{
	struct volume_entry entry;
	const char *path;
	char **names;
	uint32_t count;

	(void)state;
	flaw = FAILS;
	assert_int_equal(kind_of("CLUSDB"), VOLUME_FILE);
	assert_int_equal(volume_flaw(volume, &path), DIRECTORY_UNLISTED);
	assert_string_equal(path, "");
	assert_false(volume_find(ctx, volume, "clusdb", &entry, &err));
	assert_int_equal(err.kind, ERROR_SOURCE);
	assert_int_equal(err.sys, EIO);
	assert_false(volume_find(ctx, volume, "absent", &entry, &err));
	assert_int_equal(err.sys, EIO);
	assert_false(volume_list(ctx, volume, "", &names, &count, &err));
	assert_int_equal(err.sys, EIO);
	/* also where it fails in the middle: there may be a twin behind it */
	flaw = FAILS_LATE;
	assert_false(volume_find(ctx, volume, "clusdb", &entry, &err));
	assert_int_equal(kind_of("CLUSDB"), VOLUME_FILE);
	assert_false(volume_list(ctx, volume, "", &names, &count, &err));
}

static void logs_are_looked_up_likewise(void **state)
{
	struct source *source;

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		flaw = i ? FAILS_LATE : FAILS;
		source = volume_source(ctx, volume, "CLUSDB", &err);
		if (!source)
			fail_msg("%s", err.text);
		assert_true(source->unlisted);
		assert_string_equal(source->logs[SOURCE_LOG1].name, "CLUSDB.LOG1");
		assert_null(source->logs[SOURCE_LOG].name);
		assert_int_equal(source->logs[SOURCE_LOG2].name != NULL, i);
	}
}

/* Neither there nor absent. */
static void a_name_without_a_file(void **state)
{
	struct volume_entry entry;

	(void)state;
	ghost = "LOST";
	assert_false(volume_find(ctx, volume, "lost", &entry, &err));
	assert_int_equal(err.kind, ERROR_SOURCE);
	assert_int_equal(err.sys, ENOENT);
	assert_non_null(strstr(err.text, "chkdsk"));
	assert_int_equal(kind_of("CLUSDB"), VOLUME_FILE);
}

#define unit(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		unit(a_name_listed_twice_is_one),  unit(twins_are_still_an_error),
		unit(logs_listed_twice_are_one),   unit(what_cannot_be_listed_is_looked_up),
		unit(logs_are_looked_up_likewise), unit(a_name_without_a_file),
	};

	return cmocka_run_group_tests(tests, testing_begin, testing_end);
}
