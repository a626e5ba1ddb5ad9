/* Images: what can be read, what is refused without waiting, and that a seal holds. */
#include "hive/image.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/testing.h"

static char *directory;
static int dirfd_;

static int make_directory(void **state)
{
	directory = testing_directory();
	dirfd_ = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return testing_begin(state);
}

static int remove_directory(void **state)
{
	close(dirfd_);
	testing_remove(directory);
	return testing_end(state);
}

/* Descriptors that are open; a leak shows. */
static unsigned open_files(void)
{
	unsigned count = 0;

	for (int fd = 0; fd < 256; fd++)
		count += fcntl(fd, F_GETFD) >= 0;
	return count;
}

#define LARGE ((9 << 20) + 77) /* bytes; no whole number of what is read at a time */

/* Bytes that differ from place to place. */
static uint8_t *numbers(size_t size)
{
	uint8_t *data = malloc(size);

	for (size_t i = 0; i < size; i++)
		data[i] = (uint8_t)(i * 2654435761u >> 13);
	return data;
}

static void files_of_all_sizes_are_read(void **state)
{
	static const size_t sizes[] = {
		0, 1, 4095, 4096, 4097, (2 << 20) - 1, 2 << 20, (2 << 20) + 1, 3333333, LARGE
	};
	unsigned before = open_files();
	uint8_t *data = numbers(LARGE);

	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		struct error err = { 0 };
		struct image *image;

		testing_write(directory, "file", data, sizes[i]);
		image = image_read(NULL, dirfd_, "file", &err);
		assert_non_null(image);
		assert_int_equal(image->bytes.size, sizes[i]);
		assert_memory_equal(image->bytes.data, data, sizes[i]);
		assert_true(image->sealed);
		assert_null(image_data(image));
		assert_int_equal(err.kind, ERROR_NONE);
		talloc_free(image);
	}
	free(data);
	assert_int_equal(open_files(), before);
}

/* A change of the file after it was read does not reach the image. */
static void an_image_is_private(void **state)
{
	struct error err;
	struct image *image;

	(void)state;
	testing_write(directory, "file", "before", 6);
	image = image_read(NULL, dirfd_, "file", &err);
	assert_non_null(image);
	testing_write(directory, "file", "after!", 6);
	assert_memory_equal(image->bytes.data, "before", 6);
	talloc_free(image);
}

/* Does a child die that writes to the first byte? */
static bool writing_kills(const struct image *image)
{
	pid_t child = fork();
	int status;

	if (child == 0) {
		signal(SIGSEGV, SIG_DFL);
		*(volatile uint8_t *)image->bytes.data = 'x';
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	return WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV;
}

static void a_seal_holds(void **state)
{
	struct error err;
	struct image *image;

	(void)state;
	testing_write(directory, "file", "sealed", 6);
	image = image_read(NULL, dirfd_, "file", &err);
	assert_non_null(image);
	assert_null(image_data(image));
	assert_true(writing_kills(image));
	assert_false(image_write(image, 0, (struct bytes){ (const uint8_t *)"x", 1 }, &err));
	assert_false(image_resize(image, 10, &err));
	assert_true(image_seal(image, &err)); /* twice is no mistake */
	assert_true(image_unseal(image));
	assert_non_null(image_data(image));
	image_data(image)[0] = 'S';
	assert_true(image_seal(image, &err));
	assert_true(writing_kills(image));
	image_rest(image); /* nothing is lost by it */
	assert_memory_equal(image->bytes.data, "Sealed", 6);
	talloc_free(image);
}

/* What hivex opens is the image itself, in memory that nobody can write to any more. */
static void a_seal_holds_in_a_memfd(void **state)
{
	struct error err;
	struct image *image;
	const uint8_t *data;
	char *path, buffer[7] = "";
	int fd;

	(void)state;
	testing_write(directory, "file", "sealed", 6);
	image = image_read(NULL, dirfd_, "file", &err);
	assert_non_null(image);
	data = image->bytes.data;
	path = image_path(image, image);
	assert_non_null(path);
	assert_string_equal(path, image_path(image, image));
	assert_ptr_equal(image->bytes.data, data);
	assert_int_equal(pwrite(image->fd, "x", 1, 0), -1);
	assert_int_equal(errno, EPERM);
	assert_int_equal(ftruncate(image->fd, 0), -1);
	assert_int_equal(ftruncate(image->fd, 100), -1);
	assert_true(mmap(NULL, 6, PROT_READ | PROT_WRITE, MAP_SHARED, image->fd, 0) == MAP_FAILED);
	assert_true(writing_kills(image));
	assert_false(image_unseal(image));
	assert_false(image_resize(image, 10, &err));
	assert_true(image_seal(image, &err)); /* twice is no mistake */

	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd >= 0) {
		assert_int_equal(write(fd, "x", 1), -1);
		close(fd);
	}
	assert_int_equal(pread(image->fd, buffer, 6, 0), 6);
	assert_string_equal(buffer, "sealed");
	image_rest(image);
	assert_memory_equal(image->bytes.data, "sealed", 6);
	talloc_free(image);
}

/* One that is made in a memfd from the start is sealed there. */
static void a_made_image_is_sealed(void **state)
{
	struct error err;
	struct image *image = image_new(NULL, 6, &err);

	(void)state;
	assert_non_null(image);
	assert_true(image_write(image, 0, (struct bytes){ (const uint8_t *)"sealed", 6 }, &err));
	assert_null(image_path(image, image_copy(image, image->bytes, &err))); /* not sealed */
	assert_true(image_seal(image, &err));
	assert_int_equal(pwrite(image->fd, "x", 1, 0), -1);
	assert_int_equal(mprotect((void *)image->bytes.data, 6, PROT_READ | PROT_WRITE), -1);
	assert_false(image_unseal(image));
	assert_memory_equal(image->bytes.data, "sealed", 6);
	talloc_free(image);
}

/* Nothing here may wait: a FIFO without a writer would, for ever. */
static void what_is_no_file_is_refused(void **state)
{
	static const struct {
		const char *name, *text;
		int sys;
	} rows[] = {
		{ "directory", "is a directory, not a file", 0 },
		{ "fifo", "is a FIFO, not a regular file", 0 },
		{ "link", "is a symbolic link, which is not followed", 0 },
		{ "dangling", "is a symbolic link, which is not followed", 0 },
		{ "socket", "is not a regular file", 0 },
		{ "/dev/null", "is not a regular file", 0 },
		{ "absent", "cannot open it: No such file or directory: ERROR_FILE_NOT_FOUND (2)",
		  ENOENT },
		{ "file/below", "cannot open it: Not a directory: ERROR_DIRECTORY (267)", ENOTDIR },
		{ "", "cannot open it: No such file or directory: ERROR_FILE_NOT_FOUND (2)",
		  ENOENT },
	};
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	unsigned before;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)state;
	testing_write(directory, "file", "x", 1);
	assert_int_equal(mkdirat(dirfd_, "directory", 0700), 0);
	assert_int_equal(mkfifoat(dirfd_, "fifo", 0600), 0);
	assert_int_equal(symlinkat("file", dirfd_, "link"), 0);
	assert_int_equal(symlinkat("/absent", dirfd_, "dangling"), 0);
	snprintf(address.sun_path, sizeof(address.sun_path), "%.80s/socket", directory);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	close(fd);
	before = open_files();
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct error err = { 0 };

		assert_null(image_read(NULL, dirfd_, rows[i].name, &err));
		assert_string_equal(err.text, rows[i].text);
		assert_int_equal(err.kind, ERROR_SOURCE);
		assert_int_equal(err.sys, rows[i].sys);
	}
	assert_int_equal(open_files(), before);
}

/* In a child that is not root, because root can read every file. Its exit status is 0 if so. */
static int read_unprivileged(void)
{
	struct error err = { 0 };
	struct image *image;

	if (geteuid() == 0 && (setegid(65534) != 0 || seteuid(65534) != 0))
		return 1;
	prctl(PR_SET_DUMPABLE, 1); /* or else /proc/self would still be root's */
	if (image_read(NULL, dirfd_, "secret", &err) || err.kind != ERROR_SOURCE)
		return 2;
	if (err.sys != EACCES ||
	    strcmp(err.text, "cannot open it: Permission denied: ERROR_ACCESS_DENIED (5)") != 0)
		return 3;
	image = image_read(NULL, dirfd_, "public", &err); /* without O_NOATIME */
	if (!image)
		return 4;
	talloc_free(image);
	return 0;
}

static void an_unreadable_file_is_named_so(void **state)
{
	int status;
	pid_t child;

	(void)state;
	testing_write(directory, "secret", "x", 1);
	testing_write(directory, "public", "x", 1);
	assert_int_equal(fchmodat(dirfd_, "secret", 0, 0), 0);
	assert_int_equal(fchmodat(dirfd_, "public", 0644, 0), 0);
	assert_int_equal(fchmod(dirfd_, 0755), 0);
	child = fork();
	if (child == 0) {
		testing_end(NULL);
		_exit(read_unprivileged());
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

/* A file of /proc says it has no bytes, and then has some. */
static void a_file_that_grows_is_refused(void **state)
{
	struct error err = { 0 };

	(void)state;
	assert_null(image_read(NULL, AT_FDCWD, "/proc/self/status", &err));
	assert_int_equal(err.kind, ERROR_SOURCE);
	assert_string_equal(err.text, "grows while it is read");
}

/* A file larger than any hive costs no memory before it is refused. */
static void a_giant_is_refused_unread(void **state)
{
	struct error err = { 0 };
	struct image *image;
	char path[4096];

	(void)state;
	testing_write(directory, "giant", "", 0);
	snprintf(path, sizeof(path), "%s/giant", directory);
	if (truncate(path, ((off_t)4 << 30) + 1) != 0)
		return testing_skipped("a file system without sparse files");
	assert_null(image_read(NULL, dirfd_, "giant", &err));
	assert_int_equal(err.kind, ERROR_SOURCE);
	assert_string_equal(err.text, "has 4294967297 bytes, more than any hive");
	image = image_new(NULL, UINT64_MAX, &err);
	assert_null(image);
	assert_int_equal(err.kind, ERROR_INTERNAL);
}

static void grow_and_shrink(struct image *image)
{
	static const uint64_t sizes[] = { 1,       5000, 100000,  4096,    0,       10,
		                          3000000, 7,    5000000, 2500000, 4500000, 7 };
	static const uint8_t zeros[4096];
	struct error err;
	uint64_t old = 0;

	assert_non_null(image);
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		assert_true(image_resize(image, sizes[i], &err));
		assert_int_equal(image->bytes.size, sizes[i]);
		for (uint64_t at = old; at < sizes[i]; at += sizeof(zeros)) {
			uint64_t left = sizes[i] - at;

			assert_memory_equal(image->bytes.data + at, zeros,
			                    left < sizeof(zeros) ? left : sizeof(zeros));
		}
		if (sizes[i])
			memset(image_data(image), 0xee, sizes[i]);
		old = sizes[i];
	}
	assert_false(image_resize(image, (uint64_t)5 << 30, &err));
	assert_int_equal(image->bytes.size, 7);
	assert_true(image_seal(image, &err));
	assert_memory_equal(image->bytes.data, "\xee\xee\xee\xee\xee\xee\xee", 7);
	talloc_free(image);
}

/* Bytes of this process that are in memory. */
static uint64_t resident(void)
{
	unsigned long pages = 0;
	FILE *file = fopen("/proc/self/statm", "re");

	assert_non_null(file);
	assert_int_equal(fscanf(file, "%*u %lu", &pages), 1);
	fclose(file);
	return (uint64_t)pages * 4096;
}

/* Promise 2: what takes no room on a disk takes none here; its bytes are those of the file. */
static void a_hole_takes_no_memory(void **state)
{
	const uint64_t size = (uint64_t)1 << 30, middle = size / 2 + 12345;
	uint64_t before, nonzero = 0;
	struct error err = { 0 };
	struct image *image;
	int fd;

	(void)state;
	testing_write(directory, "holes", "begin", 5);
	fd = openat(dirfd_, "holes", O_WRONLY | O_CLOEXEC);
	assert_int_equal(pwrite(fd, "middle", 6, (off_t)middle), 6);
	assert_int_equal(ftruncate(fd, (off_t)size), 0);
	close(fd);
	before = resident();
	image = image_read(NULL, dirfd_, "holes", &err);
	assert_non_null(image);
	assert_int_equal(image->bytes.size, size);
	assert_true(resident() < before + ((uint64_t)64 << 20));
	assert_memory_equal(image->bytes.data, "begin\0", 6);
	assert_memory_equal(image->bytes.data + middle - 1, "\0middle\0", 8);
	for (uint64_t at = 4096; at < size; at += 4096 * 64)
		nonzero += image->bytes.data[at];
	assert_int_equal(nonzero, 0);
	talloc_free(image);
	assert_int_equal(unlinkat(dirfd_, "holes", 0), 0);
}

static void an_image_grows_and_shrinks(void **state)
{
	struct error err;

	(void)state;
	grow_and_shrink(image_new(NULL, 0, &err));
	grow_and_shrink(image_copy(NULL, (struct bytes){ NULL, 0 }, &err));
}

/* More than one piece is moved. */
static void a_large_image_is_moved_whole(void **state)
{
	size_t size = (33 << 20) + 5;
	uint8_t *data = numbers(size), *again = malloc(size);
	struct error err;
	struct image *image = image_copy(NULL, (struct bytes){ data, size }, &err);
	const uint8_t *place;

	(void)state;
	assert_non_null(image);
	place = image->bytes.data;
	assert_true(image_seal(image, &err));
	assert_non_null(image_path(image, image));
	assert_int_equal(pread(image->fd, again, size, 0), size);
	assert_memory_equal(again, data, size);
	assert_ptr_equal(image->bytes.data, place);
	assert_memory_equal(image->bytes.data, data, size);
	image_rest(image);
	assert_memory_equal(image->bytes.data, data, size);
	talloc_free(image);
	free(data);
	free(again);
}

static void a_copy_is_its_own(void **state)
{
	static const uint8_t data[] = { 1, 2, 3 };
	struct error err;
	struct image *image = image_copy(NULL, (struct bytes){ data, 3 }, &err);
	struct image *empty = image_copy(NULL, (struct bytes){ NULL, 0 }, &err);

	(void)state;
	assert_non_null(image);
	assert_non_null(empty);
	assert_int_equal(empty->bytes.size, 0);
	image_data(image)[0] = 9;
	assert_int_equal(data[0], 1);
	assert_memory_equal(image->bytes.data, "\x09\x02\x03", 3);
	talloc_free(image);
	talloc_free(empty);
}

/* As far as it was waited for, the bytes are there; at the end all of them are. */
static void a_file_is_read_behind_the_caller(void **state)
{
	static const size_t sizes[] = { 0, 1, (4 << 20) - 1, 4 << 20, LARGE };
	unsigned before = open_files();
	uint8_t *data = numbers(LARGE);
	struct error err;

	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		struct image *image;

		testing_write(directory, "file", data, sizes[i]);
		image = image_read_begin(NULL, dirfd_, "file", &err);
		assert_non_null(image);
		assert_int_equal(image->bytes.size, sizes[i]);
		for (size_t at = 0; at < sizes[i]; at += 1 << 20) {
			size_t left = sizes[i] - at, part = left < 1 << 20 ? left : 1 << 20;

			assert_true(image_wait(image, at + part, &err));
			assert_memory_equal(image->bytes.data + at, data + at, part);
		}
		assert_true(image_wait(image, UINT64_MAX, &err));
		assert_true(image_wait(image, 0, &err));
		assert_true(writing_kills(image) || !sizes[i]);
		talloc_free(image);
		image = image_read_begin(NULL, dirfd_, "file", &err); /* and is not wanted */
		assert_non_null(image);
		talloc_free(image);
		assert_int_equal(open_files(), before);
	}
	free(data);
}

static void what_fails_behind_the_caller_is_told(void **state)
{
	struct error err = { 0 };

	(void)state;
	assert_null(image_read_begin(NULL, dirfd_, "absent", &err));
	assert_string_equal(err.text,
	                    "cannot open it: No such file or directory: ERROR_FILE_NOT_FOUND (2)");
	assert_null(image_read_begin(NULL, dirfd_, ".", &err));
	assert_string_equal(err.text, "is a directory, not a file");
	assert_null(image_read_begin(NULL, AT_FDCWD, "/proc/self/status", &err));
	assert_string_equal(err.text, "grows while it is read");
}

static void the_time_of_reading_is_left_alone(void **state)
{
	struct timespec times[2] = { { 1000000000, 0 }, { 2000000000, 0 } };
	struct error err;
	struct image *image;
	struct stat st;

	(void)state;
	testing_write(directory, "file", "x", 1);
	assert_int_equal(utimensat(dirfd_, "file", times, 0), 0);
	image = image_read(NULL, dirfd_, "file", &err);
	assert_non_null(image);
	talloc_free(image);
	assert_int_equal(fstatat(dirfd_, "file", &st, 0), 0);
	assert_int_equal(st.st_atim.tv_sec, 1000000000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		testing_unit(files_of_all_sizes_are_read),
		testing_unit(an_image_is_private),
		testing_unit(a_seal_holds),
		testing_unit(a_seal_holds_in_a_memfd),
		testing_unit(a_made_image_is_sealed),
		testing_unit(what_is_no_file_is_refused),
		testing_unit(an_unreadable_file_is_named_so),
		testing_unit(a_file_that_grows_is_refused),
		testing_unit(a_giant_is_refused_unread),
		testing_unit(a_hole_takes_no_memory),
		testing_unit(an_image_grows_and_shrinks),
		testing_unit(a_large_image_is_moved_whole),
		testing_unit(a_copy_is_its_own),
		testing_unit(a_file_is_read_behind_the_caller),
		testing_unit(what_fails_behind_the_caller_is_told),
		testing_unit(the_time_of_reading_is_left_alone),
	};

	return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
