/* spool: what is made in windows arrives whole, in order, and patched; a failure is heard of. */
#include "tests/testing.h"

#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include "hive/spool.h"
#include "tests/allocfail.h"

#define START 4096u
#define ROOM ((size_t)12 << 20)

/* Whoever takes the bytes. */
struct taker {
	uint8_t *bytes; /* ROOM of them */
	uint64_t end;   /* behind the last byte that came in order */
	unsigned puts;
	unsigned fail_at; /* 0: never */
	bool slow;
	pthread_t thread; /* of the first put */
};

static bool take(void *to, uint64_t offset, struct bytes bytes, struct error *err)
{
	struct taker *taker = to;

	if (taker->puts == 0)
		taker->thread = pthread_self();
	taker->puts++;
	if (taker->fail_at && taker->puts >= taker->fail_at)
		return error_set(err, ERROR_DESTINATION, "put number %u", taker->puts);
	if (taker->slow && bytes.size > 4096)
		usleep(200);
	if (offset + bytes.size > ROOM)
		return error_set(err, ERROR_INTERNAL, "behind the end");
	if (offset >= taker->end) {
		if (offset != taker->end)
			return error_set(err, ERROR_INTERNAL, "out of order");
		taker->end = offset + bytes.size;
	} else if (offset + bytes.size > taker->end) {
		return error_set(err, ERROR_INTERNAL, "a patch of what is not there");
	}
	memcpy(taker->bytes + offset, bytes.data, bytes.size);
	return true;
}

static struct taker *new_taker(TALLOC_CTX *ctx)
{
	struct taker *taker = talloc_zero(ctx, struct taker);

	taker->bytes = talloc_zero_size(taker, ROOM);
	taker->end = START;
	return taker;
}

static uint32_t roll(uint32_t *dice, uint32_t below)
{
	*dice = *dice * 1664525u + 1013904223u;
	return (*dice >> 8) % below;
}

static bool all_zero(const uint8_t *data, uint64_t size)
{
	return data[0] == 0 && memcmp(data, data + 1, size - 1) == 0;
}

/* Makes WINDOWS windows of random sizes with patches between them, in WANTED too. */
static bool make(struct spool *spool, uint32_t windows, uint32_t seed, uint8_t *wanted,
                 struct error *err)
{
	uint64_t at = START, room = SPOOL_FIRST;
	uint8_t *window = spool_window(spool);
	uint32_t dice = seed;

	for (uint32_t i = 0; i < windows; i++) {
		uint64_t used = i % 7 == 3 ? 0 : room - roll(&dice, (uint32_t)room);

		assert_true(all_zero(window, room));
		for (uint64_t k = 0; k < used; k++)
			window[k] = (uint8_t)(k * 7 + (k >> 8) + i);
		memcpy(wanted + at, window, used);
		at += used;
		room = roll(&dice, 4) ? SPOOL_WINDOW : SPOOL_WINDOW + roll(&dice, 300000);
		if (i + 1 == windows)
			return spool_finish(spool, used, err);
		window = spool_next(spool, used, room, err);
		if (!window)
			return false;
		for (uint32_t k = roll(&dice, 20); k > 0 && at > START + 500; k--) {
			uint64_t place = START + roll(&dice, (uint32_t)(at - START - 400));
			uint8_t patch[400];

			memset(patch, (int)k, sizeof(patch));
			memcpy(wanted + place, patch, 8 * k);
			/* in two steps, the second of which continues the first */
			if (!spool_patch(spool, place, (struct bytes){ patch, 4 * k }, err) ||
			    !spool_patch(spool, place + 4 * k, (struct bytes){ patch, 4 * k }, err))
				return false;
		}
	}
	return true;
}

static void round_trip(bool thread, bool slow, uint32_t seed)
{
	TALLOC_CTX *ctx = talloc_new(NULL);
	struct taker *taker = new_taker(ctx);
	uint8_t *wanted = talloc_zero_size(ctx, ROOM);
	struct error err = { 0 };
	struct spool *spool;

	taker->slow = slow;
	spool = spool_new(ctx, take, taker, START, thread, &err);
	assert_non_null(spool);
	if (!make(spool, 14, seed, wanted, &err))
		fail_msg("%s", err.text);
	assert_memory_equal(taker->bytes, wanted, ROOM);
	assert_int_equal(pthread_equal(taker->thread, pthread_self()) == 0, thread);
	talloc_free(ctx);
}

static void all_arrives(void **state)
{
	(void)state;
	for (uint32_t seed = 1; seed <= 3; seed++) {
		round_trip(false, false, seed);
		round_trip(true, false, seed);
		round_trip(true, true, seed);
	}
}

/* The lists of a key with very many subkeys: small patches that continue each other. */
static void many_patches(void **state)
{
	TALLOC_CTX *ctx = talloc_new(NULL);
	struct taker *taker = new_taker(ctx);
	struct error err;
	struct spool *spool = spool_new(ctx, take, taker, START, true, &err);
	unsigned before;

	(void)state;
	for (unsigned i = 0; i < 8; i++)
		assert_non_null(spool_next(spool, i ? SPOOL_WINDOW : SPOOL_FIRST, 0, &err));
	for (uint32_t i = 0; i < 200000; i++) {
		struct bytes bytes = { (const uint8_t *)&i, sizeof(i) };

		assert_true(spool_patch(spool, START + 4 * (uint64_t)i, bytes, &err));
	}
	assert_true(spool_finish(spool, 0, &err));
	before = taker->puts;
	assert_true(before < 8 + 20); /* not one each */
	for (uint32_t i = 0; i < 200000; i++)
		assert_memory_equal(taker->bytes + START + 4 * (uint64_t)i, &i, sizeof(i));
	talloc_free(ctx);
}

/* Whichever put fails, the maker hears why, and nothing is put after it. */
static void a_failure_is_heard_of(void **state)
{
	TALLOC_CTX *ctx = talloc_new(NULL);
	struct taker *taker = new_taker(ctx);
	uint8_t *wanted = talloc_size(ctx, ROOM);
	unsigned puts = 0;

	(void)state;
	for (unsigned thread = 0; thread < 2; thread++) {
		for (unsigned fail_at = 0; fail_at <= puts; fail_at++) {
			struct error err = { 0 };
			struct spool *spool;
			char text[40];
			bool done;

			taker->fail_at = fail_at;
			taker->puts = 0;
			taker->end = START;
			spool = spool_new(ctx, take, taker, START, thread, &err);
			assert_non_null(spool);
			done = make(spool, 6, 3, wanted, &err);
			talloc_free(spool);
			assert_int_equal(done, fail_at == 0);
			if (done) {
				puts = taker->puts;
				assert_in_range(puts, 20, 100);
				continue;
			}
			assert_int_equal(err.kind, ERROR_DESTINATION);
			snprintf(text, sizeof(text), "put number %u", fail_at);
			assert_string_equal(err.text, text);
			assert_int_equal(taker->puts, fail_at);
		}
	}
	talloc_free(ctx);
}

/* What is not finished may be freed at any time, while the thread writes, too. */
static void given_up(void **state)
{
	(void)state;
	for (unsigned windows = 0; windows < 8; windows++) {
		TALLOC_CTX *ctx = talloc_new(NULL);
		struct taker *taker = new_taker(ctx);
		struct error err;
		struct spool *spool = spool_new(ctx, take, taker, START, true, &err);

		taker->slow = true;
		for (unsigned i = 0; i < windows; i++)
			assert_non_null(spool_next(spool, i ? SPOOL_WINDOW : SPOOL_FIRST, 0, &err));
		talloc_free(spool);
		assert_true(taker->puts <= windows);
		talloc_free(ctx);
	}
}

static bool without_memory(void *data, struct error *err)
{
	static const uint8_t bytes[70000];
	struct taker *taker = data;
	struct spool *spool;
	bool done;

	taker->end = START;
	spool = spool_new(NULL, take, taker, START, true, err);
	if (!spool)
		return false;
	done = spool_next(spool, 1000, 0, err) && spool_next(spool, 1000, SPOOL_WINDOW * 3, err) &&
	       spool_patch(spool, START, (struct bytes){ bytes, 500 }, err) &&
	       spool_patch(spool, START + 600, (struct bytes){ bytes, 70000 }, err) &&
	       spool_patch(spool, START + 1, (struct bytes){ bytes, 5 }, err) &&
	       spool_finish(spool, SPOOL_WINDOW * 3, err);
	talloc_free(spool);
	return done;
}

static void memory_runs_out(void **state)
{
	TALLOC_CTX *ctx = talloc_new(NULL);
	struct taker *taker = new_taker(ctx);

	(void)state;
	assert_in_range(allocfail_run(without_memory, taker, 0), 6, 30);
	talloc_free(ctx);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		testing_unit(all_arrives),           testing_unit(many_patches),
		testing_unit(a_failure_is_heard_of), testing_unit(given_up),
		testing_unit(memory_runs_out),
	};

	return cmocka_run_group_tests(tests, testing_begin, testing_end);
}
