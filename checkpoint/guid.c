/*
 * GUIDs in and out. The sixteen bytes are kept in the order in which they are written down,
 * not in the mixed order of the structure in memory: no hive stores that one.
 */
#include "checkpoint/guid.h"

#include <string.h>

#define GUID_DIGITS 36u /* without NUL and braces */

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

static bool is_dash(unsigned at)
{
	return at == 8 || at == 13 || at == 18 || at == 23;
}

/* Exactly GUID_DIGITS characters of TEXT, which has at least as many. */
static bool parse_digits(const char *text, struct guid *guid)
{
	struct guid parsed = { { 0 } };
	unsigned digits = 0;

	for (unsigned i = 0; i < GUID_DIGITS; i++) {
		int digit = hex_digit(text[i]);

		if (is_dash(i)) {
			if (text[i] != '-')
				return false;
			continue;
		}
		if (digit < 0)
			return false;
		parsed.b[digits / 2] = (uint8_t)(parsed.b[digits / 2] << 4 | digit);
		digits++;
	}
	*guid = parsed;
	return true;
}

bool guid_parse(const char *text, struct guid *guid)
{
	size_t length = strlen(text);

	if (length == GUID_DIGITS)
		return parse_digits(text, guid);
	if (length != GUID_DIGITS + 2 || text[0] != '{' || text[length - 1] != '}')
		return false;
	return parse_digits(text + 1, guid);
}

void guid_print(const struct guid *guid, char text[GUID_TEXT])
{
	static const char digits[] = "0123456789abcdef";
	unsigned digit = 0;

	for (unsigned i = 0; i < GUID_DIGITS; i++) {
		uint8_t byte = guid->b[digit / 2];

		if (is_dash(i)) {
			text[i] = '-';
			continue;
		}
		text[i] = digits[digit % 2 ? byte & 15 : byte >> 4];
		digit++;
	}
	text[GUID_DIGITS] = '\0';
}

bool guid_canonical(const char *text, char canonical[GUID_TEXT])
{
	struct guid guid;

	if (!guid_parse(text, &guid))
		return false;
	guid_print(&guid, canonical);
	return true;
}
