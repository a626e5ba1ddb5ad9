/*
 * (7), the other way round, and the end of going back: what becomes of the journal.
 *
 * A rename that is cut short on NTFS can leave one file under two names, and a rename between two
 * names of one file does nothing: then the old name is removed instead.
 */
#include "hive/image.h"
#include "snapshot/replacing.h"

static bool same_file(TALLOC_CTX *tmp, const struct replacement *r, const char *a, const char *b,
                      bool *same, struct error *err)
{
	struct volume *volume = r->disks[JOURNAL_SYSTEM];
	struct image *one = volume_file(tmp, volume, a, err);
	struct image *two = one ? volume_file(tmp, volume, b, err) : NULL;

	if (two)
		*same = bytes_equal(one->bytes, two->bytes);
	return two != NULL;
}

/* FROM gets the name TO, if it has not got it yet. */
static bool rename_journal(TALLOC_CTX *tmp, const struct replacement *r, const char *from,
                           const char *to, struct error *err)
{
	char *a = replacement_inside(tmp, r, JOURNAL_SYSTEM, from);
	char *b = replacement_inside(tmp, r, JOURNAL_SYSTEM, to);
	enum volume_kind from_kind, to_kind;
	bool same = false;

	if (!replacement_kind(r, JOURNAL_SYSTEM, a, &from_kind, err) ||
	    !replacement_kind(r, JOURNAL_SYSTEM, b, &to_kind, err))
		return false;
	if (from_kind == VOLUME_ABSENT)
		return to_kind == VOLUME_ABSENT || replacement_sync(r, JOURNAL_SYSTEM, b, err);
	if (to_kind != VOLUME_ABSENT && !same_file(tmp, r, a, b, &same, err))
		return false;
	if (same)
		return replacement_sync(r, JOURNAL_SYSTEM, b, err) &&
		       replacement_remove(r, JOURNAL_SYSTEM, a, err);
	return replacement_move(r, JOURNAL_SYSTEM, a, b, err);
}

/* A file of ours in the set-aside directory; that there is none is no error. */
static bool remove_inside(TALLOC_CTX *tmp, const struct replacement *r, const char *name,
                          struct error *err)
{
	char *path = replacement_inside(tmp, r, JOURNAL_SYSTEM, name);
	enum volume_kind kind;

	return replacement_kind(r, JOURNAL_SYSTEM, path, &kind, err) &&
	       (kind == VOLUME_ABSENT || replacement_remove(r, JOURNAL_SYSTEM, path, err));
}

bool replacement_finish(struct replacement *replacement, struct error *err)
{
	TALLOC_CTX *tmp = talloc_new(NULL);
	bool done = tmp ? remove_inside(tmp, replacement, JOURNAL_NAME REPLACEMENT_NEW, err) &&
	                            rename_journal(tmp, replacement, JOURNAL_NAME,
	                                           JOURNAL_LIST_NAME, err)
	                : error_memory(err);

	if (!done) {
		if (err->kind == ERROR_SOURCE)
			err->kind = ERROR_DESTINATION;
		replacement_failed(err);
		error_wrap(err, "all is in place, but the journal of the restore could not be "
		                "closed; --resume does that");
	}
	talloc_free(tmp);
	return done;
}

/* From now on a crash leaves a journal again, also of a restore that was finished. */
bool replacement_reopen(const struct replacement *r, struct error *err)
{
	TALLOC_CTX *tmp = talloc_new(NULL);
	char *path = tmp ? replacement_inside(tmp, r, JOURNAL_SYSTEM, JOURNAL_NAME) : NULL;
	enum volume_kind kind = VOLUME_ABSENT;
	bool done = tmp ? replacement_kind(r, JOURNAL_SYSTEM, path, &kind, err) : error_memory(err);

	if (done && kind == VOLUME_ABSENT)
		done = rename_journal(tmp, r, JOURNAL_LIST_NAME, JOURNAL_NAME, err);
	talloc_free(tmp);
	return done;
}

/* --- taking away what is ours --- */

static bool clean_step(TALLOC_CTX *tmp, const struct replacement *r,
                       const struct journal_step *step, const struct look *look, struct error *err)
{
	char *waiting = replacement_waiting(tmp, step);
	char *aside = step->aside ? replacement_aside(tmp, r, step) : NULL;

	if (!waiting || (step->aside && !aside))
		return error_memory(err);
	if (look->waiting.present && !replacement_remove(r, step->disk, waiting, err))
		return false;
	/* what was set aside is the old file itself, unless that has both names */
	if (look->aside.present && (step->op == JOURNAL_PUT || look->place.present) &&
	    !replacement_remove(r, step->disk, aside, err))
		return false;
	return step->op != JOURNAL_MKDIR || !look->place.directory ||
	       replacement_rmdir(r, step->disk, step->path, err);
}

static bool clean_aside(TALLOC_CTX *tmp, const struct replacement *r, enum journal_disk disk,
                        struct error *err)
{
	static const char *const names[] = { JOURNAL_NAME REPLACEMENT_NEW, JOURNAL_LIST_NAME,
		                             JOURNAL_NAME };
	const char *aside = r->journal->aside[disk];
	enum volume_kind kind;

	if (!aside)
		return true;
	if (!replacement_kind(r, disk, aside, &kind, err))
		return false;
	if (kind != VOLUME_DIRECTORY)
		return true;
	for (unsigned i = 0; disk == JOURNAL_SYSTEM && i < 3; i++) {
		if (!remove_inside(tmp, r, names[i], err))
			return false;
	}
	return replacement_rmdir(r, disk, aside, err);
}

bool replacement_clean(const struct replacement *r, const struct look *looks, struct error *err)
{
	TALLOC_CTX *tmp = talloc_new(NULL);
	bool done = true;

	if (!tmp)
		return error_memory(err);
	for (uint32_t i = r->journal->step_count; done && i-- > 0;)
		done = clean_step(tmp, r, &r->journal->steps[i], &looks[i], err);
	done = done && clean_aside(tmp, r, JOURNAL_QUORUM, err) &&
	       clean_aside(tmp, r, JOURNAL_SYSTEM, err);
	talloc_free(tmp);
	return done;
}
