/*
 * Salvage: of a hive with one thing broken, everything else is saved, and what was left out is
 * listed by its path. What must come out is built by the tests' builder without the broken thing.
 */
#include "tests/testing.h"

#include <string.h>

#include "hive/hive.h"
#include "hive/save.h"
#include "tests/builder.h"
#include "tests/model.h"
#include "tests/recovering.h"

struct tree {
	struct builder *b;
	struct builder_key *values, *keys, *kept, *wide;
	struct builder_key *sub[6]; /* below KEYS: s0 to s5, each with a value and a key below */
	struct builder_value *value[5];
};

static struct tree make(void)
{
	static uint8_t big[40000];
	struct tree t = { builder_new(NULL), NULL, NULL, NULL, NULL, { NULL }, { NULL } };

	t.keys = builder_path(t.b, "Keys");
	t.kept = builder_path(t.b, "Other\\Kept");
	t.values = builder_path(t.b, "Values");
	t.wide = builder_path(t.b, "Wide\\\u0416\u0416\u0416\u0416X");
	builder_root_name(t.b, "Cluster");
	builder_class(t.kept, "ClassName");
	builder_string(t.kept, "Name", "kept");
	builder_security_kind(t.kept, BUILDER_SD_PROTECTED, 1000);
	for (unsigned i = 0; i < 4; i++) {
		char name[] = { 'v', (char)('0' + i), 0 };

		memset(big, 'a' + (int)i, sizeof(big));
		t.value[i] = builder_value(t.values, name, 3, big, i == 3 ? sizeof(big) : 100);
	}
	for (unsigned i = 0; i < 6; i++) {
		char name[] = { 's', (char)('0' + i), 0 };

		t.sub[i] = builder_key(t.keys, name, 0);
		builder_dword(t.sub[i], "Number", i);
		builder_string(builder_key(t.sub[i], "Below", 0), "Name", name);
	}
	t.value[4] = builder_value(t.values, "\u0416\u0416\u0416\u0416X", 3, big, 100);
	builder_security_kind(t.sub[1], BUILDER_SD_PROTECTED, 1001);
	return t;
}

static void drop_value(struct builder_key *key, uint32_t index)
{
	key->value_count--;
	memmove(&key->values[index], &key->values[index + 1],
	        (key->value_count - index) * sizeof(*key->values));
}

static void drop_key(struct builder_key *parent, uint32_t index)
{
	parent->child_count--;
	memmove(&parent->children[index], &parent->children[index + 1],
	        (parent->child_count - index) * sizeof(*parent->children));
}

/* The record in a cell. */
static uint8_t *record(uint8_t *image, uint32_t cell)
{
	return image + 0x1000 + cell + 4;
}

static void put32(uint8_t *at, uint32_t n)
{
	for (unsigned i = 0; i < 4; i++)
		at[i] = (uint8_t)(n >> 8 * i);
}

/* --- what is broken (IMAGE is written), and what then must be missing (NULL: the other way) --- */

typedef void break_fn(struct tree *t, uint8_t *image);

static void value_signature(struct tree *t, uint8_t *image)
{
	if (image)
		memcpy(record(image, t->value[1]->cell), "xx", 2);
	else
		drop_value(t->values, 1);
}

static void value_data_outside(struct tree *t, uint8_t *image)
{
	if (image)
		put32(record(image, t->value[2]->cell) + 8, 0x7ffffff0);
	else
		drop_value(t->values, 2);
}

static void segment_lost(struct tree *t, uint8_t *image)
{
	if (image)
		put32(record(image, t->value[3]->db_table) + 4, 0x00000004);
	else
		drop_value(t->values, 3);
}

static void value_list_outside(struct tree *t, uint8_t *image)
{
	if (image)
		put32(record(image, t->values->cell) + 40, 0x7ffffff0);
	else
		t->values->value_count = 0;
}

static void value_list_nowhere(struct tree *t, uint8_t *image)
{
	if (image)
		put32(record(image, t->values->cell) + 40, 0xffffffff);
	else
		t->values->value_count = 0;
}

/* Value 0 loses its name, which takes nothing from it, and its data. */
static void default_value(struct tree *t, uint8_t *image)
{
	if (image) {
		memset(record(image, t->value[0]->cell) + 2, 0, 2);
		put32(record(image, t->value[0]->cell) + 8, 0x7ffffff0);
	} else {
		drop_value(t->values, 0);
	}
}

static void two_values_of_one_name(struct tree *t, uint8_t *image)
{
	if (image)
		record(image, t->value[2]->cell)[20 + 1] = '0';
	else
		drop_value(t->values, 2);
}

static void key_signature(struct tree *t, uint8_t *image)
{
	if (image)
		memcpy(record(image, t->sub[3]->cell), "xx", 2);
	else
		drop_key(t->keys, 3);
}

static void key_outside(struct tree *t, uint8_t *image)
{
	if (image)
		put32(record(image, t->keys->list_cell) + 4 + 8 * 2, 0x7ffffff8);
}

static void two_keys_of_one_name(struct tree *t, uint8_t *image)
{
	if (image)
		record(image, t->sub[4]->cell)[76 + 1] = '3';
	else
		drop_key(t->keys, 4);
}

static void cycle(struct tree *t, uint8_t *image)
{
	if (image)
		put32(record(image, t->keys->list_cell) + 4 + 8 * 5, t->keys->cell);
}

static void one_key_twice(struct tree *t, uint8_t *image)
{
	if (image)
		put32(record(image, t->keys->list_cell) + 4 + 8 * 5, t->sub[4]->cell);
}

static void wrong_order(struct tree *t, uint8_t *image)
{
	uint8_t *entries = image ? record(image, t->keys->list_cell) + 4 : NULL, entry[8];

	if (!image)
		return; /* nothing is lost */
	memcpy(entry, entries, 8);
	memcpy(entries, entries + 16, 8);
	memcpy(entries + 16, entry, 8);
}

static void wrong_parent(struct tree *t, uint8_t *image)
{
	if (image)
		put32(record(image, t->sub[2]->cell) + 16, t->kept->cell);
}

static void security_outside(struct tree *t, uint8_t *image)
{
	if (image)
		put32(record(image, t->sub[1]->cell) + 44, 0x7ffffff0);
	else
		t->sub[1]->security = t->keys->security;
}

static void security_signature(struct tree *t, uint8_t *image)
{
	if (image)
		memcpy(record(image, t->sub[1]->security->cell), "xx", 2);
	else
		t->sub[1]->security = t->keys->security;
}

static void security_unsound(struct tree *t, uint8_t *image)
{
	if (image)
		record(image, t->sub[1]->security->cell)[20] = 9;
	else
		t->sub[1]->security = t->keys->security;
}

static void class_outside(struct tree *t, uint8_t *image)
{
	if (image)
		put32(record(image, t->kept->cell) + 48, 0x7ffffff0);
	else
		t->kept->class_size = 0;
}

/* The validator gives up the rest of the bin then; salvage does not. */
static void cell_size(struct tree *t, uint8_t *image)
{
	if (image)
		put32(record(image, t->kept->class_cell) - 4, 31);
	else
		t->kept->class_size = 0;
}

static void backslash(struct tree *t, uint8_t *image)
{
	if (image)
		record(image, t->sub[3]->cell)[76 + 1] = '\\';
	else
		drop_key(t->keys, 3);
}

static void root_without_a_name(struct tree *t, uint8_t *image)
{
	if (image)
		memset(record(image, t->b->root->cell) + 72, 0, 2);
	else
		builder_root_name(t->b, "ROOT");
}

static void key_name_odd(struct tree *t, uint8_t *image)
{
	if (image)
		record(image, t->wide->cell)[72] = 9;
	else
		drop_key(t->wide->parent, 0);
}

static void value_name_odd(struct tree *t, uint8_t *image)
{
	if (image)
		record(image, t->value[4]->cell)[2] = 9;
	else
		drop_value(t->values, 4);
}

static void leaf_signature(struct tree *t, uint8_t *image)
{
	if (image)
		memcpy(record(image, t->keys->leaves[1]), "xx", 2);
}

static void count_of_subkeys_0(struct tree *t, uint8_t *image)
{
	if (image)
		put32(record(image, t->keys->cell) + 20, 0);
}

static void count_of_subkeys_high(struct tree *t, uint8_t *image)
{
	if (image)
		put32(record(image, t->keys->cell) + 20, 7);
}

/* --- one thing that two refer to: the first has it --- */

static void shared_subkeys(struct tree *t, uint8_t *image)
{
	if (!image)
		return;
	put32(record(image, t->kept->cell) + 20, 6);
	put32(record(image, t->kept->cell) + 28, t->keys->list_cell);
}

static void shared_values(struct tree *t, uint8_t *image)
{
	if (!image) {
		t->values->value_count = 0;
		return;
	}
	put32(record(image, t->values->cell) + 36, 1);
	put32(record(image, t->values->cell) + 40, t->sub[0]->values_cell);
}

static void shared_value(struct tree *t, uint8_t *image)
{
	if (image)
		put32(record(image, t->values->values_cell) + 4, t->sub[0]->values[0]->cell);
	else
		drop_value(t->values, 1);
}

static void shared_data(struct tree *t, uint8_t *image)
{
	if (image)
		put32(record(image, t->value[1]->cell) + 8, t->value[0]->data_cell);
	else
		drop_value(t->values, 1);
}

static void shared_class(struct tree *t, uint8_t *image)
{
	if (!image)
		return;
	put32(record(image, t->wide->cell) + 48, t->kept->class_cell);
	record(image, t->wide->cell)[74] = 18;
}

static void subkeys_outside(struct tree *t, uint8_t *image)
{
	if (image)
		put32(record(image, t->keys->cell) + 28, 0x7ffffff0);
}

/* And the lists of two of them, too. */
static void all_lists_outside(struct tree *t, uint8_t *image)
{
	subkeys_outside(t, image);
	for (unsigned i = 0; image && i < 2; i++)
		put32(record(image, t->sub[i]->cell) + 28, 0x7ffffff0);
}

/* Nor does that key come back. */
static void one_was_deleted(struct tree *t, uint8_t *image)
{
	uint8_t *size;

	subkeys_outside(t, image);
	if (!image) {
		drop_key(t->keys, 2);
		return;
	}
	size = record(image, t->sub[2]->cell) - 4;
	put32(size, 0u - (size[0] | (uint32_t)size[1] << 8 | (uint32_t)size[2] << 16 |
	                  (uint32_t)size[3] << 24));
}

static void count_of_list_low(struct tree *t, uint8_t *image)
{
	if (image)
		record(image, t->keys->list_cell)[2] = 5;
}

/* What no list leads to is nothing where none is damaged. */
static void one_left_over(struct tree *t, uint8_t *image)
{
	if (!image) {
		drop_key(t->keys, 5);
		drop_value(t->values, 1);
		return;
	}
	count_of_list_low(t, image);
	put32(record(image, t->keys->cell) + 20, 5);
	value_signature(t, image);
}

static void clustering_factor(struct tree *t, uint8_t *image)
{
	(void)t;
	if (!image)
		return;
	put32(image + 44, 9);
	builder_fix_checksum(image);
}

static const struct {
	const char *name;
	break_fn *how;
	const char *path;  /* what is said of the loss begins so; NULL: nothing is lost */
	const char *found; /* and behind it so; NULL: nothing is found again */
} rows[] = {
	{ "a value's signature", value_signature, "\\Values: a value", NULL },
	{ "a value's data outside", value_data_outside, "\\Values: value v2: cell", NULL },
	{ "a segment of a big value", segment_lost, "\\Values: value v3: cell", NULL },
	{ "the list of values outside", value_list_outside, "\\Values: its values", NULL },
	{ "the list of values nowhere", value_list_nowhere,
	  "\\Values: its values: there is no cell", NULL },
	{ "the default value's data", default_value, "\\Values: default value: cell", NULL },
	{ "two values of one name", two_values_of_one_name, "\\Values: value v0: 0x", NULL },
	{ "a key's signature", key_signature, "\\Keys: a subkey", NULL },
	{ "a key outside", key_outside, "\\Keys: a subkey", "\\Keys: one subkey is here" },
	{ "two keys of one name", two_keys_of_one_name, "\\Keys\\s3: all of it: 0x", NULL },
	{ "a cycle", cycle, "\\Keys\\Keys: all of it: cell", "\\Keys: one subkey is here" },
	{ "one key twice", one_key_twice, "\\Keys\\s4: all of it: cell",
	  "\\Keys: one subkey is here" },
	{ "the security cell outside", security_outside, "\\Keys\\s1: its security", NULL },
	{ "a security cell's signature", security_signature, "\\Keys\\s1: its security", NULL },
	{ "an unsound descriptor", security_unsound, "\\Keys\\s1: its security", NULL },
	{ "the class name outside", class_outside, "\\Other\\Kept: its class", NULL },
	{ "a cell's size", cell_size, "\\Other\\Kept: its class", NULL },
	{ "a backslash in a name", backslash, "\\Keys\\s\\: all of it: key", NULL },
	{ "a root without a name", root_without_a_name, "\\: the root's name", NULL },
	{ "a key's name of odd size", key_name_odd,
	  "\\Wide\\\u0416\u0416\u0416\u0416: all of it: key", NULL },
	{ "a value's name of odd size", value_name_odd,
	  "\\Values: value \u0416\u0416\u0416\u0416: value", NULL },
	{ "a leaf of three", leaf_signature, "\\Keys: a part of its subkeys",
	  "\\Keys: 2 subkeys are here" },
	{ "no subkeys, but a list", count_of_subkeys_0, NULL, NULL },
	{ "too many subkeys counted", count_of_subkeys_high, NULL, NULL },
	{ "a shared list of subkeys", shared_subkeys, "\\Other\\Kept: its subkeys", NULL },
	{ "a shared list of values", shared_values, "\\Values: its values", NULL },
	{ "a shared value", shared_value, "\\Values: value Number: cell", NULL },
	{ "shared data", shared_data, "\\Values: value v1: cell", NULL },
	{ "a shared class name", shared_class, "\\Wide\\", NULL },
	{ "the list of subkeys outside", subkeys_outside, "\\Keys: its subkeys",
	  "\\Keys: 6 subkeys are here" },
	{ "lists of lists outside", all_lists_outside, "\\Keys\\s1: its subkeys",
	  "\\Keys\\s1: one subkey is here" },
	{ "a deleted key", one_was_deleted, "\\Keys: its subkeys", "\\Keys: 5 subkeys are here" },
	{ "a list that counts too few", count_of_list_low, "\\Keys: one subkey is here", NULL },
	{ "a key left over", one_left_over, "\\Values: a value", NULL },
	{ "wrong order", wrong_order, NULL, NULL },
	{ "wrong parent", wrong_parent, NULL, NULL },
	{ "a field of the base block", clustering_factor, NULL, NULL },
};

static char *dump(TALLOC_CTX *ctx, const struct hive *hive)
{
	struct error err = { 0 };
	struct hive_key root;

	assert_true(hive_root(hive, &root, &err));
	return model_dump(ctx, model_of_hive(ctx, hive, &root));
}

/* The tree without what is broken (HOW may be NULL), as a hive of its own. */
static char *wanted(TALLOC_CTX *ctx, break_fn *how)
{
	struct tree t = make();
	struct error err = { 0 };
	struct source *source;
	uint8_t *image;
	size_t size;
	char *text;

	if (how)
		how(&t, NULL);
	image = builder_write(t.b, &size);
	source = recovering_source(image, size);
	text = dump(ctx, hive_open(source, source, NULL, &err));
	talloc_free(source);
	talloc_free(image);
	talloc_free(t.b);
	return text;
}

static struct source *broken(break_fn *how)
{
	struct tree t = make();
	struct source *source;
	uint8_t *image;
	size_t size;

	if (how == leaf_signature)
		t.b->leaf_max = 2;
	image = builder_write(t.b, &size);
	how(&t, image);
	source = recovering_source(image, size);
	talloc_free(image);
	talloc_free(t.b);
	return source;
}

/* The last lines of the list are these. */
static void check_list(const struct problems *list, const char *path, const char *found)
{
	uint32_t last = list->count - 1;

	if (found) {
		assert_true(last >= 1);
		assert_ptr_equal(strstr(list->list[last].text, found),
		                 strstr(list->list[last].text, "\\"));
		last--;
	} else {
		assert_int_equal(last, 0);
	}
	assert_non_null(strstr(list->list[last].text, path ? path : "could be read"));
}

static void salvage(const char *name, break_fn *how, const char *path, const char *found)
{
	struct source *source = broken(how);
	struct hive_options options = { .left_out = problems_new(source) };
	struct hive *hive, *back;
	struct error err = { 0 };
	struct image *image;
	struct hive_key root;

	print_message("# %s\n", name);
	assert_null(hive_open(source, source, NULL, &err));
	assert_int_equal(err.kind, ERROR_SOURCE);
	hive = hive_open(source, source, &options, &err);
	if (!hive)
		fail_msg("%s: %s", name, err.text);
	assert_true(hive_salvaged(hive));
	assert_string_equal(dump(source, hive), wanted(source, how));
	check_list(options.left_out, path, found);

	/* and as a file: clean, in order, and hivex takes it */
	assert_true(hive_root(hive, &root, &err));
	image = save_proved(source, hive, &root, NULL, "saved", NULL, &err);
	assert_non_null(image);
	back = hive_open_image(source, image, "saved", &err);
	assert_non_null(back);
	assert_true(hive_in_hivex(back));
	assert_int_equal(hive_check(back)->problems->count, 0);
	talloc_free(source);
}

static void one_thing_broken_is_all_that_is_lost(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		salvage(rows[i].name, rows[i].how, rows[i].path, rows[i].found);
}

static uint32_t keys_of(struct builder *b)
{
	uint32_t count = 0;

	for (struct builder_key *key = b->root; key; key = builder_next(key))
		count++;
	return count;
}

/* Every key but two has it, the root too: all stay, and each is named. */
static void the_security_of_all_is_lost(void **state)
{
	struct tree t = make();
	struct hive_options options;
	struct error err = { 0 };
	struct bytes descriptor;
	struct source *source;
	struct hive_key key;
	struct hive *hive;
	uint8_t *image;
	size_t size;

	(void)state;
	image = builder_write(t.b, &size);
	memcpy(record(image, t.keys->security->cell), "xx", 2);
	source = recovering_source(image, size);
	options = (struct hive_options){ .left_out = problems_new(source) };
	hive = hive_open(source, source, &options, &err);
	assert_non_null(hive);
	assert_int_equal(hive_check(hive)->keys, keys_of(t.b));
	assert_int_equal(options.left_out->count, keys_of(t.b) - 2);
	assert_true(hive_find(hive, NULL, "Other\\Kept", &key, &err));
	assert_true(hive_security(hive, &key, &descriptor, &err));
	assert_int_equal(descriptor.size, t.kept->security->size);
	assert_memory_equal(descriptor.data, t.kept->security->data, descriptor.size);
	talloc_free(source);
	talloc_free(image);
	talloc_free(t.b);
}

/* Dirty, and no log: it is read as it is, a broken value is lost as ever, and both are said. */
static void dirty_without_logs(void **state)
{
	static break_fn *const hows[] = { NULL, value_signature };

	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		struct tree t = make();
		struct hive_options options;
		struct error err = { 0 };
		struct source *source;
		struct hive *hive;
		uint8_t *image;
		size_t size;

		image = builder_write(t.b, &size);
		if (hows[i % 2])
			hows[i % 2](&t, image);
		image[i < 2 ? 4 : 508] ^= 1; /* a sequence number; the checksum */
		if (i < 2)
			builder_fix_checksum(image);
		source = recovering_source(image, size);
		assert_null(hive_open(source, source, NULL, &err));
		assert_int_equal(err.kind, ERROR_BAD_NEWS);
		options = (struct hive_options){ .left_out = problems_new(source) };
		hive = hive_open(source, source, &options, &err);
		if (!hive)
			fail_msg("%u: %s", i, err.text);
		assert_true(hive_salvaged(hive));
		assert_int_equal(hive_recovery(hive)->condition, RECOVER_IGNORED);
		assert_int_equal(options.left_out->count, 1 + i % 2);
		assert_non_null(strstr(options.left_out->list[0].text, "what its logs held"));
		assert_string_equal(dump(source, hive), wanted(source, hows[i % 2]));
		talloc_free(source);
		talloc_free(image);
		talloc_free(t.b);
	}
}

/* What is no hive at all is no loss of anybody's. */
static void no_hive(void **state)
{
	static const uint8_t text[5000] = "this is no hive";
	struct source *source = recovering_source(text, sizeof(text));
	struct hive_options options = { .left_out = problems_new(source) };
	struct error err = { 0 };

	(void)state;
	assert_null(hive_open(source, source, &options, &err));
	assert_int_equal(err.kind, ERROR_SOURCE);
	assert_int_equal(options.left_out->count, 0);
	talloc_free(source);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		testing_unit(one_thing_broken_is_all_that_is_lost),
		testing_unit(the_security_of_all_is_lost),
		testing_unit(dirty_without_logs),
		testing_unit(no_hive),
	};

	return cmocka_run_group_tests(tests, testing_begin, testing_end);
}
