/*
 * plan.json: it is written as it was read, and nothing that it says is believed. Each of its
 * members is taken away, doubled, given other types and hostile values.
 */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/testing.h"
#include "tests/undoing.h"

/* A plan with everything in it, small, on CTX. */
static char *whole_text(TALLOC_CTX *ctx)
{
	struct undo *undo = undoing_all(NULL, "/mnt/node 1", "/mnt/quorum");
	struct target_attributes attributes = { .known = true, .mode = 0600, .seconds = -1 };
	struct error err;
	struct bytes text;
	char *copy;

	undo->disks[UNDO_SYSTEM].serial_known = true;
	undo->disks[UNDO_SYSTEM].serial = 0xfedcba9876543210u;
	attributes.acl = undoing_text(undo, "acl", 30);
	undo->files[0].attributes = attributes;
	text = undo_plan_write(undo, undo, &err);
	assert_non_null(text.data);
	copy = talloc_strdup(ctx, (const char *)text.data);
	talloc_free(undo);
	return copy;
}

static struct bytes bytes_of(const char *text)
{
	return (struct bytes){ (const uint8_t *)text, strlen(text) };
}

/*
 * Reads a plan. What is accepted must be written back so that it is the same plan again; what is
 * not, says so. Gives the text of the error, "" if there is none; on CTX.
 */
static char *reads(TALLOC_CTX *ctx, const char *text)
{
	TALLOC_CTX *tmp = talloc_new(NULL);
	struct undo undo, again;
	struct error err = { 0 };
	struct bytes written, twice;

	if (!undo_plan_read(tmp, bytes_of(text), &undo, &err)) {
		if (err.kind != ERROR_SOURCE || !err.text[0])
			fail_msg("refused with %d, '%s': %s", err.kind, err.text, text);
		talloc_free(tmp);
		return talloc_strdup(ctx, err.text);
	}
	assert_true(undo_check(&undo, &err));
	written = undo_plan_write(tmp, &undo, &err);
	assert_non_null(written.data);
	assert_true(undo_plan_read(tmp, written, &again, &err));
	twice = undo_plan_write(tmp, &again, &err);
	assert_true(bytes_equal(written, twice));
	talloc_free(tmp);
	return talloc_strdup(ctx, "");
}

static void it_is_written_as_it_was_read(void **state)
{
	TALLOC_CTX *tmp = talloc_new(NULL);
	char *text = whole_text(tmp);
	struct undo undo;
	struct error err;
	struct bytes again;
	char digest[DIGEST_HEX];
	uint8_t sum[DIGEST_SIZE];

	(void)state;
	assert_true(undo_plan_read(tmp, bytes_of(text), &undo, &err));
	again = undo_plan_write(tmp, &undo, &err);
	assert_string_equal((const char *)again.data, text);
	digest_bytes(again, sum);
	digest_hex(sum, digest);
	assert_string_equal(undo.id, digest);
	assert_null(undo.path);
	talloc_free(tmp);
}

/* --- every member --- */

#define DOUBLE "\"@double@\""

/* The plan as text again; DOUBLE in it becomes the member NAME once more. */
static char *text_of(TALLOC_CTX *ctx, const json_t *plan, const char *name)
{
	char *dumped = json_dumps(plan, JSON_INDENT(1)), *text, *at;

	assert_non_null(dumped);
	at = strstr(dumped, DOUBLE);
	if (at)
		text = talloc_asprintf(ctx, "%.*s\"%s\"%s", (int)(at - dumped), dumped, name,
		                       at + strlen(DOUBLE));
	else
		text = talloc_strdup(ctx, dumped);
	free(dumped);
	return text;
}

/* May the member be null? */
static bool nullable(const char *name)
{
	static const char *const names[] = { "source",     "quorum", "system",    "serial",
		                             "folder",     "old",    "recovered", "new",
		                             "attributes", NULL };

	for (const char *const *one = names; *one; one++) {
		if (strcmp(*one, name) == 0)
			return true;
	}
	return false;
}

/* The members of other types in the place of one. */
static const char *const values[] = { "null", "true",   "7",  "0.5",  "\"text\"",
	                              "[]",   "[null]", "{}", "[[]]", "{\"a\": 1}" };

/* Is VALUE of the type that the member has? Lists of texts have no other text than that. */
static bool same_type(const json_t *member, const json_t *value)
{
	if (json_is_boolean(member))
		return json_is_boolean(value);
	if (json_is_array(member))
		return json_is_array(value) && json_array_size(value) == 0;
	return json_typeof(member) == json_typeof(value) && !json_is_object(value);
}

static unsigned tried;

static void wrong_types(json_t *plan, json_t *object, const char *name, json_t *member)
{
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		TALLOC_CTX *tmp = talloc_new(NULL);
		json_t *value = json_loads(values[i], JSON_DECODE_ANY, NULL);
		char *error;

		assert_non_null(value);
		if (json_is_null(member) || same_type(member, value)) {
			json_decref(value);
			talloc_free(tmp);
			continue;
		}
		json_object_set_new(object, name, value);
		error = reads(tmp, text_of(tmp, plan, name));
		json_object_set(object, name, member);
		if (!*error && !(json_is_null(value) && nullable(name)))
			fail_msg("%s: %s is accepted", name, values[i]);
		tried++;
		talloc_free(tmp);
	}
}

/* Breaks each member of OBJECT in all ways, and what is below it. */
static void break_members(json_t *plan, json_t *object)
{
	json_t *copy = json_copy(object), *member;
	const char *name;

	json_object_foreach(copy, name, member)
	{
		TALLOC_CTX *tmp = talloc_new(NULL);

		json_object_del(object, name);
		if (!*reads(tmp, text_of(tmp, plan, name)))
			fail_msg("without %s it is accepted", name);
		json_object_set(object, name, member);
		assert_string_equal(reads(tmp, text_of(tmp, plan, name)), "");
		json_object_set(object, "@double@", member);
		if (!*reads(tmp, text_of(tmp, plan, name)))
			fail_msg("with %s twice it is accepted", name);
		json_object_del(object, "@double@");
		wrong_types(plan, object, name, member);
		if (json_is_object(member))
			break_members(plan, member);
		for (size_t i = 0; json_is_array(member) && i < json_array_size(member); i++) {
			if (json_is_object(json_array_get(member, i)))
				break_members(plan, json_array_get(member, i));
		}
		talloc_free(tmp);
	}
	json_object_set_new(object, "more", json_null());
	{
		TALLOC_CTX *tmp = talloc_new(NULL);

		if (!*reads(tmp, text_of(tmp, plan, "more")))
			fail_msg("with a member that nobody knows it is accepted");
		talloc_free(tmp);
	}
	json_object_del(object, "more");
	json_decref(copy);
}

static void every_member_counts(void **state)
{
	TALLOC_CTX *tmp = talloc_new(NULL);
	char *text = whole_text(tmp);
	json_t *plan = json_loads(text, 0, NULL);

	(void)state;
	assert_non_null(plan);
	if (testing_rounds(0, 1)) { /* the first two files have every kind of member */
		json_t *files = json_object_get(plan, "files");

		while (json_array_size(files) > 2)
			json_array_remove(files, 2);
	}
	tried = 0;
	break_members(plan, plan);
	assert_in_range(tried, 200, 100000);
	json_decref(plan);
	talloc_free(tmp);
}

static void cut_or_continued(void **state)
{
	TALLOC_CTX *tmp = talloc_new(NULL);
	char *text = whole_text(tmp);
	size_t size = strlen(text), end = size - 1; /* but for the newline */

	(void)state;
	while (end-- > 0) {
		struct undo undo;
		struct error err = { 0 };

		if (end % testing_rounds(1, 37))
			continue;
		assert_false(
			undo_plan_read(tmp, (struct bytes){ (uint8_t *)text, end }, &undo, &err));
		assert_int_equal(err.kind, ERROR_SOURCE);
	}
	assert_string_not_equal(reads(tmp, talloc_asprintf(tmp, "%s{}", text)), "");
	assert_string_not_equal(reads(tmp, talloc_asprintf(tmp, "[%s]", text)), "");
	assert_string_not_equal(reads(tmp, "null"), "");
	talloc_free(tmp);
}

/* --- values --- */

/* WHOLE with the first FROM behind AFTER replaced by TO. */
static char *edited(TALLOC_CTX *ctx, const char *whole, const char *after, const char *from,
                    const char *to)
{
	const char *start = strstr(whole, after), *at = start ? strstr(start, from) : NULL;

	if (!at)
		fail_msg("no '%s' behind '%s'", from, after);
	return talloc_asprintf(ctx, "%.*s%s%s", (int)(at - whole), whole, to, at + strlen(from));
}

static void hostile_paths(void **state)
{
	static const struct {
		const char *path, *said; /* as JSON; NULL: it is accepted */
	} rows[] = {
		{ "", "leads down" },
		{ ".", "leads down" },
		{ "..", "leads down" },
		{ "/", "leads down" },
		{ "/etc/shadow", "leads down" },
		{ "a//b", "leads down" },
		{ "a/", "leads down" },
		{ "a/./b", "leads down" },
		{ "../a", "leads down" },
		{ "a/../b", "leads down" },
		{ "a/..", "leads down" },
		{ "Windows\\\\Cluster", "no name of Windows" },
		{ "..\\\\a", "no name of Windows" },
		{ "a:b", "no name of Windows" },
		{ "C:/a", "no name of Windows" },
		{ "a*", "no name of Windows" },
		{ "a?", "no name of Windows" },
		{ "a\\\"", "no name of Windows" },
		{ "a<", "no name of Windows" },
		{ "a>", "no name of Windows" },
		{ "a|", "no name of Windows" },
		{ "a\\u0001", "no name of Windows" },
		{ "a\\n", "no name of Windows" },
		{ "a\\u001f", "no name of Windows" },
		{ "a\\u0000b", "is no JSON" },
		{ "a\\ud800b", "is no JSON" },
		{ "a\xff", "is no JSON" },
		{ "a\xed\xa0\x80", "is no JSON" },
		{ "a\xc0\xaf..", "is no JSON" },
		{ "Windows/System32/config/SECURITY", "is there twice" },
		{ "windows/system32/CONFIG/security", "is there twice" },
		{ "...", NULL },
		{ "..a/b..", NULL },
		{ "\xc3\x84/\xf0\x9f\x98\x80", NULL },
	};
	TALLOC_CTX *tmp = talloc_new(NULL);
	char *whole = whole_text(tmp);

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char *text = edited(tmp, whole, "\"files\"", "Windows/System32/config/SOFTWARE",
		                    rows[i].path);
		char *error = reads(tmp, text);

		if (!rows[i].said ? *error : !strstr(error, rows[i].said))
			fail_msg("the path \"%s\": %s", rows[i].path, error);
	}
	talloc_free(tmp);
}

/* The same path on the other volume is another file; with other letters of one case it is not. */
static void the_same_path(void **state)
{
	static const struct {
		enum undo_volume volume;
		const char *one, *other;
		bool good;
	} rows[] = {
		{ UNDO_SYSTEM, "MSCS/a", "MSCS/A", false },
		{ UNDO_SYSTEM, "MSCS/\xc3\xa4", "mscs/\xc3\x84", false },
		{ UNDO_QUORUM, "MSCS/a", "MSCS/A", true },
		{ UNDO_SYSTEM, "MSCS/a", "MSCS/b", true },
		{ UNDO_SYSTEM, "MSCS/a", "MSCS/a/b", true },
	};
	TALLOC_CTX *tmp = talloc_new(NULL);
	struct bytes bytes = undoing_text(tmp, "text", 20);

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct undo *undo = undoing_new(tmp, "/mnt/node", "/mnt/quorum");
		struct error err = { 0 };

		undoing_add(undo, UNDO_SYSTEM, rows[i].one, bytes, UNDOING_NONE, UNDOING_NONE);
		undoing_add(undo, rows[i].volume, rows[i].other, bytes, UNDOING_NONE, UNDOING_NONE);
		assert_int_equal(undo_check(undo, &err), rows[i].good);
		if (!rows[i].good)
			assert_non_null(strstr(err.text, "twice"));
	}
	talloc_free(tmp);
}

/* A form of 8192 bytes. */
#define FORM "{\"size\": 8192, \"sha256\": \"" DIGITS DIGITS "\"}"
#define DIGITS "00112233445566778899aabbccddeeff"

static void hostile_values(void **state)
{
	static const struct {
		const char *after, *from, *to, *said;
	} rows[] = {
		{ "", "clusnap undo", "clusnap journal", "format" },
		{ "\"version\"", "1", "2", "later clusnap" },
		{ "\"version\"", "1", "0", "later clusnap" },
		{ "\"version\"", "1", "1e0", "format" },
		{ "\"version\"", "1", "18446744073709551617", "is no JSON" },
		{ "\"action\"", "resize", "rename", "rename: is no action" },
		{ "\"action\"", "resize", "", "is no action" },
		{ "\"action\"", "resize", "Resize", "is no action" },
		{ "\"action\"", "resize", "overwrite", "does not lead" },
		{ "\"action\"", "resize", "create", "does not lead" },
		{ "\"action\"", "resize", "remove", "does not lead" },
		{ "\"action\"", "resize", "mkdir", "does not lead" },
		{ "\"action\"", "resize", "erase", "does not lead" },
		{ "LOG1", "erase", "resize", "does not lead" },
		{ "SOFTWARE", "\"action\": \"create\"", "\"action\": \"overwrite\"",
		  "does not lead" },
		{ "SOFTWARE", "\"action\": \"create\"", "\"action\": \"mkdir\"", "does not lead" },
		{ "quolog.log", "\"action\": \"remove\"", "\"action\": \"erase\"",
		  "does not lead" },
		{ "chk1.tmp", "\"action\": \"mkdir\"", "\"action\": \"create\"", "does not lead" },
		{ "\"volume\"", "system", "other", "other: is no volume" },
		{ "\"volume\"", "system", "System", "is no volume" },
		{ "CLUSDB", "\"size\": 12288", "\"size\": -1", "below zero" },
		{ "CLUSDB", "\"size\": 12288", "\"size\": 12288.0", "members" },
		{ "CLUSDB", "\"size\": 12288", "\"size\": 4294967297", "larger than any" },
		{ "CLUSDB", "\"size\": 12288", "\"size\": 9223372036854775807", "larger than any" },
		{ "CLUSDB", "\"size\": 12288", "\"size\": 9223372036854775808", "is no JSON" },
		{ "\"recovered\"", "\"size\": 16384", "\"size\": 12287", "between old and new" },
		{ "\"recovered\"", "\"size\": 16384", "\"size\": 16385", "between old and new" },
		{ "CLUSDB.LOG1", "\"recovered\": null", "\"recovered\": " FORM,
		  "between old and new" },
		{ "quolog.log", "\"recovered\": null", "\"recovered\": " FORM,
		  "between old and new" },
		{ "config/SECURITY", "\"recovered\": null", "\"recovered\": " FORM,
		  "between old and new" },
		{ "config/SOFTWARE", "\"recovered\": null", "\"recovered\": " FORM, NULL },
		{ "\"sha256\"", ": \"", ": \"0", "hexadecimal" },
		{ "\"sha256\"", ": \"", ": \"00", "no SHA-256" },
		{ "\"sha256\"", ": \"", ": \"A", "hexadecimal" },
		{ "\"ntfs_acl\"", "61636c", "61636", "hexadecimal" },
		{ "\"serial\"", "fedc", "edc", "serial" },
		{ "\"serial\"", "fedc", "0fedc", "serial" },
		{ "\"serial\"", "fedc", "xedc", "serial" },
		{ "\"sequence\"", "0", "-1", NULL },
		{ "\"generation\"", "1", "-7", NULL },
		{ "\"node\"", "NODE 1", "\\u001b[31m\\n", NULL },
		{ "\"host\"", "rescue", "\\nundo: x\\npath: /etc", NULL },
	};
	TALLOC_CTX *tmp = talloc_new(NULL);
	char *whole = whole_text(tmp);

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char *error =
			reads(tmp, edited(tmp, whole, rows[i].after, rows[i].from, rows[i].to));

		if (!rows[i].said ? *error : !strstr(error, rows[i].said))
			fail_msg("row %zu, %s: %s", i, rows[i].to, error);
	}
	talloc_free(tmp);
}

/* What has files must be somewhere. */
static void disks_that_are_missing(void **state)
{
	TALLOC_CTX *tmp = talloc_new(NULL);
	struct undo *undo = undoing_all(tmp, "/mnt/node", "/mnt/quorum");
	struct error err;

	(void)state;
	assert_true(undo_check(undo, &err));
	undo->disks[UNDO_QUORUM].path = NULL;
	assert_false(undo_check(undo, &err));
	assert_non_null(strstr(err.text, "quorum"));
	undo->disks[UNDO_QUORUM].path = talloc_strdup(undo, "/mnt/quorum");
	undo->disks[UNDO_SYSTEM].path = NULL;
	assert_false(undo_check(undo, &err));
	assert_non_null(strstr(err.text, "system"));
	while (undo->count && undo->files[undo->count - 1].volume == UNDO_SYSTEM)
		undo->count--;
	undo->files += 7; /* those of the quorum disk alone */
	undo->count -= 7;
	assert_false(undo_check(undo, &err));
	undo->files -= 7;
	talloc_free(tmp);
}

static void attributes_of_any_size(void **state)
{
	TALLOC_CTX *tmp = talloc_new(NULL);
	struct undo *undo = undoing_all(tmp, "/mnt/node", "/mnt/quorum");
	struct target_attributes *attributes = &undo->files[0].attributes;
	struct bytes *lists[] = { &attributes->acl, &attributes->attrib, &attributes->times };
	struct error err;

	(void)state;
	for (int i = 0; i < 3; i++) {
		*lists[i] = undoing_text(tmp, "text", 65536);
		assert_true(undo_check(undo, &err));
		lists[i]->size++;
		assert_false(undo_check(undo, &err));
		assert_non_null(strstr(err.text, "attribute"));
		lists[i]->size = 0;
	}
	talloc_free(tmp);
}

static char *plan_of(TALLOC_CTX *ctx, unsigned files)
{
	struct undo *undo = undoing_new(NULL, "/mnt/node", NULL);
	struct error err;
	char *text;

	for (unsigned i = 0; i < files; i++) {
		char path[32];

		snprintf(path, sizeof(path), "directory %u", i);
		undoing_add(undo, UNDO_SYSTEM, path, UNDOING_NONE, UNDOING_NONE, UNDOING_NONE);
	}
	text = talloc_strdup(ctx, (const char *)undo_plan_write(undo, undo, &err).data);
	talloc_free(undo);
	return text;
}

static void too_many_files(void **state)
{
	TALLOC_CTX *tmp = talloc_new(NULL);

	(void)state;
	assert_string_not_equal(reads(tmp, plan_of(tmp, 0)), "");
	assert_string_equal(reads(tmp, plan_of(tmp, 1)), "");
	assert_string_equal(reads(tmp, plan_of(tmp, UNDO_FILES_MAX)), "");
	assert_non_null(strstr(reads(tmp, plan_of(tmp, UNDO_FILES_MAX + 1)), "too many"));
	talloc_free(tmp);
}

/* It is neither slow nor, as a path, of any use. */
static void many_long_paths(void **state)
{
	enum { LONGEST = 4095 };
	TALLOC_CTX *tmp = talloc_new(NULL);
	struct undo *undo = undoing_new(tmp, "/mnt/node", NULL);
	char path[LONGEST + 2];
	struct error err;

	(void)state;
	memset(path, 'x', sizeof(path));
	path[LONGEST] = '\0';
	for (unsigned i = 0; i < testing_rounds(UNDO_FILES_MAX, 50); i++) {
		snprintf(path + LONGEST - 8, 9, "%08x", i);
		undoing_add(undo, UNDO_SYSTEM, path, UNDOING_NONE, UNDOING_NONE, UNDOING_NONE);
	}
	assert_true(undo_check(undo, &err));
	undo->files[0].path[LONGEST - 1] = '1';
	assert_false(undo_check(undo, &err));
	assert_non_null(strstr(err.text, "twice"));
	path[LONGEST] = 'x';
	path[LONGEST + 1] = '\0';
	undo->files[0].path = path;
	assert_false(undo_check(undo, &err));
	assert_non_null(strstr(err.text, "too long"));
	talloc_free(tmp);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		testing_unit(it_is_written_as_it_was_read),
		testing_unit(every_member_counts),
		testing_unit(cut_or_continued),
		testing_unit(hostile_paths),
		testing_unit(the_same_path),
		testing_unit(hostile_values),
		testing_unit(disks_that_are_missing),
		testing_unit(attributes_of_any_size),
		testing_unit(too_many_files),
		testing_unit(many_long_paths),
	};

	return cmocka_run_group_tests(tests, testing_begin, testing_end);
}
