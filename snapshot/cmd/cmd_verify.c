/* clusnap verify: is a snapshot complete, undamaged, and the one that is expected? */
#include "snapshot/cmd/cmd_restore.h"
#include "snapshot/cmd/cmd_snapshot.h"

/* A snapshot can be whole, and yet hold only what could be salvaged. */
static void warn_salvaged(const struct verdict *verdict, struct problems *warnings)
{
	size_t mark = strlen(COPY_SALVAGED);

	for (size_t i = 0; verdict->log && i < verdict->log->entry_count; i++) {
		const struct quolog_entry *entry = &verdict->log->entries[i];
		size_t size = entry->origin.size;

		if (size < mark ||
		    memcmp(entry->origin.data + size - mark, COPY_SALVAGED, mark) != 0)
			continue;
		problems_add(warnings, PROBLEM_HEALS, PROBLEM_NOWHERE, "salvaged",
		             "the database as of transaction %llu is what could be salvaged of a "
		             "damaged one",
		             (unsigned long long)entry->sequence);
	}
}

static int run(struct cmd *cmd, int argc, char **argv)
{
	const char *expected = NULL;
	const struct cmd_option options[] = {
		{ "expect", "ID", "the id that the snapshot must have", NULL, &expected, NULL },
		{ 0 }
	};
	struct problems *warnings;
	struct verdict verdict;
	struct error err;
	bool other;
	int status;

	if (!cmd_parse(cmd, argc, argv, options, 1, 1, &status))
		return status;
	if (expected && (strlen(expected) != 2 * DIGEST_SIZE ||
	                 strspn(expected, "0123456789abcdefABCDEF") != 2 * DIGEST_SIZE))
		return cmd_usage(cmd, "--expect takes the 64 hexadecimal digits of an id");
	if (cmd_undo_is(cmd->ctx, cmd->args[0]) && !layout_has_log(cmd->args[0]))
		return cmd_undo_verify(cmd, cmd->args[0]);
	warnings = problems_new(cmd->ctx);
	cmd_progress(cmd, "verifying", cmd->args[0]);
	if (!warnings || !verify_path(cmd->ctx, cmd->args[0], &verdict, &err))
		return warnings ? cmd_fail(&err) : ERROR_INTERNAL;
	warn_salvaged(&verdict, warnings);
	for (uint32_t i = 0; i < warnings->count; i++)
		cmd_message("%s: warning: %s", cmd->args[0], warnings->list[i].text);
	other = expected && strcasecmp(expected, verdict.id) != 0;
	if (other)
		problems_add(warnings, PROBLEM_FATAL, PROBLEM_NOWHERE, "identity-mismatch",
		             "the id is %s, expected was %s", verdict.id, expected);
	if (cmd->json)
		cmd_json_print(cmd_snapshot_json(&verdict, warnings));
	else
		cmd_snapshot_print(cmd, cmd->args[0], &verdict);
	if (other)
		cmd_message("%s: is another snapshot: its id is %s, expected was %s", cmd->args[0],
		            verdict.id, expected);
	return cmd_end(verdict.complete && !other ? 0 : ERROR_BAD_NEWS);
}

const struct command command_verify = {
	.name = "verify",
	.arguments = "SNAPSHOT|UNDO",
	.summary = "is a snapshot, or an undo directory, complete and undamaged",
	.help = "Reads all of SNAPSHOT: quolog.log record by record, every file by its SHA-256, "
		"every hive\n"
		"by the validator, the database's tree by its digest. The id it prints stands for "
		"the whole\n"
		"snapshot. Exit status 1: it is damaged, incomplete, or not the one with the "
		"--expect id.\n"
		"UNDO is a directory that `restore`, `edit` or `undo` has made: has each of its "
		"files the\nSHA-256 that its plan says?",
	.run = run,
};
