/*
 * Plans carried out, forward and back, and stopped after each single change: from every state both
 * directions reach their end, and at none is a hive anything but old, new or refused. Power cuts
 * that lose and tear what was not flushed are in test_carry_cuts.c.
 */
#include <stdlib.h>
#include <string.h>
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

static const char *words[] = { "old", "recovered", "new" };

/* Carries PLAN out; what is there afterwards must be exactly that. */
static void reaches(const struct undo *undo, enum undo_when to, int how, const char *where)
{
	TALLOC_CTX *tmp = talloc_new(NULL);
	struct error err;
	char *path;

	if (!carrying_out(undo, to, how, &err))
		fail_msg("%s, to the %s files: %s", where, words[to], err.text);
	path = undoing_differs(tmp, undo, to);
	if (path)
		fail_msg("%s, to the %s files: %s is not right", where, words[to], path);
	talloc_free(tmp);
}

static enum carry_state looks(const struct undo *undo, const char *where)
{
	enum carry_state state;
	struct error err;

	if (!carrying_look(undo, false, &state, &err))
		fail_msg("%s: %s", where, err.text);
	return state;
}

static void forward_and_back(void **state)
{
	(void)state;
	for (size_t i = 0; i < carrying_count; i++) {
		TALLOC_CTX *tmp = talloc_new(NULL);
		const char *name = carrying_rows[i].name;
		struct undo *undo = carrying_plan(tmp, &carrying_rows[i], directory);

		undoing_disks(undo, UNDO_OLD);
		assert_null(undoing_differs(tmp, undo, UNDO_OLD));
		assert_int_equal(looks(undo, name), CARRY_OLD);
		for (int turn = 0; turn < 2; turn++) {
			for (int again = 0; again < 2; again++) {
				reaches(undo, UNDO_NEW, 0, name);
				assert_int_equal(looks(undo, name), CARRY_NEW);
			}
			for (int again = 0; again < 2; again++) {
				reaches(undo, UNDO_OLD, 0, name);
				assert_int_equal(looks(undo, name), CARRY_OLD);
			}
		}
		undoing_disks(undo, UNDO_NEW);
		reaches(undo, UNDO_OLD, 0, name);
		talloc_free(tmp);
	}
}

/* What the plans of the table are about: otherwise the tests below prove less than they say. */
static void the_plans_have_everything(void **state)
{
	bool actions[UNDO_ACTIONS] = { 0 }, grown = false, same = false;
	unsigned recovered = 0;

	(void)state;
	for (size_t i = 0; i < carrying_count; i++) {
		TALLOC_CTX *tmp = talloc_new(NULL);
		struct undo *undo = carrying_plan(tmp, &carrying_rows[i], directory);
		struct error err;

		if (!undo_check(undo, &err))
			fail_msg("%s: %s", carrying_rows[i].name, err.text);
		for (uint32_t j = 0; j < undo->count; j++) {
			const struct undo_file *file = &undo->files[j];
			const struct undo_content *form = &file->content[UNDO_RECOVERED];

			actions[file->action] = true;
			recovered += form->present;
			grown |= form->present && form->size > file->content[UNDO_OLD].size;
			same |= form->present && form->size == file->content[UNDO_OLD].size;
		}
		talloc_free(tmp);
	}
	for (int i = 0; i < (int)UNDO_ACTIONS; i++)
		assert_true(actions[i]);
	assert_true(grown && same);
	assert_in_range(recovered, 9, 30);
}

/* --- stopped after each change --- */

static unsigned points, refused_points;

/* It is called old or new if and only if it is, to the last byte. */
static void check_look(const struct undo *undo, const char *where)
{
	TALLOC_CTX *tmp = talloc_new(NULL);
	enum carry_state state = looks(undo, where),
			 wanted = !undoing_differs(tmp, undo, UNDO_NEW)   ? CARRY_NEW
	                          : !undoing_differs(tmp, undo, UNDO_OLD) ? CARRY_OLD
	                                                                  : CARRY_BETWEEN;

	if (state != wanted)
		fail_msg("%s: looks like %d, not %d", where, state, wanted);
	talloc_free(tmp);
}

/* The state that is there: judged, looked at, and brought to both ends. */
static void try_state(const struct undo *undo, const char *where)
{
	TALLOC_CTX *tmp = talloc_new(NULL);
	struct carrying_file *files = carrying_take(tmp, undo);
	unsigned refused;
	char *wrong = carrying_judge(tmp, undo, files, &refused);

	points++;
	refused_points += refused > 0;
	if (wrong)
		fail_msg("%s: %s", where, wrong);
	check_look(undo, where);
	reaches(undo, UNDO_NEW, 0, where);
	carrying_put(undo, files);
	reaches(undo, UNDO_OLD, 0, where);
	talloc_free(tmp);
}

/* Stops the way from the other end to TO after each change. */
static void stop_everywhere(const struct undo *undo, const char *name, enum undo_when to)
{
	enum undo_when from = to == UNDO_NEW ? UNDO_OLD : UNDO_NEW;
	struct error err;
	bool done = false;

	for (long stop = 0; !done; stop += (long)testing_rounds(1, 7)) {
		TALLOC_CTX *tmp = talloc_new(NULL);
		char *where = talloc_asprintf(tmp, "%s, to the %s files, stopped after change %ld",
		                              name, words[to], stop);

		assert_in_range(stop, 0, 2000);
		undoing_disks(undo, from);
		syscalls_begin(stop);
		done = carrying_out(undo, to, 0, &err);
		assert_true(syscalls_end() == stop || done);
		if (!done && (err.kind != ERROR_DESTINATION || !err.text[0]))
			fail_msg("%s: error %d: %s", where, err.kind, err.text);
		try_state(undo, where);
		talloc_free(tmp);
	}
}

static void stopped_after_each_change(void **state)
{
	(void)state;
	points = refused_points = 0;
	for (size_t i = 0; i < carrying_count; i++) {
		TALLOC_CTX *tmp = talloc_new(NULL);
		struct undo *undo = carrying_plan(tmp, &carrying_rows[i], directory);

		stop_everywhere(undo, carrying_rows[i].name, UNDO_NEW);
		stop_everywhere(undo, carrying_rows[i].name, UNDO_OLD);
		talloc_free(tmp);
	}
	print_message("# %u states, %u of them with a hive that is refused\n", points,
	              refused_points);
	assert_true(refused_points > points / 8 && refused_points < points * 7 / 8);
}

/* --- the order of things --- */

/* Number of the last change to a path that ends so; -1 if there is none. */
static long last_change(const char *end)
{
	const struct syscall_made *list;
	size_t count, size = strlen(end);
	long found = -1;

	list = syscalls_list(&count);
	for (size_t i = 0; i < count; i++) {
		size_t length = strlen(list[i].path);

		if (list[i].kind != SYSCALL_SYNC && length >= size &&
		    strcmp(list[i].path + length - size, end) == 0)
			found = (long)i;
	}
	return found;
}

/* Nothing looks finished before all is, and what is written is durable. */
static void clusdb_is_the_last(void **state)
{
	const struct syscall_made *list;
	struct error err;
	size_t count;

	(void)state;
	for (size_t i = 0; i < carrying_count; i++) {
		TALLOC_CTX *tmp = talloc_new(NULL);
		struct undo *undo = carrying_plan(tmp, &carrying_rows[i], directory);

		undoing_disks(undo, UNDO_OLD);
		syscalls_begin(SYSCALLS_ALL);
		assert_true(carrying_out(undo, UNDO_NEW, 0, &err));
		syscalls_end();
		list = syscalls_list(&count);
		assert_int_equal(last_change("/CLUSDB"), count - 2);
		assert_int_equal(list[count - 2].kind, SYSCALL_WRITE);
		assert_int_equal(list[count - 2].offset, 0);
		assert_int_equal(list[count - 2].size, TARGET_SECTOR);
		assert_int_equal(list[count - 1].kind, SYSCALL_SYNC);
		talloc_free(tmp);
	}
}

/* A restore of files that keep their sizes changes no name and no size. */
static void only_data_is_written(void **state)
{
	TALLOC_CTX *tmp = talloc_new(NULL);
	struct undo *undo = carrying_plan(tmp, &carrying_rows[2], directory);
	const struct syscall_made *list;
	struct error err;
	size_t count;

	(void)state;
	undoing_disks(undo, UNDO_OLD);
	for (int to = UNDO_NEW; to >= (int)UNDO_OLD; to -= 2) {
		syscalls_begin(SYSCALLS_ALL);
		assert_true(carrying_out(undo, (enum undo_when)to, 0, &err));
		syscalls_end();
		list = syscalls_list(&count);
		for (size_t i = 0; i < count; i++)
			assert_true(list[i].kind == SYSCALL_WRITE || list[i].kind == SYSCALL_SYNC);
	}
	assert_null(undoing_differs(tmp, undo, UNDO_OLD));
	talloc_free(tmp);
}

/* A disk that loses a write and says nothing: what is called done is there, to the last byte. */
static void a_lost_write_is_found(void **state)
{
	TALLOC_CTX *tmp = talloc_new(NULL);
	struct undo *undo = carrying_plan(tmp, &carrying_rows[7], directory);
	unsigned found = 0;

	(void)state;
	for (int to = UNDO_NEW; to >= (int)UNDO_OLD; to -= 2) {
		long lost = 0, made = 1;

		for (; lost < made; lost++) {
			struct error err = { 0 };
			bool done;

			undoing_disks(undo, to == UNDO_NEW ? UNDO_OLD : UNDO_NEW);
			syscalls_begin(SYSCALLS_ALL);
			syscalls_lose(lost);
			done = carrying_out(undo, (enum undo_when)to, 0, &err);
			made = syscalls_end();
			if (done) {
				assert_null(undoing_differs(tmp, undo, (enum undo_when)to));
				continue;
			}
			found++;
			assert_int_equal(err.kind, ERROR_DESTINATION);
			assert_non_null(strstr(err.text, "read back"));
		}
		assert_true(made > 15);
	}
	assert_in_range(found, 6, 60);
	talloc_free(tmp);
}

static void the_steps_are_told(void *data, const char *step, const char *path)
{
	char **text = data;

	*text = talloc_asprintf_append(*text, "%s %s\n", step, strrchr(path, '/') + 1);
}

static void progress(void **state)
{
	TALLOC_CTX *tmp = talloc_new(NULL);
	struct undo *undo = carrying_plan(tmp, &carrying_rows[2], directory);
	char *text = talloc_strdup(tmp, "");
	struct carry_options options = { false, the_steps_are_told, &text };
	struct volume *volumes[UNDO_VOLUMES] = { 0 };
	struct carry *carry;
	struct error err;
	bool waits;

	(void)state;
	undoing_disks(undo, UNDO_OLD);
	volumes[UNDO_SYSTEM] = volume_open(tmp, undo->disks[UNDO_SYSTEM].path, &err);
	carry = carry_open(tmp, undo, volumes, problems_new(tmp), &err);
	assert_true(carry_out(carry, UNDO_NEW, &options, &waits, &err));
	assert_string_equal(text, "calm CLUSDB\nwrite CLUSDB\nerase CLUSDB.LOG2\n"
	                          "erase CLUSDB.LOG1\nmark CLUSDB\nwrite CLUSDB\nfinish CLUSDB\n"
	                          "compare CLUSDB\ncompare CLUSDB.LOG2\ncompare CLUSDB.LOG1\n");
	talloc_free(tmp);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		testing_unit(the_plans_have_everything), testing_unit(forward_and_back),
		testing_unit(stopped_after_each_change), testing_unit(clusdb_is_the_last),
		testing_unit(only_data_is_written),      testing_unit(progress),
		testing_unit(a_lost_write_is_found),
	};

	return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
