/* RegSaveKey: walk the subtree, write it, and that is all. */
#include "hive/save.h"

#include "hive/compare.h"
#include "hive/read_back.h"
#include "hive/walk.h"
#include "hive/writer.h"

uint32_t save_minor(const struct hive *hive)
{
	return le32_get(hive_base(hive)->minor) <= 3 ? 3 : 5;
}

struct image *save_subtree(TALLOC_CTX *ctx, const struct hive *hive, const struct hive_key *key,
                           const struct save_options *options, struct save_count *count,
                           struct error *err)
{
	/* A whole hive comes out at most a little larger; a subtree much smaller: grow then. */
	bool whole = key->cell == le32_get(hive_base(hive)->root);
	uint32_t minor = options && options->minor ? options->minor : save_minor(hive);
	struct writer *writer =
		writer_new(NULL, minor, whole ? hive_image(hive)->bytes.size : 0, err);
	struct writer_count written;
	struct image *image = NULL;

	if (!writer)
		return NULL;
	hive_rest(hive);
	if (walk_subtree(hive, key, writer_sink(writer), err))
		image = writer_finish(ctx, writer, &written, err);
	talloc_free(writer);
	if (image && count)
		*count = (struct save_count){ written.keys, written.values, written.descriptors };
	return image;
}

bool save_prove(const struct hive *hive, const struct hive_key *key, const struct image *image,
                const char *name, struct error *err)
{
	struct hive *back;
	struct hive_key root;
	bool same;

	/* No more than two of these at a time: source, image, the image in hivex. */
	image_rest(hive_image(hive));
	back = hive_open_image(NULL, image, name, err);
	if (!back)
		return false;
	same = read_back(back, err);
	hive_rest(back);
	same = same && hive_root(back, &root, err) && compare_subtrees(hive, key, back, &root, err);
	talloc_free(back);
	if (same)
		return true;
	err->kind = ERROR_INTERNAL;
	return error_wrap(err, "%s: the image differs from its source and is not kept", name);
}

struct image *save_proved(TALLOC_CTX *ctx, const struct hive *hive, const struct hive_key *key,
                          const struct save_options *options, const char *name,
                          struct save_count *count, struct error *err)
{
	struct image *image = save_subtree(ctx, hive, key, options, count, err);

	if (image && !save_prove(hive, key, image, name, err))
		TALLOC_FREE(image);
	return image;
}
