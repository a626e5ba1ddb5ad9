/*
 * What is restored: a state of a snapshot, or, where somebody has less than that, a chk????.tmp, a
 * CLUSDB, a witness disk's hive or another node's disk: what KB224999 does by hand, but
 * recovered and checked first.
 */
#include <dirent.h>

#include "snapshot/replay.h"
#include "snapshot/restore/restoring.h"
#include "snapshot/restore/unfinished.h"

static bool open_state(struct restore *r, struct restore_source *source, struct error *err)
{
	const struct undo_request *request = &r->options->request;
	const struct verdict *verdict = &source->verdict;
	uint64_t sequence = request->to ? request->sequence : verdict->sequence;

	/* without a manifest nothing says which state is the newest */
	if (!verdict->log || !(request->to || sequence))
		return error_set(err, ERROR_SOURCE,
		                 "%s: has no quolog.log that can be read as far as a manifest; "
		                 "name its newest chk????.tmp itself",
		                 source->path);
	r->undo.request.sequence = sequence;
	r->undo.snapshot = talloc_strdup(r->ctx, verdict->id);
	source->hive = replay_hive(r->ctx, source->path, verdict->log, sequence, err);
	return source->hive != NULL;
}

/* Of a damaged snapshot all that cannot be read is one refusal, as long as it is not overridden. */
static bool refuse_damaged(struct restore *r, struct error *err)
{
	return r->refusal_count && err->kind != ERROR_INTERNAL ? restore_refused(r, err) : false;
}

/* Its newest chk????.tmp may be what is damaged, and the way there still be in the log. */
static bool no_state(struct restore *r, const struct verdict *verdict, struct error *err)
{
	if (err->kind == ERROR_INTERNAL || r->refusal_count)
		return refuse_damaged(r, err);
	if (verdict->complete || !verdict->log || r->options->request.to)
		return false;
	return error_wrap(err, "its newest state cannot be read; an earlier one may be (--to SEQ, "
	                       "`clusnap log` lists them)");
}

static bool open_snapshot(struct restore *r, struct restore_source *source, struct error *err)
{
	const struct verdict *verdict = &source->verdict;

	if (!verify_path(r->ctx, source->path, &source->verdict, err))
		return false;
	if (!verdict->complete &&
	    !restore_refuse(r, "snapshot-damaged", err,
	                    "%s is damaged: %s: %s (`clusnap verify` names all); take another copy "
	                    "of it, or name its newest chk????.tmp itself",
	                    source->path, verdict->damage[0].path, verdict->damage[0].text))
		return false;
	return open_state(r, source, err) || no_state(r, verdict, err);
}

/* Is it a directory with a chk????.tmp? Then it was a snapshot, or a backup that Windows made. */
static bool has_chk(const char *path)
{
	DIR *dir = opendir(path);
	const struct dirent *entry;
	bool found = false;

	while (dir && !found && (entry = readdir(dir)) != NULL)
		found = layout_kind(entry->d_name) == LAYOUT_CHK;
	if (dir)
		closedir(dir);
	return found;
}

static bool no_log(struct restore *r, const struct restore_source *source, struct error *err)
{
	error_set(err, ERROR_SOURCE,
	          "%s has no quolog.log, so it is no whole snapshot; name its newest chk????.tmp "
	          "itself",
	          source->path);
	return restore_refuse(r, "snapshot-damaged", err, "%s", err->text) &&
	       refuse_damaged(r, err);
}

static bool open_copy(struct restore *r, struct restore_source *source, struct error *err)
{
	const struct copy *copy = &source->copy;
	bool interrupted;

	if (r->options->request.to)
		return error_set(err, ERROR_USAGE,
		                 "%s: --to is for a snapshot, which has a history", source->path);
	if (!copy_open(r->ctx, source->path, &r->options->hive, &source->copy, err))
		return err->kind != ERROR_INTERNAL && has_chk(source->path) ? no_log(r, source, err)
		                                                            : false;
	if (!copy->hive)
		return error_set(err,
		                 copy->condition == COPY_MISSING ? ERROR_BAD_NEWS : ERROR_SOURCE,
		                 "%s%s", copy->why,
		                 copy->condition == COPY_DAMAGED
		                         ? " (if anything of it is sound, `clusnap save --salvage "
		                           "HIVE \"\" OUT` makes a hive of that which can be "
		                           "restored)"
		                         : "");
	source->hive = copy->hive;
	if (!unfinished_find(&source->copy, &interrupted, err))
		return false;
	if (interrupted)
		problems_add(r->warnings, PROBLEM_HEALS, PROBLEM_NOWHERE, "restore-unfinished",
		             "%s: %s", source->path,
		             problems_find(copy->problems, "restore-unfinished")->text);
	return true;
}

bool restore_source_open(struct restore *r, struct error *err)
{
	struct restore_source *source = &r->source;
	struct hive_key root;

	source->path = r->options->request.source;
	source->is_snapshot = layout_has_log(source->path);
	if (!(source->is_snapshot ? open_snapshot : open_copy)(r, source, err) ||
	    !cluster_read(r->ctx, source->hive, &source->cluster, err))
		return false;
	return hive_root(source->hive, &root, err) &&
	       digest_subtree(source->hive, &root, source->digest, err);
}
