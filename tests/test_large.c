/* Large hives: what is found in them without hivex, and with it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hive/hive.h"
#include "tests/builder.h"
#include "tests/recovering.h"
#include "tests/testing.h"

#define GROUPS 100u
#define KEYS 4000u

/* 20 MB. */
static struct builder *build(void)
{
	static const uint8_t data[5000] = { 1, 2, 3 };
	struct builder *b = builder_new(NULL);

	for (unsigned i = 0; i < KEYS; i++) {
		char name[60];

		snprintf(name, sizeof(name), "Group %u\\Key %u", i % GROUPS, i);
		builder_value(builder_path(b, name), "Data", 3, data, sizeof(data));
	}
	return b;
}

/* All keys below the root and one value of each, in one number; they must be as built. */
static uint64_t look_around(const struct hive *hive)
{
	TALLOC_CTX *ctx = talloc_new(NULL);
	uint32_t *groups, group_count, *keys, count;
	uint64_t sum = 0;
	struct hive_key root, group, key;
	struct hive_value value;
	struct error err;

	assert_true(hive_root(hive, &root, &err));
	assert_true(hive_subkeys(ctx, hive, &root, &groups, &group_count, &err));
	assert_int_equal(group_count, GROUPS);
	for (unsigned i = 0; i < GROUPS; i++) {
		assert_true(hive_key_at(hive, groups[i], &group, &err));
		assert_true(hive_subkeys(ctx, hive, &group, &keys, &count, &err));
		assert_int_equal(count, KEYS / GROUPS);
		for (unsigned k = 0; k < count; k++) {
			assert_true(hive_key_at(hive, keys[k], &key, &err));
			assert_true(hive_find_value(hive, &key, "data", &value, &err));
			sum = 31 * sum + keys[k] + value.cell;
		}
	}
	assert_true(hive_find(hive, NULL, "group 7\\KEY 307", &key, &err));
	assert_int_not_equal(key.cell, REGF_NIL);
	assert_true(hive_find(hive, NULL, "Group 7\\Key 308", &group, &err));
	assert_int_equal(group.cell, REGF_NIL);
	talloc_free(ctx);
	return sum + key.cell;
}

static void the_same_without_hivex(void **state)
{
	struct builder *b = build();
	struct error err;
	struct source *source;
	struct hive *hive;
	uint8_t *image;
	uint64_t found;
	size_t size;

	(void)state;
	image = builder_write(b, &size);
	assert_true(size > 17 << 20);
	source = recovering_source(image, size);
	hive = hive_open(source, source, NULL, &err);
	assert_non_null(hive);
	found = look_around(hive);
	assert_int_equal(hive_image(hive)->fd, -1); /* nobody needed a memfd */
	assert_true(hive_in_hivex(hive));
	assert_int_not_equal(hive_image(hive)->fd, -1);
	assert_true(look_around(hive) == found);
	hive_rest(hive);
	assert_true(look_around(hive) == found);
	talloc_free(source);
	talloc_free(image);
	talloc_free(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = { testing_unit(the_same_without_hivex) };

	return cmocka_run_group_tests(tests, testing_begin, testing_end);
}
