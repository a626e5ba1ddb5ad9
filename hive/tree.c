/* Carrying out changes. Each is checked whole before anything of the tree is touched. */
#include "hive/tree.h"

#include "hive/keyed.h"
#include "hive/tree_nodes.h"

struct tree *tree_new(TALLOC_CTX *ctx, struct error *err)
{
	struct tree *tree = talloc_zero(ctx, struct tree);

	if (!tree) {
		error_memory(err);
		return NULL;
	}
	tree->hash_key = keyed_key();
	tree->top = tree_key_new(tree, NULL, (struct name){ NULL, 0, true }, false, err);
	if (!tree->top)
		TALLOC_FREE(tree);
	return tree;
}

struct tree_count tree_count(const struct tree *tree)
{
	return tree->count;
}

/* --- names and paths --- */

/* WTF-8 that change_check has passed, as a name: the text itself, or in tree->units. */
static struct name make_name(struct tree *tree, const char *text, size_t size)
{
	uint32_t count = 0;

	if (size > 0 && name_ascii(text, size) == size)
		return (struct name){ (const uint8_t *)text, (uint32_t)size, true };

	for (size_t at = 0; at < size && count + 1 < REGF_VALUE_NAME_MAX + 1;) {
		uint32_t code;
		unsigned used = name_get_utf8(text + at, size - at, &code);

		if (used == 0)
			break;
		if (code >= 0x10000) {
			tree->units[count++] = le16_put((uint16_t)(0xd7c0 + (code >> 10)));
			code = 0xdc00 + (code & 0x3ff);
		}
		tree->units[count++] = le16_put((uint16_t)code);
		at += used;
	}
	return (struct name){ (const uint8_t *)tree->units, 2 * count, false };
}

static bool refuse(const struct change *change, const char *why, struct error *err)
{
	return error_set(err, ERROR_SOURCE, "%s '%s'%s%s%s: %s", change_op_name(change->op),
	                 change->key, change->name ? " '" : "", change->name ? change->name : "",
	                 change->name ? "'" : "", why);
}

/* Remembers the key, because the next change is mostly for the same one. */
static void remember(struct tree *tree, const char *path, struct tree_key *key)
{
	size_t size = strlen(path) + 1;

	tree->last = NULL;
	if (size > tree->last_room) {
		talloc_free(tree->last_path);
		tree->last_path = talloc_size(tree, 2 * size);
		tree->last_room = tree->last_path ? 2 * size : 0;
	}
	if (!tree->last_path)
		return;
	memcpy(tree->last_path, path, size);
	tree->last = key;
}

struct tree_key *tree_find_path(struct tree *tree, const char *path, size_t size)
{
	struct tree_key *key = tree->top;

	while (key && size > 0) {
		const char *end = memchr(path, '\\', size);
		size_t part = end ? (size_t)(end - path) : size;

		key = (struct tree_key *)tree_find(tree, key, make_name(tree, path, part), true);
		path += part + (end != NULL);
		size -= part + (end != NULL);
	}
	return key;
}

/* The key that a change is of. */
static struct tree_key *find_key(struct tree *tree, const struct change *change, struct error *err)
{
	struct tree_key *key;

	if (tree->last && strcmp(tree->last_path, change->key) == 0)
		return tree->last;
	key = tree_find_path(tree, change->key, strlen(change->key));
	if (!key)
		refuse(change, "there is no such key", err);
	else
		remember(tree, change->key, key);
	return key;
}

static void touch(struct tree_key *key, const struct tree_rules *rules)
{
	if (rules->now)
		key->time = rules->now;
}

/* --- keys --- */

static struct tree_key *add_key(struct tree *tree, struct tree_key *parent, struct name name,
                                const struct tree_rules *rules, struct error *err)
{
	struct tree_key *key = tree_key_new(tree, parent, name, true, err);

	if (!key)
		return NULL;
	key->descriptor = parent->descriptor;
	key->time = rules->now;
	touch(parent, rules);
	return key;
}

/* With as_reg all that is missing on the way is made. */
static bool create_key(struct tree *tree, const struct change *change,
                       const struct tree_rules *rules, struct error *err)
{
	const char *path = change->key;
	struct tree_key *key = tree->top;
	bool created = false;

	while (*path) {
		size_t size = strcspn(path, "\\");
		struct name name = make_name(tree, path, size);
		struct tree_key *next = (struct tree_key *)tree_find(tree, key, name, true);

		if (!next && path[size] && !rules->as_reg)
			return refuse(change, "its parent is not there", err);
		created = !next;
		if (!next)
			next = add_key(tree, key, name, rules, err);
		if (!next)
			return false;
		key = next;
		path += size + (path[size] == '\\');
	}
	if (!created && !rules->as_reg)
		return refuse(change, "the key is there already", err);
	remember(tree, change->key, key);
	return true;
}

static bool delete_key(struct tree *tree, const struct change *change,
                       const struct tree_rules *rules, struct error *err)
{
	struct tree_key *key = tree_find_path(tree, change->key, strlen(change->key));

	if (!key)
		return rules->as_reg || refuse(change, "there is no such key", err);
	touch(key->node.parent, rules);
	tree_remove(tree, &key->node);
	tree->last = NULL;
	return true;
}

/* --- values --- */

static bool set_value(struct tree *tree, struct tree_key *key, const struct change *change,
                      struct error *err)
{
	struct name name = make_name(tree, change->name, strlen(change->name));
	struct tree_value *value = (struct tree_value *)tree_find(tree, key, name, false);
	struct bytes data;

	if (!tree_copy(tree, change->data, &data, err))
		return false;
	if (!value)
		value = tree_value_new(tree, key, name, true, err);
	if (!value)
		return false;
	value->type = change->type;
	value->data = data;
	return true;
}

static bool order_values(struct tree_key *key, const struct change *change, struct error *err)
{
	uint32_t count = key->values.count, i = 0;
	const le32 *from = (const le32 *)change->data.data;
	struct tree_list ordered = { NULL, NULL, count };
	struct tree_node **nodes;

	if (change->data.size != sizeof(le32) * (uint64_t)count)
		return refuse(change, "the key has another number of values", err);
	nodes = talloc_array(NULL, struct tree_node *, count);
	if (!nodes)
		return error_memory(err);
	for (struct tree_node *node = key->values.first; node; node = node->behind)
		nodes[i++] = node;
	/* A look at all of it before anything is linked anew: every place once. */
	for (i = 0; i < count; i++) {
		uint32_t place = le32_get(from[i]);

		if (place >= count || !nodes[place])
			break;
		nodes[place] = NULL;
	}
	if (i < count) {
		talloc_free(nodes);
		return refuse(change, "it is no order of the values", err);
	}
	i = 0;
	for (struct tree_node *node = key->values.first; node; node = node->behind)
		nodes[i++] = node;
	for (i = 0; i < count; i++) {
		struct tree_node *node = nodes[le32_get(from[i])];

		node->before = ordered.last;
		node->behind = NULL;
		if (ordered.last)
			ordered.last->behind = node;
		else
			ordered.first = node;
		ordered.last = node;
	}
	key->values = ordered;
	talloc_free(nodes);
	return true;
}

static bool delete_value(struct tree *tree, struct tree_key *key, const struct change *change,
                         const struct tree_rules *rules, struct error *err)
{
	struct tree_node *node =
		tree_find(tree, key, make_name(tree, change->name, strlen(change->name)), false);

	if (!node)
		return rules->as_reg || refuse(change, "there is no such value", err);
	tree_remove(tree, node);
	touch(key, rules);
	return true;
}

/* --- all of them --- */

static bool apply_to_key(struct tree *tree, const struct change *change,
                         const struct tree_rules *rules, struct error *err)
{
	struct tree_key *key = find_key(tree, change, err);
	bool done;

	if (!key)
		return false;
	switch (change->op) {
	case CHANGE_SET_VALUE:
		done = set_value(tree, key, change, err);
		break;
	case CHANGE_DELETE_VALUE:
		return delete_value(tree, key, change, rules, err);
	case CHANGE_SET_SECURITY:
		done = tree_copy(tree, change->data, &key->descriptor, err);
		break;
	case CHANGE_SET_CLASS:
		done = tree_copy(tree, change->data, &key->class_name, err);
		break;
	case CHANGE_SET_LINK:
		key->link = change->data.data[0] != 0;
		done = true;
		break;
	case CHANGE_ORDER_VALUES:
		done = order_values(key, change, err);
		break;
	default:
		key->time = le64_get(*(const le64 *)change->data.data);
		return true;
	}
	if (done)
		touch(key, rules);
	return done;
}

bool tree_apply(struct tree *tree, const struct change *change, const struct tree_rules *rules,
                struct error *err)
{
	static const struct tree_rules exact;

	if (!change_check(change, err))
		return false;
	if (!rules)
		rules = &exact;
	if (change->op == CHANGE_CREATE_KEY)
		return create_key(tree, change, rules, err);
	if (change->op == CHANGE_DELETE_KEY)
		return delete_key(tree, change, rules, err);
	return apply_to_key(tree, change, rules, err);
}
