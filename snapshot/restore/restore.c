/* A plan carried out: the undo directory first, then the disk. */
#include "hive/quote.h"
#include "snapshot/restore/restoring.h"

/* Each reason is a refusal of its name; only what can be known better can be overridden. */
static bool refuse_reasons(struct restore *r, const struct problems *reasons, struct error *err)
{
	for (uint32_t i = 0; i < reasons->count; i++) {
		if (!restore_refuse(r, reasons->list[i].code, err, "%s", reasons->list[i].text))
			return false;
	}
	return r->refusal_count == 0 || restore_refused(r, err);
}

struct carry *restore_carry(struct restore *r, const struct undo *undo,
                            struct volume *const volumes[UNDO_VOLUMES], struct error *err)
{
	struct problems *reasons = problems_new(r->ctx);
	struct carry *carry;

	if (!reasons) {
		error_memory(err);
		return NULL;
	}
	carry = carry_open(r->ctx, undo, volumes, reasons, err);
	if (refuse_reasons(r, reasons, err) && carry)
		return carry;
	talloc_free(carry);
	return NULL;
}

/* Adds to a failure to write what is known of the volume. */
static bool unable(const struct restore *r, struct error *err)
{
	if (err->kind == ERROR_DESTINATION && r->target.system && r->target.system->hibernated)
		error_wrap(err,
		           "Windows on it is hibernated, so ntfs-3g mounts it read-only unless "
		           "told -o remove_hiberfile");
	return false;
}

static struct carry *open_carry(struct restore *r, struct error *err)
{
	struct volume *volumes[UNDO_VOLUMES] = {
		[UNDO_SYSTEM] = r->target.system->volume,
		[UNDO_QUORUM] = r->quorum ? r->quorum->volume : NULL,
	};
	struct carry *carry = restore_carry(r, &r->undo, volumes, err);

	if (!carry)
		unable(r, err);
	return carry;
}

/* The attributes of the files that are there, for the plan. */
static bool keep_attributes(struct restore *r, struct carry *carry, struct error *err)
{
	for (uint32_t i = 0; i < r->undo.count; i++) {
		if (!carry_attributes(r->ctx, carry, i, &r->undo.files[i].attributes, err))
			return false;
	}
	return true;
}

static struct carry *begin(struct restore *r, struct error *err)
{
	struct carry *carry = open_carry(r, err);
	const struct undo_file *driver;

	if (!carry)
		return NULL;
	driver = carry_needs_driver(carry, UNDO_NEW);
	if ((!driver || r->options->carry.data_first || carry_refuse_driver(carry, driver, err)) &&
	    carry_check_room(carry, UNDO_NEW, err))
		return carry;
	talloc_free(carry);
	return NULL;
}

bool restore_check(struct restore *r, struct error *err)
{
	struct carry *carry;

	if (r->undo.count == 0)
		return true;
	carry = begin(r, err);
	talloc_free(carry);
	return carry != NULL;
}

/* What is written now is what was looked at. */
static bool check_unchanged(struct carry *carry, struct error *err)
{
	enum carry_state state;

	if (!carry_look(carry, true, &state, err))
		return false;
	return state == CARRY_OLD ||
	       error_set(err, ERROR_REFUSED,
	                 "a file has changed since it was looked at; if anything else writes to "
	                 "that volume, stop it, and run this again");
}

bool restore_unfinished(const struct undo *undo, const char *target, struct error *err)
{
	TALLOC_CTX *tmp = talloc_new(NULL);
	char *path = tmp ? quote_word(tmp, undo->path) : NULL;
	char *where = path ? quote_word(tmp, target) : NULL;

	if (err->kind != ERROR_INTERNAL)
		err->kind = ERROR_INTERRUPTED;
	error_wrap(err,
	           "it is not finished: `clusnap restore --resume %s %s` finishes it, --rollback "
	           "instead puts everything back",
	           path ? path : undo->path, where ? where : target);
	talloc_free(tmp);
	return false;
}

static bool make_undo(struct restore *r, struct carry *carry, struct error *err)
{
	TALLOC_CTX *tmp = talloc_new(NULL);
	struct undo again;
	bool done;

	if (!tmp)
		return error_memory(err);
	done = keep_attributes(r, carry, err) &&
	       undo_write(r->ctx, &r->undo, r->undo_parent, r->warnings, err) &&
	       undo_read(tmp, r->undo.path, UNDO_VERIFIED, &again, err) &&
	       check_unchanged(carry, err);
	talloc_free(tmp);
	return done;
}

bool restore_run(struct restore *r, struct error *err)
{
	struct carry *carry;
	bool done;

	if (r->undo.count == 0)
		return true;
	carry = begin(r, err);
	if (!carry)
		return error_wrap(err, "nothing was changed");
	if (!make_undo(r, carry, err)) {
		talloc_free(carry);
		if (err->kind == ERROR_SOURCE)
			err->kind = ERROR_DESTINATION;
		return error_wrap(err, "nothing was changed");
	}
	done = carry_out(carry, UNDO_NEW, &r->options->carry, &r->waits, err) ||
	       restore_unfinished(&r->undo, r->options->target, err);
	talloc_free(carry);
	if (done && !r->waits)
		undo_note(&r->undo, "done", r->warnings);
	return done;
}
