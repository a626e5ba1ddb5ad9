/*
 * The files of one step, moved between its place and the slots in the set-aside directory.
 *
 * A slot is used if nothing is in it: nothing is renamed over anything. A name that turns out to be
 * a ghost when it is to be moved (ENOENT) is passed over; the file has another one.
 */
#include <errno.h>

#include "snapshot/journal_check.h"
#include "snapshot/replacing.h"

bool replacement_has_slot(const struct journal_step *step, enum slot slot)
{
	return slot != SLOT_ASIDE || step->aside;
}

char *replacement_slot(TALLOC_CTX *ctx, const struct replacement *r,
                       const struct journal_step *step, enum slot slot)
{
	const char *directory = r->journal->aside[step->disk];
	size_t ignored;

	if (slot == SLOT_ASIDE)
		return replacement_inside(ctx, r, step->disk, step->aside);
	return talloc_asprintf(ctx, "%s/%d-%s%s", directory, (int)(step - r->journal->steps) + 1,
	                       journal_split(step->path, &ignored),
	                       slot == SLOT_WAITING ? REPLACEMENT_NEW : REPLACEMENT_OTHER);
}

bool replacement_kept(const struct look *look, bool new)
{
	for (unsigned i = 0; i < SLOTS; i++) {
		if (replacement_holds(&look->slots[i], new))
			return true;
	}
	return false;
}

/* Renames FROM to TO, which are paths, and what was seen with them. */
static bool shift(const struct replacement *r, const struct journal_step *step, const char *from,
                  struct seen *seen_from, const char *to, struct seen *seen_to, struct error *err)
{
	if (!from || !to)
		return error_memory(err);
	if (!replacement_move(r, step->disk, from, to, err))
		return false;
	*seen_to = *seen_from;
	*seen_from = (struct seen){ 0 };
	return true;
}

/*
 * A file with more links than it should have may still know a name that a power cut has taken from
 * it: a slot that was not used before is safe then.
 */
bool replacement_take(const struct replacement *r, const struct journal_step *step,
                      struct look *look, enum slot preferred, struct error *err)
{
	TALLOC_CTX *tmp = talloc_new(NULL);
	unsigned slot = look->place.links > 1 ? SLOT_SPARE : preferred;
	bool done;

	if (!tmp)
		return error_memory(err);
	for (unsigned i = 0; i < SLOTS && look->slots[slot].present; i++)
		slot = replacement_has_slot(step, i) ? i : slot;
	done = look->slots[slot].present
	               ? replacement_inconsistent(r, step, err)
	               : shift(r, step, step->path, &look->place,
	                       replacement_slot(tmp, r, step, slot), &look->slots[slot], err);
	talloc_free(tmp);
	return done;
}

/* What is at the place, if anything, and what is in the slot change places. */
static bool put_in_place(TALLOC_CTX *tmp, const struct replacement *r,
                         const struct journal_step *step, struct look *look, enum slot slot,
                         struct error *err)
{
	const char *path = replacement_slot(tmp, r, step, slot);
	struct seen seen = look->place;
	bool exchanged = false;

	if (!path)
		return error_memory(err);
	if (!replacement_sync(r, step->disk, path, err))
		return false;
	if (replacement_in_place(r, step))
		return replacement_fill(r, step, look, slot, look->slots[slot].new, err);
	if (look->place.present &&
	    !replacement_exchange(r, step->disk, step->path, path, &exchanged, err))
		return false;
	if (exchanged) {
		look->place = look->slots[slot];
		look->slots[slot] = seen;
		return true;
	}
	return (!look->place.present || replacement_take(r, step, look, SLOT_ASIDE, err)) &&
	       shift(r, step, path, &look->slots[slot], step->path, &look->place, err);
}

bool replacement_bring(const struct replacement *r, const struct journal_step *step,
                       struct look *look, bool new, struct error *err)
{
	TALLOC_CTX *tmp;
	bool done = false;

	if (replacement_holds(&look->place, new))
		return replacement_sync(r, step->disk, step->path, err);
	tmp = talloc_new(NULL);
	if (!tmp)
		return error_memory(err);
	error_set(err, ERROR_INTERNAL, "%s: is in no slot", step->path);
	for (unsigned i = 0; !done && i < SLOTS; i++) {
		if (!replacement_holds(&look->slots[i], new))
			continue;
		done = put_in_place(tmp, r, step, look, i, err);
		if (!done && err->sys != ENOENT)
			break;
	}
	talloc_free(tmp);
	return done;
}

/* A slot that is not the only one with the old file. */
static bool may_empty(const struct look *look, unsigned slot)
{
	const struct seen *seen = &look->slots[slot], *aside = &look->slots[SLOT_ASIDE];

	return seen->present && (!seen->old || (aside->old && !replacement_ghost(aside, seen)));
}

bool replacement_settle(const struct replacement *r, const struct journal_step *step,
                        struct look *look, struct error *err)
{
	static const unsigned others[] = { SLOT_WAITING, SLOT_SPARE };
	TALLOC_CTX *tmp = talloc_new(NULL);
	struct seen *aside = &look->slots[SLOT_ASIDE];
	char *to = tmp && step->aside ? replacement_slot(tmp, r, step, SLOT_ASIDE) : NULL;
	bool done = tmp && (to || !step->aside);

	if (!done)
		error_memory(err);
	for (unsigned i = 0; done && i < 2; i++) {
		struct seen *seen = &look->slots[others[i]];
		char *path = replacement_slot(tmp, r, step, others[i]);

		if (!path)
			done = error_memory(err);
		else if (seen->old && to && !aside->present)
			done = shift(r, step, path, seen, to, aside, err);
		else if (i == 0 && seen->old && !aside->old && !look->slots[SLOT_SPARE].present)
			done = shift(r, step, path, seen,
			             replacement_slot(tmp, r, step, SLOT_SPARE),
			             &look->slots[SLOT_SPARE], err);
		else if (may_empty(look, others[i]))
			done = replacement_discard(r, step, path, err);
	}
	if (done && aside->old)
		done = replacement_sync(r, step->disk, to, err);
	talloc_free(tmp);
	return done;
}
