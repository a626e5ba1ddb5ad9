/* compare: every kind of difference is found and named, and how things are stored is none. */
#include "tests/testing.h"

#include <stdio.h>

#include "hive/compare.h"
#include "hive/save.h"
#include "tests/builder.h"

#define LARGE 40000u /* bytes: data in three segments */

/* Where a test takes hold of the tree. */
struct tree {
	struct builder *b;
	struct builder_key *key, *sibling;                    /* One\Two, One\Three */
	struct builder_value *first, *inlined, *large, *last; /* of One\Two */
};

static void build(TALLOC_CTX *ctx, struct tree *t)
{
	uint8_t *data = talloc_zero_size(ctx, LARGE);

	t->b = builder_new(ctx);
	t->key = builder_path(t->b, "One\\Two");
	t->sibling = builder_path(t->b, "One\\Three");
	builder_class(t->key, "class");
	t->first = builder_string(t->key, "First", "some text");
	builder_string(t->key, "", "the default value");
	t->inlined = builder_dword(t->key, "Inlined", 7);
	t->large = builder_value(t->key, "Large", 3, data, LARGE);
	t->last = builder_string(t->key, "Last", "text");
	builder_string(t->sibling, "Other", "text");
}

static struct hive *open_tree(TALLOC_CTX *ctx, struct builder *b)
{
	struct error err = { 0 };
	size_t size;
	uint8_t *bytes = builder_write(b, &size);
	struct image *image = image_copy(ctx, (struct bytes){ bytes, size }, &err);
	struct hive *hive;

	assert_non_null(image);
	assert_true(image_seal(image, &err));
	hive = hive_open_image(ctx, image, "test", &err);
	if (!hive)
		fail_msg("%s", err.text);
	return hive;
}

/* Promise 5: an image of B is kept as one of A only if they are the same. */
static void prove(TALLOC_CTX *ctx, const struct hive *a, const struct hive *b, bool same)
{
	struct hive_key root_a, root_b;
	struct error err = { 0 };
	struct image *image;

	assert_true(hive_root(a, &root_a, &err));
	assert_true(hive_root(b, &root_b, &err));
	image = save_subtree(ctx, b, &root_b, NULL, NULL, &err);
	assert_non_null(image);
	assert_int_equal(save_prove(a, &root_a, image, "image", &err), same);
	assert_int_equal(err.kind, same ? ERROR_NONE : ERROR_INTERNAL);
}

/* What compare says of the tree and of the same after CHANGE, both ways; "" if nothing. */
static char *differ(TALLOC_CTX *ctx, void (*change)(struct tree *))
{
	struct error err = { 0 }, back = { 0 };
	struct hive_key root_a, root_b;
	struct tree plain, changed;
	struct hive *a, *b;
	bool same;

	build(ctx, &plain);
	build(ctx, &changed);
	change(&changed);
	a = open_tree(ctx, plain.b);
	b = open_tree(ctx, changed.b);
	assert_true(hive_root(a, &root_a, &err));
	assert_true(hive_root(b, &root_b, &err));
	same = compare_subtrees(a, &root_a, b, &root_b, &err);
	assert_int_equal(compare_subtrees(b, &root_b, a, &root_a, &back), same);
	assert_int_equal(err.kind, same ? ERROR_NONE : ERROR_BAD_NEWS);
	assert_int_equal(back.kind, err.kind);
	prove(ctx, a, b, same);
	return talloc_strdup(ctx, err.text);
}

static void key_time(struct tree *t)
{
	t->key->time = BUILDER_TIME + 1;
}

static void key_name(struct tree *t)
{
	t->key->name[0] = 't';
}

static void key_class(struct tree *t)
{
	builder_class(t->key, "Class");
}

static void key_link(struct tree *t)
{
	t->key->link = true;
}

static void key_more(struct tree *t)
{
	builder_path(t->b, "One\\Two\\More");
}

static void key_security(struct tree *t)
{
	builder_security_kind(t->key, BUILDER_SD_SECRET, 1);
}

/* The key before it has the same descriptor on both sides. */
static void sibling_security(struct tree *t)
{
	builder_security_kind(t->sibling, BUILDER_SD_SECRET, 1);
}

static void value_more(struct tree *t)
{
	builder_dword(t->key, "More", 1);
}

static void value_name(struct tree *t)
{
	t->last->name[0] = 'l';
}

static void value_type(struct tree *t)
{
	t->first->type = 2;
}

static void value_size(struct tree *t)
{
	t->last->size -= 2;
}

static void value_data(struct tree *t)
{
	t->first->data[4] ^= 1;
}

static void value_last_byte(struct tree *t)
{
	t->last->data[t->last->size - 1] ^= 1;
}

static void value_inlined(struct tree *t)
{
	t->inlined->data[3] ^= 0x80;
}

static void value_large(struct tree *t)
{
	t->large->data[LARGE - 1] ^= 1;
}

static void value_order(struct tree *t)
{
	struct builder_value *first = t->key->values[0];

	t->key->values[0] = t->key->values[1];
	t->key->values[1] = first;
}

static void differences_are_found(void **state)
{
	static const struct {
		void (*change)(struct tree *t);
		const char *text;
	} rows[] = {
		{ key_time, "\\One\\Two: times differ" },
		{ key_name, "names differ" },
		{ key_class, "\\One\\Two: class names differ" },
		{ key_link, "\\One\\Two: symbolic links differ" },
		{ key_more, "\\One\\Two: numbers of subkeys differ" },
		{ key_security, "\\One\\Two: security descriptors differ" },
		{ sibling_security, "\\One\\Three: security descriptors differ" },
		{ value_more, "\\One\\Two: numbers of values differ" },
		{ value_name, "\\One\\Two: names of values differ" },
		{ value_type, "\\One\\Two: types or sizes of values differ" },
		{ value_size, "\\One\\Two: types or sizes of values differ" },
		{ value_data, "\\One\\Two: data of values differ" },
		{ value_last_byte, "\\One\\Two: data of values differ" },
		{ value_inlined, "\\One\\Two: data of values differ" },
		{ value_large, "\\One\\Two: data of values differ" },
		{ value_order, "\\One\\Two: names of values differ" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		TALLOC_CTX *ctx = talloc_new(NULL);
		char *text = differ(ctx, rows[i].change);

		if (!strstr(text, rows[i].text))
			fail_msg("'%s' instead of '%s'", text, rows[i].text);
		talloc_free(ctx);
	}
}

static void nothing(struct tree *t)
{
	(void)t;
}

static void stored_wide(struct tree *t)
{
	t->key->wide = t->first->wide = t->last->wide = true;
}

static void not_inlined(struct tree *t)
{
	t->inlined->never_inline = true;
}

static void another_place(struct tree *t)
{
	t->b->shuffle = 5;
	t->b->slack = 24;
	t->b->leaf_max = 1;
	t->b->list = BUILDER_LI;
}

/* Format 1.3 has no segments; data that fits a cell of its own there. */
static void another_format(struct tree *t)
{
	t->b->minor = 3;
}

static void root_name(struct tree *t)
{
	builder_root_name(t->b, "Another");
}

static void storage_is_no_difference(void **state)
{
	static void (*const changes[])(struct tree *) = {
		nothing, stored_wide, not_inlined, another_place, root_name, another_format
	};

	(void)state;
	for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
		TALLOC_CTX *ctx = talloc_new(NULL);

		assert_string_equal(differ(ctx, changes[i]), "");
		talloc_free(ctx);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		testing_unit(differences_are_found),
		testing_unit(storage_is_no_difference),
	};

	return cmocka_run_group_tests(tests, testing_begin, testing_end);
}
