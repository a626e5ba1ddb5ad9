/* The disks of an undo directory, which somebody may have mounted elsewhere by now. */
#include "snapshot/restore/again.h"

#include <strings.h>

#include "snapshot/restore/restoring.h"

/* One that has done all of it and never got to say so was interrupted, too. */
bool again_wanted(enum again what, const struct undo *undo, enum carry_state before)
{
	switch (what) {
	case AGAIN_RESUME:
		return before != CARRY_NEW;
	case AGAIN_UNDO:
		return before != CARRY_OLD;
	default:
		return before == CARRY_BETWEEN ||
		       (before == CARRY_NEW && strncmp(undo->state, "done", 4) != 0);
	}
}

/*
 * The quorum disk, named as it was then: with its folder MSCS, or as that folder. Without its
 * database, which a restore removes, nothing else says that it is one.
 */
static struct volume *open_quorum(struct restore *r, struct error *err)
{
	const struct undo_disk *disk = &r->undo.disks[UNDO_QUORUM];
	const char *path = r->options->quorum ? r->options->quorum : disk->path;
	struct volume *volume = volume_open(r->ctx, path, err);
	struct volume_entry entry;

	if (!volume || !volume_find(r->ctx, volume, "MSCS", &entry, err)) {
		error_wrap(err, "the quorum disk is wanted, too: mount it, and name it with "
		                "--quorum DIR");
		return NULL;
	}
	if (!disk->folder || (entry.kind == VOLUME_DIRECTORY) == (*disk->folder != '\0'))
		return volume;
	error_set(err, ERROR_USAGE, "%s: --quorum named %s when it began; name that again", path,
	          *disk->folder ? "the disk that the folder MSCS is on" : "the folder MSCS itself");
	return NULL;
}

static bool open_volumes(struct restore *r, struct volume *volumes[UNDO_VOLUMES], struct error *err)
{
	volumes[UNDO_SYSTEM] = volume_open(r->ctx, r->options->target, err);
	if (!volumes[UNDO_SYSTEM])
		return error_wrap(err,
		                  "the node's disk is wanted; name where it is behind the undo "
		                  "directory");
	if (!r->undo.disks[UNDO_QUORUM].path)
		return true;
	volumes[UNDO_QUORUM] = open_quorum(r, err);
	return volumes[UNDO_QUORUM] != NULL;
}

/* A plan may be a stranger's: on the system volume it writes below Windows, and nowhere else. */
static bool check_paths(const struct restore *r, struct error *err)
{
	const char *windows = r->target.system->windows;
	size_t size = strlen(windows);

	for (uint32_t i = 0; i < r->undo.count; i++) {
		const struct undo_file *file = &r->undo.files[i];

		if (file->volume == UNDO_SYSTEM &&
		    (strncasecmp(file->path, windows, size) != 0 || file->path[size] != '/'))
			return error_set(
				err, ERROR_REFUSED,
				"%s/%s: does not lie in the Windows directory, where alone a "
				"restore writes; this undo directory is not one that clusnap "
				"has made for this disk",
				r->options->target, file->path);
	}
	return true;
}

/* The node may have been started since. */
static bool refuse_running(struct restore *r, struct error *err)
{
	struct error why = { 0 };

	r->target.system = system_open(r->ctx, r->options->target, NULL, &why);
	if (!r->target.system) {
		*err = why;
		return error_wrap(err, "the node's disk is wanted");
	}
	return check_paths(r, err) && restore_refuse_running(r, err) &&
	       (r->refusal_count == 0 || restore_refused(r, err));
}

static bool begin(TALLOC_CTX *ctx, const struct restore_options *options, const char *path,
                  struct restore *r, struct error *err)
{
	struct restore_options *mine = talloc_memdup(ctx, options, sizeof(*options));

	*r = (struct restore){ .ctx = ctx, .options = mine, .warnings = problems_new(ctx) };
	if (!mine || !r->warnings)
		return error_memory(err);
	if (!undo_read(ctx, path, UNDO_CONTENTS, &r->undo, err))
		return false;
	if (!mine->target)
		mine->target = r->undo.disks[UNDO_SYSTEM].path;
	return true;
}

/* An edit of SYSTEM or SOFTWARE is nothing to the cluster. */
static bool about_cluster(const struct undo *undo)
{
	for (uint32_t i = 0; i < undo->count; i++) {
		const char *slash = strrchr(undo->files[i].path, '/');

		if (slash && strcasecmp(slash + 1, "CLUSDB") == 0)
			return true;
	}
	return strcmp(undo->command, "edit") != 0;
}

static bool carry_on(struct restore *r, struct carry *carry, enum again what, struct error *err)
{
	enum undo_when to = what == AGAIN_RESUME ? UNDO_NEW : UNDO_OLD;

	if (!carry_check_room(carry, to, err))
		return error_wrap(err, "nothing was changed");
	if (!carry_out(carry, to, &r->options->carry, &r->waits, err))
		return err->kind == ERROR_REFUSED
		               ? error_wrap(err, "nothing was changed")
		               : restore_unfinished(&r->undo, r->options->target, err);
	if (!r->waits)
		undo_note(&r->undo, what == AGAIN_RESUME ? "done" : "undone", r->warnings);
	return what != AGAIN_RESUME || r->waits || !about_cluster(&r->undo) ||
	       restore_advise(r, err);
}

/* A run that was killed may have done all of it, and not have made it durable, or not said so. */
static bool settle(struct restore *r, struct carry *carry, enum again what, enum carry_state before,
                   struct error *err)
{
	const char *state = before == CARRY_NEW ? "done" : "undone";

	if (!carry_sync(carry, err))
		return false;
	if (what != AGAIN_ROLLBACK && strncmp(r->undo.state, state, strlen(state)) != 0)
		undo_note(&r->undo, state, r->warnings);
	return true;
}

bool again_run(TALLOC_CTX *ctx, const struct restore_options *options, const char *path,
               enum again what, struct restore *r, enum carry_state *before, struct error *err)
{
	struct volume *volumes[UNDO_VOLUMES] = { 0 };
	struct carry *carry;
	bool done;

	if (!begin(ctx, options, path, r, err) || !open_volumes(r, volumes, err) ||
	    !refuse_running(r, err))
		return false;
	carry = restore_carry(r, &r->undo, volumes, err);
	if (!carry || !carry_look(carry, restore_forced(r, "changed-since"), before, err)) {
		talloc_free(carry);
		return error_wrap(err, "nothing was changed");
	}
	done = again_wanted(what, &r->undo, *before) ? carry_on(r, carry, what, err)
	                                             : settle(r, carry, what, *before, err);
	talloc_free(carry);
	return done;
}
