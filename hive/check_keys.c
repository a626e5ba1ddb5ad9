/*
 * The walk down the tree: every key once, in stored order, with a stack of 512 levels.
 *
 * A key is looked at when its list names it: claimed, then compared with the sibling before.
 * A key whose record cannot be trusted (no "nk", a name longer than the cell) is not entered;
 * one that stands in the wrong place is, so that all of its own problems are found too.
 */
#include "hive/check_internal.h"

#define KEY_CELL_MAX                                                                               \
	0x45cu /* the largest cell that Windows accepts for a key, size field included */

/* Faults of the root key itself make Windows refuse the hive. */
static enum problem_weight weight_of(const struct checker *c)
{
	return c->depth <= 1 ? PROBLEM_FATAL : PROBLEM_HEALS;
}

/* The record in CELL if it is a whole key; FROM is what refers to it. */
static const struct regf_key *claim_key(struct checker *c, uint32_t from, uint32_t cell)
{
	enum problem_weight weight = c->depth == 0 ? PROBLEM_FATAL : PROBLEM_HEALS;
	const char *what = c->depth == 0 ? "root key" : "subkey";
	const struct regf_key *nk = check_claim(c, weight, from, cell, sizeof(*nk), what);
	unsigned long long where = check_offset(cell);
	uint32_t room;

	if (!nk)
		return NULL;
	if (memcmp(nk->signature, "nk", 2) != 0) {
		check_say_key(c, weight, cell, "key-signature",
		              "%s 0x%llx: it begins with %02x %02x and not with \"nk\"", what,
		              where, nk->signature[0], nk->signature[1]);
		return NULL;
	}
	room = check_room(c, cell);
	if (le16_get(nk->name_size) > room - sizeof(*nk)) {
		check_say_key(c, weight, cell, "key-name",
		              "%s 0x%llx: its name has %u bytes, the cell has room for %u", what,
		              where, le16_get(nk->name_size), room - (uint32_t)sizeof(*nk));
		return NULL;
	}
	return nk;
}

static bool has_backslash(struct name n)
{
	if (n.compressed)
		return memchr(n.data, '\\', n.size) != NULL;
	for (uint32_t i = 0; i < name_length(n); i++) {
		if (name_unit(n, i) == '\\')
			return true;
	}
	return false;
}

static void check_name(struct checker *c, const struct check_key *key, struct name name)
{
	enum problem_weight weight = weight_of(c);

	if (name.size == 0)
		check_say_key(c, weight, key->cell, "key-name", "the name is empty");
	if (!name.compressed && name.size % 2)
		check_say_key(c, weight, key->cell, "key-name",
		              "the name has %u bytes, an odd number for UTF-16", name.size);
	if (name_length(name) > REGF_KEY_NAME_MAX)
		check_say_key(c, weight, key->cell, "key-name",
		              "the name has %u letters, at most %u are allowed", name_length(name),
		              REGF_KEY_NAME_MAX);
	if (has_backslash(name))
		check_say_key(c, c->depth > 1 ? PROBLEM_HEALS : PROBLEM_NOTE, key->cell, "key-name",
		              "there is a backslash in the name");
	if (!name.compressed && name.size && name_compressible(name))
		check_say_key(c, PROBLEM_NOTE, key->cell, "key-flags",
		              "the name is stored wide, but would fit in one byte a letter");
	if (check_unprintable(name))
		check_say_key(c, PROBLEM_NOTE, key->cell, "key-name", CHECK_UNPRINTABLE);
}

/* Parent, order, list entry, and what the parent wants to know of its subkeys. */
static void check_place(struct checker *c, struct check_key *key, struct check_key *parent,
                        const uint8_t *entry, struct name name)
{
	uint32_t bytes = 2 * name_length(name), of_class = le16_get(key->nk->class_size);

	if (le32_get(key->nk->parent) != parent->cell)
		check_say_key(c, PROBLEM_HEALS, key->cell, "key-parent",
		              "its parent is said to be 0x%llx, but is 0x%llx",
		              (unsigned long long)check_offset(le32_get(key->nk->parent)),
		              (unsigned long long)check_offset(parent->cell));
	if (parent->previous.data) {
		int order = check_compare(c, parent->previous, name);

		if (order == 0)
			check_say_key(c, PROBLEM_HEALS, key->cell, "key-duplicate",
			              "the subkey before it has the same name");
		else if (order > 0)
			check_say_key(c, PROBLEM_HEALS, key->cell, "key-order",
			              "it stands behind a subkey with a greater name");
	}
	parent->previous = name;
	check_hint(c, parent, entry, name);
	if (bytes > parent->longest_name)
		parent->longest_name = bytes;
	if (of_class > parent->longest_class)
		parent->longest_class = of_class;
}

static void check_class(struct checker *c, const struct check_key *key)
{
	uint32_t size = le16_get(key->nk->class_size), cell = le32_get(key->nk->class_name);

	if (size != 0)
		check_claim(c, PROBLEM_HEALS, key->cell, cell, size, "class name");
	else if (cell != REGF_NIL)
		check_say_key(c, PROBLEM_ODD, key->cell, "class-cell",
		              "it has no class name, but a class cell 0x%llx",
		              (unsigned long long)check_offset(cell));
}

static void check_flags(struct checker *c, const struct check_key *key)
{
	uint32_t flags = le16_get(key->nk->flags), odd = 0x0c00;

	if (c->depth > 1)
		odd |= REGF_KEY_HIVE_ENTRY;
	odd |= REGF_KEY_VOLATILE | REGF_KEY_HIVE_EXIT;
	if (flags & odd)
		check_say_key(c, PROBLEM_ODD, key->cell, "key-flags",
		              "flags are 0x%x, of which 0x%x make no sense here", flags,
		              flags & odd);
	if (flags & REGF_KEY_PREDEF_HANDLE && le32_get(key->nk->values) < 0x80000000)
		check_say_key(c, PROBLEM_ODD, key->cell, "key-flags",
		              "flags are 0x%x, which make it a predefined handle, but it has none; "
		              "its %u values are read",
		              flags, le32_get(key->nk->values));
	if (le32_get(key->nk->volatile_subkeys) != 0)
		check_say_key(c, PROBLEM_NOTE, key->cell, "key-volatile",
		              "it counts %u volatile subkeys, which are on no disk",
		              le32_get(key->nk->volatile_subkeys));
	if (check_room(c, key->cell) + 4 > KEY_CELL_MAX)
		check_say_key(c, weight_of(c), key->cell, "key-size",
		              "its cell has %u bytes, a key's has at most %u",
		              check_room(c, key->cell) + 4, KEY_CELL_MAX);
}

/* Enters the key in CELL; ENTRY is its place in the list FROM, NULL for the root. */
static void enter(struct checker *c, uint32_t from, uint32_t cell, const uint8_t *entry)
{
	struct check_key *parent = check_top(c), *key;
	const struct regf_key *nk = claim_key(c, from, cell);
	struct name name;

	if (!nk)
		return;
	if (c->depth == REGF_DEPTH_MAX) {
		check_say_key(c, PROBLEM_HEALS, cell, "key-depth",
		              "its subkey 0x%llx is below level %u, where Windows stops",
		              (unsigned long long)check_offset(cell), REGF_DEPTH_MAX);
		return;
	}
	key = &c->path[c->depth++];
	*key = (struct check_key){ .cell = cell, .nk = nk, .index_cell = cell };
	name = check_key_name(nk);
	c->check->keys++;
	check_name(c, key, name);
	if (parent)
		check_place(c, key, parent, entry, name);
	check_flags(c, key);
	check_security_use(c, key);
	check_class(c, key);
	check_values(c, key);
	check_list_begin(c, key);
}

void check_maximum(struct checker *c, const struct check_key *key, enum problem_weight low,
                   const char *what, uint32_t stored, uint32_t real)
{
	if (stored != real)
		check_say_key(c, stored < real ? low : PROBLEM_NOTE, key->cell,
		              stored < real ? "key-maximum-low" : "key-maximum-high",
		              "longest %s is said to be %u bytes, but is %u", what, stored, real);
}

/* All subkeys have been seen. */
static void leave(struct checker *c, const struct check_key *key)
{
	uint32_t count = le32_get(key->nk->subkeys);

	if (key->listed != count && !key->unread)
		check_say_key(c, PROBLEM_HEALS, key->cell, "list-count",
		              "it counts %u subkeys, its lists have %u", count, key->listed);
	check_maximum(c, key, PROBLEM_NOTE, "subkey name",
	              le32_get(key->nk->max_subkey_name) & 0xffff, key->longest_name);
	check_maximum(c, key, PROBLEM_ODD, "class name of a subkey", le32_get(key->nk->max_class),
	              key->longest_class);
	c->depth--;
}

void check_tree(struct checker *c)
{
	enter(c, REGF_NIL, c->root, NULL);
	c->root_security = c->depth ? le32_get(check_top(c)->nk->security) : REGF_NIL;
	while (c->depth > 0) {
		struct check_key *key = check_top(c);
		const uint8_t *entry;
		le32 cell;

		if (!check_list_next(c, key, &entry)) {
			leave(c, key);
			continue;
		}
		memcpy(&cell, entry, sizeof(cell));
		enter(c, key->leaf_cell, le32_get(cell), entry);
	}
	c->after_tree = true;
}
