/*
 * Writing a hive image in one pass over the tree.
 *
 * Everything is addressed by cell offset, because the image may move when it grows. Memory
 * fresh from the image is zero, so that only what is not zero is written. A key's subkey
 * lists get their cells before the first subkey and are filled in as the subkeys come.
 */
#include <nettle/sha2.h>

#include "hive/writer_internal.h"

/* --- subkey lists --- */

static bool new_leaf(struct writer *w, uint32_t count, uint32_t *cell, struct error *err)
{
	struct regf_list *leaf;

	if (!cells_new(&w->cells, sizeof(*leaf) + count * sizeof(struct regf_leaf_entry), cell,
	               err))
		return false;
	leaf = cells_at(&w->cells, *cell);
	memcpy(leaf->signature, w->minor >= 5 ? "lh" : "lf", 2);
	leaf->count = le16_put((uint16_t)count);
	return true;
}

static bool new_lists(struct writer *w, struct level *level, struct error *err)
{
	uint32_t leaves = (level->subkeys + REGF_LEAF_MAX - 1) / REGF_LEAF_MAX;
	struct regf_list *index;

	if (leaves == 1)
		return new_leaf(w, level->subkeys, &level->list, err);
	if (leaves > UINT16_MAX)
		return error_set(err, ERROR_REFUSED, "%u subkeys are more than a list can hold",
		                 level->subkeys);
	if (!cells_new(&w->cells, sizeof(*index) + leaves * sizeof(le32), &level->list, err))
		return false;
	index = cells_at(&w->cells, level->list);
	memcpy(index->signature, "ri", 2);
	index->count = le16_put((uint16_t)leaves);
	for (uint32_t i = 0; i < leaves; i++) {
		uint32_t left = level->subkeys - i * REGF_LEAF_MAX, leaf;

		if (!new_leaf(w, left < REGF_LEAF_MAX ? left : REGF_LEAF_MAX, &leaf, err))
			return false;
		index = cells_at(&w->cells, level->list);
		((le32 *)(index + 1))[i] = le32_put(leaf);
	}
	return true;
}

/* Enters the subkey in its parent's list. */
static void list_subkey(struct writer *w, struct level *parent, uint32_t cell, struct name name)
{
	uint32_t leaf = parent->list, i = parent->seen++;
	struct regf_leaf_entry *entry;

	if (parent->subkeys > REGF_LEAF_MAX) {
		const struct regf_list *index = cells_at(&w->cells, parent->list);

		leaf = le32_get(((const le32 *)(index + 1))[i / REGF_LEAF_MAX]);
		i %= REGF_LEAF_MAX;
	}
	entry = (struct regf_leaf_entry *)((struct regf_list *)cells_at(&w->cells, leaf) + 1) + i;
	entry->key = le32_put(cell);
	if (w->minor >= 5) {
		le32 hash = le32_put(name_hash(name));

		memcpy(entry->hint, &hash, sizeof(hash));
	} else {
		name_hint(name, entry->hint);
	}
}

/* --- security --- */

static bool put_security(struct writer *w, struct bytes bytes, uint32_t *cell, struct error *err)
{
	struct descriptor *descriptor = descriptors_use(w->descriptors, bytes);
	struct regf_security *sk;

	if (!descriptor)
		return error_memory(err);
	if (!descriptor->cell) {
		if (!cells_new(&w->cells, sizeof(*sk) + bytes.size, &descriptor->cell, err))
			return false;
		sk = cells_at(&w->cells, descriptor->cell);
		memcpy(sk->signature, "sk", 2);
		sk->size = le32_put((uint32_t)bytes.size);
		memcpy(sk->descriptor, bytes.data, bytes.size);
	}
	*cell = descriptor->cell;
	return true;
}

/* One ring through all security cells, and the number of keys that use each. */
static void link_security(struct writer *w)
{
	const struct descriptors *all = w->descriptors;

	for (uint32_t i = 0; i < all->count; i++) {
		struct regf_security *sk = cells_at(&w->cells, all->list[i].cell);

		sk->next = le32_put(all->list[(i + 1) % all->count].cell);
		sk->previous = le32_put(all->list[(i + all->count - 1) % all->count].cell);
		sk->references = le32_put(all->list[i].references);
	}
}

/* The values of a key are complete: their list, and then room for the list of subkeys. */
static bool end_values(struct writer *w, struct level *level, struct error *err)
{
	uint32_t list = REGF_NIL;
	struct regf_key *nk;
	le32 *cells;

	if (level->values_done)
		return true;
	level->values_done = true;
	if (!writer_end_value(w, err))
		return false;
	if (w->value_count) {
		if (!cells_new(&w->cells, w->value_count * sizeof(le32), &list, err))
			return false;
		cells = cells_at(&w->cells, list);
		for (uint32_t i = 0; i < w->value_count; i++)
			cells[i] = le32_put(w->values[i]);
	}
	if (level->subkeys && !new_lists(w, level, err))
		return false;
	nk = cells_at(&w->cells, level->key);
	nk->values = le32_put(w->value_count);
	nk->value_list = le32_put(list);
	nk->subkey_list = le32_put(level->list);
	w->value_count = 0;
	return true;
}

/* --- the sink: keys --- */

static bool put_key(struct writer *w, const struct sink_key *key, uint32_t *cell, struct error *err)
{
	bool compressed = name_compressible(key->name), is_root = w->depth == 0;
	uint32_t name_size = writer_name_size(key->name, compressed);
	uint32_t class_name = REGF_NIL, security = REGF_NIL;
	struct regf_key *nk;

	if (!cells_new(&w->cells, sizeof(*nk) + name_size, cell, err) ||
	    (key->class_name.size && !cells_put(&w->cells, key->class_name, &class_name, err)) ||
	    !put_security(w, key->descriptor, &security, err))
		return false;
	nk = cells_at(&w->cells, *cell);
	memcpy(nk->signature, "nk", 2);
	nk->flags = le16_put((uint16_t)((compressed ? REGF_KEY_COMP_NAME : 0) |
	                                (key->link ? REGF_KEY_SYM_LINK : 0) |
	                                (is_root ? REGF_KEY_HIVE_ENTRY | REGF_KEY_NO_DELETE : 0)));
	nk->time = le64_put(key->time);
	nk->parent = le32_put(is_root ? REGF_NIL : w->levels[w->depth - 1].key);
	nk->subkeys = le32_put(key->subkeys);
	nk->volatile_list = le32_put(REGF_NIL);
	nk->security = le32_put(security);
	nk->class_name = le32_put(class_name);
	nk->name_size = le16_put((uint16_t)name_size);
	nk->class_size = le16_put((uint16_t)key->class_name.size);
	writer_put_name(nk->name, key->name, compressed);
	return true;
}

static bool check_key(const struct writer *w, const struct sink_key *key, struct error *err)
{
	uint32_t length = name_length(key->name);

	if (length == 0 || length > REGF_KEY_NAME_MAX)
		return error_set(err, ERROR_REFUSED, "a key's name of %u units is not possible",
		                 length);
	if (key->class_name.size > UINT16_MAX)
		return error_set(err, ERROR_REFUSED, "a class name of %llu bytes is too long",
		                 (unsigned long long)key->class_name.size);
	if (w->depth == REGF_DEPTH_MAX)
		return error_set(err, ERROR_REFUSED, "more than %u levels of keys", REGF_DEPTH_MAX);
	if (w->depth && w->levels[w->depth - 1].seen == w->levels[w->depth - 1].subkeys)
		return error_set(err, ERROR_INTERNAL, "a key gets more subkeys than announced");
	return true;
}

static bool begin_key(struct sink *sink, const struct sink_key *key, struct error *err)
{
	struct writer *w = (struct writer *)sink;
	struct level *parent = w->depth ? &w->levels[w->depth - 1] : NULL;
	uint32_t cell;

	if (!check_key(w, key, err) || (parent && !end_values(w, parent, err)) ||
	    !put_key(w, key, &cell, err))
		return false;
	if (parent) {
		list_subkey(w, parent, cell, key->name);
		writer_raise(&parent->max_name, 2 * name_length(key->name));
		writer_raise(&parent->max_class, (uint32_t)key->class_name.size);
	}
	w->levels[w->depth++] =
		(struct level){ .key = cell, .list = REGF_NIL, .subkeys = key->subkeys };
	w->keys++;
	w->time_sum += key->time;
	if (key->time > w->newest)
		w->newest = key->time;
	return true;
}

static bool end_key(struct sink *sink, struct error *err)
{
	struct writer *w = (struct writer *)sink;
	struct level *level = &w->levels[w->depth - 1];
	struct regf_key *nk;

	if (!end_values(w, level, err))
		return false;
	if (level->seen != level->subkeys)
		return error_set(err, ERROR_INTERNAL, "a key gets fewer subkeys than announced");
	nk = cells_at(&w->cells, level->key);
	nk->max_subkey_name = le32_put(level->max_name);
	nk->max_class = le32_put(level->max_class);
	nk->max_value_name = le32_put(level->max_value_name);
	nk->max_value_data = le32_put(level->max_value_data);
	w->depth--;
	return true;
}

/* --- the whole --- */

struct writer *writer_new(TALLOC_CTX *ctx, uint32_t minor, uint64_t room, struct error *err)
{
	struct writer *w = talloc_zero(ctx, struct writer);

	if (w)
		w->descriptors = descriptors_new(w);
	if (!w || !w->descriptors) {
		talloc_free(w);
		error_memory(err);
		return NULL;
	}
	if (!cells_begin(w, &w->cells, room, err)) {
		talloc_free(w);
		return NULL;
	}
	w->minor = minor;
	w->sink = (struct sink){ begin_key, writer_begin_value, writer_data, end_key };
	return w;
}

struct sink *writer_sink(struct writer *writer)
{
	return &writer->sink;
}

/*
 * GUIDs that follow from the tree: the same tree gives the same ones, another tree others.
 * They are made of what the pass over it has summed up anyway; every change of a tree that
 * Windows makes changes a key's time.
 */
static void put_guids(const struct writer *w, struct regf_base *base)
{
	const uint64_t facts[] = { w->keys,   w->value_total, w->data_total,
		                   w->newest, w->time_sum,    w->cells.end };
	const struct regf_key *root = cells_at(&w->cells, sizeof(struct regf_bin));
	uint8_t digest[SHA256_DIGEST_SIZE];
	struct sha256_ctx sha;

	sha256_init(&sha);
	for (unsigned i = 0; i < sizeof(facts) / sizeof(facts[0]); i++) {
		le64 fact = le64_put(facts[i]);

		sha256_update(&sha, sizeof(fact), fact.b);
	}
	sha256_update(&sha, le16_get(root->name_size), root->name);
	sha256_digest(&sha, sizeof(digest), digest);
	memcpy(base->rm_id, digest, 16);
	memcpy(base->log_id, digest, 16);
	memcpy(base->tm_id, digest + 16, 16);
}

static void put_base(const struct writer *w)
{
	struct regf_base *base = (struct regf_base *)image_data(w->cells.image);

	memcpy(base->signature, "regf", 4);
	base->sequence1 = base->sequence2 = le32_put(1);
	base->time = le64_put(w->newest ? w->newest : 1); /* 0 would say "never written" */
	base->major = le32_put(1);
	base->minor = le32_put(w->minor);
	base->format = le32_put(1);
	base->root = le32_put(sizeof(struct regf_bin));
	base->bins_size = le32_put((uint32_t)w->cells.end);
	base->cluster = le32_put(1);
	memcpy(base->rmtm, "rmtm", 4);
	put_guids(w, base);
	base->checksum = le32_put(regf_checksum(base));
}

struct image *writer_finish(TALLOC_CTX *ctx, struct writer *w, struct writer_count *count,
                            struct error *err)
{
	if (w->depth || !w->keys) {
		error_set(err, ERROR_INTERNAL, "the tree is not complete");
		return NULL;
	}
	if (!cells_finish(&w->cells, err))
		return NULL;
	link_security(w);
	put_base(w);
	if (!image_resize(w->cells.image, w->cells.end + REGF_BASE_SIZE, err) ||
	    !image_seal(w->cells.image, err))
		return NULL;
	*count = (struct writer_count){ w->keys, w->value_total, w->descriptors->count };
	return talloc_steal(ctx, w->cells.image);
}
