/*
 * (4) to (6), from wherever a crash has left it.
 *
 * What the step has done already is made durable again before the next one, for who was killed
 * between a rename and its fsync has only done half of it.
 */
#include <fcntl.h>
#include <unistd.h>

#include "snapshot/journal_format.h"
#include "snapshot/replacing.h"

/* --- what can be done, before anything is --- */

static const char changed[] = "was changed by somebody else since the restore began: it is neither "
			      "the old nor the new file";
static const char gone[] = "is gone, and the old file is not whole in the set-aside directory";

/* *READY becomes false if (1) to (3) were not finished. */
static bool check_put(const struct replacement *r, const struct journal_step *step,
                      const struct look *look, bool *ready, struct error *err)
{
	if (look->place.new)
		return true;
	if (look->place.present && !look->place.old && !look->place.torn)
		return replacement_changed(r, step, changed, err);
	if (!look->place.present && step->old.present && !replacement_kept(look, false))
		return replacement_changed(r, step, gone, err);
	if (!replacement_kept(look, true) ||
	    (look->place.old && replacement_weak(r, step->disk) && !replacement_kept(look, false)))
		*ready = false;
	return true;
}

static bool check_aside(const struct replacement *r, const struct journal_step *step,
                        const struct look *look, struct error *err)
{
	if (look->place.present && !look->place.old && !look->place.torn)
		return replacement_changed(r, step, changed, err);
	return look->place.present || replacement_kept(look, false) ||
	       replacement_changed(r, step, gone, err);
}

static bool check_step(const struct replacement *r, const struct journal_step *step,
                       const struct look *look, bool *ready, struct error *err)
{
	switch (step->op) {
	case JOURNAL_PUT:
		return check_put(r, step, look, ready, err);
	case JOURNAL_ASIDE:
		return check_aside(r, step, look, err);
	default:
		return !look->place.present || look->place.directory ||
		       replacement_changed(r, step, "is there and is no directory", err);
	}
}

static bool check_all(const struct replacement *r, const struct look *looks, struct error *err)
{
	const struct journal_step *steps = r->journal->steps;
	bool ready = true;

	for (uint32_t i = 0; i < r->journal->step_count; i++) {
		bool this_one = true;

		if (!check_step(r, &steps[i], &looks[i], &this_one, err))
			return false;
		if (!this_one && ready)
			error_set(
				err, ERROR_BAD_NEWS,
				"%s/%s: the new file, or the copy of the old one, is not there "
				"whole: the restore was interrupted before anything was replaced; "
				"it can be put back and begun anew",
				volume_path(r->disks[steps[i].disk]), steps[i].path);
		ready = ready && this_one;
	}
	return ready;
}

/* --- doing it --- */

/* Both files stay whole in the set-aside directory until those at all places are durable. */
static bool waits(const struct replacement *r, const struct journal_step *step)
{
	return step->op == JOURNAL_PUT && replacement_weak(r, step->disk);
}

static bool forward_step(const struct replacement *r, const struct journal_step *step,
                         struct look *look, struct error *err)
{
	replacement_tell(r, journal_op_names[step->op], step->path);
	if (step->op == JOURNAL_MKDIR)
		return look->place.present || replacement_mkdir(r, step->disk, step->path, err);
	if (!replacement_resolve(r, step, look, err))
		return false;
	if (step->op == JOURNAL_PUT && !replacement_bring(r, step, look, true, err))
		return false;
	if (step->op == JOURNAL_ASIDE && look->place.present &&
	    !replacement_take(r, step, look, SLOT_ASIDE, err))
		return false;
	return waits(r, step) || replacement_settle(r, step, look, err);
}

/* A run that never set anything aside may have had its empty directory removed by another. */
static bool make_asides(const struct replacement *r, struct error *err)
{
	for (unsigned i = 0; i < JOURNAL_DISKS; i++) {
		const char *path = r->journal->aside[i];
		enum volume_kind kind;

		if (!path || !replacement_needs_aside(r, i))
			continue;
		if (!replacement_kind(r, i, path, &kind, err))
			return false;
		if (kind == VOLUME_ABSENT && !replacement_mkdir(r, i, path, err))
			return false;
	}
	return true;
}

/* From the disk rather than from memory, as far as the kernel lets us. */
static void forget_pages(const struct site *site)
{
	int fd = openat(site->fd, site->name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

	if (fd < 0)
		return;
	(void)posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
	close(fd);
}

static bool compare(TALLOC_CTX *tmp, const struct replacement *r, const struct journal_step *step,
                    struct error *err)
{
	struct site *site = replacement_site(tmp, r, step->disk, step->path, err);
	struct seen seen;

	if (!site)
		return false;
	replacement_tell(r, "compare", step->path);
	forget_pages(site);
	if (!replacement_look(r, step, step->path, false, &seen, err))
		return false;
	return seen.new || error_set(err, ERROR_DESTINATION,
	                             "%s: what is read back is not what was written", site->shown);
}

/* Those that are early, or the others. AT counts them. */
static bool take_steps(const struct replacement *r, struct look *looks, bool early, uint32_t *at,
                       struct error *err)
{
	const struct journal_step *steps = r->journal->steps;

	for (uint32_t i = 0; i < r->journal->step_count; i++) {
		if (replacement_is_early(r, &steps[i]) != early)
			continue;
		if (!forward_step(r, &steps[i], &looks[i], err))
			return false;
		++*at;
	}
	return true;
}

static bool carry_out(TALLOC_CTX *tmp, const struct replacement *r, struct look *looks,
                      uint32_t *at, struct error *err)
{
	const struct journal_step *steps = r->journal->steps;
	uint32_t count = r->journal->step_count;

	if (!make_asides(r, err) || !take_steps(r, looks, true, at, err) ||
	    !take_steps(r, looks, false, at, err))
		return false;
	for (uint32_t i = 0; i < count; i++) {
		if (steps[i].op == JOURNAL_PUT && !compare(tmp, r, &steps[i], err))
			return false;
	}
	for (uint32_t i = 0; i < count; i++) {
		if (waits(r, &steps[i]) && !replacement_settle(r, &steps[i], &looks[i], err))
			return false;
	}
	return true;
}

/* Before anything was done in this run nobody knows how much of it an earlier one has done. */
static bool stopped(const struct replacement *r, const uint32_t *at, struct error *err)
{
	static const char ways[] = "--resume finishes it, --rollback puts everything back";

	if (err->kind == ERROR_REFUSED || err->kind == ERROR_BAD_NEWS)
		return false;
	replacement_failed(err);
	if (!at)
		return error_wrap(err, "the restore is not finished; %s", ways);
	return error_wrap(err, "%u of %u steps of the restore are done; %s", *at,
	                  r->journal->step_count, ways);
}

bool replacement_forward(struct replacement *replacement, replacement_progress *progress,
                         void *data, struct error *err)
{
	TALLOC_CTX *tmp = talloc_new(NULL);
	struct look *looks;
	uint32_t at = 0;
	bool done;

	if (!tmp)
		return error_memory(err);
	replacement->progress = progress;
	replacement->data = data;
	looks = replacement_writable(replacement, err) ? replacement_look_all(tmp, replacement, err)
	                                               : NULL;
	if (!looks || !check_all(replacement, looks, err))
		done = stopped(replacement, NULL, err);
	else
		done = carry_out(tmp, replacement, looks, &at, err) ||
		       stopped(replacement, &at, err);
	talloc_free(tmp);
	return done;
}
