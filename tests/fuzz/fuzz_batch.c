/*
 * libFuzzer: any bytes as the batch and the companion of a transaction. The first two bytes are
 * the size of the batch. What can be read is carried out on a small tree, and put into a
 * batch again: that one must say the same.
 */
#include <stdlib.h>

#include "hive/tree.h"
#include "snapshot/batch.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct use {
	struct tree *tree;
	struct batch *again;
	bool sound;
};

static bool use(void *data, const struct change *change, struct error *err)
{
	struct use *u = data;
	struct error ignored;

	if (!change_check(change, &ignored)) {
		u->sound = false;
		return true;
	}
	tree_apply(u->tree, change, NULL, &ignored);
	return batch_put(u->again, change, err);
}

static bool count(void *data, const struct change *change, struct error *err)
{
	(void)change;
	(void)err;
	++*(uint64_t *)data;
	return true;
}

/* On the heap and of exactly this size, so that a byte too many is noticed. */
static struct bytes copy(const uint8_t *data, size_t size)
{
	uint8_t *bytes = malloc(size ? size : 1);

	if (!bytes)
		abort();
	if (size)
		memcpy(bytes, data, size);
	return (struct bytes){ bytes, size };
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	TALLOC_CTX *tmp = talloc_new(NULL);
	size_t split = size < 2 ? 0 : (data[0] | (size_t)data[1] << 8) % (size - 1);
	struct bytes commands, companion, made, made_companion;
	struct use u = { .sound = true };
	struct error err;
	uint64_t changes = 0;

	if (size < 2) {
		talloc_free(tmp);
		return 0;
	}
	commands = copy(data + 2, split);
	companion = copy(data + 2 + split, size - 2 - split);
	u.tree = tree_new(tmp, &err);
	u.again = batch_new(tmp, &err);
	if (!u.tree || !u.again)
		abort();
	if (batch_each(commands, companion, use, &u, &err) && u.sound) {
		if (!batch_finish(u.again, &made, &made_companion, &err) ||
		    !batch_each(made, made_companion, count, &changes, &err) ||
		    changes != batch_count(u.again))
			abort();
	}
	talloc_free(tmp);
	free((void *)commands.data);
	free((void *)companion.data);
	return 0;
}
