/* Hives that commands work on: read as the options say, and what recovery did in words. */
#include "hive/walk.h"
#include "snapshot/cmd/cmd.h"

struct source *cmd_source(struct cmd *cmd, const char *path, const struct cmd_hive_options *options,
                          struct error *err)
{
	struct source *source;

	cmd_progress(cmd, "reading", path);
	source = source_begin(cmd->ctx, path, options->logs != NULL, err);

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

/* What a script may have to know of a recovery, by the codes that status uses. */
struct warning {
	const char *code, *text;
};

#define WARNINGS 4

static unsigned find_warnings(const struct recovery *recovery, struct warning list[WARNINGS])
{
	unsigned count = 0;

	if (recovery->log_missing && recovery->condition != RECOVER_CLEAN)
		list[count++] = (struct warning){ "log-missing",
			                          "only one of .LOG1 and .LOG2 is there; later "
			                          "changes may be in the other" };
	if (recovery->gap)
		list[count++] = (struct warning){
			"log-gap", "a damaged log has lost entries before those that were applied; "
				   "what they changed may be old or torn"
		};
	if (recovery->transactions)
		list[count++] = (struct warning){
			"kernel-transactions-pending",
			"kernel transactions may be pending (.blf or .container files, or the flag "
			"in the hive); they are not replayed"
		};
	if (recovery->unlisted)
		list[count++] = (struct warning){
			"directory-unreadable",
			"its directory cannot be listed, so that only logs of the usual names were "
			"looked for; if it is on NTFS, run chkdsk /f on the volume"
		};
	return count;
}

json_t *cmd_recovery_json(const struct recovery *recovery)
{
	struct warning list[WARNINGS];
	unsigned count = find_warnings(recovery, list);
	json_t *warnings = json_array();

	for (unsigned i = 0; i < count; i++)
		json_array_append_new(warnings, json_pack("{s:s,s:s}", "code", list[i].code, "text",
		                                          list[i].text));
	return warnings;
}

void cmd_warn_recovery(const char *name, const struct recovery *recovery)
{
	struct warning list[WARNINGS];
	unsigned count = find_warnings(recovery, list);

	for (unsigned i = 0; i < count; i++)
		cmd_message("%s: warning: %s: %s", name, list[i].code, list[i].text);
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
	cmd_warn_recovery(hive_name(hive), recovery);
	if (walk_is_layered(hive))
		cmd_message("%s: warning: it is a differencing hive (format 1.6): what is in it "
		            "means nothing without the hive below, and what it deletes there looks "
		            "like a key or an empty value",
		            hive_name(hive));
}

struct hive *cmd_open(struct cmd *cmd, const struct source *source,
                      const struct hive_options *options, struct error *err)
{
	struct hive *hive = hive_begin(cmd->ctx, source, options, err);

	if (!hive)
		return NULL;
	cmd_say_recovery(cmd, hive);
	return hive_finish(hive, options, err) ? hive : NULL;
}

/* A pipe has no size: it is read piece by piece, up to what an image may have. */
struct image *cmd_standard_input(TALLOC_CTX *ctx, struct error *err)
{
	struct image *image = image_new(ctx, 65536, err);
	uint64_t size = 0;
	size_t got;

	while (image) {
		got = fread(image_data(image) + size, 1, image->bytes.size - size, stdin);
		if (got == 0)
			break;
		size += got;
		if (size == image->bytes.size && !image_resize(image, 2 * size, err))
			return NULL;
	}
	if (image && ferror(stdin)) {
		error_errno(err, ERROR_SOURCE, "standard input: cannot read it");
		return NULL;
	}
	return image && image_resize(image, size, err) && image_seal(image, err) ? image : NULL;
}
