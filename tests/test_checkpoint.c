/*
 * Registered checkpoints and where they are, on a disk that the builder made. The names of key
 * containers' files were computed with md5sum.
 */
#include "tests/testing.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "checkpoint/checkpoint.h"
#include "checkpoint/container.h"
#include "tests/builder.h"

#define GROUP "10000000-0000-4000-8000-000000000001"
#define ONE "a0000000-0000-4000-8000-00000000000a"
#define TWO "b0000000-0000-4000-8000-00000000000b"
#define THREE "c0000000-0000-4000-8000-00000000000c"
#define MACHINE "01234567-89ab-cdef-0123-456789abcdef"
#define STRANGER "fedcba98-0000-4000-8000-456789abcdef"
#define CONFIG "Windows/System32/config"

struct fixture {
	char *disk;
	struct builder *clusdb;
	struct cluster cluster;
	struct system *system; /* NULL: no disk */
	struct checkpoints points;
};

/* --- the disk --- */

static void make_directories(const char *disk, const char *path)
{
	char all[512];

	snprintf(all, sizeof(all), "%s/%s", disk, path);
	for (char *at = all + strlen(disk) + 1; (at = strchr(at, '/')); *at++ = '/') {
		*at = '\0';
		mkdir(all, 0700);
	}
	mkdir(all, 0700);
}

static void write_hive(struct fixture *f, struct builder *b, const char *path)
{
	size_t size;
	uint8_t *data = builder_write(b, &size);

	testing_write(f->disk, path, data, size);
}

static void make_system_hives(struct fixture *f)
{
	struct builder *b = builder_new(f);
	struct builder_key *key;

	builder_dword(builder_path(b, "Select"), "Current", 2);
	builder_path(b, "ControlSet001\\Services\\Old");
	builder_path(b, "ControlSet002\\Services\\App");
	builder_dword(builder_path(b, "ControlSet002\\Services\\ClusSvc"), "Start", 2);
	write_hive(f, b, CONFIG "/SYSTEM");
	b = builder_new(f);
	key = builder_path(b, "Microsoft\\Windows NT\\CurrentVersion");
	builder_string(key, "CurrentVersion", "6.3");
	builder_string(builder_path(b, "Microsoft\\Cryptography"), "MachineGuid", MACHINE);
	builder_path(b, "App\\Inner\\Deep");
	builder_path(b, "Apple");
	builder_path(b, "Wow6432Node\\Narrow");
	builder_link(builder_path(b, "Link"), "\\Registry\\Machine\\Software\\App");
	write_hive(f, b, CONFIG "/SOFTWARE");
}

static struct fixture *new_fixture(bool disk)
{
	struct fixture *f = talloc_zero(NULL, struct fixture);

	f->clusdb = builder_new(f);
	builder_path(f->clusdb, "Nodes\\1");
	builder_multi(builder_path(f->clusdb, "Groups\\" GROUP), "Contains",
	              (const char *const[]){ ONE, TWO, THREE, NULL });
	builder_string(builder_path(f->clusdb, "Resources\\" ONE), "Name", "One");
	builder_string(builder_path(f->clusdb, "Resources\\" TWO), "Name", "Two");
	builder_path(f->clusdb, "Resources\\" THREE);
	if (disk) {
		f->disk = testing_directory();
		make_directories(f->disk, CONFIG);
		make_system_hives(f);
	}
	return f;
}

static void free_fixture(struct fixture *f)
{
	char *disk = f->disk;

	talloc_free(f);
	if (disk)
		testing_remove(disk);
}

static struct builder_key *registry(struct fixture *f, const char *resource)
{
	return builder_below(builder_below(builder_path(f->clusdb, "Resources"), resource),
	                     "RegSync");
}

static struct builder_key *crypto(struct fixture *f, const char *resource)
{
	return builder_below(builder_below(builder_path(f->clusdb, "Resources"), resource),
	                     "CryptoSync");
}

static void read_points(struct fixture *f)
{
	struct error err = { .kind = ERROR_NONE };
	size_t size;
	uint8_t *data = builder_write(f->clusdb, &size);
	struct image *image = image_copy(f, (struct bytes){ data, size }, &err);
	struct hive *hive;

	if (!image || !image_seal(image, &err))
		fail_msg("%s", err.text);
	hive = hive_open_image(f, image, "CLUSDB", &err);
	if (f->disk)
		f->system = system_open(f, f->disk, NULL, &err);
	if (!hive || (f->disk && !f->system) || !cluster_read(f, hive, &f->cluster, &err) ||
	    !checkpoints_read(f, &f->cluster, f->system, &f->points, &err))
		fail_msg("%s", err.text);
}

/* Exactly these problems, as CODE, TEXT, CODE, TEXT, ..., NULL, in this order. */
static void expect_problems(const struct problems *problems, const char *const *expected)
{
	uint32_t count = 0;

	for (; expected[2 * count]; count++) {
		if (count == problems->count)
			fail_msg("missing: %s", expected[2 * count + 1]);
		assert_string_equal(problems->list[count].code, expected[2 * count]);
		assert_string_equal(problems->list[count].text, expected[2 * count + 1]);
	}
	if (problems->count != count)
		fail_msg("too many: %s", problems->list[count].text);
}

#define PROBLEMS(...) ((const char *const[]){ __VA_ARGS__, NULL })

/* --- ids and texts --- */

static void test_ids(void **state)
{
	static const char *const rows[][2] = {
		{ "00000001", "00000001" },
		{ "1", "00000001" },
		{ "ABCDEF09", "abcdef09" },
		{ "bC1", "00000bc1" },
		{ "", NULL },
		{ "000000001", NULL },
		{ "0x1", NULL },
		{ "../../0", NULL },
		{ " 1", NULL },
		{ "1g", NULL },
		{ "\xef\xbc\x91", NULL },
	};

	(void)state;
	for (unsigned i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		char id[9] = "before";

		assert_int_equal(checkpoint_id(rows[i][0], id), rows[i][1] != NULL);
		assert_string_equal(id, rows[i][1] ? rows[i][1] : "before");
	}
}

static void test_registrations(void **state)
{
	struct fixture *f = new_fixture(false);
	const struct checkpoint *p;

	(void)state;
	builder_text(registry(f, TWO), "00000001", REG_SZ, "Software\\B", false); /* no NUL */
	builder_string(registry(f, ONE), "A", "Software\\C");
	builder_text(registry(f, ONE), "00000002", REG_EXPAND_SZ, "Software\\A", true);
	builder_string(registry(f, ONE), "0000000a", "Software\\twin");
	builder_string(registry(f, ONE), "", "Software\\default");
	builder_string(registry(f, ONE), "..\\evil", "Software\\D");
	builder_dword(registry(f, ONE), "00000003", 3);
	builder_value(registry(f, ONE), "00000004", REG_BINARY, "ab", 2);
	builder_string(crypto(f, ONE), "00000002", "1\\\\Keys");
	builder_string(crypto(f, THREE), "1", "24\\A Provider\\Some\\Keys");
	read_points(f);
	assert_int_equal(f->points.count, 5);
	p = &f->points.list[0];
	assert_int_equal(p->type, CHECKPOINT_REGISTRY);
	assert_string_equal(p->resource, ONE);
	assert_string_equal(p->resource_name, "One");
	assert_string_equal(p->id, "00000002");
	assert_string_equal(p->path, "Software\\A");
	assert_string_equal(p->file, ONE "/00000002.CPT");
	assert_false(p->present);
	assert_string_equal(p[1].id, "0000000a");
	assert_string_equal(p[1].path, "Software\\C");
	assert_int_equal(p[2].type, CHECKPOINT_CRYPTO);
	assert_string_equal(p[2].file, ONE "/00000002.CPR");
	assert_int_equal(p[2].provider_type, 1);
	assert_string_equal(p[2].provider, "");
	assert_string_equal(p[2].container, "Keys");
	assert_string_equal(p[3].path, "Software\\B");
	assert_null(p[4].resource_name);
	assert_string_equal(p[4].id, "00000001");
	assert_int_equal(p[4].provider_type, 24);
	assert_string_equal(p[4].provider, "A Provider");
	assert_string_equal(p[4].container, "Some\\Keys");
	expect_problems(f->points.problems,
	                PROBLEMS("malformed-id",
	                         "Resources\\" ONE "\\RegSync has a value \"\", which is no "
	                         "checkpoint's id; it is left out",
	                         "malformed-id",
	                         "Resources\\" ONE
	                         "\\RegSync has a value \"..\\evil\", which is no "
	                         "checkpoint's id; it is left out",
	                         "malformed-checkpoint",
	                         "Resources\\" ONE "\\RegSync has a value \"00000003\", "
	                         "which holds no text; it is left out",
	                         "malformed-checkpoint",
	                         "Resources\\" ONE "\\RegSync has a value \"00000004\", "
	                         "which holds no text; it is left out",
	                         "malformed-id",
	                         "Resources\\" ONE "\\RegSync has two values for 0000000a; "
	                         "\"Software\\twin\" is left out"));
	free_fixture(f);
}

static void test_crypto_text(void **state)
{
	static const char *const bad[] = { "",
		                           "1",
		                           "1\\",
		                           "1\\P",
		                           "1\\P\\",
		                           "\\P\\K",
		                           "x\\P\\K",
		                           "1 \\P\\K",
		                           "4294967296\\P\\K",
		                           "-1\\P\\K",
		                           "99999999999999999999999\\P\\K" };
	struct error err = { .kind = ERROR_NONE };
	TALLOC_CTX *ctx = talloc_new(NULL);
	char *provider, *container;
	uint32_t type;

	(void)state;
	for (unsigned i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		if (checkpoint_crypto(ctx, bad[i], &type, &provider, &container, &err))
			fail_msg("%s", bad[i]);
		assert_int_equal(err.kind, ERROR_SOURCE);
	}
	assert_true(checkpoint_crypto(ctx, "4294967295\\\\K", &type, &provider, &container, &err));
	assert_int_equal(type, UINT32_MAX);
	talloc_free(ctx);
}

/* --- on a disk --- */

static void test_places(void **state)
{
	static const struct {
		const char *path;
		int hive;
		const char *key;
		bool present;
		const char *code, *text;
	} rows[] = {
		{ "Software\\App", SYSTEM_SOFTWARE, "App", true, NULL, NULL },
		{ "SYSTEM\\CurrentControlSet\\Services\\App", SYSTEM_SYSTEM,
		  "ControlSet002\\Services\\App", true, NULL, NULL },
		{ "software\\LINK\\inner", SYSTEM_SOFTWARE, "LINK\\inner", true, NULL, NULL },
		{ "SYSTEM\\CurrentControlSet\\Services\\Old", SYSTEM_SYSTEM,
		  "ControlSet002\\Services\\Old", false, "checkpoint-key-missing",
		  "SYSTEM\\CurrentControlSet\\Services\\Old is not on this disk: there is no such "
		  "key "
		  "in the hive" },
		{ "SOFTWARE\\Narrow", SYSTEM_SOFTWARE, "Narrow", false, "checkpoint-key-missing",
		  "SOFTWARE\\Narrow is not on this disk: there is no such key in the hive; in the "
		  "32-bit view, below Wow6432Node, there is one" },
		{ "HKEY_LOCAL_MACHINE\\SOFTWARE\\Apple", -1, NULL, false,
		  "checkpoint-path-prefixed",
		  "HKEY_LOCAL_MACHINE\\SOFTWARE\\Apple: the path begins with HKEY_LOCAL_MACHINE, "
		  "so "
		  "Windows looks for a key of that name below HKEY_LOCAL_MACHINE and never finds "
		  "it; "
		  "SOFTWARE\\Apple, which is probably meant, is on this disk" },
		{ "hklm\\SOFTWARE\\Pear", -1, NULL, false, "checkpoint-path-prefixed",
		  "hklm\\SOFTWARE\\Pear: the path begins with HKLM, so Windows looks for a key of "
		  "that "
		  "name below HKEY_LOCAL_MACHINE and never finds it; SOFTWARE\\Pear, which is "
		  "probably "
		  "meant, is not on this disk" },
		{ "HKLM", -1, NULL, false, "checkpoint-path-prefixed",
		  "HKLM: the path begins with HKLM, so Windows looks for a key of that name below "
		  "HKEY_LOCAL_MACHINE and never finds it" },
		{ "Hardware\\Description", -1, NULL, false, "checkpoint-volatile",
		  "Hardware\\Description: HARDWARE is made at every start of Windows and is on no "
		  "disk" },
		{ "SAM\\SAM", SYSTEM_SAM, "SAM", false, "checkpoint-key-missing",
		  "SAM\\SAM is not on this disk: there is no SAM hive on this disk" },
		{ "\\Software\\App", -1, NULL, false, "checkpoint-key-missing",
		  "\\Software\\App is not on this disk: the path begins with a backslash, which "
		  "Windows refuses" },
	};
	struct fixture *f = new_fixture(true);

	(void)state;
	for (unsigned i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		char id[9];

		snprintf(id, sizeof(id), "%x", i);
		builder_string(registry(f, ONE), id, rows[i].path);
	}
	read_points(f);
	assert_int_equal(f->points.count, sizeof(rows) / sizeof(*rows));
	for (unsigned i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		const struct checkpoint *p = &f->points.list[i];

		assert_string_equal(p->path, rows[i].path);
		assert_int_equal(p->where.hive, rows[i].hive);
		if (rows[i].key)
			assert_string_equal(p->where.key, rows[i].key);
		assert_int_equal(p->present, rows[i].present);
		expect_problems(p->problems, PROBLEMS(rows[i].code, rows[i].text));
	}
	assert_string_equal(
		f->points.problems->list[0].text,
		"registry checkpoint 00000003 of One: "
		"SYSTEM\\CurrentControlSet\\Services\\Old is not on this disk: there is "
		"no such key in the hive");
	assert_int_equal(f->points.problems->count, 8);
	free_fixture(f);
}

static void test_damaged_hive(void **state)
{
	struct fixture *f = new_fixture(true);

	(void)state;
	testing_write(f->disk, CONFIG "/SECURITY", "no hive", 7);
	builder_string(registry(f, ONE), "1", "SECURITY\\Policy");
	read_points(f);
	assert_int_equal(f->points.list[0].problems->count, 1);
	assert_string_equal(f->points.list[0].problems->list[0].code, "checkpoint-hive-damaged");
	assert_non_null(strstr(f->points.list[0].problems->list[0].text,
	                       "whether SECURITY\\Policy is on this disk cannot be told: "));
	assert_false(f->points.list[0].present);
	free_fixture(f);
}

/* --- overlaps --- */

static void expect_pairs(const struct checkpoints *points, const char *const *expected)
{
	uint32_t count = 0;

	for (; expected[count]; count++) {
		char text[512];
		const struct checkpoint *outer, *inner;

		assert_true(count < points->overlap_count);
		outer = &points->list[points->overlaps[count].outer];
		inner = &points->list[points->overlaps[count].inner];
		snprintf(text, sizeof(text), "%c%s %c%s", outer->resource[0], outer->id + 7,
		         inner->resource[0], inner->id + 7);
		assert_string_equal(text, expected[count]);
	}
	assert_int_equal(points->overlap_count, count);
}

static void build_overlaps(struct fixture *f)
{
	builder_string(registry(f, ONE), "1", "Software\\App\\Inner");
	builder_string(registry(f, ONE), "2",
	               "Software\\App"); /* of the same resource: no overlap */
	builder_string(registry(f, ONE), "3", "Software\\M\xc3\xa4rz\\");
	builder_string(registry(f, TWO), "1", "SOFTWARE\\Apple"); /* not inside App */
	builder_string(registry(f, TWO), "2", "SOFTWARE\\APP\\inner\\Deep");
	builder_string(registry(f, TWO), "3", "SOFTWARE\\App inner"); /* sorts before App\... */
	builder_string(registry(f, TWO), "4", "software\\M\xc3\x84RZ\\x");
	builder_string(registry(f, THREE), "1", "software\\app\\INNER");
	builder_string(registry(f, THREE), "2", "SYSTEM\\App\\Inner");
	builder_string(registry(f, THREE), "3", "HKEY_LOCAL_MACHINE\\Software\\App");
}

static void test_overlaps(void **state)
{
	struct fixture *f = new_fixture(true);

	(void)state;
	build_overlaps(f);
	builder_string(registry(f, ONE), "5", "SYSTEM\\CurrentControlSet\\Services\\App");
	builder_string(registry(f, TWO), "5", "System\\ControlSet002\\Services");
	read_points(f);
	expect_pairs(&f->points, (const char *const[]){ "b5 a5", "a1 c1", "a2 c1", "c1 b2", "a1 b2",
	                                                "a2 b2", "a3 b4", NULL });
	free_fixture(f);
}

/* Without a disk the texts are all there is. */
static void test_overlaps_of_text(void **state)
{
	struct fixture *f = new_fixture(false);
	const struct checkpoint *p;

	(void)state;
	build_overlaps(f);
	read_points(f);
	expect_pairs(&f->points, (const char *const[]){ "a1 c1", "a2 c1", "c1 b2", "a1 b2", "a2 b2",
	                                                "a3 b4", NULL });
	p = &f->points.list[1];
	expect_problems(p->problems, PROBLEMS("checkpoint-overlap",
	                                      "Software\\App contains checkpoint 00000001 of " THREE
	                                      ": software\\app\\INNER",
	                                      "checkpoint-overlap",
	                                      "Software\\App contains checkpoint 00000002 of Two: "
	                                      "SOFTWARE\\APP\\inner\\Deep"));
	free_fixture(f);
}

/* What the text alone says, as in a snapshot, where there is no disk. */
static void test_text_alone(void **state)
{
	struct fixture *f = new_fixture(false);

	(void)state;
	builder_string(registry(f, ONE), "1", "HARDWARE\\Acpi");
	builder_string(registry(f, ONE), "2", "HKLM\\Software\\App");
	builder_string(registry(f, ONE), "3", "\\Software\\App");
	builder_string(registry(f, ONE), "4", "SYSTEM\\CurrentControlSet\\Services\\App");
	builder_string(crypto(f, ONE), "1", "1\\P\\Keys");
	read_points(f);
	assert_int_equal(f->points.count, 5);
	assert_string_equal(f->points.list[0].problems->list[0].code, "checkpoint-volatile");
	expect_problems(f->points.list[1].problems,
	                PROBLEMS("checkpoint-path-prefixed",
	                         "HKLM\\Software\\App: the path begins with HKLM, so Windows "
	                         "looks for a key of that name below HKEY_LOCAL_MACHINE and never "
	                         "finds it"));
	assert_string_equal(f->points.list[2].problems->list[0].code, "checkpoint-key-missing");
	assert_int_equal(f->points.list[3].problems->count, 0);
	assert_int_equal(f->points.list[3].where.hive, SYSTEM_SYSTEM);
	assert_string_equal(f->points.list[3].where.key, "CurrentControlSet\\Services\\App");
	assert_int_equal(f->points.list[4].problems->count, 0);
	free_fixture(f);
}

/* Thousands of registrations of one key: linear, and the lists do not flood. */
static void test_many_overlaps(void **state)
{
	struct fixture *f = new_fixture(false);
	unsigned count = 2000;

	(void)state;
	for (unsigned i = 0; i < count; i++) {
		char id[9];

		snprintf(id, sizeof(id), "%x", i);
		builder_string(registry(f, i % 2 ? ONE : TWO), id, "Software\\App");
	}
	read_points(f);
	assert_int_equal(f->points.count, count);
	assert_int_equal(f->points.overlap_count, 500 * CHECKPOINT_OVERLAPS + 500);
	assert_int_equal(f->points.problems->count, PROBLEM_SAME);
	for (unsigned i = count / 2; i < count; i++) /* twenty each, one each when they are many */
		assert_int_equal(f->points.list[i].problems->count,
		                 i < count / 2 + 500 ? PROBLEM_SAME : 1);
	free_fixture(f);
}

/* --- key containers --- */

#define KEYS_HASH "227621f92117ba3db8cd92963fed1df1"  /* of "keys" */
#define MARCH_HASH "26afdf4c9400b94e49c2b96b4a21ae06" /* of "m\xe4rz" */
#define AWAY_HASH "dd93973c878756a437db8b5de958fa47"  /* of "away" */
#define OTHER_HASH "863425c29a6204bcff5593664bdb7655" /* of "other" */

static void test_container_names(void **state)
{
	static const char *const rows[][2] = {
		{ "MyCoolContainer", "52ab417621a9d74c73e3e0f1bc374e0a" }, /* published example */
		{ "keys", KEYS_HASH },
		{ "KEYS", KEYS_HASH },
		{ "M\xc3\x84RZ", MARCH_HASH },
		{ "m\xc3\xa4rz", MARCH_HASH },
		{ "\xe2\x82\xac", NULL }, /* the euro sign: in a code page, but not in Latin-1 */
		{ "\xc2\x80", NULL },     /* where code pages have signs of their own */
		{ "a\xc0\x80"
		  "b",
		  NULL },         /* a NUL inside */
		{ "\xff", NULL }, /* no text at all */
	};

	(void)state;
	for (unsigned i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		char hash[CONTAINER_HASH] = "";

		assert_int_equal(container_hash(rows[i][0], hash), rows[i][1] != NULL);
		assert_string_equal(hash, rows[i][1] ? rows[i][1] : "");
	}
}

/* One crypto checkpoint after another, each with what must be said of it. */
static void test_containers(void **state)
{
	static const struct {
		const char *path, *file, *why;
	} rows[] = {
		{ "1\\P\\Keys",
		  "ProgramData/Microsoft/crypto/RSA/MachineKeys/" KEYS_HASH "_" MACHINE, NULL },
		{ "1\\P\\M\xc3\xa4rz",
		  "ProgramData/Microsoft/crypto/SystemKeys/"
		  "26AFDF4C9400B94E49C2B96B4A21AE06_" MACHINE,
		  NULL },
		{ "1\\P\\Away", NULL,
		  "Away: the key container is there for another MachineGuid only, where this "
		  "system "
		  "does not find it: ProgramData/Microsoft/crypto/RSA/MachineKeys/" AWAY_HASH
		  "_" STRANGER },
		{ "1\\P\\Other", NULL,
		  "Other: the key container is not on this disk: no key directory "
		  "in ProgramData/Microsoft/Crypto has a file " OTHER_HASH "_" MACHINE },
		{ "1\\P\\\xe2\x82\xac", NULL,
		  "\xe2\x82\xac: whether the key container is on this disk cannot be told: its "
		  "name has "
		  "characters whose ANSI code is not known" },
		{ "1;P;Keys", NULL,
		  "\"1;P;Keys\" is not Type\\Name\\Key, as a crypto checkpoint is" },
	};
	struct fixture *f = new_fixture(true);

	(void)state;
	make_directories(f->disk, "ProgramData/Microsoft/crypto/RSA/MachineKeys");
	make_directories(f->disk, "ProgramData/Microsoft/crypto/SystemKeys");
	/* a directory is no container, whatever its name */
	make_directories(f->disk,
	                 "ProgramData/Microsoft/crypto/SystemKeys/" OTHER_HASH "_" MACHINE);
	testing_write(f->disk, rows[0].file, "x", 1);
	testing_write(f->disk, rows[1].file, "x", 1);
	testing_write(f->disk,
	              "ProgramData/Microsoft/crypto/RSA/MachineKeys/" AWAY_HASH "_" STRANGER, "x",
	              1);
	testing_write(f->disk, "ProgramData/Microsoft/crypto/RSA/MachineKeys/" OTHER_HASH "_x", "x",
	              1);
	for (unsigned i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		char id[9];

		snprintf(id, sizeof(id), "%x", i);
		builder_string(crypto(f, ONE), id, rows[i].path);
	}
	read_points(f);
	for (unsigned i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		const struct checkpoint *p = &f->points.list[i];

		assert_int_equal(p->present, rows[i].file != NULL);
		if (rows[i].file)
			assert_string_equal(p->key_file, rows[i].file);
		else
			assert_null(p->key_file);
		expect_problems(
			p->problems,
			PROBLEMS(rows[i].why ? "crypto-container-missing" : NULL, rows[i].why));
	}
	free_fixture(f);
}

/* The place of the other generation, and what cannot be told without a MachineGuid. */
static void test_container_unknown(void **state)
{
	static const char *const directory = "Documents and Settings/All Users/Application "
					     "Data/Microsoft/Crypto/DSS/MachineKeys";
	struct fixture *f = new_fixture(true);
	struct error err = { .kind = ERROR_NONE };
	struct containers *all;
	struct container found;
	char path[512];

	(void)state;
	make_directories(f->disk, directory);
	snprintf(path, sizeof(path), "%s/" KEYS_HASH "_" MACHINE, directory);
	testing_write(f->disk, path, "x", 1);
	read_points(f);
	all = containers_open(f, f->system, &err);
	assert_true(container_find(f, all, "keys", &found, &err));
	assert_int_equal(found.result, CONTAINER_PRESENT);
	assert_string_equal(found.file, path);
	f->system->machine_guid = NULL;
	all = containers_open(f, f->system, &err);
	assert_true(container_find(f, all, "keys", &found, &err));
	assert_int_equal(found.result, CONTAINER_UNKNOWN);
	assert_non_null(strstr(found.why, "MachineGuid this system has is not known"));
	assert_true(container_find(f, all, "other", &found, &err));
	assert_int_equal(found.result, CONTAINER_ABSENT);
	free_fixture(f);
}

/* A link in place of a directory is not followed, and then nobody knows. */
static void test_container_link(void **state)
{
	struct fixture *f = new_fixture(true);
	char path[512];

	(void)state;
	make_directories(f->disk, "ProgramData/Microsoft/Crypto");
	make_directories(f->disk, "elsewhere/MachineKeys");
	testing_write(f->disk, "elsewhere/MachineKeys/" KEYS_HASH "_" MACHINE, "x", 1);
	snprintf(path, sizeof(path), "%s/ProgramData/Microsoft/Crypto/RSA", f->disk);
	assert_int_equal(symlink("../../../elsewhere", path), 0);
	builder_string(crypto(f, ONE), "1", "1\\P\\keys");
	read_points(f);
	assert_false(f->points.list[0].present);
	assert_int_equal(f->points.list[0].problems->count, 1);
	assert_non_null(strstr(f->points.list[0].problems->list[0].text,
	                       "whether the key container is on this disk cannot be told: "));
	free_fixture(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		testing_unit(test_ids),
		testing_unit(test_registrations),
		testing_unit(test_crypto_text),
		testing_unit(test_places),
		testing_unit(test_damaged_hive),
		testing_unit(test_overlaps),
		testing_unit(test_overlaps_of_text),
		testing_unit(test_text_alone),
		testing_unit(test_many_overlaps),
		testing_unit(test_container_names),
		testing_unit(test_containers),
		testing_unit(test_container_unknown),
		testing_unit(test_container_link),
	};

	return cmocka_run_group_tests(tests, testing_begin, testing_end);
}
