/* The inventory of a cluster as JSON, and the parameters of its resources. */
#include "snapshot/cmd/cmd_show.h"

bool cmd_show_each_parameter(TALLOC_CTX *ctx, const struct hive *hive,
                             const struct hive_key *resource, cmd_show_parameter_fn *each,
                             void *data, struct error *err)
{
	uint32_t *cells, count;
	struct hive_key key;
	char *path;

	if (!hive_find(hive, resource, "Parameters", &key, err))
		return false;
	if (key.cell == REGF_NIL)
		return true;
	if (!hive_values(ctx, hive, &key, &cells, &count, err))
		return false;
	path = hive_path(ctx, hive, &key);
	if (!path)
		return error_memory(err);
	for (uint32_t i = 0; i < count; i++) {
		struct hive_value value;
		char *name, *text;

		if (!hive_value_at(hive, cells[i], &value, err))
			return false;
		name = name_to_utf8(ctx, value.name);
		if (!name)
			return error_memory(err);
		text = cmd_value_text(ctx, hive, &value, cluster_secret(path, name), err);
		if (!text || !each(data, *name ? name : "(default)", text, err))
			return false;
	}
	return true;
}

static bool add_parameter_json(void *data, const char *name, const char *text, struct error *err)
{
	json_t *key = cmd_json_text(name); /* cleaned: JSON keys are UTF-8 too */

	(void)err;
	json_object_set_new(data, json_string_value(key), cmd_json_text(text));
	json_decref(key);
	return true;
}

static json_t *texts(char **list)
{
	json_t *array = json_array();

	for (; list && *list; list++)
		json_array_append_new(array, cmd_json_text(*list));
	return array;
}

static json_t *nodes_json(const struct cluster *cluster)
{
	json_t *array = json_array();

	for (uint32_t i = 0; i < cluster->node_count; i++) {
		const struct cluster_node *node = &cluster->nodes[i];

		json_array_append_new(array,
		                      json_pack("{s:I,s:o,s:I,s:I,s:I}", "id", (json_int_t)node->id,
		                                "name", cmd_json_text(node->name),
		                                "highest_version", (json_int_t)node->highest,
		                                "lowest_version", (json_int_t)node->lowest, "build",
		                                (json_int_t)node->build));
	}
	return array;
}

static json_t *groups_json(const struct cluster *cluster)
{
	json_t *array = json_array();

	for (uint32_t i = 0; i < cluster->group_count; i++)
		json_array_append_new(array,
		                      json_pack("{s:s,s:o,s:o}", "id", cluster->groups[i].id,
		                                "name", cmd_json_text(cluster->groups[i].name),
		                                "resources", texts(cluster->groups[i].contains)));
	return array;
}

static json_t *resources_json(struct cmd *cmd, const struct cluster *cluster, struct error *err)
{
	json_t *array = json_array();

	for (uint32_t i = 0; i < cluster->resource_count; i++) {
		const struct cluster_resource *resource = &cluster->resources[i];
		json_t *parameters = json_object();

		if (!cmd_show_each_parameter(cmd->ctx, cluster->hive, &resource->key,
		                             add_parameter_json, parameters, err)) {
			json_decref(parameters);
			json_decref(array);
			return NULL;
		}
		json_array_append_new(
			array, json_pack("{s:s,s:o,s:o,s:o,s:o,s:o}", "id", resource->id, "name",
		                         cmd_json_text(resource->name), "type",
		                         cmd_json_text(resource->type), "group",
		                         cmd_json_text(resource->group), "depends_on",
		                         texts(resource->depends), "parameters", parameters));
	}
	return array;
}

static json_t *networks_json(const struct cluster *cluster)
{
	json_t *array = json_array();

	for (uint32_t i = 0; i < cluster->network_count; i++) {
		const struct cluster_network *network = &cluster->networks[i];

		json_array_append_new(array, json_pack("{s:s,s:o,s:o,s:o,s:I}", "id", network->id,
		                                       "name", cmd_json_text(network->name),
		                                       "address", cmd_json_text(network->address),
		                                       "mask", cmd_json_text(network->mask), "role",
		                                       (json_int_t)network->role));
	}
	return array;
}

static json_t *interfaces_json(const struct cluster *cluster)
{
	json_t *array = json_array();

	for (uint32_t i = 0; i < cluster->interface_count; i++) {
		const struct cluster_interface *interface = &cluster->interfaces[i];

		json_array_append_new(array,
		                      json_pack("{s:s,s:o,s:o,s:o,s:o}", "id", interface->id,
		                                "name", cmd_json_text(interface->name), "node",
		                                cmd_json_text(interface->node), "network",
		                                cmd_json_text(interface->network), "address",
		                                cmd_json_text(interface->address)));
	}
	return array;
}

static json_t *types_json(const struct cluster *cluster)
{
	json_t *array = json_array();

	for (uint32_t i = 0; i < cluster->type_count; i++)
		json_array_append_new(array, json_pack("{s:o,s:o}", "name",
		                                       cmd_json_text(cluster->types[i].name), "dll",
		                                       cmd_json_text(cluster->types[i].dll)));
	return array;
}

bool cmd_show_json(struct cmd *cmd, const struct copy *copy, struct error *err)
{
	const struct cluster *cluster = &copy->cluster;
	json_t *resources = resources_json(cmd, cluster, err), *object;

	if (!resources)
		return false;
	object = json_pack("{s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o}", "cluster",
	                   cmd_json_text(cluster->name), "cluster_instance_id",
	                   cmd_json_text(cluster->instance_id), "version",
	                   cmd_json_text(cluster->version), "nodes", nodes_json(cluster), "groups",
	                   groups_json(cluster), "resources", resources, "networks",
	                   networks_json(cluster), "network_interfaces", interfaces_json(cluster));
	json_object_set_new(object, "resource_types", types_json(cluster));
	json_object_set_new(object, "generation", json_integer(cluster->generation));
	json_object_set_new(object, "quorum",
	                    json_pack("{s:o,s:o,s:I}", "resource",
	                              cmd_json_text(cluster->quorum_resource), "path",
	                              cmd_json_text(cluster->quorum_path), "max_log_size",
	                              (json_int_t)cluster->max_quorum_log_size));
	cmd_json_problems(object, "problems", copy->problems, PROBLEM_NOTE);
	cmd_json_print(object);
	return true;
}
