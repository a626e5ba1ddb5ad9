/* RegSaveKey: walk the subtree, write it, and that is all. */
#include "hive/save.h"

#include "hive/compare.h"
#include "hive/publish.h"
#include "hive/read_back.h"
#include "hive/walk.h"
#include "hive/writer.h"

uint32_t save_minor(const struct hive *hive)
{
	return le32_get(hive_base(hive)->minor) <= 3 ? 3 : 5;
}

static uint32_t minor_of(const struct hive *hive, const struct save_options *options)
{
	return options && options->minor ? options->minor : save_minor(hive);
}

static bool is_whole(const struct hive *hive, const struct hive_key *key)
{
	return key->cell == le32_get(hive_base(hive)->root);
}

static struct save_count count_of(const struct writer_count *written)
{
	return (struct save_count){ written->keys, written->values, written->descriptors };
}

struct image *save_subtree(TALLOC_CTX *ctx, const struct hive *hive, const struct hive_key *key,
                           const struct save_options *options, struct save_count *count,
                           struct error *err)
{
	/* A whole hive comes out at most a little larger; a subtree much smaller: grow then. */
	uint64_t room = is_whole(hive, key) ? hive_image(hive)->bytes.size : 0;
	struct writer *writer = writer_new(NULL, minor_of(hive, options), room, err);
	struct writer_count written;
	struct image *image = NULL;

	if (!writer)
		return NULL;
	if (room) /* else the next subtree is soon looked for */
		hive_rest(hive);
	if (walk_subtree(hive, key, writer_sink(writer), err))
		image = writer_finish(ctx, writer, &written, err);
	talloc_free(writer);
	if (image && count)
		*count = count_of(&written);
	return image;
}

/* Our reader and hivex, each in a thread of its own; hivex comes after the validator. */
static bool same_tree(const struct hive *hive, const struct hive_key *key, const struct hive *back,
                      struct error *err)
{
	struct hive_key root;
	struct read_back *reading = read_back_begin(NULL, back, err);
	bool same = reading && hive_root(back, &root, err) &&
	            compare_subtrees(hive, key, back, &root, err) && read_back_end(reading, err);

	talloc_free(reading);
	return same;
}

bool save_prove(const struct hive *hive, const struct hive_key *key, const struct image *image,
                const char *name, struct error *err)
{
	struct hive *back;
	bool same;

	/* No more than two of these are mapped at a time: source, image, the image in hivex. */
	image_rest(hive_image(hive));
	back = hive_open_image(NULL, image, name, err);
	if (!back)
		return false;
	image_rest(image);
	same = same_tree(hive, key, back, err);
	talloc_free(back);
	image_rest(image);
	if (same)
		return true;
	err->kind = ERROR_INTERNAL;
	return error_wrap(err, "%s: the image is not proved to be as its source, and is not kept",
	                  name);
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

/* The image in the file, to be read back. */
static struct image *write_image(struct publish_file *file, const struct hive *hive,
                                 const struct hive_key *key, const struct save_options *options,
                                 struct save_count *count, struct error *err)
{
	struct writer *writer =
		writer_new_to(file, minor_of(hive, options), publish_file_put, file, err);
	struct writer_count written;
	bool done;

	if (!writer)
		return NULL;
	hive_rest(hive);
	done = walk_subtree(hive, key, writer_sink(writer), err) &&
	       writer_complete(writer, &written, err);
	talloc_free(writer);
	if (!done)
		return NULL;
	*count = count_of(&written);
	return publish_file_image(file, file, err);
}

bool save_file(const struct hive *hive, const struct hive_key *key,
               const struct save_options *options, const char *path, struct save_count *count,
               uint64_t *size, struct error *err)
{
	struct publish_file *file = publish_file_open(NULL, path, err);
	struct image *image;
	bool done;

	if (!file)
		return false;
	image = write_image(file, hive, key, options, count, err);
	if (image)
		publish_file_settle(file);
	done = image && save_prove(hive, key, image, path, err);
	if (!done && err->kind != ERROR_DESTINATION)
		error_wrap(err, "%s", hive_name(hive));
	if (done) {
		*size = image->bytes.size;
		done = publish_file_commit(file, err);
	}
	talloc_free(file);
	return done;
}
