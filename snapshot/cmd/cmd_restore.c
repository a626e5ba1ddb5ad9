/* clusnap restore: RestoreClusterDatabase and the restore of a system's state, offline. */
#include "snapshot/cmd/cmd_restore.h"

struct asked {
	const char *to, *quorum, *undo;
	bool authoritative, checkpoints, dry_run, data_first, resume, rollback;
	char **force;
	struct cmd_hive_options hive;
};

void cmd_restore_progress(void *cmd, const char *step, const char *what)
{
	cmd_progress(cmd, step, what);
}

/* What is wrong with the words, or NULL. */
static const char *check_words(const struct cmd *cmd, const struct asked *asked)
{
	bool again = asked->resume || asked->rollback;

	if (asked->resume && asked->rollback)
		return "--resume and --rollback exclude each other";
	if (again && (asked->dry_run || asked->undo || asked->to || asked->authoritative ||
	              asked->checkpoints))
		return "--resume and --rollback take an undo directory, which says all the rest";
	if (again)
		return cmd->count > 2 ? "--resume and --rollback take UNDO and SYSTEM" : NULL;
	if (cmd->count < 2)
		return "an argument is missing";
	if (cmd->count > 2 && !asked->checkpoints)
		return "names of resources go with --checkpoints";
	return NULL;
}

const char *cmd_restore_check_force(struct cmd *cmd, char *const *force)
{
	for (; force && *force; force++) {
		char *why;

		if (restore_can_force(*force))
			continue;
		why = talloc_asprintf(cmd->ctx, "--force does not know %s; it takes", *force);
		for (const char *const *known = restore_forces(); why && *known; known++)
			why = talloc_asprintf_append(why, " %s", *known);
		return why ? why : "out of memory";
	}
	return NULL;
}

static struct restore_options prepare(struct cmd *cmd, const struct asked *asked)
{
	return (struct restore_options){
		.request = { .source = cmd->args[0],
		             .to = asked->to != NULL,
		             .authoritative = asked->authoritative,
		             .checkpoints = asked->checkpoints,
		             .force = asked->force },
		.target = cmd->count > 1 ? cmd->args[1] : NULL,
		.quorum = asked->quorum,
		.undo = asked->undo,
		.hive = cmd_hive_options(&asked->hive),
		.carry = { asked->data_first, cmd_restore_progress, cmd },
	};
}

/* The arguments behind SYSTEM. */
static bool prepare_resources(struct cmd *cmd, struct undo_request *request)
{
	int words = cmd->count > 2 ? cmd->count - 2 : 0;

	if (!words)
		return true;
	request->resources = talloc_zero_array(cmd->ctx, char *, (unsigned)words + 1);
	for (int i = 0; request->resources && i < words; i++)
		request->resources[i] = cmd->args[i + 2];
	return request->resources != NULL;
}

/* That a result cannot be printed does not undo it. */
int cmd_restore_end(struct cmd *cmd, const struct restore *restore,
                    const struct cmd_restore_result *result)
{
	struct error err;
	int done = restore->waits ? ERROR_INTERRUPTED : 0;
	int status = cmd_restore_print(cmd, restore, result, &err) ? cmd_end(done) : cmd_fail(&err);

	if (status != done)
		cmd_message("%s: %s, all the same", restore->options->target, result->text);
	return status;
}

int cmd_restore_fail(struct cmd *cmd, const struct restore *restore, const struct error *err)
{
	return err->kind == ERROR_REFUSED && restore->refusal_count
	               ? cmd_restore_refused(cmd, restore, err)
	               : cmd_fail(err);
}

/* The plan is shown also if it could not be carried out now: the disk may be mounted read-only. */
static int dry_run(struct cmd *cmd, struct restore *restore, const char *could,
                   const char *could_not)
{
	struct cmd_restore_result result = { .text = could, .steps = true, .differences = true };
	struct error err;
	int status;

	if (!restore_check(restore, &err)) {
		result.obstacle = &err;
		result.text = could_not;
	}
	status = cmd_restore_end(cmd, restore, &result);
	return status == 0 && result.obstacle ? cmd_fail(&err) : status;
}

int cmd_restore_run(struct cmd *cmd, struct restore *restore, bool dry,
                    const struct cmd_restore_words *words)
{
	struct cmd_restore_result result = { .text = words->unchanged,
		                             .steps = true,
		                             .differences = dry };
	struct error err = { 0 };

	if (restore->undo.count == 0)
		return cmd_restore_end(cmd, restore, &result);
	if (dry)
		return dry_run(cmd, restore, words->could, words->could_not);
	if (!restore_run(restore, &err))
		return cmd_restore_fail(cmd, restore, &err);
	result.text = restore->waits ? words->waits : words->done;
	result.differences = words->differences && !restore->waits;
	return cmd_restore_end(cmd, restore, &result);
}

static int plain(struct cmd *cmd, const struct asked *asked, const struct restore_options *options)
{
	static const struct cmd_restore_words words = {
		.done = "restored",
		.waits = "begun: what is data alone is written; the rest waits",
		.unchanged = "unchanged: it is as in the source already",
		.could = "would be restored; nothing was changed",
		.could_not = "could not be restored now; nothing was changed",
	};
	struct restore restore = { 0 };
	struct error err = { 0 };

	if (!restore_plan(cmd->ctx, options, &restore, &err))
		return cmd_restore_fail(cmd, &restore, &err);
	return cmd_restore_run(cmd, &restore, asked->dry_run, &words);
}

static int run(struct cmd *cmd, int argc, char **argv)
{
	struct asked asked = { 0 };
	const struct cmd_option rows[] = {
		{ "to", "SEQ", "the state after this transaction (default: the newest)", NULL,
		  &asked.to, NULL },
		{ "authoritative", NULL, "what is restored is to prevail in the whole cluster",
		  &asked.authoritative, NULL, NULL },
		{ "quorum", "DIR", "the quorum disk (first generation)", NULL, &asked.quorum,
		  NULL },
		{ "checkpoints", NULL, "the subtrees of registry checkpoints instead of CLUSDB",
		  &asked.checkpoints, NULL, NULL },
		{ "undo", "DIR", "where the undo directory is made (default: SNAPSHOT.undo)", NULL,
		  &asked.undo, NULL },
		{ "dry-run", NULL, "change nothing; the plan, file by file, and the differences",
		  &asked.dry_run, NULL, NULL },
		{ "data-first", NULL,
		  "on a volume that is not mounted: write the data now, the rest later",
		  &asked.data_first, NULL, NULL },
		{ "force", "NAME", "override the refusal of this name (repeatable)", NULL, NULL,
		  &asked.force },
		{ "resume", NULL, "finish a restore that was interrupted", &asked.resume, NULL,
		  NULL },
		{ "rollback", NULL, "undo a restore that was interrupted", &asked.rollback, NULL,
		  NULL },
		CMD_DISK_OPTIONS(&asked.hive),
		{ 0 },
	};
	struct restore_options options;
	const char *why;
	int status;

	if (!cmd_parse(cmd, argc, argv, rows, 1, -1, &status))
		return status;
	why = check_words(cmd, &asked);
	if (!why)
		why = cmd_restore_check_force(cmd, asked.force);
	if (why)
		return cmd_usage(cmd, why);
	options = prepare(cmd, &asked);
	if (asked.resume || asked.rollback)
		return cmd_restore_again(cmd, &options,
		                         asked.resume ? AGAIN_RESUME : AGAIN_ROLLBACK);
	if (!prepare_resources(cmd, &options.request))
		return ERROR_INTERNAL;
	if (asked.to && !cmd_sequence(asked.to, &options.request.sequence))
		return cmd_usage(cmd, "--to wants the number of a transaction");
	return plain(cmd, &asked, &options);
}

const struct command command_restore = {
	.name = "restore",
	.arguments = "SNAPSHOT SYSTEM [RESOURCE...] | --resume|--rollback UNDO [SYSTEM]",
	.summary = "ClusDb or checkpoints back into a stopped node (RestoreClusterDatabase)",
	.help = "Puts the cluster database of SNAPSHOT (or of a chk????.tmp, a CLUSDB, a witness "
		"disk's hive,\n"
		"another node's disk) into the node whose system volume is mounted at SYSTEM. "
		"With\n"
		"--checkpoints: the subtrees of its registry checkpoints, of the RESOURCEs named "
		"or of all,\n"
		"into the node's SOFTWARE and other hives. Before anything is written, the old and "
		"the new\n"
		"files are kept in an undo directory: `clusnap undo` takes everything back, today "
		"or next\n"
		"week. A restore that was interrupted is exit status 6 until --resume or "
		"--rollback has been\n"
		"run with that undo directory. Mount SYSTEM for this with\n"
		"  ntfs-3g -o rw,noatime,nodev,nosuid,noexec,windows_names DEVICE DIRECTORY\n"
		"Example: clusnap restore --undo /media/stick /backup/cluster /mnt/node1",
	.run = run,
};
