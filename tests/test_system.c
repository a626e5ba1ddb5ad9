/*
 * What a system disk says of its node, on disks that are made here: every combination of
 * hives and values that decides about the state, one row each.
 */
#include "tests/testing.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "checkpoint/disk/system.h"
#include "tests/builder.h"

#define NONE (-1)  /* no such key or value */
#define EMPTY (-2) /* the key is there, the value is not */

enum condition { WHOLE, MISSING, DAMAGED, LINK, NO_BYTES };

struct disk {
	const char *what;
	/* what is made */
	const char *windows; /* "Windows" if NULL */
	const char *number;  /* CurrentVersion */
	const char *build, *build_number;
	int major, minor;
	int installed; /* ClusterInstallationState */
	int start;     /* of ClusSvc */
	int select;    /* Select\Current */
	int set;       /* the control set that is made */
	bool no_cluster, no_clusdb;
	enum condition system, software;
	const char *top; /* a directory at the top, or NULL */
	const char *hiberfil, *force;
	/* what must be found */
	unsigned generation;
	int state;
	bool guess;        /* the state is not known */
	const char *codes; /* of the problems, in their order */
	const char *version;
};

/* What most rows have in common; a row then overrides what is different in it. */
#pragma GCC diagnostic ignored "-Woverride-init"
#define FIRST                                                                                      \
	.number = "5.2", .build_number = "3790", .version = "5.2.3790", .generation = 1,           \
	.major = NONE, .start = 2, .select = 2, .set = 2, .installed = 2
#define SECOND                                                                                     \
	.number = "6.3", .build_number = "17763", .version = "10.0.17763", .generation = 2,        \
	.major = 10, .start = 2, .select = 2, .set = 2, .installed = NONE

static const struct disk disks[] = {
	{ "first generation, configured", FIRST, .state = 3 },
	{ "first generation, upgraded", FIRST, .installed = 3, .state = 3 },
	{ "first generation, files copied", FIRST, .installed = 1, .state = 1 },
	{ "first generation, 0", FIRST, .installed = 0, .state = 1 },
	{ "first generation, 0 without a Cluster directory", FIRST, .installed = 0,
	  .no_cluster = true, .state = 0 },
	{ "first generation, not a node", FIRST, .installed = NONE, .state = 0 },
	{ "first generation, the key without the value", FIRST, .installed = EMPTY, .state = 0 },
	{ "first generation, a number that means nothing", FIRST, .installed = 7, .state = 3,
	  .guess = true, .codes = "state-unknown" },
	{ "first generation, configured, ClusDb gone", FIRST, .no_clusdb = true, .state = 3,
	  .codes = "clusdb-missing" },
	{ "first generation, configured, Cluster directory gone", FIRST, .no_cluster = true,
	  .state = 3, .codes = "clusdb-missing" },
	{ "first generation, configured, service disabled", FIRST, .start = 4, .state = 3,
	  .codes = "service-disabled" },
	{ "first generation, no service at all", FIRST, .start = NONE, .state = 3 },
	{ "first generation, SYSTEM gone", FIRST, .system = MISSING, .state = 3,
	  .codes = "hive-missing" },
	{ "NT 4", FIRST, .number = "4.0", .build_number = "1381", .version = "4.0.1381",
	  .windows = "WINNT", .state = 3 },
	{ "2000 keeps no build number in CurrentBuild", FIRST, .number = "5.0",
	  .build = "1.511.1 () (Obsolete data - do not use)", .build_number = "2195",
	  .version = "5.0.2195", .windows = "winnt", .state = 3 },

	{ "second generation, automatic", SECOND, .state = 3 },
	{ "second generation, manual", SECOND, .start = 3, .state = 3 },
	{ "second generation, disabled", SECOND, .start = 4, .no_clusdb = true, .state = 1,
	  .codes = "service-disabled" },
	{ "second generation, no service", SECOND, .start = NONE, .no_clusdb = true, .state = 0 },
	{ "second generation, a service without Start", SECOND, .start = EMPTY, .state = 3 },
	{ "second generation, the flag of the first means nothing", SECOND, .start = NONE,
	  .installed = 2, .no_clusdb = true, .state = 0 },
	{ "second generation, ClusDb gone", SECOND, .no_clusdb = true, .state = 3,
	  .codes = "clusdb-missing" },
	{ "2008, which has no major number", SECOND, .number = "6.0", .build_number = "6001",
	  .major = NONE, .version = "6.0.6001", .state = 3 },
	{ "CurrentBuild where there is no CurrentBuildNumber", SECOND, .major = NONE,
	  .build_number = NULL, .build = "9200", .number = "6.2", .version = "6.2.9200",
	  .state = 3 },
	{ "no build at all", SECOND, .major = NONE, .build_number = NULL, .version = "6.3",
	  .state = 3 },

	{ "no Select", SECOND, .select = NONE, .state = 3, .guess = true,
	  .codes = "control-set-unknown state-unknown" },
	{ "Select without Current has a Default", SECOND, .select = EMPTY, .state = 3 },
	{ "a control set that is not there", SECOND, .select = 3, .state = 3, .guess = true,
	  .codes = "control-set-unknown state-unknown" },
	{ "control set 0", SECOND, .select = 0, .state = 3, .guess = true,
	  .codes = "control-set-unknown state-unknown" },
	{ "control set 12", SECOND, .select = 12, .set = 12, .state = 3 },

	{ "SYSTEM gone, ClusDb there", SECOND, .system = MISSING, .state = 3, .guess = true,
	  .codes = "hive-missing state-unknown" },
	{ "SYSTEM damaged, ClusDb gone", SECOND, .system = DAMAGED, .no_clusdb = true, .state = 0,
	  .guess = true, .codes = "hive-damaged state-unknown" },
	{ "SYSTEM empty", SECOND, .system = NO_BYTES, .state = 3, .guess = true,
	  .codes = "hive-damaged state-unknown" },
	{ "SYSTEM is a link", SECOND, .system = LINK, .state = 3, .guess = true,
	  .codes = "hive-damaged state-unknown" },
	{ "SOFTWARE gone, ProgramData there", SECOND, .software = MISSING, .top = "programdata",
	  .version = NULL, .state = 3, .codes = "hive-missing" },
	{ "SOFTWARE damaged, Documents and Settings there", FIRST, .software = DAMAGED,
	  .top = "Documents and Settings", .version = NULL, .state = 3, .guess = true,
	  .codes = "hive-damaged state-unknown" },
	{ "SOFTWARE gone, nothing tells the generation", SECOND, .software = MISSING,
	  .generation = 0, .version = NULL, .state = 3, .guess = true,
	  .codes = "hive-missing state-unknown" },
	{ "SOFTWARE and SYSTEM gone, no ClusDb", SECOND, .software = MISSING, .system = MISSING,
	  .top = "ProgramData", .no_clusdb = true, .version = NULL, .state = 0, .guess = true,
	  .codes = "hive-missing hive-missing state-unknown" },

	{ "hibernated", SECOND, .hiberfil = "HIBR.......", .state = 3, .codes = "hibernated" },
	{ "hibernated, in small letters", FIRST, .hiberfil = "hibr", .state = 3,
	  .codes = "hibernated" },
	{ "woken", SECOND, .hiberfil = "wake.......", .state = 3 },
	{ "resume tried", SECOND, .hiberfil = "RSTR.......", .state = 3, .codes = "resume-tried" },
	{ "three letters", SECOND, .hiberfil = "HIB", .state = 3 },
	{ "an empty hiberfil.sys", SECOND, .hiberfil = "", .state = 3 },
	{ "ForceQuorum left behind", FIRST, .force = "NODE1,NODE2", .state = 3,
	  .codes = "forcequorum-left-behind" },
	{ "everything at once", SECOND, .start = 4, .force = "N", .hiberfil = "HIBR", .state = 1,
	  .codes = "hibernated service-disabled forcequorum-left-behind" },
};

static char *root;

static const char *at(const char *format, const char *more)
{
	static char text[4][512];
	static unsigned turn;
	char rest[256];

	turn = (turn + 1) % 4;
	snprintf(rest, sizeof(rest), format, more);
	snprintf(text[turn], sizeof(text[turn]), "%s/%s", root, rest);
	return text[turn];
}

static void dir(const char *path)
{
	assert_return_code(mkdir(path, 0700), errno);
}

/* --- making a disk --- */

static struct builder *software(const struct disk *d)
{
	struct builder *b = builder_new(NULL);
	struct builder_key *key = builder_path(b, "Microsoft\\Windows NT\\CurrentVersion");

	builder_string(key, "ProductName", "Windows Server");
	builder_string(key, "CurrentVersion", d->number);
	if (d->build)
		builder_string(key, "CurrentBuild", d->build);
	if (d->build_number)
		builder_string(key, "CurrentBuildNumber", d->build_number);
	if (d->major != NONE) {
		builder_dword(key, "CurrentMajorVersionNumber", (uint32_t)d->major);
		builder_dword(key, "CurrentMinorVersionNumber", (uint32_t)d->minor);
	}
	if (d->installed != NONE)
		key = builder_below(key, "Cluster Server");
	if (d->installed >= 0)
		builder_dword(key, "ClusterInstallationState", (uint32_t)d->installed);
	builder_string(builder_path(b, "Microsoft\\Cryptography"), "MachineGuid",
	               "86463816-5321-45ff-8298-40d239339e77");
	return b;
}

/* Another control set says the opposite of everything. */
static void other_set(struct builder *b)
{
	builder_dword(builder_path(b, "ControlSet001\\Services\\ClusSvc"), "Start", 4);
	builder_string(builder_path(b, "ControlSet001\\Control\\ComputerName\\ComputerName"),
	               "ComputerName", "WRONG");
}

static struct builder *system_hive_of(const struct disk *d)
{
	struct builder *b = builder_new(NULL);
	struct builder_key *key, *set;
	char name[32];

	snprintf(name, sizeof(name), "ControlSet%03d", d->set);
	set = builder_path(b, name);
	other_set(b);
	if (d->select != NONE) {
		key = builder_path(b, "Select");
		builder_dword(key, "Default", 2);
		builder_dword(key, "Failed", 1);
		if (d->select != EMPTY)
			builder_dword(key, "Current", (uint32_t)d->select);
	}
	builder_string(builder_below(set, "Control\\ComputerName\\ComputerName"), "ComputerName",
	               "NODE7");
	if (d->start == NONE)
		return b;
	key = builder_below(set, "Services\\ClusSvc");
	if (d->start != EMPTY)
		builder_dword(key, "Start", (uint32_t)d->start);
	if (d->force)
		builder_string(builder_below(key, "Parameters"), "ForceQuorum", d->force);
	return b;
}

static void put_hive(struct builder *b, const char *path, enum condition condition)
{
	FILE *f;

	if (condition == WHOLE || condition == DAMAGED || condition == LINK)
		builder_write_file(b, path);
	if (condition == LINK) {
		char elsewhere[600];

		snprintf(elsewhere, sizeof(elsewhere), "%s.moved", path);
		assert_return_code(rename(path, elsewhere), errno);
		assert_return_code(symlink(elsewhere, path), errno);
	}
	if (condition == DAMAGED)
		assert_return_code(truncate(path, 4096 + 2048), errno);
	if (condition == NO_BYTES) {
		f = fopen(path, "w");
		assert_non_null(f);
		fclose(f);
	}
	talloc_free(b);
}

static void make(const struct disk *d)
{
	const char *windows = d->windows ? d->windows : "Windows";

	root = testing_directory();
	dir(at("%s", windows));
	dir(at("%s/system32", windows));
	dir(at("%s/system32/Config", windows));
	put_hive(software(d), at("%s/system32/Config/software", windows), d->software);
	put_hive(system_hive_of(d), at("%s/system32/Config/SYSTEM", windows), d->system);
	if (!d->no_cluster)
		dir(at("%s/Cluster", windows));
	if (!d->no_cluster && !d->no_clusdb)
		testing_write(at("%s/Cluster", windows), "clusDB", "not looked at", 13);
	if (d->top)
		dir(at("%s", d->top));
	if (d->hiberfil)
		testing_write(root, "Hiberfil.SYS", d->hiberfil, strlen(d->hiberfil));
}

/* --- looking at it --- */

static void same_text(const struct disk *d, const char *what, const char *found,
                      const char *expected)
{
	if (!found || !expected ? found != expected : strcmp(found, expected) != 0)
		fail_msg("%s: %s is '%s', not '%s'", d->what, what, found ? found : "(none)",
		         expected ? expected : "(none)");
}

static void same_number(const struct disk *d, const char *what, long found, long expected)
{
	if (found != expected)
		fail_msg("%s: %s is %ld, not %ld", d->what, what, found, expected);
}

static void same_codes(const struct disk *d, const struct system *system)
{
	char codes[512] = "";

	for (uint32_t i = 0; i < system->problems->count; i++) {
		if (i)
			strcat(codes, " ");
		strcat(codes, system->problems->list[i].code);
	}
	same_text(d, "the list of problems", codes, d->codes ? d->codes : "");
}

static void judge(const struct disk *d, const struct system *system)
{
	bool set_known = d->system == WHOLE && (d->select == d->set || d->select == EMPTY);
	const char *windows = d->windows ? d->windows : "Windows";
	char path[64];

	same_text(d, "the Windows directory", system->windows, windows);
	same_number(d, "the generation", system->generation, d->generation);
	same_number(d, "the state", system->state, d->state);
	same_number(d, "state_known", system->state_known, !d->guess);
	same_text(d, "the version", system->version, d->version);
	same_text(d, "the product", system->product,
	          d->software == WHOLE ? "Windows Server" : NULL);
	same_text(d, "the machine GUID", system->machine_guid,
	          d->software == WHOLE ? "86463816-5321-45ff-8298-40d239339e77" : NULL);
	same_text(d, "the node", system->node, set_known ? "NODE7" : NULL);
	same_number(d, "hibernated", system->hibernated,
	            d->hiberfil && strncasecmp(d->hiberfil, "hibr", 4) == 0);
	same_text(d, "ForceQuorum", system->force_quorum, d->force);
	same_number(d, "the service", system->service, set_known && d->start != NONE);
	same_number(d, "its start", system->service_start,
	            set_known && d->start >= 0 ? d->start : (long)UINT32_MAX);
	same_codes(d, system);
	snprintf(path, sizeof(path), "%s/Cluster/clusDB", windows);
	same_text(d, "ClusDb", system->hives[SYSTEM_CLUSTER],
	          d->no_cluster || d->no_clusdb ? NULL : path);
	snprintf(path, sizeof(path), "%s/system32/Config/software", windows);
	same_text(d, "SOFTWARE", system->hives[SYSTEM_SOFTWARE],
	          d->software == MISSING ? NULL : path);
	same_text(d, "SAM", system->hives[SYSTEM_SAM], NULL);
}

static void every_row_is_told(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(disks) / sizeof(disks[0]); i++) {
		struct error err = { 0 };
		struct system *system;

		make(&disks[i]);
		system = system_open(NULL, root, NULL, &err);
		if (!system)
			fail_msg("%s: %s", disks[i].what, err.text);
		judge(&disks[i], system);
		talloc_free(system);
		testing_remove(root);
	}
}

static const struct disk plain = { "plain", SECOND, .state = 3 };

static void states_have_their_windows_names(void **state)
{
	(void)state;
	assert_string_equal(node_state_name(NODE_NOT_INSTALLED), "NotInstalled");
	assert_string_equal(node_state_name(NODE_NOT_CONFIGURED), "NotConfigured");
	assert_string_equal(node_state_name(NODE_NOT_RUNNING), "NotRunning");
}

/* It must fail and say WORDS. */
static void no_system(const char *words)
{
	struct error err = { 0 };
	struct system *system = system_open(NULL, root, NULL, &err);

	if (system)
		fail_msg("opened although: %s", words);
	assert_int_equal(err.kind, ERROR_SOURCE);
	if (!strstr(err.text, words) || !strstr(err.text, root))
		fail_msg("'%s' does not say '%s'", err.text, words);
}

static void what_is_no_windows_is_refused(void **state)
{
	(void)state;
	root = testing_directory();
	no_system("no Windows or WINNT directory");
	testing_write(root, "Windows", "a file", 6);
	no_system("no Windows or WINNT directory");
	assert_return_code(unlink(at("%s", "Windows")), errno);
	assert_return_code(symlink("/usr", at("%s", "Windows")), errno);
	no_system("is a link");
	assert_return_code(unlink(at("%s", "Windows")), errno);
	dir(at("%s", "Windows"));
	no_system("neither System32/config nor Cluster");
	dir(at("%s", "WINDOWS"));
	no_system("'WINDOWS'");
	testing_remove(root);
}

static void the_windows_with_a_system_hive_is_taken(void **state)
{
	struct error err = { 0 };
	struct system *system;

	(void)state;
	make(&plain);
	dir(at("%s", "WinNT"));
	system = system_open(NULL, root, NULL, &err);
	assert_non_null(system);
	assert_string_equal(system->windows, "Windows");
	talloc_free(system);
	assert_return_code(rename(at("%s", "Windows"), at("%s", "x")), errno);
	assert_return_code(rename(at("%s", "WinNT"), at("%s", "Windows")), errno);
	assert_return_code(rename(at("%s", "x"), at("%s", "WinNT")), errno);
	system = system_open(NULL, root, NULL, &err);
	assert_non_null(system);
	assert_string_equal(system->windows, "WinNT");
	talloc_free(system);
	dir(at("%s", "Windows/System32"));
	dir(at("%s", "Windows/System32/config"));
	testing_write(at("%s", "Windows/System32/config"), "system", "x", 1);
	no_system("each of them has a SYSTEM hive");
	assert_return_code(unlink(at("%s", "Windows/System32/config/system")), errno);
	assert_return_code(unlink(at("%s", "WinNT/system32/Config/SYSTEM")), errno);
	no_system("none of them has a SYSTEM hive");
	testing_remove(root);
}

static void twins_of_a_hive_are_an_error(void **state)
{
	(void)state;
	make(&plain);
	testing_write(at("%s", "Windows/Cluster"), "CLUSDB", "twin", 4);
	no_system("'clusDB'");
	no_system("'CLUSDB'");
	testing_remove(root);
}

/* Opened once; a failure is kept too, so the file is not read again. */
static void hives_are_opened_once(void **state)
{
	struct error err = { 0 };
	struct system *system;
	struct hive *hive;

	(void)state;
	make(&plain);
	system = system_open(NULL, root, NULL, &err);
	assert_non_null(system);
	hive = system_hive(system, SYSTEM_SOFTWARE, &err);
	assert_non_null(hive);
	assert_ptr_equal(system_hive(system, SYSTEM_SOFTWARE, &err), hive);
	assert_null(system_hive(system, SYSTEM_CLUSTER, &err));
	assert_int_equal(err.kind, ERROR_SOURCE);
	put_hive(software(&plain), at("%s", "Windows/Cluster/clusDB"), WHOLE);
	memset(&err, 0, sizeof(err));
	assert_null(system_hive(system, SYSTEM_CLUSTER, &err));
	assert_int_equal(err.kind, ERROR_SOURCE);
	assert_non_null(strstr(err.text, "Windows/Cluster/clusDB"));
	assert_null(system_hive(system, SYSTEM_SAM, &err));
	assert_int_equal(err.sys, ENOENT);
	assert_non_null(strstr(err.text, "SAM"));
	talloc_free(system);
	testing_remove(root);
}

/* MachineGuid becomes part of file names: what is no GUID is not used. */
static void a_machine_guid_is_a_guid(void **state)
{
	struct builder *b = software(&plain);
	struct error err = { 0 };
	struct system *system;

	(void)state;
	make(&plain);
	builder_path(b, "Microsoft\\Cryptography")->value_count = 0;
	builder_string(builder_path(b, "Microsoft\\Cryptography"), "MachineGuid",
	               "../../../../etc/passwd");
	put_hive(b, at("%s", "Windows/system32/Config/software"), WHOLE);
	system = system_open(NULL, root, NULL, &err);
	assert_non_null(system);
	assert_null(system->machine_guid);
	talloc_free(system);
	testing_remove(root);
}

static const struct problem *problem_of(const char *code)
{
	static struct problem copy;
	struct error err = { 0 };
	struct system *system = system_open(NULL, root, NULL, &err);
	const struct problem *problem;

	assert_non_null(system);
	problem = problems_find(system->problems, code);
	if (problem)
		copy = *problem;
	talloc_free(system);
	return problem ? &copy : NULL;
}

static void transactions_and_missing_logs_are_said(void **state)
{
	struct builder *b = system_hive_of(&plain);

	(void)state;
	make(&plain);
	assert_null(problem_of("kernel-transactions-pending"));
	testing_write(at("%s", "Windows/system32/Config"), "SYSTEM{1}.TM.blf", "x", 1);
	assert_int_equal(problem_of("kernel-transactions-pending")->weight, PROBLEM_NOTE);
	b->base_flags = 1;
	put_hive(b, at("%s", "Windows/system32/Config/SYSTEM"), WHOLE);
	assert_int_equal(problem_of("kernel-transactions-pending")->weight, PROBLEM_HEALS);
	assert_null(problem_of("log-missing"));
	testing_write(at("%s", "Windows/system32/Config"), "SOFTWARE.LOG2", "", 0);
	assert_int_equal(problem_of("log-missing")->weight, PROBLEM_NOTE);
	testing_write(at("%s", "Windows/system32/Config"), "SOFTWARE.LOG1", "", 0);
	assert_null(problem_of("log-missing"));
	testing_remove(root);
}

/* A dirty hive without logs is not taken for a clean one. */
static void a_dirty_hive_is_said(void **state)
{
	struct builder *b = software(&plain);
	struct hive_options options = { .recover.ignore_logs = true };
	struct error err = { 0 };
	struct system *system;

	(void)state;
	make(&plain);
	b->sequence1 = 7;
	b->sequence2 = 6;
	put_hive(b, at("%s", "Windows/system32/Config/software"), WHOLE);
	system = system_open(NULL, root, NULL, &err);
	assert_non_null(system);
	assert_non_null(problems_find(system->problems, "hive-dirty"));
	assert_null(system->version);
	talloc_free(system);
	system = system_open(NULL, root, &options, &err);
	assert_non_null(system);
	assert_null(problems_find(system->problems, "hive-dirty"));
	assert_string_equal(system->version, "10.0.17763");
	talloc_free(system);
	testing_remove(root);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		testing_unit(every_row_is_told),
		testing_unit(states_have_their_windows_names),
		testing_unit(what_is_no_windows_is_refused),
		testing_unit(the_windows_with_a_system_hive_is_taken),
		testing_unit(twins_of_a_hive_are_an_error),
		testing_unit(hives_are_opened_once),
		testing_unit(a_machine_guid_is_a_guid),
		testing_unit(transactions_and_missing_logs_are_said),
		testing_unit(a_dirty_hive_is_said),
	};

	return cmocka_run_group_tests(tests, testing_begin, testing_end);
}
