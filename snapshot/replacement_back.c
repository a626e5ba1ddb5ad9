/*
 * Everything as it was, from wherever a restore, or an earlier attempt to go back, has stopped.
 *
 * The copy of an old file is renamed over the new one. On ntfs-3g, where that is not atomic in a
 * crash, the copy is whole under its own name until the place has it. Nothing is written that
 * needs room, so a full volume is no obstacle.
 */
#include "snapshot/replacing.h"

/* --- what can be done, before anything is --- */

static bool check_put(const struct replacement *r, const struct journal_step *step,
                      const struct look *look, struct error *err)
{
	if (look->place.present && !look->place.old && !look->place.new)
		return replacement_changed(
			r, step,
			"was changed by somebody else since the restore began: it "
			"is neither the old nor the new file",
			err);
	if (step->old.present && !look->place.old && !look->aside.old)
		return replacement_changed(
			r, step,
			"there is no whole copy of the old file in the set-aside "
			"directory",
			err);
	return true;
}

static bool check_aside(const struct replacement *r, const struct journal_step *step,
                        const struct look *look, struct error *err)
{
	if (look->place.present && !look->place.old)
		return replacement_changed(
			r, step, "was changed by somebody else since the restore began", err);
	if (look->aside.present && !look->aside.old)
		return replacement_changed(
			r, step, "another file has its name in the set-aside directory", err);
	if (!look->place.present && !look->aside.present)
		return replacement_changed(r, step, "is gone, and not in the set-aside directory",
		                           err);
	return true;
}

static bool check_all(const struct replacement *r, const struct look *looks, struct error *err)
{
	for (uint32_t i = 0; i < r->journal->step_count; i++) {
		const struct journal_step *step = &r->journal->steps[i];

		if (step->op == JOURNAL_PUT && !check_put(r, step, &looks[i], err))
			return false;
		if (step->op == JOURNAL_ASIDE && !check_aside(r, step, &looks[i], err))
			return false;
	}
	return true;
}

/* --- doing it --- */

/* The old file, from the set-aside directory to its place. */
static bool move_back(const struct replacement *r, const struct journal_step *step,
                      struct error *err)
{
	char *aside = replacement_aside(NULL, r, step);
	bool done = aside ? replacement_sync(r, step->disk, aside, err) &&
	                            replacement_move(r, step->disk, aside, step->path, err)
	                  : error_memory(err);

	talloc_free(aside);
	return done;
}

static bool back_step(const struct replacement *r, const struct journal_step *step,
                      const struct look *look, struct error *err)
{
	if (step->op == JOURNAL_MKDIR)
		return true; /* when it is empty */
	if (step->old.present && !look->place.old) {
		replacement_tell(r, "put back", step->path);
		return move_back(r, step, err);
	}
	if (step->old.present)
		return replacement_sync(r, step->disk, step->path, err);
	if (!look->place.present)
		return true;
	replacement_tell(r, "remove", step->path);
	return replacement_remove(r, step->disk, step->path, err);
}

static bool carry_out(const struct replacement *r, const struct look *looks, struct error *err)
{
	if (!replacement_reopen(r, err))
		return false;
	for (uint32_t i = r->journal->step_count; i-- > 0;) {
		if (!back_step(r, &r->journal->steps[i], &looks[i], err))
			return false;
	}
	return replacement_clean(r, looks, err);
}

static bool stopped(struct error *err)
{
	if (err->kind == ERROR_SOURCE)
		err->kind = ERROR_DESTINATION;
	replacement_failed(err);
	return error_wrap(err, "the rollback is not finished; nothing is lost, and --rollback can "
	                       "be repeated");
}

bool replacement_back(struct replacement *replacement, replacement_progress *progress, void *data,
                      struct error *err)
{
	struct look *looks = NULL;
	bool done;

	replacement->progress = progress;
	replacement->data = data;
	if (replacement_writable(replacement, err))
		looks = replacement_look_all(NULL, replacement, err);
	done = looks && check_all(replacement, looks, err);
	if (done)
		done = carry_out(replacement, looks, err) || stopped(err);
	talloc_free(looks);
	return done;
}
