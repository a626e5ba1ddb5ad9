/*
 * Keys of an open hive. Every record is checked for its own bounds each time it is read,
 * although the validator has seen the image: it costs next to nothing, and salvage reads
 * images that the validator has refused.
 */
#include "hive/open.h"

void open_no_cell(uint32_t cell, uint64_t least, struct error *err)
{
	if (cell == REGF_NIL)
		error_set(err, ERROR_SOURCE, "there is no cell where one of %llu bytes should be",
		          (unsigned long long)least);
	else
		error_set(err, ERROR_SOURCE, "cell 0x%llx is no allocated cell of %llu bytes",
		          open_place(cell), (unsigned long long)least);
}

bool hive_key_at(const struct hive *hive, uint32_t cell, struct hive_key *key, struct error *err)
{
	struct bytes at = open_cell(hive, cell, sizeof(struct regf_key), err),
		     class_name = { NULL, 0 };
	const struct regf_key *nk = (const struct regf_key *)at.data;
	uint16_t name_size, class_size;

	if (!nk)
		return false;
	if (memcmp(nk->signature, "nk", 2) != 0)
		return error_set(err, ERROR_SOURCE, "cell 0x%llx is no key", open_place(cell));
	name_size = le16_get(nk->name_size);
	class_size = le16_get(nk->class_size);
	if (!bytes_at(at, sizeof(*nk), name_size))
		return error_set(err, ERROR_SOURCE, "key 0x%llx: a name of %u bytes does not fit",
		                 open_place(cell), name_size);
	if (class_size) {
		uint32_t at_class = le32_get(nk->class_name);

		class_name = open_cell_quietly(hive, at_class, class_size);
		if (class_name.data)
			class_name.size = class_size;
		else if (!hive->damaged) /* salvage takes the key without it */
			return open_cell(hive, at_class, class_size, err).data ||
			       error_wrap(err, "class name of key 0x%llx", open_place(cell));
	}
	key->cell = cell;
	key->nk = nk;
	key->name = (struct name){ nk->name, name_size,
		                   (le16_get(nk->flags) & REGF_KEY_COMP_NAME) != 0 };
	key->class_name = class_name;
	return true;
}

bool hive_root(const struct hive *hive, struct hive_key *key, struct error *err)
{
	return hive_key_at(hive, le32_get(hive_base(hive)->root), key, err);
}

/* --- subkey lists, where hivex does not read them --- */

/* A list's header and its entries; the count is believed only if the cell holds that many. */
static const struct regf_list *list_at(const struct hive *hive, uint32_t cell, size_t *entry,
                                       struct error *err)
{
	struct bytes at = open_cell(hive, cell, sizeof(struct regf_list), err);
	const struct regf_list *list = (const struct regf_list *)at.data;

	if (!list)
		return NULL;
	if (memcmp(list->signature, "lf", 2) == 0 || memcmp(list->signature, "lh", 2) == 0)
		*entry = sizeof(struct regf_leaf_entry);
	else if (memcmp(list->signature, "li", 2) == 0 || memcmp(list->signature, "ri", 2) == 0)
		*entry = sizeof(le32);
	else
		*entry = 0;
	if (*entry == 0 || !bytes_at(at, sizeof(*list), *entry * le16_get(list->count))) {
		error_set(err, ERROR_SOURCE, "cell 0x%llx is no list of subkeys", open_place(cell));
		return NULL;
	}
	return list;
}

static uint32_t list_entry(const struct regf_list *list, size_t entry, uint32_t i)
{
	le32 cell;

	memcpy(&cell, (const uint8_t *)(list + 1) + entry * i, sizeof(cell));
	return le32_get(cell);
}

struct collect {
	uint32_t *cells; /* talloc array */
	uint32_t count;
};

static bool collect_leaf(const struct hive *hive, uint32_t cell, struct collect *collect,
                         struct error *err)
{
	size_t entry;
	const struct regf_list *list = list_at(hive, cell, &entry, err);
	uint32_t count = list ? le16_get(list->count) : 0;
	uint32_t *cells;

	if (!list)
		return false;
	if (memcmp(list->signature, "ri", 2) == 0)
		return error_set(err, ERROR_SOURCE, "cell 0x%llx: a list of lists inside another",
		                 open_place(cell));
	if (collect->count + (uint64_t)count > hive->bins.size / 8)
		return error_set(err, ERROR_SOURCE, "more subkeys than the hive has room for");
	cells = talloc_realloc(NULL, collect->cells, uint32_t, collect->count + count + 1);
	if (!cells)
		return error_memory(err);
	collect->cells = cells;
	for (uint32_t i = 0; i < count; i++)
		cells[collect->count + i] = list_entry(list, entry, i);
	collect->count += count;
	return true;
}

static bool collect_list(const struct hive *hive, uint32_t cell, struct collect *collect,
                         struct error *err)
{
	size_t entry;
	const struct regf_list *list = list_at(hive, cell, &entry, err);

	if (!list)
		return false;
	if (memcmp(list->signature, "ri", 2) != 0)
		return collect_leaf(hive, cell, collect, err);
	for (uint32_t i = 0; i < le16_get(list->count); i++) {
		if (!collect_leaf(hive, list_entry(list, entry, i), collect, err))
			return false;
	}
	return true;
}

bool hive_subkeys(TALLOC_CTX *ctx, const struct hive *hive, const struct hive_key *key,
                  uint32_t **cells, uint32_t *count, struct error *err)
{
	uint32_t expected = le32_get(key->nk->subkeys);
	struct collect collect = { NULL, 0 };

	if (expected == 0) {
		*cells = NULL;
		*count = 0;
		return true;
	}
	if (hive->hivex && hivex_handle_subkeys(ctx, hive->hivex, key->cell, expected, cells)) {
		*count = expected;
		return true;
	}
	if (!collect_list(hive, le32_get(key->nk->subkey_list), &collect, err)) {
		talloc_free(collect.cells);
		return error_wrap(err, "subkeys of key 0x%llx", open_place(key->cell));
	}
	if (collect.count != expected && !hive->damaged) {
		talloc_free(collect.cells);
		return error_set(err, ERROR_SOURCE, "key 0x%llx has %u subkeys, its lists %u",
		                 open_place(key->cell), expected, collect.count);
	}
	*cells = talloc_steal(ctx, collect.cells);
	*count = collect.count;
	return true;
}

/* --- looking for one --- */

/* Binary search: the validator has seen that siblings are in strict order. */
static bool search(const struct hive *hive, const uint32_t *cells, uint32_t count, struct name name,
                   struct hive_key *found, struct error *err)
{
	uint32_t low = 0, high = count;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		struct hive_key key;
		int order;

		if (!hive_key_at(hive, cells[middle], &key, err))
			return false;
		order = name_compare(name, key.name);
		if (order == 0) {
			*found = key;
			return true;
		}
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	found->cell = REGF_NIL;
	return true;
}

static bool scan(const struct hive *hive, const uint32_t *cells, uint32_t count, struct name name,
                 struct hive_key *found)
{
	for (uint32_t i = 0; i < count; i++) {
		struct hive_key key;
		struct error ignored;

		if (!hive_key_at(hive, cells[i], &key, &ignored) || !name_equal(key.name, name))
			continue;
		*found = key;
		return true;
	}
	found->cell = REGF_NIL;
	return true;
}

#define LONG_LIST 256u /* subkeys; a shorter list is soon read again */

/* The list of a key's subkeys; a long one is kept for the next look-up. */
static bool list_of(TALLOC_CTX *tmp, const struct hive *hive, const struct hive_key *key,
                    uint32_t **cells, uint32_t *count, struct error *err)
{
	struct last_list *last = hive->last;

	if (le32_get(key->nk->subkeys) < LONG_LIST || hive->damaged)
		return hive_subkeys(tmp, hive, key, cells, count, err);
	if (last->key != key->cell) {
		TALLOC_FREE(last->cells);
		last->key = REGF_NIL;
		if (!hive_subkeys(last, hive, key, &last->cells, &last->count, err))
			return false;
		last->key = key->cell;
	}
	*cells = last->cells;
	*count = last->count;
	return true;
}

static bool child(const struct hive *hive, const struct hive_key *key, const char *text,
                  size_t size, struct hive_key *found, struct error *err)
{
	TALLOC_CTX *tmp = talloc_new(NULL);
	uint32_t *cells, count;
	struct name name;
	bool done;

	if (!tmp)
		return error_memory(err);
	if (!name_well_formed(text, size)) {
		found->cell = REGF_NIL; /* no hive has a key of such a name */
		talloc_free(tmp);
		return true;
	}
	if (!name_from_utf8(tmp, text, size, &name)) {
		talloc_free(tmp);
		return error_memory(err);
	}
	done = list_of(tmp, hive, key, &cells, &count, err) &&
	       (hive->damaged ? scan(hive, cells, count, name, found)
	                      : search(hive, cells, count, name, found, err));
	talloc_free(tmp);
	return done;
}

bool hive_find(const struct hive *hive, const struct hive_key *from, const char *path,
               struct hive_key *found, struct error *err)
{
	struct hive_key key;

	if (from)
		key = *from;
	else if (!hive_root(hive, &key, err))
		return false;
	while (*path && key.cell != REGF_NIL) {
		size_t size = strcspn(path, "\\");

		if (size > 0 && !child(hive, &key, path, size, &key, err))
			return false;
		path += size + (path[size] == '\\');
	}
	*found = key;
	return true;
}

char *hive_path(TALLOC_CTX *ctx, const struct hive *hive, const struct hive_key *key)
{
	char *path = talloc_strdup(ctx, "");
	uint32_t root = le32_get(hive_base(hive)->root);
	struct hive_key at = *key;
	struct error ignored;

	for (unsigned depth = 0; path && at.cell != root && depth < REGF_DEPTH_MAX; depth++) {
		char *name = name_to_utf8(path, at.name);
		char *longer =
			name ? talloc_asprintf(ctx, "%s%s%s", name, *path ? "\\" : "", path) : NULL;

		talloc_free(path);
		path = longer;
		if (!hive_key_at(hive, le32_get(at.nk->parent), &at, &ignored))
			break;
	}
	return path;
}

bool hive_security(const struct hive *hive, const struct hive_key *key, struct bytes *descriptor,
                   struct error *err)
{
	uint32_t cell = le32_get(key->nk->security);
	struct bytes at = open_cell(hive, cell, sizeof(struct regf_security), err);
	const struct regf_security *sk = (const struct regf_security *)at.data;
	const uint8_t *data;

	if (!sk)
		return error_wrap(err, "security of key 0x%llx", open_place(key->cell));
	data = bytes_at(at, sizeof(*sk), le32_get(sk->size));
	if (memcmp(sk->signature, "sk", 2) != 0 || !data)
		return error_set(err, ERROR_SOURCE, "key 0x%llx: cell 0x%llx is no security cell",
		                 open_place(key->cell), open_place(cell));
	*descriptor = (struct bytes){ data, le32_get(sk->size) };
	return true;
}
