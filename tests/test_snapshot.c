/*
 * Snapshots: what backup makes and what verify finds. Every byte of every file of a small
 * snapshot is changed in turn, every file is cut at every length.
 */
#include "tests/testing.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "snapshot/backup.h"
#include "tests/small_node.h"

static char *node_path, *snapshot_path, *folder;

static char *below(const char *name)
{
	return talloc_asprintf(NULL, "%s/%s", folder, name);
}

static bool make_backup(const char *system, const char *quorum, const char *destination,
                        struct error *err)
{
	TALLOC_CTX *ctx = talloc_new(NULL);
	char *systems[] = { (char *)system, NULL };
	struct backup_options options = { .collect = { .systems = systems, .quorum = quorum },
		                          .destination = destination };
	struct collection collection;
	struct verdict verdict;
	bool done = backup(ctx, &options, &collection, &verdict, err);

	if (done)
		assert_true(verdict.complete);
	talloc_free(ctx);
	return done;
}

/* Verifies in a child's place: true if the snapshot is complete. */
static bool verify(uint32_t *damages)
{
	TALLOC_CTX *ctx = talloc_new(NULL);
	struct verdict verdict;
	struct error err;
	bool complete;

	if (!verify_path(ctx, snapshot_path, &verdict, &err))
		fail_msg("%s", err.text);
	complete = verdict.complete;
	assert_int_equal(complete, verdict.damage_count == 0);
	if (damages)
		*damages = verdict.damage_count;
	talloc_free(ctx);
	return complete;
}

static int set_up(void **state)
{
	TALLOC_CTX *ctx;
	struct small_node node;
	struct error err;

	testing_begin(state);
	ctx = talloc_new(NULL);
	folder = testing_directory();
	node_path = below("node");
	snapshot_path = below("snapshot");
	if (mkdir(node_path, 0700) != 0)
		return -1;
	node = small_node_new(ctx);
	small_node_write(&node, node_path);
	if (!make_backup(node_path, NULL, snapshot_path, &err))
		return -1;
	talloc_free(ctx);
	return 0;
}

static int tear_down(void **state)
{
	testing_remove(folder);
	talloc_free(node_path);
	talloc_free(snapshot_path);
	return testing_end(state);
}

static const char *const files[] = { "chk0001.tmp", "quolog.log",
	                             SMALL_NODE_RESOURCE "/00000001.CPT" };

static int open_file(const char *name, off_t *size)
{
	char *path = talloc_asprintf(NULL, "%s/%s", snapshot_path, name);
	int fd = open(path, O_RDWR);
	struct stat st;

	assert_true(fd >= 0 && fstat(fd, &st) == 0);
	*size = st.st_size;
	talloc_free(path);
	return fd;
}

static off_t step(void)
{
	return (off_t)testing_rounds(1, 397);
}

static void every_byte_matters(void **state)
{
	(void)state;
	for (unsigned i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		off_t size;
		int fd = open_file(files[i], &size);

		for (off_t at = 0; at < size; at += step()) {
			uint8_t byte, flipped;

			assert_int_equal(pread(fd, &byte, 1, at), 1);
			flipped = (uint8_t)(byte ^ 1u << at % 8);
			assert_int_equal(pwrite(fd, &flipped, 1, at), 1);
			if (verify(NULL))
				fail_msg("%s: a flipped bit at %lld is not found", files[i],
				         (long long)at);
			assert_int_equal(pwrite(fd, &byte, 1, at), 1);
		}
		close(fd);
	}
	assert_true(verify(NULL));
}

static void every_length_matters(void **state)
{
	(void)state;
	for (unsigned i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		off_t size;
		int fd = open_file(files[i], &size);
		uint8_t *bytes = talloc_size(NULL, (size_t)size);

		assert_int_equal(pread(fd, bytes, (size_t)size, 0), size);
		for (off_t length = size - 1; length >= 0; length -= step()) {
			assert_int_equal(ftruncate(fd, length), 0);
			if (verify(NULL))
				fail_msg("%s: cut at %lld is not found", files[i],
				         (long long)length);
		}
		assert_int_equal(pwrite(fd, bytes, (size_t)size, 0), size);
		assert_int_equal(pwrite(fd, "", 1, size), 1);
		assert_false(verify(NULL)); /* one byte more */
		assert_int_equal(ftruncate(fd, size), 0);
		talloc_free(bytes);
		close(fd);
	}
	assert_true(verify(NULL));
}

/* Each file gone, one after the other: found, and only that one is named. */
static void every_file_matters(void **state)
{
	static const char *const all[] = { "chk0001.tmp", "Clusbackup.dat",
		                           SMALL_NODE_RESOURCE "/00000001.CPT" };
	char *aside = below("aside");

	(void)state;
	for (unsigned i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		char *path = talloc_asprintf(NULL, "%s/%s", snapshot_path, all[i]);
		uint32_t damages;

		assert_int_equal(rename(path, aside), 0);
		assert_false(verify(&damages));
		assert_int_equal(damages, 1);
		assert_int_equal(rename(aside, path), 0);
		talloc_free(path);
	}
	assert_true(verify(NULL));
	talloc_free(aside);
}

static void what_is_more_is_found(void **state)
{
	static const char *const more[] = { "note.txt", "chk0002.tmp",
		                            SMALL_NODE_RESOURCE "/00000002.CPT",
		                            SMALL_NODE_RESOURCE "/sub" };

	(void)state;
	for (unsigned i = 0; i < sizeof(more) / sizeof(more[0]); i++) {
		char *path = talloc_asprintf(NULL, "%s/%s", snapshot_path, more[i]);

		if (i == 3)
			assert_int_equal(mkdir(path, 0700), 0);
		else
			testing_write(snapshot_path, more[i], "x", 1);
		assert_false(verify(NULL));
		assert_int_equal(remove(path), 0);
		assert_true(verify(NULL));
		assert_int_equal(symlink("/etc/passwd", path), 0);
		assert_false(verify(NULL));
		assert_int_equal(remove(path), 0);
		talloc_free(path);
	}
}

/* A link in a file's place is not followed, though what it leads to is the right file. */
static void links_are_not_followed(void **state)
{
	char *path = talloc_asprintf(NULL, "%s/chk0001.tmp", snapshot_path);
	char *aside = below("aside");

	(void)state;
	assert_int_equal(rename(path, aside), 0);
	assert_int_equal(symlink(aside, path), 0);
	assert_false(verify(NULL));
	assert_int_equal(unlink(path), 0);
	assert_int_equal(rename(aside, path), 0);
	assert_true(verify(NULL));
	talloc_free(path);
	talloc_free(aside);
}

static void a_source_is_no_destination(void **state)
{
	char *inside = talloc_asprintf(NULL, "%s/Windows/backup", node_path);
	struct error err;

	(void)state;
	assert_false(make_backup(node_path, NULL, inside, &err));
	assert_int_equal(err.kind, ERROR_REFUSED);
	assert_false(make_backup(node_path, NULL, node_path, &err));
	assert_int_equal(err.kind, ERROR_REFUSED);
	assert_int_equal(access(inside, F_OK), -1);
	talloc_free(inside);
}

static void what_is_no_snapshot_is_not_replaced(void **state)
{
	char *other = below("other");
	struct error err;

	(void)state;
	assert_int_equal(mkdir(other, 0700), 0);
	testing_write(other, "thesis.txt", "x", 1);
	assert_false(make_backup(node_path, NULL, other, &err));
	assert_int_equal(err.kind, ERROR_REFUSED);
	testing_write(folder, "file", "x", 1);
	talloc_free(other);
	other = below("file");
	assert_false(make_backup(node_path, NULL, other, &err));
	assert_int_equal(err.kind, ERROR_DESTINATION);
	assert_non_null(strstr(err.text, "ERROR_DIRECTORY (267)"));
	talloc_free(other);
	other = below("file/below");
	assert_false(make_backup(node_path, NULL, other, &err));
	assert_int_equal(err.kind, ERROR_DESTINATION);
	assert_non_null(strstr(err.text, "ERROR_DIRECTORY (267)"));
	talloc_free(other);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		testing_unit(every_byte_matters),
		testing_unit(every_length_matters),
		testing_unit(every_file_matters),
		testing_unit(what_is_more_is_found),
		testing_unit(links_are_not_followed),
		testing_unit(a_source_is_no_destination),
		testing_unit(what_is_no_snapshot_is_not_replaced),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
