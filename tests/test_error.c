/* struct error: what it says, what it keeps, what it cuts, and what never gets into it. */
#include "hive/error.h"

#include <errno.h>
#include <string.h>

#include "tests/testing.h"

static void says_what_it_is_told(void **state)
{
	struct error err = { .sys = 99 };

	(void)state;
	assert_false(error_set(&err, ERROR_SOURCE, "cell 0x%x: %s", 0x20, "no"));
	assert_int_equal(err.kind, ERROR_SOURCE);
	assert_int_equal(err.sys, 0);
	assert_string_equal(err.text, "cell 0x20: no");
	assert_false(error_memory(&err));
	assert_int_equal(err.kind, ERROR_INTERNAL);
	assert_string_equal(err.text, "out of memory");
}

static void adds_errno_and_context(void **state)
{
	struct error err;

	(void)state;
	errno = ENOSPC;
	assert_false(error_errno(&err, ERROR_DESTINATION, "cannot write %s", "x"));
	assert_int_equal(err.kind, ERROR_DESTINATION);
	assert_int_equal(err.sys, ENOSPC);
	assert_string_equal(err.text,
	                    "cannot write x: No space left on device: ERROR_DISK_FULL (112)");
	assert_false(error_wrap(&err, "%s", "snapshot"));
	assert_int_equal(err.kind, ERROR_DESTINATION);
	assert_int_equal(err.sys, ENOSPC);
	assert_string_equal(
		err.text,
		"snapshot: cannot write x: No space left on device: ERROR_DISK_FULL (112)");
	errno = ENXIO; /* Windows has no name that fits */
	error_errno(&err, ERROR_SOURCE, "x");
	assert_string_equal(err.text, "x: No such device or address");
}

static void a_lack_of_ours_blames_nobody_else(void **state)
{
	static const int lacks[] = { ENOMEM, EMFILE, ENFILE };
	struct error err;

	(void)state;
	for (int i = 0; i < 3; i++) {
		errno = lacks[i];
		error_errno(&err, ERROR_SOURCE, "x");
		assert_int_equal(err.kind, ERROR_INTERNAL);
		assert_int_equal(err.sys, lacks[i]);
	}
	errno = EIO;
	error_errno(&err, ERROR_SOURCE, "x");
	assert_int_equal(err.kind, ERROR_SOURCE);
}

static void may_quote_itself(void **state)
{
	struct error err;

	(void)state;
	error_set(&err, ERROR_SOURCE, "why");
	error_set(&err, ERROR_REFUSED, "not done, because: %s", err.text);
	assert_string_equal(err.text, "not done, because: why");
	error_wrap(&err, "%s again", err.text);
	assert_string_equal(err.text, "not done, because: why again: not done, because: why");
}

/* Fills TEXT with WIDE characters of two bytes behind one of one byte. */
static void fill(char *text, size_t count)
{
	*text++ = 'x';
	for (; count > 0; count--, text += 2)
		memcpy(text, "\xc3\xa4", 2);
	*text = '\0';
}

static void cuts_between_characters_and_says_so(void **state)
{
	struct error err;
	char text[4000];

	(void)state;
	for (size_t count = 500; count < 530; count++) {
		fill(text, count);
		for (const char *part = text; part < text + 2; part++) {
			if (part > text)
				text[1] = 'y', text[2] = 'z';
			error_set(&err, ERROR_SOURCE, "%s", part);
			if (strlen(part) < sizeof(err.text)) {
				assert_string_equal(err.text, part);
				continue;
			}
			assert_in_range(strlen(err.text), sizeof(err.text) - 3, 1023);
			assert_string_equal(err.text + strlen(err.text) - 3, "...");
			assert_memory_equal(err.text + strlen(err.text) - 5, "\xc3\xa4", 2);
		}
	}
}

static void keeps_the_reason_when_the_context_is_long(void **state)
{
	struct error err;
	char text[4000];

	(void)state;
	memset(text, 'p', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	errno = EACCES;
	error_errno(&err, ERROR_SOURCE, "%s", text);
	assert_int_equal(strlen(err.text), 1023);
	assert_non_null(strstr(err.text, "ppp...: Permission denied"));
	error_wrap(&err, "%s", "outer");
	assert_memory_equal(err.text, "outer: ppp", 10);
	assert_int_equal(strlen(err.text), 1023);
	error_set(&err, ERROR_SOURCE, "the reason");
	error_wrap(&err, "%s", text);
	assert_non_null(strstr(err.text, "ppp...: the reason"));
}

/* Each row: a name from a disk, and what may be printed of it. */
static void makes_foreign_names_harmless(void **state)
{
	static const char *const rows[][2] = {
		{ "plain", "plain" },
		{ "a\nb\tc\033[2Jd\x7f", "a?b?c?[2Jd?" },
		{ "\xc3\xa4 \xe2\x82\xac \xf0\x9f\x92\xbe",
		  "\xc3\xa4 \xe2\x82\xac \xf0\x9f\x92\xbe" },
		{ "C1 \xc2\x9b \xc2\xa0", "C1 ?? \xc2\xa0" },
		{ "nul \xc0\x80 half \xed\xa0\xbd", "nul ?? half ???" },
		{ "latin \xe4 end", "latin ? end" },
		{ "long \xe0\x80\xa0 \xf0\x80\x80\xa0", "long ??? ????" },
		{ "high \xf4\x90\x80\x80 \xf8\x88\x80\x80\x80 \xff", "high ???? ????? ?" },
		{ "cut \xe2\x82", "cut ??" },
		{ "last \xf4\x8f\xbf\xbf \xed\x9f\xbf", "last \xf4\x8f\xbf\xbf \xed\x9f\xbf" },
	};
	struct error err;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		error_set(&err, ERROR_SOURCE, "%s", rows[i][0]);
		assert_string_equal(err.text, rows[i][1]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		testing_unit(says_what_it_is_told),
		testing_unit(adds_errno_and_context),
		testing_unit(a_lack_of_ours_blames_nobody_else),
		testing_unit(may_quote_itself),
		testing_unit(cuts_between_characters_and_says_so),
		testing_unit(keeps_the_reason_when_the_context_is_long),
		testing_unit(makes_foreign_names_harmless),
	};

	return cmocka_run_group_tests(tests, testing_begin, testing_end);
}
