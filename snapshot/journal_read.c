/*
 * Reading a journal, of which nothing is believed.
 *
 * Each member is taken by name and type, and counted: one that is unknown, missing or there
 * twice is an error, for it may mean what we do not know. What the texts may say is
 * journal_check's business.
 */
#include <jansson.h>
#include <stdio.h>

#include "snapshot/journal_check.h"
#include "snapshot/journal_format.h"

/* Where the reader is: the first error is the one that counts, and those after it are ignored. */
struct reader {
	TALLOC_CTX *ctx;
	struct error *err;
	const char *in; /* "steps[3].", "request.", "" */
	bool failed;
};

static void *wrong(struct reader *r, const char *name, const char *why)
{
	if (!r->failed)
		error_set(r->err, ERROR_SOURCE, "%s%s: %s", r->in, name, why);
	r->failed = true;
	return NULL;
}

static void *no_memory(struct reader *r)
{
	if (!r->failed)
		error_memory(r->err);
	r->failed = true;
	return NULL;
}

static const json_t *member(struct reader *r, const json_t *object, const char *name)
{
	const json_t *value = json_object_get(object, name);

	return value ? value : wrong(r, name, "is missing");
}

/* OBJECT must be one, with exactly COUNT members. */
static bool object(struct reader *r, const json_t *value, const char *name, size_t count)
{
	if (!json_is_object(value))
		wrong(r, name, "is no object");
	else if (json_object_size(value) > count)
		wrong(r, name, "has a member too many");
	return !r->failed;
}

static char *copy_text(struct reader *r, const json_t *value, const char *name)
{
	char *text;

	if (!json_is_string(value))
		return wrong(r, name, "is no text");
	text = talloc_strdup(r->ctx, json_string_value(value));
	return text ? text : no_memory(r);
}

static char *text(struct reader *r, const json_t *from, const char *name)
{
	const json_t *value = member(r, from, name);

	return value ? copy_text(r, value, name) : NULL;
}

static char *text_or_null(struct reader *r, const json_t *from, const char *name)
{
	const json_t *value = member(r, from, name);

	return value && !json_is_null(value) ? copy_text(r, value, name) : NULL;
}

static bool truth(struct reader *r, const json_t *from, const char *name)
{
	const json_t *value = member(r, from, name);

	if (value && !json_is_boolean(value))
		wrong(r, name, "is neither true nor false");
	return json_is_true(value);
}

static uint64_t number(struct reader *r, const json_t *from, const char *name)
{
	const json_t *value = member(r, from, name);

	if (value && (!json_is_integer(value) || json_integer_value(value) < 0))
		wrong(r, name, "is no number from 0 on");
	return r->failed ? 0 : (uint64_t)json_integer_value(value);
}

/* Which of COUNT words a text is. */
static unsigned word(struct reader *r, const json_t *from, const char *name,
                     const char *const *words, unsigned count)
{
	const json_t *value = member(r, from, name);
	const char *said = json_string_value(value);

	for (unsigned i = 0; said && i < count; i++) {
		if (strcmp(said, words[i]) == 0)
			return i;
	}
	wrong(r, name, "is none of the words that it can be");
	return 0;
}

static char **texts_or_null(struct reader *r, const json_t *from, const char *name)
{
	const json_t *list = member(r, from, name);
	size_t count = json_array_size(list);
	char **texts;

	if (!list || json_is_null(list))
		return NULL;
	if (!json_is_array(list) || count > JOURNAL_TEXTS_MAX)
		return wrong(r, name, "is no list of texts, or too long");
	texts = talloc_zero_array(r->ctx, char *, (unsigned)count + 1);
	if (!texts)
		return no_memory(r);
	for (size_t i = 0; i < count && !r->failed; i++)
		texts[i] = copy_text(r, json_array_get(list, i), name);
	return texts;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static void digest(struct reader *r, const json_t *from, uint8_t out[DIGEST_SIZE])
{
	const json_t *value = member(r, from, "sha256");
	const char *hex = json_string_value(value);

	if (!hex || strlen(hex) != 2 * DIGEST_SIZE) {
		wrong(r, "sha256", "is no SHA-256");
		return;
	}
	for (unsigned i = 0; i < DIGEST_SIZE; i++) {
		int high = hex_digit(hex[2 * i]), low = hex_digit(hex[2 * i + 1]);

		if (high < 0 || low < 0)
			wrong(r, "sha256", "is no SHA-256");
		out[i] = (uint8_t)(16 * high + low);
	}
}

static struct journal_file file_or_null(struct reader *r, const json_t *from, const char *name)
{
	const json_t *value = member(r, from, name);
	struct journal_file file = { 0 };

	if (!value || json_is_null(value) || !object(r, value, name, 2))
		return file;
	file.present = true;
	file.size = number(r, value, "size");
	digest(r, value, file.digest);
	return file;
}

static void read_step(struct reader *r, const json_t *from, struct journal_step *step)
{
	if (!object(r, from, "", 6))
		return;
	step->op = word(r, from, "op", journal_op_names, JOURNAL_OPS);
	step->disk = word(r, from, "disk", journal_disk_names, JOURNAL_DISKS);
	step->path = text(r, from, "path");
	step->aside = text_or_null(r, from, "aside");
	step->old = file_or_null(r, from, "old");
	step->new = file_or_null(r, from, "new");
}

static void read_steps(struct reader *r, const json_t *list, struct journal *journal)
{
	size_t count = json_array_size(list);
	char in[40];

	if (!json_is_array(list) || count > JOURNAL_STEPS_MAX) {
		wrong(r, "steps", "is no list, or too long");
		return;
	}
	journal->steps = talloc_zero_array(r->ctx, struct journal_step, (unsigned)count);
	journal->step_count = (uint32_t)count;
	if (!journal->steps)
		no_memory(r);
	r->in = in;
	for (size_t i = 0; i < count && !r->failed; i++) {
		snprintf(in, sizeof(in), "steps[%zu].", i);
		read_step(r, json_array_get(list, i), &journal->steps[i]);
	}
	r->in = "";
}

static void read_request(struct reader *r, const json_t *from, struct journal_request *request)
{
	if (!from || !object(r, from, "request", 7))
		return;
	r->in = "request.";
	request->source = text(r, from, "source");
	request->to = truth(r, from, "to");
	request->sequence = number(r, from, "sequence");
	request->authoritative = truth(r, from, "authoritative");
	request->checkpoints = truth(r, from, "checkpoints");
	request->resources = texts_or_null(r, from, "resources");
	request->force = texts_or_null(r, from, "force");
	r->in = "";
}

static void read_asides(struct reader *r, const json_t *from, struct journal *journal)
{
	if (!from || !object(r, from, "aside", JOURNAL_DISKS))
		return;
	r->in = "aside.";
	for (unsigned i = 0; i < JOURNAL_DISKS; i++)
		journal->aside[i] = text_or_null(r, from, journal_disk_names[i]);
	r->in = "";
}

/* Is it one at all, and of a version that we know? */
static bool read_kind(struct reader *r, const json_t *root)
{
	const char *kind = json_string_value(json_object_get(root, "clusnap"));
	const json_t *version = json_object_get(root, "version");

	if (!kind || strcmp(kind, JOURNAL_KIND) != 0)
		return wrong(r, "clusnap", "it is no journal of a restore");
	if (!json_is_integer(version) || json_integer_value(version) < 1)
		return wrong(r, "version", "is no version");
	if (json_integer_value(version) > JOURNAL_VERSION)
		return wrong(r, "version", "a newer clusnap has written it; use that one");
	return object(r, root, "journal", 7);
}

static bool read_whole(struct reader *r, const json_t *root, struct journal *journal)
{
	if (!read_kind(r, root))
		return false;
	journal->begun = text(r, root, "begun");
	read_request(r, member(r, root, "request"), &journal->request);
	journal->id = text(r, root, "id");
	read_asides(r, member(r, root, "aside"), journal);
	read_steps(r, member(r, root, "steps"), journal);
	return !r->failed && journal_check(journal, r->err);
}

static json_t *load(struct bytes text, json_error_t *why)
{
	return json_loadb(text.data ? (const char *)text.data : "", text.size,
	                  JSON_REJECT_DUPLICATES, why);
}

/*
 * Without memory jansson may say that the syntax is wrong, or lose a character of a text and say
 * nothing. Only what comes out twice is believed.
 */
static json_t *parse(struct bytes text, struct error *err)
{
	json_error_t why = { 0 }, again = { 0 };
	json_t *root, *second;

	if (text.size > JOURNAL_TEXT_MAX) {
		error_set(err, ERROR_SOURCE, "has %llu bytes, more than any journal",
		          (unsigned long long)text.size);
		return NULL;
	}
	root = load(text, &why);
	second = load(text, &again);
	if (!root && !second && why.text[0] && why.position == again.position &&
	    strcmp(why.text, again.text) == 0) {
		error_set(err, ERROR_SOURCE, "line %d: %s", why.line, why.text);
	} else if (!root || !second || !json_equal(root, second)) {
		error_memory(err);
		json_decref(root);
		root = NULL;
	}
	json_decref(second);
	return root;
}

bool journal_read(TALLOC_CTX *ctx, struct bytes text, struct journal *journal, struct error *err)
{
	TALLOC_CTX *own = talloc_new(ctx);
	struct reader reader = { .ctx = own, .err = err, .in = "" };
	struct journal read = { 0 };
	json_t *root;
	bool done;

	if (!own)
		return error_memory(err);
	root = parse(text, err);
	done = root && read_whole(&reader, root, &read);
	json_decref(root);
	if (done)
		*journal = read;
	else
		talloc_free(own);
	return done;
}
