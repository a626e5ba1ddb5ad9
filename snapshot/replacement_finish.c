/*
 * (7), the other way round, and the end of going back: what becomes of the journal.
 *
 * Both are created and neither is renamed: see replacement_ghost.c. While both are there the
 * journal counts, and once it is gone, or its name is lost, the list.
 */
#include "hive/image.h"
#include "hive/publish_step.h"
#include "snapshot/replacing.h"

/*
 * A file of ours in the set-aside directory; that there is none is no error. One that is of no
 * matter any more MAY_STAY if its name is lost.
 */
static bool remove_inside(TALLOC_CTX *tmp, const struct replacement *r, const char *name,
                          bool may_stay, struct error *err)
{
	char *path = replacement_inside(tmp, r, JOURNAL_SYSTEM, name);
	enum volume_kind kind;

	return replacement_kind(r, JOURNAL_SYSTEM, path, &kind, err) &&
	       (kind == VOLUME_ABSENT || replacement_remove(r, JOURNAL_SYSTEM, path, err) ||
	        (may_stay && kind == VOLUME_OTHER));
}

/* The bytes of FROM as TO, if there is a whole FROM. */
static bool copy_inside(TALLOC_CTX *tmp, const struct replacement *r, const char *from,
                        const char *to, struct error *err)
{
	char *a = replacement_inside(tmp, r, JOURNAL_SYSTEM, from);
	char *b = replacement_inside(tmp, r, JOURNAL_SYSTEM, to);
	enum volume_kind kind;
	struct image *image;
	struct site *site;

	if (!replacement_kind(r, JOURNAL_SYSTEM, a, &kind, err))
		return false;
	if (kind != VOLUME_FILE)
		return true;
	if (!b)
		return error_memory(err);
	image = volume_file(tmp, r->disks[JOURNAL_SYSTEM], a, err);
	site = image ? replacement_site(tmp, r, JOURNAL_SYSTEM, b, err) : NULL;
	return site && publish_step_file(site->fd, site->name, image->bytes, -1, site->shown, err);
}

/* Is the list's own name one that nobody can use? */
static bool list_is_lost(TALLOC_CTX *tmp, const struct replacement *r)
{
	char *path = replacement_inside(tmp, r, JOURNAL_SYSTEM, JOURNAL_LIST_NAME);
	enum volume_kind kind;
	struct error ignored;

	return replacement_kind(r, JOURNAL_SYSTEM, path, &kind, &ignored) && kind != VOLUME_FILE &&
	       kind != VOLUME_ABSENT;
}

static bool write_list(TALLOC_CTX *tmp, const struct replacement *r, struct error *err)
{
	return copy_inside(tmp, r, JOURNAL_NAME, JOURNAL_LIST_NAME, err) ||
	       (list_is_lost(tmp, r) && copy_inside(tmp, r, JOURNAL_NAME, JOURNAL_LIST_OTHER, err));
}

/* What publish_step_room has left; a lost name stays. */
static bool remove_room(TALLOC_CTX *tmp, const struct replacement *r, enum journal_disk disk,
                        struct error *err)
{
	const char *aside = r->journal->aside[disk];
	struct error ignored;
	char **names, *path;
	uint32_t count;

	if (!volume_list(tmp, r->disks[disk], aside, &names, &count, err))
		return false;
	for (uint32_t i = 0; i < count; i++) {
		if (!publish_step_is_room(names[i]))
			continue;
		path = replacement_inside(tmp, r, disk, names[i]);
		if (!path)
			return error_memory(err);
		replacement_remove(r, disk, path, &ignored);
	}
	return true;
}

/* A set-aside directory in which nothing was set aside. */
static bool remove_unused(TALLOC_CTX *tmp, const struct replacement *r, enum journal_disk disk,
                          struct error *err)
{
	enum volume_kind kind = VOLUME_ABSENT;

	if (r->journal->aside[disk] &&
	    !replacement_kind(r, disk, r->journal->aside[disk], &kind, err))
		return false;
	return kind != VOLUME_DIRECTORY ||
	       (remove_room(tmp, r, disk, err) &&
	        replacement_rmdir(r, disk, r->journal->aside[disk], err));
}

bool replacement_finish(struct replacement *replacement, struct error *err)
{
	TALLOC_CTX *tmp = talloc_new(NULL);
	bool done;

	done = tmp ? remove_unused(tmp, replacement, JOURNAL_QUORUM, err) &&
	                       write_list(tmp, replacement, err) &&
	                       remove_room(tmp, replacement, JOURNAL_SYSTEM, err) &&
	                       remove_inside(tmp, replacement, JOURNAL_NAME, false, err)
	           : error_memory(err);
	talloc_free(tmp);
	if (done)
		return true;
	replacement_failed(err);
	return error_wrap(err, "all is in place, but the journal of the restore could not be "
	                       "closed; --resume does that");
}

bool replacement_reopen(const struct replacement *r, struct error *err)
{
	TALLOC_CTX *tmp = talloc_new(NULL);
	char *path = tmp ? replacement_inside(tmp, r, JOURNAL_SYSTEM, JOURNAL_NAME) : NULL;
	enum volume_kind kind = VOLUME_ABSENT;
	bool done = tmp ? replacement_kind(r, JOURNAL_SYSTEM, path, &kind, err) : error_memory(err);

	if (done && kind == VOLUME_ABSENT)
		done = copy_inside(tmp, r,
		                   list_is_lost(tmp, r) ? JOURNAL_LIST_OTHER : JOURNAL_LIST_NAME,
		                   JOURNAL_NAME, err);
	talloc_free(tmp);
	return done;
}

/* --- taking away what is ours --- */

static bool remove_directory(const struct replacement *r, const struct journal_step *step,
                             struct error *err)
{
	enum volume_kind kind;

	return replacement_kind(r, step->disk, step->path, &kind, err) &&
	       (kind != VOLUME_DIRECTORY || replacement_rmdir(r, step->disk, step->path, err));
}

/* A new directory, if it is empty. */
static bool clean_directory(TALLOC_CTX *tmp, const struct replacement *r,
                            const struct journal_step *step, const char *waiting, struct error *err)
{
	enum volume_kind kind, other;
	char **names;
	uint32_t count;

	if (!replacement_kind(r, step->disk, step->path, &kind, err) ||
	    !replacement_kind(r, step->disk, waiting, &other, err))
		return false;
	if (other == VOLUME_DIRECTORY && !replacement_discard(r, step, waiting, err))
		return false;
	if (kind != VOLUME_DIRECTORY)
		return true;
	if (!volume_list(tmp, r->disks[step->disk], step->path, &names, &count, err))
		return false;
	if (count > 0)
		return true;
	if (replacement_same(r, step, waiting)) /* a ghost, which then is lost */
		return replacement_rmdir(r, step->disk, step->path, err);
	return replacement_move(r, step->disk, step->path, waiting, err) &&
	       replacement_discard(r, step, waiting, err);
}

static bool clean_slots(TALLOC_CTX *tmp, const struct replacement *r,
                        const struct journal_step *step, struct error *err)
{
	for (unsigned i = 0; i < SLOTS; i++) {
		char *path = NULL;

		if (!replacement_has_slot(step, i))
			continue;
		path = replacement_slot(tmp, r, step, i);
		if (!path)
			return error_memory(err);
		if (!replacement_discard(r, step, path, err))
			return false;
	}
	return true;
}

static bool clean_step(TALLOC_CTX *tmp, const struct replacement *r,
                       const struct journal_step *step, struct error *err)
{
	char *waiting = replacement_slot(tmp, r, step, SLOT_WAITING);
	enum volume_kind kind;

	if (!waiting)
		return error_memory(err);
	if (!replacement_kind(r, step->disk, r->journal->aside[step->disk], &kind, err))
		return false;
	if (kind != VOLUME_DIRECTORY) /* not there any more, or lost */
		return step->op != JOURNAL_MKDIR || remove_directory(r, step, err);
	return step->op == JOURNAL_MKDIR ? clean_directory(tmp, r, step, waiting, err)
	                                 : clean_slots(tmp, r, step, err);
}

bool replacement_clean(const struct replacement *r, struct error *err)
{
	TALLOC_CTX *tmp = talloc_new(NULL);
	bool done = true;

	if (!tmp)
		return error_memory(err);
	for (uint32_t i = r->journal->step_count; done && i-- > 0;)
		done = clean_step(tmp, r, &r->journal->steps[i], err);
	done = done && remove_unused(tmp, r, JOURNAL_QUORUM, err) &&
	       remove_inside(tmp, r, JOURNAL_LIST_NAME, true, err) &&
	       remove_inside(tmp, r, JOURNAL_LIST_OTHER, true, err) &&
	       remove_inside(tmp, r, JOURNAL_NAME, false, err) &&
	       remove_unused(tmp, r, JOURNAL_SYSTEM, err);
	talloc_free(tmp);
	return done;
}
