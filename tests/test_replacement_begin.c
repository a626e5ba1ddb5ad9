/* What is looked at before a restore writes anything, and what earlier ones have left. */
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "tests/replacing.h"

/* --- before anything is written --- */

static void prepare_refuses(void **state)
{
	static const struct {
		const char *made;
		enum error_kind kind;
		const char *said;
	} rows[] = {
		{ "echo x >>" CLUSDB, ERROR_REFUSED, "CLUSDB: has changed since" },
		{ "rm " CLUSDB, ERROR_REFUSED, "CLUSDB: has changed since" },
		{ "rm " LOG1, ERROR_REFUSED, "LOG1: has changed since" },
		{ "mkdir " GUID_A, ERROR_REFUSED, "has changed since" },
		{ "cp " CLUSDB " s/Windows/Cluster/ClusDb", ERROR_SOURCE, "holds both" },
		{ "mkdir -p " ASIDE "; cp " CLUSDB " " ASIDE, ERROR_DESTINATION, "is there" },
		{ "mkdir q/MSCS/" PLANNING_ASIDE "; echo x >q/MSCS/" PLANNING_ASIDE "/chk1.tmp",
		  ERROR_DESTINATION, "is there already" },
	};

	for (unsigned i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct replacement *r = replacing_new();

		replacing_run(rows[i].made);
		replacing_describe(replacing.before, sizeof(replacing.before));
		if (replacing_prepare(r))
			fail_msg("%s: accepted", rows[i].made);
		if (replacing.err.kind != rows[i].kind ||
		    !strstr(replacing.err.text, rows[i].said) ||
		    !strstr(replacing.err.text, "nothing was changed"))
			fail_msg("%s: kind %d: %s", rows[i].made, replacing.err.kind,
			         replacing.err.text);
		replacing_as_before();
		replacing_teardown(state);
		replacing_setup(state);
	}
}

static void contents_must_be_those_of_the_journal(void **state)
{
	struct replacement *r = replacing_new();

	(void)state;
	replacing.contents[0] = planning_text(replacing.ctx, "NEW", "CLUSDB", 100000);
	replacing_failed(replacing_prepare(r), ERROR_INTERNAL, "is not what the journal says");
	replacing_as_before();
}

static void both_disks_must_be_there(void **state)
{
	replacing.disks[JOURNAL_QUORUM] = NULL;
	(void)state;
	assert_null(replacement_new(replacing.ctx, replacing.disks, &replacing.journal,
	                            &replacing.err));
	assert_int_equal(replacing.err.kind, ERROR_USAGE);
	assert_non_null(strstr(replacing.err.text, "quorum"));
}

/* A journal of the system disk alone leaves the other one alone. */
static void one_disk_is_enough(void **state)
{
	struct replacement *r;

	(void)state;
	replacing.disks[JOURNAL_QUORUM] = NULL;
	planning_journal(replacing.ctx, replacing.disks, planning_all, planning_all_count,
	                 &replacing.journal, &replacing.contents);
	assert_int_equal(replacing.journal.step_count, 5);
	r = replacing_new();
	assert_done(replacing_prepare(r) && replacing_forward(r) && replacing_finish(r));
	replacing_text(CLUSDB, "new", "CLUSDB", 100000);
	assert_true(replacing_there("q/MSCS/quolog.log"));
	assert_false(replacing_there("q/MSCS/" PLANNING_ASIDE));
	assert_done(replacing_back(r));
	replacing_as_before();
}

static void journals_name_only_what_they_may(void **state)
{
	(void)state;
	replacing.journal.steps[0].path = (char[]){ "Windows/System32/CLUSDB" };
	assert_null(replacement_new(replacing.ctx, replacing.disks, &replacing.journal,
	                            &replacing.err));
	assert_non_null(strstr(replacing.err.text, "in no directory that a restore touches"));
}

static void two_at_once(void **state)
{
	struct replacement *r = replacing_new();

	(void)state;
	assert_null(replacement_new(replacing.ctx, replacing.disks, &replacing.journal,
	                            &replacing.err));
	assert_int_equal(replacing.err.kind, ERROR_REFUSED);
	assert_non_null(strstr(replacing.err.text, "another clusnap"));
	talloc_free(r);
	talloc_free(replacing_new());
}

/* tmpfs in place of the system disk, with options. */
static bool mount_system(const char *options)
{
	TALLOC_FREE(replacing.disks[JOURNAL_SYSTEM]);
	replacing_run("mv s s.plain && mkdir s");
	if (mount("none", "s", "tmpfs", 0, options) != 0) {
		testing_skipped("mounting needs root");
		replacing_run("rmdir s && mv s.plain s");
		replacing.disks[JOURNAL_SYSTEM] = volume_open(replacing.ctx, "s", &replacing.err);
		return false;
	}
	replacing_run("cp -a s.plain/. s/");
	replacing.disks[JOURNAL_SYSTEM] = volume_open(replacing.ctx, "s", &replacing.err);
	replacing_describe(replacing.before, sizeof(replacing.before));
	return true;
}

static void unmount_system(struct replacement *r)
{
	talloc_free(r);
	TALLOC_FREE(replacing.disks[JOURNAL_SYSTEM]);
	assert_int_equal(umount("s"), 0);
}

static void no_room(void **state)
{
	struct replacement *r;

	(void)state;
	if (!mount_system("size=1300k"))
		return;
	r = replacing_new();
	replacing_failed(replacing_prepare(r), ERROR_DESTINATION, "bytes, and ");
	assert_non_null(
		strstr(replacing.err.text, "take 1191936 bytes")); /* 1 MiB, 100000, 40000 */
	assert_non_null(strstr(replacing.err.text, "nothing was changed"));
	replacing_as_before();
	unmount_system(r);
}

/* The inodes run out where the room does not: all is taken away again. */
static void full_in_the_middle(void **state)
{
	struct replacement *r;
	char options[40];

	(void)state;
	for (int inodes = 11; inodes <= 13; inodes++) {
		snprintf(options, sizeof(options), "size=8m,nr_inodes=%d", inodes);
		if (!mount_system(options))
			return;
		r = replacing_new();
		if (replacing_prepare(r))
			fail_msg("%d inodes are enough", inodes);
		assert_int_equal(replacing.err.kind, ERROR_DESTINATION);
		assert_non_null(strstr(replacing.err.text, "nothing was changed"));
		assert_non_null(strstr(replacing.err.text, "No space left"));
		replacing_as_before();
		unmount_system(r);
		replacing_run("rmdir s && mv s.plain s");
	}
}

static void read_only(void **state)
{
	struct replacement *r;

	(void)state;
	if (!mount_system("size=8m"))
		return;
	r = replacing_new();
	assert_done(replacing_prepare(r));
	assert_int_equal(mount("none", "s", "none", MS_REMOUNT | MS_RDONLY, NULL), 0);
	replacing_failed(replacing_forward(r), ERROR_DESTINATION, "is mounted read-only");
	assert_non_null(
		strstr(replacing.err.text, "ntfs-3g -o rw,nodev,nosuid,noexec,windows_names"));
	replacing_failed(replacing_back(r), ERROR_DESTINATION, "is mounted read-only");
	assert_int_equal(mount("none", "s", "none", MS_REMOUNT, NULL), 0);
	assert_done(replacing_back(r));
	replacing_as_before();
	assert_int_equal(mount("none", "s", "none", MS_REMOUNT | MS_RDONLY, NULL), 0);
	replacing_failed(replacing_prepare(r), ERROR_DESTINATION, "is mounted read-only");
	replacing_as_before();
	unmount_system(r);
}

/* --- finding --- */

static bool find(struct journal *found, bool *any)
{
	return replacement_find(replacing.ctx, replacing.disks[JOURNAL_SYSTEM], "windows/cluster",
	                        found, any, &replacing.err);
}

static void the_journal_is_found(void **state)
{
	struct replacement *r = replacing_new();
	struct journal found;
	bool any = true;

	(void)state;
	assert_done(find(&found, &any));
	assert_false(any);
	assert_done(replacing_prepare(r));
	assert_done(find(&found, &any));
	assert_true(any);
	assert_int_equal(found.step_count, replacing.journal.step_count);
	assert_string_equal(found.steps[0].path, "Windows/Cluster/CLUSDB");
	talloc_free(r);
	/* what was found is carried out, not what was planned */
	r = replacement_new(replacing.ctx, replacing.disks, &found, &replacing.err);
	assert_done(r && replacing_forward(r) && replacing_finish(r));
	replacing_new_state();
	assert_done(find(&found, &any));
	assert_false(any);
	assert_done(replacement_find(replacing.ctx, replacing.disks[JOURNAL_SYSTEM], "WINNT",
	                             &found, &any, &replacing.err));
	assert_false(any);
}

static void journals_that_cannot_be_read(void **state)
{
	struct replacement *r = replacing_new();
	struct journal found;
	bool any = true;

	(void)state;
	assert_done(replacing_prepare(r));
	replacing_run("cp -a " ASIDE " s/Windows/Cluster/clusnap-other");
	replacing_failed(find(&found, &any), ERROR_SOURCE, "is the journal of another directory");
	replacing_run("echo x >s/Windows/Cluster/clusnap-other/journal.json");
	replacing_failed(find(&found, &any), ERROR_SOURCE, "clusnap-other/journal.json: line 1");
	replacing_run("rm s/Windows/Cluster/clusnap-other/journal.json; "
	              "ln -s ../" PLANNING_ASIDE "/journal.json s/Windows/Cluster/clusnap-other");
	replacing_failed(find(&found, &any), ERROR_SOURCE, "is not followed");
	replacing_run("rm s/Windows/Cluster/clusnap-other/journal.json; "
	              "truncate -s 17M s/Windows/Cluster/clusnap-other/journal.json");
	replacing_failed(find(&found, &any), ERROR_SOURCE, "too large for a journal");
	/* a link to a directory is none of ours */
	replacing_run("rm -r s/Windows/Cluster/clusnap-other; "
	              "ln -s " PLANNING_ASIDE " s/Windows/Cluster/clusnap-other");
	assert_done(find(&found, &any));
	assert_true(any);
}

static void the_newest_of_two(void **state)
{
	struct journal found;
	bool any = false;

	(void)state;
	assert_done(replacing_prepare(replacing_new()));
	replacing_run("cd s/Windows/Cluster && cp -a " PLANNING_ASIDE
	              " clusnap-20250101T000000Z && "
	              "sed -i s/20260101/20250101/ clusnap-2025*/journal.json");
	assert_done(find(&found, &any));
	assert_true(any);
	assert_string_equal(found.aside[JOURNAL_SYSTEM], "Windows/Cluster/" PLANNING_ASIDE);
}

/* A crash before (2) leaves directories of no use, on either disk. */
static void leftovers_go(void **state)
{
	struct replacement *r = replacing_new();

	(void)state;
	replacing_run("mkdir " ASIDE
	              " s/Windows/Cluster/clusnap-old s/Windows/Cluster/clusnap-kept "
	              "s/Windows/Cluster/clusnap-x q/MSCS/clusnap-y s/Windows/Cluster/clusnotes; "
	              "echo x >s/Windows/Cluster/clusnap-old/list.json; "
	              "echo x >s/Windows/Cluster/clusnap-kept/CLUSDB; "
	              "echo x >s/Windows/Cluster/clusnap-x/journal.json");
	assert_done(replacing_prepare(r));
	assert_true(replacing_there("s/Windows/Cluster/clusnap-old"));
	assert_true(replacing_there("s/Windows/Cluster/clusnap-kept"));
	assert_true(replacing_there("s/Windows/Cluster/clusnotes"));
	assert_false(replacing_there("s/Windows/Cluster/clusnap-x"));
	assert_false(replacing_there("q/MSCS/clusnap-y"));
	assert_done(replacing_back(r));
	replacing_run("cd s/Windows/Cluster && rm -r clusnap-old clusnap-kept clusnotes");
	replacing_as_before();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		replacing_unit(prepare_refuses),
		replacing_unit(contents_must_be_those_of_the_journal),
		replacing_unit(both_disks_must_be_there),
		replacing_unit(one_disk_is_enough),
		replacing_unit(journals_name_only_what_they_may),
		replacing_unit(two_at_once),
		replacing_unit(no_room),
		replacing_unit(full_in_the_middle),
		replacing_unit(read_only),
		replacing_unit(the_journal_is_found),
		replacing_unit(journals_that_cannot_be_read),
		replacing_unit(the_newest_of_two),
		replacing_unit(leftovers_go),
	};

	return cmocka_run_group_tests(tests, testing_begin, testing_end);
}
