/*
 * Collecting a snapshot: which copy of the database is newest, its image, an image of every
 * registry checkpoint, and what the quorum disk has of crypto checkpoints.
 *
 * A registry checkpoint that is not on the newest node's disk is looked for on the other
 * nodes' (its resource ran there last), then on the quorum disk. Each is said in a warning.
 */
#include "snapshot/collect.h"

#include "hive/save.h"
#include "snapshot/quorum.h"

struct collecting {
	TALLOC_CTX *ctx;
	const struct collect_options *options;
	struct collection *out;
	struct quorum *quorum;
	struct error *err;
};

/* --- copies of the database --- */

static bool open_copies(struct collecting *c)
{
	struct collection *out = c->out;
	uint32_t count = 0;

	while (c->options->systems[count])
		count++;
	out->copies = talloc_zero_array(c->ctx, struct copy, count + 1); /* and the quorum's */
	if (!out->copies)
		return error_memory(c->err);
	for (; out->copy_count < count; out->copy_count++) {
		if (!copy_open(c->ctx, c->options->systems[out->copy_count], &c->options->hive,
		               &out->copies[out->copy_count], c->err))
			return false;
	}
	if (!c->quorum || !c->quorum->chk)
		return true;
	if (!copy_open(c->ctx, c->quorum->chk, &c->options->hive, &out->copies[count], c->err))
		return false;
	out->copy_count++;
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

static void add_warnings(struct collection *out, const struct copy *copy, bool newest)
{
	for (uint32_t i = 0; i < copy->problems->count; i++) {
		const struct problem *problem = &copy->problems->list[i];

		if (newest || !is_of_contents(problem->code))
			problems_add(out->warnings, problem->weight, PROBLEM_NOWHERE, problem->code,
			             "%s: %s", copy->path, problem->text);
	}
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
	for (uint32_t i = 0; i < out->copy_count; i++)
		add_warnings(out, &out->copies[i], i == out->newest);
	return true;
}

/* --- files --- */

static bool add(struct collecting *c, char *path, struct bytes bytes, const char *hive,
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
	*file = (struct collected){ path, bytes, talloc_strdup(files, hive),
		                    talloc_strdup(files, key) };
	if (!file->hive || !file->key)
		return error_memory(c->err);
	out->file_count++;
	return true;
}

/* An image of the subtree, proved; in a newer format where 1.3 cannot hold what is in it. */
static struct image *make_image(struct collecting *c, const struct hive *hive,
                                const struct hive_key *key, const char *name)
{
	struct save_options options = { 0 };
	struct image *image = save_proved(c->ctx, hive, key, &options, name, NULL, c->err);

	if (image || c->err->kind != ERROR_REFUSED || le32_get(hive_base(hive)->minor) > 3)
		return image;
	options.minor = 5;
	return save_proved(c->ctx, hive, key, &options, name, NULL, c->err);
}

static bool add_database(struct collecting *c)
{
	const struct copy *copy = &c->out->copies[c->out->newest];
	struct hive_key root;
	struct image *image;
	const char *file;

	if (!hive_root(copy->hive, &root, c->err))
		return false;
	image = make_image(c, copy->hive, &root, "chk0001.tmp");
	if (!image || !digest_subtree(copy->hive, &root, c->out->digest, c->err))
		return error_wrap(c->err, "%s", copy->path);
	/* Where a disk is mounted must not matter: the same disk gives the same bytes. */
	file = copy->system || !strrchr(copy->file, '/') ? copy->file
	                                                 : strrchr(copy->file, '/') + 1;
	return add(c, talloc_strdup(c->ctx, "chk0001.tmp"), image->bytes, file, "");
}

static char *file_name(struct collecting *c, const struct checkpoint *checkpoint,
                       const char *suffix)
{
	return talloc_asprintf(c->ctx, "%s/%s.%s", checkpoint->resource, checkpoint->id, suffix);
}

static void warn(struct collecting *c, const struct checkpoint *checkpoint, const char *code,
                 const char *text)
{
	problems_add(c->out->warnings, PROBLEM_HEALS, PROBLEM_NOWHERE, code,
	             "checkpoint %s of %s (%s): %s", checkpoint->id,
	             checkpoint->resource_name ? checkpoint->resource_name : checkpoint->resource,
	             checkpoint->path, text);
}

/* --- registry checkpoints --- */

/* The checkpoint's subtree on this disk; *DONE says if it was there. */
static bool from_system(struct collecting *c, const struct checkpoint *checkpoint,
                        struct system *system, bool *done)
{
	const char *volume = volume_path(system->volume);
	struct image *image;
	struct hive *hive;
	struct hklm where;
	char *path;

	*done = false;
	if (!hklm_resolve(c->ctx, system, checkpoint->path, false, &where, c->err))
		return false;
	if (where.result != HKLM_PRESENT)
		return true;
	hive = system_hive(system, (enum system_hive)where.hive, c->err);
	path = file_name(c, checkpoint, "CPT");
	image = hive && path ? make_image(c, hive, &where.found, path) : NULL;
	if (!image)
		return path ? error_wrap(c->err, "%s", volume) : error_memory(c->err);
	*done = true;
	return add(c, path, image->bytes, where.file, where.key);
}

static bool from_other_systems(struct collecting *c, const struct checkpoint *checkpoint,
                               const struct system *home, bool *done)
{
	for (uint32_t i = 0; !*done && i < c->out->copy_count; i++) {
		struct system *system = c->out->copies[i].system;

		if (!system || system == home)
			continue;
		if (!from_system(c, checkpoint, system, done))
			return false;
		if (*done)
			warn(c, checkpoint, "checkpoint-key-missing",
			     "taken from another node's disk, because the newest has no such key");
	}
	return true;
}

/* The quorum disk's own .CPT, made compact; it must be a sound hive. */
static bool from_quorum(struct collecting *c, const struct checkpoint *checkpoint, bool *done)
{
	struct hive_key root;
	struct image *image;
	struct hive *hive;
	struct source *source;
	char *path = file_name(c, checkpoint, "CPT"), *shown;

	*done = false;
	if (!path)
		return error_memory(c->err);
	source = quorum_source(c->ctx, c->quorum, path, &shown, c->err);
	if (!source)
		return c->err->kind == ERROR_NONE;
	hive = hive_open(c->ctx, source, &c->options->hive, c->err);
	if (!hive) {
		warn(c, checkpoint, "checkpoint-key-missing", c->err->text);
		return c->err->kind != ERROR_INTERNAL;
	}
	image = hive_root(hive, &root, c->err) ? make_image(c, hive, &root, path) : NULL;
	if (!image)
		return false;
	*done = true;
	warn(c, checkpoint, "checkpoint-key-missing",
	     "taken from the quorum disk, because no node's disk has such a key");
	return add(c, path, image->bytes, shown, "");
}

static bool add_registry(struct collecting *c, const struct checkpoint *checkpoint,
                         struct system *home)
{
	bool done = false;

	if (checkpoint->where.result == HKLM_PREFIXED ||
	    checkpoint->where.result == HKLM_VOLATILE || checkpoint->where.result == HKLM_MALFORMED)
		return true; /* its problem is among the warnings already */
	if (home && !from_system(c, checkpoint, home, &done))
		return false;
	if (!done && !from_other_systems(c, checkpoint, home, &done))
		return false;
	if (!done && c->quorum && !from_quorum(c, checkpoint, &done))
		return false;
	if (!done && home && checkpoint->where.result == HKLM_HIVE_DAMAGED)
		c->out->incomplete = true; /* said in a warning, too */
	if (!done && !home)
		warn(c, checkpoint, "checkpoint-key-missing",
		     "not included: no system disk was given, only a database");
	return true;
}

/* --- crypto checkpoints --- */

static bool add_crypto(struct collecting *c, const struct checkpoint *checkpoint)
{
	char *path = file_name(c, checkpoint, "CPR"), *shown;
	struct image *image;

	if (!path)
		return error_memory(c->err);
	image = c->quorum ? quorum_file(c->ctx, c->quorum, path, &shown, c->err) : NULL;
	if (image)
		return add(c, path, image->bytes, shown, "");
	if (c->quorum && c->err->kind != ERROR_NONE)
		return false;
	warn(c, checkpoint, "crypto-checkpoint-not-included",
	     checkpoint->key_file
	             ? "a .CPR can only be made by Windows, and none was found (--quorum DIR names "
	               "a "
	               "quorum disk); the key container is on the node's disk"
	             : "a .CPR can only be made by Windows, and none was found (--quorum DIR names "
	               "a "
	               "quorum disk); the key container is not on the node's disk either");
	return true;
}

/* The system whose hives the checkpoints are taken from: the newest copy's, or the newest. */
static struct system *home_of(const struct collection *out)
{
	struct copy *best = NULL;
	char *ignored;

	if (out->copies[out->newest].system)
		return out->copies[out->newest].system;
	for (uint32_t i = 0; i < out->copy_count; i++) {
		struct copy *copy = &out->copies[i];

		if (copy->system && copy->hive &&
		    (!best ||
		     cluster_compare(out->files, &copy->cluster, &best->cluster, &ignored) > 0))
			best = copy;
	}
	return best ? best->system : NULL;
}

static bool add_checkpoints(struct collecting *c)
{
	struct system *home = home_of(c->out);
	struct checkpoints checkpoints;

	if (!checkpoints_read(c->ctx, &c->out->copies[c->out->newest].cluster, home, &checkpoints,
	                      c->err))
		return false;
	for (uint32_t i = 0; i < checkpoints.count; i++) {
		const struct checkpoint *checkpoint = &checkpoints.list[i];

		if (!(checkpoint->type == CHECKPOINT_REGISTRY ? add_registry(c, checkpoint, home)
		                                              : add_crypto(c, checkpoint)))
			return false;
	}
	return true;
}

bool collect(TALLOC_CTX *ctx, const struct collect_options *options, struct collection *out,
             struct error *err)
{
	struct collecting c = { ctx, options, out, NULL, err };

	*out = (struct collection){ .warnings = problems_new(ctx) };
	if (!out->warnings)
		return error_memory(err);
	if (options->quorum) {
		c.quorum = quorum_open(ctx, options->quorum, err);
		if (!c.quorum)
			return false;
	}
	return open_copies(&c) && choose(&c) && add_database(&c) && add_checkpoints(&c);
}
