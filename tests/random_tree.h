/*
 * random_tree: trees of all kinds from a seed; the same seed gives the same tree.
 *
 * Names are of ASCII, Latin-1, Greek, Cyrillic and CJK letters and of surrogate pairs, from 1
 * to 255 units; keys have 0 to 3,000 subkeys; values 0 bytes to 200 KB, with sizes around the
 * limits of 4 and 16,344 bytes preferred; a tree has up to 40 security descriptors, classes,
 * symbolic links and any FILETIME. Most trees are small, so that thousands take seconds.
 */
#ifndef TESTS_RANDOM_TREE_H
#define TESTS_RANDOM_TREE_H

#include "tests/builder.h"

enum {
	RANDOM_ODD = 1,    /* also what hivex cannot take: NULs, halves of surrogate pairs */
	RANDOM_LAYOUT = 2, /* all that may differ in the image of one tree: lists, order, slack */
	RANDOM_SMALL = 4,  /* at most 30 keys and 2 KB of data in a value */
	RANDOM_LARGE = 8,  /* always a key with up to 3,000 subkeys, and big values */
};

struct builder *random_tree(TALLOC_CTX *ctx, uint64_t seed, unsigned flags);

/* Options of the image other than the format, by chance; the tree stays the same. */
void random_layout(struct builder *b, uint64_t seed);

/* --- dice, for tests that need more of them: splitmix64 --- */

struct dice {
	uint64_t state;
};

uint64_t dice_next(struct dice *dice);
uint32_t dice_below(struct dice *dice, uint32_t limit); /* 0 to LIMIT - 1 */
void dice_fill(struct dice *dice, uint8_t *data, size_t size);

/* A name of 1 to MAX units for a key (no backslash) or a value; gives its length. */
uint32_t dice_name(struct dice *dice, uint16_t *units, uint32_t max, unsigned flags);

#endif
