/*
 * Names: Windows' order and hashes over upcased UTF-16 units, and WTF-8.
 *
 * The upcase table is spread out once, before main, into 128 KB: a look-up is one load,
 * and sorting a large hive makes tens of millions of them.
 */
#include "hive/name.h"

#include "hive/upcase.h"

#define TEXT_MAX ((size_t)1 << 26) /* far above any name; talloc_array counts in 32 bits */

static uint16_t upper[0x10000];

__attribute__((constructor)) static void spread_upcase(void)
{
	for (unsigned unit = 0; unit < 0x10000; unit++)
		upper[unit] = (uint16_t)unit;
	for (unsigned i = 0; i < upcase_run_count; i++) {
		const struct upcase_run *run = &upcase_runs[i];

		for (unsigned unit = run->first; unit <= run->last; unit += run->step)
			upper[unit] = (uint16_t)(unit + run->delta);
	}
}

uint16_t name_upcase(uint16_t unit)
{
	return upper[unit];
}

uint32_t name_upcase_some(struct name n, uint32_t from, uint16_t *out, uint32_t room)
{
	uint32_t left = name_length(n) - from, count = left < room ? left : room;

	if (n.compressed) {
		for (uint32_t i = 0; i < count; i++)
			out[i] = upper[n.data[from + i]];
		return count;
	}
	for (uint32_t i = 0; i < count; i++)
		out[i] = upper[name_unit(n, from + i)];
	return count;
}

int name_compare(struct name a, struct name b)
{
	uint32_t length_a = name_length(a), length_b = name_length(b);
	uint32_t common = length_a < length_b ? length_a : length_b;

	for (uint32_t i = 0; i < common; i++) {
		uint16_t unit_a = name_unit(a, i), unit_b = name_unit(b, i);

		if (unit_a == unit_b)
			continue;
		unit_a = upper[unit_a];
		unit_b = upper[unit_b];
		if (unit_a != unit_b)
			return unit_a < unit_b ? -1 : 1;
	}
	return length_a == length_b ? 0 : length_a < length_b ? -1 : 1;
}

bool name_equal(struct name a, struct name b)
{
	if (a.compressed == b.compressed && a.size == b.size && a.size > 0 &&
	    memcmp(a.data, b.data, a.size) == 0)
		return true;
	return name_length(a) == name_length(b) && name_compare(a, b) == 0;
}

bool name_identical(struct name a, struct name b)
{
	uint32_t length = name_length(a);

	if (length != name_length(b))
		return false;
	if (length == 0)
		return true;
	if (a.compressed == b.compressed)
		return memcmp(a.data, b.data, a.compressed ? length : 2 * (size_t)length) == 0;
	for (uint32_t i = 0; i < length; i++) {
		if (name_unit(a, i) != name_unit(b, i))
			return false;
	}
	return true;
}

uint32_t name_hash(struct name n)
{
	uint32_t hash = 0, length = name_length(n), i = 0;

	/* Four letters a step: the products do not have to wait for each other. */
	for (; n.compressed && length - i >= 4; i += 4) {
		const uint8_t *at = n.data + i;

		hash = hash * (37 * 37 * 37 * 37) + upper[at[0]] * (37 * 37 * 37u) +
		       upper[at[1]] * (37 * 37u) + upper[at[2]] * 37u + upper[at[3]];
	}
	for (; i < length; i++)
		hash = hash * 37 + upper[name_unit(n, i)];
	return hash;
}

void name_hint(struct name n, uint8_t hint[4])
{
	uint32_t length = name_length(n);

	memset(hint, 0, 4);
	for (uint32_t i = 0; i < 4 && i < length; i++) {
		uint16_t unit = name_unit(n, i);

		if (unit > 0xff) {
			memset(hint, 0, 4);
			return;
		}
		hint[i] = (uint8_t)unit;
	}
}

bool name_compressible(struct name n)
{
	uint32_t length = name_length(n);

	for (uint32_t i = 0; !n.compressed && i < length; i++) {
		if (name_unit(n, i) > 0xff)
			return false;
	}
	return true;
}

/* --- ASCII, eight bytes at a time --- */

#define ONES 0x0101010101010101u
#define HIGH_BITS 0x8080808080808080u

size_t name_ascii(const char *text, size_t size)
{
	size_t i = 0;

	for (; size - i >= 8; i += 8) {
		uint64_t word;

		memcpy(&word, text + i, 8);
		if ((word | (word - ONES)) & HIGH_BITS)
			break;
	}
	while (i < size && (uint8_t)text[i] - 1u < 0x7f)
		i++;
	return i;
}

/* As many units of the name as are ASCII and no NUL, as text; gives their number. */
static uint32_t put_ascii(struct name n, char *out)
{
	static const uint8_t high_halves[8] = { 0, 0xff, 0, 0xff, 0, 0xff, 0, 0xff };
	uint32_t length = name_length(n), i = 0;
	uint64_t wide;

	if (n.compressed) {
		length = (uint32_t)name_ascii((const char *)n.data, length);
		memcpy(out, n.data, length);
		return length;
	}
	memcpy(&wide, high_halves, 8);
	for (; length - i >= 4; i += 4) {
		const uint8_t *units = n.data + 2 * (size_t)i;
		uint64_t word, filled;

		memcpy(&word, units, 8);
		filled = word | (wide & ONES); /* so that a zero there is not taken for a NUL */
		if (word & (wide | HIGH_BITS) || (filled - ONES) & HIGH_BITS)
			break;
		for (unsigned j = 0; j < 4; j++)
			out[i + j] = (char)units[2 * j];
	}
	return i;
}

/* --- WTF-8 --- */

static bool is_high(uint32_t unit)
{
	return unit >= 0xd800 && unit < 0xdc00;
}

static bool is_low(uint32_t unit)
{
	return unit >= 0xdc00 && unit < 0xe000;
}

/* Writes one code point, at most 4 bytes, and gives their number. */
static unsigned put_utf8(char *out, uint32_t code)
{
	if (code != 0 && code < 0x80) {
		out[0] = (char)code;
		return 1;
	}
	if (code < 0x800) {
		out[0] = (char)(0xc0 | code >> 6);
		out[1] = (char)(0x80 | (code & 0x3f));
		return 2;
	}
	if (code < 0x10000) {
		out[0] = (char)(0xe0 | code >> 12);
		out[1] = (char)(0x80 | (code >> 6 & 0x3f));
		out[2] = (char)(0x80 | (code & 0x3f));
		return 3;
	}
	out[0] = (char)(0xf0 | code >> 18);
	out[1] = (char)(0x80 | (code >> 12 & 0x3f));
	out[2] = (char)(0x80 | (code >> 6 & 0x3f));
	out[3] = (char)(0x80 | (code & 0x3f));
	return 4;
}

/* Bytes of the text, counted first: texts can be large and talloc's largest piece is not. */
static size_t utf8_size(struct name n)
{
	uint32_t length = name_length(n);
	size_t size = 0;

	for (uint32_t i = 0; i < length; i++) {
		uint16_t unit = name_unit(n, i);

		size += unit != 0 && unit < 0x80 ? 1 : unit < 0x800 ? 2 : 3;
		if (is_high(unit) && i + 1 < length && is_low(name_unit(n, i + 1))) {
			size++;
			i++;
		}
	}
	return size;
}

size_t name_put_utf8(struct name n, char *out)
{
	uint32_t length = name_length(n);
	uint32_t ascii = length ? put_ascii(n, out) : 0;
	char *at = out + ascii;

	for (uint32_t i = ascii; i < length; i++) {
		uint32_t code = name_unit(n, i);

		if (is_high(code) && i + 1 < length && is_low(name_unit(n, i + 1)))
			code = 0x10000 + ((code - 0xd800) << 10) + name_unit(n, ++i) - 0xdc00u;
		at += put_utf8(at, code);
	}
	*at = '\0';
	return (size_t)(at - out);
}

char *name_to_utf8(TALLOC_CTX *ctx, struct name n)
{
	char *text = talloc_size(ctx, utf8_size(n) + 1);

	if (!text)
		return NULL;
	name_put_utf8(n, text);
	talloc_set_name_const(text, "char");
	return text;
}

char *name_utf16_to_utf8(TALLOC_CTX *ctx, struct bytes text)
{
	struct name n = { text.data, (uint32_t)(text.size & ~(uint64_t)1), false };

	return text.size > 0x10000000 ? NULL : name_to_utf8(ctx, n);
}

/* Reads one code point, at most 4 bytes, and gives their number; 0 if malformed. */
static unsigned get_utf8(const uint8_t *at, size_t left, uint32_t *code)
{
	static const uint32_t least[] = { 0, 1, 0x80, 0x800, 0x10000 };
	unsigned size = at[0] < 0x80   ? 1
	                : at[0] < 0xc0 ? 0
	                : at[0] < 0xe0 ? 2
	                : at[0] < 0xf0 ? 3
	                : at[0] < 0xf8 ? 4
	                               : 0;

	if (at[0] - 1u < 0x7f) {
		*code = at[0];
		return 1;
	}
	if (size == 0 || size > left)
		return 0;
	*code = size == 1 ? at[0] : at[0] & (0x7fu >> size);
	for (unsigned i = 1; i < size; i++) {
		if ((at[i] & 0xc0) != 0x80)
			return 0;
		*code = *code << 6 | (at[i] & 0x3f);
	}
	if (size == 2 && *code == 0)
		return size; /* a NUL inside a name, which has only this form */
	return *code < least[size] || *code > 0x10ffff ? 0 : size;
}

/*
 * Adds the units of one code point, if UNITS is not NULL. False if it is the second half of a
 * pair whose first half is before it: the pair's one text has four bytes. LAST is the unit
 * before, or 0.
 */
static bool put_units(le16 *units, uint32_t *count, uint16_t *last, uint32_t code)
{
	if (code < 0x10000 && is_low(code) && is_high(*last))
		return false;
	if (code >= 0x10000) {
		if (units)
			units[*count] = le16_put((uint16_t)(0xd7c0 + (code >> 10)));
		++*count;
		code = 0xdc00 + (code & 0x3ff);
	}
	*last = (uint16_t)code;
	if (units)
		units[*count] = le16_put(*last);
	++*count;
	return true;
}

/* Reads the whole text; UNITS may be NULL, or has room for a unit a byte. */
static bool read_utf8(const char *text, size_t size, le16 *units, uint32_t *count, bool *narrow)
{
	uint16_t last = 0;
	size_t at = 0;

	if (size >= TEXT_MAX)
		return false;
	if (!units)
		at = name_ascii(text, size);
	*count = (uint32_t)at;
	*narrow = true;
	while (at < size) {
		uint32_t code;
		unsigned used = get_utf8((const uint8_t *)text + at, size - at, &code);

		if (used == 0 || !put_units(units, count, &last, code))
			return false;
		at += used;
		*narrow = *narrow && code <= 0xff;
	}
	return true;
}

unsigned name_get_utf8(const char *at, size_t left, uint32_t *code)
{
	return get_utf8((const uint8_t *)at, left, code);
}

bool name_measure_utf8(const char *text, size_t size, uint32_t *length)
{
	uint32_t count;
	bool narrow;

	if (!read_utf8(text, size, NULL, &count, &narrow))
		return false;
	*length = count;
	return true;
}

bool name_well_formed(const char *text, size_t size)
{
	uint32_t count;
	bool narrow;

	return read_utf8(text, size, NULL, &count, &narrow);
}

/* One code point in upper case; a pair of surrogates has none. 0xffffffff at the end. */
static uint32_t next_upper(const char **text)
{
	uint32_t code;
	unsigned used = **text ? get_utf8((const uint8_t *)*text, strnlen(*text, 4), &code) : 0;

	if (used == 0)
		return UINT32_MAX;
	*text += used;
	return code < 0x10000 ? upper[code] : code;
}

bool name_equal_utf8(const char *a, const char *b)
{
	uint32_t one;

	if (!name_well_formed(a, strlen(a)) || !name_well_formed(b, strlen(b)))
		return false;
	do {
		one = next_upper(&a);
		if (one != next_upper(&b))
			return false;
	} while (one != UINT32_MAX);
	return true;
}

bool name_from_utf8(TALLOC_CTX *ctx, const char *text, size_t size, struct name *n)
{
	le16 *units = size < TEXT_MAX ? talloc_array(ctx, le16, (uint32_t)size + 1) : NULL;
	uint32_t count;
	bool narrow;

	if (!units)
		return false;
	if (!read_utf8(text, size, units, &count, &narrow)) {
		talloc_free(units);
		return false;
	}
	for (uint32_t i = 0; narrow && i < count; i++)
		((uint8_t *)units)[i] = units[i].b[0];
	*n = (struct name){ (uint8_t *)units, narrow ? count : 2 * count, narrow };
	return true;
}
