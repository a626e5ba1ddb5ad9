/* Copies of a database side by side: are they of one cluster, and which is the newest. */
#include "checkpoint/copy.h"
#include "checkpoint/disk/fold.h"

/* --- identities --- */

static const char *or_unknown(const char *text)
{
	return text ? text : "unknown";
}

/* What is wrong with COPY, because OTHER keeps the database of another cluster. */
static void check_identity(struct copy *copy, const struct copy *other)
{
	const struct cluster *own = &copy->cluster, *theirs = &other->cluster;
	const char *node = other->system ? other->system->node : NULL;
	const char *own_node = copy->system ? copy->system->node : NULL;

	if (own->name && theirs->name && fold_equal(own->name, theirs->name))
		problems_add(copy->problems, PROBLEM_HEALS, PROBLEM_NOWHERE, "identity-mismatch",
		             "it is of the instance %s of the cluster %s, %s of %s: these are two "
		             "clusters with one name: ERROR_CLUSTER_INSTANCE_ID_MISMATCH (5893)",
		             or_unknown(own->instance_id), own->name, other->path,
		             or_unknown(theirs->instance_id));
	else if ((node && cluster_has_node(own, node)) ||
	         (own_node && cluster_has_node(theirs, own_node)))
		problems_add(copy->problems, PROBLEM_HEALS, PROBLEM_NOWHERE, "identity-mismatch",
		             "it is of the cluster %s, %s of %s, and one of the two computers is a "
		             "member of both: ERROR_CLUSTER_INSTANCE_ID_MISMATCH (5893)",
		             or_unknown(own->name), other->path, or_unknown(theirs->name));
}

void copy_check_identities(struct copy *copies, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		for (uint32_t j = 0; j < count && copies[i].hive; j++) {
			if (copies[j].hive && !cluster_same(&copies[i].cluster, &copies[j].cluster))
				check_identity(&copies[i], &copies[j]);
		}
	}
}

/* --- the newest --- */

/* Marks the older ones, and says why the newest is the newest: against the best of the rest. */
static void compare_all(TALLOC_CTX *ctx, struct copy *copies, uint32_t count, uint32_t newest,
                        char **why)
{
	uint32_t second = count;

	for (uint32_t i = 0; i < count; i++) {
		const struct cluster *cluster = &copies[i].cluster;
		char *reason = NULL;

		if (i == newest || !copies[i].hive)
			continue;
		if (cluster_compare(ctx, cluster, &copies[newest].cluster, &reason) < 0)
			problems_add(copies[i].problems, PROBLEM_NOTE, PROBLEM_NOWHERE, "stale",
			             "%s has a newer copy: %s", copies[newest].path,
			             reason ? reason : "this one is older");
		if (second == count ||
		    cluster_compare(ctx, cluster, &copies[second].cluster, &reason) > 0)
			second = i;
	}
	if (second < count &&
	    cluster_compare(ctx, &copies[newest].cluster, &copies[second].cluster, why) == 0)
		*why = talloc_asprintf(ctx, "%s has none that is newer: %s", copies[second].path,
		                       *why ? *why : "they are the same");
}

/* Newer, or as new and whole where the other one is what could be salvaged. */
static bool is_better(TALLOC_CTX *ctx, const struct copy *a, const struct copy *b)
{
	char *ignored;
	int order = cluster_compare(ctx, &a->cluster, &b->cluster, &ignored);

	return order > 0 || (order == 0 && !hive_salvaged(a->hive) && hive_salvaged(b->hive));
}

uint32_t copy_newest(TALLOC_CTX *ctx, struct copy *copies, uint32_t count, bool *mixed, char **why)
{
	uint32_t newest = count;

	*mixed = false;
	*why = NULL;
	for (uint32_t i = 0; i < count; i++) {
		if (!copies[i].hive)
			continue;
		if (newest == count) {
			newest = i;
			continue;
		}
		if (!cluster_same(&copies[newest].cluster, &copies[i].cluster)) {
			*mixed = true;
			return count;
		}
		if (is_better(ctx, &copies[i], &copies[newest]))
			newest = i;
	}
	if (newest < count)
		compare_all(ctx, copies, count, newest, why);
	for (uint32_t i = 0; newest < count && i < count; i++) {
		if (copies[i].condition == COPY_DAMAGED)
			*why = talloc_asprintf(ctx, "%s%sof those that can be read; %s cannot",
			                       *why ? *why : "", *why ? "; " : "", copies[i].path);
	}
	return newest;
}
