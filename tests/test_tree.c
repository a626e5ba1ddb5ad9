/*
 * hive/tree: changes carried out on it and on the tests' model give the same, the image that
 * is saved of it holds just that, and what cannot be carried out is named and changes nothing.
 */
#include "tests/testing.h"

#include <stdio.h>
#include <stdlib.h>

#include "hive/diff.h"
#include "hive/digest.h"
#include "hive/tree.h"
#include "tests/model.h"

static struct tree *load(TALLOC_CTX *ctx, const struct hive *hive)
{
	struct error err = { 0 };
	struct hive_key key;
	struct tree *tree;

	assert_true(hive_root(hive, &key, &err));
	tree = tree_load(ctx, hive, &key, &err);
	if (!tree)
		fail_msg("%s", err.text);
	return tree;
}

/* What is in the image that is saved of a tree, as text. */
static char *saved(TALLOC_CTX *ctx, struct tree *tree, uint32_t minor)
{
	struct error err = { 0 };
	struct save_count count;
	struct image *image = tree_save(ctx, tree, minor, &count, &err);
	struct hive *hive = image ? hive_open_image(ctx, image, "saved", &err) : NULL;
	struct hive_key key;

	if (!hive || !hive_root(hive, &key, &err))
		fail_msg("%s", err.text);
	assert_int_equal(count.keys, tree_count(tree).keys);
	assert_int_equal(count.values, tree_count(tree).values);
	assert_int_equal(count.keys, hive_check(hive)->keys);
	assert_int_equal(count.values, hive_check(hive)->values);
	return model_dump(ctx, model_of_hive(ctx, hive, &key));
}

struct target {
	struct tree *tree;
	struct tree_rules rules;
	bool skip_top; /* the top is there already */
};

static bool apply(void *data, const struct change *change, struct error *err)
{
	struct target *target = data;

	if (target->skip_top && change->op == CHANGE_CREATE_KEY && !*change->key)
		return true;
	return tree_apply(target->tree, change, &target->rules, err);
}

static void diff(const struct hive *a, const struct hive *b, struct target *target)
{
	struct error err = { 0 };
	struct hive_key key_a, key_b;

	assert_true(!a || hive_root(a, &key_a, &err));
	assert_true(hive_root(b, &key_b, &err));
	if (!diff_subtrees(a, a ? &key_a : NULL, b, &key_b, NULL, apply, target, &err))
		fail_msg("%s", err.text);
}

/* A history of states: the tree is taken from each to the next, and saved now and then. */
static void history(uint64_t seed, const struct model_rules *rules, unsigned steps)
{
	TALLOC_CTX *tmp = talloc_new(NULL);
	struct model *model = model_new(tmp, &seed, rules);
	struct hive *hive = model_hive(tmp, model, &seed);
	struct target target = { load(tmp, hive), { false, 0 }, false },
		      fresh = { NULL, { false, 0 }, true };
	struct error err = { 0 };

	assert_string_equal(saved(tmp, target.tree, 5), model_dump(tmp, model));
	for (unsigned i = 0; i < steps; i++) {
		struct hive *before = hive;

		model_mutate(model, &seed, rules);
		hive = model_hive(tmp, model, &seed);
		diff(before, hive, &target);
		if (model_random(&seed, 2))
			assert_string_equal(saved(tmp, target.tree, 3), model_dump(tmp, model));
	}
	assert_string_equal(saved(tmp, target.tree, 5), model_dump(tmp, model));
	fresh.tree = tree_new(tmp, &err);
	assert_non_null(fresh.tree);
	diff(NULL, hive, &fresh);
	assert_string_equal(saved(tmp, fresh.tree, 5), model_dump(tmp, model));
	talloc_free(tmp);
}

static void test_histories(void **state)
{
	static const struct model_rules rules = { 10, 5, false, 40000 },
					larger = { 150, 15, true, 20000 };

	(void)state;
	for (uint64_t seed = 0; seed < testing_rounds(60, 6); seed++)
		history(seed, &rules, 6);
	for (uint64_t seed = 100; seed < 100 + testing_rounds(6, 1); seed++)
		history(seed, &larger, 4);
}

static const uint8_t zeros[8];

#define DATA(text)                                                                                 \
	{                                                                                          \
		(const uint8_t *)(text), sizeof(text) - 1                                          \
	}

static const struct change made[] = {
	{ .op = CHANGE_CREATE_KEY, .key = "Apple" },
	{ .op = CHANGE_CREATE_KEY, .key = "apple\\Core" },
	{ .op = CHANGE_SET_VALUE, .key = "APPLE\\core", .name = "Seed", .data = DATA("1") },
	{ .op = CHANGE_SET_VALUE, .key = "Apple\\Core", .name = "SEED", .data = DATA("2") },
	{ .op = CHANGE_SET_VALUE, .key = "Apple\\Core", .name = "Stem", .data = DATA("3") },
	{ .op = CHANGE_CREATE_KEY, .key = "Pear" },
};

static const struct {
	struct change change;
	const char *error;
	bool as_reg_too;
} bad[] = {
	{ { .op = CHANGE_CREATE_KEY, .key = "" },
	  "create-key '': the key is there already",
	  false },
	{ { .op = CHANGE_CREATE_KEY, .key = "aPPle" },
	  "create-key 'aPPle': the key is there already",
	  false },
	{ { .op = CHANGE_CREATE_KEY, .key = "Fig\\Leaf" },
	  "create-key 'Fig\\Leaf': its parent is not there",
	  false },
	{ { .op = CHANGE_DELETE_KEY, .key = "" }, "the top key cannot be deleted", true },
	{ { .op = CHANGE_DELETE_KEY, .key = "Fig" },
	  "delete-key 'Fig': there is no such key",
	  false },
	{ { .op = CHANGE_SET_VALUE, .key = "Fig", .name = "v" },
	  "set-value 'Fig' 'v': there is no such key",
	  true },
	{ { .op = CHANGE_DELETE_VALUE, .key = "Pear", .name = "v" },
	  "delete-value 'Pear' 'v': there is no such value",
	  false },
	{ { .op = CHANGE_SET_TIME, .key = "Fig", .data = { zeros, 8 } },
	  "set-time 'Fig': there is no such key",
	  true },
	{ { .op = CHANGE_SET_TIME, .key = "Pear", .data = { zeros, 7 } },
	  "set-time 'Pear': 7 bytes of data are wrong for it",
	  true },
	{ { .op = CHANGE_ORDER_VALUES, .key = "Apple\\Core", .data = DATA("\0\0\0\0") },
	  "order-values 'Apple\\Core': the key has another number of values",
	  true },
	{ { .op = CHANGE_ORDER_VALUES, .key = "Apple\\Core", .data = DATA("\1\0\0\0\1\0\0\0") },
	  "order-values 'Apple\\Core': it is no order of the values",
	  true },
	{ { .op = CHANGE_ORDER_VALUES, .key = "Apple\\Core", .data = DATA("\0\0\0\0\2\0\0\0") },
	  "order-values 'Apple\\Core': it is no order of the values",
	  true },
	{ { .op = CHANGE_SET_VALUE, .key = "Pear" }, "set-value: no name of a value", true },
	{ { .op = CHANGE_SET_CLASS, .key = "Pear", .name = "" },
	  "set-class: the name of a value",
	  true },
	{ { .op = CHANGE_SET_SECURITY, .key = "Pear" },
	  "set-security 'Pear': 0 bytes of data are wrong for it",
	  true },
	{ { .op = CHANGE_OPS, .key = "" }, "unknown kind of change 9", true },
};

static void digest_of(struct tree *tree, uint8_t digest[DIGEST_SIZE])
{
	struct digest *made_of = digest_new(NULL);
	struct error err = { 0 };

	assert_non_null(made_of);
	assert_true(tree_walk(tree, digest_sink(made_of), &err));
	digest_finish(made_of, digest);
	talloc_free(made_of);
}

static struct tree *sample(TALLOC_CTX *ctx)
{
	struct error err = { 0 };
	struct tree *tree = tree_new(ctx, &err);
	uint8_t sd[256];
	struct change security = { .op = CHANGE_SET_SECURITY, .key = "" };

	assert_non_null(tree);
	security.data = (struct bytes){ sd, builder_sd(BUILDER_SD_PLAIN, 500, sd) };
	assert_true(tree_apply(tree, &security, NULL, &err));
	for (unsigned i = 0; i < sizeof(made) / sizeof(*made); i++) {
		if (!tree_apply(tree, &made[i], NULL, &err))
			fail_msg("%s", err.text);
	}
	return tree;
}

static void test_bad(void **state)
{
	static const struct tree_rules as_reg = { true, 0 };
	TALLOC_CTX *tmp = talloc_new(NULL);

	(void)state;
	for (unsigned i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		uint8_t before[DIGEST_SIZE], after[DIGEST_SIZE];
		struct tree *tree = sample(tmp);
		struct error err = { 0 };

		digest_of(tree, before);
		assert_false(tree_apply(tree, &bad[i].change, NULL, &err));
		assert_string_equal(err.text, bad[i].error);
		assert_int_equal(err.kind, ERROR_SOURCE);
		digest_of(tree, after);
		assert_memory_equal(before, after, DIGEST_SIZE);
		assert_int_equal(tree_apply(tree, &bad[i].change, &as_reg, &err),
		                 !bad[i].as_reg_too);
	}
	talloc_free(tmp);
}

/* A key that is gone is gone, also when it was the last that anything was done to. */
static void test_gone(void **state)
{
	static const struct change gone = { .op = CHANGE_DELETE_KEY, .key = "Apple" },
				   back = { .op = CHANGE_CREATE_KEY, .key = "Apple" };
	TALLOC_CTX *tmp = talloc_new(NULL);
	struct tree *tree = sample(tmp);
	struct error err = { 0 };

	(void)state;
	assert_true(tree_apply(tree, &made[4], NULL, &err));
	assert_true(tree_apply(tree, &gone, NULL, &err));
	assert_false(tree_apply(tree, &made[4], NULL, &err));
	assert_string_equal(err.text, "set-value 'Apple\\Core' 'Stem': there is no such key");
	assert_true(tree_apply(tree, &back, NULL, &err));
	assert_false(tree_apply(tree, &made[4], NULL, &err));
	assert_int_equal(tree_count(tree).keys, 3);
	assert_int_equal(tree_count(tree).values, 0);
	talloc_free(tmp);
}

/* Letter case of what is there stays; the value that was set again keeps its place. */
static void test_names(void **state)
{
	TALLOC_CTX *tmp = talloc_new(NULL);
	char *text = saved(tmp, sample(tmp), 5);

	(void)state;
	assert_non_null(strstr(text, "\n K Apple 0 "));
	assert_non_null(strstr(text, "\n  V 'Seed' 0 32/1/0\n  V 'Stem' 0 33/1/0\n K Pear"));
	talloc_free(tmp);
}

/* With a time given, what Windows would stamp is stamped, and nothing else. */
static void test_times(void **state)
{
	static const struct change changes[] = {
		{ .op = CHANGE_CREATE_KEY, .key = "Apple\\Core\\A\\B" },
		{ .op = CHANGE_CREATE_KEY, .key = "Pear" },
		{ .op = CHANGE_DELETE_VALUE, .key = "Pear", .name = "gone" },
	};
	static const struct tree_rules rules = { true, 0xabc };
	TALLOC_CTX *tmp = talloc_new(NULL);
	struct tree *tree = sample(tmp);
	struct error err = { 0 };
	char *text;

	(void)state;
	for (unsigned i = 0; i < 3; i++)
		assert_true(tree_apply(tree, &changes[i], &rules, &err));
	text = saved(tmp, tree, 5);
	assert_non_null(strstr(text, "K . 0 "));
	assert_non_null(strstr(text, "\n K Apple 0 "));
	assert_non_null(strstr(text, "\n  K Core abc "));
	assert_non_null(strstr(text, "\n   K A abc "));
	assert_non_null(strstr(text, "\n    K B abc "));
	assert_non_null(strstr(text, "\n K Pear 0 "));
	talloc_free(tmp);
}

/* Many siblings in no order, half of them deleted again. */
static void test_many(void **state)
{
	enum { MANY = 30000 };
	TALLOC_CTX *tmp = talloc_new(NULL);
	struct tree *tree = sample(tmp);
	struct tree_count before = tree_count(tree);
	struct error err = { 0 };
	struct hive *hive;
	struct image *image;
	struct hive_key key;
	char path[64], name[64];

	(void)state;
	for (unsigned i = 0; i < MANY + MANY / 2; i++) {
		bool gone = i >= MANY;
		struct change of_key = { .op = gone ? CHANGE_DELETE_KEY : CHANGE_CREATE_KEY,
			                 .key = path },
			      of_value = { .op = gone ? CHANGE_DELETE_VALUE : CHANGE_SET_VALUE,
			                   .key = "Pear",
			                   .name = name };

		snprintf(path, sizeof(path), "Pear\\k%u", i % MANY * 7919 % MANY);
		snprintf(name, sizeof(name), "v%u", i % MANY * 7919 % MANY);
		assert_true(tree_apply(tree, &of_key, NULL, &err));
		assert_true(tree_apply(tree, &of_value, NULL, &err));
	}
	assert_int_equal(tree_count(tree).keys, before.keys + MANY / 2);
	assert_int_equal(tree_count(tree).values, before.values + MANY / 2);
	image = tree_save(tmp, tree, 5, NULL, &err);
	assert_non_null(image);
	hive = hive_open_image(tmp, image, "many", &err);
	if (!hive)
		fail_msg("%s", err.text);
	assert_true(hive_find(hive, NULL, "Pear\\k1", &key, &err));
	assert_int_equal(hive_check(hive)->keys, before.keys + MANY / 2);
	talloc_free(tmp);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_histories), cmocka_unit_test(test_bad),
		cmocka_unit_test(test_gone),      cmocka_unit_test(test_names),
		cmocka_unit_test(test_times),     cmocka_unit_test(test_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
