/*
 * restore_plan(), restore_check(), restore_run() and again_run() when each of their allocations
 * fails once: the error is want of memory, nothing leaks, and afterwards --resume and --rollback
 * reach their end.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "snapshot/backup.h"
#include "snapshot/restore/again.h"
#include "snapshot/restore/restore.h"
#include "tests/allocfail.h"
#include "tests/small_node.h"
#include "tests/syscalls.h"
#include "tests/testing.h"

#define FILES 4u
#define INTERRUPTED 12 /* changes after which a restore stops between its ends */

static const char *const names[FILES] = { "CLUSDB", "CLUSDB.LOG1", "CLUSDB.LOG2", "CLUSDB.blf" };

static char *directory;
static char *force[] = { (char *)(uintptr_t) "undo-not-durable", NULL };
static struct image *old[FILES]; /* of the small node's Cluster directory */

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

/* A disk of two generations back in all its parts, and a small one whose ClusDb is dirty. */
static int make_disks(void **state)
{
	TALLOC_CTX *tmp = talloc_new(NULL);
	struct small_node node = small_node_new(tmp);
	struct error err;

	if (access("/dev/shm", W_OK) == 0)
		setenv("TMPDIR", "/dev/shm", 0); /* memory: a disk waits for each fsync */
	directory = testing_directory();
	make_snapshot("testdata/node-2003", "testdata/quorum-2003", "snapshot");
	shell("cp -r testdata/%s %s", "node-2003");
	shell("cp -r testdata/%s %s", "quorum-2003");
	shell("cd %2$s && truncate -s 9000 %1$s/CLUSDB", "node-2003/WINNT/Cluster");
	shell("cd %2$s && rm -r %1$s*", "quorum-2003/MSCS/ca7d4543-");
	shell("cd %2$s && cp %1$s/00000001.CPT snapshot", "snapshot/2e9ca17f-*");
	shell("cd %2$s && mv snapshot/00000001.CPT %1$s/00000002.CPT",
	      "quorum-2003/MSCS/2e9ca17f-*");
	assert_int_equal(mkdir(inside("node"), 0700), 0);
	small_node_write(&node, inside("node"));
	make_snapshot(inside("node"), NULL, "small");
	small_node_dirty(&node, inside("node"));
	talloc_free(tmp);
	for (unsigned i = 0; i < FILES; i++) {
		int fd = open(inside("node/Windows/Cluster"), O_RDONLY | O_CLOEXEC);

		old[i] = image_read(NULL, fd, names[i], &err);
		assert_non_null(old[i]);
		close(fd);
	}
	return testing_begin(state);
}

static int remove_disks(void **state)
{
	for (unsigned i = 0; i < FILES; i++)
		TALLOC_FREE(old[i]);
	syscalls_forget();
	testing_remove(directory);
	return testing_end(state);
}

/* --- planning --- */

/* Everything at once, on two disks. */
static bool plan(void *data, struct error *err)
{
	char snapshot[512], target[512], quorum[512];
	struct restore_options options = {
		.request = { .source = snapshot,
		             .authoritative = true,
		             .checkpoints = true,
		             .force = force },
		.target = target,
		.quorum = quorum,
	};
	TALLOC_CTX *tmp = talloc_new(NULL);
	uint32_t *files = data;
	struct restore restore;
	bool done;

	snprintf(snapshot, sizeof(snapshot), "%s", inside("snapshot"));
	snprintf(target, sizeof(target), "%s", inside("node-2003"));
	snprintf(quorum, sizeof(quorum), "%s", inside("quorum-2003"));
	if (!tmp)
		return error_memory(err);
	done = restore_plan(tmp, &options, &restore, err) && restore_check(&restore, err);
	if (done && *files) /* as without any failure */
		assert_int_equal(restore.undo.count, *files);
	if (done)
		*files = restore.undo.count;
	talloc_free(tmp);
	return done;
}

static void planning_runs_out_of_memory(void **state)
{
	uint32_t files = 0;
	struct error err;
	int points;

	(void)state;
	if (!plan(&files, &err))
		fail_msg("%s", err.text);
	assert_in_range(files, 5, 20);
	points = allocfail_run(plan, &files, ALLOCFAIL_SPARSER);
	print_message("# %d failures\n", points);
	assert_in_range(points, 200, 100000);
}

/* --- the small node --- */

static void old_state(void)
{
	for (unsigned i = 0; i < FILES; i++)
		testing_write(inside("node/Windows/Cluster"), names[i], old[i]->bytes.data,
		              old[i]->bytes.size);
	testing_remove(strdup(inside("undo")));
}

static bool is_old(void)
{
	int fd = open(inside("node/Windows/Cluster"), O_RDONLY | O_CLOEXEC);
	bool same = true;
	struct error err;

	for (unsigned i = 0; i < FILES; i++) {
		struct image *image = image_read(NULL, fd, names[i], &err);

		same = same && image && bytes_equal(image->bytes, old[i]->bytes);
		talloc_free(image);
	}
	close(fd);
	return same;
}

struct paths {
	char snapshot[512], target[512], undo[512];
};

static struct restore_options options_of(struct paths *paths)
{
	snprintf(paths->snapshot, sizeof(paths->snapshot), "%s", inside("small"));
	snprintf(paths->target, sizeof(paths->target), "%s", inside("node"));
	snprintf(paths->undo, sizeof(paths->undo), "%s", inside("undo"));
	return (struct restore_options){ .request = { .source = paths->snapshot, .force = force },
		                         .target = paths->target,
		                         .undo = paths->undo };
}

static uint32_t left_to_do(const struct restore_options *options)
{
	TALLOC_CTX *tmp = talloc_new(NULL);
	struct restore restore;
	struct error err;
	uint32_t count;

	if (!restore_plan(tmp, options, &restore, &err))
		fail_msg("%s", err.text);
	count = restore.undo.count;
	talloc_free(tmp);
	return count;
}

/* After a failure: forward, or back, and then it is as it has to be. */
static void heal(const struct restore_options *options, const char *undo, enum again what)
{
	TALLOC_CTX *tmp = talloc_new(NULL);
	struct restore restore;
	enum carry_state before;
	struct error err;

	if (undo && !again_run(tmp, options, undo, what, &restore, &before, &err))
		fail_msg("%s", err.text);
	talloc_free(tmp);
	if (what != AGAIN_RESUME || !undo)
		assert_true(is_old());
	else
		assert_int_equal(left_to_do(options), 0);
}

/* A restore of which only so many changes are made; the path of its undo directory, on CTX. */
static char *begun(TALLOC_CTX *ctx, const struct restore_options *options, long changes)
{
	TALLOC_CTX *tmp = talloc_new(NULL);
	struct restore restore;
	struct error err;
	char *path;

	if (!restore_plan(tmp, options, &restore, &err))
		fail_msg("%s", err.text);
	assert_int_equal(restore.undo.count, 4);
	syscalls_begin(changes);
	assert_int_equal(restore_run(&restore, &err), changes == SYSCALLS_ALL);
	syscalls_end();
	path = talloc_strdup(ctx, restore.undo.path);
	talloc_free(tmp);
	return path;
}

/* Changes that making the undo directory takes; those to the disk come behind them. */
static long made_first;

static bool restore_body(void *data, struct error *err)
{
	struct paths paths;
	struct restore_options options;
	bool *back = data, done;
	struct restore restore;
	TALLOC_CTX *tmp;
	char *path;

	allocfail_pause();
	old_state();
	options = options_of(&paths);
	tmp = talloc_new(NULL);
	if (!restore_plan(tmp, &options, &restore, err))
		fail_msg("%s", err->text);
	allocfail_resume();
	done = restore_run(&restore, err);
	allocfail_pause();
	path = talloc_strdup(NULL, restore.undo.path);
	talloc_free(tmp); /* the lock, too */
	if (done)
		assert_int_equal(left_to_do(&options), 0);
	else
		heal(&options, path, *back ? AGAIN_UNDO : AGAIN_RESUME);
	talloc_free(path);
	*back = !*back;
	allocfail_resume();
	return done;
}

static void carrying_out_runs_out_of_memory(void **state)
{
	bool back = false;
	int points;

	(void)state;
	points = allocfail_run(restore_body, &back, ALLOCFAIL_SPARSE);
	print_message("# %d failures\n", points);
	assert_in_range(points, 50, 100000);
}

static bool again_body(void *data, struct error *err)
{
	const enum again what = *(enum again *)data;
	struct paths paths;
	struct restore_options options;
	struct restore restore;
	enum carry_state before = CARRY_OLD;
	TALLOC_CTX *tmp;
	char *path;
	bool done;

	allocfail_pause();
	old_state();
	options = options_of(&paths);
	path = begun(NULL, &options, what == AGAIN_UNDO ? SYSCALLS_ALL : made_first + INTERRUPTED);
	tmp = talloc_new(NULL);
	allocfail_resume();
	done = again_run(tmp, &options, path, what, &restore, &before, err);
	allocfail_pause();
	talloc_free(tmp); /* the lock, too */
	if (done)
		assert_int_equal(before, what == AGAIN_UNDO ? CARRY_NEW : CARRY_BETWEEN);
	if (done && what == AGAIN_RESUME)
		assert_int_equal(left_to_do(&options), 0);
	if (done && what != AGAIN_RESUME)
		assert_true(is_old());
	if (!done) {
		heal(&options, path, AGAIN_RESUME);
		heal(&options, path, AGAIN_UNDO);
	}
	talloc_free(path);
	allocfail_resume();
	return done;
}

static void going_on_runs_out_of_memory(void **state)
{
	static const enum again all[] = { AGAIN_UNDO, AGAIN_RESUME, AGAIN_ROLLBACK };
	TALLOC_CTX *tmp = talloc_new(NULL);
	struct paths paths;
	struct restore_options options = options_of(&paths);
	const struct syscall_made *list;
	size_t count;

	(void)state;
	old_state();
	begun(tmp, &options, SYSCALLS_ALL);
	list = syscalls_list(&count);
	for (made_first = 0;
	     strncmp(list[made_first].path, paths.target, strlen(paths.target)) != 0;)
		made_first++;
	assert_true((size_t)made_first + INTERRUPTED < count);
	for (uint64_t i = 0; i < testing_rounds(3, 1); i++) {
		enum again what = all[i];
		int points = allocfail_run(again_body, &what, ALLOCFAIL_SPARSE);

		print_message("# %d failures\n", points);
		assert_in_range(points, 50, 100000);
	}
	talloc_free(tmp);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		testing_unit(planning_runs_out_of_memory),
		testing_unit(carrying_out_runs_out_of_memory),
		testing_unit(going_on_runs_out_of_memory),
	};

	return cmocka_run_group_tests(tests, make_disks, remove_disks);
}
