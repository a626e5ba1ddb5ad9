/*
 * libFuzzer: any bytes as a hive that is opened, navigated and written anew, by salvage too.
 *
 * The base block is put right, so that most inputs get that far. What can be opened must be
 * usable without a check of its own: hivex and our reader find the same, every key is found by
 * its path, the saved image is sound and the same tree, and a tree does not differ from itself.
 */
#include <stdlib.h>

#include "hive/cursor.h"
#include "hive/diff.h"
#include "hive/digest.h"
#include "hive/save.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool condition)
{
	if (!condition)
		abort();
}

static struct source *source_of(const uint8_t *data, size_t size)
{
	struct error err = { 0 };
	struct source *source = talloc_zero(NULL, struct source);

	require(source);
	source->name = talloc_strdup(source, "hive");
	source->hive = image_copy(source, (struct bytes){ data, size }, &err);
	require(source->name && source->hive);
	if (size >= REGF_BASE_SIZE) {
		struct regf_base *base = (struct regf_base *)image_data(source->hive);

		base->sequence2 = base->sequence1;
		base->checksum = le32_put(regf_checksum(base));
	}
	require(image_seal(source->hive, &err));
	return source;
}

static bool no_change(void *data, const struct change *change, struct error *err)
{
	(void)data;
	(void)change;
	(void)err;
	abort();
}

/* Each subkey of the root, and the first value of each, by name. */
static void look_up(const struct hive *hive, const struct hive_key *root)
{
	struct error err = { 0 };
	struct cursor subkeys, values;
	struct hive_key key, found;
	struct hive_value value, again;
	uint32_t cell;

	require(cursor_subkeys(&subkeys, hive, root, &err));
	while (cursor_next(&subkeys, &cell, &err)) {
		char *name;

		require(hive_key_at(hive, cell, &key, &err));
		name = name_to_utf8(NULL, key.name);
		require(name && hive_find(hive, NULL, name, &found, &err) && found.cell == cell);
		talloc_free(name);
		require(cursor_values(&values, hive, &key, &err));
		if (!cursor_next(&values, &cell, &err))
			continue;
		require(hive_value_at(hive, cell, &value, &err));
		name = name_to_utf8(NULL, value.name);
		require(name && hive_find_value(hive, &key, name, &again, &err));
		require(again.cell == cell);
		talloc_free(name);
	}
	require(!subkeys.failed);
}

static void use(const struct hive *hive)
{
	uint8_t digest[DIGEST_SIZE], saved[DIGEST_SIZE];
	struct hive_key root, top;
	struct error err = { 0 };
	struct hive *back;
	struct image *image;

	require(hive_root(hive, &root, &err));
	look_up(hive, &root);
	require(diff_subtrees(hive, &root, hive, &root, NULL, no_change, NULL, &err));
	image = save_proved(NULL, hive, &root, NULL, "saved", NULL, &err);
	if (!image) { /* layered keys, and values that format 1.3 cannot hold */
		require(err.kind == ERROR_REFUSED);
		return;
	}
	back = hive_open_image(image, image, "saved", &err);
	require(back && hive_check(back)->problems->worst == PROBLEM_NOTE);
	require(hive_root(back, &top, &err));
	require(digest_subtree(hive, &root, digest, &err) &&
	        digest_subtree(back, &top, saved, &err));
	require(memcmp(digest, saved, DIGEST_SIZE) == 0);
	talloc_free(image);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct source *source = source_of(data, size);
	struct hive_options options = { .left_out = problems_new(source) };
	struct error err = { 0 }, why = { 0 };
	struct hive *sound = hive_open(source, source, NULL, &err);
	struct hive *salvaged = hive_open(source, source, &options, &why);

	require(sound || err.kind == ERROR_SOURCE || err.kind == ERROR_BAD_NEWS);
	require(salvaged || why.kind == ERROR_SOURCE || why.kind == ERROR_REFUSED);
	if (sound) {
		require(salvaged && options.left_out->count == 0);
		use(sound);
	} else if (salvaged) {
		require(options.left_out->count > 0);
		use(salvaged);
	}
	talloc_free(source);
	return 0;
}
