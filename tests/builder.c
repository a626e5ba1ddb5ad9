/*
 * The builder's tree. Memory comes in large pieces that live as long as the builder, so that
 * trees of a million keys stay cheap; nothing is freed on its own.
 */
#include "tests/builder.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PIECE ((size_t)1 << 18)

_Noreturn void builder_fail(const char *what)
{
	fprintf(stderr, "# builder: %s\n", what);
	abort();
}

void *builder_take(struct builder *b, size_t size)
{
	void *taken;

	size = (size + 15) & ~(size_t)15;
	if (size > b->room_left) {
		size_t piece = size > PIECE ? size : PIECE;

		b->room = talloc_zero_size(b, piece);
		if (!b->room)
			builder_fail("out of memory");
		b->room_left = piece;
	}
	taken = b->room;
	b->room += size;
	b->room_left -= size;
	return taken;
}

static void *copy(struct builder *b, const void *data, size_t size)
{
	void *taken = builder_take(b, size + 1);

	if (size)
		memcpy(taken, data, size);
	return taken;
}

/* Room for one more pointer in an array that doubles. */
static void *grow(struct builder *b, void *array, uint32_t count, uint32_t *room)
{
	void *larger;

	if (count < *room)
		return array;
	*room = *room ? 2 * *room : 4;
	larger = builder_take(b, *room * sizeof(void *));
	if (count)
		memcpy(larger, array, count * sizeof(void *));
	return larger;
}

struct builder *builder_new(TALLOC_CTX *ctx)
{
	struct builder *b = talloc_zero(ctx, struct builder);

	if (!b)
		builder_fail("out of memory");
	b->minor = 5;
	b->sequence1 = b->sequence2 = 1;
	b->time = BUILDER_TIME;
	b->ids = true;
	b->leaf_max = 507;
	b->last_security = &b->securities;
	b->root = builder_take(b, sizeof(*b->root));
	b->root->builder = b;
	b->key_count = 1;
	builder_root_name(b, "ROOT");
	builder_security_kind(b->root, BUILDER_SD_PLAIN, 0);
	return b;
}

static uint16_t *units_of(struct builder *b, const char *text, uint32_t *count)
{
	uint16_t *units = builder_take(b, 2 * strlen(text) + 2);

	*count = builder_utf16(text, units);
	return units;
}

void builder_root_name(struct builder *b, const char *name)
{
	b->root->name = units_of(b, name, &b->root->units);
}

struct builder_key *builder_key_units(struct builder_key *parent, const uint16_t *units,
                                      uint32_t count, uint64_t time)
{
	struct builder *b = parent->builder;
	struct builder_key *key = builder_take(b, sizeof(*key));

	if (count == 0 || count > 255)
		builder_fail("a key name has 1 to 255 units");
	*key = (struct builder_key){ .builder = b, .parent = parent, .units = count };
	key->name = copy(b, units, 2 * (size_t)count);
	key->time = time;
	key->security = parent->security;
	key->index = parent->child_count;
	parent->children = grow(b, parent->children, parent->child_count, &parent->child_room);
	parent->children[parent->child_count++] = key;
	b->key_count++;
	return key;
}

struct builder_key *builder_key(struct builder_key *parent, const char *name, uint64_t time)
{
	uint16_t units[1024];

	if (strlen(name) >= 1024)
		builder_fail("a key name is too long");
	return builder_key_units(parent, units, builder_utf16(name, units), time);
}

static struct builder_key *find(struct builder_key *key, const uint16_t *name, uint32_t units)
{
	for (uint32_t i = key->child_count; i-- > 0;) {
		struct builder_key *child = key->children[i];

		if (child->units == units && memcmp(child->name, name, 2 * (size_t)units) == 0)
			return child;
	}
	return NULL;
}

struct builder_key *builder_below(struct builder_key *key, const char *path)
{
	uint16_t units[4096], *name = units;
	uint32_t count, length;

	if (strlen(path) >= 4096)
		builder_fail("a path is too long");
	count = builder_utf16(path, units);
	while (count > 0) {
		struct builder_key *child;

		for (length = 0; length < count && name[length] != '\\';)
			length++;
		child = find(key, name, length);
		key = child ? child : builder_key_units(key, name, length, key->time);
		length += length < count;
		name += length;
		count -= length;
	}
	return key;
}

struct builder_key *builder_path(struct builder *b, const char *path)
{
	return builder_below(b->root, path);
}

void builder_class_bytes(struct builder_key *key, const void *data, uint32_t size)
{
	key->class_name = copy(key->builder, data, size);
	key->class_size = size;
}

/* Text as UTF-16LE bytes, whatever the byte order here. */
static uint8_t *encode(struct builder *b, const char *text, bool with_nul, uint32_t *size)
{
	uint32_t count;
	uint16_t *units = units_of(b, text, &count);
	uint8_t *bytes = builder_take(b, 2 * (size_t)count + 2);

	for (uint32_t i = 0; i < count; i++) {
		bytes[2 * i] = (uint8_t)units[i];
		bytes[2 * i + 1] = (uint8_t)(units[i] >> 8);
	}
	*size = 2 * count + (with_nul ? 2 : 0);
	return bytes;
}

void builder_class(struct builder_key *key, const char *text)
{
	key->class_name = encode(key->builder, text, false, &key->class_size);
}

void builder_security(struct builder_key *key, const void *data, uint32_t size)
{
	struct builder *b = key->builder;
	struct builder_security *s;

	for (s = b->securities; s; s = s->next) {
		if (s->size == size && memcmp(s->data, data, size) == 0)
			break;
	}
	if (!s) {
		s = builder_take(b, sizeof(*s));
		s->data = copy(b, data, size);
		s->size = size;
		*b->last_security = s;
		b->last_security = &s->next;
	}
	key->security = s;
}

struct builder_value *builder_value_units(struct builder_key *key, const uint16_t *units,
                                          uint32_t count, uint32_t type, const void *data,
                                          uint32_t size)
{
	struct builder *b = key->builder;
	struct builder_value *value = builder_take(b, sizeof(*value));

	if (count > 16383)
		builder_fail("a value name is too long");
	*value = (struct builder_value){ .units = count, .type = type, .size = size };
	value->name = copy(b, units, 2 * (size_t)count);
	value->data = copy(b, data, size);
	key->values = grow(b, key->values, key->value_count, &key->value_room);
	key->values[key->value_count++] = value;
	b->value_count++;
	return value;
}

struct builder_value *builder_value(struct builder_key *key, const char *name, uint32_t type,
                                    const void *data, uint32_t size)
{
	uint32_t count;
	uint16_t *units = units_of(key->builder, name, &count);

	return builder_value_units(key, units, count, type, data, size);
}

struct builder_value *builder_tombstone(struct builder_key *key, const char *name)
{
	struct builder_value *value = builder_value(key, name, 0, NULL, 0);

	value->tombstone = value->nil_empty = true;
	return value;
}

struct builder_value *builder_dword(struct builder_key *key, const char *name, uint32_t number)
{
	uint8_t data[4];

	for (int i = 0; i < 4; i++)
		data[i] = (uint8_t)(number >> 8 * i);
	return builder_value(key, name, 4, data, 4);
}

struct builder_value *builder_qword(struct builder_key *key, const char *name, uint64_t number)
{
	uint8_t data[8];

	for (int i = 0; i < 8; i++)
		data[i] = (uint8_t)(number >> 8 * i);
	return builder_value(key, name, 11, data, 8);
}

struct builder_value *builder_text(struct builder_key *key, const char *name, uint32_t type,
                                   const char *text, bool with_nul)
{
	uint32_t size;
	uint8_t *data = encode(key->builder, text, with_nul, &size);

	return builder_value(key, name, type, data, size);
}

struct builder_value *builder_string(struct builder_key *key, const char *name, const char *text)
{
	return builder_text(key, name, 1, text, true);
}

struct builder_value *builder_multi(struct builder_key *key, const char *name,
                                    const char *const *texts)
{
	uint8_t all[8192] = { 0 };
	uint32_t used = 0, size;

	for (; *texts; texts++, used += size) {
		uint8_t *one = encode(key->builder, *texts, true, &size);

		if (used + size + 2 > sizeof(all))
			builder_fail("a list of strings is too long");
		memcpy(all + used, one, size);
	}
	return builder_value(key, name, 7, all, used + 2);
}

void builder_link(struct builder_key *key, const char *target)
{
	key->link = true;
	builder_text(key, "SymbolicLinkValue", 6, target, false);
}
