/*
 * clusnap edit: changes in a registry: in the database of a snapshot, as one more transaction, or
 * in the hives of a node that is down.
 */
#include <fcntl.h>
#include <strings.h>

#include "hive/reg.h"
#include "snapshot/cmd/cmd_edit.h"
#include "snapshot/cmd/cmd_restore.h"
#include "snapshot/cmd/cmd_set.h"
#include "snapshot/cmd/cmd_snapshot.h"
#include "snapshot/restore/alter.h"

#define CLUSTER "HKEY_LOCAL_MACHINE\\Cluster"

struct asked {
	const char *quorum, *undo;
	bool set, remove, dry_run, data_first, authoritative;
	char **force;
};

/* Who takes the changes, and the path that their keys are below. */
struct taker {
	const char *root;
	change_fn *change;
	void *data;
};

/* --- what is to be changed --- */

/* A path as regedit, reg.exe or PowerShell prints it, relative to the database's root. */
static const char *below_cluster(const char *key)
{
	static const char *const prefixes[] = { "HKEY_LOCAL_MACHINE\\", "HKLM\\", "HKLM:\\" };

	for (unsigned i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++) {
		if (strncasecmp(key, prefixes[i], strlen(prefixes[i])) == 0) {
			key += strlen(prefixes[i]);
			break;
		}
	}
	if (strncasecmp(key, "Cluster", 7) == 0 && (key[7] == '\\' || !key[7]))
		key += key[7] ? 8 : 7;
	return key;
}

/* reg add makes the key, too, and what is missing above it. */
static bool make_key(const struct taker *taker, const char *key, struct error *err)
{
	struct change change = { .op = CHANGE_CREATE_KEY, .key = key };

	return change_check(&change, err) && taker->change(taker->data, &change, err);
}

/* --set KEY NAME TYPE DATA, --delete KEY [NAME] */
static bool take_words(struct cmd *cmd, const struct asked *asked, const struct taker *taker,
                       struct error *err)
{
	char *const *words = cmd->args + 1;
	struct change change = { .op = cmd->count > 2 ? CHANGE_DELETE_VALUE : CHANGE_DELETE_KEY,
		                 .key = words[0],
		                 .name = cmd->count > 2 ? words[1] : NULL };

	if (asked->set && !cmd_set(cmd, words, &change, err))
		return false;
	if (taker->root)
		change.key = below_cluster(change.key);
	return (change_check(&change, err) && (!asked->set || make_key(taker, change.key, err)) &&
	        taker->change(taker->data, &change, err)) ||
	       error_wrap(err, "%s", words[0]);
}

static bool take_file(struct cmd *cmd, const struct taker *taker, struct error *err)
{
	const char *file = cmd->args[1];
	struct image *image = strcmp(file, "-") == 0 ? cmd_standard_input(cmd->ctx, err)
	                                             : image_read(cmd->ctx, AT_FDCWD, file, err);

	return (image && reg_read(image->bytes, taker->root, taker->change, taker->data, err)) ||
	       error_wrap(err, "%s", file);
}

static bool take(struct cmd *cmd, const struct asked *asked, const struct taker *taker,
                 struct error *err)
{
	return asked->set || asked->remove ? take_words(cmd, asked, taker, err)
	                                   : take_file(cmd, taker, err);
}

/* What the change is called in a log. */
static const char *origin(const struct cmd *cmd, const struct asked *asked)
{
	const char *file = cmd->args[1], *slash = strrchr(file, '/');

	if (asked->set || asked->remove)
		return asked->set ? "edit --set" : "edit --delete";
	return talloc_asprintf(cmd->ctx, "edit %s", slash ? slash + 1 : file);
}

/* --- a snapshot --- */

int cmd_edit_end(struct cmd *cmd, struct edit *edit, const char *name)
{
	struct verdict verdict;
	struct error err;
	bool changed;

	cmd_progress(cmd, "writing", cmd->args[0]);
	if (!edit_publish(edit, name, &changed, &verdict, &err))
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

static int edit_snapshot(struct cmd *cmd, const struct asked *asked)
{
	struct taker taker = { .root = CLUSTER, .change = edit_change };
	struct edit *edit;
	struct error err;

	if (asked->quorum || asked->undo || asked->dry_run || asked->data_first ||
	    asked->authoritative || asked->force)
		return cmd_usage(
			cmd, "--undo, --quorum, --authoritative, --dry-run, --data-first and "
			     "--force are for a SYSTEM; an edit of a SNAPSHOT is a transaction, "
			     "and every earlier state stays");
	cmd_progress(cmd, "verifying", cmd->args[0]);
	edit = taker.data = edit_open(cmd->ctx, cmd->args[0], &err);
	if (!edit || !take(cmd, asked, &taker, &err))
		return cmd_fail(&err);
	return cmd_edit_end(cmd, edit, origin(cmd, asked));
}

/* --- a stopped node --- */

static int edit_system(struct cmd *cmd, const struct asked *asked)
{
	static const struct cmd_restore_words words = {
		.done = "edited",
		.waits = "begun: what is data alone is written; the rest waits",
		.unchanged = "unchanged: nothing is changed by this",
		.could = "would be edited; nothing was changed",
		.could_not = "could not be edited now; nothing was changed",
		.differences = true,
	};
	struct restore_options options = {
		.request = { .source = asked->set || asked->remove ? NULL : cmd->args[1],
		             .authoritative = asked->authoritative,
		             .force = asked->force },
		.target = cmd->args[0],
		.quorum = asked->quorum,
		.undo = asked->undo,
		.carry = { asked->data_first, cmd_restore_progress, cmd },
	};
	struct taker taker = { .change = alter_change };
	struct restore restore = { 0 };
	struct error err = { 0 };

	if (!asked->undo && !asked->dry_run)
		return cmd_usage(cmd, "an edit of a SYSTEM wants --undo DIR: a directory off its "
		                      "disk, where the old files are kept");
	cmd_progress(cmd, "reading", cmd->args[0]);
	taker.data = alter_open(cmd->ctx, &options, &restore, &err);
	if (!taker.data || !take(cmd, asked, &taker, &err) || !alter_plan(taker.data, &err))
		return cmd_restore_fail(cmd, &restore, &err);
	return cmd_restore_run(cmd, &restore, asked->dry_run, &words);
}

/* --- the command --- */

static const char *check_words(const struct cmd *cmd, const struct asked *asked)
{
	if (asked->set && asked->remove)
		return "--set and --delete exclude each other";
	if (asked->set)
		return cmd->count == 5 ? NULL : "--set takes KEY NAME TYPE DATA behind the target";
	if (asked->remove)
		return cmd->count <= 3 ? NULL : "--delete takes KEY and perhaps NAME";
	return cmd->count == 2 ? NULL : "takes a target and one FILE.reg";
}

static int run(struct cmd *cmd, int argc, char **argv)
{
	struct asked asked = { 0 };
	const struct cmd_option rows[] = {
		{ "set", NULL, "set one value: KEY NAME TYPE DATA, as reg add", &asked.set, NULL,
		  NULL },
		{ "delete", NULL, "delete a value, or without NAME a key: KEY [NAME]",
		  &asked.remove, NULL, NULL },
		{ "undo", "DIR", "SYSTEM: where the undo directory is made", NULL, &asked.undo,
		  NULL },
		{ "dry-run", NULL, "SYSTEM: change nothing, show what would be changed",
		  &asked.dry_run, NULL, NULL },
		{ "data-first", NULL,
		  "SYSTEM that is not mounted: write the data now, the rest later",
		  &asked.data_first, NULL, NULL },
		{ "authoritative", NULL, "SYSTEM: the edited database is to prevail",
		  &asked.authoritative, NULL, NULL },
		{ "quorum", "DIR", "SYSTEM: the quorum disk (first generation)", NULL,
		  &asked.quorum, NULL },
		{ "force", "NAME", "SYSTEM: override the refusal of this name (repeatable)", NULL,
		  NULL, &asked.force },
		{ 0 },
	};
	const char *why;
	int status;

	if (!cmd_parse(cmd, argc, argv, rows, 2, 5, &status))
		return status;
	why = check_words(cmd, &asked);
	if (!why)
		why = cmd_restore_check_force(cmd, asked.force);
	if (why)
		return cmd_usage(cmd, why);
	return layout_has_log(cmd->args[0]) ? edit_snapshot(cmd, &asked) : edit_system(cmd, &asked);
}

const struct command command_edit = {
	.name = "edit",
	.arguments =
		"TARGET FILE.reg | TARGET --set KEY NAME TYPE DATA | TARGET --delete KEY [NAME]",
	.summary = "changes a database in a snapshot, or the registry of a stopped node",
	.help = "FILE.reg (\"-\": standard input) means what it would mean to regedit; all of it "
		"is carried out on a\n"
		"copy first, and if anything cannot be, nothing is written. TARGET is a SNAPSHOT "
		"(keys below\n"
		"HKEY_LOCAL_MACHINE\\Cluster; one more transaction, every earlier state stays) or "
		"a "
		"stopped SYSTEM\n"
		"(keys below HKEY_LOCAL_MACHINE\\Cluster, \\SYSTEM and \\SOFTWARE; the old files "
		"are "
		"kept in an undo\n"
		"directory, and `clusnap undo` takes it back). The version of the database "
		"(PaxosTag) is not raised.\n"
		"Example: clusnap edit --undo /media/stick /mnt/node1 --set \\\n"
		"  'HKLM\\SYSTEM\\CurrentControlSet\\Services\\ClusSvc' Start REG_DWORD 2",
	.run = run,
};
