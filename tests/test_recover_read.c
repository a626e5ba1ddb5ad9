/*
 * A hive that is recovered while it is read: the thread that reads it puts in the pages. What
 * comes out is compared with a model, which is memcpy in the order of the log.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hive/check.h"
#include "hive/hive.h"
#include "hive/publish.h"
#include "tests/recovering.h"

#define PAGES 2600u /* 10 MB: five of the pieces that are read at a time */

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

static const char *path_of(const char *name)
{
	static char path[4096];

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	return path;
}

static uint32_t scramble(uint32_t n)
{
	n = (n ^ n >> 16) * 0x45d9f3b;
	return n ^ n >> 16;
}

/* Writes a dirty hive and its log; MODEL becomes what it is after COUNT entries. */
static uint8_t *write_hive(TALLOC_CTX *ctx, uint32_t seed, uint32_t count, uint32_t pages,
                           bool base_lost, size_t *size)
{
	struct logbuilder *log = logbuilder_new(ctx, 7, pages);
	uint8_t *hive = logbuilder_hive(ctx, PAGES, 7, 6, size), *model;

	model = talloc_zero_size(ctx, 4096 * (size_t)(pages + 1));
	memcpy(model, hive, *size);
	for (uint32_t i = 0; i < count; i++) {
		logbuilder_entry(log, 7 + i, 0, pages);
		for (uint32_t k = 0; k < 40; k++) {
			char letter = (char)('b' + (i + k) % 24);
			uint32_t n = scramble(seed + 100 * i + k), page = n % pages;
			uint32_t length = n >> 16 & 7;

			if (k % 2) {
				logbuilder_page(log, page, letter);
				logbuilder_bin(model + 4096 * (size_t)(page + 1), page, letter);
				continue;
			}
			if (length > pages - page)
				length = pages - page;
			logbuilder_reference(log, 4096 * page, 4096 * length, letter);
			memset(model + 4096 * (size_t)(page + 1), letter, 4096 * (size_t)length);
		}
		logbuilder_finish(log);
	}
	if (base_lost)
		memset(hive, 0, 512);
	testing_write(directory, "hive", hive, *size);
	testing_write(directory, "hive.LOG1", log->data, log->size);
	*size = 4096 * (size_t)(pages + 1);
	return model;
}

static void assert_recovered(uint32_t seed, uint32_t count, uint32_t pages, bool base_lost)
{
	TALLOC_CTX *ctx = talloc_new(NULL);
	struct recover_options in_place = { .in_place = true };
	struct recovery recovery;
	struct source *source;
	struct image *image, *copy;
	struct error err;
	size_t size;
	uint8_t *model = write_hive(ctx, seed, count, pages, base_lost, &size);

	source = source_read_path(ctx, path_of("hive"), &err);
	assert_non_null(source);
	copy = recover(ctx, source, NULL, &recovery, &err);
	assert_non_null(copy);
	assert_ptr_not_equal(copy, source->hive);

	source = source_begin(ctx, path_of("hive"), false, &err);
	assert_non_null(source);
	image = recover(ctx, source, &in_place, &recovery, &err);
	assert_ptr_equal(image, source->hive);
	assert_int_equal(recovery.entries, count);
	recovering_clean(image, 7 + count - 1); /* the base block at once, the rest when it comes */
	assert_true(image_wait(image, UINT64_MAX, &err));
	assert_int_equal(image->bytes.size, size);
	assert_int_equal(memcmp(image->bytes.data + 4096, model + 4096, size - 4096), 0);
	assert_true(bytes_equal(copy->bytes, image->bytes));
	talloc_free(ctx);
}

static void pages_of_all_pieces(void **state)
{
	(void)state;
	for (uint32_t seed = 0; seed < 7; seed++)
		assert_recovered(seed, 1 + seed * seed, PAGES, false);
}

static void a_lost_base_block(void **state)
{
	(void)state;
	assert_recovered(1, 20, PAGES, true);
}

/* It has to be there as a whole before it can be made longer. */
static void a_hive_that_grows(void **state)
{
	(void)state;
	assert_recovered(2, 20, PAGES + 1, false);
	assert_recovered(3, 20, PAGES + 700, false);
	assert_recovered(4, 20, PAGES + 700, true);
}

/* Logs go when the source does, and the reading thread does not look at them then. */
static void given_up_on_the_way(void **state)
{
	struct recover_options in_place = { .in_place = true };

	(void)state;
	for (uint32_t seed = 0; seed < 6; seed++) {
		TALLOC_CTX *ctx = talloc_new(NULL);
		struct recovery recovery;
		struct source *source;
		struct error err;
		size_t size;

		write_hive(ctx, seed, 20, PAGES, false, &size);
		source = source_begin(ctx, path_of("hive"), false, &err);
		assert_non_null(recover(ctx, source, &in_place, &recovery, &err));
		talloc_free(source);
		talloc_free(ctx);
	}
}

/* The checker and a writing thread follow the reading one. */
static void checked_and_written_meanwhile(void **state)
{
	(void)state;
	for (uint32_t seed = 0; seed < 6; seed++) {
		TALLOC_CTX *ctx = talloc_new(NULL);
		struct check check, again;
		struct publish_file *file;
		struct source *source;
		struct image *back;
		struct hive *hive;
		struct error err;
		size_t size;

		write_hive(ctx, seed, 20, PAGES, false, &size);
		source = source_begin(ctx, path_of("hive"), false, &err);
		hive = source ? hive_begin(ctx, source, NULL, &err) : NULL;
		assert_non_null(hive);
		file = publish_file_begin(ctx, path_of("out"), hive_image(hive), &err);
		assert_non_null(file);
		assert_true(check_read(ctx, hive_image(hive), &check, &err));
		assert_true(publish_file_commit(file, &err));
		back = image_read(ctx, AT_FDCWD, path_of("out"), &err);
		assert_non_null(back);
		assert_true(bytes_equal(back->bytes, hive_image(hive)->bytes));
		assert_true(check_image(ctx, back->bytes, &again, &err));
		assert_int_equal(check.problems->count, again.problems->count);
		for (uint32_t i = 0; i < again.problems->count; i++)
			assert_string_equal(check.problems->list[i].text,
			                    again.problems->list[i].text);
		talloc_free(file);
		talloc_free(ctx);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		testing_unit(pages_of_all_pieces),
		testing_unit(a_lost_base_block),
		testing_unit(a_hive_that_grows),
		testing_unit(given_up_on_the_way),
		testing_unit(checked_and_written_meanwhile),
	};

	return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
