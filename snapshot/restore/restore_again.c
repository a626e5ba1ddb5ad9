/*
 * A restore that was interrupted: finished, or undone, or only seen.
 *
 * The quorum disk is not on the way to the node's disk, so somebody has to name it again, and may
 * name another.
 */
#include <errno.h>

#include "snapshot/restore/restoring.h"

static bool is_there(struct restore *r, enum journal_disk disk, const char *path, bool *there,
                     struct error *err)
{
	struct volume *volume =
		disk == JOURNAL_QUORUM ? r->quorum->volume : r->target.system->volume;
	struct volume_entry entry;

	if (!path)
		return error_memory(err);
	if (!volume_find(r->ctx, volume, path, &entry, err))
		return false;
	*there |= entry.kind != VOLUME_ABSENT;
	return true;
}

/*
 * A copy of the quorum disk, or its mirror, may hold the same files, but not what was set aside.
 * The set-aside directory goes on the way back, but then those of the system disk are gone already.
 */
static bool check_set_aside(struct restore *r, struct error *err)
{
	const struct journal *journal = &r->journal;
	const char *const *aside = (const char *const *)journal->aside;
	bool wanted = false, there = false, begun = false;

	for (uint32_t i = 0; i < journal->step_count; i++) {
		const struct journal_step *step = &journal->steps[i];

		if (step->disk == JOURNAL_QUORUM)
			wanted |= step->aside != NULL;
		else if (step->aside &&
		         !is_there(r, JOURNAL_SYSTEM,
		                   talloc_asprintf(r->ctx, "%s/%s", aside[JOURNAL_SYSTEM],
		                                   step->aside),
		                   &begun, err))
			return false;
	}
	if (!wanted || !begun)
		return true;
	return is_there(r, JOURNAL_QUORUM, aside[JOURNAL_QUORUM], &there, err) &&
	       (there || error_set(err, ERROR_REFUSED,
	                           "%s has no %s, so it is not the quorum disk that it is about",
	                           r->options->quorum, aside[JOURNAL_QUORUM]));
}

/* Is the quorum disk there that the journal is about, and named as it was then? */
static bool check_quorum(struct restore *r, struct error *err)
{
	const char *aside = r->journal.aside[JOURNAL_QUORUM];

	if (!aside)
		return true;
	if (!r->quorum)
		return error_set(err, ERROR_USAGE,
		                 "%s: it is about the quorum disk, too: mount that and name it "
		                 "with --quorum DIR",
		                 r->options->target);
	if ((*r->quorum->folder != '\0') == (strchr(aside, '/') != NULL))
		return check_set_aside(r, err);
	return error_set(err, ERROR_USAGE, "%s: --quorum named %s when it began; name that again",
	                 r->options->quorum,
	                 *r->quorum->folder ? "the folder MSCS itself"
	                                    : "the disk that the folder MSCS is on");
}

/* The disks of an interrupted restore, which stays as it is if they cannot be had. */
static struct replacement *replacement_again(struct restore *r, struct error *err)
{
	struct replacement *replacement = check_quorum(r, err) ? restore_replacement(r, err) : NULL;

	if (!replacement)
		error_wrap(err, "the interrupted restore still waits for --resume or --rollback");
	return replacement;
}

bool restore_find(struct restore *r, struct journal *journal, bool *found, struct error *err)
{
	if (replacement_find(r->ctx, r->target.system->volume, r->cluster, journal, found, err))
		return true;
	if (err->kind == ERROR_SOURCE && err->sys == EIO)
		error_wrap(err, "nothing was changed: whether a restore was interrupted there "
		                "cannot be told");
	else if (err->kind == ERROR_SOURCE)
		error_wrap(err, "whether a restore was interrupted there cannot be told (if that "
		                "journal is no good, move its directory away)");
	return false;
}

static bool find(TALLOC_CTX *ctx, const struct restore_options *options, struct restore *r,
                 bool *found, struct error *err)
{
	return restore_begin(ctx, options, r, err) && restore_find(r, &r->journal, found, err);
}

/* Neither forward nor back: says what can be done about it. */
static bool stuck(const struct restore *r, struct error *err)
{
	return err->kind != ERROR_REFUSED
	               ? false
	               : error_wrap(err,
	                            "nothing was done (if the node has run since, what it has now "
	                            "counts: rename %s in %s/%s to %s, and restore again)",
	                            JOURNAL_NAME, r->options->target,
	                            r->journal.aside[JOURNAL_SYSTEM], JOURNAL_LIST_NAME);
}

/* Would the plan put the same files as the one that was interrupted? */
static bool same_files(const struct journal *one, const struct journal *other)
{
	bool same = one->step_count == other->step_count;

	for (uint32_t i = 0; same && i < one->step_count; i++) {
		const struct journal_step *a = &one->steps[i], *b = &other->steps[i];

		same = a->op == b->op && a->disk == b->disk && strcmp(a->path, b->path) == 0 &&
		       memcmp(a->new.digest, b->new.digest, DIGEST_SIZE) == 0;
	}
	return same;
}

/* The source lies on no disk of the restore, and may have become another in the meantime. */
static bool plan_anew(const struct restore_options *options, struct restore *r, struct error *err)
{
	struct journal interrupted = r->journal;

	return restore_plan(r->ctx, options, r, err) &&
	       (same_files(&interrupted, &r->journal) ||
	        error_set(err, ERROR_REFUSED,
	                  "%s is not what it was when that began; to restore what it is now, run "
	                  "this without --resume",
	                  options->request.source));
}

/* The new files were not whole yet: what there is goes, and it begins from the start. */
static bool begin_anew(struct restore *r, struct replacement *replacement, struct error *err)
{
	struct restore_options *options = talloc_memdup(r->ctx, r->options, sizeof(*options));

	if (!options)
		return error_memory(err);
	options->request = r->journal.request;
	if (!replacement_back(replacement, options->progress, options->progress_data, err))
		return stuck(r, err);
	replacement_remains(replacement, true, r->warnings);
	talloc_free(replacement);
	return (plan_anew(options, r, err) && restore_run(r, err)) ||
	       error_wrap(err, "the interrupted restore had replaced nothing and is undone, and "
	                       "cannot begin anew");
}

/* A SNAPSHOT beside --resume is for when nothing was interrupted. */
static bool warn_other_source(struct restore *r, struct error *err)
{
	const char *asked = r->options->request.source, *theirs = r->journal.request.source;

	if (!asked)
		return true;
	asked = restore_real_path(r, asked, err);
	if (asked && strcmp(asked, theirs) != 0)
		problems_add(r->warnings, PROBLEM_HEALS, PROBLEM_NOWHERE, "other-source",
		             "the interrupted restore was one from %s, and that is what is "
		             "finished, not %s",
		             theirs, asked);
	return asked != NULL;
}

bool restore_resume(TALLOC_CTX *ctx, const struct restore_options *options, struct restore *restore,
                    bool *found, struct error *err)
{
	struct replacement *replacement;
	struct problems *warnings;

	if (!find(ctx, options, restore, found, err))
		return false;
	if (!*found)
		return true;
	replacement = replacement_again(restore, err);
	if (!replacement || !warn_other_source(restore, err))
		return false;
	if (replacement_forward(replacement, options->progress, options->progress_data, err)) {
		if (!replacement_finish(replacement, err))
			return false;
		replacement_remains(replacement, false, restore->warnings);
		return restore_advise(restore, err);
	}
	if (err->kind != ERROR_BAD_NEWS)
		return stuck(restore, err);
	warnings = restore->warnings;
	if (!begin_anew(restore, replacement, err))
		return false;
	problems_add_all(restore->warnings, warnings);
	return true;
}

bool restore_rollback(TALLOC_CTX *ctx, const struct restore_options *options,
                      struct restore *restore, bool *found, struct error *err)
{
	struct replacement *replacement;

	if (!find(ctx, options, restore, found, err))
		return false;
	if (!*found)
		return true;
	replacement = replacement_again(restore, err);
	if (!replacement)
		return false;
	if (!replacement_back(replacement, options->progress, options->progress_data, err))
		return stuck(restore, err);
	replacement_remains(replacement, true, restore->warnings);
	return true;
}

/* Without a list of the Cluster directory, whether one was interrupted is not known. */
static bool cannot_tell(TALLOC_CTX *tmp, struct copy *copy, const char *cluster)
{
	struct volume *volume = copy->system->volume;
	struct error why;
	char **names;
	uint32_t count;

	if (volume_list(tmp, volume, cluster, &names, &count, &why) || why.sys != EIO)
		return false;
	problems_add(copy->problems, PROBLEM_HEALS, PROBLEM_NOWHERE, "restore-unknown",
	             "whether a restore was interrupted here cannot be told: %s", why.text);
	return true;
}

bool restore_interrupted(struct copy *copy, bool *found, struct error *err)
{
	TALLOC_CTX *tmp = talloc_new(NULL);
	struct journal journal;
	char *cluster = NULL;

	*found = false;
	if (!tmp)
		return error_memory(err);
	err->kind = ERROR_NONE;
	if (copy->system)
		cluster = restore_cluster(tmp, copy->system, err);
	if (cluster && cannot_tell(tmp, copy, cluster))
		err->kind = ERROR_NONE;
	else if (cluster &&
	         replacement_find(tmp, copy->system->volume, cluster, &journal, found, err)) {
		if (*found)
			problems_add(copy->problems, PROBLEM_HEALS, PROBLEM_NOWHERE,
			             "restore-interrupted",
			             "a restore was interrupted here (it began at %s): `clusnap "
			             "restore --resume %s` finishes it, --rollback undoes it",
			             journal.begun, copy->path);
		err->kind = ERROR_NONE;
	} else if (cluster && err->kind != ERROR_INTERNAL) {
		*found = true;
		problems_add(copy->problems, PROBLEM_HEALS, PROBLEM_NOWHERE, "restore-interrupted",
		             "a restore was interrupted here, and its journal cannot be read: %s",
		             err->text);
		err->kind = ERROR_NONE;
	}
	talloc_free(tmp);
	return err->kind == ERROR_NONE;
}
