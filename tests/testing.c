/* Bookkeeping for cmocka tests. It is linked into tools without cmocka, so it calls none of it. */
#include "tests/testing.h"

#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <talloc.h>
#include <unistd.h>

static size_t blocks;

int testing_begin(void **state)
{
	(void)state;
	talloc_enable_null_tracking();
	return 0;
}

int testing_end(void **state)
{
	(void)state;
	talloc_disable_null_tracking();
	return 0;
}

void testing_skipped(const char *why)
{
	printf("# SKIPPED: %s\n", why);
	fflush(stdout);
}

uint64_t testing_rounds(uint64_t all, uint64_t few)
{
	const char *wanted = getenv("CLUSNAP_TESTS");

	return wanted && strcmp(wanted, "short") == 0 ? few : all;
}

int testing_count(void **state)
{
	(void)state;
	blocks = talloc_total_blocks(NULL);
	return 0;
}

int testing_compare(void **state)
{
	(void)state;
	if (talloc_total_blocks(NULL) == blocks)
		return 0;
	fprintf(stderr, "# %zu talloc blocks before, %zu after\n", blocks,
	        talloc_total_blocks(NULL));
	talloc_report_full(NULL, stderr);
	return -1;
}

static _Noreturn void give_up(const char *path)
{
	perror(path);
	abort();
}

char *testing_directory(void)
{
	const char *base = getenv("TMPDIR");
	char *path;

	if (asprintf(&path, "%s/clusnap-test-XXXXXX", base && *base ? base : "/tmp") < 0)
		abort();
	if (!mkdtemp(path))
		give_up(path);
	return path;
}

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *where)
{
	(void)st;
	(void)kind;
	(void)where;
	return remove(path);
}

void testing_remove(char *directory)
{
	nftw(directory, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	free(directory);
}

void testing_write(const char *directory, const char *name, const void *data, size_t size)
{
	char path[4096];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	file = fopen(path, "we");
	if (!file || fwrite(data, 1, size, file) != size || fclose(file) != 0)
		give_up(path);
}
