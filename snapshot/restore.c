/* Carrying a plan out, finishing one that was interrupted, or undoing it. */
#include "snapshot/restoring.h"

static struct replacement *replacement_of(struct restore *r, struct error *err)
{
	struct volume *disks[JOURNAL_DISKS] = {
		[JOURNAL_SYSTEM] = r->target.system->volume,
		[JOURNAL_QUORUM] = r->quorum ? r->quorum->volume : NULL,
	};

	return replacement_new(r->ctx, disks, &r->journal, err);
}

bool restore_run(struct restore *r, struct error *err)
{
	const struct restore_options *options = r->options;
	struct replacement *replacement;
	bool done;

	if (r->journal.step_count == 0)
		return true;
	replacement = replacement_of(r, err);
	if (!replacement)
		return error_wrap(err, "nothing was changed");
	done = replacement_prepare(replacement, r->contents, options->progress,
	                           options->progress_data, err) &&
	       replacement_forward(replacement, options->progress, options->progress_data, err) &&
	       replacement_finish(replacement, err);
	talloc_free(replacement);
	return done;
}

/* The disks of an interrupted restore, which stays as it is if they cannot be had. */
static struct replacement *replacement_again(struct restore *r, struct error *err)
{
	struct replacement *replacement = replacement_of(r, err);

	if (!replacement)
		error_wrap(err, "the interrupted restore still waits for --resume or --rollback");
	return replacement;
}

static bool find(TALLOC_CTX *ctx, const struct restore_options *options, struct restore *r,
                 bool *found, struct error *err)
{
	return restore_begin(ctx, options, r, err) &&
	       replacement_find(ctx, r->target.system->volume, r->cluster, &r->journal, found, err);
}

/* The new files were not whole yet: what there is goes, and it begins from the start. */
static bool begin_anew(struct restore *r, struct replacement *replacement, struct error *err)
{
	struct restore_options *options = talloc_memdup(r->ctx, r->options, sizeof(*options));
	TALLOC_CTX *ctx = r->ctx;

	if (!options)
		return error_memory(err);
	options->request = r->journal.request;
	if (!replacement_back(replacement, options->progress, options->progress_data, err))
		return false;
	talloc_free(replacement);
	return restore_plan(ctx, options, r, err) && restore_run(r, err);
}

bool restore_resume(TALLOC_CTX *ctx, const struct restore_options *options, struct restore *restore,
                    bool *found, struct error *err)
{
	struct replacement *replacement;

	if (!find(ctx, options, restore, found, err))
		return false;
	if (!*found)
		return true;
	replacement = replacement_again(restore, err);
	if (!replacement)
		return false;
	if (replacement_forward(replacement, options->progress, options->progress_data, err))
		return replacement_finish(replacement, err) && restore_advise(restore, err);
	return err->kind == ERROR_BAD_NEWS && begin_anew(restore, replacement, err);
}

bool restore_rollback(TALLOC_CTX *ctx, const struct restore_options *options,
                      struct restore *restore, bool *found, struct error *err)
{
	struct replacement *replacement;

	if (!find(ctx, options, restore, found, err))
		return false;
	if (!*found)
		return true;
	replacement = replacement_of(restore, err);
	return replacement &&
	       replacement_back(replacement, options->progress, options->progress_data, err);
}

bool restore_interrupted(TALLOC_CTX *ctx, const struct copy *copy, char **begun, struct error *err)
{
	struct journal journal;
	char *cluster;
	bool found;

	*begun = NULL;
	if (!copy->system)
		return true;
	cluster = restore_cluster(ctx, copy->system, err);
	if (!cluster)
		return err->kind == ERROR_NONE;
	if (replacement_find(ctx, copy->system->volume, cluster, &journal, &found, err)) {
		*begun = found ? talloc_asprintf(ctx, "it began at %s", journal.begun) : NULL;
		return *begun || !found || error_memory(err);
	}
	if (err->kind == ERROR_INTERNAL)
		return false;
	*begun = talloc_strdup(ctx, err->text);
	return *begun ? true : error_memory(err);
}
