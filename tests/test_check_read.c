/* A hive that is checked while it is read: nothing else is found than in the whole of it. */
#include "hive/check.h"

#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "tests/builder.h"
#include "tests/testing.h"

static char *directory;

static int make_directory(void **state)
{
	directory = testing_directory();
	return testing_begin(state);
}

static int remove_directory(void **state)
{
	testing_remove(directory);
	return testing_end(state);
}

static void assert_same(const struct check *a, const struct check *b)
{
	assert_int_equal(a->keys, b->keys);
	assert_int_equal(a->values, b->values);
	assert_int_equal(a->dirty, b->dirty);
	assert_int_equal(a->problems->worst, b->problems->worst);
	assert_int_equal(a->problems->count, b->problems->count);
	for (uint32_t i = 0; i < a->problems->count; i++) {
		const struct problem *one = &a->problems->list[i], *two = &b->problems->list[i];

		assert_string_equal(one->code, two->code);
		assert_string_equal(one->text, two->text);
		assert_int_equal(one->weight, two->weight);
		assert_int_equal(one->offset, two->offset);
		assert_int_equal(one->more, two->more);
	}
}

/* Gives the number of problems. */
static uint32_t check_both(const uint8_t *data, size_t size)
{
	TALLOC_CTX *ctx = talloc_new(NULL);
	struct check whole, read;
	struct image *image;
	struct error err;
	uint32_t count;
	char path[4096];

	testing_write(directory, "hive", data, size);
	snprintf(path, sizeof(path), "%s/hive", directory);
	assert_true(check_image(ctx, (struct bytes){ data, size }, &whole, &err));
	image = image_read_begin(ctx, AT_FDCWD, path, &err);
	assert_non_null(image);
	assert_true(check_read(ctx, image, &read, &err));
	assert_int_equal(memcmp(image->bytes.data, data, size), 0); /* all of it is there */
	assert_same(&whole, &read);
	count = whole.problems->count;
	talloc_free(ctx);
	return count;
}

/* A hive of 7 MB with values of all sizes. SHUFFLE: see tests/builder.h. */
static uint8_t *build(TALLOC_CTX *ctx, uint32_t shuffle, size_t *size)
{
	static const uint8_t bytes[20000] = { 1, 2, 3 };
	struct builder *b = builder_new(ctx);
	uint8_t sd[256];

	b->leaf_max = 100;
	b->shuffle = shuffle;
	for (unsigned i = 0; i < 4000; i++) {
		struct builder_key *key;
		char name[40];

		snprintf(name, sizeof(name), "Group %u\\Key %u", i % 50, i);
		key = builder_path(b, name);
		builder_dword(key, "Start", i);
		builder_value(key, "Data", 3, bytes, i * 7919 % 3000);
		if (i % 100 == 0) {
			builder_value(key, "Big", 3, bytes, sizeof(bytes));
			builder_security(key, sd, builder_sd(BUILDER_SD_PLAIN, i / 100, sd));
		}
	}
	return builder_write(b, size);
}

static uint32_t scramble(uint32_t n)
{
	n = (n ^ n >> 16) * 0x45d9f3b;
	return n ^ n >> 16;
}

static void sound_and_broken(uint32_t shuffle)
{
	TALLOC_CTX *ctx = talloc_new(NULL);
	size_t size;
	uint8_t *hive = build(ctx, shuffle, &size), *broken = talloc_memdup(ctx, hive, size);
	unsigned found = 0;

	assert_true(size > 6 << 20);
	assert_int_equal(check_both(hive, size), 0);
	for (uint32_t i = 1; i <= 60; i++) {
		/* one word, a page, or the header of a page */
		size_t at = scramble(i) % (size / 4) * 4, length = 4;

		if (i % 3)
			at &= ~(size_t)4095;
		if (i % 3 == 1)
			length = 4096;
		memset(broken + at, i % 2 ? 0 : 0x84, length);
		found += check_both(broken, size) > 0;
		memcpy(broken, hive, size);
	}
	assert_in_range(found, 25, 60); /* some hit data */
	talloc_free(ctx);
}

static void in_the_order_of_keys(void **state)
{
	(void)state;
	sound_and_broken(0);
}

static void in_no_order(void **state)
{
	(void)state;
	sound_and_broken(7);
}

static void cut_and_prolonged_hives(void **state)
{
	TALLOC_CTX *ctx = talloc_new(NULL);
	size_t size;
	uint8_t *hive = build(ctx, 0, &size);

	(void)state;
	hive = talloc_realloc(ctx, hive, uint8_t, (unsigned)size + 8192);
	memset(hive + size, 0, 8192);
	for (size_t cut = 1; cut < 2 << 20; cut = 3 * cut + 100)
		assert_true(check_both(hive, size - cut) > 0);
	assert_true(check_both(hive, size + 77) > 0);
	memcpy(hive + size, hive + 4096, 4096); /* a bin that the base block does not count */
	check_both(hive, size + 4096);
	hive[0] = 'R';
	assert_int_equal(check_both(hive, size), 1);
	talloc_free(ctx);
}

/* The reader gets the processor only when the checker waits for it. */
static void one_processor(void **state)
{
	cpu_set_t all, one;

	(void)state;
	if (sched_getaffinity(0, sizeof(all), &all) != 0)
		return testing_skipped("a system without affinity");
	CPU_ZERO(&one);
	for (int cpu = 0; CPU_COUNT(&one) == 0; cpu++) {
		if (CPU_ISSET(cpu, &all))
			CPU_SET(cpu, &one);
	}
	assert_int_equal(sched_setaffinity(0, sizeof(one), &one), 0);
	sound_and_broken(0);
	cut_and_prolonged_hives(state);
	assert_int_equal(sched_setaffinity(0, sizeof(all), &all), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		testing_unit(in_the_order_of_keys),
		testing_unit(in_no_order),
		testing_unit(cut_and_prolonged_hives),
		testing_unit(one_processor),
	};

	return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
