/*
 * clusnap show: the inventory of a cluster as a tree (libsmartcols) or as JSON.
 *
 * Both come from one list of rows: a row has a parent, a name, and a detail.
 */
#include <libsmartcols/libsmartcols.h>

#include "snapshot/cmd/cmd.h"

enum { COLUMN_NAME, COLUMN_DETAIL };

struct tree {
	struct libscols_table *table;
	TALLOC_CTX *ctx;
	bool lost; /* no memory for a row */
};

static struct libscols_line *row(struct tree *tree, struct libscols_line *parent, const char *name,
                                 const char *format, ...) __attribute__((format(printf, 4, 5)));

static struct libscols_line *row(struct tree *tree, struct libscols_line *parent, const char *name,
                                 const char *format, ...)
{
	struct libscols_line *line = scols_table_new_line(tree->table, parent);
	va_list args;
	char *detail;

	va_start(args, format);
	detail = talloc_vasprintf(tree->ctx, format, args);
	va_end(args);
	/* Control characters are made visible by libsmartcols itself, but not a NUL's C0 80. */
	if (!line || !detail ||
	    scols_line_set_data(line, COLUMN_NAME, cmd_visible(tree->ctx, name ? name : "?")) ||
	    scols_line_set_data(line, COLUMN_DETAIL, cmd_visible(tree->ctx, detail)))
		tree->lost = true;
	return line;
}

static const char *or_nothing(const char *text)
{
	return text ? text : "";
}

/* --- parameters of a resource --- */

typedef bool parameter_fn(void *data, const char *name, const char *text, struct error *err);

static bool each_parameter(TALLOC_CTX *ctx, const struct hive *hive,
                           const struct hive_key *resource, parameter_fn *each, void *data,
                           struct error *err)
{
	uint32_t *cells, count;
	struct hive_key key;

	if (!hive_find(hive, resource, "Parameters", &key, err))
		return false;
	if (key.cell == REGF_NIL)
		return true;
	if (!hive_values(ctx, hive, &key, &cells, &count, err))
		return false;
	for (uint32_t i = 0; i < count; i++) {
		struct hive_value value;
		char *name, *text;

		if (!hive_value_at(hive, cells[i], &value, err))
			return false;
		name = name_to_utf8(ctx, value.name);
		if (!name)
			return error_memory(err);
		text = cmd_value_text(ctx, hive, &key, &value,
		                      cluster_secret(hive_path(ctx, hive, &key), name), err);
		if (!text || !each(data, *name ? name : "(default)", text, err))
			return false;
	}
	return true;
}

struct parameter_row {
	struct tree *tree;
	struct libscols_line *parent;
};

static bool add_parameter_row(void *data, const char *name, const char *text, struct error *err)
{
	struct parameter_row *to = data;

	(void)err;
	row(to->tree, to->parent, name, "%s", text);
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

/* --- the tree --- */

static const char *role(uint32_t role)
{
	static const char *const names[] = { "not used by the cluster", "internal", "client",
		                             "internal and client" };

	return role < 4 ? names[role] : "unknown role";
}

static bool show_resource(struct tree *tree, struct libscols_line *parent,
                          const struct cluster *cluster, const struct cluster_resource *resource,
                          struct error *err)
{
	struct libscols_line *line = row(tree, parent, resource->name, "%s  %s",
	                                 or_nothing(resource->type), resource->id);
	struct parameter_row to = { tree, line };

	for (char **id = resource->depends; id && *id; id++) {
		const struct cluster_resource *on = cluster_resource(cluster, *id);

		row(tree, line, "depends on", "%s", on && on->name ? on->name : *id);
	}
	return each_parameter(tree->ctx, cluster->hive, &resource->key, add_parameter_row, &to,
	                      err);
}

static bool show_groups(struct tree *tree, struct libscols_line *root,
                        const struct cluster *cluster, struct error *err)
{
	struct libscols_line *groups = row(tree, root, "Groups", "%u", cluster->group_count);
	struct libscols_line *line;

	for (uint32_t i = 0; i < cluster->group_count; i++) {
		const struct cluster_group *group = &cluster->groups[i];

		line = row(tree, groups, group->name, "%s", group->id);
		for (uint32_t j = 0; j < cluster->resource_count; j++) {
			const struct cluster_resource *resource = &cluster->resources[j];

			if (resource->group && strcmp(resource->group, group->id) == 0 &&
			    !show_resource(tree, line, cluster, resource, err))
				return false;
		}
	}
	line = NULL;
	for (uint32_t j = 0; j < cluster->resource_count; j++) {
		if (cluster->resources[j].group)
			continue;
		if (!line)
			line = row(tree, root, "Resources in no group", "%s", "");
		if (!show_resource(tree, line, cluster, &cluster->resources[j], err))
			return false;
	}
	return true;
}

static void show_networks(struct tree *tree, struct libscols_line *root,
                          const struct cluster *cluster)
{
	struct libscols_line *networks = row(tree, root, "Networks", "%u", cluster->network_count);

	for (uint32_t i = 0; i < cluster->network_count; i++) {
		const struct cluster_network *network = &cluster->networks[i];
		struct libscols_line *line =
			row(tree, networks, network->name, "%s/%s, %s  %s",
		            or_nothing(network->address), or_nothing(network->mask),
		            role(network->role), network->id);

		for (uint32_t j = 0; j < cluster->interface_count; j++) {
			const struct cluster_interface *interface = &cluster->interfaces[j];

			if (interface->network && strcasecmp(interface->network, network->id) == 0)
				row(tree, line, interface->name, "%s",
				    or_nothing(interface->address));
		}
	}
}

static bool show_cluster(struct cmd *cmd, struct tree *tree, const struct cluster *cluster,
                         struct error *err)
{
	const struct cluster_resource *quorum =
		cluster->quorum_resource ? cluster_resource(cluster, cluster->quorum_resource)
					 : NULL;
	struct libscols_line *root, *list;

	root = row(tree, NULL, cluster->name, "instance %s%s%s, last change %s",
	           cluster->instance_id ? cluster->instance_id : "unknown",
	           cluster->version ? ", version " : "", or_nothing(cluster->version),
	           cmd_time(cmd->ctx, cluster->written));
	row(tree, root, "Quorum", "%s%s%s",
	    quorum ? or_nothing(quorum->name) : or_nothing(cluster->quorum_resource),
	    cluster->quorum_path ? " at " : "", or_nothing(cluster->quorum_path));
	list = row(tree, root, "Nodes", "%u", cluster->node_count);
	for (uint32_t i = 0; i < cluster->node_count; i++)
		row(tree, list, cluster->nodes[i].name, "node %u, version %u, build %u",
		    cluster->nodes[i].id, cluster->nodes[i].highest >> 16, cluster->nodes[i].build);
	if (!show_groups(tree, root, cluster, err))
		return false;
	show_networks(tree, root, cluster);
	list = row(tree, root, "Resource types", "%u", cluster->type_count);
	for (uint32_t i = 0; i < cluster->type_count; i++)
		row(tree, list, cluster->types[i].name, "%s", or_nothing(cluster->types[i].dll));
	return tree->lost ? error_memory(err) : true;
}

static bool print_tree(struct cmd *cmd, const struct cluster *cluster, struct error *err)
{
	struct tree tree = { .table = scols_new_table(), .ctx = cmd->ctx };
	bool done;

	if (!tree.table || !scols_table_new_column(tree.table, "NAME", 0, SCOLS_FL_TREE) ||
	    !scols_table_new_column(tree.table, "DETAIL", 0, SCOLS_FL_NOEXTREMES)) {
		scols_unref_table(tree.table);
		return error_memory(err);
	}
	scols_table_enable_noheadings(tree.table, 1);
	done = show_cluster(cmd, &tree, cluster, err);
	if (done && scols_print_table(tree.table) != 0)
		done = error_set(err, ERROR_DESTINATION, "standard output: cannot write");
	scols_unref_table(tree.table);
	return done;
}

/* --- JSON --- */

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

		if (!each_parameter(cmd->ctx, cluster->hive, &resource->key, add_parameter_json,
		                    parameters, err)) {
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

static bool print_json(struct cmd *cmd, const struct copy *copy, struct error *err)
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

static int run(struct cmd *cmd, int argc, char **argv)
{
	struct cmd_hive_options hive = { 0 };
	const struct cmd_option options[] = { CMD_DISK_OPTIONS(&hive), { 0 } };
	struct hive_options how;
	struct copy copy;
	struct error err;
	int status;

	if (!cmd_parse(cmd, argc, argv, options, 1, 1, &status))
		return status;
	how = cmd_hive_options(&hive);
	if (!cmd_copy(cmd, cmd->args[0], &how, &copy, &err) ||
	    !(cmd->json ? print_json(cmd, &copy, &err) : print_tree(cmd, &copy.cluster, &err)))
		return cmd_fail(&err);
	return cmd_end(0);
}

const struct command command_show = {
	.name = "show",
	.arguments = "SYSTEM|SNAPSHOT",
	.summary = "the cluster's nodes, groups, resources, networks and quorum as a tree",
	.help = "Shows what is in the cluster database of SYSTEM (a mounted system volume or a "
		"cluster hive\n"
		"file) or, of a SNAPSHOT, in its newest state. Values that are known to hold "
		"secrets are\n"
		"masked.",
	.run = run,
};
