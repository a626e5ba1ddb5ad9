/*
 * The checkpoints of a snapshot: a .CPT made of the key that is registered, a .CPR copied from
 * the quorum disk, for a .CPR is never made up.
 *
 * A registry checkpoint that is not on the newest node's disk is looked for on the other
 * nodes' (its resource ran there last), then on the quorum disk. Each is said in a warning.
 */
#include "snapshot/collecting.h"

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

/* The image of this key, if another checkpoint of it has been collected: one is enough. */
static bool shared_image(const struct collecting *c, const struct hive *hive, uint32_t cell,
                         struct bytes *bytes)
{
	for (uint32_t i = 0; i < c->out->file_count; i++) {
		const struct collected *file = &c->out->files[i];

		if (file->from == hive && file->cell == cell) {
			*bytes = file->bytes;
			return true;
		}
	}
	return false;
}

static bool add_image(struct collecting *c, char *path, struct hive *hive, const struct hklm *where)
{
	struct bytes bytes;
	struct image *image;

	if (!shared_image(c, hive, where->found.cell, &bytes)) {
		image = collect_image(c, hive, &where->found, path);
		if (!image)
			return false;
		bytes = image->bytes;
	}
	if (!collect_add(c, path, bytes, where->file, where->key))
		return false;
	c->out->files[c->out->file_count - 1].from = hive;
	c->out->files[c->out->file_count - 1].cell = where->found.cell;
	return true;
}

/* The checkpoint's subtree on this disk; *DONE says if it was there. */
static bool from_system(struct collecting *c, const struct checkpoint *checkpoint,
                        struct system *system, bool *done)
{
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
	if (!path)
		return error_memory(c->err);
	if (!hive || !add_image(c, path, hive, &where))
		return error_wrap(c->err, "%s", volume_path(system->volume));
	*done = true;
	return true;
}

static bool from_other_systems(struct collecting *c, const struct checkpoint *checkpoint,
                               const struct system *home, bool *done)
{
	for (uint32_t i = 0; !*done && i < c->out->copy_count; i++) {
		struct system *system = c->out->copies[i].system;

		if (!system || system == home || collect_is_no_node(&c->out->copies[i]))
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
		warn(c, checkpoint, "checkpoint-hive-damaged", c->err->text);
		c->out->incomplete = true;
		return c->err->kind != ERROR_INTERNAL;
	}
	image = hive_root(hive, &root, c->err) ? collect_image(c, hive, &root, path) : NULL;
	if (!image)
		return false;
	*done = true;
	warn(c, checkpoint, "checkpoint-key-missing",
	     "taken from the quorum disk, because no node's disk has such a key");
	return collect_add(c, path, image->bytes, shown, "");
}

/* A key that is not there is one thing; a whole hive that is lost is bad news. */
static bool lost_with_its_hive(const struct hklm *where)
{
	return where->result == HKLM_HIVE_DAMAGED ||
	       (where->result == HKLM_HIVE_MISSING && where->hive >= 0);
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
	if (!done && home && lost_with_its_hive(&checkpoint->where))
		c->out->incomplete = true; /* said in a warning, too */
	if (!done && !home)
		warn(c, checkpoint, "checkpoint-key-missing",
		     "not included: no system disk was given, only a database");
	return true;
}

/* --- crypto checkpoints --- */

/* Whether its key could still be had from the node; when that cannot be told, its problem says why.
 */
static const char *where_container(const struct checkpoint *checkpoint)
{
	if (checkpoint->key_file)
		return "the key container is on the node's disk";
	if (!checkpoint->looked)
		return "no system disk was given that the key container could be on";
	if (checkpoint->unknown)
		return "whether the key container is on the node's disk cannot be told";
	return "the key container is not on the node's disk either";
}

static bool add_crypto(struct collecting *c, const struct checkpoint *checkpoint)
{
	char *path = file_name(c, checkpoint, "CPR"), *shown;
	struct image *image;
	bool kept;

	if (!path)
		return error_memory(c->err);
	image = c->quorum ? quorum_file(c->ctx, c->quorum, path, &shown, c->err) : NULL;
	if (image)
		return collect_add(c, path, image->bytes, shown, "");
	if (c->quorum && c->err->kind != ERROR_NONE)
		return false;
	if (!collect_kept(c, path, &kept))
		return false;
	if (kept)
		return true;
	path = talloc_asprintf(c->ctx,
	                       "a .CPR can only be made by Windows, and none was found (--quorum "
	                       "DIR names a quorum disk); %s",
	                       where_container(checkpoint));
	if (!path)
		return error_memory(c->err);
	warn(c, checkpoint, "crypto-checkpoint-not-included", path);
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

bool collect_checkpoints(struct collecting *c)
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
