/* clusnap extract: the cluster hive out of a snapshot, as of any of its transactions. */
#include "hive/publish.h"
#include "snapshot/cmd/cmd_snapshot.h"
#include "snapshot/replay.h"

static int run(struct cmd *cmd, int argc, char **argv)
{
	const char *to = NULL;
	const struct cmd_option options[] = {
		{ "to", "SEQ", "as of this transaction (default: the newest)", NULL, &to, NULL },
		{ 0 },
	};
	struct verdict verdict;
	const struct image *image;
	struct hive *hive;
	uint64_t sequence;
	struct error err;
	int status;

	if (!cmd_parse(cmd, argc, argv, options, 2, 2, &status))
		return status;
	if (to && !cmd_sequence(to, &sequence))
		return cmd_usage(cmd, "--to wants the number of a transaction");
	cmd_progress(cmd, "verifying", cmd->args[0]);
	if (!cmd_out_is_no_source(cmd->args[1], cmd->args[0], NULL, &err) ||
	    !verify_complete(cmd->ctx, cmd->args[0], &verdict, &err))
		return cmd_fail(&err);
	if (!to)
		sequence = verdict.sequence;
	hive = replay_hive(cmd->ctx, cmd->args[0], verdict.log, sequence, &err);
	if (!hive)
		return cmd_fail(&err);
	image = hive_image(hive);
	cmd_progress(cmd, "writing", cmd->args[1]);
	if (!publish_file(cmd->args[1], image->bytes, &err))
		return cmd_fail(&err);
	if (cmd->json)
		cmd_json_print(json_pack("{s:o,s:s,s:I,s:I}", "path", cmd_json_text(cmd->args[1]),
		                         "id", verdict.id, "sequence", (json_int_t)sequence, "size",
		                         (json_int_t)image->bytes.size));
	else if (!cmd->quiet)
		cmd_print("%s: the cluster database as of transaction %llu, %llu bytes",
		          cmd->args[1], (unsigned long long)sequence,
		          (unsigned long long)image->bytes.size);
	return cmd_end(0);
}

const struct command command_extract = {
	.name = "extract",
	.arguments = "SNAPSHOT OUT",
	.summary = "the cluster hive out of a snapshot",
	.help = "Verifies SNAPSHOT and writes the cluster database as the hive file OUT: in its "
		"newest state,\nor exactly as it was after transaction SEQ (`clusnap log` lists "
		"them).",
	.run = run,
};
