/* clusnap show: the inventory of a cluster as a tree. A row has a parent, a name and a detail. */
#include <stdlib.h>

#include "snapshot/cmd/cmd_show.h"
#include "snapshot/cmd/cmd_table.h"

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
	if (!detail || !cmd_table_cell(tree->ctx, line, COLUMN_NAME, name ? name : "?") ||
	    !cmd_table_cell(tree->ctx, line, COLUMN_DETAIL, detail))
		tree->lost = true;
	return line;
}

static const char *or_nothing(const char *text)
{
	return text ? text : "";
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
	return cmd_show_each_parameter(tree->ctx, cluster->hive, &resource->key, add_parameter_row,
	                               &to, err);
}

static int by_group(const void *a, const void *b)
{
	const struct cluster_resource *one = *(const struct cluster_resource *const *)a;
	const struct cluster_resource *two = *(const struct cluster_resource *const *)b;
	int order = strcmp(one->group, two->group);

	return order ? order : (one > two) - (one < two);
}

/* Those that are in a group, by the group's id, as the groups are sorted. */
static const struct cluster_resource **grouped(TALLOC_CTX *ctx, const struct cluster *cluster,
                                               uint32_t *count, struct error *err)
{
	const struct cluster_resource **list =
		talloc_array(ctx, const struct cluster_resource *, cluster->resource_count);

	*count = 0;
	if (!list) {
		error_memory(err);
		return NULL;
	}
	for (uint32_t i = 0; i < cluster->resource_count; i++) {
		if (cluster->resources[i].group)
			list[(*count)++] = &cluster->resources[i];
	}
	qsort(list, *count, sizeof(*list), by_group);
	return list;
}

static bool show_groups(struct tree *tree, struct libscols_line *root,
                        const struct cluster *cluster, struct error *err)
{
	struct libscols_line *groups = row(tree, root, "Groups", "%u", cluster->group_count);
	struct libscols_line *line;
	uint32_t count, next = 0;
	const struct cluster_resource **list = grouped(tree->ctx, cluster, &count, err);

	if (!list)
		return false;
	for (uint32_t i = 0; i < cluster->group_count; i++) {
		const struct cluster_group *group = &cluster->groups[i];

		line = row(tree, groups, group->name, "%s", group->id);
		for (; next < count && strcmp(list[next]->group, group->id) == 0; next++) {
			if (!show_resource(tree, line, cluster, list[next], err))
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
	struct tree tree = { .table = cmd_table_new(), .ctx = cmd->ctx };
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
	    !(cmd->json ? cmd_show_json(cmd, &copy, &err) : print_tree(cmd, &copy.cluster, &err)))
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
