/* clusnap diff: what leads from A to B, as a list, as JSON, or as a .reg file. */
#include "hive/diff.h"
#include "hive/publish.h"
#include "hive/reg.h"
#include "snapshot/cmd/cmd_change.h"
#include "snapshot/cmd/cmd_reg.h"

/* What reg compare does not look at either; --exact asks for it. */
#define NOT_COMPARED (CHANGE_BIT(CHANGE_SET_TIME) | CHANGE_BIT(CHANGE_ORDER_VALUES))

struct comparing {
	struct cmd_hive_options hive;
	char **keys; /* --key, once for both or once for each */
	bool reg, utf8, exact;
	const char *root, *output;
};

struct side {
	struct hive *hive;
	struct hive_key key;
	const char *path; /* of the key */
};

static bool open_side(struct cmd *cmd, const struct comparing *comparing, int which,
                      struct side *side, struct error *err)
{
	struct hive_options options = cmd_hive_options(&comparing->hive);
	const char *path = "";

	if (comparing->keys)
		path = comparing->keys[which && comparing->keys[1] ? 1 : 0];
	side->path = path;
	side->hive = cmd_hive(cmd, cmd->args[which], &options, err);
	if (!side->hive || !hive_find(side->hive, NULL, path, &side->key, err))
		return false;
	if (side->key.cell == REGF_NIL)
		return error_set(err, ERROR_SOURCE,
		                 "%s: there is no key %s: ERROR_FILE_NOT_FOUND (2)",
		                 cmd->args[which], path);
	cmd_say_recovery(cmd, side->hive);
	return true;
}

static bool print_list(struct cmd *cmd, const struct comparing *comparing, const struct side *a,
                       const struct side *b, uint64_t *count, struct error *err)
{
	struct diff_options options = { .leave_out = comparing->exact ? 0 : NOT_COMPARED };
	struct cmd_changes changes = { cmd, cmd_is_cluster_hive(b->hive) ? b->path : NULL, 0 };
	bool done;

	cmd_changes_begin(&changes);
	done = diff_subtrees(a->hive, &a->key, b->hive, &b->key, &options, cmd_changes_each,
	                     &changes, err);
	cmd_changes_end(&changes, json_pack("{s:b}", "equal", changes.count == 0));
	*count = changes.count;
	return done;
}

static int run(struct cmd *cmd, int argc, char **argv)
{
	struct comparing comparing = { 0 };
	const struct cmd_option options[] = {
		{ "key", "KEY", "compare this subtree (given twice: the one of A, the one of B)",
		  NULL, NULL, &comparing.keys },
		{ "exact", NULL, "also what reg compare leaves out: key times, order of values",
		  &comparing.exact, NULL, NULL },
		{ "reg", NULL, "a .reg file that turns A into B", &comparing.reg, NULL, NULL },
		CMD_REG_OPTIONS(&comparing),
		CMD_DISK_OPTIONS(&comparing.hive),
		{ 0 },
	};
	struct side a, b;
	uint64_t count;
	struct error err;
	int status;

	if (!cmd_parse(cmd, argc, argv, options, 2, 2, &status))
		return status;
	if (comparing.reg && cmd->json)
		return cmd_usage(cmd, "--reg and --json exclude each other");
	if (comparing.keys && talloc_array_length(comparing.keys) > 3)
		return cmd_usage(cmd, "--key is given more than twice");
	for (int i = 0; comparing.output && i < 2; i++) {
		if (!cmd_out_is_no_source(comparing.output, cmd->args[i], NULL, &err))
			return cmd_fail(&err);
	}
	if (!open_side(cmd, &comparing, 0, &a, &err) || !open_side(cmd, &comparing, 1, &b, &err))
		return cmd_fail(&err);
	if (comparing.reg) {
		struct cmd_reg reg = { comparing.root, comparing.output, comparing.utf8,
			               NOT_COMPARED };
		struct cmd_reg_done told;

		if (!cmd_reg_write(cmd, &reg, a.hive, &a.key, b.hive, &b.key, &told, &err))
			return cmd_fail(&err);
		count = told.changes;
	} else if (!print_list(cmd, &comparing, &a, &b, &count, &err)) {
		return cmd_fail(&err);
	}
	return cmd_end(count ? ERROR_BAD_NEWS : 0);
}

const struct command command_diff = {
	.name = "diff",
	.arguments = "A B",
	.summary = "what leads from A to B, as a list or as a .reg file (reg compare)",
	.help = "A and B are hives, hives with --key, or snapshots (the newest state, or "
		"SNAPSHOT@SEQ).\n"
		"Prints the changes that turn A into B, in an order in which they can be carried "
		"out.\n"
		"Key times and the order of values are compared only with --exact. Exit status 0: "
		"equal,\n"
		"1: different.",
	.run = run,
};
