/* What a plan does with a file: its old and new bytes go into the plan when it is looked at. */
#include <strings.h>

#include "hive/log.h"
#include "hive/recover.h"
#include "hive/sequence.h"
#include "snapshot/restore/restoring.h"

static struct undo_content describe(const struct image *image)
{
	struct undo_content content = { .present = true,
		                        .size = image->bytes.size,
		                        .image = image };

	digest_bytes(image->bytes, content.digest);
	return content;
}

static bool add(struct restore *r, struct undo_file *file, const char *path, struct error *err)
{
	struct undo *undo = &r->undo;
	struct undo_file *files =
		talloc_realloc(r->ctx, undo->files, struct undo_file, undo->count + 1);

	if (files)
		undo->files = files;
	file->path = talloc_strdup(r->ctx, path);
	if (!files || !file->path)
		return error_memory(err);
	if (undo->count == UNDO_FILES_MAX)
		return error_set(err, ERROR_REFUSED, "more than %u files would change",
		                 UNDO_FILES_MAX);
	files[undo->count++] = *file;
	return true;
}

static bool is_hive(struct bytes bytes)
{
	return bytes.size >= REGF_BASE_SIZE && memcmp(bytes.data, "regf", 4) == 0;
}

/* IMAGE with zeros behind it, up to SIZE: what lies behind its bins Windows ignores. */
static const struct image *padded(struct restore *r, const struct image *image, uint64_t size,
                                  struct error *err)
{
	struct image *longer;

	if (image->bytes.size >= size)
		return image;
	longer = image_copy(r->ctx, image->bytes, err);
	return longer && image_resize(longer, size, err) && image_seal(longer, err) ? longer : NULL;
}

/* Where the new file is a hive and not larger, the file keeps its size: that is data alone. */
static bool put(struct restore *r, struct undo_file *file, const char *path,
                const struct image *old, const struct image *new, struct error *err)
{
	uint64_t least = file->content[UNDO_RECOVERED].size;

	if (old && !restore_refuse_marker(r, path, old, err))
		return false;
	if (old && !r->exact && is_hive(new->bytes) && old->bytes.size > least)
		least = old->bytes.size;
	new = padded(r, new, least, err);
	if (!new)
		return false;
	if (old)
		file->content[UNDO_OLD] = describe(old);
	file->content[UNDO_NEW] = describe(new);
	file->action = undo_action_of(file);
	return add(r, file, path, err);
}

bool restore_file_put(struct restore *r, enum undo_volume volume, const char *path,
                      const struct image *old, const struct image *new, struct error *err)
{
	struct undo_file file = { .volume = volume };

	return put(r, &file, path, old, new, err);
}

bool restore_file_remove(struct restore *r, enum undo_volume volume, const char *path,
                         const struct image *old, struct error *err)
{
	struct undo_file file = { .action = UNDO_REMOVE,
		                  .volume = volume,
		                  .content[UNDO_OLD] = describe(old) };

	return add(r, &file, path, err);
}

bool restore_file_mkdir(struct restore *r, enum undo_volume volume, const char *path,
                        struct error *err)
{
	struct undo_file file = { .action = UNDO_MKDIR, .volume = volume };

	return add(r, &file, path, err);
}

/* A log whose first sector is zeros already is nothing to Windows. */
static bool erase(struct restore *r, const char *path, const struct image *old, struct error *err)
{
	static const uint8_t zeros[TARGET_SECTOR];
	uint64_t size = old->bytes.size < sizeof(zeros) ? old->bytes.size : sizeof(zeros);
	struct undo_file file = { .action = UNDO_ERASE, .content[UNDO_OLD] = describe(old) };
	struct image *new;

	if (memcmp(old->bytes.data, zeros, size) == 0)
		return true;
	new = image_copy(r->ctx, old->bytes, err);
	if (!new || !image_write(new, 0, (struct bytes){ zeros, size }, err) ||
	    !image_seal(new, err))
		return false;
	file.content[UNDO_NEW] = describe(new);
	return add(r, &file, path, err);
}

/* --- a hive and what belongs to it --- */

static bool ends_in(const char *name, const char *suffix)
{
	size_t length = strlen(name), size = strlen(suffix);

	return length >= size && strcasecmp(name + length - size, suffix) == 0;
}

enum belongs { BELONGS_NOT, BELONGS_LOG, BELONGS_TRANSACTIONS };

/* NAME.LOG, .LOG1 and .LOG2; NAME.blf, NAME{...}.TM.blf, NAME.1.container and the like. */
static enum belongs belongs_to(const char *file, const char *hive)
{
	size_t size = strlen(hive);
	const char *rest = file + size;

	if (strncasecmp(file, hive, size) != 0 || (*rest != '.' && *rest != '{'))
		return BELONGS_NOT;
	if (strcasecmp(rest, ".LOG") == 0 || strcasecmp(rest, ".LOG1") == 0 ||
	    strcasecmp(rest, ".LOG2") == 0)
		return BELONGS_LOG;
	return ends_in(rest, ".blf") || ends_in(rest, ".container") || ends_in(rest, ".regtrans-ms")
	               ? BELONGS_TRANSACTIONS
	               : BELONGS_NOT;
}

/* The files beside a hive that belong to it. */
struct siblings {
	struct sibling {
		enum belongs what;
		char *path;
		struct image *image;
	} * list;
	uint32_t count;
};

static bool read_siblings(struct restore *r, const char *folder, const char *name,
                          struct siblings *siblings, struct error *err)
{
	struct volume *volume = r->target.system->volume;
	uint32_t count;
	char **names;

	if (!volume_list(r->ctx, volume, folder, &names, &count, err))
		return false;
	*siblings = (struct siblings){ talloc_zero_array(r->ctx, struct sibling, count + 1), 0 };
	if (!siblings->list)
		return error_memory(err);
	for (uint32_t i = 0; i < count; i++) {
		struct sibling *one = &siblings->list[siblings->count];

		one->what = belongs_to(names[i], name);
		if (one->what == BELONGS_NOT)
			continue;
		one->path = talloc_asprintf(r->ctx, "%s/%s", folder, names[i]);
		if (!one->path)
			return error_memory(err);
		one->image = volume_file(r->ctx, volume, one->path, err);
		if (!one->image)
			return false;
		siblings->count++;
	}
	return true;
}

/* Is the file A later than B? What has no sequence number is of no log that would be applied. */
static bool is_later(const struct image *a, const struct image *b)
{
	uint32_t one, other;

	if (!sequence_last(a->bytes, &one))
		return false;
	return !sequence_last(b->bytes, &other) || log_older(other, one);
}

/*
 * The latest log first. It matters only where a hive is so dirty that its logs do not help: what is
 * left of them then never lacks an entry before the first that Windows would apply.
 */
static void latest_first(struct siblings *siblings)
{
	struct sibling *list = siblings->list;

	for (uint32_t i = 1; i < siblings->count; i++) {
		for (uint32_t j = i; j > 0 && is_later(list[j].image, list[j - 1].image); j--) {
			struct sibling one = list[j];

			list[j] = list[j - 1];
			list[j - 1] = one;
		}
	}
}

/* One more than the last sequence number that any of the old files speaks of, or LAST. */
static uint32_t next_sequence(uint32_t last, const struct image *old,
                              const struct siblings *siblings)
{
	bool known = false;
	uint32_t found;

	for (uint32_t i = 0; i <= siblings->count; i++) {
		const struct image *image = i ? siblings->list[i - 1].image : old;

		if (!image || !sequence_last(image->bytes, &found))
			continue;
		if (!known || log_older(last, found))
			last = found;
		known = true;
	}
	return known ? last + 1 : last;
}

/*
 * What Windows would load of a dirty hive. Without that form its logs could not be erased one by
 * one: with one of two, Windows would make a mixture of it.
 */
static bool recover_old(struct restore *r, const char *path, const struct image *old,
                        struct undo_file *file, struct error *err)
{
	struct volume *volume = r->target.system->volume;
	struct source *source = volume_source(r->ctx, volume, path, err);
	struct error why;
	struct hive *hive;
	const struct image *image;

	if (!source)
		return false;
	hive = hive_open(r->ctx, source, NULL, &why);
	if (!hive || hive_recovery(hive)->condition != RECOVER_REPLAYED)
		return hive || why.kind != ERROR_INTERNAL || error_memory(err);
	if (hive_image(hive)->bytes.size > old->bytes.size && !target_can_change_names(volume))
		return error_set(
			err, ERROR_REFUSED,
			"%s/%s: is dirty, and longer with its logs applied than it is, which "
			"only a mounted volume can give it; mount it, and name the directory",
			volume_path(volume), path);
	image = padded(r, hive_image(hive), old->bytes.size, err);
	if (image)
		file->content[UNDO_RECOVERED] = describe(image);
	return image != NULL;
}

static bool add_siblings(struct restore *r, const struct siblings *siblings, struct error *err)
{
	for (uint32_t i = 0; i < siblings->count; i++) {
		const struct sibling *one = &siblings->list[i];

		if (!(one->what == BELONGS_LOG
		              ? erase(r, one->path, one->image, err)
		              : restore_file_remove(r, UNDO_SYSTEM, one->path, one->image, err)))
			return false;
	}
	return true;
}

bool restore_file_hive(struct restore *r, const char *path, const char *folder, const char *name,
                       const struct image *image, struct error *err)
{
	uint32_t last = le32_get(((const struct regf_base *)image->bytes.data)->sequence2);
	struct undo_file file = { .volume = UNDO_SYSTEM };
	const struct image *old = NULL, *numbered;
	struct siblings siblings;

	if (path && !(old = volume_file(r->ctx, r->target.system->volume, path, err)))
		return false;
	if (old && !recover_old(r, path, old, &file, err))
		return false;
	if (!path && !(path = talloc_asprintf(r->ctx, "%s/%s", folder, name)))
		return error_memory(err);
	if (!read_siblings(r, folder, name, &siblings, err))
		return false;
	latest_first(&siblings);
	numbered = sequence_set(r->ctx, image, next_sequence(last, old, &siblings), err);
	return numbered && put(r, &file, path, old, numbered, err) &&
	       add_siblings(r, &siblings, err);
}
