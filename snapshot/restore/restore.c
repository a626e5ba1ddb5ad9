/* Carrying a plan out. One that was interrupted: restore_again.c. */
#include "snapshot/restore/restoring.h"

#define LOOKS 10u /* at a volume that changes while it is looked at */

struct replacement *restore_replacement(struct restore *r, struct error *err)
{
	struct volume *disks[JOURNAL_DISKS] = {
		[JOURNAL_SYSTEM] = r->target.system->volume,
		[JOURNAL_QUORUM] = r->quorum ? r->quorum->volume : NULL,
	};

	return replacement_new(r->ctx, disks, &r->journal, err);
}

/* Adds to a failure to write what is known of the volume. */
static bool unable(const struct restore *r, struct error *err)
{
	if (err->kind == ERROR_DESTINATION && r->target.system->hibernated)
		error_wrap(err,
		           "Windows on it is hibernated, so ntfs-3g mounts it read-only unless "
		           "told -o remove_hiberfile");
	return false;
}

bool restore_check(struct restore *r, struct error *err)
{
	struct replacement *replacement;
	bool done;

	if (r->journal.step_count == 0)
		return true;
	replacement = restore_replacement(r, err);
	done = replacement && replacement_check(replacement, err);
	talloc_free(replacement);
	return done || unable(r, err);
}

static bool refuse_changing(struct restore *r, struct error *err)
{
	struct error why = *err;

	if (!restore_refuse(r, "changing", err,
	                    "%s; if anything else writes to that volume, stop it; then run this "
	                    "again",
	                    why.text))
		return false;
	return r->refusal_count ? restore_refused(r, err) : error_wrap(err, "after many looks");
}

/* The look at everything again, which found it as it was no more. */
static bool look_again(struct restore *r, const struct error *why, struct error *err)
{
	if (!restore_plan(r->ctx, r->options, r, err))
		return false;
	problems_add(r->warnings, PROBLEM_HEALS, PROBLEM_NOWHERE, "changing",
	             "forced: looked at everything again, because %s", why->text);
	return true;
}

/* NULL with ERROR_NONE: there is nothing to do (any more). */
static struct replacement *prepare(struct restore *r, struct error *err)
{
	unsigned looks = restore_forced(r, "changing") ? LOOKS : 1;
	struct error why;

	while (r->journal.step_count) {
		struct replacement *replacement = restore_replacement(r, err);

		if (!replacement) {
			error_wrap(err, "nothing was changed");
			return NULL;
		}
		if (replacement_prepare(replacement, r->contents, r->options->progress,
		                        r->options->progress_data, err))
			return replacement;
		talloc_free(replacement);
		if (err->kind != ERROR_REFUSED || --looks == 0) {
			err->kind == ERROR_REFUSED ? refuse_changing(r, err) : unable(r, err);
			return NULL;
		}
		why = *err;
		if (!look_again(r, &why, err))
			return NULL;
	}
	err->kind = ERROR_NONE;
	return NULL;
}

bool restore_run(struct restore *r, struct error *err)
{
	const struct restore_options *options = r->options;
	struct replacement *replacement = prepare(r, err);
	bool done;

	if (!replacement)
		return err->kind == ERROR_NONE;
	done = replacement_forward(replacement, options->progress, options->progress_data, err) &&
	       replacement_finish(replacement, err);
	if (done)
		replacement_remains(replacement, false, r->warnings);
	talloc_free(replacement);
	return done;
}
