/* clusnap status: what GetNodeClusterState and GetClusterInformation would say. */
#include "checkpoint/copy.h"
#include "snapshot/cmd/cmd.h"
#include "snapshot/restore/unfinished.h"

/* One SYSTEM of the command line; unreadable ones stay in the answer, with the reason. */
struct asked {
	struct copy *copies;
	struct error *errors; /* kind ERROR_NONE if the copy could be opened */
	uint32_t count;
	bool interrupted; /* a restore was, on one of them */
};

static bool open_all(struct cmd *cmd, const struct hive_options *how, struct asked *asked,
                     struct error *err)
{
	asked->count = (uint32_t)cmd->count;
	asked->copies = talloc_zero_array(cmd->ctx, struct copy, asked->count);
	asked->errors = talloc_zero_array(cmd->ctx, struct error, asked->count);
	if (!asked->copies || !asked->errors)
		return error_memory(err);
	for (uint32_t i = 0; i < asked->count; i++) {
		struct copy *copy = &asked->copies[i];
		bool interrupted;

		cmd_progress(cmd, "reading", cmd->args[i]);
		if (copy_open(cmd->ctx, cmd->args[i], how, copy, &asked->errors[i])) {
			asked->errors[i].kind = ERROR_NONE; /* of a database, it is an answer */
			if (!unfinished_find(copy, &interrupted, err))
				return false;
			asked->interrupted |= interrupted;
			continue;
		}
		if (asked->errors[i].kind == ERROR_INTERNAL) {
			*err = asked->errors[i];
			return false;
		}
		copy->hive = NULL;
	}
	return true;
}

/*
 * 6 if a restore was interrupted; 1 if a node has no usable database or is none, or lacks a
 * hive that Windows needs, or has a directory that cannot be listed; 4 if something could not be
 * read at all.
 */
static int verdict(const struct asked *asked)
{
	int status = 0;

	if (asked->interrupted)
		return ERROR_INTERRUPTED;
	for (uint32_t i = 0; i < asked->count; i++) {
		const struct copy *copy = &asked->copies[i];

		if (asked->errors[i].kind)
			return (int)asked->errors[i].kind;
		if (copy->unreadable)
			return ERROR_SOURCE;
		if (!copy->hive || copy->problems->worst == PROBLEM_FATAL ||
		    problems_find(copy->problems, "directory-unreadable") ||
		    (copy->system && copy->system->state != NODE_NOT_RUNNING))
			status = ERROR_BAD_NEWS;
	}
	return status;
}

/* --- newest, cluster by cluster --- */

struct newest {
	uint32_t first; /* a copy of the cluster */
	uint32_t copy;  /* the newest one */
	char *why;
};

/* Sorts the copies by cluster and finds the newest of each; gives the number of clusters. */
static uint32_t find_newest(struct cmd *cmd, struct asked *asked, struct newest *newest)
{
	struct copy *group = talloc_array(cmd->ctx, struct copy, asked->count);
	uint32_t *member = talloc_array(cmd->ctx, uint32_t, asked->count);
	bool *seen = talloc_zero_array(cmd->ctx, bool, asked->count);
	uint32_t clusters = 0;

	for (uint32_t i = 0; group && member && seen && i < asked->count; i++) {
		uint32_t size = 0, best;
		bool mixed;

		if (seen[i] || !asked->copies[i].hive)
			continue;
		for (uint32_t j = i; j < asked->count; j++) {
			/* one without name and id is of no cluster but its own */
			if (seen[j] || !asked->copies[j].hive ||
			    (j != i &&
			     !cluster_same(&asked->copies[i].cluster, &asked->copies[j].cluster)))
				continue;
			seen[j] = true;
			member[size] = j;
			group[size++] = asked->copies[j];
		}
		best = copy_newest(cmd->ctx, group, size, &mixed, &newest[clusters].why);
		newest[clusters].first = i;
		newest[clusters++].copy = member[best];
	}
	return clusters;
}

/* --- JSON --- */

static json_t *text(const char *string)
{
	return cmd_json_text(string);
}

static json_t *clusdb_json(const struct copy *copy)
{
	json_t *object = json_object();

	json_object_set_new(object, "path", text(copy->file));
	json_object_set_new(object, "condition", json_string(copy_condition_name(copy->condition)));
	json_object_set_new(object, "log_entries_applied",
	                    json_integer(copy->hive ? hive_recovery(copy->hive)->entries : 0));
	json_object_set_new(object, "why", text(copy->why));
	return object;
}

static void add_system(json_t *object, const struct system *system)
{
	json_object_set_new(object, "state", json_integer(system->state));
	json_object_set_new(object, "state_name", text(node_state_name(system->state)));
	json_object_set_new(object, "state_known", json_boolean(system->state_known));
	json_object_set_new(object, "node", text(system->node));
	json_object_set_new(object, "windows", text(system->windows));
	json_object_set_new(object, "product", text(system->product));
	json_object_set_new(object, "windows_version", text(system->version));
	json_object_set_new(object, "hibernated", json_boolean(system->hibernated));
}

static json_t *copy_json(const struct copy *copy, const char *path, const struct error *error)
{
	static const char *const names[] = {
		"state", "state_name", "generation", "cluster", "cluster_instance_id",
		"node",  "version",    "clusdb"
	};
	json_t *object = json_object();
	const struct cluster *cluster = &copy->cluster;

	json_object_set_new(object, "path", text(path));
	/* A single file says nothing of a node, and what could not be opened nothing at all. */
	for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		json_object_set_new(object, names[i], json_null());
	if (error->kind) {
		json_object_set_new(object, "error", text(error->text));
		cmd_json_problems(object, "problems", copy->problems, PROBLEM_NOTE);
		return object;
	}
	if (copy->system)
		add_system(object, copy->system);
	json_object_set_new(
		object, "generation",
		json_integer(copy->system ? copy->system->generation : cluster->generation));
	json_object_set_new(object, "cluster", text(cluster->name));
	json_object_set_new(object, "cluster_instance_id", text(cluster->instance_id));
	json_object_set_new(object, "version", text(cluster->version));
	json_object_set_new(object, "clusdb", clusdb_json(copy));
	cmd_json_problems(object, "problems", copy->problems, PROBLEM_NOTE);
	return object;
}

static void print_json(const struct cmd *cmd, const struct asked *asked,
                       const struct newest *newest, uint32_t clusters)
{
	json_t *object = json_object(), *systems = json_array(), *by_cluster = json_array();

	for (uint32_t i = 0; i < asked->count; i++)
		json_array_append_new(
			systems, copy_json(&asked->copies[i], cmd->args[i], &asked->errors[i]));
	for (uint32_t i = 0; i < clusters; i++) {
		const struct copy *copy = &asked->copies[newest[i].copy];

		json_array_append_new(by_cluster,
		                      json_pack("{s:o,s:o,s:o,s:o}", "cluster",
		                                text(copy->cluster.name), "cluster_instance_id",
		                                text(copy->cluster.instance_id), "path",
		                                text(copy->path), "why", text(newest[i].why)));
	}
	json_object_set_new(object, "systems", systems);
	json_object_set_new(object, "newest",
	                    clusters == 1 ? text(cmd->args[newest[0].copy]) : json_null());
	json_object_set_new(object, "newest_by_cluster", by_cluster);
	cmd_json_print(object);
}

/* --- text --- */

static void print_clusdb(struct cmd *cmd, const struct copy *copy)
{
	const struct cluster *cluster = &copy->cluster;

	cmd_print("  ClusDb    %s%s%s", copy->file ? copy->file : "", copy->file ? ": " : "",
	          copy_condition_name(copy->condition));
	if (copy->why)
		cmd_print("            %s", copy->why);
	if (!copy->hive)
		return;
	if (copy->condition == COPY_RECOVERED)
		cmd_print("            %u log entries applied", hive_recovery(copy->hive)->entries);
	cmd_print("  cluster   %s (instance %s)", cluster->name ? cluster->name : "without a name",
	          cluster->instance_id ? cluster->instance_id : "unknown");
	cmd_print("  version   %s%slast change %s", cluster->version ? cluster->version : "",
	          cluster->version ? ", " : "", cmd_time(cmd->ctx, cluster->written));
	cmd_print("  contents  %u nodes, %u groups, %u resources, %u networks", cluster->node_count,
	          cluster->group_count, cluster->resource_count, cluster->network_count);
}

static void print_copy(struct cmd *cmd, const struct copy *copy)
{
	const struct system *system = copy->system;

	cmd_print("%s", copy->path);
	if (system) {
		cmd_print("  node      %s", system->node ? system->node : "unknown");
		cmd_print("  system    %s%s%s in %s", system->product ? system->product : "Windows",
		          system->version ? ", " : "", system->version ? system->version : "",
		          system->windows);
		cmd_print("  state     %s (%d)%s, generation %u", node_state_name(system->state),
		          (int)system->state, system->state_known ? "" : ", as far as can be told",
		          system->generation);
	}
	print_clusdb(cmd, copy);
	for (uint32_t i = 0; i < copy->problems->count; i++) {
		const struct problem *problem = &copy->problems->list[i];

		cmd_print("  %-9s %s: %s", i ? "" : "problems", problem->code, problem->text);
		if (problem->hint)
			cmd_print("            hint: %s", problem->hint);
		if (problem->more)
			cmd_print("            ... and %u more of %s", problem->more,
			          problem->code);
	}
}

static void print_text(struct cmd *cmd, const struct asked *asked, const struct newest *newest,
                       uint32_t clusters)
{
	for (uint32_t i = 0; i < asked->count; i++) {
		if (asked->errors[i].kind == ERROR_NONE)
			print_copy(cmd, &asked->copies[i]);
	}
	for (uint32_t i = 0; asked->count > 1 && i < clusters; i++) {
		const struct copy *copy = &asked->copies[newest[i].copy];

		cmd_print("newest copy of %s: %s%s%s",
		          copy->cluster.name ? copy->cluster.name : "the cluster", copy->path,
		          newest[i].why ? ", because " : "", newest[i].why ? newest[i].why : "");
	}
}

static int run(struct cmd *cmd, int argc, char **argv)
{
	struct cmd_hive_options hive = { 0 };
	const struct cmd_option options[] = { CMD_DISK_OPTIONS(&hive), { 0 } };
	struct newest *newest;
	struct hive_options how;
	struct asked asked = { 0 };
	uint32_t clusters;
	struct error err;
	int status;

	if (!cmd_parse(cmd, argc, argv, options, 1, -1, &status))
		return status;
	how = cmd_hive_options(&hive);
	newest = talloc_zero_array(cmd->ctx, struct newest, (unsigned)cmd->count);
	if (!newest || !open_all(cmd, &how, &asked, &err))
		return newest ? cmd_fail(&err) : ERROR_INTERNAL;
	clusters = find_newest(cmd, &asked, newest);
	copy_check_identities(asked.copies, asked.count);
	for (uint32_t i = 0; i < asked.count; i++) {
		if (asked.errors[i].kind)
			cmd_fail(&asked.errors[i]);
		else if (asked.copies[i].unreadable)
			cmd_message("%s", asked.copies[i].why);
	}
	if (cmd->json)
		print_json(cmd, &asked, newest, clusters);
	else
		print_text(cmd, &asked, newest, clusters);
	return cmd_end(verdict(&asked));
}

const struct command command_status = {
	.name = "status",
	.arguments = "SYSTEM...",
	.summary = "state of nodes, their cluster, ClusDb's condition; which copy is newest",
	.help = "For each SYSTEM (a directory where a system volume is mounted, an NTFS volume\n"
		"that is read without mounting it from a device or an image file, or a cluster\n"
		"hive file)\n"
		"says what GetNodeClusterState and GetClusterInformation would say, what condition "
		"its\n"
		"ClusDb is in and what is wrong, and which SYSTEM has the newest copy of the "
		"database.\n"
		"Whether a node is running cannot be told from its disk. Exit status 1: a SYSTEM "
		"is not\n"
		"a cluster node, or its ClusDb, SYSTEM or SOFTWARE is damaged or missing. Exit "
		"status 6: a\n"
		"restore of a SYSTEM is not finished. A hint is the command that cures a problem.",
	.run = run,
};
