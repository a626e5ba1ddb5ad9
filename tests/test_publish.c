/* Publishing: names, kinds of destinations, modes, locks, leftovers. Crashes: test_publish_crash.sh
 */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "hive/publish.h"
#include "tests/allocfail.h"

static char base[] = "/tmp/test_publish.XXXXXX";
static struct error err;
static unsigned asked;

static struct bytes text(const char *t)
{
	return (struct bytes){ (const uint8_t *)t, strlen(t) };
}

static bool yes(int opened, const char *path, struct error *error)
{
	(void)opened, (void)path, (void)error;
	asked++;
	return true;
}

static bool no(int opened, const char *path, struct error *error)
{
	(void)opened;
	return error_set(error, ERROR_REFUSED, "%s: not mine", path);
}

static bool no_the_second_time(int opened, const char *path, struct error *error)
{
	(void)opened;
	return asked++ < 2 || error_set(error, ERROR_REFUSED, "%s: not mine any more", path);
}

static int run(const char *command)
{
	return system(command);
}

/* Each test starts in an empty directory. */
static int setup(void **state)
{
	(void)state;
	asked = 0;
	memset(&err, 0, sizeof(err));
	umask(022);
	return mkdir(base, 0755) == 0 && chdir(base) == 0 ? 0 : -1;
}

static int teardown(void **state)
{
	char command[100];

	(void)state;
	snprintf(command, sizeof(command), "cd / && rm -rf %s", base);
	return run(command);
}

static void assert_content(const char *path, const char *expected)
{
	char buffer[200] = "";
	FILE *file = fopen(path, "r");

	assert_non_null(file);
	buffer[fread(buffer, 1, sizeof(buffer) - 1, file)] = 0;
	fclose(file);
	assert_string_equal(buffer, expected);
}

static void assert_mode(const char *path, unsigned mode)
{
	struct stat st;

	assert_int_equal(lstat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, mode);
}

static void assert_alone(const char *expected)
{
	char command[300];

	snprintf(command, sizeof(command), "test \"$(ls -A | tr '\\n' ' ')\" = '%s'", expected);
	if (run(command) != 0) {
		(void)run("ls -A >&2");
		fail_msg("not '%s'", expected);
	}
}

/* A directory with "one" and "sub/two", and the marker. */
static bool publish(const char *path, const char *content, publish_may_replace_fn *may_replace)
{
	struct publish_dir *dir = publish_dir_begin(NULL, path, may_replace, &err);
	bool hidden = true, done;

	if (!dir)
		return false;
	done = publish_dir_file(dir, "one", text(content), &err) &&
	       publish_dir_file(dir, "sub/two", text(content), &err) &&
	       publish_dir_marker(dir, "marker", &hidden, &err) && publish_dir_commit(dir, &err);
	if (done)
		assert_null(publish_dir_warning(dir));
	talloc_free(dir);
	return done;
}

static void test_file(void **state)
{
	(void)state;
	umask(0777);
	assert_true(publish_file("a", text("first"), &err));
	assert_content("a", "first");
	assert_mode("a", 0600);
	assert_true(publish_file("./a", text("second"), &err));
	assert_content("a", "second");
	assert_true(publish_file("empty", text(""), &err));
	assert_alone("a empty ");
}

/* Those that go past the page cache are whole, wherever they begin and end. */
static void test_file_large(void **state)
{
	static const size_t sizes[] = { (4 << 20) - 1, 4 << 20, (4 << 20) + 1, (4 << 20) + 4096,
		                        (5 << 20) + 512 };
	uint8_t *data = aligned_alloc(4096, 6 << 20);

	(void)state;
	for (size_t i = 0; i < 6 << 20; i++)
		data[i] = (uint8_t)(i * 2654435761u >> 13);
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		for (size_t from = 0; from <= 512; from += from ? 511 : 1) {
			struct bytes bytes = { data + from, sizes[i] }, back;
			struct stat st;
			int fd;

			assert_true(publish_file("file", bytes, &err));
			fd = open("file", O_RDONLY);
			assert_int_equal(fstat(fd, &st), 0);
			assert_int_equal(st.st_size, sizes[i]);
			back.data = mmap(NULL, sizes[i], PROT_READ, MAP_SHARED, fd, 0);
			assert_memory_equal(back.data, bytes.data, sizes[i]);
			munmap((void *)back.data, sizes[i]);
			close(fd);
		}
	}
	free(data);
	assert_alone("file ");
}

static void test_file_refuses(void **state)
{
	static const struct {
		const char *path, *said;
	} rows[] = {
		{ "directory", "a directory" },
		{ "link", "a symbolic link" },
		{ "dangling", "a symbolic link" },
		{ "fifo", "a special file" },
		{ "directory/", "is not the name" },
		{ ".", "is not the name" },
		{ "directory/..", "is not the name" },
		{ "", "is not the name" },
		{ "none/a", "cannot open its directory" },
		{ "a/b", "cannot open its directory" },
	};

	(void)state;
	assert_int_equal(
		run("mkdir directory; echo x >a; ln -s a link; ln -s b dangling; mkfifo fifo"), 0);
	for (unsigned i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		assert_false(publish_file(rows[i].path, text("new"), &err));
		assert_int_equal(err.kind, ERROR_DESTINATION);
		if (!strstr(err.text, rows[i].said))
			fail_msg("%s: %s", rows[i].path, err.text);
	}
	assert_content("a", "x\n");
	assert_alone("a dangling directory fifo link ");
}

static void test_file_sweeps(void **state)
{
	int fd;

	(void)state;
	assert_int_equal(run("touch .a.clusnap-0123456789abcdef .a.clusnap-0123456789abcdee "
	                     ".b.clusnap-0123456789abcdef .a.clusnap-0123456789abcdex a.clusnap"),
	                 0);
	fd = open(".a.clusnap-0123456789abcdee", O_RDONLY);
	assert_int_equal(flock(fd, LOCK_EX), 0);
	assert_true(publish_file("a", text("new"), &err));
	close(fd);
	/* only what a killed run for the same name left, and nobody holds */
	assert_alone(".a.clusnap-0123456789abcdee .a.clusnap-0123456789abcdex "
	             ".b.clusnap-0123456789abcdef a a.clusnap ");
}

static void test_append(void **state)
{
	int fd;

	(void)state;
	assert_true(publish_file("log", text("12345"), &err));
	assert_true(publish_file_append("log", 5, text("678"), &err));
	assert_content("log", "12345678");
	assert_false(publish_file_append("log", 5, text("9"), &err));
	assert_int_equal(err.kind, ERROR_REFUSED);
	fd = open("log", O_RDONLY);
	assert_int_equal(flock(fd, LOCK_EX), 0);
	assert_false(publish_file_append("log", 8, text("9"), &err));
	assert_non_null(strstr(err.text, "another clusnap"));
	close(fd);
	assert_content("log", "12345678");
	assert_false(publish_file_append("none", 0, text("9"), &err));
	assert_int_equal(err.kind, ERROR_DESTINATION);
}

static void test_directory(void **state)
{
	(void)state;
	umask(0777);
	assert_true(publish("d", "first", NULL));
	assert_content("d/one", "first");
	assert_content("d/sub/two", "first");
	assert_content("d/marker", "");
	assert_mode("d", 0700);
	assert_mode("d/sub", 0700);
	assert_mode("d/one", 0600);
	assert_mode("d/sub/two", 0600);
	assert_mode("d/marker", 0400);
	assert_int_equal(asked, 0);
	assert_true(publish("d", "second", yes));
	assert_true(asked >= 2);
	assert_content("d/sub/two", "second");
	assert_alone("d ");
}

/* Names, times and inodes of all that is in d. */
static char *times_of_d(void)
{
	static char times[4096];
	FILE *pipe = popen("stat -c '%n %x %y %z %i' d d/sub d/one d/sub/two d/marker", "r");
	size_t size = pipe ? fread(times, 1, sizeof(times) - 1, pipe) : 0;

	assert_non_null(pipe);
	assert_int_equal(pclose(pipe), 0);
	times[size] = '\0';
	return strdup(times);
}

static bool stay(bool *private)
{
	struct publish_dir *dir = publish_dir_begin(NULL, "d", yes, &err);
	bool done = dir && publish_dir_stay(dir, private, &err);

	talloc_free(dir);
	return done;
}

static void test_directory_stays(void **state)
{
	static const char *const open[] = { "d", "d/sub", "d/one", "d/sub/two" };
	bool private = false;
	char *before, *after;

	(void)state;
	assert_true(publish("d", "first", NULL));
	assert_int_equal(run("mkdir .d.clusnap-new; echo left >.d.clusnap-new/x; "
	                     "touch -d 2020-02-02 d/one d/sub/two d/sub d"),
	                 0);
	before = times_of_d();
	assert_true(stay(&private));
	assert_true(private);
	after = times_of_d();
	assert_string_equal(before, after);
	free(before);
	free(after);
	assert_alone("d ");
	for (unsigned i = 0; i < sizeof(open) / sizeof(*open); i++) {
		assert_int_equal(chmod(open[i], i < 2 ? 0701 : 0604), 0);
		assert_true(stay(&private));
		assert_false(private);
		assert_int_equal(chmod(open[i], i < 2 ? 0700 : 0600), 0);
	}
	assert_int_equal(run("mkfifo d/sub/fifo"), 0);
	assert_false(stay(&private));
	assert_int_equal(err.kind, ERROR_DESTINATION);
	assert_non_null(strstr(err.text, "d: is as it was: sub: fifo is not ours"));
	assert_int_equal(run("rm -r d"), 0);
	assert_false(stay(&private));
	assert_non_null(strstr(err.text, "was removed meanwhile"));
	assert_alone("");
}

/* What a user may write for the same directory. */
static void test_directory_names(void **state)
{
	static const char *const names[] = { "d/",     "./d",      "d//",  "d/.",   "d/./",
		                             "d/../d", "d/sub/..", "../d", "../d/", ".",
		                             "./",     "link",     "link/" };

	(void)state;
	for (unsigned i = 0; i < sizeof(names) / sizeof(*names); i++) {
		bool inside = strncmp(names[i], "..", 2) == 0 || strcmp(names[i], ".") == 0 ||
		              strcmp(names[i], "./") == 0;

		assert_true(publish("d", "old", yes));
		(void)!symlink("d", "link");
		assert_int_equal(chdir(inside ? "d" : "."), 0);
		if (!publish(names[i], names[i], yes))
			fail_msg("%s: %s", names[i], err.text);
		assert_int_equal(chdir(base), 0);
		assert_content("d/one", names[i]);
		assert_alone("d link ");
	}
}

static void test_directory_refuses(void **state)
{
	static const char *const names[] = { "file", "file/",    "file/x", "none/x",
		                             "fifo", "dangling", "",       "none/.." };

	(void)state;
	assert_int_equal(run("echo x >file; ln -s nowhere dangling; mkfifo fifo"), 0);
	for (unsigned i = 0; i < sizeof(names) / sizeof(*names); i++) {
		assert_false(publish(names[i], "new", yes));
		assert_int_equal(err.kind, ERROR_DESTINATION);
		if (!strstr(err.text, "ERROR_DIRECTORY (267)"))
			fail_msg("%s: %s", names[i], err.text);
	}
	assert_false(publish("/", "new", yes));
	assert_int_equal(err.kind, ERROR_DESTINATION);
	assert_alone("dangling fifo file ");
}

static void test_directory_not_ours(void **state)
{
	(void)state;
	assert_int_equal(run("mkdir d empty; echo x >d/precious"), 0);
	assert_false(publish("d", "new", no));
	assert_int_equal(err.kind, ERROR_REFUSED);
	assert_false(publish("d", "new", NULL));
	assert_int_equal(err.kind, ERROR_REFUSED);
	assert_false(publish("d", "new", no_the_second_time));
	assert_non_null(strstr(err.text, "not mine any more"));
	assert_content("d/precious", "x\n");
	assert_true(publish("empty", "new", no));
	assert_alone("d empty ");
}

static void test_bad_names_inside(void **state)
{
	static const char *const names[] = { "",    "/a",    "a/",   "a/b/c",
		                             "..",  ".",     "../a", "a/..",
		                             "./a", "a/./b", "a//b", "../../etc/passwd" };
	struct publish_dir *dir;

	(void)state;
	dir = publish_dir_begin(NULL, "d", NULL, &err);
	assert_non_null(dir);
	for (unsigned i = 0; i < sizeof(names) / sizeof(*names); i++) {
		assert_false(publish_dir_file(dir, names[i], text("x"), &err));
		assert_int_equal(err.kind, ERROR_INTERNAL);
	}
	assert_true(publish_dir_file(dir, "a", text("x"), &err));
	assert_false(publish_dir_file(dir, "a", text("x"), &err));
	assert_true(publish_dir_file(dir, "..a/...", text("x"), &err));
	assert_true(publish_dir_private(dir));
	assert_int_equal(faccessat(publish_dir_fd(dir), "..a/...", F_OK, 0), 0);
	talloc_free(dir);
	assert_alone("");
}

static void test_freed_is_gone(void **state)
{
	struct publish_dir *dir;

	(void)state;
	assert_true(publish("d", "old", NULL));
	dir = publish_dir_begin(NULL, "d", yes, &err);
	assert_non_null(dir);
	assert_true(publish_dir_file(dir, "x/y", text("x"), &err));
	talloc_free(dir);
	assert_content("d/one", "old");
	assert_alone("d ");
}

/* flock belongs to the open file, so a second run in this process is as good as another one. */
static void test_two_at_once(void **state)
{
	char *old = base, *new = base;
	struct publish_dir *dir;

	(void)state;
	dir = publish_dir_begin(NULL, "d", yes, &err);
	assert_non_null(dir);
	assert_false(publish("d", "other", yes));
	assert_int_equal(err.kind, ERROR_DESTINATION);
	assert_non_null(strstr(err.text, "another clusnap is writing"));
	/* what is being written was not left behind */
	assert_true(publish_dir_left_behind(NULL, "d", &old, &new, &err));
	assert_null(old);
	assert_null(new);
	assert_true(publish_dir_file(dir, "one", text("first"), &err));
	assert_true(publish_dir_commit(dir, &err));
	assert_false(publish("d", "other", yes));
	talloc_free(dir);
	assert_content("d/one", "first");
	assert_true(publish("d", "other", yes));
	assert_content("d/one", "other");
	assert_alone("d ");
}

static void test_left_behind(void **state)
{
	char *old, *new;

	(void)state;
	assert_true(publish("d", "old", NULL));
	assert_int_equal(run("mv d .d.clusnap-old; cp -r .d.clusnap-old .d.clusnap-new;"
	                     "cp -r .d.clusnap-old .d.clusnap-gone"),
	                 0);
	assert_true(publish_dir_left_behind(NULL, "./d/", &old, &new, &err));
	assert_string_equal(old, "./.d.clusnap-old");
	assert_string_equal(new, "./.d.clusnap-new");
	talloc_free(old);
	talloc_free(new);
	/* a run that then fails leaves the old one in its place */
	talloc_free(publish_dir_begin(NULL, "d", yes, &err));
	assert_content("d/one", "old");
	assert_alone("d ");
	/* an old one and a whole PATH: the old one was only waiting to be removed */
	assert_int_equal(run("cp -r d .d.clusnap-old; echo older >.d.clusnap-old/one"), 0);
	assert_true(publish("d", "new", yes));
	assert_alone("d ");
	/* somebody made the directory anew, empty: the old one is still the one to keep */
	assert_int_equal(run("mv d .d.clusnap-old; mkdir d"), 0);
	talloc_free(publish_dir_begin(NULL, "d", yes, &err));
	assert_content("d/one", "new");
	assert_alone("d ");
}

/* What was not made by publish_dir is not removed, and no link is followed. */
static void test_strange_things_inside(void **state)
{
	struct publish_dir *dir;

	(void)state;
	assert_int_equal(run("mkdir outside; echo x >outside/precious"), 0);
	assert_true(publish("d", "old", NULL));
	dir = publish_dir_begin(NULL, "d", yes, &err);
	assert_non_null(dir);
	assert_int_equal(run("ln -s ../outside d/link; ln -s ../../outside d/sub/link;"
	                     "ln -s ../outside/precious d/file; mkfifo d/fifo; mkdir -p d/a/b;"
	                     "echo y >d/a/b/c"),
	                 0);
	assert_true(publish_dir_file(dir, "one", text("new"), &err));
	assert_true(publish_dir_commit(dir, &err));
	assert_non_null(publish_dir_warning(dir));
	assert_non_null(strstr(publish_dir_warning(dir), "could not be removed"));
	talloc_free(dir);
	assert_content("d/one", "new");
	assert_content("outside/precious", "x\n");
	assert_alone(".d.clusnap-gone d outside ");
	assert_int_equal(run("cd .d.clusnap-gone && test \"$(echo $(find . | sort))\" = "
	                     "'. ./a ./a/b ./a/b/c ./fifo ./file ./link ./sub ./sub/link'"),
	                 0);
	/* it is in the way of the next run, which says so and changes nothing */
	assert_false(publish("d", "newer", yes));
	assert_non_null(strstr(err.text, "was left there"));
	assert_content("d/one", "new");
}

static void test_replaced_meanwhile(void **state)
{
	struct publish_dir *dir;

	(void)state;
	assert_true(publish("d", "old", NULL));
	dir = publish_dir_begin(NULL, "d", yes, &err);
	assert_int_equal(run("mv d e; mkdir d; echo x >d/precious"), 0);
	assert_false(publish_dir_commit(dir, &err));
	assert_int_equal(err.kind, ERROR_DESTINATION);
	talloc_free(dir);
	assert_content("d/precious", "x\n");
	dir = publish_dir_begin(NULL, "f", yes, &err);
	assert_int_equal(run("mkdir f; echo x >f/precious"), 0);
	assert_false(publish_dir_commit(dir, &err));
	talloc_free(dir);
	assert_content("f/precious", "x\n");
	assert_alone("d e f ");
}

static void test_mount_point(void **state)
{
	(void)state;
	assert_int_equal(mkdir("m", 0755), 0);
	if (mount("none", "m", "tmpfs", 0, "size=64k") != 0) {
		print_message("# skipped: mounting needs root\n"); /* skip() counts as failed */
		return;
	}
	assert_false(publish("m", "new", yes));
	(void)umount("m");
	assert_int_equal(err.kind, ERROR_DESTINATION);
	assert_non_null(strstr(err.text, "mount point"));
	assert_non_null(strstr(err.text, "directory below it"));
	assert_alone("m ");
}

/* Whatever fails, what is there is whole, old or new, and nothing is left beside it. */
static bool publish_again(void *data, struct error *error)
{
	struct publish_dir *dir = publish_dir_begin(NULL, "d", yes, error);
	bool hidden, done;

	(void)data;
	done = dir && publish_dir_file(dir, "one", text("new"), error) &&
	       publish_dir_file(dir, "sub/two", text("new"), error) &&
	       publish_dir_marker(dir, "marker", &hidden, error) && publish_dir_commit(dir, error);
	talloc_free(dir);
	return done && publish_file("f", text("new"), error);
}

static bool publish_and_look(void *data, struct error *error)
{
	bool done = publish_again(data, error);

	allocfail_pause();
	if (done)
		assert_content("f", "new");
	if (access("d/marker", F_OK) != 0 || access("d/sub/two", F_OK) != 0)
		fail_msg("not whole: %s", error->text);
	allocfail_resume();
	return done;
}

static void test_no_memory(void **state)
{
	(void)state;
	assert_true(publish("d", "old", NULL));
	assert_in_range(allocfail_run(publish_and_look, NULL, 0), 20, 100000);
	assert_true(publish("d", "new", yes));
	assert_true(publish_file("f", text("last"), &err));
	assert_alone("d f ");
}

static void test_long_name(void **state)
{
	char name[256];

	(void)state;
	memset(name, 'n', 255);
	name[255] = 0;
	assert_false(publish(name, "new", yes));
	assert_non_null(strstr(err.text, "too long"));
	name[255 - 14] = 0; /* ".clusnap-gone" and the dot */
	assert_true(publish(name, "new", yes));
}

#define ROW(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		ROW(test_file),
		ROW(test_file_large),
		ROW(test_file_refuses),
		ROW(test_file_sweeps),
		ROW(test_append),
		ROW(test_directory),
		ROW(test_directory_stays),
		ROW(test_directory_names),
		ROW(test_directory_refuses),
		ROW(test_directory_not_ours),
		ROW(test_bad_names_inside),
		ROW(test_freed_is_gone),
		ROW(test_two_at_once),
		ROW(test_left_behind),
		ROW(test_strange_things_inside),
		ROW(test_replaced_meanwhile),
		ROW(test_mount_point),
		ROW(test_no_memory),
		ROW(test_long_name),
	};

	if (!mkdtemp(base) || rmdir(base) != 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
