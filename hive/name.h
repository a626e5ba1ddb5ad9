/*
 * name: names of keys and values as a hive stores them, and as people write them.
 *
 * A name is a sequence of UTF-16 units, stored in two bytes each, or in one byte each
 * ("compressed", Latin-1) when all are below 0x100. Windows compares, sorts and hashes
 * units, never characters: surrogates are not joined and need not be paired.
 *
 * UTF-8 here is WTF-8: an unpaired surrogate becomes its three bytes, and a NUL inside
 * a name becomes C0 80, so that every name has exactly one text and comes back from it.
 */
#ifndef HIVE_NAME_H
#define HIVE_NAME_H

#include <stdbool.h>
#include <stdint.h>
#include <talloc.h>

#include "hive/bytes.h"

struct name {
	const uint8_t *data; /* into the image */
	uint32_t size;       /* bytes */
	bool compressed;
};

static inline uint32_t name_length(struct name n)
{
	return n.compressed ? n.size : n.size / 2;
}

static inline uint16_t name_unit(struct name n, uint32_t i)
{
	if (n.compressed)
		return n.data[i];
	return (uint16_t)(n.data[2 * (size_t)i] | n.data[2 * (size_t)i + 1] << 8);
}

/* RtlUpcaseUnicodeChar, by the table of Windows 10. */
uint16_t name_upcase(uint16_t unit);

/* As many units from FROM on as OUT has room for, in upper case; gives their number, 0 at the end.
 */
uint32_t name_upcase_some(struct name n, uint32_t from, uint16_t *out, uint32_t room);

/* The order of siblings: upcased units as numbers, the shorter prefix first. <0, 0, >0 */
int name_compare(struct name a, struct name b);

/* The same name but for letter case. */
bool name_equal(struct name a, struct name b);

/* The same units, letter case included; how they are stored does not matter. */
bool name_identical(struct name a, struct name b);

/* What an lh list holds of a name. */
uint32_t name_hash(struct name n);

/* What an lf list holds of a name: its first four units, or zeros if one is above 0xff. */
void name_hint(struct name n, uint8_t hint[4]);

/* True if every unit is below 0x100, so that the name can be stored compressed. */
bool name_compressible(struct name n);

/* As WTF-8, allocated on CTX; NULL if there is no memory. */
char *name_to_utf8(TALLOC_CTX *ctx, struct name n);

/*
 * The same into OUT, which has room for 3 bytes a unit and one more; gives the number of
 * bytes before the NUL at the end.
 */
size_t name_put_utf8(struct name n, char *out);

/* UTF-16LE text of any kind as WTF-8; an odd last byte is left out. */
char *name_utf16_to_utf8(TALLOC_CTX *ctx, struct bytes text);

/* True if SIZE bytes of text are a name's WTF-8: name_from_utf8 can then only lack memory. */
bool name_well_formed(const char *text, size_t size);

/* Two texts that are the same name but for letter case. Needs no memory; false if malformed. */
bool name_equal_utf8(const char *a, const char *b);

/*
 * A name from WTF-8 text of SIZE bytes, compressed if it can be, allocated on CTX.
 * False if it is not well formed or there is no memory; where the difference matters ("no such
 * name" is not "no memory") ask name_well_formed first.
 */
bool name_from_utf8(TALLOC_CTX *ctx, const char *text, size_t size, struct name *n);

/* How many UTF-16 units WTF-8 text of SIZE bytes stands for. False if it is not well formed. */
bool name_measure_utf8(const char *text, size_t size, uint32_t *length);

/*
 * How many bytes at the start of the text are ASCII and no NUL, as most names are throughout: each
 * is a unit of its own.
 */
size_t name_ascii(const char *text, size_t size);

/*
 * Reads one code point of WTF-8, which may be half of a surrogate pair, from LEFT > 0 bytes;
 * gives the number of its bytes, 0 if it is malformed.
 */
unsigned name_get_utf8(const char *at, size_t left, uint32_t *code);

#endif
