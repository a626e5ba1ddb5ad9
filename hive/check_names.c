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

/* Bytes of a name as a number, the first the lowest. */
static uint64_t eight(const uint8_t *at)
{
	return le64_get(*(const le64 *)at);
}

static uint32_t four(const uint8_t *at)
{
	return le32_get(*(const le32 *)at);
}

/* The first place at or behind FROM where two names of bytes differ; END if there is none. */
static uint32_t differ_at(const uint8_t *a, const uint8_t *b, uint32_t from, uint32_t end)
{
	for (; end - from >= 8; from += 8) {
		uint64_t differ = eight(a + from) ^ eight(b + from);

		if (differ)
			return from + (uint32_t)__builtin_ctzll(differ) / 8;
	}
	while (from < end && a[from] == b[from])
		from++;
	return from;
}

int check_compare(const struct checker *c, struct name a, struct name b)
{
	uint32_t common = a.size < b.size ? a.size : b.size, i = 0;

	if (!a.compressed || !b.compressed)
		return name_compare(a, b);
	while ((i = differ_at(a.data, b.data, i, common)) < common) {
		uint16_t unit_a = c->latin[a.data[i]], unit_b = c->latin[b.data[i]];

		if (unit_a != unit_b)
			return unit_a < unit_b ? -1 : 1;
		i++;
	}
	return a.size == b.size ? 0 : a.size < b.size ? -1 : 1;
}

/* Four letters a step: the products do not have to wait for each other. */
uint32_t check_hash(const struct checker *c, struct name n)
{
	const uint16_t *upper = c->latin;
	uint32_t hash = 0, i = 0;

	if (!n.compressed)
		return name_hash(n);
	for (; n.size - i >= 4; i += 4) {
		const uint8_t *at = n.data + i;

		hash = hash * (37 * 37 * 37 * 37) + upper[at[0]] * (37 * 37 * 37u) +
		       upper[at[1]] * (37 * 37u) + upper[at[2]] * 37u + upper[at[3]];
	}
	for (; i < n.size; i++)
		hash = hash * 37 + upper[n.data[i]];
	return hash;
}

static bool surrogate(uint32_t unit)
{
	return unit >= 0xd800 && unit < 0xe000;
}

/* Are the units from number I on both halves of a character? */
static bool is_pair(struct name n, uint32_t i)
{
	return (name_unit(n, i) & 0xfc00) == 0xd800 && i + 1 < name_length(n) &&
	       (name_unit(n, i + 1) & 0xfc00) == 0xdc00;
}

/* Of eight bytes at once: those below 0x20, as bits. */
static uint64_t controls(uint64_t bytes)
{
	return (bytes - 0x2020202020202020) & ~bytes & 0x8080808080808080;
}

/* By steps of eight bytes, or of four; the last step may meet the one before it. */
static bool control_among(const uint8_t *at, uint32_t size)
{
	uint64_t found = 0;

	if (size >= 8) {
		for (uint32_t i = 0; i < size - 8; i += 8)
			found |= controls(eight(at + i));
		return found | controls(eight(at + size - 8));
	}
	if (size >= 4)
		return controls(four(at) | (uint64_t)four(at + size - 4) << 32);
	while (size > 0)
		found |= at[--size] < 0x20;
	return found;
}

bool check_unprintable(struct name n)
{
	bool found = false;

	if (n.compressed)
		return control_among(n.data, n.size);
	for (uint32_t i = 0; i < name_length(n) && !found; i++) {
		bool pair = is_pair(n, i);

		found = name_unit(n, i) < 0x20 || (surrogate(name_unit(n, i)) && !pair);
		i += pair;
	}
	return found;
}

/* Appends a name, the end of a long one cut off. */
static char *append_name(char *text, struct name n)
{
	uint32_t length = name_length(n);

	for (uint32_t i = 0; text && i < length; i++) {
		uint16_t unit = name_unit(n, i);
		bool pair = is_pair(n, i);
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

char *check_what(TALLOC_CTX *ctx, const struct checker *c, uint32_t cell)
{
	const uint8_t *at = c->bins.data + cell + 4;
	struct bytes in = { at, check_room(c, cell) };
	const struct regf_key *nk = bytes_at(in, 0, sizeof(*nk));
	const struct regf_value *vk = bytes_at(in, 0, sizeof(*vk));
	struct name name = { 0 };
	char *text = NULL;

	if (nk && memcmp(nk->signature, "nk", 2) == 0 &&
	    bytes_at(in, sizeof(*nk), le16_get(nk->name_size))) {
		name = check_key_name(nk);
		text = talloc_strdup(ctx, "; it looks like the key ");
	} else if (vk && memcmp(vk->signature, "vk", 2) == 0 &&
	           bytes_at(in, sizeof(*vk), le16_get(vk->name_size))) {
		name = check_value_name(vk);
		text = talloc_strdup(ctx, name.size ? "; it looks like the value "
		                                    : "; it looks like a default value");
	} else {
		return talloc_strdup(ctx, "");
	}
	return text ? append_name(text, name) : NULL;
}
