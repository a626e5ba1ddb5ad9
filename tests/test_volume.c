/*
 * A volume whose contents are hostile: no look-up leaves it, whatever stands in the way, and
 * nothing on it changes by being read. (Promises 1 and 2.)
 */
#include "tests/testing.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <unistd.h>

#include "checkpoint/disk/directory.h"
#include "checkpoint/disk/volume.h"

static char root[] = "/tmp/test_volume.XXXXXX";
static char outside[] = "/tmp/test_volume_out.XXXXXX";
static struct volume *volume;
static bool may_mount;

/* --- building --- */

static const char *at(const char *path)
{
	static _Thread_local char text[4][512];
	static _Thread_local unsigned turn;

	turn = (turn + 1) % 4;
	snprintf(text[turn], sizeof(text[turn]), "%s/%s", root, path);
	return text[turn];
}

static void dir(const char *path)
{
	assert_return_code(mkdir(at(path), 0700), errno);
}

static void file(const char *path, const char *content)
{
	FILE *f = fopen(at(path), "w");

	assert_non_null(f);
	assert_true(fputs(content, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

static void link_to(const char *target, const char *path)
{
	assert_return_code(symlink(target, at(path)), errno);
}

static void build(void)
{
	char target[512];

	dir("Windows");
	dir("Windows/System32");
	dir("Windows/System32/config");
	file("Windows/System32/config/SYSTEM", "the system hive");
	file("Windows/System32/config/empty", "");
	dir("Windows/\xc3\x84rger"); /* LATIN CAPITAL LETTER A WITH DIAERESIS */
	file("Windows/\xc3\x84rger/\xce\xa9mega", "omega"); /* GREEK CAPITAL LETTER OMEGA */
	file("Windows/stra\xc3\x9f\x65", "sharp s");
	dir("twins");
	file("twins/CLUSDB", "one");
	file("twins/clusdb", "two");
	file("twins/other", "three");
	dir("ctwins");
	dir("ctwins/Cluster");
	dir("ctwins/CLUSTER");
	file("ctwins/Cluster/CLUSDB", "one");
	dir("bytes");
	file("bytes/\xff\xfe", "not UTF-8");
	file("bytes/good", "good");
	file("bytes/back\\slash", "no Windows name");
	dir("links");
	link_to("/etc", "links/absolute");
	link_to("/etc/passwd", "links/file");
	link_to("../../../../../../../../etc", "links/relative");
	link_to("../Windows", "links/inside");
	link_to("loop", "links/loop");
	link_to("nowhere", "links/dangling");
	link_to("/proc/self/root", "links/magic");
	snprintf(target, sizeof(target), "%s/secret", outside);
	link_to(target, "links/secret");
	assert_return_code(mkfifo(at("fifo"), 0600), errno);
	file("Hiberfil.sys", "HIBRand a lot more");
}

static int remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
	(void)st, (void)flag, (void)ftw;
	return remove(path);
}

static void walk_down(struct volume *of)
{
	TALLOC_CTX *tmp = talloc_new(NULL);
	struct volume_entry entry;
	struct error err;

	assert_true(volume_find(tmp, of, "Windows/System32/nothing", &entry, &err));
	talloc_free(tmp);
}

static int setup(void **state)
{
	char path[512];
	struct error err;
	FILE *f;

	testing_begin(state);
	/* Mounts of this program are nobody else's, and go when it ends. */
	may_mount = unshare(CLONE_NEWNS) == 0 &&
	            mount("none", "/", "none", MS_REC | MS_PRIVATE, NULL) == 0;
	assert_non_null(mkdtemp(root));
	assert_non_null(mkdtemp(outside));
	snprintf(path, sizeof(path), "%s/secret", outside);
	f = fopen(path, "w");
	assert_non_null(f);
	fputs("outside", f);
	fclose(f);
	build();
	volume = volume_open(NULL, root, &err);
	assert_non_null(volume);
	/* From its first walk on it keeps the directory of the last one. */
	walk_down(volume);
	return 0;
}

static int teardown(void **state)
{
	talloc_free(volume);
	nftw(root, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	nftw(outside, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	return testing_end(state);
}

/* --- asking --- */

static void finds(const char *path, enum volume_kind kind, const char *spelled)
{
	TALLOC_CTX *ctx = talloc_new(NULL);
	struct volume_entry entry;
	struct error err = { 0 };

	if (!volume_find(ctx, volume, path, &entry, &err))
		fail_msg("%s: %s", path, err.text);
	assert_int_equal(entry.kind, kind);
	if (spelled)
		assert_string_equal(entry.path, spelled);
	else
		assert_null(entry.path);
	talloc_free(ctx);
}

/* The error must be of the right kind, begin with the volume's path and hold WORDS. */
static void fails(const char *path, const char *words)
{
	struct volume_entry entry = { VOLUME_FILE, NULL, 77 };
	size_t blocks = talloc_total_blocks(volume);
	struct error err = { 0 };

	if (volume_find(NULL, volume, path, &entry, &err))
		fail_msg("%s was found", path);
	assert_int_equal(err.kind, ERROR_SOURCE);
	if (!strstr(err.text, words) || strncmp(err.text, root, strlen(root)) != 0)
		fail_msg("%s: '%s' does not say '%s'", path, err.text, words);
	assert_int_equal(entry.kind, VOLUME_FILE); /* outputs are untouched */
	assert_int_equal(entry.size, 77);
	assert_int_equal(talloc_total_blocks(volume), blocks);
}

/* None of the three ways of reading may give it. */
static void cannot_be_read(const char *path, const char *words)
{
	struct error err = { 0 };
	char head[4];
	size_t got = 99;

	assert_null(volume_file(NULL, volume, path, &err));
	assert_int_equal(err.kind, ERROR_SOURCE);
	if (!strstr(err.text, words))
		fail_msg("%s: '%s' does not say '%s'", path, err.text, words);
	assert_null(volume_source(NULL, volume, path, &err));
	assert_int_equal(err.kind, ERROR_SOURCE);
	assert_false(volume_head(volume, path, head, sizeof(head), &got, &err));
	assert_int_equal(got, 99);
	assert_int_equal(err.kind, ERROR_SOURCE);
	assert_non_null(strstr(err.text, words));
}

static void holds(const char *path, const char *content)
{
	struct error err = { 0 };
	struct image *image = volume_file(NULL, volume, path, &err);

	if (!image)
		fail_msg("%s: %s", path, err.text);
	assert_int_equal(image->bytes.size, strlen(content));
	assert_memory_equal(image->bytes.data, content, strlen(content));
	talloc_free(image);
}

/* --- tests --- */

static void letter_case_does_not_matter(void **state)
{
	(void)state;
	finds("Windows/System32/config/SYSTEM", VOLUME_FILE, "Windows/System32/config/SYSTEM");
	finds("wINDOWS\\sYSTEM32\\CONFIG\\system", VOLUME_FILE, "Windows/System32/config/SYSTEM");
	finds("WINDOWS", VOLUME_DIRECTORY, "Windows");
	finds("//windows\\/system32//", VOLUME_DIRECTORY, "Windows/System32");
	finds("", VOLUME_DIRECTORY, "");
	finds("windows/\xc3\xa4RGER/\xcf\x89MEGA", VOLUME_FILE,
	      "Windows/\xc3\x84rger/\xce\xa9mega");
	holds("windows/\xc3\xa4RGER/\xcf\x89MEGA", "omega");
	/* Windows has no upper case of a sharp s, nor does it make SS of it. */
	finds("windows/STRA\xc3\x9f\x45", VOLUME_FILE, "Windows/stra\xc3\x9f\x65");
	finds("windows/STRASSE", VOLUME_ABSENT, NULL);
}

static void absent_is_no_error(void **state)
{
	(void)state;
	finds("WINNT", VOLUME_ABSENT, NULL);
	finds("WINNT/system32/config", VOLUME_ABSENT, NULL);
	finds("Windows/System32/config/SYSTEM/below", VOLUME_ABSENT, NULL);
	finds("Windows/System", VOLUME_ABSENT, NULL);
	finds("Windows/\xff", VOLUME_ABSENT, NULL);
	finds("fifo/below", VOLUME_ABSENT, NULL);
	cannot_be_read("WINNT/cluster/clusdb", "No such file");
}

static void dots_are_refused(void **state)
{
	(void)state;
	fails("..", "refused");
	fails("Windows/../Windows", "refused");
	fails("nothing\\..\\here", "refused");
	fails("Windows\\.\\System32", "refused");
	fails("../../etc/passwd", "refused");
	finds("...", VOLUME_ABSENT, NULL);
	cannot_be_read("Windows/../Hiberfil.sys", "refused");
}

static void twins_are_an_error(void **state)
{
	(void)state;
	fails("twins/CLUSDB", "'CLUSDB'");
	fails("twins/CLUSDB", "'clusdb'");
	fails("twins/ClusDb", "tell apart");
	fails("ctwins/cluster/clusdb", "'CLUSTER'");
	fails("ctwins/Cluster/CLUSDB", "'Cluster'");
	finds("twins/OTHER", VOLUME_FILE, "twins/other");
	cannot_be_read("twins/clusdb", "tell apart");
}

static void links_are_not_followed(void **state)
{
	static const char *const names[] = { "absolute", "file",     "relative", "inside",
		                             "loop",     "dangling", "magic",    "secret" };
	char path[64], below[64];

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(path, sizeof(path), "links/%s", names[i]);
		snprintf(below, sizeof(below), "Links/%s/passwd", names[i]);
		finds(path, VOLUME_OTHER, path);
		cannot_be_read(path, "link");
		fails(below, "is a symbolic link or junction");
		fails(below, path);
	}
}

/* Waiting for a writer of the FIFO would hang here; the alarm makes that a failure. */
static void special_files_are_not_opened(void **state)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int sock = socket(AF_UNIX, SOCK_STREAM, 0);

	(void)state;
	alarm(300);
	finds("FIFO", VOLUME_OTHER, "fifo");
	cannot_be_read("fifo", "no regular file");
	snprintf(address.sun_path, sizeof(address.sun_path), "%s/socket", root);
	assert_return_code(bind(sock, (struct sockaddr *)&address, sizeof(address)), errno);
	close(sock);
	finds("socket", VOLUME_OTHER, "socket");
	cannot_be_read("socket", "no regular file");
	finds("Windows", VOLUME_DIRECTORY, "Windows");
	cannot_be_read("Windows", "is a directory");
	alarm(0);
	if (mknod(at("device"), S_IFBLK | 0600, makedev(7, 0)) == 0) {
		finds("DEVICE", VOLUME_OTHER, "device");
		cannot_be_read("device", "no regular file");
	} else {
		testing_skipped("making a device node needs root");
	}
}

static void reading_gives_the_bytes(void **state)
{
	char head[8] = "-------";
	struct error err = { 0 };
	size_t got;

	(void)state;
	holds("windows/system32/config/system", "the system hive");
	holds("windows/system32/config/empty", "");
	assert_true(volume_head(volume, "hiberfil.SYS", head, 4, &got, &err));
	assert_int_equal(got, 4);
	assert_memory_equal(head, "HIBR---", 8);
	assert_true(volume_head(volume, "windows/system32/config/empty", head, 4, &got, &err));
	assert_int_equal(got, 0);
	assert_true(volume_head(volume, "twins/other", head, 8, &got, &err));
	assert_int_equal(got, 5);
	assert_memory_equal(head, "three--", 8);
}

static void a_hive_is_read_with_its_logs(void **state)
{
	struct error err = { 0 };
	struct source *source;
	char shown[512];

	(void)state;
	dir("hive");
	file("hive/clusdb", "primary");
	file("hive/CLUSDB.log1", "one");
	source = volume_source(NULL, volume, "HIVE\\CLUSDB", &err);
	if (!source)
		fail_msg("%s", err.text);
	snprintf(shown, sizeof(shown), "%s/hive/clusdb", root);
	assert_string_equal(source->name, shown);
	assert_memory_equal(source->hive->bytes.data, "primary", 7);
	assert_non_null(source->logs[SOURCE_LOG1].image);
	assert_null(source->logs[SOURCE_LOG2].image);
	assert_memory_equal(source->logs[SOURCE_LOG1].image->bytes.data, "one", 3);
	talloc_free(source);
}

static void lists_are_sorted_and_text(void **state)
{
	TALLOC_CTX *ctx = talloc_new(NULL);
	struct error err = { 0 };
	uint32_t count;
	char **names;

	(void)state;
	assert_true(volume_list(ctx, volume, "BYTES", &names, &count, &err));
	assert_int_equal(count, 2);
	assert_string_equal(names[0], "back\\slash");
	assert_string_equal(names[1], "good");
	assert_true(volume_list(ctx, volume, "TWINS", &names, &count, &err));
	assert_int_equal(count, 3);
	assert_string_equal(names[0], "CLUSDB");
	assert_string_equal(names[1], "clusdb");
	assert_string_equal(names[2], "other");
	count = 99;
	assert_false(volume_list(ctx, volume, "links/absolute", &names, &count, &err));
	assert_false(volume_list(ctx, volume, "hiberfil.sys", &names, &count, &err));
	assert_false(volume_list(ctx, volume, "nothing", &names, &count, &err));
	assert_false(volume_list(ctx, volume, "..", &names, &count, &err));
	assert_int_equal(err.kind, ERROR_SOURCE);
	assert_int_equal(count, 99);
	talloc_free(ctx);
}

static volatile bool stop_swapping;
static sem_t bursts;

/*
 * In bursts, one for each look at the volume: were it at it all the time, a scheduler that is
 * not fair (valgrind's) might never let the other thread look.
 */
static void *swap_in_bursts(void *none)
{
	while (sem_wait(&bursts) == 0 && !stop_swapping) {
		for (int i = 0; i < 20; i++) {
			renameat2(AT_FDCWD, at("swap/dir"), AT_FDCWD, at("swap/dirlink"),
			          RENAME_EXCHANGE);
			renameat2(AT_FDCWD, at("swap/file"), AT_FDCWD, at("swap/link"),
			          RENAME_EXCHANGE);
		}
	}
	return none;
}

/* A volume that changes under us may fail, but what is outside is never read. */
static void a_race_does_not_lead_out(void **state)
{
	enum { LOOKS = 1500 };
	char target[512];
	unsigned good = 0;
	pthread_t thread;

	(void)state;
	dir("swap");
	dir("swap/dir");
	file("swap/dir/secret", "inside");
	link_to(outside, "swap/dirlink");
	file("swap/file", "inside");
	snprintf(target, sizeof(target), "%s/secret", outside);
	link_to(target, "swap/link");
	stop_swapping = false;
	assert_return_code(sem_init(&bursts, 0, 0), errno);
	assert_int_equal(pthread_create(&thread, NULL, swap_in_bursts, NULL), 0);
	/* More, should the other thread have slept all the while with links in both places. */
	for (int i = 0; i < LOOKS || (good == 0 && i < 100 * LOOKS); i++) {
		struct error err;
		struct image *image;

		sem_post(&bursts);
		image = volume_file(NULL, volume, i % 2 ? "swap/dir/secret" : "swap/file", &err);
		if (!image)
			continue;
		good++;
		assert_int_equal(image->bytes.size, 6);
		assert_memory_equal(image->bytes.data, "inside", 6);
		talloc_free(image);
	}
	stop_swapping = true;
	sem_post(&bursts);
	pthread_join(thread, NULL);
	sem_destroy(&bursts);
	assert_true(good > 0);
}

/* Also when it has become a link after it was looked at. */
static void a_file_is_opened_without_following(void **state)
{
	struct directory *directory;
	struct error err = { 0 };
	int fd = open(at("links"), O_PATH);

	(void)state;
	directory = directory_open(NULL, fd, &err);
	close(fd);
	assert_non_null(directory);
	assert_int_equal(directory_open_file(directory, "file"), -1);
	assert_int_equal(errno, ELOOP);
	talloc_free(directory);
	fd = open(root, O_PATH);
	directory = directory_open(NULL, fd, &err);
	close(fd);
	assert_non_null(directory);
	alarm(300);
	fd = directory_open_file(directory, "fifo"); /* does not wait for a writer */
	alarm(0);
	assert_true(fd >= 0);
	close(fd);
	talloc_free(directory);
}

/* Many names cost time, not descriptors or memory; a deep path costs no descriptors. */
static void large_and_deep_directories(void **state)
{
	TALLOC_CTX *ctx = talloc_new(NULL);
	struct rlimit limit, low;
	char path[1600] = "deep", name[64];
	struct volume_entry entry;
	struct error err = { 0 };
	uint32_t count;
	char **names;

	(void)state;
	dir("large");
	for (int i = 0; i < 2000; i++) {
		snprintf(name, sizeof(name), "large/File%04d", i);
		file(name, "");
	}
	finds("LARGE/FILE1234", VOLUME_FILE, "large/File1234");
	assert_true(volume_list(ctx, volume, "large", &names, &count, &err));
	assert_int_equal(count, 2000);
	assert_string_equal(names[1999], "File1999");

	dir("deep");
	for (int i = 0; i < 200; i++) {
		strcat(path, "/d");
		assert_return_code(mkdirat(AT_FDCWD, at(path), 0700), errno);
	}
	getrlimit(RLIMIT_NOFILE, &limit);
	low = limit;
	low.rlim_cur = 40;
	setrlimit(RLIMIT_NOFILE, &low);
	if (!volume_find(ctx, volume, path, &entry, &err))
		fail_msg("%s", err.text);
	assert_int_equal(entry.kind, VOLUME_DIRECTORY);
	setrlimit(RLIMIT_NOFILE, &limit);
	talloc_free(ctx);
}

static struct timespec access_time(const char *path)
{
	struct stat st;

	assert_return_code(stat(at(path), &st), errno);
	return st.st_atim;
}

static void nothing_changes_by_reading(void **state)
{
	static const char *const paths[] = { "", "Windows", "Windows/System32/config",
		                             "Windows/System32/config/SYSTEM" };
	struct timespec old[2] = { { 1000000000, 5 }, { 1100000000, 7 } }, now;
	TALLOC_CTX *ctx = talloc_new(NULL);
	struct error err = { 0 };
	uint32_t count;
	char **names;

	(void)state;
	/* Older than the last write: even a relatime mount would move it. */
	for (size_t i = 0; i < 4; i++)
		assert_return_code(utimensat(AT_FDCWD, at(paths[i]), old, 0), errno);
	holds("windows/system32/config/system", "the system hive");
	assert_true(volume_list(ctx, volume, "Windows/System32/config", &names, &count, &err));
	for (size_t i = 0; i < 4; i++) {
		now = access_time(paths[i]);
		assert_int_equal(now.tv_sec, old[0].tv_sec);
		assert_int_equal(now.tv_nsec, old[0].tv_nsec);
	}
	talloc_free(ctx);
}

static void what_is_mounted_there_is_refused(void **state)
{
	(void)state;
	dir("mounted");
	file("single", "of the volume");
	if (!may_mount || mount("none", at("mounted"), "tmpfs", 0, "size=64k") != 0) {
		testing_skipped("mounting needs root");
		return;
	}
	file("mounted/inside", "not of the volume");
	fails("MOUNTED/inside", "mounted here");
	fails("mounted", "mounted here");
	assert_return_code(umount(at("mounted")), errno);
	finds("mounted", VOLUME_DIRECTORY, "mounted");
	/* A directory and a file of the same file system, bound to another place. */
	assert_return_code(mount(at("Windows"), at("mounted"), "none", MS_BIND, NULL), errno);
	fails("mounted/System32", "mounted here");
	assert_return_code(umount(at("mounted")), errno);
	assert_return_code(mount("/etc/passwd", at("single"), "none", MS_BIND, NULL), errno);
	fails("single", "mounted here");
	cannot_be_read("single", "mounted here");
	assert_return_code(umount(at("single")), errno);
	holds("single", "of the volume");
}

/* Root may read everything, so for a moment this is somebody else. */
static void unreadable_is_said(void **state)
{
	struct error err = { 0 };

	(void)state;
	dir("closed");
	file("closed/x", "x");
	file("shut", "x");
	chmod(root, 0755);
	chmod(at("closed"), 0);
	chmod(at("shut"), 0);
	if (getuid() == 0)
		assert_return_code(seteuid(65534), errno);
	fails("closed/x", "/closed: ");
	fails("closed/x", "Permission denied");
	assert_null(volume_file(NULL, volume, "shut", &err));
	if (getuid() == 0)
		assert_return_code(seteuid(0), errno);
	chmod(at("closed"), 0700);
	assert_int_equal(err.kind, ERROR_SOURCE);
	assert_non_null(strstr(err.text, "/shut: "));
	assert_non_null(strstr(err.text, "Permission denied"));
}

static void what_is_no_directory_is_no_volume(void **state)
{
	struct error err = { 0 };

	(void)state;
	assert_null(volume_open(NULL, at("Hiberfil.sys"), &err));
	assert_int_equal(err.kind, ERROR_SOURCE);
	assert_int_equal(err.sys, ENOTDIR);
	assert_null(volume_open(NULL, at("nothing"), &err));
	assert_int_equal(err.sys, ENOENT);
	assert_non_null(strstr(err.text, root));
	assert_string_equal(volume_path(volume), root);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		testing_unit(letter_case_does_not_matter),
		testing_unit(absent_is_no_error),
		testing_unit(dots_are_refused),
		testing_unit(twins_are_an_error),
		testing_unit(links_are_not_followed),
		testing_unit(special_files_are_not_opened),
		testing_unit(reading_gives_the_bytes),
		testing_unit(a_hive_is_read_with_its_logs),
		testing_unit(lists_are_sorted_and_text),
		testing_unit(a_race_does_not_lead_out),
		testing_unit(a_file_is_opened_without_following),
		testing_unit(large_and_deep_directories),
		testing_unit(nothing_changes_by_reading),
		testing_unit(what_is_mounted_there_is_refused),
		testing_unit(unreadable_is_said),
		testing_unit(what_is_no_directory_is_no_volume),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
