/*
 * Restores carried out, put back, interrupted and disturbed, on plain directories. Kills and
 * failing system calls: test_replacement_crash.sh; power cuts on NTFS:
 * test_replacement_powercut.sh.
 */
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/replacing.h"

/* --- all goes well --- */

static void forward_to_the_end(void **state)
{
	struct replacement *r = replacing_new();

	(void)state;
	assert_done(replacing_prepare(r));
	replacing_text(CLUSDB, "old", "CLUSDB", 90000);
	replacing_text(NEW, "new", "CLUSDB", 100000);
	assert_true(replacing_there(ASIDE "/journal.json"));
	assert_done(replacing_forward(r));
	assert_done(replacing_finish(r));
	replacing_new_state();
	assert_true(replacing_there(ASIDE "/list.json"));
	assert_false(replacing_there(ASIDE "/journal.json"));
	replacing_mode(CLUSDB, 0640);
	replacing_mode(ASIDE "/CLUSDB", 0640);
	replacing_mode(ASIDE, 0700);
	replacing_mode(ASIDE "/list.json", 0600);
	replacing_mode(GUID_A, 0700);
	replacing_mode(GUID_A "/00000001.CPT", 0600);
}

static void forward_and_finish_again(void **state)
{
	struct replacement *r = replacing_new();

	(void)state;
	assert_done(replacing_prepare(r));
	for (int i = 0; i < 3; i++) {
		assert_done(replacing_forward(r));
		assert_done(replacing_forward(r));
		replacing_new_state();
		assert_done(replacing_finish(r));
		assert_done(replacing_finish(r));
		replacing_new_state();
	}
	replacing_failed(replacing_prepare(r), ERROR_DESTINATION, "is there already");
	replacing_new_state();
}

/* From each point where a program can end between two calls. */

/* All but the mode and the time of access. */
static void owner_is_kept(void **state)
{
	struct replacement *r;
	struct stat st;

	(void)state;
	if (chown(CLUSDB, 12345, 23456) != 0) {
		testing_skipped("not root");
		return;
	}
	r = replacing_new();
	assert_done(replacing_prepare(r) && replacing_forward(r));
	assert_int_equal(stat(CLUSDB, &st), 0);
	assert_int_equal(st.st_uid, 12345);
	assert_int_equal(st.st_gid, 23456);
	assert_done(replacing_back(r));
	assert_int_equal(stat(CLUSDB, &st), 0);
	assert_int_equal(st.st_uid, 12345);
	assert_int_equal(st.st_gid, 23456);
}

static void steps_are_told_in_their_order(void **state)
{
	(void)state;
	replacing.journal.step_count = 3;
	replacing_tells("write CLUSDB\nput CLUSDB\nset-aside CLUSDB.LOG1\n"
	                "set-aside CLUSDB.LOG2\ncompare CLUSDB\nput back CLUSDB.LOG2\n"
	                "put back CLUSDB.LOG1\nput back CLUSDB\n");
}

/* --- what a crash can leave, and more --- */

#define A ASIDE "/"

static const struct replacing_state state_rows[] = {
	/* between two renames; both at once where the file system cannot do better */
	{ "mv " CLUSDB " " A "CLUSDB", ERROR_NONE, ERROR_NONE, NULL },
	{ "mv " CLUSDB " x; mv " NEW " " CLUSDB "; mv x " NEW, ERROR_NONE, ERROR_NONE, NULL },
	{ "mv " CLUSDB " " A "CLUSDB; mv " NEW " " CLUSDB, ERROR_NONE, ERROR_NONE, NULL },
	{ "cp -a " CLUSDB " " A "; ln -f " NEW " " CLUSDB, ERROR_NONE, ERROR_NONE, NULL },
	{ "cp -a " CLUSDB " " A "; cp " NEW " " CLUSDB, ERROR_NONE, ERROR_NONE, NULL },
	{ "cp -a " CLUSDB " " A, ERROR_NONE, ERROR_NONE, NULL },
	{ "ln " CLUSDB " " A "CLUSDB", ERROR_NONE, ERROR_NONE, NULL },
	{ "mv " CLUSDB " " A "1-CLUSDB.clusnap-other", ERROR_NONE, ERROR_NONE, NULL },
	{ "ln " LOG1 " " A "CLUSDB.LOG1", ERROR_NONE, ERROR_NONE, NULL },
	{ "cp " LOG1 " " A "CLUSDB.LOG1", ERROR_NONE, ERROR_NONE, NULL },
	{ "mv " LOG1 " " A "CLUSDB.LOG1", ERROR_NONE, ERROR_NONE, NULL },
	{ "mv " LOG1 " " A "2-CLUSDB.LOG1.clusnap-new", ERROR_NONE, ERROR_NONE, NULL },
	{ "ln " LOG1 " " A "2-CLUSDB.LOG1.clusnap-other", ERROR_NONE, ERROR_NONE, NULL },
	{ "mkdir -p " GUID_A "; mv q/MSCS/" PLANNING_ASIDE "/9-* " GUID_A "/00000001.CPT",
	  ERROR_NONE, ERROR_NONE, NULL },
	/* the end of the journal */
	{ "ln " A "journal.json " A "list.json", ERROR_NONE, ERROR_NONE, NULL },
	{ "cp " A "journal.json " A "list.json", ERROR_NONE, ERROR_NONE, NULL },
	{ "echo x >" A "list.json", ERROR_NONE, ERROR_NONE, NULL },
	{ "truncate -s 0 " A "list.json", ERROR_NONE, ERROR_NONE, NULL },
	/* not all of (1) to (3) was done, or some of it is undone */
	{ "rm " NEW, ERROR_BAD_NEWS, ERROR_NONE, "not there whole" },
	{ "truncate -s -1 " NEW, ERROR_BAD_NEWS, ERROR_NONE, "not there whole" },
	{ "printf x | dd of=" NEW " conv=notrunc 2>/dev/null", ERROR_BAD_NEWS, ERROR_NONE,
	  "not there whole" },
	{ "rm " NEW "; ln -s nowhere " NEW, ERROR_BAD_NEWS, ERROR_NONE, "not there whole" },
	{ "rm -r " GUID_A, ERROR_NONE, ERROR_NONE, NULL },
	{ "rm " A "*; rmdir " ASIDE, ERROR_BAD_NEWS, ERROR_NONE, "not there whole" },
	{ "mv " CLUSDB " " A "CLUSDB; rm " NEW, ERROR_BAD_NEWS, ERROR_NONE, "not there whole" },
	/* somebody else was here */
	{ "echo x >>" CLUSDB, ERROR_REFUSED, ERROR_REFUSED, "changed by somebody else" },
	{ "rm " CLUSDB "; ln -s SYSTEM " CLUSDB, ERROR_REFUSED, ERROR_REFUSED,
	  "changed by somebody else" },
	{ "rm " CLUSDB "; mkdir " CLUSDB, ERROR_REFUSED, ERROR_REFUSED, "changed by somebody" },
	{ "mv " CLUSDB " s/Windows/Cluster/clusdb", ERROR_REFUSED, ERROR_REFUSED,
	  "changed by somebody else" },
	{ "echo x >>" LOG1, ERROR_REFUSED, ERROR_REFUSED, "LOG1: was changed by somebody" },
	{ "mv " LOG1 " " A "CLUSDB.LOG1; echo x >" LOG1, ERROR_REFUSED, ERROR_REFUSED,
	  "LOG1: was changed by somebody" },
	{ "mv " LOG1 " " A "2-CLUSDB.LOG1.clusnap-new", ERROR_NONE, ERROR_NONE, NULL },
	{ "ln " LOG1 " " A "2-CLUSDB.LOG1.clusnap-new", ERROR_NONE, ERROR_NONE, NULL },
	{ "rm " CLUSDB, ERROR_REFUSED, ERROR_REFUSED, "CLUSDB: is gone" },
	{ "mv " CLUSDB " " A "; echo x >>" A "CLUSDB", ERROR_REFUSED, ERROR_REFUSED,
	  "CLUSDB: is gone" },
	{ "rm " LOG1, ERROR_REFUSED, ERROR_REFUSED, "LOG1: is gone" },
	{ "mv " NEW " " CLUSDB, ERROR_NONE, ERROR_REFUSED, "is not whole" },
	{ "echo x >" GUID_A "/00000001.CPT", ERROR_REFUSED, ERROR_REFUSED, "changed by somebody" },
	/* twins: which is meant? */
	{ "cp " CLUSDB " s/Windows/Cluster/ClusDb", ERROR_DESTINATION, ERROR_DESTINATION,
	  "holds both" },
};

static void each_state(void **state)
{
	replacing_states(state, state_rows, sizeof(state_rows) / sizeof(*state_rows));
}

/* What was put into a new directory meanwhile stays, and so does what was put into ours. */
static void what_is_not_ours_stays(void **state)
{
	struct replacement *r = replacing_new();

	(void)state;
	assert_done(replacing_prepare(r) && replacing_forward(r));
	replacing_run("echo x >" GUID_A "/other; echo x >" ASIDE "/notes");
	assert_done(replacing_back(r));
	assert_true(replacing_there(GUID_A "/other"));
	assert_true(replacing_there(ASIDE "/notes"));
	replacing_run("rm -r " GUID_A " " ASIDE);
	replacing_as_before();
	/* a file where a directory was to be */
	assert_done(replacing_prepare(r));
	replacing_run("rm -r " GUID_A "; echo x >" GUID_A);
	replacing_failed(replacing_forward(r), ERROR_REFUSED, "is there and is no directory");
	assert_done(replacing_back(r));
	replacing_run("rm " GUID_A);
	replacing_as_before();
	/* a file that has the name in the set-aside directory: the old one gets another */
	assert_done(replacing_prepare(r));
	replacing_run("echo x >" ASIDE "/CLUSDB; echo x >" ASIDE "/CLUSDB.LOG1");
	assert_done(replacing_forward(r));
	replacing_text(ASIDE "/1-CLUSDB.clusnap-other", "old", "CLUSDB", 90000);
	replacing_text(ASIDE "/2-CLUSDB.LOG1.clusnap-other", "old", "CLUSDB.LOG1", 3000);
	replacing_text(CLUSDB, "new", "CLUSDB", 100000);
	assert_done(replacing_back(r));
	replacing_as_before();
	/* what is not empty is no leftover */
	replacing_run("mkdir " ASIDE "; echo x >" ASIDE "/notes");
	replacing_failed(replacing_prepare(r), ERROR_DESTINATION, "is there already");
	assert_true(replacing_there(ASIDE "/notes"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		replacing_unit(forward_to_the_end),
		replacing_unit(forward_and_finish_again),
		replacing_unit(replacing_back_from_anywhere),
		replacing_unit(owner_is_kept),
		replacing_unit(steps_are_told_in_their_order),
		replacing_unit(each_state),
		replacing_unit(what_is_not_ours_stays),
		replacing_unit(replacing_memory),
	};

	return cmocka_run_group_tests(tests, testing_begin, testing_end);
}
