/*
 * snapshot/infer, and what verify says of a log whose records are sound but whose transactions
 * do not lead where they should.
 */
#include "tests/testing.h"

#include <fcntl.h>
#include <string.h>

#include "hive/diff.h"
#include "hive/tree.h"
#include "snapshot/infer.h"
#include "snapshot/verify.h"
#include "tests/model.h"

/* --- groups --- */

struct told {
	struct tree *tree;
	struct model *model;
	uint64_t groups, last;
};

static bool apply(void *data, const struct change *change, struct error *err)
{
	return tree_apply(data, change, NULL, err);
}

static bool carry_out(void *data, uint64_t time, struct batch *batch, struct error *err)
{
	struct told *told = data;
	struct bytes commands, companion;

	assert_true(time >= told->last);
	told->last = time;
	told->groups++;
	return batch_finish(batch, &commands, &companion, err) &&
	       batch_each(commands, companion, apply, told->tree, err);
}

static char *dump(TALLOC_CTX *ctx, struct tree *tree)
{
	struct error err = { 0 };
	struct image *image = tree_save(ctx, tree, 5, NULL, &err);
	struct hive *hive = image ? hive_open_image(ctx, image, "told", &err) : NULL;
	struct hive_key root;

	if (!hive || !hive_root(hive, &root, &err))
		fail_msg("%s", err.text);
	return model_dump(ctx, model_of_hive(ctx, hive, &root));
}

static uint64_t told_groups(uint64_t seed, const struct model_rules *rules)
{
	TALLOC_CTX *tmp = talloc_new(NULL);
	struct model *model = model_new(tmp, &seed, rules);
	struct hive *a = model_hive(tmp, model, &seed), *b;
	struct error err = { 0 };
	struct told told = { 0 };
	struct hive_key root;
	uint64_t groups;

	for (int i = 0; i < 3; i++)
		model_mutate(model, &seed, rules);
	b = model_hive(tmp, model, &seed);
	assert_true(hive_root(a, &root, &err));
	told.tree = tree_load(tmp, a, &root, &err);
	if (!infer_groups(a, b, UINT64_MAX - 1, carry_out, &told, &err))
		fail_msg("seed %llu: %s", (unsigned long long)seed, err.text);
	assert_string_equal(dump(tmp, told.tree), model_dump(tmp, model));
	groups = told.groups;
	talloc_free(tmp);
	return groups;
}

static void all_groups_together_are_the_newer_copy(void **state)
{
	static const struct model_rules rules = { 12, 4, false, 600 }, odd = { 60, 6, true, 9000 };
	uint64_t groups = 0, rounds = testing_rounds(300, 20);

	(void)state;
	for (uint64_t seed = 0; seed < rounds; seed++)
		groups += told_groups(seed, seed % 10 ? &rules : &odd);
	assert_true(groups > 2 * rounds); /* times of a model are any: most changes come apart */
}

static struct model *key(struct model *parent, const char *name, uint64_t time)
{
	struct change create = { .op = CHANGE_CREATE_KEY, .key = name };
	struct model *found;

	assert_true(model_apply(parent, &create));
	found = parent->subkeys[parent->subkey_count - 1];
	found->time = time;
	return found;
}

struct listing {
	char *text;
};

static bool list_change(void *data, const struct change *change, struct error *err)
{
	struct listing *listing = data;

	(void)err;
	listing->text = talloc_asprintf_append(listing->text, " %s:%s", change_op_name(change->op),
	                                       change->key);
	return true;
}

static bool list_group(void *data, uint64_t time, struct batch *batch, struct error *err)
{
	struct listing *listing = data;
	struct bytes commands, companion;

	listing->text = talloc_asprintf_append(listing->text, "%llu:", (unsigned long long)time);
	if (!batch_finish(batch, &commands, &companion, err) ||
	    !batch_each(commands, companion, list_change, data, err))
		return false;
	listing->text = talloc_asprintf_append(listing->text, "\n");
	return true;
}

/* A parent written after its child, a deletion, a new case of letters, a change without time. */
static void groups_come_in_the_order_of_their_times(void **state)
{
	TALLOC_CTX *tmp = talloc_new(NULL);
	uint64_t seed = 1;
	struct model_rules rules = { 1, 0, false, 0 };
	struct model *a = model_new(tmp, &seed, &rules), *b, *parent;
	struct listing listing = { talloc_strdup(tmp, "") };
	struct error err = { 0 };

	(void)state;
	a->value_count = a->subkey_count = 0;
	a->time = 5;
	b = model_copy(tmp, a);
	key(a, "Gone", 6);
	key(a, "still", 7)->link = true;
	key(b, "still", 7);
	key(a, "name", 8);
	key(b, "NAME", 30);
	parent = key(b, "New", 40);
	key(parent, "Child", 20);
	b->time = 35;
	if (!infer_groups(model_hive(tmp, a, &seed), model_hive(tmp, b, &seed), 50, list_group,
	                  &listing, &err))
		fail_msg("%s", err.text);
	assert_string_equal(listing.text,
	                    "20: create-key:New set-security:New create-key:New\\Child "
	                    "set-security:New\\Child set-time:New\\Child\n"
	                    "30: delete-key:name create-key:NAME set-security:NAME set-time:NAME\n"
	                    "35: set-time: delete-key:Gone\n"
	                    "40: set-time:New set-link:still\n");
	talloc_free(tmp);
}

/* --- verify --- */

struct lie {
	const char *name;
	struct change change; /* that stands in the log instead of the true one */
	const char *damage;
	bool open_end;
};

static void put_chk(const char *folder, const char *name, const struct hive *hive,
                    struct quolog_writer *writer, struct quolog_file *file)
{
	const struct image *image = hive_image(hive);
	uint8_t digest[DIGEST_SIZE];
	struct hive_key root;
	struct error err;

	testing_write(folder, name, image->bytes.data, image->bytes.size);
	assert_true(hive_root(hive, &root, &err));
	assert_true(digest_subtree(hive, &root, digest, &err));
	if (writer)
		assert_true(quolog_put_checkpoint(writer, name, digest, 1, "test", &err));
	*file = (struct quolog_file){ name, LAYOUT_CHK, image->bytes.size, { 0 }, "", "" };
	digest_bytes(image->bytes, file->digest);
}

static struct hive *saved(TALLOC_CTX *ctx, struct tree *tree)
{
	struct error err;

	return hive_open_image(ctx, tree_save(ctx, tree, 5, NULL, &err), "saved", &err);
}

static void tell_lie(const struct lie *lie)
{
	static const struct change truth = { .op = CHANGE_CREATE_KEY, .key = "Truth" };
	const struct quolog_identity id = { 2, "C", "" };
	TALLOC_CTX *tmp = talloc_new(NULL);
	char *folder = testing_directory();
	struct quolog_file files[3] = { { 0 } };
	struct quolog_transaction transaction = { .origin = "test" };
	struct model_rules rules = { 4, 2, false, 50 };
	uint64_t seed = 3;
	struct error err = { 0 };
	struct quolog_writer *writer = quolog_create(tmp, &id, 1, 1, &err);
	struct hive *hive = model_hive(tmp, model_new(tmp, &seed, &rules), &seed);
	struct batch *batch = batch_new(tmp, &err);
	struct verdict verdict;
	struct hive_key root;
	struct tree *tree;
	struct image *log;

	assert_true(hive_root(hive, &root, &err));
	tree = tree_load(tmp, hive, &root, &err);
	hive = saved(tmp, tree);
	put_chk(folder, "chk0001.tmp", hive, writer, &files[0]);
	assert_true(batch_put(batch, lie->name ? &lie->change : &truth, &err));
	assert_true(batch_finish(batch, &transaction.batch, &transaction.companion, &err));
	assert_true(quolog_put_transaction(writer, &transaction, &err));
	assert_true(tree_apply(tree, &truth, NULL, &err));
	put_chk(folder, "chk0002.tmp", saved(tmp, tree), lie->open_end ? NULL : writer, &files[1]);
	files[2] = (struct quolog_file){ LAYOUT_MARKER_NAME, LAYOUT_MARKER, 0, { 0 }, "", "" };
	digest_bytes((struct bytes){ (const uint8_t *)"", 0 }, files[2].digest);
	assert_true(quolog_put_manifest(writer, files, 3, 1, &err));
	log = quolog_finish(tmp, writer, &err);
	testing_write(folder, LAYOUT_LOG_NAME, log->bytes.data, log->bytes.size);
	testing_write(folder, LAYOUT_MARKER_NAME, "", 0);
	assert_true(verify_path(tmp, folder, &verdict, &err));
	if (!lie->damage) {
		assert_true(verdict.complete);
	} else if (verdict.damage_count != 1 || strcmp(verdict.damage[0].text, lie->damage) != 0) {
		fail_msg("%s: %u damages, '%s'", lie->name, verdict.damage_count,
		         verdict.damage_count ? verdict.damage[0].text : "");
	}
	talloc_free(tmp);
	testing_remove(folder);
}

static void a_transaction_that_lies_is_named(void **state)
{
	static const struct lie lies[] = {
		{ NULL, { .key = "" }, NULL, false },
		{ NULL, { .key = "" }, "transactions follow the last checkpoint", true },
		{ "another key",
		  { .op = CHANGE_CREATE_KEY, .key = "truth" },
		  "the transactions up to 2 do not lead to checkpoint 3",
		  false },
		{ "nothing to delete",
		  { .op = CHANGE_DELETE_KEY, .key = "Truth" },
		  "transaction 2: delete-key 'Truth': there is no such key",
		  false },
		{ "no parent",
		  { .op = CHANGE_CREATE_KEY, .key = "A\\Truth" },
		  "transaction 2: create-key 'A\\Truth': its parent is not there",
		  false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(lies) / sizeof(lies[0]); i++)
		tell_lie(&lies[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		testing_unit(all_groups_together_are_the_newer_copy),
		testing_unit(groups_come_in_the_order_of_their_times),
		testing_unit(a_transaction_that_lies_is_named),
	};

	return cmocka_run_group_tests(tests, testing_begin, testing_end);
}
