/*
 * A journal as JSON. What is written is read again before it is used: a journal that a later
 * run could not read would be worth nothing.
 */
#include "snapshot/journal.h"

#include <jansson.h>
#include <stdlib.h>

#include "snapshot/journal_format.h"

const char *const journal_op_names[JOURNAL_OPS] = { "put", "set-aside", "mkdir" };
const char *const journal_disk_names[JOURNAL_DISKS] = { "system", "quorum" };

/* Texts come from users and disks; JSON has room for UTF-8 only. */
struct build {
	const char *bad;
};

static json_t *text(struct build *build, const char *value)
{
	json_t *json;

	if (!value)
		return json_null();
	json = json_string(value);
	if (!json)
		build->bad = value;
	return json;
}

static json_t *texts(struct build *build, char *const *values)
{
	json_t *list = values ? json_array() : json_null();

	for (; list && values && *values; values++) {
		if (json_array_append_new(list, text(build, *values)) != 0) {
			json_decref(list);
			return NULL;
		}
	}
	return list;
}

static json_t *file(const struct journal_file *value)
{
	char hex[DIGEST_HEX];

	if (!value->present)
		return json_null();
	digest_hex(value->digest, hex);
	return json_pack("{s:I,s:s}", "size", (json_int_t)value->size, "sha256", hex);
}

/* The "o" of json_pack takes what it is given, also when it fails, and fails if that is NULL. */
static json_t *step(struct build *build, const struct journal_step *value)
{
	return json_pack("{s:s,s:s,s:o,s:o,s:o,s:o}", "op", journal_op_names[value->op], "disk",
	                 journal_disk_names[value->disk], "path", text(build, value->path), "aside",
	                 text(build, value->aside), "old", file(&value->old), "new",
	                 file(&value->new));
}

static json_t *steps(struct build *build, const struct journal *journal)
{
	json_t *list = json_array();

	for (uint32_t i = 0; list && i < journal->step_count; i++) {
		if (json_array_append_new(list, step(build, &journal->steps[i])) != 0) {
			json_decref(list);
			return NULL;
		}
	}
	return list;
}

static json_t *request(struct build *build, const struct journal_request *value)
{
	return json_pack("{s:o,s:b,s:I,s:b,s:b,s:o,s:o}", "source", text(build, value->source),
	                 "to", (int)value->to, "sequence", (json_int_t)value->sequence,
	                 "authoritative", (int)value->authoritative, "checkpoints",
	                 (int)value->checkpoints, "resources", texts(build, value->resources),
	                 "force", texts(build, value->force));
}

static json_t *whole(struct build *build, const struct journal *journal)
{
	return json_pack(
		"{s:s,s:i,s:o,s:o,s:o,s:{s:o,s:o},s:o}", "clusnap", JOURNAL_KIND, "version",
		JOURNAL_VERSION, "begun", text(build, journal->begun), "request",
		request(build, &journal->request), "id", text(build, journal->id), "aside",
		journal_disk_names[JOURNAL_SYSTEM], text(build, journal->aside[JOURNAL_SYSTEM]),
		journal_disk_names[JOURNAL_QUORUM], text(build, journal->aside[JOURNAL_QUORUM]),
		"steps", steps(build, journal));
}

/* Why there is no JSON: a text that is no UTF-8, or no memory. */
static bool not_built(const struct build *build, struct error *err)
{
	json_t *again = build->bad ? json_string(build->bad) : NULL;
	json_t *unchecked = build->bad && !again ? json_string_nocheck(build->bad) : NULL;

	if (unchecked)
		error_set(err, ERROR_USAGE, "%s: is no UTF-8 and cannot be noted in a journal",
		          build->bad);
	else
		error_memory(err);
	json_decref(again);
	json_decref(unchecked);
	return false;
}

static bool check_numbers(const struct journal *journal, struct error *err)
{
	if (journal->request.sequence > INT64_MAX)
		return error_set(err, ERROR_USAGE, "sequence %llu is too large",
		                 (unsigned long long)journal->request.sequence);
	for (uint32_t i = 0; i < journal->step_count; i++) {
		const struct journal_step *one = &journal->steps[i];

		if (one->old.size > INT64_MAX || one->new.size > INT64_MAX)
			return error_set(err, ERROR_INTERNAL, "%s: has no size", one->path);
	}
	return true;
}

static bool read_again(struct bytes made, struct error *err)
{
	TALLOC_CTX *tmp = talloc_new(NULL);
	struct journal again;
	bool done;

	if (!tmp)
		return error_memory(err);
	done = journal_read(tmp, made, &again, err);
	talloc_free(tmp);
	if (!done && err->kind != ERROR_INTERNAL) {
		err->kind = ERROR_INTERNAL;
		error_wrap(err, "a journal that cannot be read");
	}
	return done;
}

struct bytes journal_write(TALLOC_CTX *ctx, const struct journal *journal, struct error *err)
{
	struct bytes nothing = { NULL, 0 }, made;
	struct build build = { NULL };
	json_t *json;
	char *printed, *copy;

	if (!check_numbers(journal, err))
		return nothing;
	json = whole(&build, journal);
	if (!json) {
		not_built(&build, err);
		return nothing;
	}
	printed = json_dumps(json, JSON_INDENT(2));
	json_decref(json);
	copy = printed ? talloc_asprintf(ctx, "%s\n", printed) : NULL;
	free(printed);
	if (!copy) {
		error_memory(err);
		return nothing;
	}
	made = (struct bytes){ (uint8_t *)copy, strlen(copy) };
	if (read_again(made, err))
		return made;
	talloc_free(copy);
	return nothing;
}
