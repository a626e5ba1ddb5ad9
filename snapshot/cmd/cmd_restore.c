/* clusnap restore: RestoreClusterDatabase and the restore of a system's state, offline. */
#include "snapshot/cmd/cmd_restore.h"

struct restoring {
	const char *to, *quorum;
	bool authoritative, checkpoints, dry_run, resume, rollback;
	char **force;
	struct cmd_hive_options hive;
};

static void progress(void *cmd, const char *step, const char *what)
{
	cmd_progress(cmd, step, what);
}

/* What is wrong with the words, or NULL. */
static const char *check_words(const struct cmd *cmd, const struct restoring *asked,
                               TALLOC_CTX *ctx)
{
	bool again = asked->resume || asked->rollback;

	if (asked->resume && asked->rollback)
		return "--resume and --rollback exclude each other";
	if (again && asked->dry_run)
		return "--dry-run shows the plan of a new restore";
	if (!again && cmd->count < 2)
		return "an argument is missing";
	if (cmd->count > 2 && !asked->checkpoints)
		return "names of resources go with --checkpoints";
	for (char **name = asked->force; name && *name; name++) {
		char *why;

		if (restore_can_force(*name))
			continue;
		why = talloc_asprintf(ctx, "--force does not know %s; it takes", *name);
		for (const char *const *known = restore_forces(); why && *known; known++)
			why = talloc_asprintf_append(why, " %s", *known);
		return why ? why : "out of memory";
	}
	return NULL;
}

static bool prepare(struct cmd *cmd, const struct restoring *asked, struct restore_options *options)
{
	struct journal_request *request = &options->request;
	int words = cmd->count > 2 ? cmd->count - 2 : 0;

	*options = (struct restore_options){
		.request = { .source = cmd->count > 1 ? cmd->args[0] : NULL,
		             .to = asked->to != NULL,
		             .authoritative = asked->authoritative,
		             .checkpoints = asked->checkpoints,
		             .force = asked->force },
		.target = cmd->args[cmd->count > 1 ? 1 : 0],
		.quorum = asked->quorum,
		.hive = cmd_hive_options(&asked->hive),
		.progress = progress,
		.progress_data = cmd,
	};
	if (!words)
		return true;
	request->resources = talloc_zero_array(cmd->ctx, char *, (unsigned)words + 1);
	for (int i = 0; request->resources && i < words; i++)
		request->resources[i] = cmd->args[i + 2];
	return request->resources != NULL;
}

/* That a result cannot be printed does not undo it. */
static int end(struct cmd *cmd, const struct restore *restore,
               const struct cmd_restore_result *result)
{
	struct error err;
	int status = cmd_restore_print(cmd, restore, result, &err) ? cmd_end(0) : cmd_fail(&err);

	if (status != 0)
		cmd_message("%s: %s, all the same", restore->options->target, result->text);
	return status;
}

static int fail(struct cmd *cmd, const struct restore *restore, const struct error *err)
{
	return err->kind == ERROR_REFUSED && restore->refusal_count
	               ? cmd_restore_refused(cmd, restore, err)
	               : cmd_fail(err);
}

/* The plan is shown also if it could not be carried out now: the disk may be mounted read-only. */
static int dry_run(struct cmd *cmd, struct restore *restore)
{
	struct cmd_restore_result result = { "would be restored; nothing was changed", false, true,
		                             NULL };
	struct error err;
	int status;

	if (!restore_check(restore, &err)) {
		result.obstacle = &err;
		result.text = "could not be restored now; nothing was changed";
	}
	status = end(cmd, restore, &result);
	return status == 0 && result.obstacle ? cmd_fail(&err) : status;
}

static int plain(struct cmd *cmd, const struct restoring *asked,
                 const struct restore_options *options)
{
	struct cmd_restore_result result = { "restored", false, asked->dry_run, NULL };
	struct restore restore = { 0 };
	struct error err = { 0 };

	if (!restore_plan(cmd->ctx, options, &restore, &err))
		return fail(cmd, &restore, &err);
	if (asked->dry_run && restore.journal.step_count)
		return dry_run(cmd, &restore);
	if (!asked->dry_run && !restore_run(&restore, &err))
		return fail(cmd, &restore, &err);
	if (restore.journal.step_count == 0)
		result.text = "unchanged: it is as in the source already";
	return end(cmd, &restore, &result);
}

/* --resume and --rollback. Where nothing is waiting, the first is a restore like any other. */
static int again(struct cmd *cmd, const struct restoring *asked,
                 const struct restore_options *options)
{
	struct cmd_restore_result result = { .undone = asked->rollback };
	struct restore restore = { 0 };
	struct error err = { 0 };
	bool found = false;

	if (!(asked->resume ? restore_resume : restore_rollback)(cmd->ctx, options, &restore,
	                                                         &found, &err))
		return fail(cmd, &restore, &err);
	if (!found && asked->resume && options->request.source) {
		cmd_note(cmd, "%s: no restore was interrupted there; it begins now",
		         options->target);
		return plain(cmd, asked, options);
	}
	result.text = !found          ? "no restore was interrupted there"
	              : asked->resume ? "restored: what was interrupted is done"
	                              : "rolled back: every file is as it was before";
	return end(cmd, &restore, &result);
}

static int run(struct cmd *cmd, int argc, char **argv)
{
	struct restoring asked = { 0 };
	const struct cmd_option rows[] = {
		{ "to", "SEQ", "the state after this transaction (default: the newest)", NULL,
		  &asked.to, NULL },
		{ "authoritative", NULL, "what is restored is to prevail in the whole cluster",
		  &asked.authoritative, NULL, NULL },
		{ "quorum", "DIR", "the mounted quorum disk (first generation)", NULL,
		  &asked.quorum, NULL },
		{ "checkpoints", NULL, "the subtrees of registry checkpoints instead of CLUSDB",
		  &asked.checkpoints, NULL, NULL },
		{ "dry-run", NULL, "change nothing; the plan, file by file, and the differences",
		  &asked.dry_run, NULL, NULL },
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
	why = check_words(cmd, &asked, cmd->ctx);
	if (why)
		return cmd_usage(cmd, why);
	if (!prepare(cmd, &asked, &options))
		return ERROR_INTERNAL;
	if (asked.to && !cmd_sequence(asked.to, &options.request.sequence))
		return cmd_usage(cmd, "--to wants the number of a transaction");
	if (asked.resume || asked.rollback)
		return again(cmd, &asked, &options);
	return plain(cmd, &asked, &options);
}

const struct command command_restore = {
	.name = "restore",
	.arguments = "SNAPSHOT SYSTEM [RESOURCE...]",
	.summary = "ClusDb or checkpoints back into a stopped node (RestoreClusterDatabase)",
	.help = "Puts the cluster database of SNAPSHOT (or of a chk????.tmp, a CLUSDB, a witness "
		"disk's hive,\n"
		"another node's disk) into the node whose system volume is mounted at SYSTEM. "
		"With\n"
		"--checkpoints: the subtrees of its registry checkpoints, of the RESOURCEs named "
		"or of all,\n"
		"into the node's SOFTWARE and other hives. What is replaced is set aside in "
		"Cluster/clusnap-<UTC\n"
		"time>. A restore that was interrupted is exit status 6 until --resume or "
		"--rollback (which\n"
		"need SYSTEM alone) has been run. Mount it for this with\n"
		"  ntfs-3g -o rw,nodev,nosuid,noexec,windows_names DEVICE DIRECTORY",
	.run = run,
};
