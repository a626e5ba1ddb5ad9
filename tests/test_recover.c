/* Recovery from transaction logs; the names in brackets are clauses of docs/regf.md, "Logs". */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hive/marvin.h"
#include "hive/recover.h"
#include "tests/logbuilder.h"
#include "tests/testing.h"

#define PAGE 4096u

/* --- a hive with its logs, and what must come out of them --- */

static struct image *sealed(TALLOC_CTX *ctx, const uint8_t *data, size_t size)
{
	struct error err;
	struct image *image = image_copy(ctx, (struct bytes){ data, size }, &err);

	assert_non_null(image);
	assert_true(image_seal(image, &err));
	return image;
}

static struct source *source_of(const uint8_t *hive, size_t size)
{
	struct source *source = talloc_zero(NULL, struct source);

	source->name = talloc_strdup(source, "hive");
	source->hive = sealed(source, hive, size);
	return source;
}

/* A dirty hive of PAGES letters 'a', sequence numbers 7 and 6. */
static struct source *dirty(uint32_t pages)
{
	size_t size;
	uint8_t *hive = logbuilder_hive(NULL, pages, 7, 6, &size);
	struct source *source = source_of(hive, size);

	talloc_free(hive);
	return source;
}

static void put_log(struct source *source, int place, const void *data, size_t size)
{
	static const char *const names[] = { "hive.LOG", "hive.LOG1", "hive.LOG2" };

	TALLOC_FREE(source->logs[place].image);
	TALLOC_FREE(source->logs[place].name);
	source->logs[place].name = talloc_strdup(source, names[place]);
	source->logs[place].image = sealed(source, data, size);
}

static void add_log(struct source *source, int place, struct logbuilder *log)
{
	put_log(source, place, log->data, log->size);
	talloc_free(log);
}

/* An entry with one page. */
static void entry(struct logbuilder *log, uint32_t sequence, uint32_t pages, uint32_t page,
                  char letter)
{
	logbuilder_entry(log, sequence, 0, pages);
	logbuilder_page(log, page, letter);
	logbuilder_finish(log);
}

/* Entries SEQUENCE, SEQUENCE + 1 and so on; the Nth of TEXT writes its letter to page N. */
static struct logbuilder *log_of(uint32_t sequence, uint32_t pages, uint32_t page, const char *text)
{
	struct logbuilder *log = logbuilder_new(NULL, sequence, pages);

	for (uint32_t i = 0; text[i]; i++)
		entry(log, sequence + i, pages, page + i, text[i]);
	return log;
}

static uint32_t get(const struct image *image, size_t at)
{
	return logbuilder_get32(image->bytes.data + at);
}

/* A clean base block: sequence numbers, type, checksum. */
static void assert_clean(const struct image *image, uint32_t sequence)
{
	uint8_t base[512];

	assert_true(image->bytes.size >= PAGE);
	memcpy(base, image->bytes.data, sizeof(base));
	assert_memory_equal(base, "regf", 4);
	assert_int_equal(logbuilder_get32(base + 4), sequence);
	assert_int_equal(logbuilder_get32(base + 8), sequence);
	assert_int_equal(logbuilder_get32(base + 28), 0);
	logbuilder_checksum(base);
	assert_memory_equal(base, image->bytes.data, sizeof(base));
}

/* Each page of the bins is a whole bin of its letter in TEXT. '0': only zeros. */
static void assert_pages(const struct image *image, const char *text)
{
	uint8_t page[PAGE];

	assert_int_equal(get(image, 40), PAGE * strlen(text));
	assert_true(image->bytes.size >= PAGE * (strlen(text) + 1));
	for (uint32_t i = 0; text[i]; i++) {
		logbuilder_bin(page, i, text[i]);
		if (text[i] == '0')
			memset(page, 0, PAGE);
		if (memcmp(image->bytes.data + PAGE * (size_t)(i + 1), page, PAGE) != 0)
			fail_msg("page %u is not '%c'", i, text[i]);
	}
}

static void assert_recovers(struct source *source, const struct recover_options *options,
                            uint32_t entries, uint32_t sequence, const char *pages)
{
	TALLOC_CTX *ctx = talloc_new(NULL);
	struct recovery recovery;
	struct error err = { 0 };
	struct image *image = recover(ctx, source, options, &recovery, &err);

	if (!image)
		fail_msg("%s", err.text);
	assert_int_equal(recovery.condition, RECOVER_REPLAYED);
	assert_int_equal(recovery.entries, entries);
	assert_int_equal(recovery.last, sequence);
	assert_true(image->sealed);
	assert_clean(image, sequence);
	assert_pages(image, pages);
	assert_int_equal(talloc_get_size(recovery.messages) / sizeof(char *),
	                 recovery.message_count);
	talloc_free(ctx);
}

static void assert_fails(struct source *source, const struct recover_options *options,
                         enum error_kind kind, const char *text)
{
	TALLOC_CTX *ctx = talloc_new(NULL);
	struct recovery recovery, before;
	struct error err = { 0 };

	memset(&recovery, 0x55, sizeof(recovery));
	before = recovery;
	assert_null(recover(ctx, source, options, &recovery, &err));
	assert_memory_equal(&recovery, &before, sizeof(recovery));
	assert_int_equal(err.kind, kind);
	if (!strstr(err.text, text))
		fail_msg("\"%s\" is not in \"%s\"", text, err.text);
	assert_int_equal(talloc_total_blocks(ctx), 1);
	talloc_free(ctx);
}

/* As one string: "sequence letters [log]!" for each state, the ! if it is consistent. */
static bool note_state(void *data, const struct recover_state *state, struct error *err)
{
	char **text = data;
	char letters[32] = "";
	uint32_t pages = get(state->image, 40) / PAGE;

	(void)err;
	assert_clean(state->image, state->sequence);
	for (uint32_t i = 0; i < pages && i < 31; i++)
		letters[i] = (char)state->image->bytes.data[PAGE * (size_t)(i + 1) + 200];
	assert_int_equal(state->page_count != 0, state->log != NULL);
	*text = talloc_asprintf_append(*text, "%u %s%s%s%s; ", state->sequence, letters,
	                               state->log ? " " : "", state->log ? state->log + 5 : "",
	                               state->consistent ? "!" : "");
	return true;
}

static void assert_states(struct source *source, const char *want)
{
	TALLOC_CTX *ctx = talloc_new(NULL);
	char *text = talloc_strdup(ctx, "");
	struct recovery recovery;
	struct error err = { 0 };

	if (!recover_each(ctx, source, NULL, note_state, &text, &recovery, &err))
		fail_msg("%s", err.text);
	assert_string_equal(text, want);
	talloc_free(ctx);
}

/* --- Marvin32 --- */

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

/* --- new logs --- */

static void a_clean_hive_is_left_alone(void **state)
{
	size_t size;
	uint8_t *hive = logbuilder_hive(NULL, 2, 7, 7, &size);
	struct source *source = source_of(hive, size);
	struct recovery recovery;
	struct error err;

	(void)state; /* R1 */
	add_log(source, SOURCE_LOG1, log_of(8, 2, 0, "bc"));
	assert_ptr_equal(recover(source, source, NULL, &recovery, &err), source->hive);
	assert_int_equal(recovery.condition, RECOVER_CLEAN);
	assert_int_equal(recovery.entries, 0);
	assert_true(recovery.log_missing);
	assert_false(recovery.transactions);
	assert_states(source, "7 aa!; ");
	talloc_free(source);
	talloc_free(hive);
}

static void two_logs_are_applied_in_order_whatever_their_names(void **state)
{
	(void)state; /* R3, R6 */
	for (int turn = 0; turn < 2; turn++) {
		struct source *source = dirty(4);

		add_log(source, turn ? SOURCE_LOG2 : SOURCE_LOG1, log_of(7, 4, 0, "bc"));
		add_log(source, turn ? SOURCE_LOG1 : SOURCE_LOG2, log_of(9, 4, 1, "de"));
		assert_recovers(source, NULL, 4, 10, "bdea");
		talloc_free(source);
	}
}

static void sequence_numbers_wrap(void **state)
{
	struct source *source;
	uint8_t *hive;
	size_t size;

	(void)state; /* R3 to R6, E5 */
	hive = logbuilder_hive(NULL, 4, 0xffffffff, 0xfffffffe, &size);
	source = source_of(hive, size);
	add_log(source, SOURCE_LOG1, log_of(1, 4, 2, "d"));
	add_log(source, SOURCE_LOG2, log_of(0xffffffff, 4, 0, "bc"));
	assert_recovers(source, NULL, 3, 1, "bcda");
	/* older than the hive, across the wrap */
	hive[4] = 1;
	memset(hive + 5, 0, 7);
	logbuilder_checksum(hive);
	TALLOC_FREE(source->hive);
	source->hive = sealed(source, hive, size);
	assert_recovers(source, NULL, 1, 1, "aada");
	talloc_free(source);
	talloc_free(hive);
}

static void a_log_older_than_the_hive_is_left_out(void **state)
{
	struct source *source = dirty(4);

	(void)state; /* R4 */
	add_log(source, SOURCE_LOG1, log_of(5, 4, 0, "x"));
	add_log(source, SOURCE_LOG2, log_of(6, 4, 1, "b"));
	assert_recovers(source, NULL, 1, 6, "abaa");
	/* far ahead is fine */
	add_log(source, SOURCE_LOG2, log_of(1006, 4, 1, "b"));
	assert_recovers(source, NULL, 1, 1006, "abaa");
	add_log(source, SOURCE_LOG2, log_of(4, 4, 1, "b"));
	assert_fails(source, NULL, ERROR_BAD_NEWS, "its entry 5 is older than the hive's 6");
	talloc_free(source);
}

static void nothing_is_applied_after_a_gap(void **state)
{
	struct source *source = dirty(4);
	struct logbuilder *log;

	(void)state; /* R6 */
	add_log(source, SOURCE_LOG1, log_of(7, 4, 0, "bc"));
	add_log(source, SOURCE_LOG2, log_of(10, 4, 2, "x"));
	assert_recovers(source, NULL, 2, 8, "bcaa");
	add_log(source, SOURCE_LOG2, log_of(8, 4, 2, "x"));
	assert_recovers(source, NULL, 2, 8, "bcaa");
	/* an entry of the older log is damaged: nothing of the newer one */
	log = log_of(7, 4, 0, "bc");
	log->data[log->size - 1]++;
	add_log(source, SOURCE_LOG1, log);
	add_log(source, SOURCE_LOG2, log_of(9, 4, 2, "x"));
	assert_recovers(source, NULL, 1, 7, "baaa");
	talloc_free(source);
}

static void a_log_without_a_valid_entry_is_a_gap(void **state)
{
	struct source *source = dirty(4);
	struct logbuilder *log = log_of(7, 4, 0, "bc");
	struct recovery recovery;
	struct error err;

	(void)state; /* R6: as Windows applies the next log, so do we, and say so */
	log->data[log->size / 2]++;
	put_log(source, SOURCE_LOG1, log->data, 512);
	add_log(source, SOURCE_LOG2, log_of(9, 4, 2, "d"));
	assert_recovers(source, NULL, 1, 9, "aada");
	assert_non_null(recover(source, source, NULL, &recovery, &err));
	assert_true(recovery.gap);
	assert_string_equal(recovery.messages[recovery.message_count - 1],
	                    "entries 7 to 8 are lost, what follows them was applied nonetheless");
	assert_states(source, "6 aaaa; 9 aada LOG2; ");
	/* no gap: both begin with the same entry */
	add_log(source, SOURCE_LOG2, log_of(7, 4, 2, "d"));
	assert_non_null(recover(source, source, NULL, &recovery, &err));
	assert_false(recovery.gap);
	talloc_free(log);
	talloc_free(source);
}

static void an_entry_of_an_earlier_round_is_not_applied(void **state)
{
	struct source *source = dirty(4);
	struct logbuilder *log = log_of(7, 4, 0, "bc");

	(void)state; /* E5: whole, good hashes, behind the last good one */
	entry(log, 5, 4, 3, 'x');
	entry(log, 9, 4, 3, 'x');
	add_log(source, SOURCE_LOG1, log);
	assert_recovers(source, NULL, 2, 8, "bcaa");
	talloc_free(source);
}

/* One log of three entries; the second begins and ends where they say. */
static struct logbuilder *three(size_t *second, size_t *third)
{
	struct logbuilder *log = log_of(7, 4, 0, "b");

	*second = log->size;
	entry(log, 8, 4, 1, 'c');
	*third = log->size;
	entry(log, 9, 4, 2, 'd');
	return log;
}

static void each_flipped_byte_of_an_entry_ends_the_log(void **state)
{
	struct source *source = dirty(4);
	size_t second, third;
	struct logbuilder *log = three(&second, &third);

	(void)state; /* E1 to E4: every byte of the header, of the references, some of the rest */
	for (size_t at = second; at < third; at += at < second + 64 ? 1 : 509) {
		for (int bit = 0; bit < 8; bit += 1 + (at >= second + 64)) {
			log->data[at] ^= (uint8_t)(1 << bit);
			put_log(source, SOURCE_LOG1, log->data, log->size);
			assert_recovers(source, NULL, 1, 7, "baaa");
			log->data[at] ^= (uint8_t)(1 << bit);
		}
	}
	log->data[third - 1] ^= 1;
	put_log(source, SOURCE_LOG1, log->data, log->size);
	assert_recovers(source, NULL, 1, 7, "baaa");
	log->data[third - 1] ^= 1;
	put_log(source, SOURCE_LOG1, log->data, log->size);
	assert_recovers(source, NULL, 3, 9, "bcda");
	talloc_free(log);
	talloc_free(source);
}

static void each_field_is_checked_though_the_hashes_are_right(void **state)
{
	static const struct row {
		const char *clause;
		unsigned at;
		uint32_t value;
	} rows[] = {
		{ "E1", 0, 0x456c7648 },  { "E2", 4, 0 },           { "E2", 4, 40 },
		{ "E2", 4, 0x1000 - 4 },  { "E2", 4, 0x1100 },      { "E2", 4, 0x10000 },
		{ "E2", 4, 0xfffffe00 },  { "E5", 12, 7 },          { "E5", 12, 9 },
		{ "E6", 16, 0 },          { "E6", 16, 0x4200 },     { "E6", 16, 0x7ffff000 },
		{ "E6", 16, 0x80000000 }, { "E6", 16, 0xfffff000 }, { "E7", 20, 0 },
		{ "E7", 20, 1024 },       { "E7", 20, 0x1fffffff }, { "E7", 20, 0x20000001 },
		{ "E7", 20, 0xffffffff }, { "E8", 44, 0x2000 },     { "E8", 44, 0xffffffff },
		{ "E8", 44, 0xfffff000 }, { "E9", 40, 0x7ffff000 }, { "E9", 40, 0x80000000 },
		{ "E9", 40, 0xfffff000 }, { "E9", 40, 0xffffffff },
	};
	struct source *source = dirty(4);

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		size_t second, third;
		struct logbuilder *log = three(&second, &third);

		logbuilder_put32(log->data + second + rows[i].at, rows[i].value);
		logbuilder_hash(log, second);
		add_log(source, SOURCE_LOG1, log);
		print_message("# %s: %u at 0x%x\n", rows[i].clause, rows[i].value, rows[i].at);
		assert_recovers(source, NULL, 1, 7, "baaa");
	}
	talloc_free(source);
}

static void a_log_cut_anywhere_keeps_its_longest_prefix(void **state)
{
	struct source *source = dirty(4);
	size_t second, third;
	struct logbuilder *log = three(&second, &third);

	(void)state; /* E2, L1 */
	for (size_t size = 0; size <= log->size; size += 512) {
		put_log(source, SOURCE_LOG1, log->data, size);
		if (size < second)
			assert_fails(source, NULL, ERROR_BAD_NEWS, "hive.LOG1");
		else if (size < third)
			assert_recovers(source, NULL, 1, 7, "baaa");
		else if (size < log->size)
			assert_recovers(source, NULL, 2, 8, "bcaa");
		else
			assert_recovers(source, NULL, 3, 9, "bcda");
	}
	for (size_t size = third - 3; size <= third + 45; size++) {
		put_log(source, SOURCE_LOG1, log->data, size);
		assert_recovers(source, NULL, size < third ? 1 : 2, size < third ? 7 : 8,
		                size < third ? "baaa" : "bcaa");
	}
	talloc_free(log);
	talloc_free(source);
}

static void bins_grow_and_pages_may_lie_anywhere(void **state)
{
	struct logbuilder *log = logbuilder_new(NULL, 7, 2);
	struct source *source = dirty(2);
	struct recovery recovery;
	struct image *image;
	struct error err;

	(void)state; /* R8, E9 */
	entry(log, 7, 5, 4, 'e');
	logbuilder_entry(log, 8, 0, 4);
	logbuilder_page(log, 0, 'x');
	logbuilder_page(log, 3, 'd');
	logbuilder_page(log, 0, 'b'); /* the later wins */
	logbuilder_finish(log);
	add_log(source, SOURCE_LOG1, log);
	assert_recovers(source, NULL, 2, 8, "ba0d");
	image = recover(source, source, NULL, &recovery, &err);
	assert_int_equal(image->bytes.size, 6 * PAGE); /* it does not shrink */
	assert_int_equal(image->bytes.data[5 * PAGE + 100], 'e');

	log = logbuilder_new(NULL, 7, 2);
	logbuilder_entry(log, 7, 0, 2);
	logbuilder_page(log, 6, 'x'); /* behind the bins */
	logbuilder_reference(log, 7 * PAGE, 0, 'x');
	logbuilder_reference(log, PAGE + 100, 0, 'x');
	logbuilder_finish(log);
	add_log(source, SOURCE_LOG1, log);
	assert_recovers(source, NULL, 1, 7, "aa");
	image = recover(source, source, NULL, &recovery, &err);
	assert_int_equal(image->bytes.size, 8 * PAGE);
	talloc_free(source);
}

static void memory_stays_in_proportion(void **state)
{
	struct source *source = dirty(1);
	struct logbuilder *log;

	(void)state; /* E6: bins just inside and outside of twice everything and 1 MiB */
	for (uint32_t more = 0; more < 2; more++) {
		uint32_t room = 2 * (2 * PAGE + 2 * PAGE) + (1 << 20);

		log = logbuilder_new(NULL, 7, 1);
		entry(log, 7, room / PAGE - 1 + more, 0, 'b');
		assert_int_equal(log->size, 2 * PAGE);
		add_log(source, SOURCE_LOG1, log);
		if (more) {
			assert_fails(source, NULL, ERROR_BAD_NEWS, "the entry makes the hive");
		} else {
			struct recovery recovery;
			struct error err;
			struct image *image = recover(source, source, NULL, &recovery, &err);

			assert_int_equal(image->bytes.size, room);
		}
	}
	talloc_free(source);
}

static void a_bad_base_block_comes_from_the_newest_log(void **state)
{
	(void)state; /* R5, L1, L2 */
	for (int how = 0; how < 4; how++) {
		size_t size;
		uint8_t *hive = logbuilder_hive(NULL, 4, 7, 7, &size);
		struct recovery recovery;
		struct source *source;
		struct error err;

		if (how == 0)
			memset(hive, 0, PAGE);
		else if (how == 1)
			hive[509]++;
		else if (how == 2)
			memset(hive, 0, 512);
		else
			hive[0] = 'R';
		source = source_of(hive, size);
		add_log(source, SOURCE_LOG1, log_of(3, 4, 0, "xx"));
		add_log(source, SOURCE_LOG2, log_of(5, 4, 1, "bc"));
		assert_recovers(source, NULL, 2, 6, "abca");
		assert_non_null(recover(source, source, NULL, &recovery, &err));
		assert_true(recovery.base_lost);
		/* the older log was left out: only the end is what the kernel would see */
		assert_states(source, "5 abaa LOG2; 6 abca LOG2!; ");
		talloc_free(source);
		talloc_free(hive);
	}
}

static void a_short_file_can_be_all_log(void **state)
{
	static const size_t sizes[] = { 0, 100, 512, PAGE - 1, PAGE, PAGE + 31 };

	(void)state; /* R5 */
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		size_t size;
		uint8_t *hive = logbuilder_hive(NULL, 2, 7, 6, &size);
		struct source *source = source_of(hive, sizes[i]);
		struct logbuilder *log = logbuilder_new(NULL, 7, 2);

		logbuilder_entry(log, 7, 0, 2);
		logbuilder_page(log, 0, 'b');
		logbuilder_page(log, 1, 'c');
		logbuilder_finish(log);
		add_log(source, SOURCE_LOG1, log);
		assert_recovers(source, NULL, 1, 7, "bc");
		assert_states(source, "7 bc LOG1!; ");
		talloc_free(source);
		talloc_free(hive);
	}
}

static void bit_0_of_the_flags_comes_from_the_last_entry(void **state)
{
	(void)state; /* R8 */
	for (uint32_t before = 0; before < 4; before++) {
		for (uint32_t last = 0; last < 4; last++) {
			size_t size;
			uint8_t *hive = logbuilder_hive(NULL, 1, 7, 6, &size);
			struct logbuilder *log = logbuilder_new(NULL, 7, 1);
			struct recovery recovery;
			struct source *source;
			struct image *image;
			struct error err;

			hive[144] = (uint8_t)before;
			logbuilder_checksum(hive);
			source = source_of(hive, size);
			logbuilder_entry(log, 7, 3 - last, 1);
			logbuilder_page(log, 0, 'b');
			logbuilder_finish(log);
			logbuilder_entry(log, 8, last, 1);
			logbuilder_page(log, 0, 'c');
			logbuilder_finish(log);
			add_log(source, SOURCE_LOG1, log);
			image = recover(source, source, NULL, &recovery, &err);
			assert_int_equal(image->bytes.data[144], (before & 2) | (last & 1));
			assert_int_equal(recovery.transactions, last & 1);
			talloc_free(source);
			talloc_free(hive);
		}
	}
}

static void a_log_with_a_bad_header_is_not_used(void **state)
{
	static const struct row {
		const char *clause;
		unsigned at;
		uint32_t value;
		bool checksum;
		const char *why;
	} rows[] = {
		{ "L1", 0, 0x66676572 + 1, true, "there is no regf signature" },
		{ "L2", 508, 0, false, "the header checksum is" },
		{ "L2", 100, 1, false, "the header checksum is" },
		{ "L3", 8, 8, true, "the header has sequence numbers 7 and 8" },
		{ "L4", 20, 2, true, "the header has version 2 and format 1" },
		{ "L4", 32, 0, true, "the header has version 1 and format 0" },
		{ "L5", 28, 0, true, "the header has type 0" },
		{ "L5", 28, 5, true, "the header has type 5" },
		{ "L5", 28, 1, true, "there is no DIRT signature" },
	};
	struct source *source = dirty(4);

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct logbuilder *log = log_of(7, 4, 0, "b");

		logbuilder_put32(log->data + rows[i].at, rows[i].value);
		if (rows[i].checksum)
			logbuilder_checksum(log->data);
		add_log(source, SOURCE_LOG1, log);
		assert_fails(source, NULL, ERROR_BAD_NEWS, rows[i].why);
		/* the other one is used all the same */
		add_log(source, SOURCE_LOG2, log_of(9, 4, 1, "c"));
		assert_recovers(source, NULL, 1, 9, "acaa");
		TALLOC_FREE(source->logs[SOURCE_LOG2].image);
	}
	talloc_free(source);
}

static void checksums_that_are_moved(void **state)
{
	(void)state; /* L2: 0 becomes 1, 0xffffffff becomes 0xfffffffe */
	for (uint32_t flip = 0; flip < 2; flip++) {
		struct source *source = dirty(4);
		struct logbuilder *log = log_of(7, 4, 0, "b");
		uint32_t sum = logbuilder_get32(log->data + 508);

		logbuilder_put32(log->data + 200, flip ? ~sum : sum);
		logbuilder_checksum(log->data);
		assert_int_equal(logbuilder_get32(log->data + 508), flip ? 0xfffffffe : 1);
		add_log(source, SOURCE_LOG1, log);
		assert_recovers(source, NULL, 1, 7, "baaa");
		talloc_free(source);
	}
}

/* --- old logs --- */

/* The letters of the first bytes of the first SECTORS pieces of 512 bytes of the bins. */
static void assert_sectors(struct source *source, const struct recover_options *options,
                           uint32_t sequence, uint32_t pages, const char *want)
{
	struct recovery recovery;
	struct error err = { 0 };
	struct image *image = recover(source, source, options, &recovery, &err);

	if (!image)
		fail_msg("%s", err.text);
	assert_clean(image, sequence);
	assert_int_equal(get(image, 40), pages * PAGE);
	for (size_t i = 0; want[i]; i++) {
		for (size_t at = i % 8 ? 0 : 32; at < 512; at++)
			assert_int_equal(image->bytes.data[PAGE + 512 * i + at], want[i]);
	}
	assert_int_equal(recovery.entries, 1);
	talloc_free(image);
}

static void an_old_log_is_applied_by_its_bitmap(void **state)
{
	struct source *source = dirty(3);

	(void)state; /* D1 to D5, R7, R8 */
	for (uint32_t type = 1; type <= 2; type++) {
		add_log(source, SOURCE_LOG,
		        logbuilder_old(NULL, type, 7, 3, "b  cdd  ee             f"));
		assert_sectors(source, NULL, 7, 3, "baacddaaeeaaaaaaaaaaaaaf");
	}
	/* it may make the hive longer, or shorter, and its number may be the smaller one */
	add_log(source, SOURCE_LOG, logbuilder_old(NULL, 1, 6, 4, "b                       cdef"));
	assert_sectors(source, NULL, 7, 4, "baaaaaaaaaaaaaaaaaaaaaaacdef");
	add_log(source, SOURCE_LOG, logbuilder_old(NULL, 1, 9, 2, "       b"));
	assert_sectors(source, NULL, 9, 2, "aaaaaaabaaaaaaaa");
	assert_states(source, "6 aaa; 9 aa LOG!; ");
	talloc_free(source);
}

static void an_old_log_must_be_whole(void **state)
{
	static const struct row {
		const char *clause;
		unsigned at;
		uint32_t value;
		const char *why;
	} rows[] = {
		{ "D1", 512, 0x54524945, "there is no DIRT signature" },
		{ "D2", 40, 0, "the header makes the hive 0 bytes long" },
		{ "D2", 40, 0x3200, "the header makes the hive 12800 bytes long" },
		{ "D2", 40, 0x7ffff000, "the header makes the hive 2147479552 bytes long" },
		{ "D2", 40, 0xfffff000, "the header makes the hive 4294963200 bytes long" },
	};
	struct source *source = dirty(3);
	struct logbuilder *log;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		log = logbuilder_old(NULL, 1, 7, 3, "b");
		logbuilder_put32(log->data + rows[i].at, rows[i].value);
		logbuilder_checksum(log->data);
		add_log(source, SOURCE_LOG, log);
		assert_fails(source, NULL, ERROR_BAD_NEWS, rows[i].why);
	}
	/* D3, D4: cut everywhere; the two pieces behind it are remnants */
	log = logbuilder_old(NULL, 1, 7, 3, "b bb");
	for (size_t size = 512; size <= log->size; size++) {
		put_log(source, SOURCE_LOG, log->data, size);
		if (size < log->size - 1024)
			assert_fails(source, NULL, ERROR_BAD_NEWS, "hive.LOG");
		else if (size % 64 == 0)
			assert_sectors(source, NULL, 7, 3, "babbaaaa");
	}
	talloc_free(log);
	talloc_free(source);
}

static struct logbuilder *old_at(uint64_t time, uint32_t sequence, char letter)
{
	struct logbuilder *log = logbuilder_old(NULL, 1, sequence, 2, (char[]){ letter, 0 });

	logbuilder_put32(log->data + 12, (uint32_t)time);
	logbuilder_put32(log->data + 16, (uint32_t)(time >> 32));
	logbuilder_checksum(log->data);
	return log;
}

static void an_old_log_must_have_the_time_of_the_hive(void **state)
{
	const struct recover_options relaxed = { .relaxed = true };
	struct source *source = dirty(2);

	(void)state; /* D5 */
	add_log(source, SOURCE_LOG, old_at(LOGBUILDER_TIME + 1, 7, 'b'));
	assert_fails(source, NULL, ERROR_BAD_NEWS, "newer (--relaxed takes it)");
	assert_sectors(source, &relaxed, 7, 2, "baaaaaaa");
	add_log(source, SOURCE_LOG, old_at(LOGBUILDER_TIME - 1, 7, 'b'));
	assert_fails(source, NULL, ERROR_BAD_NEWS, "is older than the hive's");
	assert_fails(source, &relaxed, ERROR_BAD_NEWS, "is older than the hive's");
	talloc_free(source);
}

static void the_newest_old_log_that_belongs_is_taken(void **state)
{
	struct source *source = dirty(2);

	(void)state; /* R7 */
	add_log(source, SOURCE_LOG1, old_at(LOGBUILDER_TIME, 8, 'b'));
	add_log(source, SOURCE_LOG2, old_at(LOGBUILDER_TIME, 9, 'c'));
	assert_sectors(source, NULL, 9, 2, "caaaaaaa");
	add_log(source, SOURCE_LOG1, old_at(LOGBUILDER_TIME, 10, 'b'));
	assert_sectors(source, NULL, 10, 2, "baaaaaaa");
	add_log(source, SOURCE_LOG1, old_at(LOGBUILDER_TIME + 1, 10, 'b'));
	assert_sectors(source, NULL, 9, 2, "caaaaaaa");
	/* a new log beside them counts alone, even if it is of no use */
	add_log(source, SOURCE_LOG, log_of(7, 2, 0, "d"));
	assert_recovers(source, NULL, 1, 7, "da");
	add_log(source, SOURCE_LOG, log_of(5, 2, 0, "d"));
	assert_fails(source, NULL, ERROR_BAD_NEWS, "beside one of the new");
	talloc_free(source);
}

static void the_first_bin_has_the_time_if_the_base_block_is_bad(void **state)
{
	size_t size;
	uint8_t *hive = logbuilder_hive(NULL, 2, 7, 6, &size);
	const struct recover_options relaxed = { .relaxed = true };
	struct source *source;

	(void)state; /* D5, R7 */
	hive[508]++;
	source = source_of(hive, size);
	add_log(source, SOURCE_LOG, old_at(LOGBUILDER_TIME, 3, 'b'));
	assert_sectors(source, NULL, 3, 2, "baaaaaaa");
	assert_states(source, "3 ba LOG!; ");
	hive[PAGE + 20]++;
	TALLOC_FREE(source->hive);
	source->hive = sealed(source, hive, size);
	assert_fails(source, NULL, ERROR_BAD_NEWS, "is older than the hive's");
	add_log(source, SOURCE_LOG, old_at(LOGBUILDER_TIME + 2, 3, 'b'));
	assert_fails(source, NULL, ERROR_BAD_NEWS, "newer (--relaxed takes it)");
	assert_sectors(source, &relaxed, 3, 2, "baaaaaaa");
	hive[PAGE] = 'x';
	TALLOC_FREE(source->hive);
	source->hive = sealed(source, hive, size);
	assert_fails(source, NULL, ERROR_BAD_NEWS, "base block and first bin are bad");
	talloc_free(source);
	talloc_free(hive);
}

/* --- what else can be said of a hive --- */

static void a_dirty_hive_without_logs_stays_dirty(void **state)
{
	const struct recover_options ignore = { .ignore_logs = true };
	struct source *source = dirty(2);
	struct recovery recovery;
	struct error err;

	(void)state; /* R9 */
	assert_fails(source, NULL, ERROR_BAD_NEWS, "--ignore-logs");
	put_log(source, SOURCE_LOG1, "", 0);
	put_log(source, SOURCE_LOG2, "", 0);
	assert_fails(source, NULL, ERROR_BAD_NEWS, "the header has sequence numbers 7 and 6");
	add_log(source, SOURCE_LOG1, log_of(7, 2, 0, "b"));
	assert_ptr_equal(recover(source, source, &ignore, &recovery, &err), source->hive);
	assert_int_equal(recovery.condition, RECOVER_IGNORED);
	assert_int_equal(recovery.entries, 0);
	assert_int_equal(get(source->hive, 4), 7);
	talloc_free(source);
}

static void what_is_no_hive_is_no_dirty_hive(void **state)
{
	const struct recover_options ignore = { .ignore_logs = true };
	uint8_t zeros[PAGE * 2] = { 0 };
	struct source *source = source_of(zeros, sizeof(zeros));

	(void)state;
	assert_fails(source, NULL, ERROR_SOURCE, "it is no hive: there is no regf signature");
	assert_fails(source, &ignore, ERROR_SOURCE, "it is no hive: there is no regf signature");
	TALLOC_FREE(source->hive);
	source->hive = sealed(source, zeros, 0);
	assert_fails(source, NULL, ERROR_SOURCE, "it is no hive: the file is empty");
	TALLOC_FREE(source->hive);
	source->hive = sealed(source, (const uint8_t *)"regf", 4);
	assert_fails(source, NULL, ERROR_SOURCE, "it is no hive: the file has only 4 bytes");
	talloc_free(source);
}

static void one_of_two_logs_is_not_all(void **state)
{
	static const struct row {
		bool log, log1, log2, missing;
	} rows[] = {
		{ true, false, false, false }, { false, true, false, true },
		{ false, false, true, true },  { false, true, true, false },
		{ true, true, false, true },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct source *source = dirty(2);
		struct recovery recovery;
		struct error err;

		if (rows[i].log2)
			put_log(source, SOURCE_LOG2, "", 0);
		if (rows[i].log)
			put_log(source, SOURCE_LOG, "", 0);
		add_log(source,
		        rows[i].log1  ? SOURCE_LOG1
		        : rows[i].log ? SOURCE_LOG
		                      : SOURCE_LOG2,
		        log_of(7, 2, 0, "b"));
		assert_non_null(recover(source, source, NULL, &recovery, &err));
		assert_int_equal(recovery.log_missing, rows[i].missing);
		assert_false(recovery.transactions);
		source->transactions = talloc_strdup(source, "hive.blf");
		assert_non_null(recover(source, source, NULL, &recovery, &err));
		assert_true(recovery.transactions);
		talloc_free(source);
	}
}

/* --- states on the way --- */

/* A dirty hive of the letters in TEXT, with two logs: 7.. to pages 0 and 1, 9.. to 1 and 2. */
static struct source *half_written(const char *text)
{
	size_t size;
	uint8_t *hive = logbuilder_hive(NULL, (uint32_t)strlen(text), 7, 6, &size);
	struct source *source;

	for (uint32_t i = 0; text[i]; i++)
		logbuilder_bin(hive + PAGE * (i + 1), i, text[i]);
	source = source_of(hive, size);
	add_log(source, SOURCE_LOG1, log_of(7, 3, 0, "bc"));
	add_log(source, SOURCE_LOG2, log_of(9, 3, 1, "de"));
	talloc_free(hive);
	return source;
}

static void states_are_consistent_if_nothing_came_early(void **state)
{
	static const struct {
		const char *hive, *states;
	} rows[] = {
		/* nothing was written */
		{ "aaa", "6 aaa!; 7 baa LOG1!; 8 bca LOG1!; 9 bda LOG2!; 10 bde LOG2!; " },
		/* a page of the first entry was */
		{ "baa", "6 baa; 7 baa LOG1!; 8 bca LOG1!; 9 bda LOG2!; 10 bde LOG2!; " },
		/* page 1 as the second entry has it, and as the third has it */
		{ "aca", "6 aca; 7 bca LOG1; 8 bca LOG1!; 9 bda LOG2!; 10 bde LOG2!; " },
		{ "ada", "6 ada; 7 bda LOG1; 8 bca LOG1!; 9 bda LOG2!; 10 bde LOG2!; " },
		/* page 2 comes for the first time in the last entry */
		{ "aae", "6 aae; 7 bae LOG1; 8 bce LOG1; 9 bde LOG2; 10 bde LOG2!; " },
		{ "bde", "6 bde; 7 bde LOG1; 8 bce LOG1; 9 bde LOG2; 10 bde LOG2!; " },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct source *source = half_written(rows[i].hive);

		assert_states(source, rows[i].states);
		/* without one of the logs nobody knows what is missing */
		TALLOC_FREE(source->logs[SOURCE_LOG2].image);
		assert_recovers(source, NULL, 2, 8, (char[]){ 'b', 'c', rows[i].hive[2], 0 });
		talloc_free(source);
	}
}

static void a_missing_log_leaves_only_the_last_state_consistent(void **state)
{
	struct source *source = half_written("aaa");

	(void)state;
	TALLOC_FREE(source->logs[SOURCE_LOG2].image);
	assert_states(source, "6 aaa; 7 baa LOG1; 8 bca LOG1!; ");
	talloc_free(source);
}

static void odd_pages_leave_only_later_states_consistent(void **state)
{
	struct logbuilder *log = logbuilder_new(NULL, 7, 2);
	struct source *source = dirty(2);

	(void)state;
	entry(log, 7, 2, 0, 'b');
	logbuilder_entry(log, 8, 0, 2);
	logbuilder_reference(log, 512, 100, 'c');
	logbuilder_finish(log);
	entry(log, 9, 2, 1, 'd');
	add_log(source, SOURCE_LOG1, log);
	put_log(source, SOURCE_LOG2, "", 0);
	assert_states(source, "6 aa; 7 ba LOG1; 8 ba LOG1!; 9 bd LOG1!; ");
	talloc_free(source);
}

static bool stop_at_8(void *data, const struct recover_state *state, struct error *err)
{
	unsigned *calls = data;

	++*calls;
	return state->sequence == 8 ? error_set(err, ERROR_REFUSED, "enough") : true;
}

static void the_caller_may_stop(void **state)
{
	struct source *source = half_written("aaa");
	TALLOC_CTX *ctx = talloc_new(NULL);
	struct recovery recovery;
	struct error err;
	unsigned calls = 0;

	(void)state;
	assert_null(recover_each(ctx, source, NULL, stop_at_8, &calls, &recovery, &err));
	assert_int_equal(calls, 3);
	assert_int_equal(err.kind, ERROR_REFUSED);
	assert_string_equal(err.text, "enough");
	assert_int_equal(talloc_total_blocks(ctx), 1);
	talloc_free(ctx);
	talloc_free(source);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		testing_unit(marvin_gives_known_numbers),
		testing_unit(marvin_side_by_side_is_the_same),
		testing_unit(a_clean_hive_is_left_alone),
		testing_unit(two_logs_are_applied_in_order_whatever_their_names),
		testing_unit(sequence_numbers_wrap),
		testing_unit(a_log_older_than_the_hive_is_left_out),
		testing_unit(nothing_is_applied_after_a_gap),
		testing_unit(a_log_without_a_valid_entry_is_a_gap),
		testing_unit(an_entry_of_an_earlier_round_is_not_applied),
		testing_unit(each_flipped_byte_of_an_entry_ends_the_log),
		testing_unit(each_field_is_checked_though_the_hashes_are_right),
		testing_unit(a_log_cut_anywhere_keeps_its_longest_prefix),
		testing_unit(bins_grow_and_pages_may_lie_anywhere),
		testing_unit(memory_stays_in_proportion),
		testing_unit(a_bad_base_block_comes_from_the_newest_log),
		testing_unit(a_short_file_can_be_all_log),
		testing_unit(bit_0_of_the_flags_comes_from_the_last_entry),
		testing_unit(a_log_with_a_bad_header_is_not_used),
		testing_unit(checksums_that_are_moved),
		testing_unit(an_old_log_is_applied_by_its_bitmap),
		testing_unit(an_old_log_must_be_whole),
		testing_unit(an_old_log_must_have_the_time_of_the_hive),
		testing_unit(the_newest_old_log_that_belongs_is_taken),
		testing_unit(the_first_bin_has_the_time_if_the_base_block_is_bad),
		testing_unit(a_dirty_hive_without_logs_stays_dirty),
		testing_unit(what_is_no_hive_is_no_dirty_hive),
		testing_unit(one_of_two_logs_is_not_all),
		testing_unit(states_are_consistent_if_nothing_came_early),
		testing_unit(a_missing_log_leaves_only_the_last_state_consistent),
		testing_unit(odd_pages_leave_only_later_states_consistent),
		testing_unit(the_caller_may_stop),
	};

	return cmocka_run_group_tests(tests, testing_begin, testing_end);
}
