/*
 * The builder's layout: count the cells, give each a place.
 *
 * A cell is known by the variable that will hold its offset, so the same walk that counts
 * cells can hand them out in any order, and filling them needs no table.
 */
#include "tests/builder_private.h"

#include <stdlib.h>
#include <string.h>

#define BIN_HEAD 32u

struct cell {
	uint32_t *offset; /* where to note its place */
	uint32_t size;    /* of its contents */
};

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

void builder_layout(struct layout *l)
{
	add_all(l);
	place_all(l);
	free(l->cells);
}
