/*
 * Salvage of a hive that has lost its base block: bins and lists say what it was, and what comes
 * out is compared with the whole hive.
 */
#include "tests/testing.h"

#include <string.h>

#include "hive/hive.h"
#include "hive/walk.h"
#include "tests/builder.h"
#include "tests/model.h"
#include "tests/recovering.h"

#define BEHIND 10000u /* bytes of zeros behind the bins */

struct lost {
	struct source *source; /* the hive without its base block */
	struct problems *left_out;
	struct hive *hive; /* what salvage makes of it; NULL: err */
	struct error err;
};

/* The first of six subkeys of a key, beside values of all sizes. */
static struct builder_key *describe(struct builder *b)
{
	static uint8_t big[40000];
	struct builder_key *key = builder_path(b, "Keys"), *first = builder_key(key, "k0", 0);

	memset(big, 0xa5, sizeof(big));
	builder_value(key, "Big", 3, big, sizeof(big));
	builder_string(key, "Text", "some text");
	builder_dword(first, "Number", 7);
	for (char name[] = "k1"; name[1] < '6'; name[1]++)
		builder_key(key, name, 0);
	builder_path(b, "Other\\Below");
	builder_path(b, "Third");
	return first;
}

/* IMAGE without the first SIZE bytes, salvaged. */
static struct lost lose(const uint8_t *image, size_t bytes, size_t size)
{
	uint8_t *copy = talloc_zero_array(NULL, uint8_t, (unsigned)bytes + BEHIND);
	struct hive_options options = { 0 };
	struct lost lost = { 0 };

	assert_non_null(copy);
	memcpy(copy + size, image + size, bytes - size);
	lost.source = recovering_source(copy, bytes + BEHIND);
	talloc_free(copy);
	assert_null(hive_open(lost.source, lost.source, NULL, &lost.err));
	assert_int_equal(lost.err.kind, ERROR_SOURCE);
	assert_non_null(strstr(lost.err.text, "there is no regf signature"));
	lost.left_out = options.left_out = problems_new(lost.source);
	lost.hive = hive_open(lost.source, lost.source, &options, &lost.err);
	return lost;
}

static char *dump(TALLOC_CTX *ctx, const struct hive *hive)
{
	struct error err = { 0 };
	struct hive_key root;

	assert_true(hive_root(hive, &root, &err));
	return model_dump(ctx, model_of_hive(ctx, hive, &root));
}

static void all_else_is_kept(void **state)
{
	static const struct row {
		uint32_t minor;
		enum builder_list list;
		uint32_t leaf_max, size;
	} rows[] = {
		{ 5, BUILDER_LH, 100, 4 },
		{ 5, BUILDER_LH, 2, 4096 },
		{ 3, BUILDER_LF, 100, 4096 },
		{ 3, BUILDER_LI, 2, 512 },
	};

	(void)state;
	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct builder *b = builder_new(NULL);
		struct error err = { 0 };
		struct source *whole;
		struct lost lost;
		uint8_t *image;
		size_t size;

		b->minor = rows[i].minor;
		b->list = rows[i].list;
		b->leaf_max = rows[i].leaf_max;
		describe(b);
		image = builder_write(b, &size);
		whole = recovering_source(image, size);
		lost = lose(image, size, rows[i].size);
		if (!lost.hive)
			fail_msg("%u: %s", i, lost.err.text);
		assert_true(hive_salvaged(lost.hive));
		assert_string_equal(dump(whole, lost.hive),
		                    dump(whole, hive_open(whole, whole, NULL, &err)));
		assert_int_equal(le32_get(hive_base(lost.hive)->minor), rows[i].minor);
		assert_int_equal(lost.left_out->count, 1);
		assert_non_null(strstr(lost.left_out->list[0].text, "its base block"));
		talloc_free(whole);
		talloc_free(lost.source);
		talloc_free(image);
		talloc_free(b);
	}
}

/* The keys of a differencing hive mean nothing alone, with or without a base block. */
static void a_layer_stays_one(void **state)
{
	struct builder *b = builder_new(NULL);
	struct lost lost;
	uint8_t *image;
	size_t size;

	(void)state;
	describe(b)->layer = 1;
	image = builder_write(b, &size);
	lost = lose(image, size, 4096);
	assert_non_null(lost.hive);
	assert_true(walk_is_layered(lost.hive));
	talloc_free(lost.source);
	talloc_free(image);
	talloc_free(b);
}

/* Without the first bin too, or without a key where the root is, it is no hive. */
static void more_is_lost(void **state)
{
	static const struct row {
		uint32_t at;
		uint8_t byte;
	} rows[] = { { 0x1000, 'x' }, { 0x1005, 0x10 }, { 0x1023, 0x00 }, { 0x1024, 'x' } };

	(void)state;
	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct builder *b = builder_new(NULL);
		struct lost lost;
		uint8_t *image;
		size_t size;

		describe(b);
		image = builder_write(b, &size);
		image[rows[i].at] = rows[i].byte;
		lost = lose(image, size, 4096);
		assert_null(lost.hive);
		assert_int_equal(lost.err.kind, ERROR_SOURCE);
		assert_non_null(strstr(lost.err.text, "there is no regf signature"));
		assert_int_equal(lost.left_out->count, 0);
		talloc_free(lost.source);
		talloc_free(image);
		talloc_free(b);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		testing_unit(all_else_is_kept),
		testing_unit(a_layer_stays_one),
		testing_unit(more_is_lost),
	};

	return cmocka_run_group_tests(tests, testing_begin, testing_end);
}
