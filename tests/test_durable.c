/*
 * Does a directory survive a power cut? Not one in memory, whatever lies over it. The mounts are
 * made in a mount namespace of this program.
 */
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "snapshot/restore/durable.h"
#include "tests/testing.h"
#include "tests/undoing.h"

static char *directory;
static bool can_mount;

static int make_directory(void **state)
{
	unsetenv("TMPDIR");
	directory = testing_directory();
	can_mount = geteuid() == 0 && unshare(CLONE_NEWNS) == 0 &&
	            mount("none", "/", "none", MS_REC | MS_PRIVATE, NULL) == 0;
	return testing_begin(state);
}

/* What this program has mounted goes with its namespace, but the directories must be free. */
static int remove_directory(void **state)
{
	char *gone = strdup(directory);
	static const char *const mounts[] = { "over",  "over tmpfs", "over ext4", "ext4",
		                              "tmpfs", "ramfs",      NULL };

	for (const char *const *name = mounts; *name; name++) {
		char *path = talloc_asprintf(NULL, "%s/%s", directory, *name);

		while (umount2(path, MNT_DETACH) == 0) /* some are mounted upon another */
			;
		talloc_free(path);
	}
	testing_remove(directory);
	if (access(gone, F_OK) == 0)
		print_error("%s is left\n", gone);
	free(gone);
	return testing_end(state);
}

static char *inside(TALLOC_CTX *ctx, const char *name)
{
	return talloc_asprintf(ctx, "%s/%s", directory, name);
}

/* Why PATH is not durable must say WHY; NULL: it is. */
static void durable(const char *path, const char *why)
{
	TALLOC_CTX *tmp = talloc_new(NULL);
	struct error err;
	char *said;

	if (!durable_check(tmp, path, &said, &err))
		fail_msg("%s", err.text);
	if (!why && said)
		fail_msg("%s", said);
	if (why && (!said || !strstr(said, why) || !strstr(said, "--undo") || !strstr(said, path)))
		fail_msg("%s: '%s' is not in: %s", path, why, said ? said : "(nothing)");
	talloc_free(tmp);
}

/* The directory itself, and what is not there yet in it. */
static void durable_below(const char *path, const char *why)
{
	TALLOC_CTX *tmp = talloc_new(NULL);

	durable(path, why);
	durable(talloc_asprintf(tmp, "%s/", path), why);
	durable(talloc_asprintf(tmp, "%s/not/there/yet", path), why);
	durable(talloc_asprintf(tmp, "%s/not/", path), why);
	talloc_free(tmp);
}

static char *make(TALLOC_CTX *ctx, const char *name)
{
	char *path = inside(ctx, name);

	if (mkdir(path, 0700) != 0 && errno != EEXIST)
		fail_msg("%s: %s", path, strerror(errno));
	return path;
}

static bool mounted(const char *type, const char *path, const char *options)
{
	if (can_mount && mount(type, path, type, 0, options) == 0)
		return true;
	testing_skipped(can_mount ? strerror(errno) : "no root, or no mount namespace");
	return false;
}

static void memory_is_not_durable(void **state)
{
	TALLOC_CTX *tmp = talloc_new(NULL);

	(void)state;
	if (mounted("tmpfs", make(tmp, "tmpfs"), "size=1m"))
		durable_below(inside(tmp, "tmpfs"), "is in memory (tmpfs)");
	if (mounted("ramfs", make(tmp, "ramfs"), NULL))
		durable_below(inside(tmp, "ramfs"), "is in memory (ramfs)");
	talloc_free(tmp);
}

/* An overlay AT whose upper layer is in the directory BELOW. */
static bool overlaid(const char *at, const char *below)
{
	TALLOC_CTX *tmp = talloc_new(NULL);
	char *upper = talloc_asprintf(tmp, "%s/upper", below),
	     *work = talloc_asprintf(tmp, "%s/work", below), *options;
	bool done;

	mkdir(upper, 0700);
	mkdir(work, 0700);
	options = talloc_asprintf(tmp, "lowerdir=%s,upperdir=%s,workdir=%s", make(tmp, "lower"),
	                          upper, work);
	done = mounted("overlay", at, options);
	talloc_free(tmp);
	return done;
}

static void an_overlay_over_memory_is_not_durable(void **state)
{
	TALLOC_CTX *tmp = talloc_new(NULL);
	char *below = make(tmp, "tmpfs"), *at = make(tmp, "over tmpfs");

	(void)state;
	if (mounted("tmpfs", below, "size=1m") && overlaid(at, below)) {
		durable_below(at, "is in memory (tmpfs)");
		umount2(at, MNT_DETACH);
	}
	talloc_free(tmp);
}

/* A file system in a file stands for one on a disk. */
static void an_overlay_over_a_disk_is_durable(void **state)
{
	TALLOC_CTX *tmp = talloc_new(NULL);
	char *below = make(tmp, "ext4"), *at = make(tmp, "over ext4"),
	     *command = talloc_asprintf(tmp,
	                                "truncate -s 4M '%s/image' && mkfs.ext4 -q '%s/image' "
	                                "2>/dev/null && mount -o loop '%s/image' '%s' 2>/dev/null",
	                                directory, directory, directory, below);

	(void)state;
	if (!can_mount || system(command) != 0) {
		testing_skipped("no root, or no loop device");
	} else {
		durable_below(below, NULL);
		if (overlaid(at, below)) {
			durable_below(at, NULL);
			rename(inside(tmp, "ext4/upper"), inside(tmp, "ext4/moved"));
			durable_below(at, "cannot be seen");
		}
	}
	talloc_free(tmp);
}

/* Where this runs may itself be in memory: then it is only seen that there is an answer. */
static void odd_paths(void **state)
{
	static const char *const paths[] = { "", ".", "/", "x", "x/y", "/x", "//", "/x/y/", "./x" };
	TALLOC_CTX *tmp = talloc_new(NULL);

	(void)state;
	assert_int_equal(chdir(directory), 0);
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		struct error err;
		char *why;

		if (!durable_check(tmp, paths[i], &why, &err))
			fail_msg("%s: %s", paths[i], err.text);
	}
	assert_int_equal(chdir("/"), 0);
	talloc_free(tmp);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		testing_unit(memory_is_not_durable),
		testing_unit(an_overlay_over_memory_is_not_durable),
		testing_unit(an_overlay_over_a_disk_is_durable),
		testing_unit(odd_paths),
	};

	return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
