/*
 * Names for the validator: fast comparison, and paths for people.
 *
 * Nearly all names are compressed: they are compared byte by byte, and only bytes that
 * differ are looked up in a table of 256 upper case units. In a path, what has no
 * printable form (control characters, half of a surrogate pair) is written as %xxxx.
 */
#include "hive/check_internal.h"

#define SHOWN_NAME 80u /* units of one name in a sentence */
#define SHOWN_KEYS 8u  /* names of one path in a sentence */

struct name check_key_name(const struct regf_key *nk)
{
	return (struct name){ nk->name, le16_get(nk->name_size),
		              (le16_get(nk->flags) & REGF_KEY_COMP_NAME) != 0 };
}

struct name check_value_name(const struct regf_value *vk)
{
	return (struct name){ vk->name, le16_get(vk->name_size),
		              (le16_get(vk->flags) & REGF_VALUE_COMP_NAME) != 0 };
}

int check_compare(const struct checker *c, struct name a, struct name b)
{
	uint32_t common = a.size < b.size ? a.size : b.size;

	if (!a.compressed || !b.compressed)
		return name_compare(a, b);
	for (uint32_t i = 0; i < common; i++) {
		uint16_t unit_a, unit_b;

		if (a.data[i] == b.data[i])
			continue;
		unit_a = c->latin[a.data[i]];
		unit_b = c->latin[b.data[i]];
		if (unit_a != unit_b)
			return unit_a < unit_b ? -1 : 1;
	}
	return a.size == b.size ? 0 : a.size < b.size ? -1 : 1;
}

uint32_t check_hash(const struct checker *c, struct name n)
{
	uint32_t hash = 0;

	if (!n.compressed)
		return name_hash(n);
	for (uint32_t i = 0; i < n.size; i++)
		hash = hash * 37 + c->latin[n.data[i]];
	return hash;
}

static bool surrogate(uint32_t unit)
{
	return unit >= 0xd800 && unit < 0xe000;
}

/* Appends a name, the end of a long one cut off. */
static char *append_name(char *text, struct name n)
{
	uint32_t length = name_length(n);

	for (uint32_t i = 0; text && i < length; i++) {
		uint16_t unit = name_unit(n, i);
		bool pair = unit >= 0xd800 && unit < 0xdc00 && i + 1 < length &&
		            name_unit(n, i + 1) >= 0xdc00 && name_unit(n, i + 1) < 0xe000;
		uint8_t units[4];
		char *one;

		if (i >= SHOWN_NAME)
			return talloc_strdup_append(text, "...");
		if (unit < 0x20 || (unit >= 0x7f && unit < 0xa0) || (surrogate(unit) && !pair)) {
			text = talloc_asprintf_append(text, "%%%04x", unit);
			continue;
		}
		for (unsigned k = 0; k < (pair ? 2 : 1); k++) {
			units[2 * k] = (uint8_t)name_unit(n, i + k);
			units[2 * k + 1] = (uint8_t)(name_unit(n, i + k) >> 8);
		}
		one = name_to_utf8(text, (struct name){ units, pair ? 4 : 2, false });
		if (!one)
			return NULL;
		text = talloc_strdup_append(text, one);
		i += pair;
	}
	return text;
}

char *check_who(TALLOC_CTX *ctx, const struct checker *c)
{
	uint32_t from = c->depth > SHOWN_KEYS ? c->depth - SHOWN_KEYS : 1;
	char *text;

	if (c->depth == 0)
		return talloc_strdup(ctx, c->after_tree ? "ring of security cells" : "base block");
	text = talloc_strdup(ctx, c->depth == 1 ? "root key" : from > 1 ? "key ...\\" : "key ");
	for (uint32_t i = from; text && i < c->depth; i++) {
		if (i > from)
			text = talloc_strdup_append(text, "\\");
		if (text)
			text = append_name(text, check_key_name(c->path[i].nk));
	}
	if (!text || !c->value)
		return text;
	if (le16_get(c->value->name_size) == 0)
		return talloc_strdup_append(text, ", default value");
	text = talloc_strdup_append(text, ", value ");
	return text ? append_name(text, check_value_name(c->value)) : NULL;
}
