/*
 * Where no rename is safe: on a file system that says it is FUSE, which ntfs-3g is. The files at
 * their places are given new bytes there, and what an interruption leaves of them is told from what
 * somebody else did. Power cuts on the real one: test_replacement_powercut.sh.
 */
#include <dlfcn.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/vfs.h>

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

/* No log beside a torn hive. */
static void logs_go_first_and_come_last(void **state)
{
	(void)state;
	replacing.journal.step_count = 3;
	replacing_tells("write CLUSDB\nset-aside CLUSDB.LOG1\nset-aside CLUSDB.LOG2\n"
	                "put CLUSDB\ncompare CLUSDB\nput back CLUSDB\n"
	                "put back CLUSDB.LOG2\nput back CLUSDB.LOG1\n");
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

#define ZEROS(path, count)                                                                         \
	"head -c " #count " /dev/zero | dd of=" path " conv=notrunc 2>/dev/null; "
#define PIECE(from, to, skip, seek, count)                                                         \
	"dd if=" from " of=" to " bs=512 skip=" #skip " seek=" #seek " count=" #count              \
	" conv=notrunc 2>/dev/null; "
#define CHANGED "changed by somebody else"

static const struct replacing_state state_rows[] = {
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

static void each_state(void **state)
{
	replacing_states(state, state_rows, sizeof(state_rows) / sizeof(*state_rows));
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		replacing_unit(there_and_back),
		replacing_unit(replacing_back_from_anywhere),
		replacing_unit(logs_go_first_and_come_last),
		replacing_unit(other_names_keep_theirs),
		replacing_unit(each_state),
		replacing_unit(torn_both_ways),
		replacing_unit(remains_are_told),
		replacing_unit(nothing_remains),
		replacing_unit(replacing_memory),
	};

	return cmocka_run_group_tests(tests, testing_begin, testing_end);
}
