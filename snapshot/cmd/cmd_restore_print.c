/* A restore in words and in JSON: its plan, step by step, and what is to be done afterwards. */
#include "hive/diff.h"
#include "hive/quote.h"
#include "snapshot/cmd/cmd_change.h"
#include "snapshot/cmd/cmd_restore.h"

/* What reg compare does not look at either, as in clusnap diff. */
#define NOT_COMPARED (CHANGE_BIT(CHANGE_SET_TIME) | CHANGE_BIT(CHANGE_ORDER_VALUES))

static const char *disk_path(const struct restore *r, enum undo_volume volume)
{
	return volume == UNDO_QUORUM && r->options->quorum ? r->options->quorum
	       : volume == UNDO_QUORUM                     ? r->undo.disks[UNDO_QUORUM].path
	                                                   : r->options->target;
}

/* --- text --- */

static const char *const done_words[UNDO_ACTIONS] = { "overwrite", "resize", "create",
	                                              "erase",     "remove", "make" };

static void print_step(const struct restore *r, const struct undo_file *file, bool undone)
{
	const struct undo_content *old = &file->content[UNDO_OLD], *new = &file->content[UNDO_NEW];
	const char *word = done_words[file->action];

	if (undone)
		word = old->present ? "as before" : "removed";
	if (!undone && new->present && file->action != UNDO_ERASE)
		cmd_print("  %-9s  %s/%s: %llu bytes", word, disk_path(r, file->volume), file->path,
		          (unsigned long long)new->size);
	else
		cmd_print("  %-9s  %s/%s", word, disk_path(r, file->volume), file->path);
}

/* Where the old files are, and the one command that takes it all back. */
static void print_undo(struct cmd *cmd, const struct restore *r,
                       const struct cmd_restore_result *result)
{
	if (r->undo.count == 0 || cmd->quiet)
		return;
	if (!r->undo.path && r->undo_parent)
		cmd_print("The old files will be kept in a new directory in %s.", r->undo_parent);
	else if (r->undo.path && !result->undone)
		cmd_print("The old files are in %s/old. To take it all back: clusnap undo %s %s",
		          r->undo.path, quote_word(cmd->ctx, r->undo.path),
		          quote_word(cmd->ctx, r->options->target));
	if (r->waits)
		cmd_print("The rest waits until %s is mounted read-write. Then: clusnap restore "
		          "--%s %s DIRECTORY",
		          r->options->target, result->undone ? "rollback" : "resume",
		          quote_word(cmd->ctx, r->undo.path));
}

static bool print_difference(struct cmd *cmd, const struct restore_difference *one,
                             struct error *err)
{
	struct diff_options options = { .leave_out = NOT_COMPARED };
	struct cmd_changes changes = { cmd, one->database ? "" : NULL, 0 };

	cmd_print("differences of %s to what is there:", one->what);
	if (!diff_subtrees(one->a, one->a ? &one->key_a : NULL, one->b, &one->key_b, &options,
	                   cmd_changes_each, &changes, err))
		return false;
	if (changes.count == 0)
		cmd_print("(only times of keys and the order of values)");
	return true;
}

static bool print_text(struct cmd *cmd, const struct restore *r,
                       const struct cmd_restore_result *result, struct error *err)
{
	for (uint32_t i = 0; i < r->warnings->count; i++)
		cmd_message("warning: %s: %s", r->warnings->list[i].code,
		            r->warnings->list[i].text);
	cmd_print("%s: %s", r->options->target, result->text);
	for (uint32_t i = 0; result->steps && i < r->undo.count; i++)
		print_step(r, &r->undo.files[i], result->undone);
	print_undo(cmd, r, result);
	for (uint32_t i = 0; result->differences && i < r->difference_count; i++) {
		if (!print_difference(cmd, &r->differences[i], err))
			return false;
	}
	for (char **sentence = r->advice; !cmd->quiet && !r->waits && sentence && *sentence;
	     sentence++)
		cmd_print("%s", *sentence);
	return true;
}

/* --- JSON --- */

static json_t *file_json(const struct undo_content *content)
{
	char hex[DIGEST_HEX];

	if (!content->present)
		return json_null();
	digest_hex(content->digest, hex);
	return json_pack("{s:I,s:s}", "size", (json_int_t)content->size, "sha256", hex);
}

static json_t *steps_json(const struct restore *r)
{
	json_t *list = json_array();

	for (uint32_t i = 0; i < r->undo.count; i++) {
		const struct undo_file *file = &r->undo.files[i];

		json_array_append_new(list, json_pack("{s:s,s:s,s:o,s:o,s:o}", "op",
		                                      undo_action_name(file->action), "disk",
		                                      undo_volume_name(file->volume), "path",
		                                      cmd_json_text(file->path), "old",
		                                      file_json(&file->content[UNDO_OLD]), "new",
		                                      file_json(&file->content[UNDO_NEW])));
	}
	return list;
}

struct listing {
	json_t *list;
	const char *below;
};

static bool add_change(void *data, const struct change *change, struct error *err)
{
	struct listing *listing = data;
	json_t *object = cmd_change_json(change, listing->below);

	return json_array_append_new(listing->list, object) == 0 || error_memory(err);
}

static bool differences_json(const struct restore *r, json_t *all, struct error *err)
{
	struct diff_options options = { .leave_out = NOT_COMPARED };

	for (uint32_t i = 0; i < r->difference_count; i++) {
		const struct restore_difference *one = &r->differences[i];
		struct listing listing = { json_array(), one->database ? "" : NULL };

		json_array_append_new(all, json_pack("{s:o,s:o}", "what", cmd_json_text(one->what),
		                                     "changes", listing.list));
		if (!diff_subtrees(one->a, one->a ? &one->key_a : NULL, one->b, &one->key_b,
		                   &options, add_change, &listing, err))
			return false;
	}
	return true;
}

static bool print_json(const struct restore *r, const struct cmd_restore_result *result,
                       struct error *err)
{
	const struct undo_request *request = &r->undo.request;
	json_t *object = json_object(), *advice = json_array(), *all;

	for (char **sentence = r->advice; sentence && *sentence; sentence++)
		json_array_append_new(advice, json_string(*sentence));
	json_object_set_new(object, "target", cmd_json_text(r->options->target));
	json_object_set_new(object, "source", cmd_json_text(request->source));
	json_object_set_new(object, "id",
	                    *r->undo.snapshot ? json_string(r->undo.snapshot) : json_null());
	json_object_set_new(object, "sequence",
	                    *r->undo.snapshot ? json_integer((json_int_t)request->sequence)
	                                      : json_null());
	json_object_set_new(object, "authoritative", json_boolean(request->authoritative));
	json_object_set_new(object, "result", json_string(result->text));
	json_object_set_new(object, "undo", cmd_json_text(r->undo.path));
	json_object_set_new(object, "undo_id",
	                    r->undo.path ? json_string(r->undo.id) : json_null());
	json_object_set_new(object, "waits", json_boolean(r->waits));
	json_object_set_new(object, "steps", result->steps ? steps_json(r) : json_array());
	json_object_set_new(object, "next", advice);
	cmd_json_problems(object, "warnings", r->warnings, PROBLEM_NOTE);
	if (result->obstacle) {
		json_object_set_new(object, "status", json_integer((int)result->obstacle->kind));
		json_object_set_new(object, "error", cmd_json_text(result->obstacle->text));
	}
	if (result->differences) {
		all = json_array();
		json_object_set_new(object, "differences", all);
		if (!differences_json(r, all, err)) {
			json_decref(object);
			return false;
		}
	}
	cmd_json_print(object);
	return true;
}

bool cmd_restore_print(struct cmd *cmd, const struct restore *restore,
                       const struct cmd_restore_result *result, struct error *err)
{
	return cmd->json ? print_json(restore, result, err) : print_text(cmd, restore, result, err);
}

int cmd_restore_refused(struct cmd *cmd, const struct restore *restore, const struct error *err)
{
	json_t *list = json_array();

	for (uint32_t i = 0; i < restore->refusal_count; i++) {
		const struct restore_refusal *one = &restore->refusals[i];

		cmd_message(restore_can_force(one->name)
		                    ? "%s: refused: %s: %s (--force %s overrides this)"
		                    : "%s: refused: %s: %s",
		            restore->options->target, one->name, one->text, one->name);
		json_array_append_new(list, json_pack("{s:s,s:o}", "code", one->name, "text",
		                                      cmd_json_text(one->text)));
	}
	if (cmd->json)
		cmd_json_print(json_pack("{s:i,s:o,s:o}", "status", (int)err->kind, "error",
		                         cmd_json_text(err->text), "refusals", list));
	else
		json_decref(list);
	return (int)err->kind;
}
