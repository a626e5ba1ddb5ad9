/* Names of a snapshot, and what a backup may overwrite. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "snapshot/layout.h"

#define GUID1 "c8d32427-7daa-4a94-ba85-850f5a920382"

static struct error err;

static void test_layout(void **state)
{
	static const struct {
		const char *path;
		enum layout_kind kind;
	} rows[] = {
		{ "chk0001.tmp", LAYOUT_CHK },
		{ "chkdeadbeef.tmp", LAYOUT_CHK },
		{ "chk0000.tmp", LAYOUT_UNKNOWN },
		{ "chk001.tmp", LAYOUT_UNKNOWN },
		{ "chk000000001.tmp", LAYOUT_UNKNOWN },
		{ "chk000A.tmp", LAYOUT_UNKNOWN },
		{ "chk0001.tmp/", LAYOUT_UNKNOWN },
		{ "./chk0001.tmp", LAYOUT_UNKNOWN },
		{ "chk0001.tmpx", LAYOUT_UNKNOWN },
		{ "quolog.log", LAYOUT_LOG },
		{ "Quolog.log", LAYOUT_UNKNOWN },
		{ "Clusbackup.dat", LAYOUT_MARKER },
		{ GUID1, LAYOUT_RESOURCE },
		{ "{" GUID1 "}", LAYOUT_UNKNOWN },
		{ "C8D32427-7daa-4a94-ba85-850f5a920382", LAYOUT_UNKNOWN },
		{ GUID1 "/00000001.CPT", LAYOUT_CPT },
		{ GUID1 "/0000000A.CPR", LAYOUT_CPR },
		{ GUID1 "/0000000a.CPR", LAYOUT_CPR },
		{ GUID1 "/00000001.cpt", LAYOUT_UNKNOWN },
		{ GUID1 "/0000001.CPT", LAYOUT_UNKNOWN },
		{ GUID1 "//0000001.CPT", LAYOUT_UNKNOWN },
		{ GUID1 "/../a/00000001.CPT", LAYOUT_UNKNOWN },
		{ GUID1 "/", LAYOUT_UNKNOWN },
		{ "/" GUID1 "/00000001.CPT", LAYOUT_UNKNOWN },
		{ "..", LAYOUT_UNKNOWN },
		{ "", LAYOUT_UNKNOWN },
	};
	char name[LAYOUT_CHK_SIZE];

	(void)state;
	for (unsigned i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		if (layout_kind(rows[i].path) != rows[i].kind)
			fail_msg("'%s' is a %s", rows[i].path,
			         layout_kind_name(layout_kind(rows[i].path)));
	}
	layout_chk_name(0x1f, name);
	assert_string_equal(name, "chk001f.tmp");
	assert_int_equal(layout_chk_number(name), 0x1f);
	layout_chk_name(0xffffffff, name);
	assert_int_equal(layout_chk_number(name), 0xffffffff);
}

static bool ask_directory(const char *make)
{
	char path[] = "/tmp/test_quolog.XXXXXX", command[1000];
	bool answer;
	int fd;

	assert_non_null(mkdtemp(path));
	snprintf(command, sizeof(command), "cd %s && G=" GUID1 " && %s", path, make);
	assert_int_equal(system(command), 0);
	fd = open(path, O_RDONLY | O_DIRECTORY);
	memset(&err, 0, sizeof(err));
	answer = layout_is_snapshot(fd, "DEST", &err);
	assert_int_equal(answer ? ERROR_NONE : ERROR_REFUSED, err.kind);
	close(fd);
	snprintf(command, sizeof(command), "rm -rf %s", path);
	assert_int_equal(system(command), 0);
	return answer;
}

/* What a backup may overwrite. */
static void test_is_snapshot(void **state)
{
	static const struct {
		const char *make, *refused;
	} rows[] = {
		{ "printf clql >quolog.log; touch chk0001.tmp Clusbackup.dat", NULL },
		{ "printf clql >quolog.log; mkdir $G; touch $G/00000001.CPT $G/00000002.CPR",
		  NULL },
		{ "printf clqlxxx >quolog.log", NULL },
		{ "touch chk0001.tmp; mkdir $G", "no snapshot" }, /* put there by hand */
		{ "touch chk0001.tmp quolog.log", "no snapshot" },
		{ "printf clql >quolog.log; touch notes.txt", "notes.txt" },
		{ "printf clql >quolog.log; mkdir $G; touch $G/notes", "/notes is no part" },
		{ "printf clql >quolog.log; mkdir -p $G/00000001.CPT", "00000001.CPT" },
		{ "printf clql >quolog.log; mkdir chk0001.tmp", "chk0001.tmp" },
		{ "printf clql >quolog.log; touch $G", GUID1 },
		{ "printf clql >quolog.log; ln -s /etc/passwd chk0001.tmp", "chk0001.tmp" },
		{ "printf clql >quolog.log; ln -s /etc $G", GUID1 },
		{ "ln -s /etc/passwd quolog.log; touch chk0001.tmp", "quolog.log" },
		{ "printf clql >quolog.log; touch .dest.clusnap-new", ".dest.clusnap-new" },
		{ "touch Clusbackup.dat", "no snapshot" },
		{ "mkdir $G", "no snapshot" },
		{ "echo Windows >quolog.log; touch chk0001.tmp Clusbackup.dat", "Windows" },
		{ "printf cl >quolog.log", NULL },
	};

	(void)state;
	for (unsigned i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		bool answer = ask_directory(rows[i].make);

		if (answer != !rows[i].refused ||
		    (rows[i].refused && !strstr(err.text, rows[i].refused)))
			fail_msg("%s: %d, %s", rows[i].make, answer, err.text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_layout),
		cmocka_unit_test(test_is_snapshot),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
