/* clusnap backup: BackupClusterDatabase, for nodes that are down. */
#include "snapshot/backup.h"
#include "snapshot/cmd/cmd_snapshot.h"

struct backing_up {
	const char *max_log;
	bool append;
	struct cmd_hive_options hive;
	const char *quorum;
	char **copies;
	bool salvage;
};

static void progress(void *cmd, const char *step, const char *what)
{
	cmd_progress(cmd, step, what);
}

/* All arguments but the last are SYSTEMs. */
static bool prepare(struct cmd *cmd, const struct backing_up *asked, struct backup_options *options)
{
	unsigned count = (unsigned)cmd->count - 1;
	char **systems = talloc_zero_array(cmd->ctx, char *, count + 1);

	if (!systems)
		return false;
	memcpy(systems, cmd->args, count * sizeof(*systems));
	*options = (struct backup_options){
		.collect = { .systems = systems,
		             .quorum = asked->quorum,
		             .hive = cmd_hive_options(&asked->hive),
		             .progress = progress,
		             .progress_data = cmd },
		.destination = cmd->args[count],
		.copies = asked->copies,
	};
	options->collect.append = asked->append ? options->destination : NULL;
	if (asked->salvage)
		options->collect.hive.left_out = problems_new(cmd->ctx);
	return true;
}

static void say_newest(const struct cmd *cmd, const struct collection *collection)
{
	const struct copy *newest = &collection->copies[collection->newest];

	cmd_snapshot_warn(cmd, collection->warnings);
	if (collection->copy_count > 1)
		cmd_note(cmd, "%s has the newest copy of the database%s%s", newest->path,
		         collection->why ? ": " : "", collection->why ? collection->why : "");
}

static void print_json(const struct backup_options *options, const struct collection *collection,
                       const struct verdict *verdict)
{
	json_t *object = cmd_snapshot_json(verdict, collection->warnings);

	json_object_set_new(object, "changed", json_boolean(!collection->unchanged));
	json_object_set_new(object, "newest",
	                    cmd_json_text(collection->copies[collection->newest].path));
	json_object_set_new(object, "why", cmd_json_text(collection->why));
	cmd_json_problems(object, "left_out", options->collect.hive.left_out, PROBLEM_NOTE);
	cmd_json_print(object);
}

static void print_text(struct cmd *cmd, const struct backup_options *options,
                       const struct collection *collection, const struct verdict *verdict)
{
	const struct problems *left_out = options->collect.hive.left_out;
	const char *path = options->destination;

	say_newest(cmd, collection);
	for (uint32_t i = 0; left_out && i < left_out->count; i++)
		cmd_print("left out: %s", left_out->list[i].text);
	if (!collection->unchanged) {
		cmd_snapshot_print(cmd, path, verdict);
	} else if (!cmd->quiet) {
		cmd_print("%s: nothing has changed since transaction %llu", path,
		          (unsigned long long)verdict->sequence);
		cmd_snapshot_print_state(path, verdict);
	}
}

static int run(struct cmd *cmd, int argc, char **argv)
{
	struct backing_up asked = { 0 };
	const struct cmd_option rows[] = {
		{ "quorum", "DIR", "a mounted quorum disk: its .CPR and its copies of the database",
		  NULL, &asked.quorum, NULL },
		{ "copy-to", "DIR", "a further verified copy of the snapshot (repeatable)", NULL,
		  NULL, &asked.copies },
		{ "append", NULL,
		  "go on with the log of SNAPSHOT, if it is there; if nothing is new, it stays",
		  &asked.append, NULL, NULL },
		{ "max-log", "BYTES",
		  "quolog.log begins anew beyond this (default: MaxQuorumLogSize, or 4 MiB)", NULL,
		  &asked.max_log, NULL },
		{ "salvage", NULL, "take what is sound of damaged hives, list the rest, exit 1",
		  &asked.salvage, NULL, NULL },
		CMD_DISK_OPTIONS(&asked.hive),
		{ 0 },
	};
	struct backup_options options;
	struct collection collection;
	const struct problems *left_out;
	struct verdict verdict;
	struct error err;
	int status;

	if (!cmd_parse(cmd, argc, argv, rows, 2, -1, &status))
		return status;
	if (!prepare(cmd, &asked, &options))
		return ERROR_INTERNAL;
	if (asked.max_log &&
	    (!cmd_sequence(asked.max_log, &options.collect.max_log) || !options.collect.max_log))
		return cmd_usage(cmd, "--max-log wants a number of bytes");
	if (!backup(cmd->ctx, &options, &collection, &verdict, &err))
		return cmd_fail(&err);
	left_out = options.collect.hive.left_out;
	if (cmd->json)
		print_json(&options, &collection, &verdict);
	else
		print_text(cmd, &options, &collection, &verdict);
	return cmd_end((left_out && left_out->count) || collection.incomplete ? ERROR_BAD_NEWS : 0);
}

const struct command command_backup = {
	.name = "backup",
	.arguments = "SYSTEM... SNAPSHOT",
	.summary = "cluster database and checkpoints into a directory (BackupClusterDatabase)",
	.help = "Makes SNAPSHOT, a directory laid out as BackupClusterDatabase does it: the "
		"cluster database\n"
		"(chk0001.tmp), an image of every registry checkpoint (.CPT), what a quorum disk "
		"has of\n"
		"crypto checkpoints (.CPR), quolog.log and the marker. Of several SYSTEMs of one "
		"cluster the\n"
		"newest copy of the database is taken. An existing snapshot is replaced, at once "
		"and whole;\n"
		"any other directory that is not empty is refused. Nothing on a SYSTEM is changed.",
	.run = run,
};
