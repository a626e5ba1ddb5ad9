/* Hives that commands work on: read as the options say, and what recovery did in words. */
#include "snapshot/cmd/cmd.h"

struct source *cmd_source(struct cmd *cmd, const char *path, const struct cmd_hive_options *options,
                          struct error *err)
{
	struct source *source;

	cmd_progress(cmd, "reading", path);
	source = options->logs ? source_read_alone(cmd->ctx, path, err)
	                       : source_read_path(cmd->ctx, path, err);

	for (char **log = options->logs; source && log && *log; log++) {
		if (!source_add_log(source, *log, err))
			return NULL;
	}
	return source;
}

struct hive_options cmd_hive_options(const struct cmd_hive_options *options)
{
	return (struct hive_options){
		.recover = { .ignore_logs = options->ignore_logs, .relaxed = options->relaxed },
	};
}

void cmd_say_recovery(const struct cmd *cmd, const struct hive *hive)
{
	const struct recovery *recovery = hive_recovery(hive);

	for (uint32_t i = 0; i < recovery->message_count; i++)
		cmd_note(cmd, "%s: %s", hive_name(hive), recovery->messages[i]);
	if (recovery->condition == RECOVER_IGNORED)
		cmd_message("%s: warning: it is dirty and read as it is; what its logs hold is not "
		            "in it",
		            hive_name(hive));
	if (recovery->log_missing && recovery->condition == RECOVER_REPLAYED)
		cmd_message("%s: warning: only one of .LOG1 and .LOG2 is there; later changes may "
		            "be in "
		            "the other",
		            hive_name(hive));
	if (recovery->gap)
		cmd_message("%s: warning: a damaged log has lost entries before those that were "
		            "applied; what they changed may be old or torn",
		            hive_name(hive));
	if (recovery->transactions)
		cmd_message("%s: warning: kernel transactions may be pending (.blf or .container "
		            "files, "
		            "or the flag in the hive); they are not replayed",
		            hive_name(hive));
}
