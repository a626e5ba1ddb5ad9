/* Salvage of hives with many things broken: the list of what is lost. */
#include "tests/testing.h"

#include <stdio.h>
#include <string.h>

#include "hive/hive.h"
#include "tests/builder.h"
#include "tests/recovering.h"

#define MANY 300u

/* The record in a cell has no signature any more. */
static void spoil(uint8_t *image, uint32_t cell)
{
	memcpy(image + 0x1000 + cell + 4, "xx", 2);
}

/* However many there are, each has its line. */
static void every_loss_is_listed(void **state)
{
	struct builder *b = builder_new(NULL);
	struct builder_value *values[MANY];
	struct hive_options options;
	struct error err = { 0 };
	struct source *source;
	uint8_t *image;
	size_t size;
	char name[20];

	(void)state;
	for (unsigned i = 0; i < MANY; i++) {
		snprintf(name, sizeof(name), "Key%03u", i);
		values[i] = builder_dword(builder_path(b, name), "Value", i);
	}
	image = builder_write(b, &size);
	for (unsigned i = 0; i < MANY; i++)
		spoil(image, values[i]->cell);
	source = recovering_source(image, size);
	options = (struct hive_options){ .left_out = problems_new(source) };
	assert_non_null(hive_open(source, source, &options, &err));
	assert_int_equal(options.left_out->count, MANY);
	for (unsigned i = 0; i < MANY; i++) {
		snprintf(name, sizeof(name), "\\Key%03u: a value", i);
		assert_non_null(strstr(options.left_out->list[i].text, name));
		snprintf(name, sizeof(name), "0x%x", values[i]->cell + 0x1000);
		assert_non_null(strstr(options.left_out->list[i].text, name));
	}
	talloc_free(source);
	talloc_free(image);
	talloc_free(b);
}

/* Long paths: the list does not outgrow the hive, and what is not listed is counted. */
static void the_list_of_losses_is_bounded(void **state)
{
	struct builder *b = builder_new(NULL);
	struct builder_key *key = b->root, *lost[MANY];
	struct hive_options options;
	struct error err = { 0 };
	struct source *source;
	uint64_t text = 0;
	unsigned more = 0;
	uint8_t *image;
	char name[201];
	size_t size;

	(void)state;
	memset(name, 'd', 200);
	name[200] = 0;
	for (unsigned i = 0; i < 100; i++)
		key = builder_key(key, name, 0);
	for (unsigned i = 0; i < MANY; i++) {
		snprintf(name, sizeof(name), "k%03u", i);
		lost[i] = builder_key(key, name, 0);
	}
	image = builder_write(b, &size);
	for (unsigned i = 0; i < MANY; i++)
		spoil(image, lost[i]->cell);
	source = recovering_source(image, size);
	options = (struct hive_options){ .left_out = problems_new(source) };
	assert_non_null(hive_open(source, source, &options, &err));
	for (uint32_t i = 0; i < options.left_out->count; i++)
		text += strlen(options.left_out->list[i].text);
	assert_true(text < 3000000);
	assert_int_equal(
		sscanf(strstr(options.left_out->list[options.left_out->count - 1].text, ": and ") +
	                       6,
	               "%u more", &more),
		1);
	assert_int_equal(options.left_out->count - 1 + more, MANY);
	talloc_free(source);
	talloc_free(image);
	talloc_free(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		testing_unit(every_loss_is_listed),
		testing_unit(the_list_of_losses_is_bounded),
	};

	return cmocka_run_group_tests(tests, testing_begin, testing_end);
}
