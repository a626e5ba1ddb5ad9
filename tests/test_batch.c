/*
 * snapshot/batch and snapshot/replay. Batches are decoded by a decoder of our own, written
 * from the layout in [MS-CMRP] 2.2.3.17; histories of a random model go through a log and
 * must come back as the model was after each step.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "tests/testing.h"

#include <fcntl.h>

#include "hive/diff.h"
#include "snapshot/batch.h"
#include "snapshot/replay.h"
#include "tests/model.h"

/* --- the specification's layout, read by nothing of ours --- */

static uint32_t get32(const uint8_t *at)
{
	return at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

/* UTF-16LE, NUL-terminated: units as hexadecimal, so that any name has one text. */
static char *units(char *text, const uint8_t *name, uint32_t size)
{
	assert_true(size >= 2 && size % 2 == 0);
	assert_int_equal(name[size - 2] | name[size - 1], 0);
	for (uint32_t i = 0; i + 2 < size; i += 2)
		text = talloc_asprintf_append_buffer(text, "%02x%02x", name[i + 1], name[i]);
	return text;
}

/* Commands as lines: number, type, name, data. */
static char *decode(TALLOC_CTX *ctx, struct bytes batch)
{
	const uint8_t *p = batch.data, *end = p + batch.size;
	char *text = talloc_strdup(ctx, "");

	assert_true(batch.size >= 4 + 16);
	assert_int_equal(get32(p), 1);
	for (p += 4; p < end;) {
		uint32_t name = get32(p + 8), data;

		text = talloc_asprintf_append_buffer(text, "%u %u ", get32(p), get32(p + 4));
		text = units(text, p + 12, name);
		p += 12 + name;
		data = get32(p);
		p += 4;
		text = talloc_asprintf_append_buffer(text, " =");
		for (uint32_t i = 0; i < data; i++)
			text = talloc_asprintf_append_buffer(text, "%02x", p[i]);
		text = talloc_asprintf_append_buffer(text, "\n");
		p += data + (data & 1);
		assert_int_equal((p - batch.data) % 2, 0);
	}
	assert_ptr_equal(p, end);
	return text;
}

/* What a live cluster would do with it: only names and values, existing keys are no error. */

static char *wtf8(TALLOC_CTX *ctx, const uint8_t *name, uint32_t size)
{
	return name_utf16_to_utf8(ctx, (struct bytes){ name, size - 2 });
}

static void carry_out(struct model *model, struct bytes batch)
{
	TALLOC_CTX *tmp = talloc_new(NULL);
	char *key = talloc_strdup(tmp, "");

	for (const uint8_t *p = batch.data + 4; p < batch.data + batch.size;) {
		uint32_t name = get32(p + 8), data = get32(p + 12 + name);
		char *text = wtf8(tmp, p + 12, name);
		struct change change = { .key = text };

		switch (get32(p)) {
		case 1:
		case 4:
			assert_non_null(key);
			change.op = get32(p) == 1 ? CHANGE_SET_VALUE : CHANGE_DELETE_VALUE;
			change.key = key;
			change.name = text;
			change.type = get32(p + 4);
			change.data = (struct bytes){ p + 16 + name, data };
			assert_true(model_apply(model, &change));
			break;
		case 2:
			change.op = CHANGE_CREATE_KEY;
			if (*text)
				model_apply(model, &change); /* it may be there */
			key = text;
			break;
		case 3:
			change.op = CHANGE_DELETE_KEY;
			assert_true(model_apply(model, &change));
			key = NULL;
			break;
		default:
			fail_msg("command %u", get32(p));
		}
		p += 16 + name + data + (data & 1);
	}
	talloc_free(tmp);
}

/* Takes away what a batch cannot say, and the order of values. */
static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct model_value *)a)->name, ((const struct model_value *)b)->name);
}

static void strip(struct model *model)
{
	model->time = 0;
	model->link = false;
	model->class_name.size = model->security.size = 0;
	if (model->value_count)
		qsort(model->values, model->value_count, sizeof(*model->values), by_name);
	for (uint32_t i = 0; i < model->subkey_count; i++)
		strip(model->subkeys[i]);
}

/* --- single batches --- */

static struct batch *put(TALLOC_CTX *ctx, const struct change *changes, size_t count,
                         struct bytes *commands, struct bytes *companion)
{
	struct error err;
	struct batch *batch = batch_new(ctx, &err);

	for (size_t i = 0; i < count; i++)
		assert_true(batch_put(batch, &changes[i], &err));
	assert_int_equal(batch_count(batch), count);
	assert_true(batch_finish(batch, commands, companion, &err));
	return batch;
}

#define DATA(text)                                                                                 \
	{                                                                                          \
		(const uint8_t *)(text), sizeof(text) - 1                                          \
	}

static void the_bytes_are_those_of_the_specification(void **state)
{
	static const struct change change = { CHANGE_SET_VALUE, "",    "A", 4,
		                              DATA("\1\0\0\0"), false, 0,   { NULL, 0 } };
	static const uint8_t expected[] = { 1, 0, 0,    0, 1, 0, 0, 0, 4, 0, 0, 0, 4, 0,
		                            0, 0, 0x41, 0, 0, 0, 4, 0, 0, 0, 1, 0, 0, 0 };
	TALLOC_CTX *tmp = talloc_new(NULL);
	struct bytes commands, companion;

	(void)state;
	put(tmp, &change, 1, &commands, &companion);
	assert_int_equal(commands.size, sizeof(expected));
	assert_memory_equal(commands.data, expected, sizeof(expected));
	assert_int_equal(companion.size, 0);
	talloc_free(tmp);
}

static const struct change some[] = {
	{ .op = CHANGE_SET_TIME, .key = "", .data = DATA("12345678") },
	{ .op = CHANGE_CREATE_KEY, .key = "K" },
	{ .op = CHANGE_SET_SECURITY, .key = "K", .data = DATA("sec") },
	{ .op = CHANGE_SET_VALUE, .key = "K", .name = "", .type = 3, .data = DATA("odd") },
	{ .op = CHANGE_SET_VALUE, .key = "K\\L", .name = "v", .type = 77, .data = DATA("") },
	{ .op = CHANGE_DELETE_KEY, .key = "K\\L" },
	{ .op = CHANGE_DELETE_VALUE, .key = "K\\L", .name = "w" },
	{ .op = CHANGE_SET_CLASS, .key = "M", .data = DATA("c\0") },
	{ .op = CHANGE_SET_LINK, .key = "K\\L", .data = DATA("\1") },
	{ .op = CHANGE_ORDER_VALUES, .key = "", .data = DATA("\1\0\0\0\0\0\0\0") },
	{ .op = CHANGE_SET_VALUE, .key = "", .name = "\xf0\x9f\x98\x80", .type = 1 },
};

struct expected {
	const struct change *changes;
	size_t count, at;
};

static bool is_next(void *data, const struct change *change, struct error *err)
{
	struct expected *expected = data;
	const struct change *next = &expected->changes[expected->at];

	(void)err;
	assert_true(expected->at < expected->count);
	assert_int_equal(change->op, next->op);
	assert_string_equal(change->key, next->key);
	assert_int_equal(change->name != NULL, next->name != NULL);
	if (change->name)
		assert_string_equal(change->name, next->name);
	assert_int_equal(change->type, next->type);
	assert_true(bytes_equal(change->data, next->data));
	expected->at++;
	return true;
}

static void what_was_put_comes_back(void **state)
{
	TALLOC_CTX *tmp = talloc_new(NULL);
	struct expected expected = { some, sizeof(some) / sizeof(some[0]), 0 };
	struct bytes commands, companion;
	struct error err;

	(void)state;
	put(tmp, some, expected.count, &commands, &companion);
	assert_string_equal(decode(tmp, commands), "2 0 004b =\n"
	                                           "1 3  =6f6464\n"
	                                           "2 0 004b005c004c =\n"
	                                           "1 77 0076 =\n"
	                                           "3 0 004b005c004c =\n"
	                                           "2 0 004b005c004c =\n"
	                                           "4 0 0077 =\n"
	                                           "2 0  =\n"
	                                           "1 1 d83dde00 =\n");
	assert_true(batch_each(commands, companion, is_next, &expected, &err));
	assert_int_equal(expected.at, expected.count);
	put(tmp, NULL, 0, &commands, &companion); /* a batch has one command at least */
	assert_string_equal(decode(tmp, commands), "2 0  =\n");
	talloc_free(tmp);
}

/* A reader that was elsewhere when its last batch ended begins at the root again. */
static void a_reader_is_used_again(void **state)
{
	static const struct change first[] = {
		{ .op = CHANGE_CREATE_KEY, .key = "K\\\xc3\xa4" },
		{ .op = CHANGE_SET_TIME, .key = "M", .data = DATA("12345678") },
		{ .op = CHANGE_DELETE_KEY, .key = "K\\\xc3\xa4" },
	};
	static const struct change second[] = {
		{ .op = CHANGE_SET_VALUE, .key = "", .name = "v", .type = 1, .data = DATA("x") },
		{ .op = CHANGE_SET_CLASS, .key = "", .data = DATA("c\0") },
	};
	TALLOC_CTX *tmp = talloc_new(NULL);
	struct expected one = { first, 3, 0 }, two = { second, 2, 0 };
	struct bytes commands[2], companion[2];
	struct error err;
	struct batch_reader *reader = batch_reader_new(tmp, &err);

	(void)state;
	put(tmp, first, 3, &commands[0], &companion[0]);
	put(tmp, second, 2, &commands[1], &companion[1]);
	assert_true(batch_read(reader, commands[0], companion[0], is_next, &one, &err));
	assert_true(batch_read(reader, commands[1], companion[1], is_next, &two, &err));
	assert_int_equal(one.at + two.at, 5);
	/* and after one that was no good */
	one.at = two.at = 0;
	commands[0].size--;
	assert_false(batch_read(reader, commands[0], companion[0], is_next, &one, &err));
	assert_true(batch_read(reader, commands[1], companion[1], is_next, &two, &err));
	assert_int_equal(two.at, 2);
	talloc_free(tmp);
}

static bool ignore(void *data, const struct change *change, struct error *err)
{
	(void)data;
	(void)change;
	(void)err;
	return true;
}

/* A cut is an error, unless it is behind a command or an entry that nothing else needs. */
static void nothing_cut_is_whole(void **state)
{
	TALLOC_CTX *tmp = talloc_new(NULL);
	struct bytes commands, companion;
	unsigned whole = 0;
	struct error err;

	(void)state;
	put(tmp, some, sizeof(some) / sizeof(some[0]), &commands, &companion);
	for (uint64_t i = 0; i < commands.size; i++) {
		struct bytes cut = { talloc_memdup(tmp, commands.data, i + !i), i };

		whole += batch_each(cut, companion, ignore, NULL, &err);
	}
	assert_in_range(whole, 0, 2);
	whole = 0;
	for (uint64_t i = 1; i < companion.size; i++) {
		struct bytes cut = { talloc_memdup(tmp, companion.data, i), i };

		whole += batch_each(commands, cut, ignore, NULL, &err);
	}
	assert_int_equal(whole, 6); /* behind the head, and behind each entry but the last */
	talloc_free(tmp);
}

static const struct {
	const char *commands;
	size_t size;
	const char *companion;
	size_t companion_size;
	const char *error;
} bad[] = {
#define ROW(commands, companion, error)                                                            \
	{                                                                                          \
		commands, sizeof(commands) - 1, companion, sizeof(companion) - 1, error            \
	}
#define CREATE_K "\2\0\0\0\0\0\0\0\4\0\0\0K\0\0\0\0\0\0\0"
#define DELETE_K "\3\0\0\0\0\0\0\0\4\0\0\0K\0\0\0\0\0\0\0"
	ROW("", "", "the batch is not of version 1"),
	ROW("\2\0\0\0" CREATE_K, "", "the batch is not of version 1"),
	ROW("\1\0\0\0", "", "the batch has no command"),
	ROW("\1\0\0\0\2\0\0\0", "", "command 1 of the batch: it is too short"),
	ROW("\1\0\0\0\2\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", "", "command 1 of the batch: its name"),
	ROW("\1\0\0\0\2\0\0\0\0\0\0\0\3\0\0\0K\0\0\0\0\0\0", "",
	    "command 1 of the batch: its name"),
	ROW("\1\0\0\0\2\0\0\0\0\0\0\0\2\0\0\0K\0\0\0\0\0", "", "command 1 of the batch: its name"),
	ROW("\1\0\0\0" CREATE_K "\1\0\0\0\4\0\0\0\2\0\0\0\0\0\5\0\0\0abcd", "",
	    "command 2 of the batch: its data is longer"),
	ROW("\1\0\0\0" CREATE_K "\1\0\0\0\4\0\0\0\2\0\0\0\0\0\1\0\0\0ab", "",
	    "command 2 of the batch: its padding is not zero"),
	ROW("\1\0\0\0\2\0\0\0\1\0\0\0\4\0\0\0K\0\0\0\0\0\0\0", "",
	    "command 1 of the batch: it has a type or data"),
	ROW("\1\0\0\0\3\0\0\0\0\0\0\0\2\0\0\0\0\0\2\0\0\0ab", "",
	    "command 1 of the batch: it has a type or data"),
	ROW("\1\0\0\0" DELETE_K "\1\0\0\0\4\0\0\0\2\0\0\0\0\0\0\0\0\0", "",
	    "command 2 of the batch: it is of a value, and of no key"),
	ROW("\1\0\0\0\7\0\0\0\0\0\0\0\2\0\0\0\0\0\0\0\0\0", "",
	    "command 1 of the batch: it is none that changes"),
	ROW("\1\0\0\0" CREATE_K, "\1\0\0", "companion, offset 0: it is too short"),
	ROW("\1\0\0\0" CREATE_K, "\2\0\0\0", "companion of version 2"),
#define ENTRY(after, op, elsewhere, path, data)                                                    \
	"\1\0\0\0\24\0\0\0" after "\0\0\0" op "\0" elsewhere "\0" path "\0\0\0" data "\0\0\0"
	ROW("\1\0\0\0" CREATE_K, "\1\0\0\0\23\0\0\0", "companion, offset 4: an entry is longer"),
	ROW("\1\0\0\0" CREATE_K, ENTRY("\1", "\1", "\0", "\0", "\4"),
	    "companion, offset 4: the sizes"),
	ROW("\1\0\0\0" CREATE_K, ENTRY("\1", "\0", "\0", "\0", "\0"),
	    "companion, offset 4: an unknown kind"),
	ROW("\1\0\0\0" CREATE_K, ENTRY("\1", "\7", "\0", "\0", "\0"),
	    "companion, offset 4: an unknown kind"),
	ROW("\1\0\0\0" CREATE_K, ENTRY("\1", "\3", "\2", "\0", "\0"),
	    "companion, offset 4: its path"),
	ROW("\1\0\0\0" CREATE_K, ENTRY("\1", "\1", "\1", "\0", "\0"),
	    "companion, offset 4: a new key has neither"),
	ROW("\1\0\0\0" CREATE_K, ENTRY("\2", "\1", "\0", "\0", "\0"),
	    "companion: an entry after command 2 of 1"),
	ROW("\1\0\0\0" CREATE_K, ENTRY("\0", "\1", "\0", "\0", "\0"),
	    "command 0 of the batch: the companion calls its key new"),
	ROW("\1\0\0\0" DELETE_K, ENTRY("\1", "\3", "\0", "\0", "\0"),
	    "command 1 of the batch: the companion means a key that was deleted"),
	ROW("\1\0\0\0" CREATE_K DELETE_K,
	    ENTRY("\2", "\3", "\1", "\0", "\0") "\24\0\0\0\1\0\0\0\3\0\1\0\0\0\0\0\0\0\0\0",
	    "companion: an entry after command 1 follows one after 2"),
	ROW("\1\0\0\0" CREATE_K, "\1\0\0\0\30\0\0\0\1\0\0\0\3\0\0\0\0\0\0\0\1\0\0\0a\0\1\0",
	    "companion, offset 4: the padding"),
	ROW("\1\0\0\0" CREATE_K, "\1\0\0\0\30\0\0\0\1\0\0\0\3\0\0\0\2\0\0\0\0\0\0\0a\0\0\0",
	    "companion, offset 4: its path"),
};

static void every_clause_is_named(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct bytes commands = { (const uint8_t *)bad[i].commands, bad[i].size };
		struct bytes companion = { (const uint8_t *)bad[i].companion,
			                   bad[i].companion_size };
		struct error err = { 0 };

		if (batch_each(commands, companion, ignore, NULL, &err) ||
		    strncmp(err.text, bad[i].error, strlen(bad[i].error)) != 0)
			fail_msg("row %zu: '%s' instead of '%s'", i, err.text, bad[i].error);
		assert_int_equal(err.kind, ERROR_SOURCE);
	}
}

/* --- histories --- */

struct story {
	TALLOC_CTX *ctx;
	struct model *model;
	struct hive *hive;
	struct quolog_writer *writer;
	char *dumps[12]; /* of the model after each sequence number */
	uint64_t count;
	const char *directory;
};

static void put_image(const char *directory, const char *name, const struct image *image)
{
	testing_write(directory, name, image->bytes.data, image->bytes.size);
}

static void put_checkpoint(struct story *story, const char *name)
{
	uint8_t digest[DIGEST_SIZE];
	struct hive_key root;
	struct error err;

	put_image(story->directory, name, hive_image(story->hive));
	assert_true(hive_root(story->hive, &root, &err));
	assert_true(digest_subtree(story->hive, &root, digest, &err));
	assert_true(quolog_put_checkpoint(story->writer, name, digest, 1, "test", &err));
	story->dumps[++story->count] = model_dump(story->ctx, story->model);
}

/* One step of the model as a transaction; the batch alone must do what a batch can say. */
static void put_step(struct story *story, uint64_t *seed, const struct model_rules *rules)
{
	TALLOC_CTX *tmp = talloc_new(NULL);
	struct model *before = model_copy(tmp, story->model), *after;
	struct quolog_transaction transaction = { .origin = "test" };
	struct hive *hive = story->hive;
	struct hive_key a, b;
	struct error err;
	struct batch *batch = batch_new(tmp, &err);

	model_mutate(story->model, seed, rules);
	story->hive = model_hive(story->ctx, story->model, seed);
	assert_true(hive_root(hive, &a, &err) && hive_root(story->hive, &b, &err));
	assert_true(diff_subtrees(hive, &a, story->hive, &b, NULL, batch_put, batch, &err));
	assert_true(batch_finish(batch, &transaction.batch, &transaction.companion, &err));
	assert_true(quolog_put_transaction(story->writer, &transaction, &err));
	story->dumps[++story->count] = model_dump(story->ctx, story->model);
	carry_out(before, transaction.batch);
	after = model_copy(tmp, story->model);
	strip(before);
	strip(after);
	assert_string_equal(model_dump(tmp, before), model_dump(tmp, after));
	talloc_free(tmp);
}

static struct quolog *read_story(struct story *story)
{
	struct error err;
	struct image *image;
	struct quolog *log;

	assert_true(quolog_put_manifest(story->writer, NULL, 0, 1, &err));
	image = quolog_finish(story->ctx, story->writer, &err);
	assert_non_null(image);
	log = quolog_read(story->ctx, image->bytes, &err);
	assert_true(log && log->state == QUOLOG_WHOLE);
	assert_int_equal(log->entry_count, story->count);
	return log;
}

static void check_prefix(struct story *story, struct replay *replay, uint64_t sequence)
{
	TALLOC_CTX *tmp = talloc_new(NULL);
	struct error err = { 0 };
	struct image *image;
	struct hive *hive;
	struct hive_key root;

	image = tree_save(tmp, replay_tree(replay), 5, NULL, &err);
	hive = image ? hive_open_image(tmp, image, "replayed", &err) : NULL;
	if (!hive || !hive_root(hive, &root, &err))
		fail_msg("%s", err.text);
	assert_string_equal(model_dump(tmp, model_of_hive(tmp, hive, &root)),
	                    story->dumps[sequence]);
	talloc_free(tmp);
}

static void history(const char *directory, int fd, uint64_t seed, const struct model_rules *rules)
{
	const struct quolog_identity id = { 2, "C", "" };
	struct story story = { .ctx = talloc_new(NULL), .directory = directory };
	struct error err = { 0 };
	struct replay *replay;
	struct quolog *log;
	uint8_t digest[DIGEST_SIZE];

	story.model = model_new(story.ctx, &seed, rules);
	story.hive = model_hive(story.ctx, story.model, &seed);
	story.writer = quolog_create(story.ctx, &id, 1, 1, &err);
	put_checkpoint(&story, "chk0001.tmp");
	for (uint32_t i = 1 + model_random(&seed, 6); i > 0; i--)
		put_step(&story, &seed, rules);
	put_checkpoint(&story, "chk0002.tmp");
	log = read_story(&story);
	replay = replay_new(story.ctx, fd, log, &err);
	assert_true(replay_load(replay, 0, &err));
	check_prefix(&story, replay, 1);
	for (size_t i = 1; i + 1 < log->entry_count; i++) {
		if (!replay_step(replay, i, &err))
			fail_msg("seed %llu: %s", (unsigned long long)seed, err.text);
		check_prefix(&story, replay, i + 1);
	}
	assert_true(replay_digest(replay, digest, &err));
	assert_memory_equal(digest, log->entries[log->entry_count - 1].checkpoint.digest,
	                    DIGEST_SIZE);
	assert_true(replay_to(replay, 2, &err));
	check_prefix(&story, replay, 2);
	assert_false(replay_to(replay, 0, &err));
	assert_int_equal(err.kind, ERROR_USAGE);
	assert_false(replay_to(replay, story.count + 1, &err));
	talloc_free(story.ctx);
}

/* CLUSNAP_HISTORIES=10000 for the whole round. */
static void every_prefix_of_a_history_is_the_model(void **state)
{
	static const struct model_rules rules = { 5, 4, false, 600 }, odd = { 30, 6, true, 20000 };
	const char *asked = getenv("CLUSNAP_HISTORIES");
	uint64_t count = asked ? strtoull(asked, NULL, 10) : testing_rounds(300, 20);
	char *directory = testing_directory();
	int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	(void)state;
	for (uint64_t seed = 0; seed < count; seed++)
		history(directory, fd, seed, seed % 20 == 19 ? &odd : &rules);
	close(fd);
	testing_remove(directory);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		testing_unit(the_bytes_are_those_of_the_specification),
		testing_unit(what_was_put_comes_back),
		testing_unit(a_reader_is_used_again),
		testing_unit(nothing_cut_is_whole),
		testing_unit(every_clause_is_named),
		testing_unit(every_prefix_of_a_history_is_the_model),
	};

	return cmocka_run_group_tests(tests, testing_begin, testing_end);
}
