/* Trees come from sources and go to sinks: hive/walk.h on one side, hive/writer.h on the other. */
#include "hive/tree_nodes.h"
#include "hive/walk.h"
#include "hive/writer.h"

/* --- in --- */

struct loader {
	struct sink sink; /* first, so that a sink is a loader */
	struct tree *tree;
	struct tree_key *top;     /* where it goes; its name stays */
	struct tree_key *key;     /* the one that was begun last and has not ended */
	struct tree_value *value; /* whose data is still to come */
	uint8_t *copy;            /* of data in pieces */
	uint64_t done;
};

static bool load_key(struct sink *sink, const struct sink_key *facts, struct error *err)
{
	struct loader *loader = (struct loader *)sink;
	struct tree_key *key = loader->top;

	if (loader->key)
		key = tree_key_new(loader->tree, loader->key, facts->name, false, err);
	if (!key)
		return false;
	key->time = facts->time;
	key->link = facts->link;
	key->class_name = facts->class_name;
	key->descriptor = facts->descriptor;
	loader->key = key;
	return true;
}

static bool load_value(struct sink *sink, const struct sink_value *facts, struct error *err)
{
	struct loader *loader = (struct loader *)sink;

	loader->value = tree_value_new(loader->tree, loader->key, facts->name, false, err);
	if (!loader->value)
		return false;
	loader->value->type = facts->type;
	loader->value->data = (struct bytes){ NULL, facts->size };
	loader->done = 0;
	return true;
}

/* Data in one piece stays where it is. */
static bool load_data(struct sink *sink, struct bytes piece, struct error *err)
{
	struct loader *loader = (struct loader *)sink;
	struct bytes *data = &loader->value->data;

	if (piece.size == data->size) {
		data->data = piece.data;
		return true;
	}
	if (loader->done == 0) {
		loader->copy = tree_take(loader->tree, data->size);
		if (!loader->copy)
			return error_memory(err);
		data->data = loader->copy;
	}
	memcpy(loader->copy + loader->done, piece.data, piece.size);
	loader->done += piece.size;
	return true;
}

static bool load_end(struct sink *sink, struct error *err)
{
	struct loader *loader = (struct loader *)sink;

	(void)err;
	loader->key = loader->key->node.parent;
	return true;
}

static bool load(struct tree *tree, struct tree_key *top, const struct hive *hive,
                 const struct hive_key *key, struct error *err)
{
	struct loader loader = { { load_key, load_value, load_data, load_end },
		                 .tree = tree,
		                 .top = top };

	return walk_subtree(hive, key, &loader.sink, err);
}

struct tree *tree_load(TALLOC_CTX *ctx, const struct hive *hive, const struct hive_key *key,
                       struct error *err)
{
	struct tree *tree = tree_new(ctx, err);

	if (!tree)
		return NULL;
	tree->top->node.name = key->name;
	if (!load(tree, tree->top, hive, key, err))
		TALLOC_FREE(tree);
	return tree;
}

bool tree_replace(struct tree *tree, const char *path, const struct hive *hive,
                  const struct hive_key *key, struct error *err)
{
	const struct change sound = { .op = CHANGE_CREATE_KEY, .key = path };
	struct tree_key *top;

	if (!change_check(&sound, err))
		return false;
	top = tree_find_path(tree, path, strlen(path));
	if (!top)
		return error_set(err, ERROR_SOURCE, "'%s': there is no such key", path);
	tree->last = NULL; /* it may be one of those that go */
	while (top->subkeys.first)
		tree_remove(tree, top->subkeys.first);
	while (top->values.first)
		tree_remove(tree, top->values.first);
	return load(tree, top, hive, key, err);
}

/* --- out --- */

static bool begin(struct sink *sink, struct tree_key *key, struct error *err)
{
	struct sink_key facts = {
		.name = key->node.name,
		.time = key->time,
		.link = key->link,
		.class_name = key->class_name,
		.descriptor = key->descriptor,
		.subkeys = key->subkeys.count,
	};

	if (!tree_sort(key, err) || !sink->begin_key(sink, &facts, err))
		return false;
	for (struct tree_node *node = key->values.first; node; node = node->behind) {
		const struct tree_value *value = (const struct tree_value *)node;
		struct sink_value of_value = { node->name, value->type,
			                       (uint32_t)value->data.size };

		if (!sink->begin_value(sink, &of_value, err) ||
		    (value->data.size > 0 && !sink->data(sink, value->data, err)))
			return false;
	}
	return true;
}

bool tree_walk(struct tree *tree, struct sink *sink, struct error *err)
{
	struct tree_key *key = tree->top;

	if (!begin(sink, key, err))
		return false;
	while (key) {
		struct tree_node *next = key->subkeys.first;

		/* Up until there is a key beside, which may be from the top for good. */
		while (!next) {
			if (!sink->end_key(sink, err))
				return false;
			next = key->node.behind;
			key = key->node.parent;
			if (!key)
				return true;
		}
		key = (struct tree_key *)next;
		if (!begin(sink, key, err))
			return false;
	}
	return true;
}

struct image *tree_save(TALLOC_CTX *ctx, struct tree *tree, uint32_t minor,
                        struct save_count *count, struct error *err)
{
	struct writer *writer = writer_new(NULL, minor, 0, err);
	struct writer_count written;
	struct image *image = NULL;

	if (writer && tree_walk(tree, writer_sink(writer), err))
		image = writer_finish(ctx, writer, &written, err);
	talloc_free(writer);
	if (image && count)
		*count = (struct save_count){ written.keys, written.values, written.descriptors };
	return image;
}
