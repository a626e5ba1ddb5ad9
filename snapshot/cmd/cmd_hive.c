/* Hives that commands work on: read as the options say, and what recovery did in words. */
#include <sys/stat.h>

#include "snapshot/cmd/cmd.h"

struct source *cmd_source(struct cmd *cmd, const char *path, const struct cmd_hive_options *options,
                          struct error *err)
{
	struct source *source = options->logs ? source_read_alone(cmd->ctx, path, err)
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
	if (recovery->transactions)
		cmd_message("%s: warning: kernel transactions may be pending (.blf or .container "
		            "files, "
		            "or the flag in the hive); they are not replayed",
		            hive_name(hive));
}

static bool same_file(const char *a, const char *b)
{
	struct stat st_a, st_b;

	return stat(a, &st_a) == 0 && stat(b, &st_b) == 0 && st_a.st_dev == st_b.st_dev &&
	       st_a.st_ino == st_b.st_ino;
}

bool cmd_out_is_no_source(const char *out, const char *source_path, const struct source *source,
                          struct error *err)
{
	const char *slash = strrchr(source_path, '/');
	int folder = slash ? (int)(slash - source_path) + 1 : 0;
	bool same = same_file(out, source_path);

	for (unsigned i = 0; !same && i < SOURCE_LOGS; i++) {
		char *log;

		if (!source->logs[i].name)
			continue;
		log = talloc_asprintf(NULL, "%.*s%s", folder, source_path, source->logs[i].name);
		same = log && same_file(out, log);
		talloc_free(log);
	}
	if (same)
		return error_set(
			err, ERROR_REFUSED,
			"%s: is a source of this command, which never changes its sources; "
			"name another file",
			out);
	return true;
}
