/* Hives with logs for tests, and their recovery looked at from outside. */
#include "tests/recovering.h"

#include <string.h>

struct image *recovering_sealed(TALLOC_CTX *ctx, const uint8_t *data, size_t size)
{
	struct error err;
	struct image *image = image_copy(ctx, (struct bytes){ data, size }, &err);

	assert_non_null(image);
	assert_true(image_seal(image, &err));
	return image;
}

struct source *recovering_source(const uint8_t *hive, size_t size)
{
	struct source *source = talloc_zero(NULL, struct source);

	source->name = talloc_strdup(source, "hive");
	source->hive = recovering_sealed(source, hive, size);
	return source;
}

/* A dirty hive of PAGES letters 'a', sequence numbers 7 and 6. */
struct source *recovering_dirty(uint32_t pages)
{
	size_t size;
	uint8_t *hive = logbuilder_hive(NULL, pages, 7, 6, &size);
	struct source *source = recovering_source(hive, size);

	talloc_free(hive);
	return source;
}

void recovering_put(struct source *source, int place, const void *data, size_t size)
{
	static const char *const names[] = { "hive.LOG", "hive.LOG1", "hive.LOG2" };

	TALLOC_FREE(source->logs[place].image);
	TALLOC_FREE(source->logs[place].name);
	source->logs[place].name = talloc_strdup(source, names[place]);
	source->logs[place].image = recovering_sealed(source, data, size);
}

void recovering_add(struct source *source, int place, struct logbuilder *log)
{
	recovering_put(source, place, log->data, log->size);
	talloc_free(log);
}

/* An entry with one page. */
void recovering_entry(struct logbuilder *log, uint32_t sequence, uint32_t pages, uint32_t page,
                      char letter)
{
	logbuilder_entry(log, sequence, 0, pages);
	logbuilder_page(log, page, letter);
	logbuilder_finish(log);
}

/* Entries SEQUENCE, SEQUENCE + 1 and so on; the Nth of TEXT writes its letter to page N. */
struct logbuilder *recovering_log(uint32_t sequence, uint32_t pages, uint32_t page,
                                  const char *text)
{
	struct logbuilder *log = logbuilder_new(NULL, sequence, pages);

	for (uint32_t i = 0; text[i]; i++)
		recovering_entry(log, sequence + i, pages, page + i, text[i]);
	return log;
}

uint32_t recovering_get(const struct image *image, size_t at)
{
	return logbuilder_get32(image->bytes.data + at);
}

/* A clean base block: sequence numbers, type, checksum. */
void recovering_clean(const struct image *image, uint32_t sequence)
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
static void recovering_pages(const struct image *image, const char *text)
{
	uint8_t page[PAGE];

	assert_int_equal(recovering_get(image, 40), PAGE * strlen(text));
	assert_true(image->bytes.size >= PAGE * (strlen(text) + 1));
	for (uint32_t i = 0; text[i]; i++) {
		logbuilder_bin(page, i, text[i]);
		if (text[i] == '0')
			memset(page, 0, PAGE);
		if (memcmp(image->bytes.data + PAGE * (size_t)(i + 1), page, PAGE) != 0)
			fail_msg("page %u is not '%c'", i, text[i]);
	}
}

/* In the hive's own image the result must be the same as in a copy. */
static void recover_in_place(const struct source *source, const struct recover_options *options,
                             const struct image *want)
{
	TALLOC_CTX *ctx = talloc_new(NULL);
	struct recover_options in_place = { .in_place = true };
	struct source other = *source;
	struct recovery recovery;
	struct error err = { 0 };

	if (options)
		in_place.relaxed = options->relaxed;
	other.hive = recovering_sealed(ctx, source->hive->bytes.data, source->hive->bytes.size);
	assert_ptr_equal(recover(ctx, &other, &in_place, &recovery, &err), other.hive);
	assert_int_equal(recovery.condition, RECOVER_REPLAYED);
	assert_true(other.hive->sealed);
	assert_true(bytes_equal(other.hive->bytes, want->bytes));

	other.hive = recovering_sealed(ctx, source->hive->bytes.data, source->hive->bytes.size);
	assert_non_null(image_path(ctx, other.hive)); /* in a memfd it is sealed for good */
	assert_ptr_not_equal(recover(ctx, &other, &in_place, &recovery, &err), other.hive);
	assert_true(bytes_equal(other.hive->bytes, source->hive->bytes));
	talloc_free(ctx);
}

void recovering_gives(struct source *source, const struct recover_options *options,
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
	recovering_clean(image, sequence);
	recovering_pages(image, pages);
	recover_in_place(source, options, image);
	assert_int_equal(talloc_get_size(recovery.messages) / sizeof(char *),
	                 recovery.message_count);
	talloc_free(ctx);
}

void recovering_fails(struct source *source, const struct recover_options *options,
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
	uint32_t pages = recovering_get(state->image, 40) / PAGE;

	(void)err;
	recovering_clean(state->image, state->sequence);
	for (uint32_t i = 0; i < pages && i < 31; i++)
		letters[i] = (char)state->image->bytes.data[PAGE * (size_t)(i + 1) + 200];
	assert_int_equal(state->page_count != 0, state->log != NULL);
	*text = talloc_asprintf_append(*text, "%u %s%s%s%s; ", state->sequence, letters,
	                               state->log ? " " : "", state->log ? state->log + 5 : "",
	                               state->consistent ? "!" : "");
	return true;
}

void recovering_states(struct source *source, const char *want)
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
