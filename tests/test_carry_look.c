/*
 * Every foreign byte on a disk is found before anything is written: in each sector of each file,
 * another size, a file that is missing or one too many. Overridden, both directions reach their
 * end all the same.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/carrying.h"
#include "tests/syscalls.h"
#include "tests/testing.h"

static char *directory;

static int make_directory(void **state)
{
	if (access("/dev/shm", W_OK) == 0)
		setenv("TMPDIR", "/dev/shm", 0); /* memory: a disk waits for each fsync */
	directory = testing_directory();
	return testing_begin(state);
}

static int remove_directory(void **state)
{
	syscalls_forget();
	testing_remove(directory);
	return testing_end(state);
}

/* The plans that have all kinds of files between them; the last has most of them. */
static const char *const chosen[] = { "a clean hive with stale logs",
	                              "the same with a longer new one", "a hive that is cut",
	                              "no hive yet, but logs", "two disks" };

static struct undo *plan(TALLOC_CTX *ctx, size_t number)
{
	for (size_t i = 0; i < carrying_count; i++) {
		if (strcmp(carrying_rows[i].name, chosen[number]) == 0)
			return carrying_plan(ctx, &carrying_rows[i], directory);
	}
	fail_msg("no plan '%s'", chosen[number]);
	return NULL;
}

#define CHOSEN (sizeof(chosen) / sizeof(chosen[0]))

/* What is there is refused, with the path of FILE in the text; overridden, it is BETWEEN. */
static void refused(const struct undo *undo, const struct undo_file *file, const char *what)
{
	TALLOC_CTX *tmp = talloc_new(NULL);
	char *path = undoing_path(tmp, undo, file);
	enum carry_state state;
	struct error err;

	if (carrying_look(undo, false, &state, &err))
		fail_msg("%s: %s is not found", path, what);
	assert_int_equal(err.kind, ERROR_REFUSED);
	if (!strstr(err.text, path) || !strstr(err.text, "changed-since"))
		fail_msg("%s: %s: %s", path, what, err.text);
	assert_true(carrying_look(undo, true, &state, &err));
	assert_int_equal(state, CARRY_BETWEEN);
	talloc_free(tmp);
}

/* As undoing_differs(), but of logs that are erased only the first sector counts. */
static const char *differs(TALLOC_CTX *ctx, const struct undo *undo, enum undo_when to)
{
	struct carrying_file *now = carrying_take(ctx, undo), *wanted = carrying_at(ctx, undo, to);

	for (uint32_t i = 0; i < undo->count; i++) {
		struct bytes is = now[i].bytes, want = wanted[i].bytes;

		if (undo->files[i].action == UNDO_ERASE && to == UNDO_NEW) {
			if (is.size > 512)
				is.size = 512;
			if (want.size > is.size)
				want.size = is.size;
			if (is.size > want.size)
				is.size = want.size;
		} else if (now[i].there != wanted[i].there) {
			return undo->files[i].path;
		}
		if (!bytes_equal(is, want))
			return undo->files[i].path;
	}
	return NULL;
}

/* Both ends can be reached if it is overridden. */
static void overridden(const struct undo *undo, const char *what)
{
	TALLOC_CTX *tmp = talloc_new(NULL);
	struct carrying_file *files = carrying_take(tmp, undo);
	struct error err;

	for (int to = UNDO_NEW; to >= (int)UNDO_OLD; to -= 2) {
		const char *path;

		carrying_put(undo, files);
		if (!carrying_out(undo, (enum undo_when)to, CARRYING_FORCE, &err))
			fail_msg("%s, forced: %s", what, err.text);
		path = differs(tmp, undo, (enum undo_when)to);
		if (path)
			fail_msg("%s, forced: %s is not right", what, path);
	}
	talloc_free(tmp);
}

/* Runs EACH on every file of the chosen plans, with the disks as they are at WHEN. */
typedef void each_fn(const struct undo *undo, uint32_t number, struct carrying_file *files);

static void at_both_ends(each_fn *each)
{
	for (size_t i = (size_t)testing_rounds(0, CHOSEN - 1); i < CHOSEN; i++) {
		for (int when = UNDO_OLD; when <= (int)UNDO_NEW; when += 2) {
			TALLOC_CTX *tmp = talloc_new(NULL);
			struct undo *undo = plan(tmp, i);

			for (uint32_t j = 0; j < undo->count; j++) {
				undoing_disks(undo, (enum undo_when)when);
				each(undo, j, carrying_at(undo, undo, (enum undo_when)when));
			}
			talloc_free(tmp);
		}
	}
}

static void change_each_sector(const struct undo *undo, uint32_t number,
                               struct carrying_file *files)
{
	struct bytes whole = files[number].bytes;

	for (uint64_t at = 0; at < whole.size; at += 512) {
		uint8_t *data = talloc_memdup(NULL, whole.data, whole.size);
		uint64_t end = whole.size - at < 512 ? whole.size : at + 512;

		data[at + (end - at) * (number % 3) / 3] ^= 0x40;
		files[number].bytes.data = data;
		carrying_put(undo, files);
		refused(undo, &undo->files[number], "a changed byte");
		if (at == 0 || end == whole.size || at % 4096 == 512)
			overridden(undo, "a changed byte");
		talloc_free(data);
		files[number].bytes = whole;
		carrying_put(undo, files);
	}
}

/* Zeros are right only where a file was, or gets, longer. */
static void lose_each_sector(const struct undo *undo, uint32_t number, struct carrying_file *files)
{
	static const uint8_t zeros[512];
	const struct undo_file *file = &undo->files[number];
	struct bytes whole = files[number].bytes;

	if (file->action != UNDO_OVERWRITE && file->action != UNDO_ERASE)
		return;
	for (uint64_t at = 0; at + 512 <= whole.size; at += 512) {
		uint8_t *data = talloc_memdup(NULL, whole.data, whole.size);

		memset(data + at, 0, 512);
		files[number].bytes.data = data;
		carrying_put(undo, files);
		if (memcmp(file->content[UNDO_OLD].image->bytes.data + at, zeros, 512) != 0 &&
		    memcmp(file->content[UNDO_NEW].image->bytes.data + at, zeros, 512) != 0)
			refused(undo, file, "a sector of zeros");
		talloc_free(data);
	}
	files[number].bytes = whole;
}

static void a_changed_byte(void **state)
{
	(void)state;
	at_both_ends(change_each_sector);
	at_both_ends(lose_each_sector);
}

/* Larger than all, smaller than all, or empty. What lies between is what a run can leave. */
static void change_size(const struct undo *undo, uint32_t number, struct carrying_file *files)
{
	const struct undo_file *file = &undo->files[number];
	uint64_t least = UINT64_MAX, most = 0;
	char *path = undoing_path(NULL, undo, file);

	for (int when = 0; when < (int)UNDO_WHENS; when++) {
		const struct undo_content *content = &file->content[when];

		if (when == UNDO_RECOVERED && !content->present)
			continue;
		least = content->size < least ? content->size : least;
		most = content->size > most ? content->size : most;
	}
	if (files[number].there && file->action != UNDO_MKDIR) {
		assert_int_equal(truncate(path, (off_t)most + 1), 0);
		refused(undo, file, "a longer file");
		overridden(undo, "a longer file");
		carrying_put(undo, files);
		assert_int_equal(truncate(path, (off_t)most + 70000), 0);
		refused(undo, file, "a much longer file");
		if (least) {
			carrying_put(undo, files);
			assert_int_equal(truncate(path, (off_t)least - 1), 0);
			refused(undo, file, "a shorter file");
			overridden(undo, "a shorter file");
			assert_int_equal(truncate(path, 0), 0);
			refused(undo, file, "an empty file");
			overridden(undo, "an empty file");
		}
	}
	talloc_free(path);
}

static void another_size(void **state)
{
	(void)state;
	at_both_ends(change_size);
}

static void take_away(const struct undo *undo, uint32_t number, struct carrying_file *files)
{
	const struct undo_file *file = &undo->files[number];

	if (!file->content[UNDO_OLD].present || !file->content[UNDO_NEW].present)
		return; /* then it is not there at one of the ends */
	files[number].there = false;
	carrying_put(undo, files);
	refused(undo, file, "a missing file");
	overridden(undo, "a missing file");
}

static void a_missing_file(void **state)
{
	(void)state;
	at_both_ends(take_away);
}

/* A file where there was none, and where there is to be none. */
static void put_one_more(const struct undo *undo, uint32_t number, struct carrying_file *files)
{
	const struct undo_file *file = &undo->files[number];
	char *path = undoing_path(NULL, undo, file), *slash = strrchr(path, '/');

	if (files[number].there || file->action == UNDO_MKDIR) {
		talloc_free(path);
		return;
	}
	*slash = '\0';
	mkdir(path, 0700);
	testing_write(path, slash + 1, "somebody's", 10);
	*slash = '/';
	if (file->content[UNDO_OLD].size >= 10 || file->content[UNDO_NEW].size >= 10) {
		refused(undo, file, "one file more");
		overridden(undo, "one file more");
	}
	talloc_free(path);
}

static void one_file_more(void **state)
{
	(void)state;
	at_both_ends(put_one_more);
}

/* Nothing is opened that is no file, and nothing is written where one name is not the only one. */
static void what_is_no_file(void **state)
{
	TALLOC_CTX *tmp = talloc_new(NULL);
	struct undo *undo = plan(tmp, 4);
	char *moved = talloc_asprintf(tmp, "%s/moved", directory);

	(void)state;
	for (uint32_t i = 0; i < undo->count; i++) {
		const struct undo_file *file = &undo->files[i];
		char *path = undoing_path(tmp, undo, file);
		enum carry_state looked;
		struct error err;

		for (int what = 0; what < 4 && file->content[UNDO_OLD].present; what++) {
			undoing_disks(undo, UNDO_OLD);
			assert_int_equal(what == 3 ? link(path, moved) : rename(path, moved), 0);
			if (what == 0)
				assert_int_equal(symlink(moved, path), 0);
			if (what == 1)
				assert_int_equal(mkdir(path, 0700), 0);
			if (what == 2)
				assert_int_equal(mkfifo(path, 0600), 0);
			syscalls_begin(SYSCALLS_ALL);
			if (carrying_look(undo, true, &looked, &err))
				fail_msg("%s: %d is opened", path, what);
			assert_int_equal(syscalls_end(), 0);
			if ((err.kind != ERROR_REFUSED && err.kind != ERROR_DESTINATION) ||
			    !strstr(err.text, path))
				fail_msg("%s: %d: error %d: %s", path, what, err.kind, err.text);
			unlink(moved);
		}
	}
	talloc_free(tmp);
}

/* The marker of any restore counts, in the first sector alone. */
static void a_marker_is_ours(void **state)
{
	static const char other[] = "clusnap: a restore of this file is unfinished\nundo: x\n";
	TALLOC_CTX *tmp = talloc_new(NULL);
	struct undo *undo = plan(tmp, 0);
	char *marker = talloc_asprintf(
		tmp, "clusnap: a restore of this file is unfinished\nundo: %s\n", undo->id);
	struct carrying_file *files = carrying_at(tmp, undo, UNDO_OLD);
	uint8_t *data = talloc_memdup(tmp, files[0].bytes.data, files[0].bytes.size);
	enum carry_state looked;
	struct error err;

	(void)state;
	files[0].bytes.data = data;
	memset(data, 0, 512);
	memcpy(data, marker, strlen(marker));
	undoing_disks(undo, UNDO_OLD);
	carrying_put(undo, files);
	assert_true(carrying_look(undo, false, &looked, &err));
	assert_int_equal(looked, CARRY_BETWEEN);
	memcpy(data + 512, data, 512);
	carrying_put(undo, files);
	refused(undo, &undo->files[0], "a marker in the second sector");
	files = carrying_at(tmp, undo, UNDO_OLD);
	data = talloc_memdup(tmp, files[0].bytes.data, files[0].bytes.size);
	files[0].bytes.data = data;
	memset(data, 0, 512);
	memcpy(data, other, sizeof(other));
	snprintf(undo->id, sizeof(undo->id), "%064d", 1);
	carrying_put(undo, files);
	refused(undo, &undo->files[0], "the marker of another undo directory");
	talloc_free(tmp);
}

/* Both volumes are those of the plan, if it knows them, and both are needed. */
static void the_volumes(void **state)
{
	TALLOC_CTX *tmp = talloc_new(NULL);
	struct undo *undo = plan(tmp, 4);
	struct volume *volumes[UNDO_VOLUMES] = { 0 }, *second;
	struct error err;

	(void)state;
	undoing_disks(undo, UNDO_OLD);
	volumes[UNDO_SYSTEM] = volume_open(tmp, undo->disks[UNDO_SYSTEM].path, &err);
	assert_null(carry_open(tmp, undo, volumes, problems_new(tmp), &err));
	assert_int_equal(err.kind, ERROR_USAGE);
	assert_non_null(strstr(err.text, "--quorum"));
	volumes[UNDO_QUORUM] = volume_open(tmp, undo->disks[UNDO_QUORUM].path, &err);
	assert_non_null(carry_open(tmp, undo, volumes, problems_new(tmp), &err));

	/* whoever has the lock is alone */
	second = volume_open(tmp, undo->disks[UNDO_SYSTEM].path, &err);
	volumes[UNDO_SYSTEM] = second;
	assert_null(carry_open(tmp, undo, volumes, problems_new(tmp), &err));
	assert_int_equal(err.kind, ERROR_REFUSED);
	talloc_free(tmp);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		testing_unit(a_changed_byte),  testing_unit(another_size),
		testing_unit(a_missing_file),  testing_unit(one_file_more),
		testing_unit(what_is_no_file), testing_unit(a_marker_is_ours),
		testing_unit(the_volumes),
	};

	return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
