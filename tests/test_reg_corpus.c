/*
 * Real hives: as .reg text in both encodings, read back into a tree and saved, they are the
 * same again but for what .reg cannot say; a tree loaded from one and saved is the same in
 * all. Skipped where there is no corpus; in short rounds the largest are left out.
 */
#include "tests/testing.h"

#include <errno.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "hive/diff.h"
#include "hive/reg.h"
#include "hive/tree.h"

static bool collect(void *data, struct bytes text, struct error *err)
{
	char **all = data;
	size_t before = talloc_get_size(*all);

	(void)err;
	*all = talloc_realloc_size(NULL, *all, before + text.size);
	assert_non_null(*all);
	memcpy(*all + before, text.data, text.size);
	return true;
}

static bool apply(void *data, const struct change *change, struct error *err)
{
	static const struct tree_rules rules = { .as_reg = true };

	return tree_apply(data, change, &rules, err);
}

static bool no_change(void *data, const struct change *change, struct error *err)
{
	(void)data;
	return error_set(err, ERROR_BAD_NEWS, "%s %s %s", change_op_name(change->op), change->key,
	                 change->name ? change->name : "");
}

static void must(bool done, const char *path, const struct error *err)
{
	if (!done)
		fail_msg("%s: %s", path, err->text);
}

/* Saves the tree and compares, but for the operations in LEAVE_OUT. */
static void same(TALLOC_CTX *ctx, const char *path, const struct hive *hive,
                 const struct hive_key *top, struct tree *tree, uint32_t leave_out)
{
	struct diff_options options = { .leave_out = leave_out };
	struct error err = { 0 };
	struct image *image = tree_save(ctx, tree, 5, NULL, &err);
	struct hive *copy = image ? hive_open_image(ctx, image, "copy", &err) : NULL;
	struct hive_key key;

	must(copy && hive_root(copy, &key, &err), path, &err);
	must(diff_subtrees(hive, top, copy, &key, &options, no_change, NULL, &err), path, &err);
}

static void through_text(TALLOC_CTX *ctx, const char *path, const struct hive *hive,
                         const struct hive_key *top, bool utf8)
{
	struct reg_options options = { .root = "HKEY_LOCAL_MACHINE\\X", .utf8 = utf8 };
	char *text = talloc_size(ctx, 0);
	struct error err = { 0 };
	struct change security = { .op = CHANGE_SET_SECURITY, .key = "" };
	struct reg_writer *writer = reg_writer_new(ctx, &options, collect, &text, &err);
	struct tree *tree = tree_new(ctx, &err);
	struct reg_left_out left_out;

	must(writer && tree && hive_security(hive, top, &security.data, &err) &&
	             tree_apply(tree, &security, NULL, &err),
	     path, &err);
	must(diff_subtrees(NULL, NULL, hive, top, NULL, reg_write_each, writer, &err) &&
	             reg_write_end(writer, &left_out, &err),
	     path, &err);
	must(reg_read((struct bytes){ (uint8_t *)text, talloc_get_size(text) }, options.root, apply,
	              tree, &err),
	     path, &err);
	/* A name with a NUL cannot be written; then the rest has been read, and that is all. */
	if (left_out.names == 0)
		same(ctx, path, hive, top, tree,
		     CHANGE_COMPANIONS | CHANGE_BIT(CHANGE_SET_SECURITY));
}

static void one(const char *path)
{
	TALLOC_CTX *tmp = talloc_new(NULL);
	struct error err = { 0 };
	struct source *source = source_read_path(tmp, path, &err);
	struct hive *hive = source ? hive_open(tmp, source, NULL, &err) : NULL;
	const struct regf_base *base;
	struct hive_key top;

	must(hive && hive_root(hive, &top, &err), path, &err);
	base = hive_base(hive);
	through_text(tmp, path, hive, &top, true);
	through_text(tmp, path, hive, &top, false);
	if (!(le32_get(base->minor) >= 6 && le32_get(base->flags) & REGF_FLAG_LAYERED)) {
		struct tree *tree = tree_load(tmp, hive, &top, &err);

		must(tree != NULL, path, &err);
		same(tmp, path, hive, &top, tree, 0);
	}
	talloc_free(tmp);
}

static uint64_t size_of(const char *path)
{
	struct stat st;

	assert_return_code(stat(path, &st), errno);
	return (uint64_t)st.st_size;
}

static void test_corpus(void **state)
{
	static const char *const folders[] = { "clean", "unusual", "saved-by-windows" };
	const char *shared = getenv("CLUSNAP_SHARED");
	uint64_t largest = testing_rounds(UINT64_MAX, 256 << 10);

	(void)state;
	if (!shared) {
		testing_skipped("CLUSNAP_SHARED is not set");
		return;
	}
	for (unsigned i = 0; i < 3; i++) {
		char pattern[512];
		glob_t found;

		snprintf(pattern, sizeof(pattern), "%s/corpus/%s/*", shared, folders[i]);
		assert_int_equal(glob(pattern, 0, NULL, &found), 0);
		for (size_t n = 0; n < found.gl_pathc; n++) {
			if (size_of(found.gl_pathv[n]) <= largest)
				one(found.gl_pathv[n]);
		}
		globfree(&found);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_corpus) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
