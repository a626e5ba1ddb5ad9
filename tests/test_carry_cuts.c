/*
 * Power cuts: of what was written since the last flush of its file each sector is there or not, in
 * any order. What is left then, each hive is old, new or refused, and both directions reach their
 * end, also if the power fails again on the way there.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/carrying.h"
#include "tests/syscalls.h"
#include "tests/testing.h"

static char *directory;
static uint64_t dice;

static int make_directory(void **state)
{
	if (access("/dev/shm", W_OK) == 0)
		setenv("TMPDIR", "/dev/shm", 0); /* memory: a disk waits for each fsync */
	directory = testing_directory();
	return testing_begin(state);
}

static int remove_directory(void **state)
{
	syscalls_forget();
	testing_remove(directory);
	return testing_end(state);
}

/* xorshift64* */
static uint32_t roll(uint32_t sides)
{
	dice ^= dice >> 12;
	dice ^= dice << 25;
	dice ^= dice >> 27;
	return (uint32_t)((dice * 2685821657736338717u) >> 33) % sides;
}

/* --- the disks after a cut --- */

/* The file of the plan at PATH, or -1: a directory that was there before. */
static int number_of(const struct undo *undo, const char *path)
{
	for (uint32_t i = 0; i < undo->count; i++) {
		char *own = undoing_path(NULL, undo, &undo->files[i]);
		bool same = strcmp(own, path) == 0;

		talloc_free(own);
		if (same)
			return (int)i;
	}
	return -1;
}

/* Makes the bytes of FILE its own, of that size. */
static uint8_t *own_bytes(TALLOC_CTX *ctx, struct carrying_file *file, uint64_t size)
{
	uint8_t *data = talloc_zero_size(ctx, size + 1);

	if (file->bytes.size)
		memcpy(data, file->bytes.data, file->bytes.size < size ? file->bytes.size : size);
	file->bytes = (struct bytes){ data, size };
	return data;
}

/* How a cut treats what was not flushed. */
enum cut {
	CUT_SECTORS,
	/* each sector is there or not */ CUT_WRITES /* each write, or its begin */
};

/* A write, as a whole or the sectors of it that came to the disk; what is behind the end is lost.
 */
static void apply_write(TALLOC_CTX *ctx, struct carrying_file *file,
                        const struct syscall_made *made, bool whole, enum cut cut)
{
	uint8_t *data = own_bytes(ctx, file, file->bytes.size);
	bool kept = roll(2), torn = roll(10) < 3;

	for (uint64_t at = made->offset, next; at < made->offset + made->size; at = next) {
		uint64_t size;

		next = (at / 512 + 1) * 512;
		if (next > made->offset + made->size)
			next = made->offset + made->size;
		if (!whole && (cut == CUT_SECTORS ? roll(2) : !kept))
			continue;
		if (!whole && cut == CUT_WRITES && torn && roll(4) == 0)
			return;
		if (at >= file->bytes.size)
			return;
		size = next - at < file->bytes.size - at ? next - at : file->bytes.size - at;
		memcpy(data + at, made->data + (at - made->offset), size);
	}
}

static void apply(TALLOC_CTX *ctx, struct carrying_file *file, const struct syscall_made *made,
                  bool whole, enum cut cut)
{
	if (made->kind == SYSCALL_WRITE) {
		apply_write(ctx, file, made, whole, cut);
		return;
	}
	if (!whole && roll(2))
		return;
	switch (made->kind) {
	case SYSCALL_RESIZE:
		own_bytes(ctx, file, made->offset);
		break;
	case SYSCALL_CREATE:
	case SYSCALL_MKDIR:
		*file = (struct carrying_file){ .there = true };
		break;
	default:
		*file = (struct carrying_file){ 0 };
	}
}

static bool is_name(const struct syscall_made *made)
{
	return made->kind != SYSCALL_WRITE && made->kind != SYSCALL_RESIZE;
}

/* Is MADE durable because of a flush between it and END? A name by its directory's, data by its
 * file's. */
static bool is_flushed(const struct syscall_made *made, const struct syscall_made *end)
{
	size_t length = strlen(made->path);

	if (is_name(made))
		length = (size_t)(strrchr(made->path, '/') - made->path);
	for (const struct syscall_made *one = made + 1; one < end; one++) {
		if (one->kind == SYSCALL_SYNC && strlen(one->path) == length &&
		    memcmp(one->path, made->path, length) == 0)
			return true;
	}
	return false;
}

/* What is there if the power fails after the first COUNT of the calls in LIST. */
static void cut_disks(TALLOC_CTX *ctx, const struct undo *undo, struct carrying_file *files,
                      const struct syscall_made *list, size_t count, enum cut cut)
{
	for (size_t i = 0; i < count; i++) {
		int number = list[i].kind == SYSCALL_SYNC ? -1 : number_of(undo, list[i].path);

		if (number < 0) {
			assert_int_equal(list[i].kind, SYSCALL_SYNC);
			continue;
		}
		apply(ctx, &files[number], &list[i], is_flushed(&list[i], list + count), cut);
	}
}

/* --- one after the other --- */

static unsigned points, refused_points;

static void judge(const struct undo *undo, const struct carrying_file *files, const char *where)
{
	TALLOC_CTX *tmp = talloc_new(NULL);
	unsigned refused;
	char *wrong = carrying_judge(tmp, undo, files, &refused);

	points++;
	refused_points += refused > 0;
	if (wrong)
		fail_msg("%s: %s", where, wrong);
	talloc_free(tmp);
}

/* Carries UNDO out from FILES to its end, and records how. */
static void carry(const struct undo *undo, const struct carrying_file *files, enum undo_when to,
                  const char *where)
{
	TALLOC_CTX *tmp = talloc_new(NULL);
	struct error err;
	char *path;

	carrying_put(undo, files);
	syscalls_begin(SYSCALLS_ALL);
	if (!carrying_out(undo, to, 0, &err))
		fail_msg("%s: %s", where, err.text);
	syscalls_end();
	path = undoing_differs(tmp, undo, to);
	if (path)
		fail_msg("%s: %s is not right", where, path);
	talloc_free(tmp);
}

/* From the old or the new files on, three cuts, each on the way to an end chosen anew. */
static void cut_three_times(const struct undo *undo, const char *name, unsigned seed)
{
	TALLOC_CTX *tmp = talloc_new(NULL);
	enum undo_when from = roll(3) ? UNDO_OLD : UNDO_NEW,
		       to = from == UNDO_OLD ? UNDO_NEW : UNDO_OLD;
	struct carrying_file *files = carrying_at(tmp, undo, from);
	char *where = talloc_asprintf(tmp, "%s, seed %u", name, seed);

	undoing_disks(undo, from);
	for (int cuts = 0; cuts < 3; cuts++) {
		const struct syscall_made *list;
		size_t count, at;

		carry(undo, files, to, where);
		list = syscalls_list(&count);
		at = roll((uint32_t)count + 1);
		where = talloc_asprintf_append(where, ", to the %s files, cut after call %zu",
		                               to == UNDO_NEW ? "new" : "old", at);
		cut_disks(tmp, undo, files, list, at, roll(3) ? CUT_SECTORS : CUT_WRITES);
		judge(undo, files, where);
		to = roll(2) ? UNDO_NEW : UNDO_OLD;
	}
	carry(undo, files, UNDO_NEW, where);
	carry(undo, files, UNDO_OLD, where);
	talloc_free(tmp);
}

static void the_power_fails(void **state)
{
	unsigned seeds = (unsigned)testing_rounds(400, 20);

	(void)state;
	points = refused_points = 0;
	if (getenv("CARRY_SEEDS"))
		seeds = (unsigned)atoi(getenv("CARRY_SEEDS"));
	for (unsigned seed = 0; seed < seeds; seed++) {
		TALLOC_CTX *tmp = talloc_new(NULL);
		const struct carrying_row *row = &carrying_rows[seed % carrying_count];

		dice = 88172645463325252u + seed * 7919u;
		for (int i = 0; i < 8; i++)
			roll(2);
		cut_three_times(carrying_plan(tmp, row, directory), row->name, seed);
		talloc_free(tmp);
	}
	print_message("# %u cuts, after %u of them a hive is refused\n", points, refused_points);
	assert_true(refused_points > points / 4 && refused_points < points * 7 / 8);
}

/* The model itself: what was flushed is there, and of the rest all combinations come up. */
static void the_model_loses_and_keeps(void **state)
{
	TALLOC_CTX *tmp = talloc_new(NULL);
	struct undo *undo = carrying_plan(tmp, &carrying_rows[0], directory);
	char *path = undoing_path(tmp, undo, &undo->files[0]);
	uint8_t data[1024], seen[4] = { 0 };
	struct syscall_made list[] = {
		{ SYSCALL_WRITE, path, 0, data, 512 },
		{ SYSCALL_SYNC, path, 0, NULL, 0 },
		{ SYSCALL_WRITE, path, 1024, data, 1024 },
		{ SYSCALL_RESIZE, path, 4096, NULL, 0 },
	};
	unsigned sizes[2] = { 0 };

	(void)state;
	memset(data, 0xee, sizeof(data));
	dice = 1;
	for (int i = 0; i < 200; i++) {
		struct carrying_file *files = carrying_at(tmp, undo, UNDO_OLD);
		uint64_t size = files[0].bytes.size;

		cut_disks(tmp, undo, files, list, 4, CUT_SECTORS);
		assert_int_equal(files[0].bytes.data[0], 0xee);
		assert_true(files[0].bytes.size == size || files[0].bytes.size == 4096);
		sizes[files[0].bytes.size == size]++;
		seen[(files[0].bytes.data[1024] == 0xee) +
		     2 * (files[0].bytes.data[1536] == 0xee)]++;
	}
	for (int i = 0; i < 4; i++)
		assert_in_range(seen[i], 20, 100);
	assert_in_range(sizes[0], 50, 150);
	talloc_free(tmp);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		testing_unit(the_model_loses_and_keeps),
		testing_unit(the_power_fails),
	};

	return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
