/* RegSaveKey: walk the subtree, write it, and that is all. */
#include "hive/save.h"

#include "hive/walk.h"
#include "hive/writer.h"

static uint32_t choose_minor(const struct hive *hive, const struct save_options *options)
{
	if (options && options->minor)
		return options->minor;
	return le32_get(hive_base(hive)->minor) <= 3 ? 3 : 5;
}

struct image *save_subtree(TALLOC_CTX *ctx, const struct hive *hive, const struct hive_key *key,
                           const struct save_options *options, struct save_count *count,
                           struct error *err)
{
	/* A whole hive comes out at most a little larger; a subtree much smaller: grow then. */
	bool whole = key->cell == le32_get(hive_base(hive)->root);
	struct writer *writer = writer_new(NULL, choose_minor(hive, options),
	                                   whole ? hive_image(hive)->bytes.size : 0, err);
	struct writer_count written;
	struct image *image = NULL;

	if (!writer)
		return NULL;
	if (walk_subtree(hive, key, writer_sink(writer), options ? options->left_out : NULL, err))
		image = writer_finish(ctx, writer, &written, err);
	talloc_free(writer);
	if (image && count)
		*count = (struct save_count){ written.keys, written.values, written.descriptors };
	return image;
}
