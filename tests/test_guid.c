/* GUIDs: what is one, and how it is printed. */
#include "tests/testing.h"

#include <string.h>

#include "checkpoint/guid.h"

static void test_good(void **state)
{
	static const char *const good[] = {
		"0123abcd-4567-89ef-0011-223344556677",
		"0123ABCD-4567-89EF-0011-223344556677",
		"{0123abcd-4567-89ef-0011-223344556677}",
		"{0123aBCd-4567-89Ef-0011-223344556677}",
	};
	static const uint8_t bytes[16] = { 0x01, 0x23, 0xab, 0xcd, 0x45, 0x67, 0x89, 0xef,
		                           0x00, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77 };

	(void)state;
	for (unsigned i = 0; i < sizeof(good) / sizeof(*good); i++) {
		char text[GUID_TEXT], canonical[GUID_TEXT];
		struct guid guid;

		assert_true(guid_parse(good[i], &guid));
		assert_memory_equal(guid.b, bytes, sizeof(bytes));
		guid_print(&guid, text);
		assert_string_equal(text, good[0]);
		assert_true(guid_canonical(good[i], canonical));
		assert_string_equal(canonical, good[0]);
	}
}

static void test_bad(void **state)
{
	static const char *const bad[] = {
		"",
		"{}",
		"0123abcd-4567-89ef-0011-22334455667",
		"0123abcd-4567-89ef-0011-2233445566777",
		"0123abcd-4567-89ef-0011-22334455667g",
		"0123abcd-4567-89ef-0011x223344556677",
		"0123abcd45-67-89ef-0011-223344556677",
		"{0123abcd-4567-89ef-0011-223344556677",
		"0123abcd-4567-89ef-0011-223344556677}",
		"{0123abcd-4567-89ef-0011-223344556677)",
		"(0123abcd-4567-89ef-0011-223344556677}",
		"{0123abcd-4567-89ef-0011-22334455667/}",
		" 123abcd-4567-89ef-0011-223344556677",
		"0123abcd-4567-89ef-0011-223344556677 ",
		"../../../../../../../../../etc/passwd",
		"\303\27423abcd-4567-89ef-0011-223344556677",
	};

	(void)state;
	for (unsigned i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		struct guid guid, before;
		char text[GUID_TEXT] = "as it was";

		memset(&before, 0x5a, sizeof(before));
		guid = before;
		assert_false(guid_parse(bad[i], &guid));
		assert_memory_equal(&guid, &before, sizeof(guid));
		assert_false(guid_canonical(bad[i], text));
		assert_string_equal(text, "as it was");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		testing_unit(test_good),
		testing_unit(test_bad),
	};

	return cmocka_run_group_tests(tests, testing_begin, testing_end);
}
