/* A SYSTEM or a SNAPSHOT on the command line, as one copy of a database. */
#include "checkpoint/checkpoint.h"
#include "snapshot/cmd/cmd.h"

bool cmd_copy(struct cmd *cmd, const char *path, const struct hive_options *options,
              struct copy *copy, struct error *err)
{
	if (!copy_open(cmd->ctx, path, options, copy, err))
		return false;
	if (copy->hive) {
		cmd_say_recovery(cmd, copy->hive);
		return true;
	}
	return error_set(err, copy->condition == COPY_DAMAGED ? ERROR_SOURCE : ERROR_BAD_NEWS, "%s",
	                 copy->why);
}

bool cmd_checkpoints(struct cmd *cmd, const struct copy *copy, struct checkpoints *checkpoints,
                     struct error *err)
{
	return checkpoints_read(cmd->ctx, &copy->cluster, copy->system, checkpoints, err);
}

bool cmd_is_cluster_hive(const struct hive *hive)
{
	static const char *const keys[] = { "Nodes", "Groups", "Resources" };
	struct hive_key key;
	struct error ignored;

	for (unsigned i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		if (!hive_find(hive, NULL, keys[i], &key, &ignored) || key.cell == REGF_NIL)
			return false;
	}
	return true;
}

struct hive *cmd_hive(struct cmd *cmd, const char *path, const struct hive_options *options,
                      struct error *err)
{
	struct source *source = source_read_path(cmd->ctx, path, err);

	return source ? hive_open(cmd->ctx, source, options, err) : NULL;
}
