/*
 * Registry checkpoints back into the node's own hives: all grafts of one hive are one rewrite.
 *
 * A subtree that is equal to its .CPT already is left alone, and so is its hive if all of its
 * subtrees are.
 */
#include <fcntl.h>

#include "snapshot/restore/restoring.h"

struct image *restore_snapshot_file(struct restore *r, const char *name, struct error *err)
{
	char *path = talloc_asprintf(r->ctx, "%s/%s", r->source.path, name);
	struct image *image = path ? image_read(r->ctx, AT_FDCWD, path, err) : NULL;

	if (!image)
		path ? error_wrap(err, "%s", path) : error_memory(err);
	return image;
}

static void warn(struct restore *r, const struct checkpoint *point, const char *code,
                 const char *text)
{
	problems_add(r->warnings, PROBLEM_HEALS, PROBLEM_NOWHERE, code,
	             "checkpoint %s of %s (%s): %s", point->id,
	             point->resource_name ? point->resource_name : point->resource, point->path,
	             text);
}

/* --- which of them --- */

static bool names_resource(const struct restore *r, const char *name,
                           const struct checkpoint *point)
{
	const struct cluster_resource *resource = cluster_resource(&r->source.cluster, name);

	return resource && strcmp(resource->id, point->resource) == 0;
}

static bool is_wanted(const struct restore *r, const struct checkpoint *point)
{
	char **resources = r->options->request.resources;

	if (!resources)
		return true;
	for (; *resources; resources++) {
		if (names_resource(r, *resources, point))
			return true;
	}
	return false;
}

static bool check_resources(const struct restore *r, const struct checkpoints *points,
                            struct error *err)
{
	for (char **name = r->options->request.resources; name && *name; name++) {
		bool found = false;

		if (!cluster_resource(&r->source.cluster, *name))
			return error_set(err, ERROR_USAGE,
			                 "%s: no resource of the cluster, or more than one, is "
			                 "called so (`clusnap checkpoint list` names them)",
			                 *name);
		for (uint32_t i = 0; !found && i < points->count; i++)
			found = points->list[i].type == CHECKPOINT_REGISTRY &&
			        names_resource(r, *name, &points->list[i]);
		if (!found)
			return error_set(err, ERROR_BAD_NEWS,
			                 "%s: has no registry checkpoint in %s", *name,
			                 r->source.path);
	}
	return true;
}

/* --- one of them --- */

/* Can it be put where it is registered? If not, why. */
static const char *obstacle(const struct restore *r, const struct checkpoint *point)
{
	if (point->where.result != HKLM_PRESENT && point->where.result != HKLM_KEY_MISSING)
		return point->where.why;
	if (point->where.hive == SYSTEM_CLUSTER)
		return "is a part of the cluster database itself, which a node restore puts back";
	if (!quolog_file(r->source.verdict.log, point->file))
		return "the snapshot has no image of it";
	return NULL;
}

/* A key that is missing is made where it is registered; no link may lie on the way there. */
char *restore_key_path(struct restore *r, struct hive *hive, const struct hklm *where,
                       struct error *err)
{
	char *path, *end;

	if (where->result == HKLM_PRESENT) {
		path = hive_path(r->ctx, hive, &where->found);
		if (!path)
			error_memory(err);
		return path;
	}
	path = talloc_strdup(r->ctx, where->key);
	while (path && (end = strrchr(path, '\\')) != NULL) {
		struct hive_key key;

		*end = '\0';
		if (!hive_find(hive, NULL, path, &key, err))
			return NULL;
		if (key.cell != REGF_NIL && hive_key_flags(&key) & REGF_KEY_SYM_LINK) {
			error_set(
				err, ERROR_REFUSED,
				"%s: the key %s is a link to a key that is not there; create that "
				"key first",
				hive_name(hive), path);
			return NULL;
		}
	}
	path = talloc_strdup(r->ctx, where->key);
	if (!path)
		error_memory(err);
	return path;
}

/* A hive that is wanted and cannot be had is more than a warning. */
static bool check_hive(const struct checkpoint *point, struct error *err)
{
	enum hklm_result result = point->where.result;

	if (result != HKLM_HIVE_DAMAGED && (result != HKLM_HIVE_MISSING || point->where.hive < 0))
		return true;
	return error_set(err, ERROR_SOURCE,
	                 "checkpoint %s of %s (%s) cannot be put back: %s; nothing was changed; "
	                 "put that in order first, or name the resources whose checkpoints are "
	                 "in other hives",
	                 point->id, point->resource_name ? point->resource_name : point->resource,
	                 point->path, point->where.why);
}

static bool plan_one(struct restore *r, struct restore_grafts *plan, const struct checkpoint *point,
                     struct error *err)
{
	const struct hklm *where = &point->where;
	struct hive *hive = system_hive(r->target.system, (enum system_hive)where->hive, err);
	struct image *image = hive ? restore_snapshot_file(r, point->file, err) : NULL;
	struct hive *from = image ? hive_open_image(r->ctx, image, point->file, err) : NULL;
	char *key = from ? restore_key_path(r, hive, where, err) : NULL;
	bool same = false;

	if (!key || (where->result == HKLM_PRESENT &&
	             !restore_same_tree(hive, &where->found, from, &same, err)))
		return false;
	if (!same && !restore_differs(r, key, where->result == HKLM_PRESENT ? hive : NULL,
	                              &where->found, from, err))
		return false;
	plan->list[plan->count++] = (struct restore_graft){
		{ .key = key, .from = from }, (enum system_hive)where->hive, point, same
	};
	return true;
}

/* --- the hives --- */

static bool plan_hive(struct restore *r, const struct restore_grafts *plan, enum system_hive which,
                      struct error *err)
{
	struct graft *grafts = talloc_array(r->ctx, struct graft, plan->count + 1);
	char *path = r->target.system->hives[which], *folder;
	struct image *image;
	struct hive *hive;
	uint32_t count = 0;

	if (!grafts)
		return error_memory(err);
	for (uint32_t i = 0; i < plan->count; i++) {
		if (plan->list[i].hive == which && !plan->list[i].same)
			grafts[count++] = plan->list[i].graft;
	}
	if (count == 0)
		return true;
	hive = system_hive(r->target.system, which, err);
	if (!hive)
		return false;
	folder = talloc_strndup(r->ctx, path, (size_t)(strrchr(path, '/') - path));
	image = folder ? graft_hive(r->ctx, hive, grafts, count, err) : NULL;
	if (!image)
		return folder ? error_wrap(err, "%s", hive_name(hive)) : error_memory(err);
	for (uint32_t i = 0; i < count; i++) {
		if (grafts[i].made)
			problems_add(r->warnings, PROBLEM_NOTE, PROBLEM_NOWHERE, "key-created",
			             "%s: the key %s was not there and is created, with the "
			             "security of its parent where it has none of its own",
			             hive_name(hive), grafts[i].key);
	}
	return restore_file_hive(r, path, folder, strrchr(path, '/') + 1, image, err);
}

static void warn_overlaps(struct restore *r, const struct checkpoints *points)
{
	for (uint32_t i = 0; i < points->overlap_count; i++) {
		const struct checkpoint *outer = &points->list[points->overlaps[i].outer];
		const struct checkpoint *inner = &points->list[points->overlaps[i].inner];

		if (is_wanted(r, outer) || is_wanted(r, inner))
			warn(r, inner, "checkpoint-overlap",
			     talloc_asprintf(
				     r->ctx,
				     "%s has a checkpoint of the same data (%s): on whichever node "
				     "both come online, the later one overwrites what the other "
				     "left",
				     outer->resource_name ? outer->resource_name : outer->resource,
				     outer->path));
	}
}

/*
 * Where the cluster keeps a checkpoint of its own, that one wins when the resource comes online. An
 * authoritative restore puts all of them back anyway.
 */
static bool plan_others(struct restore *r, const struct checkpoints *points, struct error *err)
{
	if (!r->quorum || r->options->request.authoritative)
		return true;
	for (uint32_t i = 0; i < points->count; i++) {
		const struct checkpoint *point = &points->list[i];

		if (point->type == CHECKPOINT_REGISTRY && is_wanted(r, point) &&
		    quolog_file(r->source.verdict.log, point->file) &&
		    !restore_quorum_file(r, point->file, err))
			return false;
	}
	return true;
}

bool restore_checkpoints(struct restore *r, struct error *err)
{
	struct checkpoints points;
	struct restore_grafts plan = { 0 };

	if (!r->source.is_snapshot)
		return error_set(err, ERROR_USAGE,
		                 "%s: --checkpoints wants a snapshot, which has the images",
		                 r->source.path);
	if (!checkpoints_read(r->ctx, &r->source.cluster, r->target.system, &points, err) ||
	    !check_resources(r, &points, err))
		return false;
	plan.list = talloc_array(r->ctx, struct restore_graft, points.count + 1);
	if (!plan.list)
		return error_memory(err);
	for (uint32_t i = 0; i < points.count; i++) {
		const struct checkpoint *point = &points.list[i];
		const char *why;

		if (point->type != CHECKPOINT_REGISTRY || !is_wanted(r, point))
			continue;
		if (!check_hive(point, err))
			return false;
		why = obstacle(r, point);
		if (why)
			warn(r, point, "checkpoint-not-restored", why);
		else if (!plan_one(r, &plan, point, err))
			return false;
	}
	if (!restore_drop_nested(r, &plan, err))
		return false;
	warn_overlaps(r, &points);
	for (int which = 0; which < SYSTEM_HIVES; which++) {
		if (!plan_hive(r, &plan, (enum system_hive)which, err))
			return false;
	}
	return plan_others(r, &points, err);
}
