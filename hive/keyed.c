/*
 * A polynomial in the key, modulo the prime 2^61 - 1: two texts of N units have the same value
 * for at most N of the 2^61 keys.
 */
#include "hive/keyed.h"

#include <sys/random.h>
#include <time.h>

#define PRIME (((uint64_t)1 << 61) - 1)
#define KEY_LEAST 0x10000u /* a small key would leave short texts what they are */

uint64_t keyed_key(void)
{
	struct timespec now;
	uint64_t key;

	/* Without the system's numbers: where things lie, and when, is still hard to guess. */
	if (getrandom(&key, sizeof(key), GRND_NONBLOCK) != (ssize_t)sizeof(key)) {
		clock_gettime(CLOCK_MONOTONIC, &now);
		key = ((uint64_t)now.tv_nsec << 32) ^ (uint64_t)(uintptr_t)&now;
	}
	return key % (PRIME - KEY_LEAST) + KEY_LEAST;
}

/* HASH * KEY + NEXT modulo PRIME, but perhaps PRIME itself or a little more. NEXT has 48 bits. */
static uint64_t add(uint64_t hash, uint64_t key, uint64_t next)
{
	unsigned __int128 product = (unsigned __int128)hash * key + next + 1;
	uint64_t sum = ((uint64_t)product & PRIME) + (uint64_t)(product >> 61);

	return sum >= PRIME ? sum - PRIME : sum;
}

static uint32_t finish(uint64_t hash)
{
	hash *= 0x9e3779b97f4a7c15u;
	return (uint32_t)(hash >> 32);
}

uint32_t keyed_name(uint64_t key, struct name n)
{
	uint64_t hash = name_length(n); /* so that no name is the start of a longer one */
	uint16_t units[48];
	uint32_t count;

	for (uint32_t from = 0; (count = name_upcase_some(n, from, units, 48)) > 0; from += count) {
		uint32_t i = 0;

		for (; i + 3 <= count; i += 3)
			hash = add(hash, key,
			           units[i] | (uint64_t)units[i + 1] << 16 |
			                   (uint64_t)units[i + 2] << 32);
		for (; i < count; i++)
			hash = add(hash, key, units[i]);
	}
	return finish(hash);
}

uint32_t keyed_bytes(uint64_t key, struct bytes bytes)
{
	uint64_t hash = 0, i = 0;
	le32 word;

	for (; bytes.size - i >= sizeof(word); i += sizeof(word)) {
		memcpy(&word, bytes.data + i, sizeof(word));
		hash = add(hash, key, le32_get(word));
	}
	for (; i < bytes.size; i++)
		hash = add(hash, key, bytes.data[i]);
	return finish(hash);
}
