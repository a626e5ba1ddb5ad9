/* clusnap extract: the cluster hive out of a snapshot. */
#include "hive/publish.h"
#include "snapshot/cmd/cmd_snapshot.h"

static int run(struct cmd *cmd, int argc, char **argv)
{
	struct verdict verdict;
	const struct image *image;
	struct hive *hive;
	struct error err;
	int status;

	if (!cmd_parse(cmd, argc, argv, NULL, 2, 2, &status))
		return status;
	if (!cmd_out_is_no_source(cmd->args[1], cmd->args[0], NULL, &err))
		return cmd_fail(&err);
	hive = verify_newest(cmd->ctx, cmd->args[0], &verdict, &err);
	if (!hive)
		return cmd_fail(&err);
	image = hive_image(hive);
	if (!publish_file(cmd->args[1], image->bytes, &err))
		return cmd_fail(&err);
	if (cmd->json)
		cmd_json_print(json_pack("{s:o,s:s,s:I,s:I}", "path", cmd_json_text(cmd->args[1]),
		                         "id", verdict.id, "sequence", (json_int_t)verdict.sequence,
		                         "size", (json_int_t)image->bytes.size));
	else if (!cmd->quiet)
		cmd_print("%s: the cluster database as of transaction %llu, %llu bytes",
		          cmd->args[1], (unsigned long long)verdict.sequence,
		          (unsigned long long)image->bytes.size);
	return cmd_end(0);
}

const struct command command_extract = {
	.name = "extract",
	.arguments = "SNAPSHOT OUT",
	.summary = "the cluster hive out of a snapshot",
	.help = "Verifies SNAPSHOT and writes the cluster database in its newest state as the hive "
		"file OUT.",
	.run = run,
};
