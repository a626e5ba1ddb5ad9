/* A tree as a hive that was proved. */
#include "hive/tree.h"

struct image *tree_save_proved(TALLOC_CTX *ctx, struct tree *tree, const struct hive *like,
                               const char *name, struct hive **hive, struct error *err)
{
	struct save_options options = { .minor = le32_get(hive_base(like)->minor) > 3 ? 5 : 3 };
	struct image *image = tree_save(ctx, tree, 5, NULL, err);
	struct hive_key root;

	*hive = image ? hive_open_image(ctx, image, name, err) : NULL;
	if (!*hive || !hive_root(*hive, &root, err))
		return NULL;
	image = save_proved(ctx, *hive, &root, &options, name, NULL, err);
	if (image || err->kind != ERROR_REFUSED || options.minor == 5)
		return image;
	options.minor = 5;
	return save_proved(ctx, *hive, &root, &options, name, NULL, err);
}
