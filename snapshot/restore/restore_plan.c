/* Planning a restore: everything that can be found wrong is found before a byte is written. */
#include <errno.h>

#include "hive/save.h"
#include "snapshot/restore/restoring.h"
#include "snapshot/restore/unfinished.h"

/* --- the target --- */

char *restore_cluster(TALLOC_CTX *ctx, const struct system *system, struct error *err)
{
	char *path = talloc_asprintf(ctx, "%s/Cluster", system->windows);
	struct volume_entry entry;

	if (!path) {
		error_memory(err);
		return NULL;
	}
	if (!volume_find(ctx, system->volume, path, &entry, err))
		return NULL;
	err->kind = ERROR_NONE;
	return entry.kind == VOLUME_DIRECTORY ? entry.path : NULL;
}

/* Returns false: there is nowhere to put a database, also where the refusal is overridden. */
static bool no_cluster(struct restore *r, struct error *err)
{
	const char *path = r->options->target, *windows = r->target.system->windows;

	if (!restore_refuse(r, "not-a-node", err,
	                    "there is no directory Cluster in %s, so no cluster service is "
	                    "installed there; restore into a node of the cluster",
	                    windows))
		return false;
	return r->refusal_count ? restore_refused(r, err)
	                        : error_set(err, ERROR_REFUSED,
	                                    "%s: there is nowhere to put the database; make the "
	                                    "directory %s/%s/Cluster first",
	                                    path, path, windows);
}

/* It can be written to all the same: what is looked up is right, only the list is not. */
static void warn_inconsistent(struct restore *r)
{
	const struct problem *problem = problems_find(r->target.problems, "directory-inconsistent");

	if (problem)
		problems_add(r->warnings, problem->weight, PROBLEM_NOWHERE, problem->code, "%s",
		             problem->text);
}

static bool open_target(struct restore *r, struct error *err)
{
	const char *path = r->options->target;

	if (!copy_open(r->ctx, path, NULL, &r->target, err))
		return false;
	warn_inconsistent(r);
	if (!r->target.system)
		return error_set(
			err, ERROR_USAGE,
			"%s: is a file; a restore wants the directory where the node's system "
			"volume is mounted",
			path);
	r->cluster = restore_cluster(r->ctx, r->target.system, err);
	return r->cluster || (err->kind == ERROR_NONE && no_cluster(r, err));
}

static bool open_disks(struct restore *r, struct error *err)
{
	if (!open_target(r, err))
		return false;
	if (!r->options->quorum)
		return true;
	r->quorum = quorum_open(r->ctx, r->options->quorum, err);
	return r->quorum != NULL;
}

bool restore_begin(TALLOC_CTX *ctx, const struct restore_options *options, struct restore *r,
                   struct error *err)
{
	*r = (struct restore){ .ctx = ctx, .options = options, .warnings = problems_new(ctx) };
	r->undo.request = options->request;
	r->undo.snapshot = talloc_strdup(ctx, "");
	if (!r->warnings || !r->undo.snapshot)
		return error_memory(err);
	return open_disks(r, err);
}

static bool check_unfinished(struct restore *r, struct error *err)
{
	bool found;

	if (!unfinished_find(&r->target, &found, err))
		return false;
	return !found || restore_refuse_unfinished(r, err);
}

/* --- the plan --- */

static bool check_request(const struct restore *r, struct error *err)
{
	const struct undo_request *request = &r->options->request;

	if (!r->options->quorum || request->authoritative || request->checkpoints)
		return r->options->quorum && r->target.system->generation == 2
		               ? error_set(err, ERROR_USAGE,
		                           "--quorum is for the first generation: from 2008 on a "
		                           "quorum disk has no MSCS folder, and the newest version "
		                           "tag wins")
		               : true;
	return error_set(err, ERROR_USAGE,
	                 "--quorum goes with --authoritative or --checkpoints: a node restore "
	                 "leaves the quorum disk alone");
}

/* The database as an image: that of the snapshot, or a compact one of what was found. */
static const struct image *database_image(struct restore *r, struct error *err)
{
	struct hive_key root;

	if (r->source.is_snapshot)
		return hive_image(r->source.hive);
	if (!hive_root(r->source.hive, &root, err))
		return NULL;
	return save_proved(r->ctx, r->source.hive, &root, NULL, r->source.path, NULL, err);
}

static bool is_equal(struct restore *r, bool *equal, struct error *err)
{
	uint8_t digest[DIGEST_SIZE];
	struct hive_key root;

	*equal = false;
	if (!r->target.hive || r->target.condition != COPY_CLEAN)
		return true;
	if (!hive_root(r->target.hive, &root, err) ||
	    !digest_subtree(r->target.hive, &root, digest, err))
		return false;
	*equal = memcmp(digest, r->source.digest, DIGEST_SIZE) == 0;
	return true;
}

bool restore_differs(struct restore *r, const char *what, const struct hive *a,
                     const struct hive_key *key_a, const struct hive *b, struct error *err)
{
	struct restore_difference *list = talloc_realloc(
		r->ctx, r->differences, struct restore_difference, r->difference_count + 1);
	struct restore_difference one = { .what = what, .a = a, .b = b };

	if (!list)
		return error_memory(err);
	r->differences = list;
	if (a)
		one.key_a = *key_a;
	if (!hive_root(b, &one.key_b, err))
		return false;
	list[r->difference_count++] = one;
	return true;
}

/* To what is there now, if that can be read. */
static bool database_differs(struct restore *r, struct error *err)
{
	struct hive_key root;

	if (!r->target.hive)
		return true;
	if (!hive_root(r->target.hive, &root, err) ||
	    !restore_differs(r, "CLUSDB", r->target.hive, &root, r->source.hive, err))
		return false;
	r->differences[r->difference_count - 1].database = true;
	return true;
}

static bool plan_database(struct restore *r, struct error *err)
{
	const struct image *image;

	if (!is_equal(r, &r->equal, err))
		return false;
	if (r->equal)
		return true;
	image = database_image(r, err);
	return image && database_differs(r, err) &&
	       restore_file_hive(r, r->target.file, r->cluster, "CLUSDB", image, err);
}

/* All .CPT and .CPR of the snapshot. */
static bool plan_quorum(struct restore *r, struct error *err)
{
	const struct verdict *verdict = &r->source.verdict;

	if (!restore_quorum_database(r, err))
		return false;
	for (size_t i = 0; i < verdict->file_count; i++) {
		enum layout_kind kind = verdict->files[i].kind;

		if ((kind == LAYOUT_CPT || kind == LAYOUT_CPR) &&
		    !restore_quorum_file(r, verdict->files[i].path, err))
			return false;
	}
	return true;
}

/* An older state over a newer one is what a restore is for, but it is said. */
static bool warn_older(struct restore *r, struct error *err)
{
	char *why = NULL;

	if (!r->database || r->equal || !r->target.hive)
		return true;
	if (cluster_compare(r->ctx, &r->source.cluster, &r->target.cluster, &why) >= 0)
		return true;
	problems_add(r->warnings, PROBLEM_NOTE, PROBLEM_NOWHERE, "stale",
	             "the database on %s is newer than what is restored: %s", r->options->target,
	             why ? why : "");
	return why ? true : error_memory(err);
}

static bool puts_images(const struct restore *r)
{
	for (uint32_t i = 0; i < r->undo.count; i++) {
		const struct undo_file *file = &r->undo.files[i];

		if (file->volume == UNDO_QUORUM && file->content[UNDO_NEW].present)
			return true;
	}
	return r->options->request.checkpoints;
}

/* The log has every state of the database, but a snapshot keeps one image of a checkpoint. */
static void warn_images(struct restore *r)
{
	uint64_t asked = r->undo.request.sequence;

	if (r->options->request.to && asked != r->source.verdict.sequence && puts_images(r))
		problems_add(r->warnings, PROBLEM_NOTE, PROBLEM_NOWHERE, "checkpoint-images-newest",
		             "the snapshot has checkpoint images of its last backup alone: they "
		             "are what is put back, not what they were at transaction %llu",
		             (unsigned long long)asked);
}

static bool plan(struct restore *r, struct error *err)
{
	const struct undo_request *request = &r->options->request;

	if (!check_request(r, err) || !restore_source_open(r, err) ||
	    !restore_refuse_target(r, err) || !restore_refuse_quorum(r, err))
		return false;
	if (r->refusal_count)
		return restore_refused(r, err);
	r->database = request->authoritative || !request->checkpoints;
	if (r->database && !plan_database(r, err))
		return false;
	if (request->checkpoints && !restore_checkpoints(r, err))
		return false;
	if (request->authoritative && r->quorum && !plan_quorum(r, err))
		return false;
	warn_images(r);
	return warn_older(r, err) && restore_name(r, err) && restore_advise(r, err);
}

/* What cannot be read cannot be kept. */
static bool disk_fails(struct error *err)
{
	return err->kind == ERROR_SOURCE && err->sys == EIO
	               ? error_wrap(err, "the disk fails: take an image of it, and go on with that")
	               : false;
}

/* Which of two files is meant whose names differ in letter case is not ours to choose. */
static bool two_names(struct error *err)
{
	if (err->kind == ERROR_SOURCE && err->sys == ENOTUNIQ)
		err->kind = ERROR_REFUSED;
	return false;
}

bool restore_plan(TALLOC_CTX *ctx, const struct restore_options *options, struct restore *restore,
                  struct error *err)
{
	return (restore_begin(ctx, options, restore, err) && check_unfinished(restore, err) &&
	        (plan(restore, err) || disk_fails(err))) ||
	       two_names(err);
}
