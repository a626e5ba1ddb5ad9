/* Marvin32, against numbers of independent implementations. */
#include <stdlib.h>
#include <string.h>

#include "hive/marvin.h"
#include "tests/logbuilder.h"
#include "tests/testing.h"

static void marvin_gives_known_numbers(void **state)
{
	uint8_t all[256];

	(void)state;
	for (int i = 0; i < 256; i++)
		all[i] = (uint8_t)i;
	/* computed by an independent implementation */
	assert_true(marvin_hash((struct bytes){ all, 0 }) == 0xb39efca403966e08);
	assert_true(marvin_hash((struct bytes){ all, 256 }) == 0xe8f3685710a60b65);
	assert_true(marvin_hash((struct bytes){ (const uint8_t *)"abcd", 4 }) ==
	            0x20094fb11a6cd086);
	assert_true(logbuilder_marvin(all, 256) == 0xe8f3685710a60b65);
}

static void marvin_side_by_side_is_the_same(void **state)
{
	uint8_t data[3000];
	struct bytes in[9];
	uint64_t hash[10];

	(void)state;
	srand(1);
	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)rand();
	for (size_t count = 0; count <= 9; count++) {
		for (int round = 0; round < 50; round++) {
			memset(hash, 0x77, sizeof(hash));
			for (size_t i = 0; i < count; i++) {
				size_t from = (size_t)rand() % 1000;
				size_t size = (size_t)rand() % 3 ? (size_t)rand() % 500 * 4 : 0;

				in[i] = (struct bytes){ data + from, size };
			}
			marvin_hash_many(in, hash, count);
			for (size_t i = 0; i < count; i++)
				assert_true(hash[i] == logbuilder_marvin(in[i].data, in[i].size));
			assert_true(hash[count] == 0x7777777777777777);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		testing_unit(marvin_gives_known_numbers),
		testing_unit(marvin_side_by_side_is_the_same),
	};

	return cmocka_run_group_tests(tests, testing_begin, testing_end);
}
