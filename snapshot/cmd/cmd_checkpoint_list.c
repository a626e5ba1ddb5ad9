/* clusnap checkpoint list: Get-ClusterCheckpoint, with where each one is on this disk. */
#include "checkpoint/checkpoint.h"
#include "snapshot/cmd/cmd_table.h"

static json_t *checkpoint_json(const struct checkpoint *checkpoint)
{
	bool registry = checkpoint->type == CHECKPOINT_REGISTRY;
	json_t *object = json_object();

	json_object_set_new(object, "resource", cmd_json_text(checkpoint->resource));
	json_object_set_new(object, "resource_name", cmd_json_text(checkpoint->resource_name));
	json_object_set_new(object, "id", cmd_json_text(checkpoint->id));
	json_object_set_new(object, "type", json_string(registry ? "registry" : "crypto"));
	json_object_set_new(object, "path", cmd_json_text(checkpoint->path));
	json_object_set_new(object, "hive",
	                    cmd_json_text(registry ? checkpoint->where.file : NULL));
	json_object_set_new(object, "key", cmd_json_text(registry ? checkpoint->where.key : NULL));
	json_object_set_new(object, "present", json_boolean(checkpoint->present));
	json_object_set_new(object, "file",
	                    cmd_json_text(checkpoint->present ? checkpoint->file : NULL));
	if (!registry) {
		json_object_set_new(object, "provider_type",
		                    json_integer(checkpoint->provider_type));
		json_object_set_new(object, "provider", cmd_json_text(checkpoint->provider));
		json_object_set_new(object, "container", cmd_json_text(checkpoint->container));
		json_object_set_new(object, "key_file", cmd_json_text(checkpoint->key_file));
	}
	cmd_json_problems(object, "problems", checkpoint->problems, PROBLEM_NOTE);
	return object;
}

static void print_json(const struct checkpoints *checkpoints)
{
	json_t *object = json_object(), *list = json_array();

	for (uint32_t i = 0; i < checkpoints->count; i++)
		json_array_append_new(list, checkpoint_json(&checkpoints->list[i]));
	json_object_set_new(object, "checkpoints", list);
	cmd_json_problems(object, "problems", checkpoints->problems, PROBLEM_NOTE);
	cmd_json_print(object);
}

/* Of a database alone nobody knows what is on its node's disk. */
static const char *state(const struct checkpoint *checkpoint)
{
	if (checkpoint->present)
		return "present";
	return checkpoint->looked ? "missing" : "unknown";
}

static bool add_line(struct cmd *cmd, struct libscols_table *table,
                     const struct checkpoint *checkpoint)
{
	bool registry = checkpoint->type == CHECKPOINT_REGISTRY;
	const char *cells[] = { checkpoint->resource_name ? checkpoint->resource_name
		                                          : checkpoint->resource,
		                checkpoint->id, registry ? "registry" : "crypto", state(checkpoint),
		                checkpoint->path };
	struct libscols_line *line = scols_table_new_line(table, NULL);

	for (unsigned i = 0; i < 5; i++) {
		if (!cmd_table_cell(cmd->ctx, line, i, cells[i]))
			return false;
	}
	return true;
}

static bool print_table(struct cmd *cmd, const struct checkpoints *checkpoints, struct error *err)
{
	static const char *const names[] = { "RESOURCE", "ID", "TYPE", "STATE", "PATH" };
	struct libscols_table *table = cmd_table_new();
	bool done = table != NULL;

	for (unsigned i = 0; done && i < 5; i++)
		done = scols_table_new_column(table, names[i], 0, 0) != NULL;
	for (uint32_t i = 0; done && i < checkpoints->count; i++)
		done = add_line(cmd, table, &checkpoints->list[i]);
	if (!done)
		error_memory(err);
	else if (checkpoints->count && scols_print_table(table) != 0)
		done = error_set(err, ERROR_DESTINATION, "standard output: cannot write");
	scols_unref_table(table);
	return done;
}

static bool print_text(struct cmd *cmd, const struct checkpoints *checkpoints, struct error *err)
{
	if (!print_table(cmd, checkpoints, err))
		return false;
	if (checkpoints->count == 0 && !cmd->quiet)
		cmd_print("no checkpoints are registered");
	for (uint32_t i = 0; i < checkpoints->problems->count; i++) {
		const struct problem *problem = &checkpoints->problems->list[i];

		cmd_print("%s: %s", problem->code, problem->text);
		if (problem->more)
			cmd_print("... and %u more of %s", problem->more, problem->code);
	}
	return true;
}

static int run(struct cmd *cmd, int argc, char **argv)
{
	struct cmd_hive_options hive = { 0 };
	const struct cmd_option options[] = { CMD_DISK_OPTIONS(&hive), { 0 } };
	struct checkpoints checkpoints;
	struct hive_options how;
	struct copy copy;
	struct error err;
	int status;

	if (!cmd_parse(cmd, argc, argv, options, 1, 1, &status))
		return status;
	how = cmd_hive_options(&hive);
	if (!cmd_copy(cmd, cmd->args[0], &how, &copy, &err) ||
	    !cmd_checkpoints(cmd, &copy, &checkpoints, &err))
		return cmd_fail(&err);
	if (cmd->json)
		print_json(&checkpoints);
	else if (!print_text(cmd, &checkpoints, &err))
		return cmd_fail(&err);
	return cmd_end(0);
}

const struct command command_checkpoint_list = {
	.name = "checkpoint list",
	.arguments = "SYSTEM|SNAPSHOT",
	.summary = "registry and crypto checkpoints, and where they are (Get-ClusterCheckpoint)",
	.help = "Lists what resources registered under RegSync and CryptoSync. For a SYSTEM it "
		"says whether\n"
		"the key (or the key container's file) is on that disk, for a SNAPSHOT whether its "
		"file is\n"
		"there, and in both cases what is wrong with the registrations.",
	.run = run,
};
