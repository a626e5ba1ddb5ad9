/*
 * check: what is fine although it is unusual, what no single field shows (depth, names, equal
 * names, cycles, truncation), and that many problems do not flood. Images: tests/builder.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "hive/check.h"
#include "tests/builder.h"

/* A builder in a context of its own, where its images go too. */
static struct builder *begin(void)
{
	return builder_new(talloc_new(NULL));
}

static void end(struct builder *b)
{
	talloc_free(talloc_parent(b));
}

static struct check check_bytes(TALLOC_CTX *ctx, const uint8_t *image, size_t size)
{
	struct error err = { 0 };
	struct check check;

	assert_true(check_image(ctx, (struct bytes){ image, size }, &check, &err));
	return check;
}

static struct check check_built(struct builder *b)
{
	size_t size;
	uint8_t *image = builder_write(b, &size);

	return check_bytes(b, image, size);
}

static void assert_clean(struct check check)
{
	for (uint32_t i = 0; i < check.problems->count; i++)
		print_error("%s\n", check.problems->list[i].text);
	assert_int_equal(check.problems->count, 0);
	assert_false(check.dirty);
}

static const struct problem *assert_problem(struct check check, const char *code,
                                            enum problem_weight weight)
{
	const struct problem *problem = problems_find(check.problems, code);

	if (!problem) {
		for (uint32_t i = 0; i < check.problems->count; i++)
			print_error("%s\n", check.problems->list[i].text);
		fail_msg("no %s", code);
	}
	assert_int_equal(problem->weight, weight);
	assert_true(check.problems->worst >= weight);
	return problem;
}

/* A tree with something of everything, and big values. */
static struct builder *build_rich(uint32_t minor)
{
	struct builder *b = begin();
	static const uint8_t data[48000] = { 1, 2, 3 };

	b->minor = minor;
	for (unsigned i = 0; i < 40; i++) {
		char name[40];
		struct builder_key *key;

		snprintf(name, sizeof(name), "Software\\Key %u\\Sub", i);
		key = builder_path(b, name);
		builder_dword(key, "Number", i);
		builder_string(key, "", "default");
		builder_value(key, "Blob", 3, data, 800 * i + 16340 * (i % 2));
		if (i % 3 == 0)
			builder_class(key, "Class");
		builder_security_kind(key, i % 6, i);
	}
	builder_path(b, "Software\\\xc3\xa4\\\xc3\x96\\\xe2\x82\xac");
	builder_link(builder_path(b, "Link"), "\\Registry\\Machine\\SOFTWARE");
	return b;
}

static void every_shape_is_clean(void **state)
{
	(void)state;
	for (unsigned shape = 0; shape < 16; shape++) {
		struct builder *b = build_rich(3 + shape % 3);
		struct check check;

		b->list = shape % 4;
		b->leaf_max = shape < 8 ? 507 : 7;
		b->ri_always = shape == 3;
		b->shuffle = shape % 5;
		b->free_every = shape % 3;
		b->slack = shape == 6 ? 24 : 0;
		b->spare_bins = shape % 2;
		b->pad = shape == 9;
		b->checksum = shape % 3;
		b->trim_last_segment = shape == 5;
		b->ids = shape != 7;
		check = check_built(b);
		assert_clean(check);
		assert_int_equal(check.keys, 86);
		assert_int_equal(check.values, 121);
		end(b);
	}
}

static void layered_hive(void **state)
{
	struct builder *b = build_rich(6);

	(void)state;
	b->base_flags = 2;
	builder_tombstone(builder_path(b, "Link"), "gone");
	builder_path(b, "Deleted")->layer = 1;
	assert_clean(check_built(b));
	end(b);
}

static void predefined_handle(void **state)
{
	struct builder *b = begin();
	struct builder_key *key = builder_path(b, "Handle");
	size_t size;
	uint8_t *image;

	(void)state;
	key->extra_flags = 0x40;
	image = builder_write(b, &size);
	memcpy(image + 0x1004 + key->cell + 0x24, "\x03\x00\x00\x80", 4);
	assert_clean(check_bytes(b, image, size));
	end(b);
}

static void big_data_by_format(void **state)
{
	struct builder *b = build_rich(5);

	(void)state;
	b->big_plain = true;
	assert_problem(check_built(b), "big-data", PROBLEM_HEALS);
	end(b);
}

/* One letter more than the builder allows is put in by hand; the cells have room for it. */
static void long_names(void **state)
{
	static uint16_t name[16383];
	struct builder *b = begin();
	struct builder_key *key;
	struct builder_value *value;
	size_t size;
	uint8_t *image;

	(void)state;
	for (unsigned i = 0; i < 16383; i++)
		name[i] = 'n';
	key = builder_key_units(b->root, name, 255, 0);
	value = builder_value_units(b->root, name, 16383, 1, NULL, 0);
	image = builder_write(b, &size);
	assert_clean(check_bytes(b, image, size));
	image[0x1004 + key->cell + 0x48] = 0;
	image[0x1004 + key->cell + 0x49] = 1;
	assert_problem(check_bytes(b, image, size), "key-name", PROBLEM_HEALS);
	image[0x1004 + value->cell + 2] = 0;
	image[0x1004 + value->cell + 3] = 0x40;
	assert_problem(check_bytes(b, image, size), "value-name", PROBLEM_HEALS);
	end(b);
}

static void deep_tree(void **state)
{
	(void)state;
	for (unsigned levels = 512; levels <= 514; levels++) {
		struct builder *b = begin();
		struct builder_key *key = b->root;
		struct check check;

		for (unsigned i = 1; i < levels; i++)
			key = builder_key(key, "k", 0);
		check = check_built(b);
		assert_int_equal(check.keys, 512);
		if (levels == 512)
			assert_clean(check);
		else
			assert_problem(check, "key-depth", PROBLEM_HEALS);
		end(b);
	}
}

/* Values of one name, next to each other or not, in a key with few and with many values. */
static void equal_value_names(void **state)
{
	(void)state;
	for (unsigned count = 2; count <= 300; count += count < 12 ? 1 : 96) {
		struct builder *b = begin();
		struct builder_value *last = NULL;
		const struct problem *problem;
		size_t size;
		uint8_t *image;

		for (unsigned i = 0; i < count; i++) {
			char name[20];

			snprintf(name, sizeof(name), "Value %04u", i);
			last = builder_dword(b->root, name, i);
		}
		image = builder_write(b, &size);
		assert_clean(check_bytes(b, image, size));
		memcpy(image + 0x1004 + last->cell + 0x14, "vALUE 0000", 10);
		problem = assert_problem(check_bytes(b, image, size), "value-duplicate",
		                         PROBLEM_HEALS);
		assert_int_equal(problem->offset, 0x1000 + last->cell);
		assert_non_null(strstr(problem->text, "vALUE 0000"));
		end(b);
	}
}

/* "AZ" and "B5" have one hash, and so have all names that are made of them. */
static void collide(unsigned number, bool small, char *name)
{
	for (unsigned bit = 0; bit < 12; bit++, name += 2)
		strcpy(name, number >> bit & 1 ? small ? "b5" : "B5" : small ? "az" : "AZ");
}

static void equal_among_colliding_names(void **state)
{
	struct builder *b = begin();
	struct builder_value *value[4];
	struct check check;
	char name[32];

	(void)state;
	for (unsigned i = 0; i < 3000; i++) {
		struct builder_value *made;

		collide(i, false, name);
		made = builder_dword(b->root, name, i);
		if (i == 1000)
			value[0] = made;
		snprintf(name, sizeof(name), "other %u", i);
		made = builder_dword(b->root, name, i);
		if (i == 2000)
			value[1] = made;
	}
	assert_clean(check_built(b));
	collide(1000, true, name);
	value[2] = builder_dword(b->root, name, 0);
	value[3] = builder_dword(b->root, "OTHER 2000", 0);
	check = check_built(b);
	assert_int_equal(check.values, 6002);
	assert_int_equal(check.problems->count, 2);
	for (unsigned i = 0; i < 2; i++) {
		const struct problem *problem = &check.problems->list[i];
		unsigned which = strstr(problem->text, "OTHER 2000") ? 1 : 0;

		snprintf(name, sizeof(name), "at 0x%x", 0x1000 + value[which]->cell);
		assert_string_equal(problem->code, "value-duplicate");
		assert_int_equal(problem->offset, 0x1000 + value[which + 2]->cell);
		assert_non_null(strstr(problem->text, name));
	}
	end(b);
}

/* Capital Y with diaeresis is no Latin-1 letter, its small letter is: equal all the same. */
static void equal_across_widths(void **state)
{
	struct builder *b = begin();

	(void)state;
	builder_value(b->root, "\xc3\xbf", 1, NULL, 0);
	builder_value(b->root, "\xc5\xb8", 1, NULL, 0);
	assert_problem(check_built(b), "value-duplicate", PROBLEM_HEALS);
	for (unsigned i = 0; i < 20; i++)
		builder_dword(b->root, (char[]){ 'a' + (char)i, 0 }, i);
	assert_problem(check_built(b), "value-duplicate", PROBLEM_HEALS);
	end(b);
}

static void equal_key_names(void **state)
{
	struct builder *b = begin();
	struct builder_key *key = builder_path(b, "Parent\\Key 1"), *other;
	const struct problem *problem;
	size_t size;
	uint8_t *image;

	(void)state;
	other = builder_path(b, "Parent\\Key 2");
	image = builder_write(b, &size);
	memcpy(image + 0x1004 + other->cell + 0x4c, "kEY 1", 5);
	(void)key;
	problem = assert_problem(check_bytes(b, image, size), "key-duplicate", PROBLEM_HEALS);
	assert_int_equal(problem->offset, 0x1000 + other->cell);
	assert_string_equal(problem->text,
	                    "key Parent\\kEY 1: the subkey before it has the same name");
	end(b);
}

/* What is wrong with a cell that many keys share is said once. */
static void shared_security_cell(void **state)
{
	struct builder *b = begin();
	struct check check;
	unsigned found = 0;
	size_t size;
	uint8_t *image;

	(void)state;
	builder_security_kind(builder_path(b, "Shared"), BUILDER_SD_SECRET, 7);
	for (unsigned i = 0; i < 9; i++)
		builder_path(b, (char[]){ 'S', 'h', 'a', 'r', 'e', 'd', '\\', 'a' + (char)i, 0 });
	image = builder_write(b, &size);
	image[0x1004 + b->root->children[0]->security->cell] = 'x';
	check = check_bytes(b, image, size);
	for (uint32_t i = 0; i < check.problems->count; i++)
		found += check.problems->list[i].weight == PROBLEM_HEALS;
	assert_problem(check, "security-signature", PROBLEM_HEALS);
	assert_int_equal(found, 1);
	end(b);
}

/* A path in a sentence is readable text, whatever the names are. */
static void odd_names_in_sentences(void **state)
{
	struct builder *b = begin();
	struct builder_key *key = builder_path(b, "a\xc0\x80\n\xed\xa0\x81\xf0\x9f\x98\x80\\child");
	size_t size;
	uint8_t *image = builder_write(b, &size);
	const char *start = "key a%0000%000a%d801\xf0\x9f\x98\x80\\child: its parent is";
	const char *text;

	(void)state;
	memset(image + 0x1004 + key->cell + 0x10, 0xff, 4);
	text = assert_problem(check_bytes(b, image, size), "key-parent", PROBLEM_HEALS)->text;
	assert_memory_equal(text, start, strlen(start));
	end(b);
}

static void wide_without_need(void **state)
{
	struct builder *b = begin();

	(void)state;
	builder_path(b, "Wide")->wide = true;
	builder_dword(b->root, "wide", 1)->wide = true;
	builder_dword(b->root, "cell", 1)->never_inline = true;
	assert_problem(check_built(b), "key-flags", PROBLEM_NOTE);
	assert_problem(check_built(b), "value-flags", PROBLEM_NOTE);
	assert_problem(check_built(b), "value-data", PROBLEM_NOTE);
	assert_int_equal(check_built(b).problems->worst, PROBLEM_NOTE);
	end(b);
}

/* Windows allows them; each is said once, as a note, and a whole pair is none of them. */
static void names_few_can_print(void **state)
{
	static const char *const odd[] = { "half \xed\xa0\x81", "\xed\xb0\x80 half", "bell \a",
		                           "line\nbreak", "euro \xe2\x82\xac\t" };
	struct builder *b = begin();
	struct check check;
	unsigned found = 0;

	(void)state;
	builder_path(b, "\xf0\x90\x80\x80 pair");
	builder_dword(b->root, "\xc2\xa0\xc3\xbf", 1);
	assert_clean(check_built(b));
	for (unsigned i = 0; i < 5; i++) {
		builder_path(b, odd[i]);
		builder_dword(b->root, odd[i], i);
	}
	check = check_built(b);
	assert_int_equal(check.problems->worst, PROBLEM_NOTE);
	assert_problem(check, "key-name", PROBLEM_NOTE);
	assert_problem(check, "value-name", PROBLEM_NOTE);
	for (uint32_t i = 0; i < check.problems->count; i++)
		found += strstr(check.problems->list[i].text, "control character") != NULL;
	assert_int_equal(found, 10);
	end(b);
}

/* A count that is too low: what it leaves out is named. */
static void what_nothing_refers_to(void **state)
{
	struct builder *b = begin();
	struct builder_key *key = builder_path(b, "Key");
	const struct problem *problem;
	uint8_t *image;
	size_t size;

	(void)state;
	builder_dword(key, "First", 1);
	builder_dword(key, "Second", 2);
	image = builder_write(b, &size);
	image[0x1004 + key->cell + 0x24] = 1;
	problem = assert_problem(check_bytes(b, image, size), "cell-unreferenced", PROBLEM_NOTE);
	assert_int_equal(problem->offset, 0x1000 + key->values[1]->cell);
	assert_non_null(strstr(problem->text, "it looks like the value Second"));
	image[0x1004 + b->root->cell + 0x14] = 0;
	image[0x1004 + b->root->list_cell] = 'x';
	problem = assert_problem(check_bytes(b, image, size), "cell-unreferenced", PROBLEM_NOTE);
	while (problem->offset != 0x1000 + key->cell)
		problem++;
	assert_non_null(strstr(problem->text, "it looks like the key Key"));
	end(b);
}

static void wrong_hint(void **state)
{
	struct builder *b = begin();
	size_t size;
	uint8_t *image;

	(void)state;
	builder_path(b, "Key");
	b->list = BUILDER_LF;
	image = builder_write(b, &size);
	image[0x1004 + b->root->list_cell + 8] ^= 1;
	assert_problem(check_bytes(b, image, size), "leaf-hint", PROBLEM_ODD);
	end(b);
}

static void every_truncation(void **state)
{
	struct builder *b = begin();
	size_t size;
	uint8_t *image;

	(void)state;
	builder_string(builder_path(b, "A\\B"), "Name", "text");
	image = builder_write(b, &size);
	for (size_t length = 0; length < size; length++) {
		uint8_t *copy = talloc_memdup(b, image, length + !length);
		struct check check = check_bytes(b, copy, length);

		assert_int_equal(check.problems->worst, PROBLEM_FATAL);
		assert_problem(check, "truncated", PROBLEM_FATAL);
		talloc_free(check.problems);
		talloc_free(copy);
	}
	end(b);
}

static void what_follows_the_bins(void **state)
{
	struct builder *b = begin();
	size_t size;
	uint8_t *image = builder_write(b, &size);

	(void)state;
	image = talloc_realloc(b, image, uint8_t, (unsigned)size + 4096);
	memset(image + size, 0xee, 4096);
	assert_clean(check_bytes(b, image, size + 4096));
	assert_problem(check_bytes(b, image, size + 7), "trailing-bytes", PROBLEM_NOTE);
	memcpy(image + size, image + 0x1000, 32);
	for (unsigned i = 0; i < 4; i++)
		image[size + 4 + i] = (uint8_t)((size - 0x1000) >> 8 * i);
	assert_problem(check_bytes(b, image, size + 4096), "trailing-bin", PROBLEM_NOTE);
	end(b);
}

/* Behind a page that is no bin, the bins that follow are found again. */
static void lost_page(void **state)
{
	struct builder *b = begin();
	struct check check;
	size_t size;
	uint8_t *image;

	(void)state;
	for (unsigned i = 0; i < 200; i++) {
		char name[20];

		snprintf(name, sizeof(name), "Key %04u", i);
		builder_key(b->root, name, 0);
	}
	b->leaf_max = 10;
	image = builder_write(b, &size);
	memset(image + 0x3000, 0, 0x1000);
	check = check_bytes(b, image, size);
	assert_int_equal(assert_problem(check, "bin-signature", PROBLEM_FATAL)->offset, 0x3000);
	assert_in_range(check.keys, 100, 199);
	end(b);
}

static void many_problems(void **state)
{
	struct problems *problems = problems_new(NULL);

	(void)state;
	for (unsigned i = 0; i < 1000000; i++)
		problems_add(problems, PROBLEM_NOTE, i, i % 2 ? "odd" : "even", "number %u", i);
	problems_add(problems, PROBLEM_HEALS, 7, "odd", "worse");
	assert_int_equal(problems->count, 2 * PROBLEM_SAME + 1);
	assert_int_equal(problems->list[2 * PROBLEM_SAME - 1].more, 500000 - PROBLEM_SAME);
	assert_int_equal(problems->worst, PROBLEM_HEALS);
	assert_string_equal(problems_first(problems, PROBLEM_HEALS)->text, "worse");
	assert_null(problems_first(problems, PROBLEM_FATAL));
	assert_int_equal(problems_find(problems, "odd")->offset, 1);
	assert_null(problems_find(problems, "none"));
	assert_false(problems->lost);
	talloc_free(problems);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_shape_is_clean),
		cmocka_unit_test(layered_hive),
		cmocka_unit_test(predefined_handle),
		cmocka_unit_test(big_data_by_format),
		cmocka_unit_test(long_names),
		cmocka_unit_test(deep_tree),
		cmocka_unit_test(equal_value_names),
		cmocka_unit_test(equal_among_colliding_names),
		cmocka_unit_test(equal_across_widths),
		cmocka_unit_test(equal_key_names),
		cmocka_unit_test(shared_security_cell),
		cmocka_unit_test(odd_names_in_sentences),
		cmocka_unit_test(wide_without_need),
		cmocka_unit_test(names_few_can_print),
		cmocka_unit_test(what_nothing_refers_to),
		cmocka_unit_test(wrong_hint),
		cmocka_unit_test(every_truncation),
		cmocka_unit_test(what_follows_the_bins),
		cmocka_unit_test(lost_page),
		cmocka_unit_test(many_problems),
	};

	return cmocka_run_group_tests_name("check", tests, NULL, NULL);
}
