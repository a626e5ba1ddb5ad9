/*
 * Values: the list, each record, its data in whatever form it has, and equal names.
 *
 * Two values with one name are found by comparing all with all where there are few. Where there
 * are many, a bitmap of hashes sorts out nearly all that have no equal, and the rest are sorted,
 * so that a key with a hundred thousand values costs no more than a hundred thousand keys with one.
 */
#include "hive/check_internal.h"

#define FEW 8u

static const struct regf_value *record_of(const struct checker *c, struct check_value_item item)
{
	return (const void *)(c->bins.data + item.cell + 4);
}

static int compare_items(const struct checker *c, struct check_value_item a,
                         struct check_value_item b)
{
	int order;

	if (a.hash != b.hash)
		return a.hash < b.hash ? -1 : 1;
	order = check_compare(c, check_value_name(record_of(c, a)),
	                      check_value_name(record_of(c, b)));
	return order ? order : a.cell < b.cell ? -1 : a.cell > b.cell;
}

static void sift(const struct checker *c, struct check_value_item *items, uint32_t from,
                 uint32_t count)
{
	struct check_value_item moving = items[from];

	for (uint32_t child; (child = 2 * from + 1) < count; from = child) {
		if (child + 1 < count && compare_items(c, items[child], items[child + 1]) < 0)
			child++;
		if (compare_items(c, moving, items[child]) >= 0)
			break;
		items[from] = items[child];
	}
	items[from] = moving;
}

/* Heapsort: in place, and n log n whatever the names are. */
static void sort_items(const struct checker *c, struct check_value_item *items, uint32_t count)
{
	for (uint32_t i = count / 2; i-- > 0;)
		sift(c, items, i, count);
	for (uint32_t left = count; left-- > 1;) {
		struct check_value_item last = items[left];

		items[left] = items[0];
		items[0] = last;
		sift(c, items, 0, left);
	}
}

/* What two equal names have in common: their length, and the last letter in upper case. */
static uint32_t likeness(const struct checker *c, struct name name)
{
	uint32_t length = name_length(name);
	uint16_t last = length ? name_unit(name, length - 1) : 0;

	return length << 16 | (last < 256 ? c->latin[last] : name_upcase(last));
}

static void compare_names(struct checker *c, struct check_value_item a, struct check_value_item b)
{
	if (check_compare(c, check_value_name(record_of(c, a)), check_value_name(record_of(c, b))))
		return;
	c->value = record_of(c, b);
	check_say_key(c, PROBLEM_HEALS, b.cell, "value-duplicate",
	              "the key has another value of this name at 0x%llx",
	              (unsigned long long)check_offset(a.cell));
	c->value = NULL;
}

/* Eight bits or more a value, so that one in eight or fewer meets another by chance. */
static unsigned sieve_bits(uint64_t count)
{
	return 64u - (unsigned)__builtin_clzll(8 * count);
}

/* Keeps, in their order, the items whose hashes fall on the bit of another one. */
static uint32_t sieve(struct checker *c, struct check_value_item *items, uint32_t count)
{
	unsigned bits = sieve_bits(count), shift = 32 - bits;
	uint64_t *once = c->sieve, *twice = once + (1u << bits) / 64;
	uint32_t kept = 0;

	memset(c->sieve, 0, 2 * (1u << bits) / 8);
	for (uint32_t i = 0; i < count; i++) {
		uint32_t at = items[i].hash * 0x9e3779b1u >> shift;

		twice[at / 64] |= once[at / 64] & 1ull << at % 64;
		once[at / 64] |= 1ull << at % 64;
	}
	for (uint32_t i = 0; i < count; i++) {
		uint32_t at = items[i].hash * 0x9e3779b1u >> shift;

		if (twice[at / 64] >> at % 64 & 1)
			items[kept++] = items[i];
	}
	return kept;
}

static void check_equal_names(struct checker *c, uint32_t count)
{
	struct check_value_item *items = c->items;

	if (count <= FEW) {
		for (uint32_t i = 1; i < count; i++) {
			for (uint32_t k = 0; k < i; k++) {
				if (items[k].hash == items[i].hash)
					compare_names(c, items[k], items[i]);
			}
		}
		return;
	}
	for (uint32_t i = 0; i < count; i++)
		items[i].hash = check_hash(c, check_value_name(record_of(c, items[i])));
	count = sieve(c, items, count);
	sort_items(c, items, count);
	for (uint32_t i = 1; i < count; i++) {
		if (items[i].hash == items[i - 1].hash)
			compare_names(c, items[i - 1], items[i]);
	}
}

/* Data in segments, the form for more than 16344 bytes from format 1.4 on. */
static void check_big(struct checker *c, uint32_t from, uint32_t cell, uint32_t size)
{
	const struct regf_big *big =
		check_claim(c, PROBLEM_HEALS, from, cell, sizeof(*big), "big data");
	uint32_t count = (size + REGF_BIG - 1) / REGF_BIG, list;
	const le32 *segments;

	if (!big)
		return;
	if (memcmp(big->signature, "db", 2) != 0 || le16_get(big->count) != count) {
		check_say_key(c, PROBLEM_HEALS, cell, "big-data",
		              "big data 0x%llx: it begins with %02x %02x and counts %u segments; "
		              "%u bytes of data need \"db\" and %u",
		              (unsigned long long)check_offset(cell), big->signature[0],
		              big->signature[1], le16_get(big->count), size, count);
		return;
	}
	list = le32_get(big->segments);
	segments =
		check_claim(c, PROBLEM_HEALS, cell, list, 4 * (uint64_t)count, "list of segments");
	for (uint32_t i = 0; segments && i < count; i++) {
		uint32_t part = i + 1 < count ? REGF_BIG : size - i * REGF_BIG;
		uint32_t segment = le32_get(segments[i]);

		if (check_claim(c, PROBLEM_HEALS, list, segment, part, "segment of data") &&
		    i + 1 < count && check_room(c, segment) + 4 != REGF_BIG_CELL)
			check_say_key(c, PROBLEM_NOTE, segment, "big-data",
			              "segment 0x%llx: the cell has %u bytes, Windows uses %u",
			              (unsigned long long)check_offset(segment),
			              check_room(c, segment) + 4, REGF_BIG_CELL);
	}
}

/* The data of a value; gives its size. */
static uint32_t check_data(struct checker *c, uint32_t cell, const struct regf_value *vk)
{
	uint32_t raw = le32_get(vk->size), size = raw & ~REGF_INLINE, data = le32_get(vk->data);

	if (raw & REGF_INLINE) {
		if (size > 4)
			check_say_key(c, PROBLEM_HEALS, cell, "value-data",
			              "%u bytes of data are said to be in a field of 4", size);
		return size > 4 ? 4 : size;
	}
	if (size == 0) {
		if (data != REGF_NIL)
			check_say_key(c, PROBLEM_HEALS, cell, "value-data",
			              "it has no data, but a data cell 0x%llx",
			              (unsigned long long)check_offset(data));
		return 0;
	}
	if (size > REGF_BIG && c->minor > 3) {
		check_big(c, cell, data, size);
		return size;
	}
	if (check_claim(c, PROBLEM_HEALS, cell, data, size, "data") && size <= 4)
		check_say_key(c, PROBLEM_NOTE, cell, "value-data",
		              "%u bytes of data have a cell, Windows puts them in the value itself",
		              size);
	return size;
}

/* The record in CELL if it is a whole value. */
static const struct regf_value *claim_value(struct checker *c, uint32_t from, uint32_t cell)
{
	const struct regf_value *vk =
		check_claim(c, PROBLEM_HEALS, from, cell, sizeof(*vk), "value");
	unsigned long long where = check_offset(cell);
	uint32_t room;

	if (!vk)
		return NULL;
	if (memcmp(vk->signature, "vk", 2) != 0) {
		check_say_key(c, PROBLEM_HEALS, cell, "value-signature",
		              "value 0x%llx: it begins with %02x %02x and not with \"vk\"", where,
		              vk->signature[0], vk->signature[1]);
		return NULL;
	}
	room = check_room(c, cell) - (uint32_t)sizeof(*vk);
	if (le16_get(vk->name_size) > room) {
		check_say_key(c, PROBLEM_HEALS, cell, "value-name",
		              "value 0x%llx: its name has %u bytes, the cell has room for %u",
		              where, le16_get(vk->name_size), room);
		return NULL;
	}
	return vk;
}

static void check_value_record(struct checker *c, uint32_t cell, const struct regf_value *vk)
{
	struct name name = check_value_name(vk);
	uint32_t flags = le16_get(vk->flags);
	uint32_t known = REGF_VALUE_COMP_NAME | (c->minor == 6 ? REGF_VALUE_TOMBSTONE : 0);

	if (!name.compressed && name.size % 2)
		check_say_key(c, PROBLEM_HEALS, cell, "value-name",
		              "the name has %u bytes, an odd number for UTF-16", name.size);
	if (name_length(name) > REGF_VALUE_NAME_MAX)
		check_say_key(c, PROBLEM_HEALS, cell, "value-name",
		              "the name has %u letters, at most %u are allowed", name_length(name),
		              REGF_VALUE_NAME_MAX);
	if (flags & ~known)
		check_say_key(c, PROBLEM_ODD, cell, "value-flags",
		              "flags are 0x%x, of which only 0x%x are known", flags, known);
	if (!name.compressed && name.size && name_compressible(name))
		check_say_key(c, PROBLEM_NOTE, cell, "value-flags",
		              "the name is stored wide, but would fit in one byte a letter");
	if (check_unprintable(name))
		check_say_key(c, PROBLEM_NOTE, cell, "value-name", CHECK_UNPRINTABLE);
}

/* Room for the names of COUNT values, but no more than there can be in the hive. */
static bool make_room(struct checker *c, uint64_t count)
{
	uint64_t most = c->bins.size / sizeof(struct regf_value);

	if (count > most)
		count = most;
	if (count <= c->item_room)
		return true;
	talloc_free(c->items);
	talloc_free(c->sieve);
	c->items = talloc_array_size(c, sizeof(*c->items), (unsigned)count);
	c->sieve = talloc_array(c, uint64_t, (1u << sieve_bits(count)) / 32 + 1);
	c->memory = c->memory || !c->items || !c->sieve;
	c->item_room = c->memory ? 0 : count;
	return !c->memory;
}

void check_values(struct checker *c, struct check_key *key)
{
	uint32_t count = regf_value_count(key->nk), list = le32_get(key->nk->value_list);
	uint32_t longest_name = 0, longest_data = 0, named = 0;
	const le32 *cells;

	if (count != le32_get(key->nk->values))
		return; /* it is a handle */
	if (count == 0) {
		check_maximum(c, key, PROBLEM_ODD, "value name", le32_get(key->nk->max_value_name),
		              0);
		check_maximum(c, key, PROBLEM_ODD, "value data", le32_get(key->nk->max_value_data),
		              0);
		if (list != REGF_NIL)
			check_say_key(c, PROBLEM_ODD, key->cell, "value-list",
			              "it has no values, but a list of them 0x%llx",
			              (unsigned long long)check_offset(list));
		return;
	}
	cells = check_claim(c, PROBLEM_HEALS, key->cell, list, 4 * (uint64_t)count,
	                    "list of values");
	if (!cells || !make_room(c, count))
		return;
	for (uint32_t i = 0; i < count; i++) {
		uint32_t cell = le32_get(cells[i]), size;
		const struct regf_value *vk = claim_value(c, list, cell);
		struct name name;

		if (!vk)
			continue;
		c->value = vk;
		c->check->values++;
		check_value_record(c, cell, vk);
		size = check_data(c, cell, vk);
		c->value = NULL;
		name = check_value_name(vk);
		c->items[named++] = (struct check_value_item){ likeness(c, name), cell };
		longest_data = size > longest_data ? size : longest_data;
		if (2 * name_length(name) > longest_name)
			longest_name = 2 * name_length(name);
	}
	check_equal_names(c, named);
	check_maximum(c, key, PROBLEM_ODD, "value name", le32_get(key->nk->max_value_name),
	              longest_name);
	check_maximum(c, key, PROBLEM_ODD, "value data", le32_get(key->nk->max_value_data),
	              longest_data);
}
