/*
 * Everything as it was, from wherever a restore, or an earlier attempt to go back, has stopped.
 *
 * The old file and the new one are exchanged again, or renamed one after the other. Nothing is
 * written that needs room, so a full volume is no obstacle; but for NTFS, where what is at the
 * places is written over (replacement_fill.c).
 */
#include "snapshot/replacing.h"

static bool check_step(const struct replacement *r, const struct journal_step *step,
                       const struct look *look, struct error *err)
{
	if (step->op == JOURNAL_MKDIR)
		return true;
	if (look->place.present && !look->place.old && !look->place.new && !look->place.torn)
		return replacement_changed(r, step,
		                           "was changed by somebody else since the restore began: "
		                           "it is neither the old nor the new file",
		                           err);
	if (step->old.present && !look->place.old && !replacement_kept(look, false))
		return replacement_changed(
			r, step, "the old file is not whole in the set-aside directory", err);
	return true;
}

static bool check_all(const struct replacement *r, const struct look *looks, struct error *err)
{
	for (uint32_t i = 0; i < r->journal->step_count; i++) {
		if (!check_step(r, &r->journal->steps[i], &looks[i], err))
			return false;
	}
	return true;
}

/* A new file where none was goes to where it came from, and is removed there. */
static bool back_step(const struct replacement *r, const struct journal_step *step,
                      struct look *look, struct error *err)
{
	if (step->op == JOURNAL_MKDIR)
		return true; /* when it is empty */
	if (!replacement_resolve(r, step, look, err))
		return false;
	if (step->old.present) {
		if (!look->place.old)
			replacement_tell(r, "put back", step->path);
		return replacement_bring(r, step, look, false, err);
	}
	if (!look->place.present)
		return true;
	replacement_tell(r, "remove", step->path);
	return replacement_take(r, step, look, SLOT_WAITING, err);
}

/* Those that are early, or the others; from the last to the first. */
static bool back_steps(const struct replacement *r, struct look *looks, bool early,
                       struct error *err)
{
	const struct journal_step *steps = r->journal->steps;

	for (uint32_t i = r->journal->step_count; i-- > 0;) {
		if (replacement_is_early(r, &steps[i]) == early &&
		    !back_step(r, &steps[i], &looks[i], err))
			return false;
	}
	return true;
}

static bool carry_out(const struct replacement *r, struct look *looks, struct error *err)
{
	return replacement_reopen(r, err) && back_steps(r, looks, false, err) &&
	       back_steps(r, looks, true, err) && replacement_clean(r, err);
}

static bool stopped(struct error *err)
{
	if (err->kind == ERROR_REFUSED)
		return false;
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
	done = looks && check_all(replacement, looks, err) && carry_out(replacement, looks, err);
	if (!done)
		stopped(err);
	talloc_free(looks);
	return done;
}
