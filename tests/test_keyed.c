/*
 * Keyed hashes: what is the same has the same hash, and what was made to collide under
 * Windows' own hash does not.
 */
#include "hive/keyed.h"

#include <stdlib.h>

#include "tests/testing.h"

static struct name compressed(const char *text)
{
	return (struct name){ (const uint8_t *)text, (uint32_t)strlen(text), true };
}

static void what_is_equal_has_one_hash(void **state)
{
	static const uint8_t wide[] = { 'c', 0, 'A', 0, 'f', 0, 0xe9, 0 };
	uint64_t key = keyed_key();
	uint32_t hash = keyed_name(key, compressed("Caf\xe9"));

	(void)state;
	assert_int_equal(hash, keyed_name(key, compressed("CAF\xc9")));
	assert_int_equal(hash, keyed_name(key, (struct name){ wide, sizeof(wide), false }));
	assert_int_not_equal(hash, keyed_name(key, compressed("Caf\xe8")));
	assert_int_equal(keyed_bytes(key, (struct bytes){ wide, 7 }),
	                 keyed_bytes(key, (struct bytes){ wide, 7 }));
	assert_int_not_equal(keyed_bytes(key, (struct bytes){ wide, 7 }),
	                     keyed_bytes(key, (struct bytes){ wide, 8 }));
	assert_int_not_equal(keyed_key(), key);
}

/* Units are taken several at a time: each of them counts, at every place, and so do NULs at the
 * end. */
static void every_unit_counts(void **state)
{
	static const uint8_t zeros[100];
	uint64_t key = keyed_key();
	uint8_t text[100];

	(void)state;
	for (uint32_t size = 1; size <= 100; size++) {
		uint32_t hash;

		memset(text, 'x', sizeof(text));
		hash = keyed_name(key, (struct name){ text, size, true });
		for (uint32_t i = 0; i < size; i++) {
			text[i] = 'y';
			assert_int_not_equal(hash,
			                     keyed_name(key, (struct name){ text, size, true }));
			text[i] = 'x';
		}
		assert_int_not_equal(keyed_name(key, (struct name){ zeros, size, true }),
		                     keyed_name(key, (struct name){ zeros, size - 1, true }));
	}
}

#define BLOCKS 12
#define NAMES (1u << BLOCKS)

/* "0Z" and "15" are one number to Windows, so that N of them in a row are 2^N such names. */
static struct name collision(uint32_t number, char text[2 * BLOCKS + 1])
{
	for (unsigned i = 0; i < BLOCKS; i++)
		memcpy(text + 2 * i, number >> i & 1 ? "0Z" : "15", 3);
	return compressed(text);
}

static int compare(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

static void nobody_can_choose_what_collides(void **state)
{
	uint64_t key = keyed_key();
	uint32_t *hashes = calloc(NAMES, sizeof(*hashes)), windows, same = 0;
	char text[2 * BLOCKS + 1];

	(void)state;
	assert_non_null(hashes);
	windows = name_hash(collision(0, text));
	for (uint32_t i = 0; i < NAMES; i++) {
		struct name n = collision(i, text);

		assert_int_equal(name_hash(n), windows);
		hashes[i] = keyed_name(key, n) % NAMES; /* as a table of that size has it */
	}
	qsort(hashes, NAMES, sizeof(*hashes), compare);
	for (uint32_t i = 1, row = 1; i < NAMES; i++) {
		row = hashes[i] == hashes[i - 1] ? row + 1 : 1;
		same = row > same ? row : same;
	}
	assert_true(same < 20); /* of 4096 balls in 4096 urns; 7 is what to expect */
	free(hashes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		testing_unit(what_is_equal_has_one_hash),
		testing_unit(every_unit_counts),
		testing_unit(nobody_can_choose_what_collides),
	};

	return cmocka_run_group_tests(tests, testing_begin, testing_end);
}
