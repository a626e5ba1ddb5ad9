/*
 * Subkey lists: lf, lh and li leaves, alone or below one ri, as one stream of entries.
 *
 * A list is claimed before it is read, so no list is read twice, whoever refers to it.
 */
#include "hive/check_internal.h"

/* The list in CELL if its entries fit; *KIND is its second letter, *COUNT its entries. */
static const uint8_t *open_list(struct checker *c, struct check_key *key, uint32_t cell,
                                uint8_t *kind, uint32_t *count)
{
	const char *what = key->index ? "list of subkeys in an ri" : "list of subkeys";
	const struct regf_list *list =
		check_claim(c, PROBLEM_HEALS, key->index_cell, cell, sizeof(*list), what);
	unsigned long long where = check_offset(cell);
	uint32_t room, entry;

	key->unread = true;
	if (!list)
		return NULL;
	*kind = list->signature[1];
	if ((*kind != 'f' && *kind != 'h' && *kind != 'i') ||
	    (list->signature[0] != 'l' && (list->signature[0] != 'r' || *kind != 'i'))) {
		check_say_key(c, PROBLEM_HEALS, cell, "list-signature",
		              "%s 0x%llx: it begins with %02x %02x, which is no kind of list", what,
		              where, list->signature[0], list->signature[1]);
		return NULL;
	}
	if (list->signature[0] == 'r')
		*kind = 'r';
	if (*kind == 'r' && key->index) {
		check_say_key(c, PROBLEM_HEALS, cell, "list-signature",
		              "list 0x%llx: an ri inside an ri, which Windows does not read",
		              where);
		return NULL;
	}
	*count = le16_get(list->count);
	entry = *kind == 'f' || *kind == 'h' ? 8 : 4;
	room = check_room(c, cell) - (uint32_t)sizeof(*list);
	if (*count * entry > room) {
		check_say_key(c, PROBLEM_HEALS, cell, "list-count",
		              "%s 0x%llx: it counts %u entries, the cell has room for %u", what,
		              where, *count, room / entry);
		return NULL;
	}
	key->unread = false;
	return (const uint8_t *)(list + 1);
}

static void open_leaf(struct checker *c, struct check_key *key, uint32_t cell)
{
	bool unread = key->unread;
	uint32_t count;
	uint8_t kind;
	const uint8_t *entries = open_list(c, key, cell, &kind, &count);

	key->unread |= unread;
	if (!entries)
		return;
	if (kind == 'r') {
		key->index = entries;
		key->index_cell = cell;
		key->index_left = count;
		return;
	}
	if (count == 0)
		check_say_key(c, PROBLEM_NOTE, cell, "list-empty",
		              "list of subkeys 0x%llx: it is empty",
		              (unsigned long long)check_offset(cell));
	key->leaf = entries;
	key->leaf_cell = cell;
	key->leaf_left = count;
	key->entry_size = kind == 'i' ? 4 : 8;
	key->hashed = kind == 'h';
}

/* Windows leaves no list when the last subkey goes; others leave one behind. */
static bool is_list(struct checker *c, uint32_t cell)
{
	const uint8_t *at = check_allocated(c, cell) ? c->bins.data + cell + 4 : NULL;

	return at && ((at[0] == 'l' && (at[1] == 'f' || at[1] == 'h' || at[1] == 'i')) ||
	              (at[0] == 'r' && at[1] == 'i'));
}

void check_list_begin(struct checker *c, struct check_key *key)
{
	uint32_t count = le32_get(key->nk->subkeys), cell = le32_get(key->nk->subkey_list);

	if (count == 0 && cell == REGF_NIL)
		return;
	if (count != 0 || is_list(c, cell)) {
		open_leaf(c, key, cell);
		return;
	}
	check_say_key(c, PROBLEM_ODD, key->cell, "list-empty",
	              "it has no subkeys, but a list of them 0x%llx",
	              (unsigned long long)check_offset(cell));
}

bool check_list_next(struct checker *c, struct check_key *key, const uint8_t **entry)
{
	while (key->leaf_left == 0) {
		le32 cell;

		if (key->index_left == 0)
			return false;
		memcpy(&cell, key->index, sizeof(cell));
		key->index += sizeof(cell);
		key->index_left--;
		open_leaf(c, key, le32_get(cell));
	}
	*entry = key->leaf;
	key->leaf += key->entry_size;
	key->leaf_left--;
	key->listed++;
	return true;
}

void check_hint(struct checker *c, const struct check_key *parent, const uint8_t *entry,
                struct name name)
{
	const struct regf_leaf_entry *leaf = (const void *)entry;
	unsigned long long list = check_offset(parent->leaf_cell);
	uint32_t cell = check_top(c)->cell, hash;
	uint8_t hint[4];
	le32 stored;

	if (parent->entry_size != sizeof(*leaf))
		return;
	if (!parent->hashed) {
		name_hint(name, hint);
		if (memcmp(hint, leaf->hint, 4) != 0)
			check_say_key(c, PROBLEM_ODD, cell, "leaf-hint",
			              "its hint in the list 0x%llx is %02x%02x%02x%02x, should be "
			              "%02x%02x%02x%02x",
			              list, leaf->hint[0], leaf->hint[1], leaf->hint[2],
			              leaf->hint[3], hint[0], hint[1], hint[2], hint[3]);
		return;
	}
	memcpy(&stored, leaf->hint, sizeof(stored));
	hash = check_hash(c, name);
	if (le32_get(stored) != hash)
		check_say_key(c, PROBLEM_HEALS, cell, "leaf-hash",
		              "its hash in the list 0x%llx is %08x, should be %08x: Windows does "
		              "not find the key",
		              list, le32_get(stored), hash);
}
