/*
 * What shadow copies show of the files that will be written to. Whoever writes past Windows changes
 * what they show: so it is kept before, where it is not what the file is now. A file that is
 * created counts, too: what a copy shows of an earlier one may lie in clusters that are free by
 * now.
 *
 * Planning, each file of each copy is read and its hash taken; its bytes are read once more when
 * the undo directory is made, as all of them may be more than fits into memory.
 */
#include "checkpoint/disk/shadow.h"
#include "snapshot/restore/restoring.h"

/* The shadow copies of a volume, and one of them. */
struct look {
	struct restore *r;
	enum undo_volume which;
	const char *top; /* the path in the copies of the directory that is restored to */
	struct shadow *shadow;
	uint32_t number;
	struct volume *copy;
};

static bool add(const struct look *look, uint32_t file, char *path, const struct image *image,
                struct error *err)
{
	struct restore *r = look->r;
	struct undo *undo = &r->undo;
	struct undo_shadow *list =
		talloc_realloc(r->ctx, undo->shadows, struct undo_shadow, undo->shadow_count + 1);

	if (!list)
		return error_memory(err);
	undo->shadows = list;
	if (undo->shadow_count == UNDO_SHADOWS_MAX)
		return error_set(err, ERROR_REFUSED, "the shadow copies show more than %u files",
		                 UNDO_SHADOWS_MAX);
	list[undo->shadow_count] =
		(struct undo_shadow){ .file = file,
		                      .store = look->number + 1,
		                      .created = shadow_created(look->shadow, look->number),
		                      .content = { .present = true, .size = image->bytes.size },
		                      .copy = look->copy,
		                      .path = path };
	digest_bytes(image->bytes, list[undo->shadow_count++].content.digest);
	return true;
}

/* A file that is not there, or is as it is now, is nothing to keep. */
static bool keep_file(const struct look *look, uint32_t number, struct error *err)
{
	struct restore *r = look->r;
	const struct undo_file *file = &r->undo.files[number];
	const struct undo_content *old = &file->content[UNDO_OLD];
	char *path = talloc_asprintf(r->ctx, "%s/%s", look->top, file->path);
	struct volume_entry entry;
	struct image *image;
	bool done;

	if (!path)
		return error_memory(err);
	if (!volume_find(r->ctx, look->copy, path, &entry, err))
		return false;
	if (entry.kind != VOLUME_FILE)
		return true;
	image = volume_file(r->ctx, look->copy, entry.path, err);
	if (!image)
		return false;
	done = (old->present && bytes_equal(image->bytes, old->image->bytes)) ||
	       add(look, number, entry.path, image, err);
	talloc_free(image);
	return done;
}

/* Does a failure leave something to be done? *WHY is the first one that is not the last word. */
static bool goes_on(bool done, const struct error *failure, struct error *why, struct error *err)
{
	if (done)
		return true;
	if (failure->kind != ERROR_SOURCE) {
		*err = *failure;
		return false;
	}
	if (why->kind == ERROR_NONE)
		*why = *failure;
	return true;
}

/* Of one copy. False for what is no fault of the copy; what is one is in *WHY. */
static bool keep_copy(struct look *look, struct error *why, struct error *err)
{
	struct restore *r = look->r;
	struct error failure = { 0 };
	struct medium *medium = shadow_medium(r->ctx, look->shadow, look->number, &failure);

	look->copy = medium ? volume_of_medium(r->ctx, medium, &failure) : NULL;
	if (!look->copy)
		return goes_on(false, &failure, why, err);
	for (uint32_t i = 0; i < r->undo.count; i++) {
		if (r->undo.files[i].volume == look->which &&
		    !goes_on(keep_file(look, i, &failure), &failure, why, err))
			return false;
	}
	return true;
}

/* All copies of a volume. What can be read is kept, also where the rest is a refusal. */
static bool keep_volume(struct restore *r, enum undo_volume which, struct volume *volume,
                        struct error *err)
{
	struct look look = { .r = r, .which = which };
	struct error why = { .kind = ERROR_NONE };
	char *top = NULL;
	struct medium *medium = volume_medium(r->ctx, volume, &top, &why);

	look.top = top;
	look.shadow = medium ? shadow_open(r->ctx, medium, &why) : NULL;
	if (why.kind != ERROR_NONE && why.kind != ERROR_SOURCE) {
		*err = why;
		return false;
	}
	for (; look.shadow && look.number < shadow_count(look.shadow); look.number++) {
		if (!keep_copy(&look, &why, err))
			return false;
	}
	return why.kind == ERROR_NONE ||
	       restore_refuse(r, "shadow-unreadable", err,
	                      "%s: shadow copies of the volume cannot be read: %s; what they show "
	                      "of the files that are written to would change, and is kept nowhere",
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
