/*
 * One hash table holds all keys and values of a tree, under parent and name; siblings are a
 * linked list, values in their order, subkeys in any until somebody wants them sorted. So no
 * operation depends on how many siblings there are.
 */
#include "hive/tree_nodes.h"

#include <stdlib.h>

#include "hive/keyed.h"

#define BLOCK_SIZE ((size_t)64 << 10)

/* --- memory --- */

void *tree_take(struct tree *tree, size_t size)
{
	uint8_t *piece;

	size = (size + 7) & ~(size_t)7;
	if (size > BLOCK_SIZE / 4)
		return talloc_size(tree, size);
	if (size > tree->block_left) {
		uint8_t *block = talloc_size(tree, BLOCK_SIZE);

		if (!block)
			return NULL;
		tree->block = block;
		tree->block_left = BLOCK_SIZE;
	}
	piece = tree->block;
	tree->block += size;
	tree->block_left -= size;
	return piece;
}

bool tree_copy(struct tree *tree, struct bytes from, struct bytes *copy, struct error *err)
{
	uint8_t *data = NULL;

	if (from.size > 0) {
		data = tree_take(tree, from.size);
		if (!data)
			return error_memory(err);
		memcpy(data, from.data, from.size);
	}
	*copy = (struct bytes){ data, from.size };
	return true;
}

/* Names are kept as a hive stores them: one byte a unit where that is enough. */
static bool copy_name(struct tree *tree, struct name from, struct name *copy)
{
	uint32_t length = name_length(from);
	bool narrow = name_compressible(from);
	uint8_t *data = tree_take(tree, narrow ? length : 2 * (size_t)length);

	if (!data)
		return false;
	for (uint32_t i = 0; i < length; i++) {
		uint16_t unit = name_unit(from, i);

		if (narrow) {
			data[i] = (uint8_t)unit;
		} else {
			data[2 * i] = (uint8_t)unit;
			data[2 * i + 1] = (uint8_t)(unit >> 8);
		}
	}
	*copy = (struct name){ data, narrow ? length : 2 * length, narrow };
	return true;
}

/* --- the index --- */

static uint32_t hash_of(const struct tree *tree, const struct tree_key *parent, struct name name,
                        bool is_key)
{
	uint32_t hash = keyed_name(tree->hash_key, name) ^ parent->id * 2654435761u ^ is_key;

	hash ^= hash >> 15;
	hash *= 0x85ebca6bu;
	return hash ^ hash >> 13;
}

static void index_add(struct tree_node **slot, struct tree_node *node)
{
	node->chain = *slot;
	node->link = slot;
	if (node->chain)
		node->chain->link = &node->chain;
	*slot = node;
}

static bool index_grow(struct tree *tree)
{
	uint32_t count = tree->slot_count ? 2 * tree->slot_count : 1024;
	struct tree_node **slots;

	if (tree->nodes < tree->slot_count || tree->slot_count > UINT32_MAX / 4)
		return true;
	slots = talloc_zero_size(tree, sizeof(*slots) * (size_t)count);
	if (!slots)
		return tree->slot_count > 0; /* longer chains, then */
	for (uint32_t i = 0; i < tree->slot_count; i++) {
		struct tree_node *node = tree->slots[i], *next;

		for (; node; node = next) {
			next = node->chain;
			index_add(&slots[node->hash & (count - 1)], node);
		}
	}
	talloc_free(tree->slots);
	tree->slots = slots;
	tree->slot_count = count;
	return true;
}

struct tree_node *tree_find(const struct tree *tree, const struct tree_key *parent,
                            struct name name, bool is_key)
{
	uint32_t hash = hash_of(tree, parent, name, is_key);
	struct tree_node *node;

	if (tree->slot_count == 0)
		return NULL;
	node = tree->slots[hash & (tree->slot_count - 1)];
	while (node && (node->hash != hash || node->parent != parent || node->is_key != is_key ||
	                !name_equal(node->name, name)))
		node = node->chain;
	return node;
}

static void index_remove(struct tree *tree, const struct tree_node *node)
{
	*node->link = node->chain;
	if (node->chain)
		node->chain->link = node->link;
	tree->nodes--;
}

/* --- nodes --- */

static void list_add(struct tree_list *list, struct tree_node *node)
{
	node->before = list->last;
	node->behind = NULL;
	if (list->last)
		list->last->behind = node;
	else
		list->first = node;
	list->last = node;
	list->count++;
}

static void list_remove(struct tree_list *list, struct tree_node *node)
{
	if (node->before)
		node->before->behind = node->behind;
	else
		list->first = node->behind;
	if (node->behind)
		node->behind->before = node->before;
	else
		list->last = node->before;
	list->count--;
}

/* Fills a node that is all zero, and enters it under its parent. */
static bool enter(struct tree *tree, struct tree_node *node, struct tree_key *parent,
                  struct name name, bool copy)
{
	if (copy && !copy_name(tree, name, &name))
		return false;
	if (!index_grow(tree))
		return false;
	node->parent = parent;
	node->name = name;
	node->hash = hash_of(tree, parent, name, node->is_key);
	index_add(&tree->slots[node->hash & (tree->slot_count - 1)], node);
	tree->nodes++;
	list_add(node->is_key ? &parent->subkeys : &parent->values, node);
	return true;
}

struct tree_key *tree_key_new(struct tree *tree, struct tree_key *parent, struct name name,
                              bool copy, struct error *err)
{
	struct tree_key *key = tree_take(tree, sizeof(*key));
	const struct tree_node *last = parent ? parent->subkeys.last : NULL;

	if (key) {
		memset(key, 0, sizeof(*key));
		key->node.is_key = true;
		key->id = ++tree->ids;
		if (!parent)
			key->node.name = (struct name){ (const uint8_t *)"ROOT", 4, true };
	}
	if (!key || (parent && !enter(tree, &key->node, parent, name, copy))) {
		error_memory(err);
		return NULL;
	}
	if (last && name_compare(last->name, key->node.name) >= 0)
		parent->unsorted = true;
	tree->count.keys++;
	return key;
}

struct tree_value *tree_value_new(struct tree *tree, struct tree_key *parent, struct name name,
                                  bool copy, struct error *err)
{
	struct tree_value *value = tree_take(tree, sizeof(*value));

	if (value)
		memset(value, 0, sizeof(*value));
	if (!value || !enter(tree, &value->node, parent, name, copy)) {
		error_memory(err);
		return NULL;
	}
	tree->count.values++;
	return value;
}

static void remove_value(struct tree *tree, struct tree_node *node)
{
	index_remove(tree, node);
	list_remove(&node->parent->values, node);
	tree->count.values--;
}

void tree_remove(struct tree *tree, struct tree_node *node)
{
	struct tree_node *at = node;

	if (!node->is_key) {
		remove_value(tree, node);
		return;
	}
	/* From the leaves up: always down to the first subkey that is still there. */
	for (;;) {
		struct tree_key *key = (struct tree_key *)at;
		struct tree_node *next;

		if (key->subkeys.first) {
			at = key->subkeys.first;
			continue;
		}
		while (key->values.first)
			remove_value(tree, key->values.first);
		next = &key->node.parent->node;
		index_remove(tree, at);
		list_remove(&at->parent->subkeys, at);
		tree->count.keys--;
		if (at == node)
			return;
		at = next;
	}
}

static int by_name(const void *a, const void *b)
{
	return name_compare((*(struct tree_node *const *)a)->name,
	                    (*(struct tree_node *const *)b)->name);
}

bool tree_sort(struct tree_key *key, struct error *err)
{
	struct tree_list sorted = { NULL, NULL, 0 };
	uint32_t count = key->subkeys.count, i = 0;
	struct tree_node **nodes;

	if (!key->unsorted)
		return true;
	nodes = talloc_array(NULL, struct tree_node *, count);
	if (!nodes)
		return error_memory(err);
	for (struct tree_node *node = key->subkeys.first; node; node = node->behind)
		nodes[i++] = node;
	qsort(nodes, count, sizeof(*nodes), by_name);
	for (i = 0; i < count; i++)
		list_add(&sorted, nodes[i]);
	key->subkeys = sorted;
	key->unsorted = false;
	talloc_free(nodes);
	return true;
}
