/*
 * Grouping by times. The list that diff makes is taken apart and put together in another
 * order, which is proved on a tree before anybody gets it: should the times of a hive make no
 * sense, everything comes as one group.
 */
#include "snapshot/infer.h"

#include <stdlib.h>

#include "hive/diff.h"
#include "hive/digest.h"
#include "hive/tree.h"

#define NOWHERE UINT64_MAX /* behind all times */
#define NOT_YET UINT32_MAX

struct item {
	struct change change;
	uint64_t time;
	uint32_t place;     /* in the list of diff */
	uint32_t successor; /* deleted: the create-key of the same name, or NOT_YET */
};

struct inferring {
	TALLOC_CTX *ctx;
	const struct hive *a, *b;
	struct item *items;
	uint32_t count;
	const char *key;                  /* whose time was asked for last */
	uint64_t key_time;                /* NOWHERE: it says nothing */
	uint32_t created[REGF_DEPTH_MAX]; /* create-keys of which the last change is below */
	uint32_t depth;
	struct error *err;
};

/* --- times --- */

/* The time of PATH in B if it is another than in A. */
static bool time_of(struct inferring *in, const char *path, uint64_t *time)
{
	struct hive_key a, b;

	if (!hive_find(in->a, NULL, path, &a, in->err) ||
	    !hive_find(in->b, NULL, path, &b, in->err))
		return false;
	*time = NOWHERE;
	if (b.cell != REGF_NIL && hive_key_time(&b) != 0 &&
	    (a.cell == REGF_NIL || hive_key_time(&a) != hive_key_time(&b)))
		*time = hive_key_time(&b);
	return true;
}

/* The same of the key of a change; most changes are of the key of the one before. */
static bool change_time(struct inferring *in, const struct change *change, uint64_t *time)
{
	const char *slash = strrchr(change->key, '\\');
	char *parent;
	bool done;

	if (change->op == CHANGE_DELETE_KEY) {
		parent = talloc_strndup(in->ctx, change->key,
		                        slash ? (size_t)(slash - change->key) : 0);
		done = parent ? time_of(in, parent, time) : error_memory(in->err);
		talloc_free(parent);
		return done;
	}
	if (!in->key || strcmp(in->key, change->key) != 0) {
		if (!time_of(in, change->key, &in->key_time))
			return false;
		in->key = change->key;
	}
	*time = in->key_time;
	return true;
}

/* --- the list --- */

static struct item *add(struct inferring *in, const struct change *change)
{
	struct item *items = in->items, *item;

	if (in->count == talloc_array_length(items)) {
		items = talloc_realloc(in->ctx, items, struct item, in->count ? 2 * in->count : 64);
		if (!items)
			return NULL;
		in->items = items;
	}
	item = &items[in->count];
	*item = (struct item){ .change = *change, .place = in->count, .successor = NOT_YET };
	item->change.key = in->key && strcmp(in->key, change->key) == 0
	                           ? in->key
	                           : talloc_strdup(in->ctx, change->key);
	if (change->name)
		item->change.name = talloc_strdup(in->ctx, change->name);
	item->change.data.data = talloc_size(in->ctx, change->data.size + 1);
	if (!item->change.key || (change->name && !item->change.name) || !item->change.data.data)
		return NULL;
	if (change->data.size)
		memcpy((uint8_t *)item->change.data.data, change->data.data, change->data.size);
	in->count++;
	return item;
}

static bool is_below(const char *path, const char *key)
{
	size_t size = strlen(key);

	return strncmp(path, key, size) == 0 && (path[size] == '\\' || path[size] == '\0');
}

/* A new key is there before what is below it: it takes the earliest of their times. */
static void note_time(struct inferring *in, const struct item *item)
{
	while (in->depth &&
	       !is_below(item->change.key, in->items[in->created[in->depth - 1]].change.key))
		in->depth--;
	for (uint32_t i = 0; i < in->depth; i++) {
		struct item *above = &in->items[in->created[i]];

		if (item->time < above->time)
			above->time = item->time;
	}
	if (item->change.op == CHANGE_CREATE_KEY && in->depth < REGF_DEPTH_MAX)
		in->created[in->depth++] = item->place;
}

static bool same_name(TALLOC_CTX *ctx, const char *a, const char *b)
{
	struct name one, other;

	return name_from_utf8(ctx, a, strlen(a), &one) &&
	       name_from_utf8(ctx, b, strlen(b), &other) && name_equal(one, other);
}

/*
 * A new key is given its descriptor in so many words: the one that its parent has at that
 * moment may not be the one that diff counted with.
 */
static bool add_security(struct inferring *in, const char *path)
{
	struct change change = { .op = CHANGE_SET_SECURITY, .key = path };
	struct hive_key key;
	struct item *item;

	if (!hive_find(in->b, NULL, path, &key, in->err) || key.cell == REGF_NIL ||
	    !hive_security(in->b, &key, &change.data, in->err))
		return false;
	item = add(in, &change);
	return item || error_memory(in->err);
}

static bool take(void *data, const struct change *change, struct error *err)
{
	struct inferring *in = data;
	struct item *item = add(in, change), *before;
	uint32_t place = in->count - 1;

	if (!item)
		return error_memory(err);
	if (!change_time(in, &item->change, &item->time))
		return false;
	note_time(in, item);
	if (change->op != CHANGE_CREATE_KEY)
		return true;
	before = place ? &in->items[place - 1] : NULL;
	if (before && before->change.op == CHANGE_DELETE_KEY &&
	    same_name(in->ctx, before->change.key, item->change.key))
		before->successor = place;
	return add_security(in, item->change.key);
}

/* What belongs to the birth of a key comes with it, the rest at the key's own time. */
static bool is_birth(const struct item *items, const struct item *item, uint32_t born)
{
	return born != NOT_YET &&
	       (item->change.op == CHANGE_SET_SECURITY || item->change.op == CHANGE_SET_CLASS ||
	        item->change.op == CHANGE_SET_LINK) &&
	       strcmp(items[born].change.key, item->change.key) == 0;
}

static void settle(struct inferring *in)
{
	uint32_t born = NOT_YET;

	for (uint32_t i = 0; i < in->count; i++) {
		struct item *item = &in->items[i];

		if (item->change.op == CHANGE_CREATE_KEY)
			born = i;
		else if (is_birth(in->items, item, born))
			item->time = in->items[born].time;
		else if (item->successor != NOT_YET)
			item->time = in->items[item->successor].time;
	}
}

static int in_order(const void *a, const void *b)
{
	const struct item *one = a, *other = b;

	if (one->time != other->time)
		return one->time < other->time ? -1 : 1;
	return one->place < other->place ? -1 : one->place > other->place;
}

/* --- proof and groups --- */

/* Carried out on A: is it B? Damage of a hive is said by whoever reads it next. */
static bool is_proved(struct inferring *in, const struct hive_key *root_a,
                      const struct hive_key *root_b)
{
	struct error ignored;
	uint8_t expected[DIGEST_SIZE], made[DIGEST_SIZE];
	struct tree *tree = tree_load(in->ctx, in->a, root_a, &ignored);
	struct digest *digest = digest_new(in->ctx);
	bool done = tree && digest && digest_subtree(in->b, root_b, expected, &ignored);

	for (uint32_t i = 0; done && i < in->count; i++)
		done = tree_apply(tree, &in->items[i].change, NULL, &ignored);
	done = done && tree_walk(tree, digest_sink(digest), &ignored);
	if (done)
		digest_finish(digest, made);
	talloc_free(tree);
	return done && memcmp(expected, made, DIGEST_SIZE) == 0;
}

static bool give_groups(struct inferring *in, uint64_t last, infer_fn *each, void *data)
{
	struct batch *batch = batch_new(in->ctx, in->err);
	uint64_t time = in->items[0].time;

	if (!batch)
		return false;
	for (uint32_t i = 0; i < in->count; i++) {
		uint64_t next = i + 1 < in->count ? in->items[i + 1].time : 0;

		if (!batch_put(batch, &in->items[i].change, in->err))
			return false;
		if (i + 1 < in->count && (next == time || next == NOWHERE))
			continue;
		if (!each(data, time == NOWHERE ? last : time, batch, in->err))
			return false;
		batch_clear(batch);
		time = next;
	}
	return true;
}

/* As diff has it, in one group. */
static bool give_whole(struct inferring *in, const struct hive_key *root_a,
                       const struct hive_key *root_b, uint64_t last, infer_fn *each, void *data)
{
	struct batch *batch = batch_new(in->ctx, in->err);

	return batch &&
	       diff_subtrees(in->a, root_a, in->b, root_b, NULL, batch_put, batch, in->err) &&
	       each(data, last, batch, in->err);
}

bool infer_groups(const struct hive *a, const struct hive *b, uint64_t last, infer_fn *each,
                  void *data, struct error *err)
{
	struct inferring *in = talloc_zero(NULL, struct inferring);
	struct hive_key root_a, root_b;
	bool done;

	if (!in)
		return error_memory(err);
	in->ctx = in;
	in->a = a;
	in->b = b;
	in->err = err;
	done = hive_root(a, &root_a, err) && hive_root(b, &root_b, err) &&
	       diff_subtrees(a, &root_a, b, &root_b, NULL, take, in, err);
	if (done && in->count) {
		settle(in);
		qsort(in->items, in->count, sizeof(*in->items), in_order);
		done = is_proved(in, &root_a, &root_b)
		               ? give_groups(in, last, each, data)
		               : give_whole(in, &root_a, &root_b, last, each, data);
	}
	talloc_free(in);
	return done;
}
