/* clusnap edit: a .reg file as one more transaction of a snapshot. */
#include <fcntl.h>

#include "hive/reg.h"
#include "snapshot/cmd/cmd_edit.h"
#include "snapshot/cmd/cmd_snapshot.h"

static bool apply(struct cmd *cmd, struct edit *edit, struct error *err)
{
	const char *file = cmd->args[1];
	struct image *image = image_read(cmd->ctx, AT_FDCWD, file, err);

	return (image &&
	        reg_read(image->bytes, "HKEY_LOCAL_MACHINE\\Cluster", edit_change, edit, err)) ||
	       error_wrap(err, "%s", file);
}

int cmd_edit_end(struct cmd *cmd, struct edit *edit, const char *origin)
{
	struct verdict verdict;
	struct error err;
	bool changed;

	cmd_progress(cmd, "writing", cmd->args[0]);
	if (!edit_publish(edit, origin, &changed, &verdict, &err))
		return cmd_fail(&err);
	if (cmd->json) {
		json_t *object = cmd_snapshot_json(&verdict, edit_warnings(edit));

		json_object_set_new(object, "changed", json_boolean(changed));
		cmd_json_print(object);
		return cmd_end(0);
	}
	cmd_snapshot_warn(cmd, edit_warnings(edit));
	if (!cmd->quiet && changed)
		cmd_print("%s: transaction %llu is done, the newest state is in %s", cmd->args[0],
		          (unsigned long long)verdict.sequence - 1, verdict.newest_chk);
	else if (!cmd->quiet)
		cmd_print("%s: nothing is changed by this", cmd->args[0]);
	return cmd_end(0);
}

static int run(struct cmd *cmd, int argc, char **argv)
{
	struct edit *edit;
	struct error err;
	const char *name;
	int status;

	if (!cmd_parse(cmd, argc, argv, NULL, 2, 2, &status))
		return status;
	cmd_progress(cmd, "verifying", cmd->args[0]);
	edit = edit_open(cmd->ctx, cmd->args[0], &err);
	if (!edit || !apply(cmd, edit, &err))
		return cmd_fail(&err);
	name = strrchr(cmd->args[1], '/') ? strrchr(cmd->args[1], '/') + 1 : cmd->args[1];
	return cmd_edit_end(cmd, edit, talloc_asprintf(cmd->ctx, "edit %s", name));
}

const struct command command_edit = {
	.name = "edit",
	.arguments = "SNAPSHOT FILE.reg",
	.summary = "changes the database in a snapshot, as one more transaction",
	.help = "FILE.reg has keys below HKEY_LOCAL_MACHINE\\Cluster and means what it would mean "
		"to "
		"regedit.\nAll of it is carried out on a copy first; if anything cannot be, "
		"nothing "
		"is written. Then the\nsnapshot is replaced, at once and whole: the log goes on "
		"with "
		"one transaction and one\ncheckpoint, a new highest chk????.tmp holds the new "
		"state, "
		"and every earlier state stays.\nThe version of the database (PaxosTag) is not "
		"raised.",
	.run = run,
};
