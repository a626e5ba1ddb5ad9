/* Random trees. Sizes are drawn so that small is common and the limits are met on purpose. */
#include "tests/random_tree.h"

#include <stdlib.h>
#include <string.h>

#define DEPTH_MAX 500u
#define UNIQUE_TRIES 8u

uint64_t dice_next(struct dice *dice)
{
	uint64_t z = dice->state += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

uint32_t dice_below(struct dice *dice, uint32_t limit)
{
	return (uint32_t)((dice_next(dice) >> 32) * limit >> 32);
}

void dice_fill(struct dice *dice, uint8_t *data, size_t size)
{
	for (size_t i = 0; i < size; i += 8) {
		uint64_t bits = dice_next(dice);

		memcpy(data + i, &bits, size - i < 8 ? size - i : 8);
	}
}

/* --- names --- */

/* Scripts whose order the builder knows. */
static const struct {
	uint16_t first, last;
} scripts[] = {
	{ 'a', 'z' },     { 'A', 'Z' },       { '0', '9' },       { 0x20, 0x7e },
	{ 0xa0, 0xff },   { 0x100, 0x17e },   { 0x391, 0x3a1 },   { 0x3ac, 0x3ce },
	{ 0x400, 0x45f }, { 0x4e00, 0x9fa5 }, { 0xac00, 0xd7a3 }, { 0xe000, 0xf8ff },
};

static uint32_t name_size(struct dice *dice, uint32_t max)
{
	uint32_t kind = dice_below(dice, 64);
	uint32_t size = 1 + dice_below(dice, kind < 40 ? 12 : kind < 62 ? 40 : 255);

	if (kind == 63)
		size = max;
	return size < max ? size : max;
}

uint32_t dice_name(struct dice *dice, uint16_t *units, uint32_t max, unsigned flags)
{
	uint32_t size = name_size(dice, max), script = dice_below(dice, 14), count = 0;
	bool odd = flags & RANDOM_ODD && dice_below(dice, 6) == 0;

	while (count < size) {
		uint32_t here = script < 12 ? script : dice_below(dice, 12);

		if (odd && dice_below(dice, 4) == 0) {
			units[count++] = dice_below(dice, 3)
			                         ? (uint16_t)(0xd800 + dice_below(dice, 0x800))
			                         : 0;
		} else if (script == 13 && count + 2 <= size) {
			units[count++] = (uint16_t)(0xd800 + dice_below(dice, 0x400));
			units[count++] = (uint16_t)(0xdc00 + dice_below(dice, 0x400));
		} else {
			uint32_t span = scripts[here].last - scripts[here].first + 1u;

			units[count] = (uint16_t)(scripts[here].first + dice_below(dice, span));
			units[count] = units[count] == '\\' ? '/' : units[count];
			count++;
		}
	}
	return count;
}

/* Puts NUMBER at the end of the name, so that no two are the same. */
static uint32_t number_name(uint16_t *units, uint32_t count, uint32_t max, uint32_t number)
{
	if (count + 5 > max)
		count = max - 5;
	if (count > 0 && units[count - 1] >= 0xd800 && units[count - 1] < 0xdc00)
		count--; /* not half of a pair that was cut */
	units[count++] = ' ';
	for (int shift = 12; shift >= 0; shift -= 4)
		units[count++] = "0123456789abcdef"[number >> shift & 15];
	return count;
}

/* A scrambled number, so that names do not come in order. */
static uint32_t scramble(uint32_t i)
{
	return i * 40503 & 0xffff;
}

static bool has_child(const struct builder_key *key, const uint16_t *name, uint32_t units)
{
	for (uint32_t i = 0; i < key->child_count; i++) {
		const struct builder_key *child = key->children[i];

		if (builder_compare(child->name, child->units, name, units) == 0)
			return true;
	}
	return false;
}

static bool has_value(const struct builder_key *key, const uint16_t *name, uint32_t units)
{
	for (uint32_t i = 0; i < key->value_count; i++) {
		const struct builder_value *value = key->values[i];

		if (builder_compare(value->name, value->units, name, units) == 0)
			return true;
	}
	return false;
}

/* --- values --- */

static uint32_t data_size(struct dice *dice, unsigned flags)
{
	static const uint32_t limits[] = { 0, 1, 2, 3, 4, 5, 8, 16343, 16344, 16345, 32688, 32689 };
	uint32_t kind = dice_below(dice, 128);

	if (kind < 32)
		return limits[dice_below(dice, 7)];
	if (kind < 120 || flags & RANDOM_SMALL)
		return dice_below(dice, kind < 100 ? 80 : 2000);
	if (kind < 124)
		return limits[7 + dice_below(dice, 5)];
	if (kind < 127 && !(flags & RANDOM_LARGE))
		return dice_below(dice, 20000);
	return dice_below(dice, 200 << 10);
}

static void add_value(struct builder_key *key, struct dice *dice, unsigned flags)
{
	static const uint32_t odd_types[] = { 0x20000, 0xffff0007, 0x80000000, 12, 100 };
	uint32_t size = data_size(dice, flags), type = dice_below(dice, 14), units = 0;
	uint8_t *data = malloc(size + 1);
	uint16_t name[600];
	unsigned tries = 0;

	if (!data)
		builder_fail("out of memory");
	dice_fill(dice, data, size);
	if (key->value_count || dice_below(dice, 4))
		units = dice_name(dice, name, dice_below(dice, 50) ? 60 : 600, flags);
	while (has_value(key, name, units) && tries++ < UNIQUE_TRIES)
		units = number_name(name, units, 600, scramble(key->value_count + tries));
	if (tries <= UNIQUE_TRIES)
		builder_value_units(key, name, units,
		                    type < 12 ? type : odd_types[type - 12 + dice_below(dice, 4)],
		                    data, size);
	free(data);
}

static void add_values(struct builder_key *key, struct dice *dice, unsigned flags)
{
	uint32_t kind = dice_below(dice, 40);
	uint32_t count = kind < 12 ? 0 : kind < 39 ? dice_below(dice, 7) : dice_below(dice, 120);

	while (count-- > 0)
		add_value(key, dice, flags);
}

/* --- keys --- */

struct growth {
	struct builder *b;
	struct dice dice;
	unsigned flags;
	uint32_t securities;
	struct builder_key **keys;
	uint32_t *depths;
	uint32_t count, room;
};

static void decorate(struct growth *g, struct builder_key *key)
{
	struct dice *dice = &g->dice;
	uint16_t class[40];
	uint32_t units;

	key->time = dice_next(dice) >> 1;
	if (dice_below(dice, 3) == 0) {
		uint32_t which = dice_below(dice, g->securities);

		builder_security_kind(key, which % 6, which < 6 ? 0 : 1000 + which / 6);
	}
	if (dice_below(dice, 8) == 0) {
		units = dice_name(dice, class, 40, g->flags);
		builder_class_bytes(key, class, 2 * units - (g->flags & RANDOM_ODD && units == 7));
	}
	if (dice_below(dice, 60) == 0 && key->parent)
		builder_link(key, "\\Registry\\Machine\\Software\\Elsewhere");
	else
		add_values(key, dice, g->flags);
}

static void add_key(struct growth *g, uint32_t parent, bool one_of_many)
{
	struct builder_key *above = g->keys[parent];
	uint16_t name[255];
	uint32_t units = dice_name(&g->dice, name, one_of_many ? 30 : 255, g->flags);

	if (one_of_many)
		units = number_name(name, units, 255, scramble(above->child_count));
	if (g->count == g->room || g->depths[parent] >= DEPTH_MAX ||
	    (!one_of_many && has_child(above, name, units)))
		return;
	g->keys[g->count] = builder_key_units(above, name, units, 0);
	g->depths[g->count] = g->depths[parent] + 1;
	decorate(g, g->keys[g->count++]);
}

static void grow(struct growth *g, uint32_t keys, uint32_t many)
{
	uint32_t deep = dice_below(&g->dice, 4); /* 0: mostly chains */

	for (uint32_t i = 0; i < keys; i++) {
		uint32_t latest = g->count > 3 ? 3 : g->count;
		uint32_t parent = deep == 0 ? g->count - 1 - dice_below(&g->dice, latest)
		                            : dice_below(&g->dice, g->count);

		add_key(g, parent, false);
	}
	if (many) {
		uint32_t parent = dice_below(&g->dice, g->count);

		while (g->keys[parent]->child_count) /* numbered names only, none met by chance */
			parent = (parent + 1) % g->count;
		while (many-- > 0)
			add_key(g, parent, true);
	}
}

void random_layout(struct builder *b, uint64_t seed)
{
	struct dice dice = { seed ^ 0x1a101a10 };
	static const uint32_t leaves[] = { 507, 507, 1012, 1, 2, 30 };

	b->list = dice_below(&dice, 2) ? BUILDER_BY_MINOR : dice_below(&dice, 4);
	b->leaf_max = leaves[dice_below(&dice, 6)];
	b->ri_always = dice_below(&dice, 6) == 0;
	b->shuffle = dice_below(&dice, 3) ? 0 : 1 + dice_below(&dice, 1000000);
	b->free_every = dice_below(&dice, 3) ? 0 : 1 + dice_below(&dice, 9);
	b->slack = dice_below(&dice, 4) ? 0 : dice_below(&dice, 100);
	b->spare_bins = dice_below(&dice, 4) ? 0 : dice_below(&dice, 5);
	b->pad = dice_below(&dice, 8) == 0;
	b->ids = dice_below(&dice, 2);
	b->sequence1 = b->sequence2 = (uint32_t)dice_next(&dice);
	b->file_name = dice_below(&dice, 2) ? "\\SystemRoot\\System32\\Config\\HIVE" : NULL;
	for (struct builder_key *key = b->root; key; key = builder_next(key)) {
		key->access = dice_below(&dice, 8) ? 0 : 2;
		key->work = dice_below(&dice, 8) ? 0 : (uint32_t)dice_next(&dice);
	}
}

struct builder *random_tree(TALLOC_CTX *ctx, uint64_t seed, unsigned flags)
{
	struct growth g = { .b = builder_new(ctx), .dice = { seed }, .flags = flags };
	uint32_t kind = dice_below(&g.dice, 20), keys, many = 0;
	uint16_t name[255];

	keys = dice_below(&g.dice, kind < 12 || flags & RANDOM_SMALL ? 30 : kind < 19 ? 200 : 800);
	if (flags & RANDOM_LARGE || (kind > 16 && !(flags & RANDOM_SMALL)))
		many = dice_below(&g.dice, kind == 17 ? 1100 : 3001);
	g.room = keys + many + 1;
	g.keys = malloc(g.room * sizeof(*g.keys));
	g.depths = malloc(g.room * sizeof(*g.depths));
	if (!g.keys || !g.depths)
		builder_fail("out of memory");
	g.securities = 1 + dice_below(&g.dice, 40);
	g.b->minor = dice_below(&g.dice, 3) ? 5 : 3 + dice_below(&g.dice, 2);
	g.b->time = dice_next(&g.dice) >> 1;
	g.b->root->units = dice_name(&g.dice, name, 255, flags);
	g.b->root->name = builder_take(g.b, sizeof(name));
	memcpy(g.b->root->name, name, 2 * (size_t)g.b->root->units);
	g.keys[0] = g.b->root;
	g.depths[0] = 1;
	g.count = 1;
	decorate(&g, g.b->root);
	grow(&g, keys, many);
	free(g.keys);
	free(g.depths);
	if (flags & RANDOM_LAYOUT)
		random_layout(g.b, seed);
	return g.b;
}
