/* clusnap diff: what leads from A to B, as a list, as JSON, or as a .reg file. */
#include <pthread.h>

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

/* One of the two; they are opened side by side and share nothing meanwhile. */
struct side {
	struct cmd cmd; /* with a context of its own */
	struct hive_options options;
	const char *argument, *path; /* the hive's, the key's */
	struct hive *hive;           /* NULL: err says why */
	struct hive_key key;
	struct error err;
};

static bool begin_side(struct cmd *cmd, const struct comparing *comparing, int which,
                       struct side *side)
{
	char **keys = comparing->keys;

	*side = (struct side){ .cmd = *cmd,
		               .options = cmd_hive_options(&comparing->hive),
		               .argument = cmd->args[which],
		               .path = keys ? keys[which && keys[1] ? 1 : 0] : "" };
	side->cmd.ctx = talloc_new(NULL);
	return side->cmd.ctx != NULL;
}

static void *open_side(void *data)
{
	struct side *side = data;
	struct error *err = &side->err;
	struct hive *hive = cmd_hive(&side->cmd, side->argument, &side->options, err);

	if (!hive || !hive_find(hive, NULL, side->path, &side->key, err))
		return NULL;
	if (side->key.cell != REGF_NIL)
		side->hive = hive;
	else
		error_set(err, ERROR_SOURCE, "%s: there is no key %s: ERROR_FILE_NOT_FOUND (2)",
		          side->argument, side->path);
	return NULL;
}

static bool end_side(struct cmd *cmd, struct side *side, struct error *err)
{
	if (side->hive)
		cmd_say_recovery(cmd, side->hive);
	else
		*err = side->err;
	return side->hive != NULL;
}

static bool open_sides(struct cmd *cmd, const struct comparing *comparing, struct side *a,
                       struct side *b, struct error *err)
{
	pthread_t thread;
	bool threaded;

	if (!begin_side(cmd, comparing, 0, a) || !begin_side(cmd, comparing, 1, b))
		return error_memory(err);
	threaded = pthread_create(&thread, NULL, open_side, b) == 0;
	open_side(a);
	if (threaded)
		pthread_join(thread, NULL);
	else
		open_side(b);
	talloc_steal(cmd->ctx, a->cmd.ctx);
	talloc_steal(cmd->ctx, b->cmd.ctx);
	return end_side(cmd, a, err) && end_side(cmd, b, err);
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
	if (comparing.output && !comparing.reg)
		return cmd_usage(cmd, "--output is for the .reg text of --reg");
	if (comparing.keys && talloc_array_length(comparing.keys) > 3)
		return cmd_usage(cmd, "--key is given more than twice");
	for (int i = 0; comparing.output && i < 2; i++) {
		if (!cmd_out_is_no_source(comparing.output, cmd->args[i], NULL, &err))
			return cmd_fail(&err);
	}
	if (!open_sides(cmd, &comparing, &a, &b, &err))
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
