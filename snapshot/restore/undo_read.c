/* Reading an undo directory back: it is whole if and only if every byte has its SHA-256. */
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "snapshot/restore/undo.h"

static struct image *read_named(TALLOC_CTX *ctx, int fd, const char *name, struct error *err)
{
	struct image *image = image_read(ctx, fd, name, err);

	if (!image)
		error_wrap(err, "%s", name);
	return image;
}

static bool read_plan(TALLOC_CTX *ctx, int fd, struct undo *undo, struct error *err)
{
	struct image *plan = read_named(ctx, fd, UNDO_PLAN_NAME, err);
	struct image *sums = plan ? read_named(ctx, fd, UNDO_SUMS_NAME, err) : NULL;
	char *wanted;

	if (!sums)
		return false;
	if (!undo_plan_read(ctx, plan->bytes, undo, err))
		return error_wrap(err, UNDO_PLAN_NAME);
	wanted = undo_sums(ctx, undo);
	if (!wanted)
		return error_memory(err);
	return bytes_equal(sums->bytes, (struct bytes){ (uint8_t *)wanted, strlen(wanted) }) ||
	       error_set(err, ERROR_SOURCE,
	                 UNDO_SUMS_NAME
	                 ": is not the list of checksums that belongs to this " UNDO_PLAN_NAME);
}

static bool read_content(TALLOC_CTX *ctx, int fd, const char *name, struct undo_content *content,
                         struct error *err)
{
	uint8_t digest[DIGEST_SIZE];
	struct image *image;

	if (!name)
		return error_memory(err);
	image = read_named(ctx, fd, name, err);
	if (!image)
		return false;
	digest_bytes(image->bytes, digest);
	if (image->bytes.size != content->size || memcmp(digest, content->digest, DIGEST_SIZE) != 0)
		return error_set(err, ERROR_SOURCE,
		                 "%s: is damaged: it has not the size and SHA-256 that the plan "
		                 "says",
		                 name);
	content->image = image;
	return true;
}

/* A log without its first sector is in no file: it is made of the old one. */
static bool erased(TALLOC_CTX *ctx, struct undo_file *file, struct error *err)
{
	static const uint8_t zeros[TARGET_SECTOR];
	struct bytes old = file->content[UNDO_OLD].image->bytes;
	uint64_t size = old.size < sizeof(zeros) ? old.size : sizeof(zeros);
	struct image *image = image_copy(ctx, old, err);
	uint8_t digest[DIGEST_SIZE];

	if (!image || !image_write(image, 0, (struct bytes){ zeros, size }, err) ||
	    !image_seal(image, err))
		return false;
	digest_bytes(image->bytes, digest);
	if (memcmp(digest, file->content[UNDO_NEW].digest, DIGEST_SIZE) != 0)
		return error_set(err, ERROR_SOURCE,
		                 "%s: what is said to be an erased log is something else",
		                 file->path);
	file->content[UNDO_NEW].image = image;
	return true;
}

static bool read_one(TALLOC_CTX *ctx, int fd, struct undo *undo, uint32_t number, struct error *err)
{
	struct undo_file *file = &undo->files[number];

	for (unsigned when = 0; when < UNDO_WHENS; when++) {
		if (undo_has_file(file, when) &&
		    !read_content(ctx, fd, undo_file_name(ctx, undo, number, when),
		                  &file->content[when], err))
			return false;
	}
	return file->action != UNDO_ERASE || erased(ctx, file, err);
}

static bool read_contents(TALLOC_CTX *ctx, int fd, enum undo_how how, struct undo *undo,
                          struct error *err)
{
	for (uint32_t i = 0; i < undo->count; i++) {
		TALLOC_CTX *tmp = talloc_new(NULL);
		bool done;

		if (!tmp)
			return error_memory(err);
		done = read_one(how == UNDO_CONTENTS ? ctx : tmp, fd, undo, i, err);
		talloc_free(tmp);
		for (unsigned when = 0; how == UNDO_VERIFIED && when < UNDO_WHENS; when++)
			undo->files[i].content[when].image = NULL;
		if (!done)
			return false;
	}
	return true;
}

/* They are kept for people: looked at, and not held. */
static bool check_shadows(int fd, struct undo *undo, struct error *err)
{
	for (uint32_t i = 0; i < undo->shadow_count; i++) {
		TALLOC_CTX *tmp = talloc_new(NULL);
		bool done = tmp ? read_content(tmp, fd, undo_shadow_name(tmp, undo, i),
		                               &undo->shadows[i].content, err)
		                : error_memory(err);

		undo->shadows[i].content.image = NULL;
		talloc_free(tmp);
		if (!done)
			return false;
	}
	return true;
}

static void read_state(TALLOC_CTX *ctx, int fd, struct undo *undo)
{
	struct error ignored;
	struct image *image = image_read(ctx, fd, UNDO_STATE_NAME, &ignored);
	const char *text = image ? (const char *)image->bytes.data : "";
	size_t size = image && image->bytes.size < 64 ? (size_t)image->bytes.size : 0;

	undo->state = talloc_strndup(ctx, text, size);
	if (undo->state)
		undo->state[strcspn(undo->state, "\n")] = '\0';
	talloc_free(image);
}

bool undo_read(TALLOC_CTX *ctx, const char *path, enum undo_how how, struct undo *undo,
               struct error *err)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	char *real = realpath(path, NULL);
	bool done;

	if (fd < 0) {
		free(real);
		return error_errno(err, ERROR_SOURCE, "%s", path);
	}
	done = read_plan(ctx, fd, undo, err) && read_contents(ctx, fd, how, undo, err) &&
	       check_shadows(fd, undo, err);
	if (done) {
		undo->path = talloc_strdup(ctx, real ? real : path);
		read_state(ctx, fd, undo);
		done = (undo->path && undo->state) || error_memory(err);
	}
	close(fd);
	free(real);
	return done || error_wrap(err, "%s: is no whole undo directory", path);
}
