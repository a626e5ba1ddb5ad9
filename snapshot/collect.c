/*
 * Collecting a snapshot: which copy of the database is newest, and its image. What is of
 * checkpoints is in collect_checkpoint.c.
 */
#include "hive/save.h"
#include "snapshot/collecting.h"
#include "snapshot/restore/unfinished.h"

#define WARNINGS 2000u /* of one code; a cluster has at most 1600 resources (KB247327) */

/* --- copies of the database --- */

static bool open_copies(struct collecting *c)
{
	struct collection *out = c->out;
	uint32_t count = 0;

	while (c->options->systems[count])
		count++;
	/* and those of the quorum disk */
	out->copies = talloc_zero_array(c->ctx, struct copy, count + QUORUM_CHKS);
	if (!out->copies)
		return error_memory(c->err);
	for (; out->copy_count < count; out->copy_count++) {
		const char *system = c->options->systems[out->copy_count];
		struct copy *copy = &out->copies[out->copy_count];
		bool interrupted; /* then that is among its problems */

		collect_progress(c->options, "reading", system);
		if (!copy_open(c->ctx, system, &c->options->hive, copy, c->err) ||
		    !unfinished_find(copy, &interrupted, c->err))
			return false;
	}
	for (uint32_t i = 0; c->quorum && i < c->quorum->chk_count; i++) {
		if (!quorum_copy(c->ctx, c->quorum, i, &c->options->hive,
		                 &out->copies[out->copy_count], c->err))
			return false;
		out->copy_count++;
	}
	return true;
}

/* Why there is nothing to back up: the best reason that one of the SYSTEMs gives. */
static bool no_database(struct collecting *c)
{
	const struct copy *copies = c->out->copies;
	bool node = false;

	for (uint32_t i = 0; i < c->out->copy_count; i++) {
		if (copies[i].condition == COPY_DAMAGED)
			return error_set(c->err, ERROR_SOURCE, "%s", copies[i].why);
		node = node || !copies[i].system || copies[i].system->state == NODE_NOT_RUNNING;
	}
	if (node)
		return error_set(c->err, ERROR_SOURCE, "%s", copies[0].why);
	return error_set(c->err, ERROR_BAD_NEWS,
	                 "%s: is not a cluster node (%s), there is nothing to back up: "
	                 "ERROR_CLUSTER_NOT_INSTALLED (5932)",
	                 copies[0].path, node_state_name(copies[0].system->state));
}

static bool different_clusters(struct collecting *c)
{
	const struct copy *first = NULL;

	for (uint32_t i = 0; i < c->out->copy_count; i++) {
		const struct copy *copy = &c->out->copies[i];

		if (!copy->hive)
			continue;
		if (!first)
			first = copy;
		if (cluster_same(&first->cluster, &copy->cluster))
			continue;
		return error_set(c->err, ERROR_REFUSED,
		                 "%s is of the cluster %s, %s of %s: back them up one by one: "
		                 "ERROR_CLUSTER_INSTANCE_ID_MISMATCH (5893)",
		                 first->path, first->cluster.name ? first->cluster.name : "?",
		                 copy->path, copy->cluster.name ? copy->cluster.name : "?");
	}
	return error_set(c->err, ERROR_INTERNAL, "copies of one cluster cannot be compared");
}

/* Of older copies only what is not about the contents of their database. */
static bool is_of_contents(const char *code)
{
	return strncmp(code, "checkpoint-", 11) == 0 || strncmp(code, "crypto-", 7) == 0 ||
	       strcmp(code, "dangling-reference") == 0;
}

static void add_warning(struct problems *warnings, const char *path, const struct problem *problem)
{
	bool named = strncmp(problem->text, path, strlen(path)) == 0;

	problems_add(warnings, problem->weight, PROBLEM_NOWHERE, problem->code, "%s%s%s",
	             named ? "" : path, named ? "" : ": ", problem->text);
	problems_add_more(warnings, problem->weight, problem->code, problem->more);
}

static void add_warnings(struct collection *out, const struct copy *copy, bool newest)
{
	for (uint32_t i = 0; i < copy->problems->count; i++) {
		const struct problem *problem = &copy->problems->list[i];

		if (newest || !is_of_contents(problem->code))
			add_warning(out->warnings, copy->path, problem);
	}
}

bool collect_is_no_node(const struct copy *copy)
{
	return !copy->hive && copy->system && copy->system->state_known &&
	       copy->system->state != NODE_NOT_RUNNING;
}

static bool choose(struct collecting *c)
{
	struct collection *out = c->out;
	bool mixed;

	out->newest = copy_newest(c->ctx, out->copies, out->copy_count, &mixed, &out->why);
	if (mixed)
		return different_clusters(c);
	if (out->newest == out->copy_count)
		return no_database(c);
	for (uint32_t i = 0; i < out->copy_count; i++) {
		const struct copy *copy = &out->copies[i];

		add_warnings(out, copy, i == out->newest);
		if (collect_is_no_node(copy))
			problems_add(out->warnings, PROBLEM_HEALS, PROBLEM_NOWHERE, "not-a-member",
			             "%s: is not a cluster node (%s); nothing of it is in the "
			             "snapshot",
			             copy->path, node_state_name(copy->system->state));
	}
	return true;
}

/* --- files --- */

bool collect_add(struct collecting *c, char *path, struct bytes bytes, const char *hive,
                 const char *key)
{
	struct collection *out = c->out;
	struct collected *files =
		talloc_realloc(c->ctx, out->files, struct collected, out->file_count + 1);
	struct collected *file;

	if (files)
		out->files = files;
	if (!files || !path)
		return error_memory(c->err);
	file = &files[out->file_count];
	*file = (struct collected){ .path = path,
		                    .bytes = bytes,
		                    .hive = talloc_strdup(files, hive),
		                    .key = talloc_strdup(files, key) };
	if (!file->hive || !file->key)
		return error_memory(c->err);
	out->file_count++;
	return true;
}

/* An image of the subtree, proved; in a newer format where 1.3 cannot hold what is in it. */
struct image *collect_image(struct collecting *c, const struct hive *hive,
                            const struct hive_key *key, const char *name)
{
	struct save_options options = { 0 };
	struct image *image;

	collect_progress(c->options, "saving", name);
	image = save_proved(c->ctx, hive, key, &options, name, NULL, c->err);
	if (image || c->err->kind != ERROR_REFUSED || le32_get(hive_base(hive)->minor) > 3)
		return image;
	options.minor = 5;
	return save_proved(c->ctx, hive, key, &options, name, NULL, c->err);
}

static bool add_chk(struct collecting *c, const char *name, const struct copy *copy,
                    const struct hive *hive)
{
	struct hive_key root;
	struct image *image;
	const char *file;

	if (!hive_root(hive, &root, c->err))
		return false;
	image = collect_image(c, hive, &root, name);
	if (!image)
		return error_wrap(c->err, "%s", copy->path);
	/* Where a disk is mounted must not matter: the same disk gives the same bytes. */
	file = copy->system || !strrchr(copy->file, '/') ? copy->file
	                                                 : strrchr(copy->file, '/') + 1;
	return collect_add(c, talloc_strdup(c->ctx, name), image->bytes, file, "");
}

/* The oldest state that the log begins with, and the newest if anything happened since. */
static bool add_database(struct collecting *c)
{
	struct collection *out = c->out;
	const struct copy *newest = &out->copies[out->newest];
	struct history_options options = {
		.copies = out->copies,
		.count = out->copy_count,
		.newest = out->newest,
		.without_logs = c->options->hive.left_out || c->options->hive.recover.ignore_logs,
		.recover = c->options->hive.recover,
		.max_log = c->options->max_log,
	};
	struct hive_key root;
	const char *next = "chk0002.tmp";

	collect_resume(c, &options);
	if (!history_tell(c->ctx, &options, &out->history, c->err) ||
	    !hive_root(newest->hive, &root, c->err) ||
	    !digest_subtree(newest->hive, &root, out->digest, c->err))
		return error_wrap(c->err, "%s", newest->path);
	if (out->history.oldest
	            ? !add_chk(c, "chk0001.tmp", out->history.origin, out->history.oldest)
	            : !collect_chks(c, &next))
		return false;
	out->newest_chk = out->history.transactions ? next : NULL;
	return !out->newest_chk || add_chk(c, next, newest, newest->hive);
}

bool collect(TALLOC_CTX *ctx, const struct collect_options *options, struct collection *out,
             struct error *err)
{
	struct collecting c = { .ctx = ctx, .options = options, .out = out, .err = err };

	*out = (struct collection){ .warnings = problems_new(ctx) };
	if (!out->warnings)
		return error_memory(err);
	out->warnings->same = WARNINGS; /* what is not in the snapshot is named, one by one */
	if (options->quorum) {
		c.quorum = quorum_open(ctx, options->quorum, err);
		if (!c.quorum)
			return false;
		problems_add_all(out->warnings, c.quorum->problems);
	}
	if (!collect_previous(&c) || !open_copies(&c) || !choose(&c) || !add_database(&c) ||
	    !collect_checkpoints(&c))
		return false;
	out->unchanged = collect_unchanged(out);
	return true;
}
