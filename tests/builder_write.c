/*
 * The builder's bytes: count the cells, give each a place, fill them.
 *
 * A cell is known by the variable that will hold its offset, so the same walk that counts
 * cells can hand them out in any order, and filling needs no table.
 */
#include "tests/builder.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BASE 4096u
#define PAGE 4096u
#define BIN_HEAD 32u
#define SEGMENT 16344u
#define PAD (256u << 10)

struct cell {
	uint32_t *offset; /* where to note its place */
	uint32_t size;    /* of its contents */
};

struct layout {
	struct builder *b;
	struct cell *cells;
	uint32_t count, room;
	uint8_t *image;
	uint32_t used, size, bin_end; /* of the bins: filled, taken, end of the last */
	uint32_t dice;
};

static void put16(uint8_t *at, uint32_t n)
{
	at[0] = (uint8_t)n;
	at[1] = (uint8_t)(n >> 8);
}

static void put32(uint8_t *at, uint32_t n)
{
	put16(at, n);
	put16(at + 2, n >> 16);
}

static void put64(uint8_t *at, uint64_t n)
{
	put32(at, (uint32_t)n);
	put32(at + 4, (uint32_t)(n >> 32));
}

static uint32_t get32(const uint8_t *at)
{
	return at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

static uint32_t roll(struct layout *l)
{
	l->dice = l->dice * 1664525u + 1013904223u;
	return l->dice >> 8;
}

/* --- what there is --- */

static int by_name(const void *left, const void *right)
{
	const struct builder_key *a = *(struct builder_key *const *)left;
	const struct builder_key *b = *(struct builder_key *const *)right;

	return builder_compare(a->name, a->units, b->name, b->units);
}

static void sort_children(struct builder_key *key)
{
	if (key->child_count)
		qsort(key->children, key->child_count, sizeof(*key->children), by_name);
	for (uint32_t i = 0; i < key->child_count; i++) {
		key->children[i]->index = i;
		if (i > 0 && by_name(&key->children[i - 1], &key->children[i]) == 0)
			builder_fail("two subkeys have one name");
	}
}

struct builder_key *builder_next(struct builder_key *key)
{
	if (key->child_count)
		return key->children[0];
	for (; key->parent; key = key->parent) {
		if (key->index + 1 < key->parent->child_count)
			return key->parent->children[key->index + 1];
	}
	return NULL;
}

static bool is_narrow(const uint16_t *name, uint32_t units)
{
	for (uint32_t i = 0; i < units; i++) {
		if (name[i] > 0xff)
			return false;
	}
	return true;
}

static uint32_t stored_size(const uint16_t *name, uint32_t units, bool wide)
{
	return !wide && is_narrow(name, units) ? units : 2 * units;
}

static void add(struct layout *l, uint32_t *offset, uint32_t size)
{
	if (l->count == l->room) {
		l->room = l->room ? 2 * l->room : 256;
		l->cells = realloc(l->cells, l->room * sizeof(*l->cells));
		if (!l->cells)
			builder_fail("out of memory");
	}
	l->cells[l->count++] = (struct cell){ offset, size };
}

static bool is_big(const struct builder *b, const struct builder_value *value)
{
	return value->size > SEGMENT && b->minor > 3 && !b->big_plain;
}

static void add_big(struct layout *l, struct builder_value *value)
{
	uint32_t count = (value->size + SEGMENT - 1) / SEGMENT;

	if (count > 0xffff)
		builder_fail("a value is too large for a db record");
	add(l, &value->data_cell, 12);
	add(l, &value->db_table, 4 * count);
	value->db_segments = builder_take(l->b, 4 * (size_t)count);
	for (uint32_t i = 0; i < count; i++) {
		bool trim = l->b->trim_last_segment && i + 1 == count;

		add(l, &value->db_segments[i], trim ? value->size - i * SEGMENT : SEGMENT + 4);
	}
}

static void add_values(struct layout *l, struct builder_key *key)
{
	for (uint32_t i = 0; i < key->value_count; i++) {
		struct builder_value *value = key->values[i];

		add(l, &value->cell, 20 + stored_size(value->name, value->units, value->wide));
		value->data_cell = BUILDER_NIL;
		if (is_big(l->b, value))
			add_big(l, value);
		else if (value->size > 4 || (value->size && value->never_inline))
			add(l, &value->data_cell, value->size);
	}
	key->values_cell = BUILDER_NIL;
	if (key->value_count)
		add(l, &key->values_cell, 4 * key->value_count);
}

static uint32_t entry_size(const struct builder *b)
{
	return b->list == BUILDER_LI ? 4 : 8;
}

static void add_lists(struct layout *l, struct builder_key *key)
{
	uint32_t max = l->b->leaf_max, count = key->child_count;

	key->list_cell = BUILDER_NIL;
	key->leaf_count = (count + max - 1) / max;
	if (count == 0)
		return;
	key->leaves = builder_take(l->b, 4 * (size_t)key->leaf_count);
	for (uint32_t i = 0; i < key->leaf_count; i++) {
		uint32_t here = count - i * max < max ? count - i * max : max;

		add(l, &key->leaves[i], 4 + here * entry_size(l->b));
	}
	if (key->leaf_count > 1 || l->b->ri_always)
		add(l, &key->list_cell, 4 + 4 * key->leaf_count);
}

static void add_all(struct layout *l)
{
	for (struct builder_security *s = l->b->securities; s; s = s->next)
		s->uses = 0;
	for (struct builder_key *key = l->b->root; key; key = builder_next(key)) {
		sort_children(key);
		add(l, &key->cell, 76 + stored_size(key->name, key->units, key->wide));
		key->class_cell = BUILDER_NIL;
		if (key->class_size)
			add(l, &key->class_cell, key->class_size);
		if (key->security->uses++ == 0)
			add(l, &key->security->cell, 20 + key->security->size);
		add_values(l, key);
		add_lists(l, key);
	}
}

/* --- where it lies --- */

static void new_bin(struct layout *l, uint32_t need)
{
	uint32_t size = (need + BIN_HEAD + PAGE - 1) / PAGE * PAGE;
	uint8_t *bin;

	if (l->used < l->bin_end)
		put32(l->image + BASE + l->used, l->bin_end - l->used);
	while (l->bin_end + size > l->size) {
		uint32_t larger = l->size ? 2 * l->size : 64 * PAGE;

		l->image = realloc(l->image, BASE + (size_t)larger);
		if (!l->image || larger < l->size)
			builder_fail("the hive is too large");
		memset(l->image + BASE + l->size, 0, larger - l->size);
		l->size = larger;
	}
	bin = l->image + BASE + l->bin_end;
	memcpy(bin, "hbin", 4);
	put32(bin + 4, l->bin_end);
	put32(bin + 8, size);
	if (l->bin_end == 0)
		put64(bin + 20, l->b->time);
	l->used = l->bin_end + BIN_HEAD;
	l->bin_end += size;
}

/* A free cell that still holds what was there. */
static void place_free(struct layout *l)
{
	uint32_t size = 8 + roll(l) % 12 * 8;

	if (size > l->bin_end - l->used)
		return;
	memset(l->image + BASE + l->used, 0xa5, size);
	put32(l->image + BASE + l->used, size);
	l->used += size;
}

static void place(struct layout *l, struct cell *cell)
{
	uint32_t size = cell->size + 4;

	if (l->b->slack && cell->size != SEGMENT + 4) /* segments have one size */
		size += roll(l) % (l->b->slack + 1);
	size = (size + 7) & ~7u;
	if (size > l->bin_end - l->used)
		new_bin(l, size);
	*cell->offset = l->used;
	put32(l->image + BASE + l->used, 0u - size);
	l->used += size;
}

static void place_all(struct layout *l)
{
	/* cells[0] is the root key: it stays where loaders expect it, at 0x20 */
	for (uint32_t i = l->count; l->b->shuffle && i-- > 2;) {
		uint32_t other = 1 + roll(l) % i;
		struct cell swap = l->cells[i];

		l->cells[i] = l->cells[other];
		l->cells[other] = swap;
	}
	for (uint32_t i = 0; i < l->count; i++) {
		place(l, &l->cells[i]);
		if (l->b->free_every && i % l->b->free_every == l->b->free_every - 1)
			place_free(l);
	}
	for (uint32_t i = 0; i < l->b->spare_bins; i++)
		new_bin(l, 8);
	new_bin(l, 0); /* closes the last bin; the new one is not kept */
	l->bin_end -= PAGE;
	memset(l->image + BASE + l->bin_end, 0, PAGE);
}

/* --- what is in it --- */

static uint8_t *at(struct layout *l, uint32_t cell)
{
	return l->image + BASE + cell + 4;
}

static void put_name(uint8_t *to, const uint16_t *name, uint32_t units, bool wide)
{
	for (uint32_t i = 0; i < units; i++) {
		if (wide)
			put16(to + 2 * i, name[i]);
		else
			to[i] = (uint8_t)name[i];
	}
}

static void fill_value(struct layout *l, struct builder_value *value)
{
	uint8_t *vk = at(l, value->cell);
	bool wide = value->wide || !is_narrow(value->name, value->units);

	memcpy(vk, "vk", 2);
	put16(vk + 2, stored_size(value->name, value->units, value->wide));
	put32(vk + 4, value->size);
	put32(vk + 8, value->data_cell);
	put32(vk + 12, value->type);
	put16(vk + 16, (value->units && !wide ? 1 : 0) | (value->tombstone ? 2 : 0));
	put_name(vk + 20, value->name, value->units, wide);
	if (is_big(l->b, value)) {
		uint8_t *db = at(l, value->data_cell), *table = at(l, value->db_table);
		uint32_t count = (value->size + SEGMENT - 1) / SEGMENT;

		memcpy(db, "db", 2);
		put16(db + 2, count);
		put32(db + 4, value->db_table);
		for (uint32_t i = 0; i < count; i++) {
			uint32_t left = value->size - i * SEGMENT;

			put32(table + 4 * i, value->db_segments[i]);
			memcpy(at(l, value->db_segments[i]), value->data + i * SEGMENT,
			       left < SEGMENT ? left : SEGMENT);
		}
	} else if (value->data_cell != BUILDER_NIL) {
		memcpy(at(l, value->data_cell), value->data, value->size);
	} else if (value->size || !value->nil_empty) {
		put32(vk + 4, 0x80000000u | value->size);
		put32(vk + 8, 0);
		memcpy(vk + 8, value->data, value->size);
	}
}

static enum builder_list list_kind(const struct builder *b)
{
	if (b->list != BUILDER_BY_MINOR)
		return b->list;
	return b->minor < 5 ? BUILDER_LF : BUILDER_LH;
}

static void fill_entry(struct layout *l, uint8_t *entry, const struct builder_key *child)
{
	put32(entry, child->cell);
	if (list_kind(l->b) == BUILDER_LH)
		put32(entry + 4, builder_hash(child->name, child->units));
	if (list_kind(l->b) != BUILDER_LF)
		return;
	for (uint32_t i = 0; i < 4 && i < child->units; i++) {
		if (child->name[i] > 0xff) {
			put32(entry + 4, 0);
			return;
		}
		entry[4 + i] = (uint8_t)child->name[i];
	}
}

static void fill_lists(struct layout *l, struct builder_key *key)
{
	static const char *const magic[] = { "", "li", "lf", "lh" };
	uint32_t max = l->b->leaf_max, child = 0;

	for (uint32_t i = 0; i < key->leaf_count; i++) {
		uint8_t *leaf = at(l, key->leaves[i]);
		uint32_t here = key->child_count - child < max ? key->child_count - child : max;

		memcpy(leaf, magic[list_kind(l->b)], 2);
		put16(leaf + 2, here);
		leaf += 4;
		for (; here > 0; here--, leaf += entry_size(l->b))
			fill_entry(l, leaf, key->children[child++]);
	}
	if (key->list_cell != BUILDER_NIL) {
		uint8_t *ri = at(l, key->list_cell);

		memcpy(ri, "ri", 2);
		put16(ri + 2, key->leaf_count);
		for (uint32_t i = 0; i < key->leaf_count; i++)
			put32(ri + 4 + 4 * i, key->leaves[i]);
	} else if (key->leaf_count) {
		key->list_cell = key->leaves[0];
	}
}

/* The four fields that say how long the longest of something is, in bytes of UTF-16. */
static void fill_longest(uint8_t *nk, const struct builder_key *key)
{
	uint32_t name = 0, class = 0, value = 0, data = 0;

	for (uint32_t i = 0; i < key->child_count; i++) {
		const struct builder_key *child = key->children[i];

		name = 2 * child->units > name ? 2 * child->units : name;
		class = child->class_size > class ? child->class_size : class;
	}
	for (uint32_t i = 0; i < key->value_count; i++) {
		value = 2 * key->values[i]->units > value ? 2 * key->values[i]->units : value;
		data = key->values[i]->size > data ? key->values[i]->size : data;
	}
	put32(nk + 52, name | (uint32_t)key->user_flags << 16);
	put32(nk + 56, class);
	put32(nk + 60, value);
	put32(nk + 64, data);
}

static void fill_key(struct layout *l, struct builder_key *key)
{
	uint8_t *nk = at(l, key->cell);
	bool wide = key->wide || !is_narrow(key->name, key->units);

	memcpy(nk, "nk", 2);
	put16(nk + 2, (key->parent ? 0u : 0x0cu) | (wide ? 0 : 0x20u) | (key->link ? 0x10u : 0) |
	                      key->extra_flags);
	put64(nk + 4, key->time ? key->time : l->b->time);
	nk[12] = key->access;
	nk[13] = key->layer;
	put32(nk + 16, key->parent ? key->parent->cell : BUILDER_NIL);
	put32(nk + 20, key->child_count);
	put32(nk + 28, key->list_cell);
	put32(nk + 32, BUILDER_NIL);
	put32(nk + 36, key->value_count);
	put32(nk + 40, key->values_cell);
	put32(nk + 44, key->security->cell);
	put32(nk + 48, key->class_cell);
	fill_longest(nk, key);
	put32(nk + 68, key->work);
	put16(nk + 72, stored_size(key->name, key->units, key->wide));
	put16(nk + 74, key->class_size);
	put_name(nk + 76, key->name, key->units, wide);
	if (key->class_size)
		memcpy(at(l, key->class_cell), key->class_name, key->class_size);
}

/* One ring of all descriptors that a key uses. */
static void fill_security(struct layout *l)
{
	struct builder_security *s, *first = NULL, *previous = NULL;

	for (s = l->b->securities; s; s = s->next) {
		uint8_t *sk;

		if (s->uses == 0)
			continue;
		sk = at(l, s->cell);
		memcpy(sk, "sk", 2);
		put32(sk + 12, s->uses);
		put32(sk + 16, s->size);
		memcpy(sk + 20, s->data, s->size);
		if (previous) {
			put32(at(l, previous->cell) + 4, s->cell);
			put32(sk + 8, previous->cell);
		}
		first = first ? first : s;
		previous = s;
	}
	put32(at(l, previous->cell) + 4, first->cell);
	put32(at(l, first->cell) + 8, previous->cell);
}

static void fill_all(struct layout *l)
{
	for (struct builder_key *key = l->b->root; key; key = builder_next(key)) {
		fill_lists(l, key);
		fill_key(l, key);
		for (uint32_t i = 0; i < key->value_count; i++)
			fill_value(l, key->values[i]);
		for (uint32_t i = 0; i < key->value_count; i++)
			put32(at(l, key->values_cell) + 4 * i, key->values[i]->cell);
	}
	fill_security(l);
}

/* --- the base block --- */

static uint32_t word_sum(const uint8_t *image)
{
	uint32_t sum = 0;

	for (unsigned i = 0; i < 508; i += 4)
		sum ^= get32(image + i);
	return sum;
}

void builder_fix_checksum(uint8_t *image)
{
	uint32_t sum = word_sum(image);

	put32(image + 508, sum == 0 ? 1 : sum == 0xffffffff ? 0xfffffffe : sum);
}

static void fill_base(struct layout *l)
{
	static const uint8_t id[16] = {
		0x5e, 0xed, 0, 1, 0, 0, 0, 0x40, 0x80, 0, 0, 0, 0, 0, 0, 1
	};
	uint8_t *base = l->image;
	struct builder *b = l->b;

	memset(base, 0, BASE);
	memcpy(base, "regf", 4);
	put32(base + 4, b->sequence1);
	put32(base + 8, b->sequence2);
	put64(base + 12, b->time);
	put32(base + 20, 1);
	put32(base + 24, b->minor);
	put32(base + 32, 1);
	put32(base + 36, b->root->cell);
	put32(base + 40, l->bin_end);
	put32(base + 44, 1);
	if (b->file_name) {
		uint16_t units[1024];
		uint32_t count =
			strlen(b->file_name) < 1024 ? builder_utf16(b->file_name, units) : 0;

		put_name(base + 48, units, count < 31 ? count : 31, true);
	}
	if (b->ids) {
		memcpy(base + 112, id, 16);
		memcpy(base + 128, id, 16);
		memcpy(base + 148, id, 16);
		memcpy(base + 164, "rmtm", 4);
	}
	put32(base + 144, b->base_flags);
	if (b->checksum != BUILDER_SUM_AS_IT_COMES) /* a word that nobody reads makes the sum */
		put32(base + 504,
		      word_sum(base) ^ (b->checksum == BUILDER_SUM_0 ? 0 : 0xffffffffu));
	builder_fix_checksum(base);
}

/* The image in memory of malloc, because talloc refuses pieces of 256 MiB. */
static uint8_t *make_image(struct builder *b, size_t *size)
{
	struct layout l = { .b = b, .dice = b->shuffle * 2654435761u + 12345 };
	size_t end;

	add_all(&l);
	place_all(&l);
	fill_all(&l);
	fill_base(&l);
	free(l.cells);
	end = BASE + (size_t)l.bin_end;
	*size = b->pad ? (end + PAD - 1) / PAD * PAD : end;
	l.image = realloc(l.image, *size);
	if (!l.image)
		builder_fail("out of memory");
	memset(l.image + end, 0, *size - end);
	return l.image;
}

uint8_t *builder_write(struct builder *b, size_t *size)
{
	uint8_t *image = make_image(b, size);
	uint8_t *bytes = talloc_memdup(talloc_parent(b), image, *size);

	if (!bytes)
		builder_fail("out of memory, or an image of 256 MiB");
	free(image);
	return bytes;
}

void builder_write_file(struct builder *b, const char *path)
{
	size_t size;
	uint8_t *image = make_image(b, &size);
	FILE *file = fopen(path, "we");

	if (!file || fwrite(image, 1, size, file) != size || fclose(file) != 0)
		builder_fail(path);
	free(image);
}
