/*
 * The marker sector: what is written is read back, whatever the texts are; half of it is none, and
 * it never looks like a hive.
 */
#include <string.h>

#include "snapshot/restore/marker.h"
#include "tests/testing.h"

#define ID "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
#define FIRST "clusnap: a restore of this file is unfinished\n"

static struct undo undo_of(const char *begun, const char *host, const char *path)
{
	return (struct undo){ .id = ID,
		              .begun = (char *)(uintptr_t)begun,
		              .host = (char *)(uintptr_t)host,
		              .path = (char *)(uintptr_t)path };
}

/* Writes it where the bytes around it can be seen. */
static void write_marker(const struct undo *undo, uint8_t sector[TARGET_SECTOR])
{
	uint8_t around[TARGET_SECTOR + 64];

	memset(around, 0x5a, sizeof(around));
	marker_write(undo, around + 32);
	for (int i = 0; i < 32; i++) {
		assert_int_equal(around[i], 0x5a);
		assert_int_equal(around[32 + TARGET_SECTOR + i], 0x5a);
	}
	memcpy(sector, around + 32, TARGET_SECTOR);
	assert_memory_not_equal(sector, "regf", 4);
	assert_true(marker_is(sector, TARGET_SECTOR));
}

static struct marker read_marker(TALLOC_CTX *ctx, const uint8_t *sector)
{
	struct marker marker = { 0 };

	assert_true(marker_read(ctx, sector, &marker));
	assert_string_equal(marker.undo, ID);
	return marker;
}

static void it_is_read_back(void **state)
{
	TALLOC_CTX *tmp = talloc_new(NULL);
	struct undo undo =
		undo_of("2026-11-28T11:15:00Z", "rescue", "/media/stick/it's \"the\" one");
	uint8_t sector[TARGET_SECTOR];
	struct marker marker;
	size_t end;

	(void)state;
	write_marker(&undo, sector);
	marker = read_marker(tmp, sector);
	assert_string_equal(marker.begun, undo.begun);
	assert_string_equal(marker.host, undo.host);
	assert_string_equal(marker.path, undo.path);
	assert_memory_equal(sector, FIRST, strlen(FIRST));
	for (end = strlen((char *)sector); end < TARGET_SECTOR; end++)
		assert_int_equal(sector[end], 0);
	talloc_free(tmp);
}

/* It ends in "..." as soon as it does not fit, and only then; the sector stays a text. */
static void paths_of_every_length(void **state)
{
	char path[600], host[100];
	uint8_t sector[TARGET_SECTOR];
	bool cut_before = false;

	(void)state;
	memset(host, 'h', sizeof(host));
	host[sizeof(host) - 1] = '\0';
	for (size_t size = 0; size < sizeof(path) - 1; size++) {
		TALLOC_CTX *tmp = talloc_new(NULL);
		struct undo undo = undo_of("2026-11-28T11:15:00Z", host, path);
		struct marker marker;
		size_t shown;
		bool cut;

		for (size_t i = 0; i < size; i++)
			path[i] = "/abcdefghi"[i % 10];
		path[size] = '\0';
		write_marker(&undo, sector);
		assert_int_equal(
			sector[TARGET_SECTOR - 1] == 0 || sector[TARGET_SECTOR - 1] == '\n', 1);
		marker = read_marker(tmp, sector);
		assert_int_equal(strlen(marker.host), 64);
		shown = strlen(marker.path);
		cut = shown >= 3 && strcmp(marker.path + shown - 3, "...") == 0;
		if (cut) {
			assert_true(shown < size + 3);
			assert_memory_equal(marker.path, path, shown - 3);
			assert_true(shown > 200);
		} else {
			assert_string_equal(marker.path, path);
		}
		assert_true(cut || !cut_before);
		cut_before = cut;
		talloc_free(tmp);
	}
	assert_true(cut_before);
}

/* They come from a plan that somebody else may have written. */
static void hostile_texts(void **state)
{
	static char long_text[5000];
	static const char *const texts[] = { "",       "\n",       "\nundo: x\npath: /etc\n",
		                             "%s%n%d", "\x1b[31m", "\xff\xfe\x7f",
		                             "regf",   long_text };
	uint8_t sector[TARGET_SECTOR];

	(void)state;
	memset(long_text, 'x', sizeof(long_text) - 1);
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		for (int which = 0; which < 3; which++) {
			TALLOC_CTX *tmp = talloc_new(NULL);
			struct undo undo = undo_of(which == 0 ? texts[i] : "2026",
			                           which == 1 ? texts[i] : "host",
			                           which == 2 ? texts[i] : "/path");
			struct marker marker;

			write_marker(&undo, sector);
			marker = read_marker(tmp, sector);
			for (int part = 0; part < 3; part++) {
				const char *text = part == 0   ? marker.begun
				                   : part == 1 ? marker.host
				                               : marker.path;

				for (; *text; text++)
					assert_true((unsigned char)*text >= ' ' && *text != 0x7f);
			}
			talloc_free(tmp);
		}
	}
}

static void what_is_none(void **state)
{
	TALLOC_CTX *tmp = talloc_new(NULL);
	struct undo undo = undo_of("2026", "host", "/path");
	uint8_t sector[TARGET_SECTOR], other[TARGET_SECTOR];
	struct marker marker;

	(void)state;
	write_marker(&undo, sector);
	for (size_t i = 0; i < strlen(FIRST); i++) {
		memcpy(other, sector, sizeof(other));
		other[i] ^= 1;
		assert_false(marker_is(other, TARGET_SECTOR));
		assert_false(marker_read(tmp, other, &marker));
		assert_true(marker_is(sector, i + 1)); /* a file so short has as much of it */
		assert_false(marker_is(other, i + 1));
	}
	assert_false(marker_is(sector, 0));
	memset(other, 0, sizeof(other));
	assert_false(marker_is(other, TARGET_SECTOR));
	memcpy(other, "regf", 4);
	assert_false(marker_is(other, TARGET_SECTOR));
	assert_int_equal(talloc_total_blocks(tmp), 1);
	talloc_free(tmp);
}

/* A marker of which only the first line is right: there are texts, and they are empty. */
static void lines_that_are_missing(void **state)
{
	TALLOC_CTX *tmp = talloc_new(NULL);
	uint8_t sector[TARGET_SECTOR];
	struct marker marker;

	(void)state;
	memset(sector, 'x', sizeof(sector)); /* without an end */
	memcpy(sector, FIRST, strlen(FIRST));
	assert_true(marker_read(tmp, sector, &marker));
	assert_string_equal(marker.undo, "");
	assert_string_equal(marker.path, "");
	memcpy(sector + TARGET_SECTOR - 7, "\npath: ", 7);
	assert_true(marker_read(tmp, sector, &marker));
	assert_string_equal(marker.path, "");
	memcpy(sector + TARGET_SECTOR - 8, "\npath: y", 8);
	assert_true(marker_read(tmp, sector, &marker));
	assert_string_equal(marker.path, "y");
	talloc_free(tmp);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		testing_unit(it_is_read_back),        testing_unit(paths_of_every_length),
		testing_unit(hostile_texts),          testing_unit(what_is_none),
		testing_unit(lines_that_are_missing),
	};

	return cmocka_run_group_tests(tests, testing_begin, testing_end);
}
