/* clusnap export: reg export. */
#include "hive/diff.h"
#include "snapshot/cmd/cmd_change.h"
#include "snapshot/cmd/cmd_reg.h"

/* The text is for regedit: what it has no words for is left out without a word each time. */
#define NOT_IN_REG                                                                                 \
	(CHANGE_BIT(CHANGE_SET_TIME) | CHANGE_BIT(CHANGE_SET_SECURITY) |                           \
	 CHANGE_BIT(CHANGE_ORDER_VALUES))

struct exporting {
	struct cmd_hive_options hive;
	bool utf8;
	const char *root, *output;
};

static int run(struct cmd *cmd, int argc, char **argv)
{
	struct exporting exporting = { 0 };
	const struct cmd_option options[] = { CMD_REG_OPTIONS(&exporting),
		                              CMD_HIVE_OPTIONS(&exporting.hive),
		                              { 0 } };
	struct hive_options how;
	struct source *source;
	struct hive_key key;
	struct hive *hive;
	struct error err;
	struct cmd_reg_done told = { 0 };
	int status;

	if (!cmd_parse(cmd, argc, argv, options, 1, 2, &status))
		return status;
	if (cmd->json && exporting.output)
		return cmd_usage(cmd, "--output is for .reg text, --json goes to standard output");
	how = cmd_hive_options(&exporting.hive);
	source = cmd_source(cmd, cmd->args[0], &exporting.hive, &err);
	if (!source || (exporting.output &&
	                !cmd_out_is_no_source(exporting.output, cmd->args[0], source, &err)))
		return cmd_fail(&err);
	hive = cmd_open(cmd, source, &how, &err);
	if (!hive || !hive_find(hive, NULL, cmd->count > 1 ? cmd->args[1] : "", &key, &err))
		return cmd_fail(&err);
	if (key.cell == REGF_NIL) {
		cmd_message("%s: there is no key %s: ERROR_FILE_NOT_FOUND (2)", cmd->args[0],
		            cmd->args[1]);
		return ERROR_SOURCE;
	}
	if (cmd->json) {
		const char *below = cmd->count > 1 ? cmd->args[1] : "";
		struct cmd_changes changes = { cmd, cmd_is_cluster_hive(hive) ? below : NULL, 0 };

		cmd_changes_begin(&changes);
		if (!diff_subtrees(NULL, NULL, hive, &key, NULL, cmd_changes_each, &changes, &err))
			return cmd_fail(&err);
		cmd_changes_end(&changes, json_object());
	} else {
		struct cmd_reg reg = { exporting.root, exporting.output, exporting.utf8,
			               NOT_IN_REG };

		if (!cmd_reg_write(cmd, &reg, NULL, NULL, hive, &key, &told, &err))
			return cmd_fail(&err);
	}
	return cmd_end(told.names_left_out ? ERROR_BAD_NEWS : 0);
}

const struct command command_export = {
	.name = "export",
	.arguments = "HIVE [KEY]",
	.summary = "a subtree as a .reg file (reg export)",
	.help = "Writes the subtree at KEY of HIVE as .reg text to standard output or, with "
		"--output, to a\n"
		"file: UTF-16LE with a byte order mark as regedit does, or --utf8. Security, "
		"classes and\n"
		"times have no place in such a file (`clusnap save` keeps them), and names with a "
		"line break\n"
		"or a NUL neither: they are counted, exit status 1. Nothing is masked in the text: "
		"it "
		"is the\n"
		"data. --json gives the subtree as a list of changes, secrets masked.",
	.run = run,
};
