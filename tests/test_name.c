/*
 * Names: WTF-8 both ways, order, hashes, and the upcase table against $UpCase of an NTFS
 * volume that mkntfs makes for the occasion.
 */
#include "hive/name.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/builder.h"
#include "tests/testing.h"

static struct name name_of(TALLOC_CTX *ctx, const char *text)
{
	struct name n = { 0 };

	assert_true(name_from_utf8(ctx, text, strlen(text), &n));
	return n;
}

/* A name from units, stored in two bytes each. */
static struct name wide(const uint16_t *units, uint32_t count, uint8_t *room)
{
	for (uint32_t i = 0; i < count; i++) {
		room[2 * i] = (uint8_t)units[i];
		room[2 * i + 1] = (uint8_t)(units[i] >> 8);
	}
	return (struct name){ room, 2 * count, false };
}

static void every_name_has_one_text(void **state)
{
	static const struct {
		uint16_t units[6];
		uint32_t count;
		const char *text;
		bool compressed;
	} rows[] = {
		{ { 0 }, 0, "", true },
		{ { 'A', 'b' }, 2, "Ab", true },
		{ { 0xe4, 0xff, 0x80 }, 3, "\xc3\xa4\xc3\xbf\xc2\x80", true },
		{ { 0x7f, 0x7ff, 0x800 }, 3, "\x7f\xdf\xbf\xe0\xa0\x80", false },
		{ { 'n', 0, 'l' }, 3, "n\xc0\x80l", true },
		{ { 0xd83d, 0xdcbe }, 2, "\xf0\x9f\x92\xbe", false },
		{ { 0xd800, 0xdc00, 0xdbff, 0xdfff },
		  4,
		  "\xf0\x90\x80\x80\xf4\x8f\xbf\xbf",
		  false },
		{ { 'h', 0xd83d }, 2, "h\xed\xa0\xbd", false },
		{ { 0xdcbe, 0xd83d }, 2, "\xed\xb2\xbe\xed\xa0\xbd", false },
		{ { 0xd83d, 0xd83d, 0xdcbe }, 3, "\xed\xa0\xbd\xf0\x9f\x92\xbe", false },
		{ { 0xd83d, 'x', 0xdcbe }, 3, "\xed\xa0\xbdx\xed\xb2\xbe", false },
		{ { 0xffff, 0xfffe, 0xe000 }, 3, "\xef\xbf\xbf\xef\xbf\xbe\xee\x80\x80", false },
	};
	TALLOC_CTX *tmp = talloc_new(NULL);

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint8_t room[16];
		struct name n = wide(rows[i].units, rows[i].count, room), back;
		char *text = name_to_utf8(tmp, n);

		assert_string_equal(text, rows[i].text);
		assert_true(name_well_formed(text, strlen(text)));
		assert_true(name_from_utf8(tmp, text, strlen(text), &back));
		assert_int_equal(back.compressed, rows[i].compressed);
		assert_int_equal(name_compressible(n), rows[i].compressed);
		assert_int_equal(name_length(back), rows[i].count);
		for (uint32_t j = 0; j < rows[i].count; j++)
			assert_int_equal(name_unit(back, j), rows[i].units[j]);
		assert_true(name_identical(n, back));
		assert_string_equal(name_to_utf8(tmp, back), rows[i].text);
	}
	talloc_free(tmp);
}

/* Every unit and many pairs, there and back. */
static void all_units_come_back(void **state)
{
	uint32_t dice = 1;

	(void)state;
	for (uint32_t i = 0; i < 0x20000; i++) {
		uint16_t units[2] = { (uint16_t)i, (uint16_t)(dice >> 16) };
		uint8_t room[4];
		struct name n = wide(units, i < 0x10000 ? 1 : 2, room), back;
		char *text = name_to_utf8(NULL, n);

		dice = dice * 1103515245 + 12345;
		if (!name_from_utf8(text, text, strlen(text), &back) || !name_identical(n, back))
			fail_msg("%04x %04x", units[0], units[1]);
		talloc_free(text);
	}
}

/* ASCII goes eight bytes or four units at a time: what is none is found at every place. */
static void one_odd_unit_among_ascii(void **state)
{
	static const struct {
		uint16_t unit;
		const char *text;
	} odd[] = { { 0, "\xc0\x80" },     { 0x01, "\x01" },           { 0x7f, "\x7f" },
		    { 0x80, "\xc2\x80" },  { 0xff, "\xc3\xbf" },       { 0x100, "\xc4\x80" },
		    { 0x141, "\xc5\x81" }, { 0x4100, "\xe4\x84\x80" }, { 0xd800, "\xed\xa0\x80" } };
	TALLOC_CTX *tmp = talloc_new(NULL);
	uint16_t units[21];
	uint8_t room[42];
	char text[64], expected[64];

	(void)state;
	for (uint32_t count = 1; count <= 21; count++) {
		for (uint32_t at = 0; at < count; at++) {
			for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++) {
				bool ascii = !odd[i].text[1];
				struct name n;

				for (uint32_t j = 0; j < count; j++)
					units[j] = (uint16_t)('a' + j);
				units[at] = odd[i].unit;
				n = wide(units, count, room);
				snprintf(expected, sizeof(expected), "%.*s%s%s", (int)at,
				         "abcdefghijklmnopqrstuvwxyz", odd[i].text,
				         &"abcdefghijklmnopqrstu"[at + 1]);
				expected[strlen(expected) - (21 - count)] = '\0';
				assert_int_equal(name_put_utf8(n, text), strlen(expected));
				assert_string_equal(text, expected);
				assert_int_equal(name_ascii(text, strlen(text)),
				                 ascii ? count : at);
				n = name_of(tmp, text);
				assert_true(name_identical(n, wide(units, count, room)));
				assert_int_equal(name_put_utf8(n, text), strlen(expected));
				assert_string_equal(text, expected);
			}
		}
	}
	assert_int_equal(name_ascii("ab\0c", 4), 2);
	assert_int_equal(name_ascii("abcdefg\0ijklmnop", 16), 7);
	talloc_free(tmp);
}

static void malformed_text_is_refused(void **state)
{
	static const char *const rows[] = {
		"\x80",
		"a\xbf",
		"\xc3",
		"\xe2\x82",
		"\xf0\x9f\x92",
		"\xc3(",
		"\xe2\x82(",
		"\xc0\x81",
		"\xc1\xbf",
		"\xe0\x80\x80",
		"\xe0\x9f\xbf",
		"\xf0\x80\x80\x80",
		"\xf0\x8f\xbf\xbf",
		"\xf4\x90\x80\x80",
		"\xf5\x80\x80\x80",
		"\xf8\x88\x80\x80\x80",
		"\xfe",
		"\xff",
		"\xc0",
		"\xed\xa0\xbd\xed\xb2\xbe" /* a pair, each half alone */,
	};
	struct name n = { NULL, 77, true };

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (name_from_utf8(NULL, rows[i], strlen(rows[i]), &n) ||
		    name_well_formed(rows[i], strlen(rows[i])))
			fail_msg("row %zu was taken", i);
	}
	assert_false(name_from_utf8(NULL, "a\0b", 3, &n)); /* NUL is C0 80 and nothing else */
	/* sizes that 32 bits cannot count, or memory cannot hold, are refused unread */
	assert_false(name_from_utf8(NULL, "", 0xffffffff, &n));
	assert_false(name_from_utf8(NULL, "", (size_t)1 << 40, &n));
	assert_int_equal(n.size, 77);
}

static void utf16_bytes_become_text(void **state)
{
	static const uint8_t odd[] = { 'a', 0, 0x16, 0x04, 'x' };
	char *text = name_utf16_to_utf8(NULL, (struct bytes){ odd, sizeof(odd) });

	(void)state;
	assert_string_equal(text, "a\xd0\x96");
	talloc_free(text);
	text = name_utf16_to_utf8(NULL, (struct bytes){ NULL, 0 });
	assert_string_equal(text, "");
	talloc_free(text);
	assert_null(name_utf16_to_utf8(NULL, (struct bytes){ odd, (uint64_t)1 << 33 }));
}

/* 100 MiB of letters need no piece of the 300 MiB that they might have needed. */
static void large_text_is_no_special_case(void **state)
{
	struct bytes in = { NULL, testing_rounds(200, 20) << 20 };
	uint8_t *units = calloc(1, in.size);
	char *text;

	(void)state;
	assert_non_null(units);
	for (uint64_t i = 0; i < in.size; i += 2)
		units[i] = 'a';
	in.data = units;
	text = name_utf16_to_utf8(NULL, in);
	assert_non_null(text);
	assert_int_equal(strlen(text), in.size / 2);
	talloc_free(text);
	free(units);
}

/* Rows are in the order of Windows; each is below all that follow, or equal if marked '='. */
static void names_sort_as_windows_sorts(void **state)
{
	static const char *const rows[] = {
		"",
		"\xc0\x80",
		"A",
		"=a",
		"a\xc0\x80",
		"ab",
		"=AB",
		"A_",
		"B",
		"STRASSE",
		"stra\303\237e" /* U+00DF has no upper case and lies above all of ASCII */,
		"_",
		"\xc2\xb5" /* U+00B5 has none either */,
		"\xc3\x84",
		"=\xc3\xa4",
		"\xc4\xb1" /* U+0131 */,
		"\xc5\xb8",
		"=\xc3\xbf" /* U+00FF becomes U+0178 */,
		"\xc5\xbf" /* U+017F */,
		"\xce\xa3",
		"=\xcf\x83",
		"\xcf\x82" /* U+03C2 */,
		"\xed\xa0\xbd",
		"\xf0\x9f\x92\xbe",
		"\xed\xb2\xbe",
		"\xee\x80\x80",
	};
	TALLOC_CTX *tmp = talloc_new(NULL);
	size_t count = sizeof(rows) / sizeof(rows[0]);

	(void)state;
	for (size_t i = 0; i < count; i++) {
		for (size_t j = i + 1; j < count; j++) {
			bool same = j == i + 1 && rows[j][0] == '=';
			struct name a = name_of(tmp, rows[i] + (rows[i][0] == '='));
			struct name b = name_of(tmp, rows[j] + (rows[j][0] == '='));

			if ((name_compare(a, b) < 0) != !same ||
			    (name_compare(b, a) > 0) != !same || name_equal(a, b) != same ||
			    name_identical(a, b))
				fail_msg("%s and %s", rows[i], rows[j]);
			assert_int_equal(name_equal_utf8(rows[i] + (rows[i][0] == '='),
			                                 rows[j] + (rows[j][0] == '=')),
			                 same);
			if (same)
				assert_int_equal(name_hash(a), name_hash(b));
		}
	}
	talloc_free(tmp);
}

static void storage_makes_no_difference(void **state)
{
	static const uint16_t units[] = { 'C', 'a', 'f', 0xe9 };
	struct name narrow = name_of(NULL, "Caf\xc3\xa9"), other;
	uint8_t room[8], hint[4];

	(void)state;
	other = wide(units, 4, room);
	assert_true(narrow.compressed);
	assert_true(name_identical(narrow, other) && name_identical(other, narrow));
	assert_true(name_equal(narrow, other));
	assert_int_equal(name_compare(narrow, other), 0);
	assert_int_equal(name_hash(narrow), 0x00352f57); /* as in hives that Windows wrote */
	assert_int_equal(name_hash(other), 0x00352f57);
	name_hint(narrow, hint);
	assert_memory_equal(hint, "Caf\xe9", 4);
	name_hint(other, hint);
	assert_memory_equal(hint, "Caf\xe9", 4);
	talloc_free((void *)narrow.data);
}

static void hints_hold_four_letters_or_nothing(void **state)
{
	static const struct {
		const char *text, *hint;
	} rows[] = {
		{ "", "\0\0\0\0" },         { "ab", "ab\0\0" },
		{ "aBcDe", "aBcD" },        { "ab\xd0\x96", "\0\0\0\0" },
		{ "abcd\xd0\x96", "abcd" }, { "\xc3\xbf", "\xff\0\0\0" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct name n = name_of(NULL, rows[i].text);
		uint8_t hint[4] = { 9, 9, 9, 9 };

		name_hint(n, hint);
		assert_memory_equal(hint, rows[i].hint, 4);
		talloc_free((void *)n.data);
	}
}

/* The builder's letters are written apart from the library's. */
static void the_builder_agrees(void **state)
{
	uint8_t room[2];

	(void)state;
	for (uint32_t unit = 0; unit < 0x10000; unit++) {
		uint16_t one = (uint16_t)unit;
		bool known = unit < 0x180 || (unit >= 0x380 && unit < 0x3d0) ||
		             (unit >= 0x400 && unit < 0x460) || (unit >= 0x3000 && unit < 0xa000) ||
		             (unit >= 0xd800 && unit < 0xff00);

		if (known && (name_upcase(one) != builder_upcase(one) ||
		              name_hash(wide(&one, 1, room)) != builder_hash(&one, 1)))
			fail_msg("U+%04X", unit);
	}
}

/* mkntfs writes Windows' table into each new volume; file 10 is $UpCase. */
static void the_table_is_that_of_ntfs(void **state)
{
	char *directory, command[4096];
	uint32_t changed = 0;
	FILE *table;

	(void)state;
	if (system("PATH=$PATH:/sbin:/usr/sbin; command -v mkntfs ntfscat >/dev/null") != 0) {
		testing_skipped("mkntfs or ntfscat (package ntfs-3g) is missing");
		return;
	}
	directory = testing_directory();
	snprintf(command, sizeof(command),
	         "PATH=$PATH:/sbin:/usr/sbin; truncate -s 2M %s/ntfs && "
	         "mkntfs -F -q %s/ntfs >/dev/null 2>&1 && ntfscat -i 10 %s/ntfs >%s/upcase",
	         directory, directory, directory, directory);
	assert_int_equal(system(command), 0);
	snprintf(command, sizeof(command), "%s/upcase", directory);
	table = fopen(command, "re");
	assert_non_null(table);
	for (uint32_t unit = 0; unit < 0x10000; unit++) {
		uint8_t word[2];

		assert_int_equal(fread(word, 1, 2, table), 2);
		if (name_upcase((uint16_t)unit) != (word[0] | word[1] << 8))
			fail_msg("U+%04X: %04x, NTFS has %02x%02x", unit,
			         name_upcase((uint16_t)unit), word[1], word[0]);
		changed += name_upcase((uint16_t)unit) != unit;
	}
	assert_int_equal(fgetc(table), EOF);
	assert_int_equal(changed, 973);
	fclose(table);
	testing_remove(directory);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		testing_unit(every_name_has_one_text),
		testing_unit(all_units_come_back),
		testing_unit(one_odd_unit_among_ascii),
		testing_unit(malformed_text_is_refused),
		testing_unit(utf16_bytes_become_text),
		testing_unit(large_text_is_no_special_case),
		testing_unit(names_sort_as_windows_sorts),
		testing_unit(storage_makes_no_difference),
		testing_unit(hints_hold_four_letters_or_nothing),
		testing_unit(the_builder_agrees),
		testing_unit(the_table_is_that_of_ntfs),
	};

	return cmocka_run_group_tests(tests, testing_begin, testing_end);
}
