/* hive/diff: changes carried out on a model of A make it B, whatever the two are. */
#include "tests/testing.h"

#include <stdio.h>
#include <stdlib.h>

#include "hive/diff.h"
#include "tests/model.h"

struct applied {
	struct model *model;
	uint64_t count[CHANGE_OPS];
	char *list; /* what was called back, a line a change */
};

static bool apply(void *data, const struct change *change, struct error *err)
{
	struct applied *applied = data;

	applied->count[change->op]++;
	applied->list = talloc_asprintf_append_buffer(
		applied->list, "%s %s%s%s%s\n", change_op_name(change->op), change->key,
		change->name ? " '" : "", change->name ? change->name : "",
		change->name ? "'" : "");
	if (!change_check(change, err))
		return false;
	if (!model_apply(applied->model, change))
		return error_set(err, ERROR_INTERNAL, "cannot apply %s of '%s' '%s'",
		                 change_op_name(change->op), change->key,
		                 change->name ? change->name : "");
	return true;
}

static void diff(const struct hive *a, const struct hive *b, uint32_t leave_out,
                 struct applied *applied)
{
	struct diff_options options = { .leave_out = leave_out };
	struct hive_key key_a, key_b;
	struct error err = { 0 };

	assert_true(hive_root(a, &key_a, &err));
	assert_true(hive_root(b, &key_b, &err));
	if (!diff_subtrees(a, &key_a, b, &key_b, &options, apply, applied, &err))
		fail_msg("%s", err.text);
}

static void round_trip(uint64_t seed, const struct model_rules *rules)
{
	TALLOC_CTX *tmp = talloc_new(NULL);
	struct model *a = model_new(tmp, &seed, rules), *b = model_copy(tmp, a);
	struct applied applied = { .model = model_copy(tmp, a), .list = talloc_strdup(tmp, "") };
	struct hive *hive_a, *hive_b;

	if (model_random(&seed, 6))
		model_mutate(b, &seed, rules);
	else
		b = model_new(tmp, &seed, rules);
	hive_a = model_hive(tmp, a, &seed);
	hive_b = model_hive(tmp, b, &seed);
	diff(hive_a, hive_b, 0, &applied);
	assert_string_equal(model_dump(tmp, applied.model), model_dump(tmp, b));
	if (strcmp(model_dump(tmp, a), model_dump(tmp, b)) == 0)
		assert_string_equal(applied.list, "");
	talloc_free(tmp);
}

static void test_random_small(void **state)
{
	static const struct model_rules rules = { 12, 6, false, 40000 };

	(void)state;
	for (uint64_t seed = 0; seed < testing_rounds(250, 16); seed++)
		round_trip(seed, &rules);
}

static void test_random_odd_names(void **state)
{
	static const struct model_rules rules = { 30, 20, true, 0 };

	(void)state;
	for (uint64_t seed = 0; seed < testing_rounds(60, 6); seed++)
		round_trip(1000000 + seed, &rules);
}

static void test_random_larger(void **state)
{
	static const struct model_rules rules = { 600, 12, false, 200000 };

	(void)state;
	for (uint64_t seed = 0; seed < testing_rounds(3, 1); seed++)
		round_trip(2000000 + seed, &rules);
}

/* A tree that the tests below change in one place each. */
static struct model *sample(TALLOC_CTX *ctx)
{
	static const struct {
		enum change_op op;
		const char *key, *name;
	} made[] = {
		{ CHANGE_CREATE_KEY, "Apple", NULL },
		{ CHANGE_CREATE_KEY, "Apple\\Core", NULL },
		{ CHANGE_CREATE_KEY, "Apple\\Core\\Seed", NULL },
		{ CHANGE_CREATE_KEY, "Pear", NULL },
		{ CHANGE_SET_VALUE, "Apple\\Core", "one" },
		{ CHANGE_SET_VALUE, "Apple\\Core", "two" },
		{ CHANGE_SET_VALUE, "Apple\\Core", "three" },
		{ CHANGE_SET_VALUE, "Apple\\Core", "four" },
	};
	static const struct model_rules rules = { 0, 0, false, 0 };
	uint64_t seed = 1;
	struct model *model = model_new(ctx, &seed, &rules);

	for (unsigned i = 0; i < sizeof(made) / sizeof(*made); i++) {
		struct change change = { .op = made[i].op,
			                 .key = made[i].key,
			                 .name = made[i].name,
			                 .type = REG_BINARY,
			                 .data = { (const uint8_t *)made[i].name,
			                           made[i].name ? 3 : 0 } };

		assert_true(model_apply(model, &change));
	}
	return model;
}

/* The list between the sample and what OPS make of it, without times. */
static char *list_after(TALLOC_CTX *ctx, const struct change *ops, unsigned count)
{
	struct model *a = sample(ctx), *b = sample(ctx);
	struct applied applied = { .model = model_copy(ctx, a), .list = talloc_strdup(ctx, "") };
	uint64_t seed = 5;
	struct hive *hive_a, *hive_b;

	for (unsigned i = 0; i < count; i++)
		assert_true(model_apply(b, &ops[i]));
	hive_a = model_hive(ctx, a, &seed);
	hive_b = model_hive(ctx, b, &seed);
	diff(hive_a, hive_b, 0, &applied);
	assert_string_equal(model_dump(ctx, applied.model), model_dump(ctx, b));
	return applied.list;
}

#define DATA(text)                                                                                 \
	{                                                                                          \
		(const uint8_t *)(text), sizeof(text) - 1                                          \
	}

static void test_lists(void **state)
{
	uint8_t sd[256];
	static const struct change deleted[] = { { .op = CHANGE_DELETE_KEY, .key = "Apple" } };
	static const struct change created[] = {
		{ .op = CHANGE_CREATE_KEY, .key = "Apple\\Core\\New" },
		{ .op = CHANGE_CREATE_KEY, .key = "Apple\\Core\\New\\Er" },
		{ .op = CHANGE_SET_VALUE, .key = "Apple\\Core\\New\\Er", .name = "v" },
		{ .op = CHANGE_SET_TIME, .key = "Apple\\Core\\New\\Er", .data = DATA("12345678") },
	};
	static const struct change cased[] = {
		{ .op = CHANGE_DELETE_KEY, .key = "Apple\\Core\\Seed" },
		{ .op = CHANGE_CREATE_KEY, .key = "Apple\\Core\\SEED" },
		{ .op = CHANGE_DELETE_VALUE, .key = "Apple\\Core", .name = "four" },
		{ .op = CHANGE_SET_VALUE, .key = "Apple\\Core", .name = "Four" },
	};
	static const struct change ordered[] = {
		{ .op = CHANGE_ORDER_VALUES,
		  .key = "Apple\\Core",
		  .data = DATA("\2\0\0\0\0\0\0\0\1\0\0\0\3\0\0\0") },
	};
	struct change others[] = {
		{ .op = CHANGE_SET_SECURITY, .key = "Pear", .data = { sd, 0 } },
		{ .op = CHANGE_SET_CLASS, .key = "Pear", .data = DATA("c\0l\0") },
		{ .op = CHANGE_SET_LINK, .key = "Pear", .data = DATA("\1") },
		{ .op = CHANGE_DELETE_VALUE, .key = "Apple\\Core", .name = "two" },
		{ .op = CHANGE_SET_VALUE, .key = "Apple\\Core", .name = "one", .type = REG_SZ },
	};
	TALLOC_CTX *tmp = talloc_new(NULL);

	(void)state;
	others[0].data.size = builder_sd(BUILDER_SD_SECRET, 1, sd);
	assert_string_equal(list_after(tmp, NULL, 0), "");
	assert_string_equal(list_after(tmp, deleted, 1), "delete-key Apple\n");
	assert_string_equal(list_after(tmp, created, 4), "create-key Apple\\Core\\New\n"
	                                                 "create-key Apple\\Core\\New\\Er\n"
	                                                 "set-value Apple\\Core\\New\\Er 'v'\n"
	                                                 "set-time Apple\\Core\\New\\Er\n");
	assert_string_equal(list_after(tmp, cased, 4), "delete-value Apple\\Core 'four'\n"
	                                               "set-value Apple\\Core 'Four'\n"
	                                               "delete-key Apple\\Core\\Seed\n"
	                                               "create-key Apple\\Core\\SEED\n");
	assert_string_equal(list_after(tmp, ordered, 1), "order-values Apple\\Core\n");
	assert_string_equal(list_after(tmp, others, 5), "set-value Apple\\Core 'one'\n"
	                                                "delete-value Apple\\Core 'two'\n"
	                                                "set-security Pear\n"
	                                                "set-class Pear\n"
	                                                "set-link Pear\n");
	talloc_free(tmp);
}

/* Only the type differs; only the last byte of data in segments differs. */
static void test_values(void **state)
{
	enum { LARGE = 40000 };
	TALLOC_CTX *tmp = talloc_new(NULL);
	uint8_t *data = talloc_zero_size(tmp, LARGE);
	struct model *a = sample(tmp);
	struct change change = {
		.op = CHANGE_SET_VALUE, .key = "Pear", .name = "large", .data = { data, LARGE }
	};

	(void)state;
	assert_true(model_apply(a, &change));
	for (unsigned i = 0; i < 2; i++) {
		struct model *b = model_copy(tmp, a);
		struct applied applied = { .model = model_copy(tmp, a),
			                   .list = talloc_strdup(tmp, "") };
		uint64_t seed = i;

		change.type = 1 - i;
		data[LARGE - 1] = (uint8_t)i;
		assert_true(model_apply(b, &change));
		diff(model_hive(tmp, a, &seed), model_hive(tmp, b, &seed), 0, &applied);
		assert_string_equal(applied.list, "set-value Pear 'large'\n");
		assert_string_equal(model_dump(tmp, applied.model), model_dump(tmp, b));
	}
	talloc_free(tmp);
}

static bool say_no(void *data, const struct change *change, struct error *err)
{
	(void)data;
	return error_set(err, ERROR_DESTINATION, "no %s", change_op_name(change->op));
}

static bool old_seen(void *data, const struct change *change, struct error *err)
{
	(void)err;
	assert_true(change->replaces);
	assert_int_equal(change->old_data.size, 3);
	assert_memory_equal(change->old_data.data, "two", 3);
	assert_int_equal(change->old_type, REG_BINARY);
	++*(unsigned *)data;
	return true;
}

/* The callback can end the walk; old data is handed out; what is left out stays out. */
static void test_callback(void **state)
{
	static const struct change change = { .op = CHANGE_DELETE_VALUE,
		                              .key = "Apple\\Core",
		                              .name = "two" };
	struct diff_options none = { .leave_out = CHANGE_BIT(CHANGE_OPS) - 1 };
	TALLOC_CTX *tmp = talloc_new(NULL);
	struct model *b = sample(tmp);
	uint64_t seed = 3;
	unsigned seen = 0;
	struct hive *hive_a = model_hive(tmp, b, &seed), *hive_b;
	struct hive_key key_a, key_b;
	struct error err = { 0 };

	(void)state;
	assert_true(model_apply(b, &change));
	hive_b = model_hive(tmp, b, &seed);
	assert_true(hive_root(hive_a, &key_a, &err) && hive_root(hive_b, &key_b, &err));
	assert_true(diff_subtrees(hive_a, &key_a, hive_b, &key_b, NULL, old_seen, &seen, &err));
	assert_int_equal(seen, 1);
	assert_false(diff_subtrees(hive_a, &key_a, hive_b, &key_b, NULL, say_no, NULL, &err));
	assert_int_equal(err.kind, ERROR_DESTINATION);
	assert_string_equal(err.text, "no delete-value");
	assert_true(diff_subtrees(hive_a, &key_a, hive_b, &key_b, &none, say_no, NULL, &err));
	talloc_free(tmp);
}

/* All that comes for the top is applied to a model that is there already. */
static bool apply_below(void *data, const struct change *change, struct error *err)
{
	if (change->op == CHANGE_CREATE_KEY && !*change->key)
		return true;
	return apply(data, change, err);
}

static void test_from_nothing(void **state)
{
	static const struct model_rules rules = { 40, 6, true, 40000 };
	TALLOC_CTX *tmp = talloc_new(NULL);
	uint64_t seed = 77;
	struct model *b = model_new(tmp, &seed, &rules);
	struct applied applied = { .model = talloc_zero(tmp, struct model),
		                   .list = talloc_strdup(tmp, "") };
	struct hive *hive = model_hive(tmp, b, &seed);
	struct hive_key key;
	struct error err = { 0 };

	(void)state;
	assert_true(hive_root(hive, &key, &err));
	if (!diff_subtrees(NULL, NULL, hive, &key, NULL, apply_below, &applied, &err))
		fail_msg("%s", err.text);
	assert_string_equal(model_dump(tmp, applied.model), model_dump(tmp, b));
	talloc_free(tmp);
}

static struct hive *open_builder(TALLOC_CTX *ctx, struct builder *b)
{
	struct error err = { 0 };
	struct image *image;
	uint8_t *bytes;
	size_t size;

	bytes = builder_write(b, &size);
	image = image_copy(ctx, (struct bytes){ bytes, size }, &err);
	assert_non_null(image);
	return hive_open_image(ctx, image, "builder", &err);
}

static bool count_them(void *data, const struct change *change, struct error *err)
{
	(void)err;
	((struct applied *)data)->count[change->op]++;
	return true;
}

/* Many values, in an order turned around, and many subkeys, ten gone and ten new. */
static void test_many(void **state)
{
	enum { MANY = 20000 };
	TALLOC_CTX *tmp = talloc_new(NULL);
	struct applied applied = { .list = NULL };
	struct hive_key key[2];
	struct hive *hives[2];
	struct error err = { 0 };

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		struct builder *b = builder_new(tmp);
		char name[32];

		for (unsigned n = 0; n < MANY; n++) {
			snprintf(name, sizeof(name), "v%u", i ? MANY - 1 - n : n);
			builder_dword(b->root, name, 1);
			snprintf(name, sizeof(name), "k%05u", n + 10 * i);
			builder_key(b->root, name, 5);
		}
		hives[i] = open_builder(tmp, b);
		assert_non_null(hives[i]);
		assert_true(hive_root(hives[i], &key[i], &err));
	}
	assert_true(diff_subtrees(hives[0], &key[0], hives[1], &key[1], NULL, count_them, &applied,
	                          &err));
	assert_int_equal(applied.count[CHANGE_DELETE_KEY], 10);
	assert_int_equal(applied.count[CHANGE_CREATE_KEY], 10);
	assert_int_equal(applied.count[CHANGE_ORDER_VALUES], 1);
	assert_int_equal(applied.count[CHANGE_SET_VALUE], 0);
	assert_int_equal(applied.count[CHANGE_DELETE_VALUE], 0);
	talloc_free(tmp);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lists),
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_callback),
		cmocka_unit_test(test_from_nothing),
		cmocka_unit_test(test_many),
		cmocka_unit_test(test_random_small),
		cmocka_unit_test(test_random_odd_names),
		cmocka_unit_test(test_random_larger),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
