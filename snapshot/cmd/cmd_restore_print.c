/* A restore in words and in JSON: its plan, step by step, and what is to be done afterwards. */
#include "hive/diff.h"
#include "snapshot/cmd/cmd_change.h"
#include "snapshot/cmd/cmd_restore.h"

/* What reg compare does not look at either, as in clusnap diff. */
#define NOT_COMPARED (CHANGE_BIT(CHANGE_SET_TIME) | CHANGE_BIT(CHANGE_ORDER_VALUES))

static const char *const ops[JOURNAL_OPS] = { "put", "set-aside", "mkdir" };

static const char *disk_path(const struct restore *r, enum journal_disk disk)
{
	return disk == JOURNAL_QUORUM ? r->options->quorum : r->options->target;
}

static char *aside_path(TALLOC_CTX *ctx, const struct restore *r, const struct journal_step *step)
{
	if (!step->aside)
		return NULL;
	return talloc_asprintf(ctx, "%s/%s", r->journal.aside[step->disk], step->aside);
}

/* --- text --- */

static void print_step(struct cmd *cmd, const struct restore *r, const struct journal_step *step,
                       bool undone)
{
	char *aside = aside_path(cmd->ctx, r, step);
	const char *disk = disk_path(r, step->disk);

	if (undone) {
		cmd_print("  %s  %s/%s", step->old.present ? "as before" : "removed  ", disk,
		          step->path);
		return;
	}
	switch (step->op) {
	case JOURNAL_PUT:
		cmd_print("  put        %s/%s: %llu bytes%s%s", disk, step->path,
		          (unsigned long long)step->new.size,
		          step->old.present ? "; the old file: " : "; none is there",
		          aside ? aside : "");
		break;
	case JOURNAL_ASIDE:
		cmd_print("  set aside  %s/%s as %s", disk, step->path, aside ? aside : "");
		break;
	default:
		cmd_print("  make       %s/%s", disk, step->path);
	}
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
	for (uint32_t i = 0; i < r->journal.step_count; i++)
		print_step(cmd, r, &r->journal.steps[i], result->undone);
	for (uint32_t i = 0; result->differences && i < r->difference_count; i++) {
		if (!print_difference(cmd, &r->differences[i], err))
			return false;
	}
	for (char **sentence = r->advice; !cmd->quiet && sentence && *sentence; sentence++)
		cmd_print("%s", *sentence);
	return true;
}

/* --- JSON --- */

static json_t *file_json(const struct journal_file *file)
{
	char hex[DIGEST_HEX];

	if (!file->present)
		return json_null();
	digest_hex(file->digest, hex);
	return json_pack("{s:I,s:s}", "size", (json_int_t)file->size, "sha256", hex);
}

static json_t *steps_json(struct cmd *cmd, const struct restore *r)
{
	json_t *list = json_array();

	for (uint32_t i = 0; i < r->journal.step_count; i++) {
		const struct journal_step *step = &r->journal.steps[i];
		char *aside = aside_path(cmd->ctx, r, step);

		json_array_append_new(
			list,
			json_pack("{s:s,s:s,s:o,s:o,s:o,s:o}", "op", ops[step->op], "disk",
		                  step->disk == JOURNAL_QUORUM ? "quorum" : "system", "path",
		                  cmd_json_text(step->path), "aside", cmd_json_text(aside), "old",
		                  file_json(&step->old), "new", file_json(&step->new)));
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

static bool print_json(struct cmd *cmd, const struct restore *r,
                       const struct cmd_restore_result *result, struct error *err)
{
	const struct journal_request *request = &r->journal.request;
	json_t *object = json_object(), *advice = json_array(), *all;

	for (char **sentence = r->advice; sentence && *sentence; sentence++)
		json_array_append_new(advice, json_string(*sentence));
	json_object_set_new(object, "target", cmd_json_text(r->options->target));
	json_object_set_new(object, "source", cmd_json_text(request->source));
	json_object_set_new(object, "id",
	                    *r->journal.id ? json_string(r->journal.id) : json_null());
	json_object_set_new(object, "sequence",
	                    *r->journal.id ? json_integer((json_int_t)request->sequence)
	                                   : json_null());
	json_object_set_new(object, "authoritative", json_boolean(request->authoritative));
	json_object_set_new(object, "result", json_string(result->text));
	json_object_set_new(object, "set_aside", cmd_json_text(r->journal.aside[JOURNAL_SYSTEM]));
	json_object_set_new(object, "set_aside_quorum",
	                    cmd_json_text(r->journal.aside[JOURNAL_QUORUM]));
	json_object_set_new(object, "steps", steps_json(cmd, r));
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
	return (cmd->json ? print_json : print_text)(cmd, restore, result, err);
}

int cmd_restore_refused(struct cmd *cmd, const struct restore *restore, const struct error *err)
{
	json_t *list = json_array();

	for (uint32_t i = 0; i < restore->refusal_count; i++) {
		const struct restore_refusal *one = &restore->refusals[i];

		cmd_message("%s: refused: %s: %s (--force %s overrides this)",
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
