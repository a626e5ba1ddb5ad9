/*
 * Writing a hive image in one pass over the tree.
 *
 * Nothing that has been written is read again: the image goes to a file while it is made. A
 * key's subkey lists get their cells before the first subkey and are filled in as the subkeys
 * come; what a key knows of its subkeys is set when they have been seen.
 */
#include <nettle/sha2.h>

#include "hive/writer_internal.h"

/* --- security --- */

static bool put_security(struct writer *w, struct bytes bytes, uint32_t *cell, struct error *err)
{
	struct descriptor *descriptor = descriptors_use(w->descriptors, bytes);
	struct regf_security sk = { .signature = "sk", .size = le32_put((uint32_t)bytes.size) };

	if (!descriptor)
		return error_memory(err);
	if (!descriptor->cell) {
		if (!cells_new(&w->cells, sizeof(sk) + bytes.size, &descriptor->cell, err) ||
		    !cells_set(&w->cells, descriptor->cell, 0, &sk, sizeof(sk), err) ||
		    !cells_set(&w->cells, descriptor->cell, sizeof(sk), bytes.data, bytes.size,
		               err))
			return false;
	}
	*cell = descriptor->cell;
	return true;
}

/* One ring through all security cells, and the number of keys that use each. */
static bool link_security(struct writer *w, struct error *err)
{
	const struct descriptors *all = w->descriptors;

	for (uint32_t i = 0; i < all->count; i++) {
		const le32 links[] = { /* next, previous, references */
			               le32_put(all->list[(i + 1) % all->count].cell),
			               le32_put(all->list[(i + all->count - 1) % all->count].cell),
			               le32_put(all->list[i].references)
		};

		if (!cells_set(&w->cells, all->list[i].cell, offsetof(struct regf_security, next),
		               links, sizeof(links), err))
			return false;
	}
	return true;
}

/* The values of a key are complete: their list, and then room for the list of subkeys. */
static bool end_values(struct writer *w, struct level *level, struct error *err)
{
	uint32_t list = REGF_NIL;
	struct bytes values = { (const uint8_t *)w->values, w->value_count * sizeof(le32) };

	if (level->values_done)
		return true;
	level->values_done = true;
	if (!writer_end_value(w, err) ||
	    (values.size && !cells_put(&w->cells, values, &list, err)) ||
	    (level->subkeys && !writer_new_lists(w, level, err)))
		return false;
	level->value_list = list;
	level->values = w->value_count;
	w->value_count = 0;
	return true;
}

/* --- the sink: keys --- */

/* LEVEL becomes that of the key. */
static bool put_key(struct writer *w, const struct sink_key *key, struct level *level,
                    struct error *err)
{
	bool compressed = name_compressible(key->name), is_root = w->depth == 0;
	uint32_t name_size = name_length(key->name) * (compressed ? 1 : 2);
	const uint8_t *name = writer_name(w, key->name, compressed);
	uint32_t flags = (compressed ? REGF_KEY_COMP_NAME : 0) |
	                 (key->link ? REGF_KEY_SYM_LINK : 0) |
	                 (is_root ? REGF_KEY_HIVE_ENTRY | REGF_KEY_NO_DELETE : 0);
	struct regf_key nk = {
		.signature = "nk",
		.flags = le16_put((uint16_t)flags),
		.time = le64_put(key->time),
		.parent = le32_put(is_root ? REGF_NIL : w->levels[w->depth - 1].key),
		.subkeys = le32_put(key->subkeys),
		.name_size = le16_put((uint16_t)name_size),
		.class_size = le16_put((uint16_t)key->class_name.size),
	};

	*level =
		(struct level){ .list = REGF_NIL, .class_name = REGF_NIL, .subkeys = key->subkeys };
	if (is_root) {
		memcpy(w->root_name, name, name_size);
		w->root_name_size = name_size;
	}
	return cells_new(&w->cells, sizeof(nk) + name_size, &level->key, err) &&
	       cells_set(&w->cells, level->key, 0, &nk, sizeof(nk), err) &&
	       cells_set(&w->cells, level->key, sizeof(nk), name, name_size, err) &&
	       (key->class_name.size == 0 ||
	        cells_put(&w->cells, key->class_name, &level->class_name, err)) &&
	       put_security(w, key->descriptor, &level->security, err);
}

/* What is known of a key when all that is in it has been seen, and what lies between. */
static bool end_nk(struct writer *w, const struct level *level, struct error *err)
{
	const le32 late[] = {
		le32_put(level->list), /* subkey_list, and then volatile_list */
		le32_put(REGF_NIL),
		le32_put(level->values),
		le32_put(level->value_list),
		le32_put(level->security),
		le32_put(level->class_name),
		le32_put(level->max_name), /* max_subkey_name */
		le32_put(level->max_class),
		le32_put(level->max_value_name),
		le32_put(level->max_value_data),
	};

	return cells_set(&w->cells, level->key, offsetof(struct regf_key, subkey_list), late,
	                 sizeof(late), err);
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
	struct level *level = &w->levels[w->depth], *parent = w->depth ? level - 1 : NULL;

	if (!check_key(w, key, err) || (parent && !end_values(w, parent, err)) ||
	    !put_key(w, key, level, err))
		return false;
	if (parent) {
		if (!writer_list_subkey(w, parent, level->key, key->name, err))
			return false;
		writer_raise(&parent->max_name, 2 * name_length(key->name));
		writer_raise(&parent->max_class, (uint32_t)key->class_name.size);
	}
	w->depth++;
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

	if (!end_values(w, level, err))
		return false;
	if (level->seen != level->subkeys)
		return error_set(err, ERROR_INTERNAL, "a key gets fewer subkeys than announced");
	if (level->list != REGF_NIL)
		w->leaf_count = level->leaves;
	w->depth--;
	return end_nk(w, level, err);
}

/* --- the whole --- */

static struct writer *new_writer(TALLOC_CTX *ctx, uint32_t minor, struct error *err)
{
	struct writer *w = talloc_zero(ctx, struct writer);

	if (w)
		w->descriptors = descriptors_new(w);
	if (!w || !w->descriptors) {
		talloc_free(w);
		error_memory(err);
		return NULL;
	}
	w->minor = minor;
	w->sink = (struct sink){ begin_key, writer_begin_value, writer_data, end_key };
	return w;
}

/* Into an image in memory, which grows by half where ROOM was too little. */
static bool put_in_image(void *to, uint64_t offset, struct bytes bytes, struct error *err)
{
	struct image *image = to;
	uint64_t end = offset + bytes.size, size = image->bytes.size;

	if (end > size && !image_resize(image, end + end / 2, err))
		return false;
	return image_write(image, offset, bytes, err);
}

struct writer *writer_new(TALLOC_CTX *ctx, uint32_t minor, uint64_t room, struct error *err)
{
	struct writer *w = new_writer(ctx, minor, err);

	if (w)
		w->image = image_new(w, REGF_BASE_SIZE + (room < REGF_BINS_MAX ? room : 0), err);
	if (w && w->image && cells_begin(w, &w->cells, put_in_image, w->image, false, err))
		return w;
	talloc_free(w);
	return NULL;
}

struct writer *writer_new_to(TALLOC_CTX *ctx, uint32_t minor, spool_put_fn *put, void *to,
                             struct error *err)
{
	struct writer *w = new_writer(ctx, minor, err);

	if (w && cells_begin(w, &w->cells, put, to, true, err))
		return w;
	talloc_free(w);
	return NULL;
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
	uint8_t digest[SHA256_DIGEST_SIZE];
	struct sha256_ctx sha;

	sha256_init(&sha);
	for (unsigned i = 0; i < sizeof(facts) / sizeof(facts[0]); i++) {
		le64 fact = le64_put(facts[i]);

		sha256_update(&sha, sizeof(fact), fact.b);
	}
	sha256_update(&sha, w->root_name_size, w->root_name);
	sha256_digest(&sha, sizeof(digest), digest);
	memcpy(base->rm_id, digest, 16);
	memcpy(base->log_id, digest, 16);
	memcpy(base->tm_id, digest + 16, 16);
}

static void put_base(const struct writer *w, struct regf_base *base)
{
	memset(base, 0, sizeof(*base));
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

bool writer_complete(struct writer *w, struct writer_count *count, struct error *err)
{
	struct regf_base base;

	if (w->depth || !w->keys)
		return error_set(err, ERROR_INTERNAL, "the tree is not complete");
	if (!cells_close(&w->cells, err) || !link_security(w, err))
		return false;
	put_base(w, &base);
	if (!cells_finish(&w->cells, &base, err))
		return false;
	*count = (struct writer_count){ w->keys, w->value_total, w->descriptors->count };
	return true;
}

struct image *writer_finish(TALLOC_CTX *ctx, struct writer *w, struct writer_count *count,
                            struct error *err)
{
	if (!writer_complete(w, count, err) ||
	    !image_resize(w->image, w->cells.end + REGF_BASE_SIZE, err) ||
	    !image_seal(w->image, err))
		return NULL;
	return talloc_steal(ctx, w->image);
}
