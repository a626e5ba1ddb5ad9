/*
 * Prints what checkpoint/ knows of clusters, as JSON, for tests that compare with the plan
 * that a disk was made by:
 *
 *	cluster PATH...
 *
 * A PATH is a mounted volume, or a file with a cluster hive. "oldest_first" has the paths in
 * the order of cluster_compare, cluster by cluster. A path that cannot be read is {"path",
 *"error"}.
 */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "checkpoint/checkpoint.h"

struct copy {
	const char *path;
	struct cluster cluster;
	bool readable;
};

static json_t *text(const char *s)
{
	return s ? json_string(s) : json_null();
}

static json_t *problems_json(const struct problems *problems)
{
	json_t *list = json_array();

	for (uint32_t i = 0; i < problems->count; i++)
		json_array_append_new(list, json_pack("{s:s,s:s}", "code", problems->list[i].code,
		                                      "text", problems->list[i].text));
	return list;
}

static json_t *point_json(const struct checkpoint *p)
{
	bool crypto = p->type == CHECKPOINT_CRYPTO;

	return json_pack("{s:o,s:o,s:s,s:s,s:s,s:o,s:o,s:b,s:s,s:o,s:o,s:o,s:i,s:o}", "resource",
	                 text(p->resource), "resource_name", text(p->resource_name), "id", p->id,
	                 "type", crypto ? "crypto" : "registry", "path", p->path, "hive",
	                 text(p->where.file), "key", text(p->where.key), "present", p->present,
	                 "file", p->file, "key_file", text(p->key_file), "provider",
	                 text(p->provider), "container", text(p->container), "provider_type",
	                 (int)p->provider_type, "problems", problems_json(p->problems));
}

static json_t *points_json(const struct checkpoints *points)
{
	json_t *list = json_array();

	for (uint32_t i = 0; i < points->count; i++)
		json_array_append_new(list, point_json(&points->list[i]));
	return list;
}

static json_t *overlaps_json(const struct checkpoints *points)
{
	json_t *list = json_array();

	for (uint32_t i = 0; i < points->overlap_count; i++) {
		const struct checkpoint *outer = &points->list[points->overlaps[i].outer];
		const struct checkpoint *inner = &points->list[points->overlaps[i].inner];

		json_array_append_new(list, json_pack("[{s:s,s:s},{s:s,s:s}]", "resource",
		                                      outer->resource, "id", outer->id, "resource",
		                                      inner->resource, "id", inner->id));
	}
	return list;
}

static json_t *cluster_json(const struct cluster *c)
{
	json_t *nodes = json_array(), *resources = json_array();

	for (uint32_t i = 0; i < c->node_count; i++)
		json_array_append_new(nodes, text(c->nodes[i].name));
	for (uint32_t i = 0; i < c->resource_count; i++)
		json_array_append_new(resources,
		                      json_pack("{s:s,s:o,s:o,s:o}", "id", c->resources[i].id,
		                                "name", text(c->resources[i].name), "type",
		                                text(c->resources[i].type), "group",
		                                text(c->resources[i].group)));
	return json_pack("{s:o,s:o,s:o,s:i,s:I,s:o,s:o,s:o}", "cluster", text(c->name),
	                 "cluster_instance_id", text(c->instance_id), "version", text(c->version),
	                 "generation", (int)c->generation, "written", (json_int_t)c->written,
	                 "nodes", nodes, "resources", resources, "problems",
	                 problems_json(c->problems));
}

static bool read_hive(TALLOC_CTX *ctx, struct copy *copy, struct system **system,
                      struct hive **hive, struct error *err)
{
	struct source *source;
	struct stat st;

	*system = NULL;
	if (stat(copy->path, &st) == 0 && S_ISDIR(st.st_mode)) {
		*system = system_open(ctx, copy->path, NULL, err);
		*hive = *system ? system_hive(*system, SYSTEM_CLUSTER, err) : NULL;
		return *hive;
	}
	source = source_read_path(ctx, copy->path, err);
	*hive = source ? hive_open(ctx, source, NULL, err) : NULL;
	return *hive;
}

static json_t *copy_json(TALLOC_CTX *ctx, struct copy *copy)
{
	struct error err = { .kind = ERROR_NONE };
	struct checkpoints points;
	struct system *system;
	struct hive *hive;
	json_t *json;

	if (!read_hive(ctx, copy, &system, &hive, &err) ||
	    !cluster_read(ctx, hive, &copy->cluster, &err) ||
	    !checkpoints_read(ctx, &copy->cluster, system, &points, &err))
		return json_pack("{s:s,s:s}", "path", copy->path, "error", err.text);
	copy->readable = true;
	json = cluster_json(&copy->cluster);
	json_object_set_new(json, "path", text(copy->path));
	json_object_set_new(json, "checkpoints", points_json(&points));
	json_object_set_new(json, "overlaps", overlaps_json(&points));
	json_object_set_new(json, "checkpoint_problems", problems_json(points.problems));
	return json;
}

static int compare_copies(const void *a, const void *b)
{
	const struct copy *one = a, *two = b;
	char *why;
	int order;

	if (!cluster_same(&one->cluster, &two->cluster))
		return strcmp(one->cluster.name, two->cluster.name);
	order = cluster_compare(NULL, &one->cluster, &two->cluster, &why);
	talloc_free(why);
	return order;
}

int main(int argc, char **argv)
{
	TALLOC_CTX *ctx = talloc_new(NULL);
	struct copy *copies = talloc_zero_array(ctx, struct copy, (unsigned)argc);
	json_t *systems = json_array(), *order = json_array(), *all;
	size_t count = 0;

	for (int i = 1; i < argc; i++) {
		copies[count].path = argv[i];
		json_array_append_new(systems, copy_json(ctx, &copies[count]));
		count += copies[count].readable;
	}
	qsort(copies, count, sizeof(*copies), compare_copies);
	for (size_t i = 0; i < count; i++)
		json_array_append_new(order, text(copies[i].path));
	all = json_pack("{s:o,s:o}", "systems", systems, "oldest_first", order);
	json_dumpf(all, stdout, JSON_INDENT(1));
	putchar('\n');
	json_decref(all);
	talloc_free(ctx);
	return 0;
}
