/* clusnap undo, and the two ways on of an interrupted restore: an undo directory carried out. */
#include <dirent.h>
#include <unistd.h>

#include "hive/quote.h"
#include "snapshot/cmd/cmd_restore.h"
#include "snapshot/restore/legacy.h"

static const char *result_text(enum again what, const struct restore *restore,
                               enum carry_state before)
{
	if (restore->waits)
		return "begun: what is data alone is written; the rest waits";
	if (again_wanted(what, &restore->undo, before))
		return what == AGAIN_RESUME ? "restored: what was interrupted is done"
		                            : "undone: every file is as it was before";
	if (what == AGAIN_RESUME)
		return "complete already: every file is the new one";
	if (before == CARRY_OLD)
		return "every file is as it was before: there is nothing to undo";
	return "no restore was interrupted: it is complete";
}

int cmd_restore_again(struct cmd *cmd, const struct restore_options *options, enum again what)
{
	struct restore restore = { 0 };
	struct cmd_restore_result result = { .undone = what != AGAIN_RESUME };
	enum carry_state before = CARRY_OLD;
	struct error err = { 0 };
	int status;

	if (!again_run(cmd->ctx, options, cmd->args[0], what, &restore, &before, &err))
		return cmd_restore_fail(cmd, &restore, &err);
	result.text = result_text(what, &restore, before);
	result.steps = again_wanted(what, &restore.undo, before) && !restore.waits;
	status = cmd_restore_end(cmd, &restore, &result);
	if (status != 0 || what != AGAIN_ROLLBACK || before != CARRY_NEW ||
	    again_wanted(what, &restore.undo, before))
		return status;
	cmd_message("%s: was not interrupted; `clusnap undo %s %s` takes it back", cmd->args[0],
	            quote_word(cmd->ctx, cmd->args[0]),
	            quote_word(cmd->ctx, restore.options->target));
	return ERROR_BAD_NEWS;
}

/* --- the list --- */

static json_t *undo_json(const struct undo *undo, const char *path, const struct error *err)
{
	json_t *object = json_pack("{s:o,s:b}", "path", cmd_json_text(path), "whole", !err);

	if (err) {
		json_object_set_new(object, "error", cmd_json_text(err->text));
		return object;
	}
	json_object_set_new(object, "id", json_string(undo->id));
	json_object_set_new(object, "begun", cmd_json_text(undo->begun));
	json_object_set_new(object, "command", cmd_json_text(undo->command));
	json_object_set_new(object, "node", cmd_json_text(undo->node));
	json_object_set_new(object, "source", cmd_json_text(undo->request.source));
	json_object_set_new(object, "system", cmd_json_text(undo->disks[UNDO_SYSTEM].path));
	json_object_set_new(object, "state", cmd_json_text(undo->state));
	json_object_set_new(object, "files", json_integer(undo->count));
	return object;
}

static void print_one(const struct undo *undo, const char *path, const struct error *err)
{
	if (err) {
		cmd_print("%s", err->text);
		return;
	}
	cmd_print("%s: %s of %s, begun %s, %u file%s, %s", path, undo->command,
	          *undo->node ? undo->node : "a node without a name", undo->begun, undo->count,
	          undo->count == 1 ? "" : "s", *undo->state ? undo->state : "not finished");
}

static bool has(TALLOC_CTX *ctx, const char *path, const char *name)
{
	char *file = talloc_asprintf(ctx, "%s/%s", path, name);

	return file && access(file, F_OK) == 0;
}

/* Also one that has lost its plan. */
bool cmd_undo_is(TALLOC_CTX *ctx, const char *path)
{
	return has(ctx, path, UNDO_PLAN_NAME) ||
	       (has(ctx, path, UNDO_SUMS_NAME) && has(ctx, path, "old"));
}

int cmd_undo_verify(struct cmd *cmd, const char *path)
{
	struct undo undo = { 0 };
	struct error err = { 0 };
	bool whole = undo_read(cmd->ctx, path, UNDO_VERIFIED, &undo, &err);

	if (!whole && err.kind != ERROR_SOURCE)
		return cmd_fail(&err);
	if (cmd->json) {
		json_t *object = undo_json(&undo, path, whole ? NULL : &err);

		json_object_set_new(object, "complete", json_boolean(whole));
		json_object_set_new(object, "damage",
		                    whole ? json_array()
		                          : json_pack("[{s:o,s:o}]", "path", cmd_json_text(path),
		                                      "text", cmd_json_text(err.text)));
		cmd_json_print(object);
	}
	if (!whole) {
		cmd_message("%s", err.text);
		return cmd_end(ERROR_BAD_NEWS);
	}
	if (!cmd->json) {
		print_one(&undo, path, NULL);
		cmd_print("whole: every byte has its SHA-256");
		cmd_print("id %s", undo.id);
	}
	return cmd_end(0);
}

/* One directory; *BAD if it is not whole. */
static void list_one(struct cmd *cmd, const char *path, json_t *list, bool *bad)
{
	TALLOC_CTX *tmp = talloc_new(cmd->ctx);
	struct undo undo = { 0 };
	struct error err = { 0 };
	bool whole = undo_read(tmp, path, UNDO_VERIFIED, &undo, &err);

	*bad |= !whole;
	if (cmd->json)
		json_array_append_new(list, undo_json(&undo, path, whole ? NULL : &err));
	else
		print_one(&undo, path, whole ? NULL : &err);
	talloc_free(tmp);
}

static int list_all(struct cmd *cmd, const char *parent)
{
	json_t *list = json_array();
	struct dirent **entries;
	bool bad = false;
	int count = scandir(parent, &entries, NULL, alphasort);
	struct error err;

	if (count < 0) {
		json_decref(list);
		error_errno(&err, ERROR_SOURCE, "%s", parent);
		return cmd_fail(&err);
	}
	if (cmd_undo_is(cmd->ctx, parent))
		list_one(cmd, parent, list, &bad);
	for (int i = 0; i < count; i++) {
		char *path = talloc_asprintf(cmd->ctx, "%s/%s", parent, entries[i]->d_name);

		if (path && entries[i]->d_name[0] != '.' && cmd_undo_is(cmd->ctx, path))
			list_one(cmd, path, list, &bad);
		free(entries[i]);
	}
	free(entries);
	if (cmd->json)
		cmd_json_print(json_pack("{s:o}", "undo", list));
	else
		json_decref(list);
	return cmd_end(bad ? ERROR_BAD_NEWS : 0);
}

/* --- what clusnap 0.1 has set aside --- */

static int undo_legacy(struct cmd *cmd, struct restore_options *options)
{
	static const struct cmd_restore_words words = {
		.done = "undone: every file is as it was before that restore",
		.waits = "begun: what is data alone is written; the rest waits",
		.unchanged = "every file is as it was before: there is nothing to undo",
		.could = "would be undone",
		.could_not = "could not be undone now",
	};
	struct restore restore = { 0 };
	struct error err = { 0 };

	if (!options->target || !options->undo)
		return cmd_usage(cmd, "what clusnap 0.1 has set aside is undone with SYSTEM and "
		                      "--undo DIR: a directory off its disk, where what is there "
		                      "now is kept");
	options->request.source = cmd->args[0];
	if (!legacy_plan(cmd->ctx, options, cmd->args[0], &restore, &err))
		return cmd_restore_fail(cmd, &restore, &err);
	return cmd_restore_run(cmd, &restore, false, &words);
}

/* --- the command --- */

static int run(struct cmd *cmd, int argc, char **argv)
{
	const char *quorum = NULL, *list = NULL, *undo = NULL, *why;
	bool data_first = false;
	char **force = NULL;
	const struct cmd_option rows[] = {
		{ "list", "DIR", "the undo directories in DIR; undo nothing", NULL, &list, NULL },
		{ "quorum", "DIR", "the quorum disk, if it is elsewhere by now", NULL, &quorum,
		  NULL },
		{ "undo", "DIR", "for what clusnap 0.1 has set aside: where this is kept", NULL,
		  &undo, NULL },
		{ "data-first", NULL,
		  "on a volume that is not mounted: write the data now, the rest later",
		  &data_first, NULL, NULL },
		{ "force", "NAME", "override the refusal of this name (repeatable)", NULL, NULL,
		  &force },
		{ 0 },
	};
	struct restore_options options;
	int status;

	if (!cmd_parse(cmd, argc, argv, rows, 0, 2, &status))
		return status;
	if (list)
		return cmd->count ? cmd_usage(cmd, "--list takes no other argument")
		                  : list_all(cmd, list);
	if (!cmd->count)
		return cmd_usage(cmd, "an argument is missing");
	why = cmd_restore_check_force(cmd, force);
	if (why)
		return cmd_usage(cmd, why);
	options = (struct restore_options){ .request = { .force = force },
		                            .target = cmd->count > 1 ? cmd->args[1] : NULL,
		                            .quorum = quorum,
		                            .undo = undo,
		                            .carry = { data_first, cmd_restore_progress, cmd } };
	if (legacy_is(cmd->ctx, cmd->args[0]))
		return undo_legacy(cmd, &options);
	return cmd_restore_again(cmd, &options, AGAIN_UNDO);
}

const struct command command_undo = {
	.name = "undo",
	.arguments = "UNDO [SYSTEM]",
	.summary = "takes back what a restore or an edit has done to a node's disk",
	.help = "UNDO is the directory that `restore` or `edit` has made and named. Every file "
		"that "
		"was replaced,\n"
		"erased, removed or created is put back as it was; SYSTEM is where the node's "
		"volume is now, if it\n"
		"is not where it was then. First it is checked that each file still is what was "
		"written: if Windows\n"
		"or somebody else has changed one since, that is refused (changed-since). A second "
		"undo changes\n"
		"nothing. `clusnap verify UNDO` says whether the directory is whole.\n"
		"Example: clusnap undo /media/stick/20261128T111500Z-NODE1 /mnt/node1",
	.run = run,
};
