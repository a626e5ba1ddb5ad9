/*
 * restore_plan() and restore_run() when each of their allocations fails once: the error is want of
 * memory, nothing leaks, and afterwards the disk is whole, or --resume and --rollback reach
 * their end.
 */
#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "snapshot/backup.h"
#include "snapshot/restore/restore.h"
#include "tests/allocfail.h"
#include "tests/testing.h"

#define CLUSTER "Windows/Cluster"

static char *directory;

static char *inside(const char *name)
{
	static char path[512];

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	return path;
}

static void shell(const char *format, const char *what)
{
	char command[1024];

	snprintf(command, sizeof(command), format, what, directory);
	assert_int_equal(system(command), 0);
}

static void make_snapshot(const char *system, const char *quorum, const char *name)
{
	char *systems[] = { (char *)(uintptr_t)system, NULL };
	char destination[512];
	struct backup_options options = { .collect = { .systems = systems, .quorum = quorum },
		                          .destination = destination };
	struct collection collection;
	struct verdict verdict;
	TALLOC_CTX *tmp = talloc_new(NULL);
	struct error err;

	snprintf(destination, sizeof(destination), "%s/%s", directory, name);
	if (!backup(tmp, &options, &collection, &verdict, &err))
		fail_msg("%s", err.text);
	talloc_free(tmp);
}

static int make_disks(void **state)
{
	if (access("/dev/shm", W_OK) == 0)
		setenv("TMPDIR", "/dev/shm", 0); /* memory: a disk waits for each fsync */
	directory = testing_directory();
	make_snapshot("testdata/node-2003", "testdata/quorum-2003", "snapshot");
	make_snapshot("testdata/node-2019", NULL, "snapshot19");
	for (const char *const *disk =
	             (const char *const[]){ "node-2003", "quorum-2003", "node-2019", NULL };
	     *disk; disk++)
		shell("cp -r testdata/%s %s", *disk);
	shell("cd %2$s && truncate -s 9000 %1$s/CLUSDB", "node-2003/WINNT/Cluster");
	shell("cd %2$s && rm -r %1$s*", "quorum-2003/MSCS/ca7d4543-");
	shell("cd %2$s && cp %1$s/00000001.CPT snapshot", "snapshot/2e9ca17f-*");
	shell("cd %2$s && mv snapshot/00000001.CPT %1$s/00000002.CPT",
	      "quorum-2003/MSCS/2e9ca17f-*");
	return testing_begin(state);
}

static int remove_disks(void **state)
{
	testing_remove(directory);
	return testing_end(state);
}

/* Everything at once, on two disks. */
static bool plan(void *data, struct error *err)
{
	char snapshot[512], target[512], quorum[512];
	struct restore_options options = {
		.request = { .source = snapshot, .authoritative = true, .checkpoints = true },
		.target = target,
		.quorum = quorum,
	};
	TALLOC_CTX *tmp = talloc_new(NULL);
	uint32_t *steps = data;
	struct restore restore;
	bool done;

	snprintf(snapshot, sizeof(snapshot), "%s", inside("snapshot"));
	snprintf(target, sizeof(target), "%s", inside("node-2003"));
	snprintf(quorum, sizeof(quorum), "%s", inside("quorum-2003"));
	if (!tmp)
		return error_memory(err);
	done = restore_plan(tmp, &options, &restore, err) && restore_check(&restore, err);
	if (done && *steps) /* as without any failure */
		assert_int_equal(restore.journal.step_count, *steps);
	if (done)
		*steps = restore.journal.step_count;
	talloc_free(tmp);
	return done;
}

static void planning_runs_out_of_memory(void **state)
{
	uint32_t steps = 0;
	struct error err;
	int points;

	(void)state;
	if (!plan(&steps, &err))
		fail_msg("%s", err.text);
	assert_in_range(steps, 5, 20);
	points = allocfail_run(plan, &steps, ALLOCFAIL_SPARSE);
	print_message("# %d failures\n", points);
	assert_in_range(points, 200, 100000);
}

/* --- carrying it out --- */

static void remove_asides(void)
{
	DIR *dir = opendir(inside("node-2019/" CLUSTER));
	const struct dirent *entry;
	char path[800];

	assert_non_null(dir);
	while ((entry = readdir(dir)) != NULL) {
		snprintf(path, sizeof(path), "%s/%s", inside("node-2019/" CLUSTER), entry->d_name);
		if (strncmp(entry->d_name, "clusnap-", 8) == 0)
			testing_remove(strdup(path));
	}
	closedir(dir);
}

static void old_state(void)
{
	static const char zeros[9000];

	remove_asides();
	testing_write(inside("node-2019/" CLUSTER), "CLUSDB", zeros, sizeof(zeros));
	testing_write(inside("node-2019/" CLUSTER), "CLUSDB.LOG1", "old log", 7);
}

/* After a failure: forward if there is a journal, and in the end the new database either way. */
static void heal(const struct restore_options *options, bool back)
{
	TALLOC_CTX *tmp = talloc_new(NULL);
	struct restore restore = { 0 };
	struct error err = { 0 };
	bool found = false;

	if (!(back ? restore_rollback : restore_resume)(tmp, options, &restore, &found, &err))
		fail_msg("%s", err.text);
	talloc_free(tmp);
	tmp = talloc_new(NULL);
	if (!restore_plan(tmp, options, &restore, &err))
		fail_msg("%s", err.text);
	if (back || !found) /* as before: the same is to be done once more */
		assert_int_equal(restore.journal.step_count, 2);
	else
		assert_int_equal(restore.journal.step_count, 0);
	talloc_free(tmp);
}

static bool carry_out(void *data, struct error *err)
{
	char snapshot[512], target[512];
	struct restore_options options = { .request = { .source = snapshot }, .target = target };
	bool *back = data, done;
	struct restore restore;
	TALLOC_CTX *tmp;

	allocfail_pause();
	snprintf(snapshot, sizeof(snapshot), "%s", inside("snapshot19"));
	snprintf(target, sizeof(target), "%s", inside("node-2019"));
	old_state();
	tmp = talloc_new(NULL);
	if (!restore_plan(tmp, &options, &restore, err))
		fail_msg("%s", err->text);
	assert_int_equal(restore.journal.step_count, 2);
	allocfail_resume();
	done = restore_run(&restore, err);
	allocfail_pause();
	talloc_free(tmp);
	if (!done)
		heal(&options, *back);
	*back = !*back;
	allocfail_resume();
	return done;
}

static void carrying_out_runs_out_of_memory(void **state)
{
	bool back = false;
	int points;

	(void)state;
	testing_remove(strdup(inside("node-2019/" CLUSTER "/CLUSDB.LOG1")));
	unlink(inside("node-2019/" CLUSTER "/CLUSDB.LOG2"));
	points = allocfail_run(carry_out, &back, ALLOCFAIL_SPARSE);
	print_message("# %d failures\n", points);
	assert_in_range(points, 50, 100000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		testing_unit(planning_runs_out_of_memory),
		testing_unit(carrying_out_runs_out_of_memory),
	};

	return cmocka_run_group_tests(tests, make_disks, remove_disks);
}
