/*
 * Where no rename is safe: on a file system that says it is FUSE, which ntfs-3g is. The files at
 * their places are given new bytes there, and what an interruption leaves of them is told from what
 * somebody else did. Power cuts on the real one: test_replacement_powercut.sh.
 */
#include <dlfcn.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "tests/allocfail.h"
#include "tests/replacing.h"

#define A ASIDE "/"
#define NEW_CPT GUID_A "/00000001.CPT"

/* In place of libc's: it tells the truth but for the kind. */
int fstatfs(int fd, struct statfs *fs)
{
	static int (*real)(int, struct statfs *);

	if (!real)
		*(void **)&real = dlsym(RTLD_NEXT, "fstatfs");
	if (real(fd, fs) != 0)
		return -1;
	fs->f_type = FUSE_SUPER_MAGIC;
	return 0;
}

static uint64_t inode_of(const char *path)
{
	struct stat st;

	assert_int_equal(lstat(path, &st), 0);
	return st.st_ino;
}

static void there_and_back(void **state)
{
	uint64_t before = inode_of(CLUSDB);
	struct replacement *r = replacing_new();

	(void)state;
	assert_done(replacing_prepare(r));
	replacing_text(NEW, "new", "CLUSDB", 100000);
	replacing_text(A "CLUSDB", "old", "CLUSDB", 90000);
	replacing_text(CLUSDB, "old", "CLUSDB", 90000);
	replacing_mode(A "CLUSDB", 0640);
	assert_done(replacing_forward(r));
	assert_done(replacing_forward(r));
	replacing_new_state();
	replacing_mode(CLUSDB, 0640);
	assert_int_equal(inode_of(CLUSDB), before);
	assert_done(replacing_finish(r));
	assert_done(replacing_finish(r));
	replacing_new_state();
	assert_done(replacing_back(r));
	replacing_as_before();
	assert_int_equal(inode_of(CLUSDB), before);
	assert_done(replacing_back(r));
	replacing_as_before();
}

static char told[4000];

static void tell(void *data, const char *step, const char *path)
{
	assert_ptr_equal(data, told);
	snprintf(told + strlen(told), sizeof(told) - strlen(told), "%s %s\n", step,
	         strrchr(path, '/') + 1);
}

/* No log beside a torn hive. */
static void logs_go_first_and_come_last(void **state)
{
	struct replacement *r;

	(void)state;
	replacing.journal.step_count = 3;
	r = replacing_new();
	told[0] = '\0';
	assert_done(replacement_prepare(r, replacing.contents, tell, told, &replacing.err));
	assert_done(replacement_forward(r, tell, told, &replacing.err));
	assert_done(replacement_back(r, tell, told, &replacing.err));
	assert_string_equal(told, "write CLUSDB\nset-aside CLUSDB.LOG1\nset-aside CLUSDB.LOG2\n"
	                          "put CLUSDB\ncompare CLUSDB\nput back CLUSDB\n"
	                          "put back CLUSDB.LOG2\nput back CLUSDB.LOG1\n");
	replacing_as_before();
}

static void back_from_anywhere(void **state)
{
	(void)state;
	for (int calls = 0; calls <= 3; calls++) {
		struct replacement *r = replacing_new();

		assert_done(calls < 1 || replacing_prepare(r));
		assert_done(calls < 2 || replacing_forward(r));
		assert_done(calls < 3 || replacing_finish(r));
		assert_done(replacing_back(r));
		replacing_as_before();
		talloc_free(r);
	}
}

/* Another name of the file keeps the old bytes: it is renamed then, as elsewhere. */
static void other_names_keep_theirs(void **state)
{
	struct replacement *r;

	(void)state;
	replacing_run("ln " CLUSDB " s/kept");
	r = replacing_new();
	assert_done(replacing_prepare(r) && replacing_forward(r));
	replacing_text("s/kept", "old", "CLUSDB", 90000);
	replacing_new_state();
	assert_done(replacing_back(r));
	replacing_run("rm s/kept");
	replacing_as_before();
}

/* --- what an interruption leaves, and what it cannot leave --- */

struct state_row {
	const char *made; /* by a shell, behind a finished prepare */
	enum error_kind forward, back;
	const char *said;
};

#define ZEROS(path, count)                                                                         \
	"head -c " #count " /dev/zero | dd of=" path " conv=notrunc 2>/dev/null; "
#define PIECE(from, to, skip, seek, count)                                                         \
	"dd if=" from " of=" to " bs=512 skip=" #skip " seek=" #seek " count=" #count              \
	" conv=notrunc 2>/dev/null; "
#define CHANGED "changed by somebody else"

static const struct state_row state_rows[] = {
	/* one after the other, as publish_step_fill() does it */
	{ ZEROS(CLUSDB, 4096), ERROR_NONE, ERROR_NONE, NULL },
	{ ZEROS(CLUSDB, 1024), ERROR_NONE, ERROR_NONE, NULL },
	{ ZEROS(CLUSDB, 4096) "truncate -s 65536 " CLUSDB, ERROR_NONE, ERROR_NONE, NULL },
	{ ZEROS(CLUSDB, 4096) "truncate -s 65536 " CLUSDB "; truncate -s 100000 " CLUSDB,
	  ERROR_NONE, ERROR_NONE, NULL },
	{ ZEROS(CLUSDB, 4096) "truncate -s 100000 " CLUSDB, ERROR_NONE, ERROR_NONE, NULL },
	{ ZEROS(CLUSDB, 4096) PIECE(NEW, CLUSDB, 8, 8, 100), ERROR_NONE, ERROR_NONE, NULL },
	{ ZEROS(CLUSDB, 4096) PIECE(NEW, CLUSDB, 150, 150, 100), ERROR_NONE, ERROR_NONE, NULL },
	{ "cp " NEW " " CLUSDB "; " ZEROS(CLUSDB, 4096), ERROR_NONE, ERROR_NONE, NULL },
	{ "cp " NEW " " CLUSDB "; " ZEROS(CLUSDB, 512), ERROR_NONE, ERROR_NONE, NULL },
	{ "cp " NEW " " CLUSDB, ERROR_NONE, ERROR_NONE, NULL },
	{ "cp " NEW " " CLUSDB "; rm " NEW, ERROR_NONE, ERROR_NONE, NULL },
	{ ": >" CLUSDB, ERROR_NONE, ERROR_NONE, NULL },
	{ "rm " CLUSDB, ERROR_NONE, ERROR_NONE, NULL },
	{ "mv " LOG1 " " A "CLUSDB.LOG1; : >" LOG1, ERROR_NONE, ERROR_NONE, NULL },
	{ "mv " LOG1 " " A "CLUSDB.LOG1; truncate -s 3000 " LOG1, ERROR_NONE, ERROR_NONE, NULL },
	{ "mv " LOG1 " " A "CLUSDB.LOG1; truncate -s 3000 " LOG1
	  "; " PIECE(A "CLUSDB.LOG1", LOG1, 2, 2, 1),
	  ERROR_NONE, ERROR_NONE, NULL },
	{ ": >" NEW_CPT, ERROR_NONE, ERROR_NONE, NULL },
	{ "truncate -s 5000 " NEW_CPT, ERROR_NONE, ERROR_NONE, NULL },
	/* (3) was not finished */
	{ "rm " A "CLUSDB", ERROR_BAD_NEWS, ERROR_NONE, "not there whole" },
	{ "truncate -s -1 " A "CLUSDB", ERROR_BAD_NEWS, ERROR_NONE, "not there whole" },
	{ "rm " NEW, ERROR_BAD_NEWS, ERROR_NONE, "not there whole" },
	/* somebody else was here */
	{ "printf x | dd of=" CLUSDB " conv=notrunc 2>/dev/null", ERROR_REFUSED, ERROR_REFUSED,
	  CHANGED },
	{ ZEROS(CLUSDB, 4096) "printf x | dd of=" CLUSDB
	                      " bs=1 seek=70000 conv=notrunc 2>/dev/null",
	  ERROR_REFUSED, ERROR_REFUSED, CHANGED },
	{ ZEROS(CLUSDB, 4096) "truncate -s 100001 " CLUSDB, ERROR_REFUSED, ERROR_REFUSED, CHANGED },
	{ PIECE(NEW, CLUSDB, 9, 8, 1), ERROR_REFUSED, ERROR_REFUSED, CHANGED },
	{ "cp " NEW " " CLUSDB "; truncate -s 99999 " CLUSDB "; echo >>" CLUSDB, ERROR_REFUSED,
	  ERROR_REFUSED, CHANGED },
	{ ZEROS(CLUSDB, 4096) "rm " NEW, ERROR_REFUSED, ERROR_REFUSED, CHANGED },
	{ ZEROS(CLUSDB, 4096) "rm " A "CLUSDB", ERROR_REFUSED, ERROR_REFUSED, CHANGED },
	{ "rm " CLUSDB "; mkdir " CLUSDB, ERROR_REFUSED, ERROR_REFUSED, CHANGED },
	{ ": >" LOG1, ERROR_REFUSED, ERROR_REFUSED, "LOG1: was " CHANGED },
	{ "echo x >" NEW_CPT, ERROR_REFUSED, ERROR_REFUSED, CHANGED },
};

static void try(const struct state_row *row, bool go_back)
{
	enum error_kind kind = go_back ? row->back : row->forward;
	struct replacement *r = replacing_new();
	static char made[20000], after[20000];
	bool done;

	assert_done(replacing_prepare(r));
	replacing_run(row->made);
	replacing_describe(made, sizeof(made));
	done = go_back ? replacing_back(r) : replacing_forward(r) && replacing_finish(r);
	if (kind == ERROR_NONE) {
		if (!done)
			fail_msg("%s: %s", row->made, replacing.err.text);
		go_back ? replacing_as_before() : replacing_new_state();
	} else {
		if (done)
			fail_msg("%s: accepted", row->made);
		if (replacing.err.kind != kind ||
		    (!go_back && !strstr(replacing.err.text, row->said)))
			fail_msg("%s: kind %d: %s", row->made, replacing.err.kind,
			         replacing.err.text);
		replacing_describe(after, sizeof(after));
		assert_string_equal(after, made);
	}
	talloc_free(r);
}

static void each_state(void **state)
{
	for (unsigned i = 0; i < sizeof(state_rows) / sizeof(*state_rows); i++) {
		for (int go_back = 0; go_back < 2; go_back++) {
			try(&state_rows[i], go_back);
			replacing_teardown(state);
			replacing_setup(state);
		}
	}
}

/* Forward after a way back that was interrupted, and back again: every file is torn at once. */
static void torn_both_ways(void **state)
{
	struct replacement *r = replacing_new();

	(void)state;
	assert_done(replacing_prepare(r) && replacing_forward(r));
	replacing_run("cp " CLUSDB " " NEW "; " ZEROS(CLUSDB, 4096) "truncate -s 65536 " CLUSDB
	                                                            "; truncate -s 3000 " LOG1);
	assert_done(replacing_forward(r));
	replacing_new_state();
	replacing_run("cp " CLUSDB " " NEW "; : >" CLUSDB "; : >" LOG1);
	assert_done(replacing_back(r));
	replacing_as_before();
}

/* --- what is left, and told --- */

static bool warned(const struct problems *warnings, const char *path)
{
	for (uint32_t i = 0; i < warnings->count; i++) {
		if (strstr(warnings->list[i].text, path))
			return true;
	}
	return false;
}

/* As after a power cut: a name that cannot be removed is a directory with something in it here. */
static void remains_are_told(void **state)
{
	struct problems *warnings = problems_new(replacing.ctx);
	struct replacement *r = replacing_new();
	struct journal found;
	bool any = true;

	(void)state;
	assert_done(replacing_prepare(r) && replacing_forward(r));
	replacing_run("mkdir -p " A "list.json/x " A "2-CLUSDB.LOG1.clusnap-new/x");
	assert_done(replacing_finish(r));
	replacement_remains(r, false, warnings);
	assert_int_equal(warnings->count, 2);
	assert_string_equal(warnings->list[0].code, "chkdsk-needed");
	assert_true(warned(warnings, A "list.json: is left"));
	assert_true(warned(warnings, A "2-CLUSDB.LOG1.clusnap-new: is left"));
	assert_true(replacing_there(A "list.json.clusnap-other"));
	assert_done(replacement_find(replacing.ctx, replacing.disks[0], "Windows/Cluster", &found,
	                             &any, &replacing.err));
	assert_false(any);
}

static void nothing_remains(void **state)
{
	struct problems *warnings = problems_new(replacing.ctx);
	struct replacement *r = replacing_new();

	(void)state;
	assert_done(replacing_prepare(r) && replacing_forward(r) && replacing_finish(r));
	replacement_remains(r, false, warnings);
	assert_int_equal(warnings->count, 0);
	assert_done(replacing_back(r));
	replacement_remains(r, true, warnings);
	assert_int_equal(warnings->count, 0);
	replacing_as_before();
}

/* --- no memory --- */

static bool all_of_it(void *data, struct error *error)
{
	struct replacement *r = replacement_new(NULL, replacing.disks, &replacing.journal, error);
	bool done;

	(void)data;
	done = r && replacement_prepare(r, replacing.contents, NULL, NULL, error) &&
	       replacement_forward(r, NULL, NULL, error) && replacement_finish(r, error) &&
	       replacement_back(r, NULL, NULL, error);
	talloc_free(r);
	allocfail_pause();
	r = replacing_new();
	assert_done(replacing_back(r));
	talloc_free(r);
	if (!replacing_there(CLUSDB) || replacing_there(NEW) || replacing_there(ASIDE))
		fail_msg("not as it was: %s", error->text);
	allocfail_resume();
	return done;
}

static void memory_runs_out(void **state)
{
	int points;

	(void)state;
	planning_journal(replacing.ctx, replacing.disks, planning_all, 2, &replacing.journal,
	                 &replacing.contents);
	points = allocfail_run(all_of_it, NULL, ALLOCFAIL_SPARSE);
	print_message("# %d failures\n", points);
	assert_in_range(points, 100, 100000);
	replacing_as_before();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		replacing_unit(there_and_back),
		replacing_unit(back_from_anywhere),
		replacing_unit(logs_go_first_and_come_last),
		replacing_unit(other_names_keep_theirs),
		replacing_unit(each_state),
		replacing_unit(torn_both_ways),
		replacing_unit(remains_are_told),
		replacing_unit(nothing_remains),
		replacing_unit(memory_runs_out),
	};

	/* what a disk takes for an fsync is no matter here */
	if (access("/dev/shm", W_OK) == 0)
		setenv("TMPDIR", "/dev/shm", 0);
	return cmocka_run_group_tests(tests, testing_begin, testing_end);
}
