/*
 * save: random trees, written by the tests' own builder, saved, and read back by hivex alone
 * and by our reader, against the description of the tree.
 */
#include "tests/testing.h"

#include <hivex.h>
#include <stdio.h>
#include <stdlib.h>

#include "hive/compare.h"
#include "hive/digest.h"
#include "hive/save.h"
#include "tests/random_tree.h"

static struct image *image_of(TALLOC_CTX *ctx, struct builder *b)
{
	struct error err = { 0 };
	size_t size;
	uint8_t *bytes = builder_write(b, &size);
	struct image *image = image_copy(ctx, (struct bytes){ bytes, size }, &err);

	assert_non_null(image);
	assert_true(image_seal(image, &err));
	return image;
}

static struct hive *open_image(TALLOC_CTX *ctx, const struct image *image)
{
	struct error err = { 0 };
	struct hive *hive = hive_open_image(ctx, image, "test", &err);

	if (!hive)
		fail_msg("%s", err.text);
	return hive;
}

static struct image *save(TALLOC_CTX *ctx, const struct hive *hive, const char *path,
                          uint32_t minor)
{
	struct save_options options = { .minor = minor };
	struct error err = { 0 };
	struct hive_key key;
	struct image *image;

	assert_true(hive_find(hive, NULL, path, &key, &err));
	assert_int_not_equal(key.cell, REGF_NIL);
	image = save_proved(ctx, hive, &key, &options, "saved", NULL, &err);
	if (!image)
		fail_msg("%s", err.text);
	return image;
}

/* --- what was saved, read by hivex alone --- */

struct judge {
	hive_h *hivex;
	unsigned keys, values;
};

static void judge_value(struct judge *judge, hive_value_h at, const struct builder_value *value)
{
	hive_type type;
	size_t size;
	char *data = hivex_value_value(judge->hivex, at, &type, &size);

	assert_non_null(data);
	assert_int_equal(type, value->type);
	assert_int_equal(size, value->size);
	if (size)
		assert_memory_equal(data, value->data, size);
	free(data);
	judge->values++;
}

static void judge_key(struct judge *judge, hive_node_h node, const struct builder_key *key,
                      const char *name)
{
	hive_value_h *values = hivex_node_values(judge->hivex, node);
	char *found = hivex_node_name(judge->hivex, node);

	assert_non_null(values);
	if (name) {
		assert_non_null(found);
		assert_string_equal(found, name);
	}
	/* hivex has signed times; a key without one has the builder's */
	if (key->time && key->time < INT64_MAX)
		assert_true((uint64_t)hivex_node_timestamp(judge->hivex, node) == key->time);
	assert_int_equal(hivex_node_nr_values(judge->hivex, node), key->value_count);
	for (uint32_t i = 0; i < key->value_count; i++)
		judge_value(judge, values[i], key->values[i]);
	judge->keys++;
	free(found);
	free(values);
}

/* The whole tree; builder_write has put siblings in order. */
static void judge_tree(struct judge *judge, hive_node_h node, const struct builder_key *key)
{
	hive_node_h *children = hivex_node_children(judge->hivex, node);

	assert_non_null(children);
	assert_int_equal(hivex_node_nr_children(judge->hivex, node), key->child_count);
	for (uint32_t i = 0; i < key->child_count; i++) {
		struct name name = { (const uint8_t *)key->children[i]->name,
			             2 * key->children[i]->units, false };
		char *text = name_to_utf8(NULL, name);

		judge_key(judge, children[i], key->children[i], text);
		judge_tree(judge, children[i], key->children[i]);
		talloc_free(text);
	}
	free(children);
}

static void judge_image(const struct image *image, struct builder *b, uint32_t minor)
{
	struct judge judge = { 0 };
	char *path = image_path(NULL, image);
	hive_node_h root;

	judge.hivex = hivex_open(path, 0);
	assert_non_null(judge.hivex);
	root = hivex_root(judge.hivex);
	judge_key(&judge, root, b->root, NULL);
	judge_tree(&judge, root, b->root);
	assert_int_equal(judge.keys, b->key_count);
	assert_int_equal(judge.values, b->value_count);
	assert_int_equal(image->bytes.data[24], minor);
	hivex_close(judge.hivex);
	talloc_free(path);
}

/* One random tree in both formats; what the two images are made of must be equal. */
static void round_trip(uint64_t seed, unsigned flags)
{
	TALLOC_CTX *ctx = talloc_new(NULL);
	struct builder *b = random_tree(ctx, seed, flags);
	struct hive *hive = open_image(ctx, image_of(ctx, b));
	uint32_t minor = b->minor <= 3 ? 3 : 5;
	struct image *first = save(ctx, hive, "", 0), *second, *again;
	uint8_t digest_a[DIGEST_SIZE], digest_b[DIGEST_SIZE];
	struct hive_key key_a, key_b;
	struct error err;
	struct hive *back;

	if (!(flags & RANDOM_ODD))
		judge_image(first, b, minor);
	second = save(ctx, hive, "", minor == 3 ? 5 : 3);
	/* The same tree gives the same bytes, whatever image it comes from. */
	back = open_image(ctx, second);
	again = save(ctx, back, "", minor);
	assert_true(bytes_equal(first->bytes, again->bytes));
	assert_true(hive_root(hive, &key_a, &err) && hive_root(back, &key_b, &err));
	assert_true(digest_subtree(hive, &key_a, digest_a, &err));
	assert_true(digest_subtree(back, &key_b, digest_b, &err));
	assert_memory_equal(digest_a, digest_b, DIGEST_SIZE);
	talloc_free(ctx);
}

static void small_trees(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= testing_rounds(1000, 25); seed++)
		round_trip(seed, RANDOM_SMALL | RANDOM_LAYOUT);
}

static void odd_trees(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= testing_rounds(300, 8); seed++)
		round_trip(seed, RANDOM_SMALL | RANDOM_LAYOUT | RANDOM_ODD);
}

static void trees(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= testing_rounds(60, 2); seed++)
		round_trip(seed, RANDOM_LAYOUT);
}

static void large_trees(void **state)
{
	(void)state;
	/* The fifth has 10 MB, the others up to 48. */
	for (uint64_t seed = testing_rounds(1, 5); seed <= 5; seed++)
		round_trip(seed, RANDOM_LAYOUT | RANDOM_LARGE);
}

/* --- special things --- */

static void keeps_links_classes_and_security(void **state)
{
	TALLOC_CTX *ctx = talloc_new(NULL);
	struct builder *b = builder_new(ctx);
	struct builder_key *key = builder_path(b, "Software\\Sub");
	struct hive_key found, root;
	struct hive *hive, *back;
	struct bytes descriptor;
	struct error err;

	(void)state;
	builder_class(key, "Class of it");
	builder_security_kind(key, BUILDER_SD_SECRET, 0);
	builder_link(builder_path(b, "Software\\Link"), "\\Registry\\Machine\\Software\\Sub");
	hive = open_image(ctx, image_of(ctx, b));
	back = open_image(ctx, save(ctx, hive, "Software", 0));
	assert_true(hive_root(back, &root, &err));
	assert_true(
		name_identical(root.name, (struct name){ (const uint8_t *)"Software", 8, true }));
	assert_int_equal(hive_key_flags(&root), 0x2c);
	assert_int_equal(le32_get(root.nk->parent), REGF_NIL);
	assert_true(hive_find(back, NULL, "LINK", &found, &err));
	assert_int_equal(hive_key_flags(&found), 0x30);
	assert_true(hive_find(back, NULL, "sub", &found, &err));
	assert_int_equal(hive_key_flags(&found), 0x20);
	assert_int_equal(found.class_name.size, 22);
	assert_memory_equal(found.class_name.data, "C\0l\0a\0s\0s\0", 10);
	assert_true(hive_security(back, &found, &descriptor, &err));
	assert_int_equal(descriptor.size, key->security->size);
	assert_memory_equal(descriptor.data, key->security->data, descriptor.size);
	talloc_free(ctx);
}

static void refuses_what_a_format_cannot_hold(void **state)
{
	TALLOC_CTX *ctx = talloc_new(NULL);
	struct builder *b = builder_new(ctx);
	struct save_options options = { .minor = 3 };
	uint8_t *data = talloc_zero_size(ctx, 1048577);
	struct hive_key root;
	struct error err;
	struct hive *hive;

	(void)state;
	builder_value(builder_path(b, "Some\\Key"), "large", REG_BINARY, data, 1048577);
	hive = open_image(ctx, image_of(ctx, b));
	assert_true(hive_root(hive, &root, &err));
	assert_null(save_subtree(ctx, hive, &root, &options, NULL, &err));
	assert_int_equal(err.kind, ERROR_REFUSED);
	assert_non_null(strstr(err.text, "key \\Some\\Key, value large: "));
	assert_non_null(save_subtree(ctx, hive, &root, NULL, NULL, &err));
	talloc_free(ctx);
}

static void refuses_layered_keys(void **state)
{
	TALLOC_CTX *ctx = talloc_new(NULL);
	struct builder *b = builder_new(ctx);
	struct hive_key root;
	struct error err;
	struct hive *hive;

	(void)state;
	b->minor = 6;
	b->base_flags = REGF_FLAG_LAYERED;
	builder_path(b, "Layer\\Upper")->layer = 0x80;
	hive = open_image(ctx, image_of(ctx, b));
	assert_true(hive_root(hive, &root, &err));
	assert_null(save_subtree(ctx, hive, &root, NULL, NULL, &err));
	assert_int_equal(err.kind, ERROR_REFUSED);
	assert_non_null(strstr(err.text, "\\Layer\\Upper is layered"));
	talloc_free(ctx);
}

/* hivex stops at 70,000 subkeys, 110,000 values and 8,000,000 bytes; nothing may be lost. */
static void beyond_the_limits_of_hivex(void **state)
{
	TALLOC_CTX *ctx = talloc_new(NULL);
	struct builder *b = builder_new(ctx);
	struct builder_key *key = builder_path(b, "many");
	uint8_t *data = talloc_size(ctx, 9000001);
	struct hive *hive, *back;
	struct hive_key found;
	struct error err;
	char name[16];

	(void)state;
	for (unsigned i = 0; i < 9000001; i++)
		data[i] = (uint8_t)(i * 7 + i / 251);
	for (unsigned i = 0; i < 70500; i++) {
		snprintf(name, sizeof(name), "%06u", i);
		builder_key(key, name, 0);
	}
	for (unsigned i = 0; i < 110500; i++) {
		snprintf(name, sizeof(name), "v%06u", i);
		builder_dword(key, name, i);
	}
	builder_value(key, "large", REG_BINARY, data, 9000001);
	hive = open_image(ctx, image_of(ctx, b));
	back = open_image(ctx, save(ctx, hive, "", 0)); /* proved equal to its source */
	assert_true(hive_find(back, NULL, "many", &found, &err));
	assert_int_equal(le32_get(found.nk->subkeys), 70500);
	assert_int_equal(le32_get(found.nk->values), 110501);
	assert_true(hive_find(back, NULL, "many\\070499", &found, &err));
	assert_int_not_equal(found.cell, REGF_NIL);
	talloc_free(ctx);
}

/* An image whose checksum is one of the two reserved ones is valid, though hivex refuses it. */
static void reserved_checksums(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		TALLOC_CTX *ctx = talloc_new(NULL);
		struct builder *b = builder_new(ctx);
		struct hive *hive;

		b->checksum = i ? BUILDER_SUM_FFFFFFFF : BUILDER_SUM_0;
		builder_dword(builder_path(b, "a\\b"), "v", 7);
		hive = open_image(ctx, image_of(ctx, b));
		assert_false(hive_in_hivex(hive));
		judge_image(save(ctx, hive, "", 0), b, 5);
		talloc_free(ctx);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		testing_unit(small_trees),
		testing_unit(odd_trees),
		testing_unit(trees),
		testing_unit(large_trees),
		testing_unit(keeps_links_classes_and_security),
		testing_unit(refuses_what_a_format_cannot_hold),
		testing_unit(refuses_layered_keys),
		testing_unit(beyond_the_limits_of_hivex),
		testing_unit(reserved_checksums),
	};

	return cmocka_run_group_tests(tests, testing_begin, testing_end);
}
