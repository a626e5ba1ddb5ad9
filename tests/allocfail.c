/*
 * Failing allocations: malloc, calloc and realloc of the objects that interest us are others. Where
 * tests/hook.c cannot do that no failure fires, and allocfail_run says so.
 */
#include "tests/allocfail.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <talloc.h>

#include "tests/hook.h"
#include "tests/testing.h"

#define ROUNDS_MAX 200000

static void *(*real_malloc)(size_t);
static void *(*real_calloc)(size_t, size_t);
static void *(*real_realloc)(void *, size_t);

static bool armed, persistent;
static long countdown, fired;

/* Bodies may have threads: each allocation is counted once, whoever makes it. */
static bool fails(void)
{
	long left;

	if (!armed)
		return false;
	left = __atomic_sub_fetch(&countdown, 1, __ATOMIC_RELAXED);
	if (left > 0 || (left < 0 && !persistent))
		return false;
	__atomic_add_fetch(&fired, 1, __ATOMIC_RELAXED);
	return true;
}

static void *failing_malloc(size_t size)
{
	return fails() ? NULL : real_malloc(size);
}

static void *failing_calloc(size_t count, size_t size)
{
	return fails() ? NULL : real_calloc(count, size);
}

static void *failing_realloc(void *old, size_t size)
{
	return fails() ? NULL : real_realloc(old, size);
}

void allocfail_pause(void)
{
	armed = false;
}

void allocfail_resume(void)
{
	armed = true;
}

static void install(void)
{
	static const struct hook hooks[] = { { "malloc", (void *)failing_malloc },
		                             { "calloc", (void *)failing_calloc },
		                             { "realloc", (void *)failing_realloc } };
	static const char *const libraries[] = { "libtalloc", "libhivex",     "libjansson",
		                                 "libz.",     "libsmartcols", NULL };

	if (real_malloc)
		return;
	*(void **)&real_calloc = hook_real("calloc");
	*(void **)&real_realloc = hook_real("realloc");
	*(void **)&real_malloc = hook_real("malloc");
	hook_install(hooks, sizeof(hooks) / sizeof(hooks[0]), libraries);
}

/* --- rounds --- */

static unsigned open_files(void)
{
	unsigned count = 0;

	for (int fd = 0; fd < 256; fd++)
		count += fcntl(fd, F_GETFD) >= 0;
	return count;
}

static const char *judge(bool done, const struct error *err, unsigned flags, size_t blocks,
                         unsigned files)
{
	if (!done && !fired)
		return "it fails although no allocation does";
	if (!done && !err->text[0])
		return "it fails without a text";
	if (!done && err->kind != ERROR_INTERNAL && !(flags & ALLOCFAIL_ANY_KIND))
		return "it takes the lack of memory for something else";
	if (talloc_total_blocks(NULL) != blocks)
		return "it leaves talloc blocks behind";
	return open_files() != files ? "it leaves descriptors open" : NULL;
}

static long step(long round, unsigned flags)
{
	if (round < 100 || !(flags & (ALLOCFAIL_SPARSE | ALLOCFAIL_SPARSER)))
		return 1;
	return (long)(flags & ALLOCFAIL_SPARSER ? testing_rounds(23, 97) : testing_rounds(7, 29));
}

int allocfail_run(allocfail_body *body, void *data, unsigned flags)
{
	int points = 0;

	install();
	for (int series = 0; series < 2; series++) {
		for (long round = 1; round < ROUNDS_MAX; round += step(round, flags)) {
			struct error err = { 0 };
			size_t blocks = talloc_total_blocks(NULL);
			unsigned files = open_files();
			const char *wrong;
			bool done;

			persistent = series == 1;
			countdown = round;
			fired = 0;
			armed = true;
			done = body(data, &err);
			armed = false;
			wrong = judge(done, &err, flags, blocks, files);
			if (wrong) {
				fprintf(stderr, "# allocation %ld%s: %s (error %d: %s)\n", round,
				        persistent ? " and all after it" : "", wrong, err.kind,
				        err.text);
				return -1;
			}
			if (!fired)
				break;
			points++;
		}
	}
	return points;
}
