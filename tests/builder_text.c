/*
 * Letters for the builder, written apart from hive/name.c.
 *
 * The upcase rules are those of Windows for Latin, Greek and Cyrillic letters, written as
 * rules where hive/upcase.c has runs. Windows knows more pairs; tests that want those
 * compare hive/ with $UpCase of an NTFS volume instead.
 */
#include "tests/builder.h"

#include <string.h>

uint16_t builder_upcase(uint16_t u)
{
	if ((u >= 'a' && u <= 'z') || (u >= 0xe0 && u <= 0xfe && u != 0xf7))
		return u - 0x20;
	if (u == 0xff)
		return 0x178;
	if ((u >= 0x100 && u <= 0x12f) || (u >= 0x132 && u <= 0x137) || (u >= 0x14a && u <= 0x177))
		return u & 0xfffe; /* pairs that begin at an even number */
	if ((u >= 0x139 && u <= 0x148) || (u >= 0x179 && u <= 0x17e))
		return u % 2 == 0 ? u - 1 : u;
	if ((u >= 0x3b1 && u <= 0x3cb && u != 0x3c2) || (u >= 0x430 && u <= 0x44f))
		return u - 0x20;
	if (u >= 0x3ad && u <= 0x3af)
		return u - 0x25;
	if (u >= 0x450 && u <= 0x45f)
		return u - 0x50;
	if (u == 0x3ac)
		return 0x386;
	if (u == 0x3cc)
		return 0x38c;
	return u == 0x3cd || u == 0x3ce ? u - 0x3f : u;
}

int builder_compare(const uint16_t *a, uint32_t units_a, const uint16_t *b, uint32_t units_b)
{
	for (uint32_t i = 0; i < units_a && i < units_b; i++) {
		int difference = builder_upcase(a[i]) - builder_upcase(b[i]);

		if (difference)
			return difference;
	}
	return units_a < units_b ? -1 : units_a > units_b;
}

uint32_t builder_hash(const uint16_t *name, uint32_t units)
{
	uint32_t sum = 0;

	while (units--)
		sum = 37 * sum + builder_upcase(*name++);
	return sum;
}

uint32_t builder_utf16(const char *text, uint16_t *out)
{
	const uint8_t *at = (const uint8_t *)text;
	uint32_t count = 0;

	while (*at) {
		unsigned more = *at < 0x80 ? 0 : *at < 0xe0 ? 1 : *at < 0xf0 ? 2 : 3;
		uint32_t code = more == 0 ? *at : *at & (0x3fu >> more);

		for (at++; more > 0; more--, at++) {
			if (*at >> 6 != 2)
				builder_fail("text is not UTF-8");
			code = code * 64 + *at % 64;
		}
		if (code > 0xffff) {
			out[count++] = (uint16_t)(0xd7c0 + code / 1024);
			code = 0xdc00 + code % 1024;
		}
		out[count++] = (uint16_t)code;
	}
	return count;
}
