/*
 * Registered paths below HKEY_LOCAL_MACHINE: which hive, which key, and what is said where
 * there is none.
 */
#include "tests/testing.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "checkpoint/disk/hklm.h"
#include "tests/builder.h"

#define CLUSDB "Windows/Cluster/CLUSDB"
#define CONFIG "Windows/System32/config"
#define SOFT CONFIG "/SOFTWARE"
#define SYS CONFIG "/SYSTEM"

static char *root;
static struct system *node;

/* --- making a disk --- */

static const char *at(const char *path)
{
	static char text[512];

	snprintf(text, sizeof(text), "%s/%s", root, path);
	return text;
}

static void put(struct builder *b, const char *path)
{
	builder_write_file(b, at(path));
	talloc_free(b);
}

/* Every key that can be found says where it really is. */
static struct builder_key *named(struct builder *b, const char *path)
{
	struct builder_key *key = builder_path(b, path);

	builder_string(key, "Here", path);
	return key;
}

static struct builder *software(void)
{
	struct builder *b = builder_new(NULL);
	char path[64], target[96];

	builder_string(b->root, "Here", "");
	named(b, "Litware");
	named(b, "Litware\\Inventory\\Parameters");
	named(b, "Shared");
	named(b, "\xc3\x84rger");
	named(b, "Wow6432Node");
	named(b, "Wow6432Node\\Litware");
	builder_link(builder_path(b, "Wow6432Node\\Shared"),
	             "\\REGISTRY\\MACHINE\\Software\\Shared");
	builder_link(builder_path(b, "Links\\Inside"),
	             "\\Registry\\Machine\\SOFTWARE\\Litware\\Inventory");
	builder_link(builder_path(b, "Links\\Root"), "\\Registry\\Machine\\Software");
	builder_link(builder_path(b, "Links\\Nowhere"), "\\Registry\\Machine\\Software\\Gone");
	builder_link(builder_path(b, "Links\\Away"),
	             "\\Registry\\Machine\\System\\ControlSet002\\Services\\Inventory");
	builder_link(builder_path(b, "Links\\User"), "\\Registry\\User\\S-1-5-18\\Software");
	builder_link(builder_path(b, "Links\\Prefix"), "\\Registry\\Machine\\Software2\\Litware");
	builder_link(builder_path(b, "Links\\Device"), "\\??\\C:\\Windows");
	builder_link(builder_path(b, "Links\\Loop"), "\\Registry\\Machine\\Software\\Links\\Loop");
	builder_link(builder_path(b, "Links\\Ping"), "\\Registry\\Machine\\Software\\Links\\Pong");
	builder_link(builder_path(b, "Links\\Pong"),
	             "\\Registry\\Machine\\Software\\Links\\Ping\\x");
	builder_path(b, "Links\\NoValue")->link = true;
	/* Sixteen links in a row end well, seventeen do not. */
	for (int i = 0; i < 17; i++) {
		snprintf(path, sizeof(path), "Chain\\%d", i);
		snprintf(target, sizeof(target), "\\Registry\\Machine\\Software\\%s%d",
		         i ? "Chain\\" : "Litware", i ? i - 1 : 0);
		if (i == 0)
			*strrchr(target, '0') = '\0';
		builder_link(builder_path(b, path), target);
	}
	return b;
}

static struct builder *system_builder(void)
{
	struct builder *b = builder_new(NULL);

	builder_string(b->root, "Here", "");
	builder_dword(builder_path(b, "Select"), "Current", 2);
	named(b, "ControlSet001\\Services\\Inventory");
	named(b, "ControlSet001\\Services\\OnlyOld");
	named(b, "ControlSet002");
	named(b, "ControlSet002\\Services\\Inventory");
	/* What an earlier start has left; Select\Current decides. */
	builder_link(builder_path(b, "CurrentControlSet"),
	             "\\Registry\\Machine\\System\\ControlSet001");
	builder_link(builder_path(b, "ControlSet002\\Services\\Again"),
	             "\\Registry\\Machine\\System\\CurrentControlSet\\Services\\Inventory");
	builder_link(builder_path(b, "ControlSet002\\Services\\Old"),
	             "\\Registry\\Machine\\System\\ControlSet001\\Services");
	return b;
}

static struct builder *cluster(void)
{
	struct builder *b = builder_new(NULL);

	named(b, "Nodes\\1");
	return b;
}

static void open_node(void)
{
	struct error err = { 0 };

	node = system_open(NULL, root, NULL, &err);
	if (!node)
		fail_msg("%s", err.text);
	/* What is opened on demand is kept, which is no leak of the test that asks first. */
	for (int i = 0; i < SYSTEM_HIVES; i++) {
		struct hive *hive = system_hive(node, (enum system_hive)i, &err);
		struct hive_key key;

		if (hive)
			hive_find(hive, NULL, "Nothing", &key, &err); /* hivex opens it */
	}
}

static int setup(void **state)
{
	static const char *const dirs[] = { "Windows", "Windows/System32", CONFIG,
		                            "Windows/Cluster" };

	testing_begin(state);
	root = testing_directory();
	for (size_t i = 0; i < sizeof(dirs) / sizeof(dirs[0]); i++)
		assert_return_code(mkdir(at(dirs[i]), 0700), errno);
	put(software(), SOFT);
	put(system_builder(), SYS);
	put(cluster(), CLUSDB);
	testing_write(at(CONFIG), "SECURITY", "regf, but cut off", 17);
	open_node();
	return 0;
}

static int teardown(void **state)
{
	talloc_free(node);
	testing_remove(root);
	return testing_end(state);
}

/* --- asking --- */

static void same(const char *path, const char *what, const char *found, const char *expected)
{
	if (!found || !expected ? found != expected : strcmp(found, expected) != 0)
		fail_msg("'%s': %s is '%s', not '%s'", path, what, found ? found : "(none)",
		         expected ? expected : "(none)");
}

static struct hklm ask(TALLOC_CTX *ctx, const char *path, bool wow64)
{
	struct error err = { 0 };
	struct hklm where;

	if (!hklm_resolve(ctx, node, path, wow64, &where, &err))
		fail_msg("'%s': %s", path, err.text);
	return where;
}

/* PATH is KEY in FILE, and behind all links the key that is at HERE. */
static void leads(const char *path, bool wow64, const char *file, const char *key, const char *here)
{
	TALLOC_CTX *ctx = talloc_new(NULL);
	struct hklm where = ask(ctx, path, wow64);
	struct error err = { 0 };
	struct hive *hive;
	char *text;

	if (where.result != HKLM_PRESENT)
		fail_msg("'%s': result %d: %s", path, where.result, where.why);
	same(path, "the file", where.file, file);
	same(path, "the key", where.key, key);
	same(path, "why", where.why, NULL);
	same(path, "what was meant", where.meant, NULL);
	same(path, "the hive's path", node->hives[where.hive], file);
	hive = system_hive(node, (enum system_hive)where.hive, &err);
	assert_non_null(hive);
	assert_true(hive_text(ctx, hive, &where.found, "Here", &text, &err));
	same(path, "the key that was found", text, here);
	talloc_free(ctx);
}

static void fails(const char *path, bool wow64, enum hklm_result result, const char *file,
                  const char *key, const char *words)
{
	TALLOC_CTX *ctx = talloc_new(NULL);
	struct hklm where = ask(ctx, path, wow64);

	if (where.result != result)
		fail_msg("'%s': result %d, not %d (%s)", path, where.result, result,
		         where.why ? where.why : "");
	same(path, "the file", where.file, file);
	same(path, "the key", where.key, key);
	assert_int_equal(where.found.cell, REGF_NIL);
	if (!where.why || !strstr(where.why, words))
		fail_msg("'%s': '%s' does not say '%s'", path, where.why, words);
	talloc_free(ctx);
}

/* --- tests --- */

static void keys_are_found_in_any_letter_case(void **state)
{
	(void)state;
	leads("Software\\Litware", false, SOFT, "Litware", "Litware");
	leads("sOFTWARE\\lITWARE\\INVENTORY\\parameters", false, SOFT,
	      "lITWARE\\INVENTORY\\parameters", "Litware\\Inventory\\Parameters");
	leads("SOFTWARE\\\xc3\xa4RGER", false, SOFT, "\xc3\xa4RGER", "\xc3\x84rger");
	leads("Software", false, SOFT, "", "");
	leads("SYSTEM\\ControlSet001\\Services\\OnlyOld", false, SYS,
	      "ControlSet001\\Services\\OnlyOld", "ControlSet001\\Services\\OnlyOld");
	leads("cluster\\Nodes\\1", false, CLUSDB, "Nodes\\1", "Nodes\\1");
	fails("Software\\Litware\\Other", false, HKLM_KEY_MISSING, SOFT, "Litware\\Other",
	      "no such key");
	fails("Software\\Lit", false, HKLM_KEY_MISSING, SOFT, "Lit", "no such key");
	fails("Cluster\\Nodes\\2", false, HKLM_KEY_MISSING, CLUSDB, "Nodes\\2", "no such key");
}

static void the_current_control_set_is_selected(void **state)
{
	(void)state;
	leads("SYSTEM\\CurrentControlSet\\Services\\Inventory", false, SYS,
	      "ControlSet002\\Services\\Inventory", "ControlSet002\\Services\\Inventory");
	leads("System\\CURRENTCONTROLSET", false, SYS, "ControlSet002", "ControlSet002");
	leads("System\\CurrentControlSet\\", false, SYS, "ControlSet002", "ControlSet002");
	fails("SYSTEM\\CurrentControlSet\\Services\\OnlyOld", false, HKLM_KEY_MISSING, SYS,
	      "ControlSet002\\Services\\OnlyOld", "no such key");
	fails("SYSTEM\\CurrentControlSet2", false, HKLM_KEY_MISSING, SYS, "CurrentControlSet2",
	      "no such key");
	fails("SOFTWARE\\CurrentControlSet", false, HKLM_KEY_MISSING, SOFT, "CurrentControlSet",
	      "no such key");
}

static void links_stay_in_their_hive(void **state)
{
	(void)state;
	leads("Software\\Links\\Inside\\Parameters", false, SOFT, "Links\\Inside\\Parameters",
	      "Litware\\Inventory\\Parameters");
	leads("Software\\Links\\Root\\Litware", false, SOFT, "Links\\Root\\Litware", "Litware");
	leads("Software\\Links\\Root", false, SOFT, "Links\\Root", "");
	leads("Software\\Links\\Root\\Links\\Root\\Links\\Inside\\Parameters", false, SOFT,
	      "Links\\Root\\Links\\Root\\Links\\Inside\\Parameters",
	      "Litware\\Inventory\\Parameters");
	leads("SYSTEM\\CurrentControlSet\\Services\\Again", false, SYS,
	      "ControlSet002\\Services\\Again", "ControlSet002\\Services\\Inventory");
	leads("SYSTEM\\CurrentControlSet\\Services\\Old\\OnlyOld", false, SYS,
	      "ControlSet002\\Services\\Old\\OnlyOld", "ControlSet001\\Services\\OnlyOld");
	fails("Software\\Links\\Nowhere", false, HKLM_KEY_MISSING, SOFT, "Links\\Nowhere",
	      "no such key");
	fails("Software\\Links\\Away", false, HKLM_KEY_MISSING, SOFT, "Links\\Away",
	      "out of the hive");
	fails("Software\\Links\\User\\x", false, HKLM_KEY_MISSING, SOFT, "Links\\User\\x",
	      "out of the hive");
	fails("Software\\Links\\Prefix", false, HKLM_KEY_MISSING, SOFT, "Links\\Prefix",
	      "out of the hive");
	fails("Software\\Links\\Device", false, HKLM_KEY_MISSING, SOFT, "Links\\Device",
	      "out of the hive");
	fails("Software\\Links\\NoValue", false, HKLM_KEY_MISSING, SOFT, "Links\\NoValue",
	      "out of the hive");
}

static void circles_of_links_end(void **state)
{
	(void)state;
	fails("Software\\Links\\Loop", false, HKLM_KEY_MISSING, SOFT, "Links\\Loop", "circle");
	fails("Software\\Links\\Ping", false, HKLM_KEY_MISSING, SOFT, "Links\\Ping", "circle");
	leads("Software\\Chain\\15", false, SOFT, "Chain\\15", "Litware");
	fails("Software\\Chain\\16", false, HKLM_KEY_MISSING, SOFT, "Chain\\16", "circle");
}

static void prefixes_are_recognised(void **state)
{
	static const char *const prefixes[] = { "HKEY_LOCAL_MACHINE\\", "hkey_local_machine\\",
		                                "HKLM\\", "hkLM\\", "HKLM:\\" };
	TALLOC_CTX *ctx = talloc_new(NULL);
	char path[128];

	(void)state;
	for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++) {
		snprintf(path, sizeof(path), "%sSOFTWARE\\Litware", prefixes[i]);
		fails(path, false, HKLM_PREFIXED, NULL, NULL, "never finds it");
		same(path, "what was meant", ask(ctx, path, false).meant, "SOFTWARE\\Litware");
	}
	fails("HKLM", false, HKLM_PREFIXED, NULL, NULL, "never finds it");
	fails("HKLMX\\Software", false, HKLM_MALFORMED, NULL, NULL, "'HKLMX'");
	talloc_free(ctx);
}

/* RegOpenKeyEx: one backslash at the end is no harm, others are. */
static void malformed_paths_are_told(void **state)
{
	(void)state;
	leads("Software\\Litware\\", false, SOFT, "Litware", "Litware");
	fails("", false, HKLM_MALFORMED, NULL, NULL, "empty");
	fails("\\Software\\Litware", false, HKLM_MALFORMED, NULL, NULL, "begins with a backslash");
	fails("\\", false, HKLM_MALFORMED, NULL, NULL, "begins with a backslash");
	fails("Software\\\\Litware", false, HKLM_MALFORMED, NULL, NULL, "two backslashes");
	fails("Software\\Litware\\\\", false, HKLM_MALFORMED, NULL, NULL, "two backslashes");
	fails("Litware\\Inventory", false, HKLM_MALFORMED, NULL, NULL, "'Litware'");
	fails("HKEY_USERS\\.DEFAULT", false, HKLM_MALFORMED, NULL, NULL, "'HKEY_USERS'");
	fails("Software/Litware", false, HKLM_MALFORMED, NULL, NULL, "'Software/Litware'");
	fails("Software\\..\\Litware", false, HKLM_KEY_MISSING, SOFT, "..\\Litware", "no such key");
	fails("Software\\\xff\xfe", false, HKLM_KEY_MISSING, SOFT, "\xff\xfe", "no such key");
}

static void hives_that_are_not_here(void **state)
{
	(void)state;
	fails("HARDWARE\\DEVICEMAP", false, HKLM_VOLATILE, NULL, NULL, "on no disk");
	fails("hardware", false, HKLM_VOLATILE, NULL, NULL, "on no disk");
	fails("COMPONENTS\\x", false, HKLM_HIVE_MISSING, NULL, "x", "no COMPONENTS hive");
	fails("SAM\\SAM\\", false, HKLM_HIVE_MISSING, NULL, "SAM", "no SAM hive");
	fails("0.Cluster\\Nodes", false, HKLM_HIVE_MISSING, NULL, "Nodes", "witness disk");
	fails("bcd00000000\\Objects", false, HKLM_HIVE_MISSING, NULL, "Objects", "boot loader");
	fails("Security\\Policy", false, HKLM_HIVE_DAMAGED, CONFIG "/SECURITY", "Policy",
	      "SECURITY");
}

static void the_other_view_is_below_wow6432node(void **state)
{
	(void)state;
	leads("Software\\Litware", true, SOFT, "Wow6432Node\\Litware", "Wow6432Node\\Litware");
	leads("Software", true, SOFT, "Wow6432Node", "Wow6432Node");
	leads("Software\\wow6432node\\Litware", true, SOFT, "wow6432node\\Litware",
	      "Wow6432Node\\Litware");
	leads("Software\\Shared", true, SOFT, "Wow6432Node\\Shared", "Shared");
	fails("Software\\Links\\Inside", true, HKLM_KEY_MISSING, SOFT, "Wow6432Node\\Links\\Inside",
	      "no such key");
	leads("SYSTEM\\CurrentControlSet\\Services\\Inventory", true, SYS,
	      "ControlSet002\\Services\\Inventory", "ControlSet002\\Services\\Inventory");
}

/* A 32-bit Windows has one view; a SYSTEM hive without Select may have the link. */
static void what_is_not_there_changes_nothing(void **state)
{
	struct builder *soft = builder_new(NULL), *sys = builder_new(NULL);

	(void)state;
	talloc_free(node);
	named(soft, "Litware");
	named(sys, "ControlSet001\\Services\\Inventory");
	builder_link(builder_path(sys, "CurrentControlSet"),
	             "\\Registry\\Machine\\System\\ControlSet001");
	put(soft, SOFT);
	put(sys, SYS);
	open_node();
	leads("Software\\Litware", true, SOFT, "Litware", "Litware");
	leads("SYSTEM\\CurrentControlSet\\Services\\Inventory", false, SYS,
	      "CurrentControlSet\\Services\\Inventory", "ControlSet001\\Services\\Inventory");
	talloc_free(node);
	put(software(), SOFT);
	put(system_builder(), SYS);
	open_node();
}

/* Of a snapshot there is only the text. */
static void without_a_disk_the_text_is_judged(void **state)
{
	struct system *there = node;

	(void)state;
	node = NULL;
	fails("Software\\Litware\\", false, HKLM_HIVE_MISSING, NULL, "Litware", "no disk");
	fails("SYSTEM\\CurrentControlSet\\x", false, HKLM_HIVE_MISSING, NULL,
	      "CurrentControlSet\\x", "no disk");
	fails("HARDWARE\\x", false, HKLM_VOLATILE, NULL, NULL, "on no disk");
	fails("\\Software", false, HKLM_MALFORMED, NULL, NULL, "begins with a backslash");
	fails("HKLM\\Software", false, HKLM_PREFIXED, NULL, NULL, "never finds it");
	node = there;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		testing_unit(keys_are_found_in_any_letter_case),
		testing_unit(the_current_control_set_is_selected),
		testing_unit(links_stay_in_their_hive),
		testing_unit(circles_of_links_end),
		testing_unit(prefixes_are_recognised),
		testing_unit(malformed_paths_are_told),
		testing_unit(hives_that_are_not_here),
		testing_unit(the_other_view_is_below_wow6432node),
		testing_unit(what_is_not_there_changes_nothing),
		testing_unit(without_a_disk_the_text_is_judged),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
