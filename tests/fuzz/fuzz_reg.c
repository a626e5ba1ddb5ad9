/*
 * Any bytes as .reg text. What can be read is written again in both encodings and read back,
 * and then it must be the same list of changes.
 */
#include <stdlib.h>

#include "hive/reg.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct list {
	struct reg_writer *writer; /* or NULL */
	uint64_t sum, count;
};

static uint64_t add(uint64_t sum, const void *data, uint64_t size)
{
	for (uint64_t i = 0; i < size; i++)
		sum = (sum ^ ((const uint8_t *)data)[i]) * 0x100000001b3;
	return (sum ^ size) * 0x100000001b3;
}

/* A key that is made where the writer is in it already leaves no line: it does not count. */
static bool each(void *data, const struct change *change, struct error *err)
{
	struct list *list = data;

	if (change->op != CHANGE_CREATE_KEY) {
		list->sum = add(list->sum, &change->op, sizeof(change->op));
		list->sum = add(list->sum, change->key, strlen(change->key));
		list->sum = add(list->sum, change->name, change->name ? strlen(change->name) : 0);
		list->sum = add(list->sum, &change->type, sizeof(change->type));
		list->sum = add(list->sum, change->data.data, change->data.size);
		list->count++;
	}
	return !list->writer || reg_write(list->writer, change, err);
}

static bool collect(void *data, struct bytes text, struct error *err)
{
	uint8_t **all = data;
	size_t before = talloc_get_size(*all);

	(void)err;
	*all = talloc_realloc_size(NULL, *all, before + text.size);
	if (!*all)
		abort();
	memcpy(*all + before, text.data, text.size);
	return true;
}

static void again(struct bytes text, const char *root, bool utf8)
{
	TALLOC_CTX *tmp = talloc_new(NULL);
	struct reg_options options = { .root = root ? root : "", .utf8 = utf8 };
	uint8_t *all = talloc_size(tmp, 0);
	struct error err = { 0 };
	struct list first = { 0 }, second = { 0 };

	first.writer = reg_writer_new(tmp, &options, collect, &all, &err);
	if (!first.writer || !reg_read(text, root, each, &first, &err) ||
	    !reg_write_end(first.writer, NULL, &err) ||
	    !reg_read((struct bytes){ all, talloc_get_size(all) }, root, each, &second, &err) ||
	    first.count != second.count || first.sum != second.sum)
		abort();
	talloc_free(tmp);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const roots[] = { NULL, "HKEY_LOCAL_MACHINE\\Cluster" };
	struct bytes text = { data, size };

	for (unsigned i = 0; i < 2; i++) {
		struct error err = { 0 };
		struct list list = { 0 };

		if (!reg_read(text, roots[i], each, &list, &err)) {
			if (err.kind != ERROR_SOURCE || !err.text[0])
				abort();
			continue;
		}
		again(text, roots[i], true);
		again(text, roots[i], false);
	}
	return 0;
}
