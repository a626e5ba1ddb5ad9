/* Version tags: the published examples, what is none, and which is older. */
#include "tests/testing.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "checkpoint/paxos.h"

/* The C library's calendar is the judge of ours. */
static uint64_t ticks(int year, int month, int day, int hour, int minute, int second, int milli)
{
	struct tm tm = { .tm_year = year - 1900,
		         .tm_mon = month - 1,
		         .tm_mday = day,
		         .tm_hour = hour,
		         .tm_min = minute,
		         .tm_sec = second };

	return ((uint64_t)(timegm(&tm) + 11644473600) * 1000 + (uint64_t)milli) * 10000;
}

static void test_examples(void **state)
{
	struct paxos_tag tag;

	(void)state;
	assert_true(paxos_tag_read("3:4:276", &tag));
	assert_true(tag.valid);
	assert_int_equal(tag.next.time, 0);
	assert_int_equal(tag.next.number, 3);
	assert_int_equal(tag.last.time, 0);
	assert_int_equal(tag.last.number, 4);
	assert_int_equal(tag.sequence, 276);

	assert_true(
		paxos_tag_read("2007/12/31-15`35`55.889_4:2007/12/31-15`35`55.889_5:294", &tag));
	assert_true(tag.valid);
	assert_int_equal(tag.next.time, ticks(2007, 12, 31, 15, 35, 55, 889));
	assert_int_equal(tag.next.number, 4);
	assert_int_equal(tag.last.time, ticks(2007, 12, 31, 15, 35, 55, 889));
	assert_int_equal(tag.last.number, 5);
	assert_int_equal(tag.sequence, 294);

	assert_true(paxos_tag_read("2147483647:0:2147483647", &tag));
	assert_true(paxos_tag_read("4:2007/12/31-15`35`55.889_4:1", &tag));
}

static void test_calendar(void **state)
{
	static const int dates[][3] = { { 1601, 1, 2 },   { 1700, 2, 28 }, { 1700, 3, 1 },
		                        { 1970, 1, 1 },   { 2000, 2, 29 }, { 2000, 12, 31 },
		                        { 2023, 3, 1 },   { 2024, 2, 29 }, { 2024, 3, 1 },
		                        { 2100, 2, 28 },  { 2100, 3, 1 },  { 2400, 2, 29 },
		                        { 9999, 12, 31 }, { 2001, 1, 1 },  { 1999, 12, 31 } };

	(void)state;
	for (unsigned i = 0; i < sizeof(dates) / sizeof(*dates); i++) {
		struct paxos_tag tag;
		char text[80];

		snprintf(text, sizeof(text), "1:%04d/%02d/%02d-23`59`59.999_7:1", dates[i][0],
		         dates[i][1], dates[i][2]);
		assert_true(paxos_tag_read(text, &tag));
		assert_int_equal(tag.last.time,
		                 ticks(dates[i][0], dates[i][1], dates[i][2], 23, 59, 59, 999));
	}
}

static void test_bad(void **state)
{
	static const char *const bad[] = {
		"",
		"3",
		"3:3",
		"3:3:",
		":3:3",
		"3::3",
		"3:3:3:3",
		"3:3:3:",
		" 3:3:3",
		"3:3:3 ",
		"-3:3:3",
		"+3:3:3",
		"3:3:0x3",
		"3,3,3",
		"2147483648:1:1",
		"1:1:2147483648",
		"99999999999999999999:1:1",
		"2007/12/31-15`35`55.889:3:3", /* no number behind the time */
		"2007/12/31-15`35`55.889_:3:3",
		"2007/13/31-15`35`55.889_4:3:3",
		"2007/00/31-15`35`55.889_4:3:3",
		"2007/02/29-15`35`55.889_4:3:3",
		"1900/02/29-15`35`55.889_4:3:3",
		"2007/04/31-15`35`55.889_4:3:3",
		"2007/12/00-15`35`55.889_4:3:3",
		"2007/12/31-24`35`55.889_4:3:3",
		"2007/12/31-15`60`55.889_4:3:3",
		"2007/12/31-15`35`60.889_4:3:3",
		"2007/12/31-15`35`55.88_4:3:3",
		"2007/1/31-15`35`55.889_4:3:3",
		"12007/12/31-15`35`55.889_4:3:3",
		"1600/12/31-15`35`55.889_4:3:3",
		"1601/01/01-00`00`00.000_4:3:3", /* would be no time */
		"2007/12/31 15:35:55.889_4:3:3",
		"2007/",
		"3:2007/12/31-15`35",
		"bytes: 00ff",
		"\xff:1:1",
	};

	(void)state;
	for (unsigned i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		static const struct paxos_tag none;
		struct paxos_tag tag;

		memset(&tag, 0x5a, sizeof(tag));
		if (paxos_tag_read(bad[i], &tag))
			fail_msg("\"%s\" was taken for a tag", bad[i]);
		assert_false(tag.valid);
		assert_int_equal(tag.next.time + tag.last.time + tag.sequence, none.sequence);
	}
}

/* Each is newer than all before it. */
static void test_order(void **state)
{
	static const char *const rising[] = {
		"1:1:900",
		"9:2:1", /* the epoch of the last update goes before the next one */
		"1:3:5",
		"3:3:5",
		"3:3:6",
		"3:3:10", /* numbers, not text */
		"3:4:1",
		"3:10:1",
		"2007/12/31-15`35`55.889_4:11:0", /* no time in the last epoch */
		"3:2007/12/31-15`35`55.889_4:0",  /* a time beats any number */
		"2007/12/31-15`35`55.889_4:2007/12/31-15`35`55.889_4:294",
		"2007/12/31-15`35`55.889_4:2007/12/31-15`35`55.889_4:295",
		"2007/12/31-15`35`55.889_5:2007/12/31-15`35`55.889_4:1",
		"2007/12/31-15`35`55.889_5:2007/12/31-15`35`55.889_5:1",
		"2007/12/31-15`35`55.890_1:2007/12/31-15`35`55.890_1:1",
	};

	(void)state;
	for (unsigned i = 0; i < sizeof(rising) / sizeof(*rising); i++) {
		for (unsigned j = 0; j < sizeof(rising) / sizeof(*rising); j++) {
			struct paxos_tag a, b;

			assert_true(paxos_tag_read(rising[i], &a));
			assert_true(paxos_tag_read(rising[j], &b));
			assert_int_equal(paxos_tag_compare(&a, &b), (i > j) - (i < j));
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		testing_unit(test_examples),
		testing_unit(test_calendar),
		testing_unit(test_bad),
		testing_unit(test_order),
	};

	return cmocka_run_group_tests(tests, testing_begin, testing_end);
}
