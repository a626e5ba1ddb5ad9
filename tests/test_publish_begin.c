/* A file that is written before anybody knows whether it is wanted (publish_file_begin). */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "hive/image.h"
#include "hive/publish.h"
#include "tests/testing.h"

#define SIZE ((size_t)3 << 20)

static char folder[] = "/tmp/clusnap-begin-XXXXXX";

static char *path_of(TALLOC_CTX *ctx, const char *name)
{
	char *path = talloc_asprintf(ctx, "%s/%s", folder, name);

	assert_non_null(path);
	return path;
}

/* How many names there are in the folder. */
static unsigned names(void)
{
	DIR *dir = opendir(folder);
	unsigned count = 0;
	struct dirent *entry;

	assert_non_null(dir);
	while ((entry = readdir(dir)))
		count += strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
	closedir(dir);
	return count;
}

static void assert_holds(const char *path, struct bytes bytes)
{
	FILE *file = fopen(path, "rb");
	uint8_t *found = malloc(bytes.size + 1);

	assert_non_null(file);
	assert_non_null(found);
	assert_int_equal(fread(found, 1, bytes.size + 1, file), bytes.size);
	assert_memory_equal(found, bytes.data, bytes.size);
	free(found);
	fclose(file);
}

static struct bytes some_bytes(TALLOC_CTX *ctx, uint8_t seed)
{
	uint8_t *data = talloc_size(ctx, SIZE);

	assert_non_null(data);
	for (size_t i = 0; i < SIZE; i++)
		data[i] = (uint8_t)(i * 7 + i / 251 + seed);
	return (struct bytes){ data, SIZE };
}

/* The name belongs to the old file until the commit, and to the new one after it. */
static void commit(void **state)
{
	TALLOC_CTX *ctx = talloc_new(NULL);
	struct bytes old = some_bytes(ctx, 1), new = some_bytes(ctx, 2);
	char *path = path_of(ctx, "out");
	struct publish_file *file;
	struct error err;
	struct stat st;

	(void)state;
	assert_true(publish_file(path, old, &err));
	file = publish_file_begin(ctx, path, image_copy(ctx, new, &err), &err);
	assert_non_null(file);
	assert_int_equal(names(), 2);
	assert_holds(path, old);
	assert_true(publish_file_commit(file, &err));
	assert_holds(path, new);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	talloc_free(file);
	assert_int_equal(names(), 1);
	assert_holds(path, new);
	assert_int_equal(unlink(path), 0);
	talloc_free(ctx);
}

/* What is not committed was never there. */
static void discard(void **state)
{
	TALLOC_CTX *ctx = talloc_new(NULL);
	char *path = path_of(ctx, "out");
	struct publish_file *file;
	struct error err;

	(void)state;
	file = publish_file_begin(ctx, path, image_copy(ctx, some_bytes(ctx, 3), &err), &err);
	assert_non_null(file);
	talloc_free(file);
	assert_int_equal(names(), 0);
	talloc_free(ctx);
}

/* What cannot be is said at once; what the target has become meanwhile, at the commit. */
static void refused(void **state)
{
	TALLOC_CTX *ctx = talloc_new(NULL);
	char *path = path_of(ctx, "out");
	struct publish_file *file;
	struct image *image;
	struct error err;

	(void)state;
	image = image_copy(ctx, some_bytes(ctx, 4), &err);
	assert_int_equal(mkdir(path, 0700), 0);
	assert_null(publish_file_begin(ctx, path, image, &err));
	assert_int_equal(err.kind, ERROR_DESTINATION);
	assert_int_equal(rmdir(path), 0);
	file = publish_file_begin(ctx, path, image, &err);
	assert_non_null(file);
	assert_int_equal(mkdir(path, 0700), 0);
	assert_false(publish_file_commit(file, &err));
	assert_int_equal(err.kind, ERROR_DESTINATION);
	talloc_free(file);
	assert_int_equal(names(), 1);
	assert_int_equal(rmdir(path), 0);
	talloc_free(ctx);
}

static int set_up(void **state)
{
	(void)state;
	return mkdtemp(folder) ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	return rmdir(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(commit),
		cmocka_unit_test(discard),
		cmocka_unit_test(refused),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
