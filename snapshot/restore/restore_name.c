/* What a plan calls things by: the source, the time, the disks, and where it will lie. */
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "snapshot/guard.h"
#include "snapshot/restore/durable.h"
#include "snapshot/restore/restoring.h"

#define HOST_NAME_SIZE 256

char *restore_real_path(struct restore *r, const char *path, struct error *err)
{
	char *real = realpath(path, NULL), *copy = talloc_strdup(r->ctx, real ? real : path);

	free(real);
	if (!copy)
		error_memory(err);
	return copy;
}

static bool name_disk(struct restore *r, enum undo_volume which, const char *path,
                      struct volume *volume, const char *folder, struct error *err)
{
	struct undo_disk *disk = &r->undo.disks[which];

	disk->path = restore_real_path(r, path, err);
	disk->serial_known = volume_serial(volume, &disk->serial);
	disk->folder = folder ? talloc_strdup(r->ctx, folder) : NULL;
	return disk->path && (!folder || disk->folder || error_memory(err));
}

static bool uses_quorum(const struct undo *undo)
{
	for (uint32_t i = 0; i < undo->count; i++) {
		if (undo->files[i].volume == UNDO_QUORUM)
			return true;
	}
	return false;
}

static bool name_plan(struct restore *r, struct error *err)
{
	struct undo *undo = &r->undo;
	char host[HOST_NAME_SIZE] = "", begun[32];
	const char *node = r->target.system->node;

	(void)gethostname(host, sizeof(host) - 1);
	undo_time(begun);
	undo->begun = talloc_strdup(r->ctx, begun);
	if (!undo->command)
		undo->command = talloc_strdup(r->ctx, "restore");
	undo->host = talloc_strdup(r->ctx, host);
	undo->node = talloc_strdup(r->ctx, node ? node : "");
	undo->generation = r->target.system->generation;
	return (undo->begun && undo->command && undo->host && undo->node) || error_memory(err);
}

/* --- where the undo directory will be --- */

/* Is PATH, or what is there of the way to it, on the volume that is written to? */
static bool on_target(const struct restore *r, const char *path)
{
	char *at = talloc_strdup(NULL, path), *slash;
	struct stat ours, theirs;
	bool found = false;

	while (at && stat(at, &ours) != 0 && (slash = strrchr(at, '/')) != NULL && slash != at)
		*slash = '\0';
	if (at && stat(at, &ours) == 0 && stat(r->options->target, &theirs) == 0 &&
	    S_ISDIR(theirs.st_mode))
		found = ours.st_dev == theirs.st_dev;
	talloc_free(at);
	return found;
}

/* What lies in Windows' own directories is Windows' to change. */
static bool refuse_windows(struct restore *r, struct error *err)
{
	char *windows =
		talloc_asprintf(r->ctx, "%s/%s", r->options->target, r->target.system->windows);

	if (!windows)
		return error_memory(err);
	return volume_is_raw(r->target.system->volume) ||
	       guard_source(r->undo_parent, windows, err) ||
	       error_wrap(err, "the undo directory cannot be there; name a directory elsewhere, "
	                       "best on another disk, with --undo");
}

/* Neither the directory itself, nor what is made in it, may lie in a snapshot. */
static bool guard_parent(struct restore *r, struct error *err)
{
	char *inside = talloc_asprintf(r->ctx, "%s/undo", r->undo_parent);
	struct stat st;

	if (!inside)
		return error_memory(err);
	return guard_snapshot(r->undo_parent, err) &&
	       (stat(r->undo_parent, &st) != 0 || !S_ISDIR(st.st_mode) ||
	        guard_snapshot(inside, err));
}

static bool check_parent(struct restore *r, struct error *err)
{
	char *why;

	if (!guard_parent(r, err))
		return error_wrap(err, "name a directory for the old files with --undo DIR");
	if (!refuse_windows(r, err) || !durable_check(r->ctx, r->undo_parent, &why, err))
		return false;
	if (why && !restore_refuse(r, "undo-not-durable", err, "%s", why))
		return false;
	if (on_target(r, r->undo_parent))
		problems_add(
			r->warnings, PROBLEM_NOTE, PROBLEM_NOWHERE, "undo-on-target",
			"%s is on the file system that is written to: what happens to that "
			"happens to the old files; name a directory on another one with --undo",
			r->undo_parent);
	return r->refusal_count == 0 || restore_refused(r, err);
}

static bool name_parent(struct restore *r, struct error *err)
{
	const char *source = r->undo.request.source;

	if (!r->options->undo && (!source || strcmp(r->undo.command, "edit") == 0))
		return true; /* a dry run without */
	if (r->options->undo)
		r->undo_parent = talloc_strdup(r->ctx, r->options->undo);
	else
		r->undo_parent = talloc_asprintf(r->ctx, "%s.undo", source);
	return r->undo_parent ? check_parent(r, err) : error_memory(err);
}

bool restore_name(struct restore *r, struct error *err)
{
	const char *source = r->options->request.source;

	if (source)
		r->undo.request.source = restore_real_path(r, source, err);
	if ((source && !r->undo.request.source) || !name_plan(r, err))
		return false;
	if (r->undo.count == 0)
		return true;
	return name_disk(r, UNDO_SYSTEM, r->options->target, r->target.system->volume, NULL, err) &&
	       (!uses_quorum(&r->undo) || name_disk(r, UNDO_QUORUM, r->options->quorum,
	                                            r->quorum->volume, r->quorum->folder, err)) &&
	       restore_shadows(r, err) && name_parent(r, err);
}
