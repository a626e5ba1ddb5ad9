/*
 * What shadow copies show of the files that will be written to. Whoever writes past Windows changes
 * what they show: so it is kept before, where it is not what the file is now.
 */
#include "checkpoint/disk/shadow.h"
#include "snapshot/restore/restoring.h"

static bool add(struct restore *r, uint32_t file, uint32_t store, uint64_t created,
                const struct image *image, struct error *err)
{
	struct undo *undo = &r->undo;
	struct undo_shadow *list =
		talloc_realloc(r->ctx, undo->shadows, struct undo_shadow, undo->shadow_count + 1);

	if (!list)
		return error_memory(err);
	undo->shadows = list;
	if (undo->shadow_count == UNDO_SHADOWS_MAX)
		return error_set(err, ERROR_REFUSED, "the shadow copies show more than %u files",
		                 UNDO_SHADOWS_MAX);
	list[undo->shadow_count] = (struct undo_shadow){
		.file = file,
		.store = store,
		.created = created,
		.content = { .present = true, .size = image->bytes.size, .image = image }
	};
	digest_bytes(image->bytes, list[undo->shadow_count++].content.digest);
	return true;
}

/* A file that is not there, or is as it is now, is nothing to keep. */
static bool keep_file(struct restore *r, struct volume *copy, uint32_t number, uint32_t store,
                      uint64_t created, struct error *err)
{
	const struct undo_file *file = &r->undo.files[number];
	const struct undo_content *old = &file->content[UNDO_OLD];
	struct volume_entry entry;
	struct image *image;

	if (!old->present)
		return true;
	if (!volume_find(r->ctx, copy, file->path, &entry, err))
		return false;
	if (entry.kind != VOLUME_FILE)
		return true;
	image = volume_file(r->ctx, copy, entry.path, err);
	if (!image)
		return false;
	return bytes_equal(image->bytes, old->image->bytes) ||
	       add(r, number, store, created, image, err);
}

static bool keep_copy(struct restore *r, enum undo_volume which, struct shadow *shadow,
                      uint32_t number, struct error *err)
{
	struct medium *medium = shadow_medium(r->ctx, shadow, number, err);
	struct volume *copy = medium ? volume_of_medium(r->ctx, medium, err) : NULL;
	uint64_t created = copy ? shadow_created(shadow, number) : 0;
	bool done = copy != NULL;

	for (uint32_t i = 0; done && i < r->undo.count; i++) {
		if (r->undo.files[i].volume == which)
			done = keep_file(r, copy, i, number + 1, created, err);
	}
	talloc_free(copy);
	talloc_free(medium);
	return done;
}

/* All copies of a volume; what cannot be read is a refusal that can be overridden. */
static bool keep_volume(struct restore *r, enum undo_volume which, struct volume *volume,
                        struct error *err)
{
	struct medium *medium = volume_medium(r->ctx, volume);
	struct shadow *shadow = NULL;
	struct error why = { 0 };
	bool done = true;

	if (medium)
		shadow = shadow_open(r->ctx, medium, &why);
	for (uint32_t i = 0; done && shadow && i < shadow_count(shadow); i++)
		done = keep_copy(r, which, shadow, i, &why);
	talloc_free(shadow);
	talloc_free(medium);
	if (why.kind == ERROR_NONE)
		return true;
	if (why.kind != ERROR_SOURCE) {
		*err = why;
		return false;
	}
	return restore_refuse(r, "shadow-unreadable", err,
	                      "%s: %s; what they show of the files that are written to would "
	                      "change and is kept nowhere",
	                      volume_path(volume), why.text);
}

bool restore_shadows(struct restore *r, struct error *err)
{
	struct volume *system = r->target.system->volume;
	struct volume *quorum = r->undo.disks[UNDO_QUORUM].path ? r->quorum->volume : NULL;

	if (r->undo.count == 0)
		return true;
	if (!keep_volume(r, UNDO_SYSTEM, system, err) ||
	    (quorum && !keep_volume(r, UNDO_QUORUM, quorum, err)))
		return false;
	if (r->undo.shadow_count)
		problems_add(r->warnings, PROBLEM_NOTE, PROBLEM_NOWHERE, "shadow-kept",
		             "shadow copies of the volume show other versions of files that are "
		             "written to, and writing changes what they show: %u versions are kept "
		             "in the folder shadow of the undo directory",
		             r->undo.shadow_count);
	return r->refusal_count == 0 || restore_refused(r, err);
}
