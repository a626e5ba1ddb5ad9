/* clusnap recover: what the kernel does at load, into a new file. */
#include "hive/publish.h"
#include "snapshot/cmd/cmd.h"

static void report(const struct cmd *cmd, const struct recovery *recovery,
                   const struct image *image, bool damaged)
{
	static const char *const names[] = { "clean", "recovered", "dirty" };
	const char *condition = damaged ? "damaged" : names[recovery->condition];
	json_t *object, *messages = json_array();

	if (!cmd->json) {
		if (!cmd->quiet)
			cmd_print("%s: %s, %u log entries applied, %llu bytes", cmd->args[1],
			          condition, recovery->entries,
			          (unsigned long long)image->bytes.size);
		json_decref(messages);
		return;
	}
	for (uint32_t i = 0; i < recovery->message_count; i++)
		json_array_append_new(messages, cmd_json_text(recovery->messages[i]));
	object = json_pack("{s:o,s:s,s:I,s:I,s:I,s:o,s:b,s:b}", "path", cmd_json_text(cmd->args[1]),
	                   "condition", condition, "log_entries_applied",
	                   (json_int_t)recovery->entries, "first_sequence",
	                   (json_int_t)recovery->first, "last_sequence", (json_int_t)recovery->last,
	                   "messages", messages, "log_missing", recovery->log_missing,
	                   "kernel_transactions_pending", recovery->transactions);
	json_object_set_new(object, "warnings", cmd_recovery_json(recovery));
	cmd_json_print(object);
}

struct recovering {
	struct cmd_hive_options hive;
	bool damaged;
	bool is_damaged; /* and OUT was written all the same */
};

/* What is written: read as it is, it would be as dirty as its source. */
static const struct image *result(struct cmd *cmd, const struct hive *hive, struct error *err)
{
	const struct image *image = hive_image(hive);

	if (hive_recovery(hive)->condition != RECOVER_IGNORED)
		return image;
	if (image_wait(image, image->bytes.size, err))
		return recover_as_clean(cmd->ctx, image, err);
	return NULL;
}

/* Is it sound, or may it be damaged? */
static bool finish(struct cmd *cmd, struct hive *hive, struct recovering *recovering,
                   struct error *err)
{
	struct hive_options options = cmd_hive_options(&recovering->hive);

	if (hive_finish(hive, &options, err))
		return true;
	if (err->kind != ERROR_SOURCE)
		return false;
	recovering->is_damaged = recovering->damaged;
	if (!recovering->damaged)
		return error_wrap(err,
		                  "%s is not written (--damaged does, `clusnap save "
		                  "--salvage` writes what is sound)",
		                  cmd->args[1]);
	cmd_message("warning: %s", err->text);
	return true;
}

/* The result is written while it is checked, and gets its name only then. */
static bool publish_checked(struct cmd *cmd, struct hive *hive, struct recovering *recovering,
                            struct error *err)
{
	const struct image *image = result(cmd, hive, err);
	struct publish_file *file;
	bool done;

	if (!image)
		return false;
	cmd_say_recovery(cmd, hive);
	cmd_progress(cmd, "writing and checking", cmd->args[1]);
	file = publish_file_begin(cmd->ctx, cmd->args[1], image, err);
	if (!file || !finish(cmd, hive, recovering, err)) {
		talloc_free(file);
		return false;
	}
	done = publish_file_commit(file, err);
	talloc_free(file);
	return done;
}

static int run(struct cmd *cmd, int argc, char **argv)
{
	struct recovering recovering = { 0 };
	const struct cmd_option options[] = {
		{ "damaged", NULL, "write the result even if it is damaged, exit 1",
		  &recovering.damaged, NULL, NULL },
		CMD_HIVE_OPTIONS(&recovering.hive),
		{ 0 },
	};
	struct hive_options open_options;
	const struct recovery *recovery;
	struct source *source;
	struct hive *hive;
	struct error err;
	int status;

	if (!cmd_parse(cmd, argc, argv, options, 2, 2, &status))
		return status;
	open_options = cmd_hive_options(&recovering.hive);
	source = cmd_source(cmd, cmd->args[0], &recovering.hive, &err);
	if (!source || !cmd_out_is_no_source(cmd->args[1], cmd->args[0], source, &err))
		return cmd_fail(&err);
	hive = hive_begin(cmd->ctx, source, &open_options, &err);
	if (!hive || !publish_checked(cmd, hive, &recovering, &err))
		return cmd_fail(&err);
	recovery = hive_recovery(hive);
	report(cmd, recovery, hive_image(hive), recovering.is_damaged);
	return cmd_end(recovering.is_damaged || recovery->condition == RECOVER_IGNORED
	                       ? ERROR_BAD_NEWS
	                       : 0);
}

const struct command command_recover = {
	.name = "recover",
	.arguments = "HIVE OUT",
	.summary = "replay the transaction logs of a dirty hive into a clean one",
	.help = "Does what the kernel does when it loads HIVE: replays .LOG, .LOG1 and .LOG2 "
		"(found beside\n"
		"it, or named with --log), and writes the result as OUT. HIVE is not changed. A "
		"dirty hive\n"
		"whose logs cannot be used is exit status 1; --ignore-logs then writes it as it is "
		"but for\n"
		"its header, which becomes that of a clean hive. A damaged result is not written "
		"but "
		"with\n"
		"--damaged.",
	.run = run,
};
