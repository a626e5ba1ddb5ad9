/* The builder's bytes: what is in the cells and in the base block. */
#include "tests/builder_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PAD (256u << 10)

static uint32_t get32(const uint8_t *at)
{
	return at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

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

	builder_layout(&l);
	fill_all(&l);
	fill_base(&l);
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
