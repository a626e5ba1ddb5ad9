/* The disks, and what is on them, judged without the program. */
#include "tests/replacing.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char *base;
struct replacing replacing;
static char after[sizeof(replacing.before)];

/* --- disks and what is on them --- */

void replacing_run(const char *command)
{
	if (system(command) != 0)
		fail_msg("%s", command);
}

/* Paths, kinds, modes and a checksum of each, judged without the program. */
void replacing_describe(char *out, size_t size)
{
	FILE *pipe = popen("find s q -printf '%p %y %m ' \\( -type f -exec sh -c "
	                   "'cksum <\"$1\"' - {} \\; -o -printf '\\n' \\) | sort",
	                   "r");
	size_t got = fread(out, 1, size - 1, pipe);

	out[got] = '\0';
	assert_int_equal(pclose(pipe), 0);
	assert_in_range(got, 100, size - 2);
}

static void write_old(const char *path, uint32_t size)
{
	struct bytes text = planning_text(replacing.ctx, "old", path, size);

	testing_write(".", path, text.data, text.size);
}

int replacing_setup(void **state)
{
	testing_count(state);
	memset(&replacing.err, 0, sizeof(replacing.err));
	/* what a disk takes for an fsync is no matter here */
	if (access("/dev/shm", W_OK) == 0)
		setenv("TMPDIR", "/dev/shm", 0);
	base = testing_directory();
	replacing.ctx = talloc_new(NULL);
	if (chdir(base) != 0)
		return -1;
	replacing_run("mkdir -p s/Windows/Cluster s/Windows/System32/config "
	              "q/MSCS/66666666-7777-4888-9999-aaaaaaaaaaaa");
	write_old(CLUSDB, 90000);
	write_old("s/Windows/Cluster/CLUSDB.LOG1", 3000);
	write_old("s/Windows/Cluster/CLUSDB.LOG2", 0);
	write_old("s/Windows/System32/config/SOFTWARE", 50000);
	write_old("s/Windows/System32/config/SOFTWARE.LOG1", 700);
	write_old("q/MSCS/chk1.tmp", 800);
	write_old("q/MSCS/quolog.log", 5000);
	write_old("q/MSCS/66666666-7777-4888-9999-aaaaaaaaaaaa/00000001.CPT", 650);
	replacing_run("chmod 640 " CLUSDB);
	replacing_describe(replacing.before, sizeof(replacing.before));
	replacing.disks[JOURNAL_SYSTEM] = volume_open(replacing.ctx, "s", &replacing.err);
	replacing.disks[JOURNAL_QUORUM] = volume_open(replacing.ctx, "q", &replacing.err);
	planning_journal(replacing.ctx, replacing.disks, planning_all, planning_all_count,
	                 &replacing.journal, &replacing.contents);
	return 0;
}

int replacing_teardown(void **state)
{
	TALLOC_FREE(replacing.ctx);
	if (chdir("/") != 0)
		return -1;
	testing_remove(base);
	return testing_compare(state);
}

void replacing_as_before(void)
{
	replacing_describe(after, sizeof(after));
	assert_string_equal(after, replacing.before);
}

void replacing_text(const char *path, const char *which, const char *name, uint32_t size)
{
	struct bytes expected = planning_text(replacing.ctx, which, name, size);
	char *got = talloc_zero_size(replacing.ctx, size + 2);
	FILE *file = fopen(path, "r");

	if (!file)
		fail_msg("no %s", path);
	assert_int_equal(fread(got, 1, size + 1, file), size);
	fclose(file);
	assert_memory_equal(got, expected.data, size);
}

void replacing_mode(const char *path, unsigned mode)
{
	struct stat st;

	assert_int_equal(lstat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, mode);
}

bool replacing_there(const char *path)
{
	return access(path, F_OK) == 0;
}

void replacing_new_state(void)
{
	static const char config[] = "s/Windows/System32/config/SOFTWARE";

	replacing_text(CLUSDB, "new", "CLUSDB", 100000);
	replacing_text(config, "new", "SOFTWARE", 40000);
	replacing_text(GUID_A "/00000001.CPT", "new", "00000001.CPT", 5000);
	replacing_text(ASIDE "/CLUSDB", "old", "CLUSDB", 90000);
	replacing_text(ASIDE "/CLUSDB.LOG1", "old", "CLUSDB.LOG1", 3000);
	replacing_text(ASIDE "/CLUSDB.LOG2", "old", "CLUSDB.LOG2", 0);
	replacing_text(ASIDE "/SOFTWARE", "old", "SOFTWARE", 50000);
	replacing_text("q/MSCS/" PLANNING_ASIDE "/quolog.log", "old", "quolog.log", 5000);
	replacing_text("q/MSCS/" PLANNING_ASIDE "/b-00000001.CPT", "old", "00000001.CPT", 650);
	assert_false(replacing_there("s/Windows/Cluster/CLUSDB.LOG1"));
	assert_false(replacing_there("s/Windows/Cluster/CLUSDB.LOG2"));
	assert_false(replacing_there("q/MSCS/chk1.tmp"));
	assert_false(replacing_there("q/MSCS/quolog.log"));
	replacing_run("test -z \"$(find . -name '*.clusnap-new')\"");
}

struct replacement *replacing_new(void)
{
	struct replacement *r =
		replacement_new(replacing.ctx, replacing.disks, &replacing.journal, &replacing.err);

	if (!r)
		fail_msg("%s", replacing.err.text);
	return r;
}

bool replacing_prepare(struct replacement *r)
{
	return replacement_prepare(r, replacing.contents, NULL, NULL, &replacing.err);
}

bool replacing_forward(struct replacement *r)
{
	return replacement_forward(r, NULL, NULL, &replacing.err);
}

bool replacing_finish(struct replacement *r)
{
	return replacement_finish(r, &replacing.err);
}

bool replacing_back(struct replacement *r)
{
	return replacement_back(r, NULL, NULL, &replacing.err);
}

void replacing_failed(bool done, enum error_kind kind, const char *said)
{
	assert_false(done);
	if (replacing.err.kind != kind || !strstr(replacing.err.text, said))
		fail_msg("kind %d: %s", replacing.err.kind, replacing.err.text);
}
