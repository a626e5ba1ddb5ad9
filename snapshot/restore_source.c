/*
 * What is restored: a state of a snapshot, or, where somebody has less than that, a chk????.tmp, a
 * CLUSDB, a witness disk's hive or another node's disk: what KB224999 does by hand, but
 * recovered and checked first.
 */
#include <dirent.h>

#include "snapshot/replay.h"
#include "snapshot/restoring.h"

static bool open_snapshot(struct restore *r, struct restore_source *source, struct error *err)
{
	const struct journal_request *request = &r->options->request;
	const struct verdict *verdict = &source->verdict;
	uint64_t sequence;

	if (!verify_path(r->ctx, source->path, &source->verdict, err))
		return false;
	if (!verdict->complete) {
		if (!restore_refuse(r, "snapshot-damaged", err,
		                    "%s is damaged: %s: %s (`clusnap verify` names all); take "
		                    "another copy of it, or name its newest chk????.tmp itself",
		                    source->path, verdict->damage[0].path, verdict->damage[0].text))
			return false;
		if (!verdict->log)
			return r->refusal_count
			               ? restore_refused(r, err)
			               : error_set(err, ERROR_SOURCE,
			                           "%s: has no quolog.log that can be read; "
			                           "name its newest chk????.tmp itself",
			                           source->path);
	}
	sequence = request->to ? request->sequence : verdict->sequence;
	r->journal.request.sequence = sequence;
	r->journal.id = talloc_strdup(r->ctx, verdict->id);
	source->hive = replay_hive(r->ctx, source->path, verdict->log, sequence, err);
	return source->hive != NULL;
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

static bool open_copy(struct restore *r, struct restore_source *source, struct error *err)
{
	const struct copy *copy = &source->copy;
	bool interrupted;

	if (r->options->request.to)
		return error_set(err, ERROR_USAGE,
		                 "%s: --to is for a snapshot, which has a history", source->path);
	if (!copy_open(r->ctx, source->path, &r->options->hive, &source->copy, err))
		return has_chk(source->path)
		               ? error_wrap(err,
		                            "%s has no quolog.log, so it is no whole snapshot; "
		                            "name its newest chk????.tmp itself",
		                            source->path)
		               : false;
	if (!copy->hive)
		return error_set(err,
		                 copy->condition == COPY_MISSING ? ERROR_BAD_NEWS : ERROR_SOURCE,
		                 "%s%s", copy->why,
		                 copy->condition == COPY_DAMAGED
		                         ? " (what is sound of it can be saved as a hive and "
		                           "restored: `clusnap save --salvage HIVE \"\" OUT`)"
		                         : "");
	source->hive = copy->hive;
	if (!restore_interrupted(&source->copy, &interrupted, err))
		return false;
	if (interrupted)
		problems_add(r->warnings, PROBLEM_HEALS, PROBLEM_NOWHERE, "restore-interrupted",
		             "%s: %s", source->path,
		             problems_find(copy->problems, "restore-interrupted")->text);
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
