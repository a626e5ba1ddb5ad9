/* Reading batches and their companions: docs/quolog.md, (B1) to (B9). */
#include "snapshot/batch.h"
#include "snapshot/batch_format.h"
#include "snapshot/companion.h"

struct batch_reader {
	struct bytes commands, companion;
	uint64_t at, companion_at;
	uint32_t done; /* commands carried out */
	bool at_key;
	struct buffer key, text; /* where the batch is; the name of a value, or another path */
	struct companion_entry next;
	bool no_next; /* there are no more entries of the companion */
	change_fn *each;
	void *data;
	struct error *err;
};

struct command {
	uint32_t kind, type;
	struct bytes name; /* UTF-16LE without its NUL */
	struct bytes data;
};

static bool bad(const struct batch_reader *reader, const char *why)
{
	return error_set(reader->err, ERROR_SOURCE, "command %u of the batch: %s", reader->done,
	                 why);
}

static const char *text_of(const struct buffer *buffer)
{
	return buffer->size ? (const char *)buffer->data : ""; /* an empty one may have no memory */
}

/* (B2), (B3) */
static bool read_command(struct batch_reader *reader, struct command *command)
{
	struct bytes in = reader->commands;
	const struct batch_head *head = bytes_at(in, reader->at, sizeof(*head));
	uint64_t at = reader->at + sizeof(*head), name_size, size;
	const uint8_t *name, *data;
	const le32 *data_size;

	if (!head)
		return bad(reader, "it is too short");
	name_size = le32_get(head->name_size);
	name = bytes_at(in, at, name_size);
	if (!name || name_size < 2 || name_size % 2 || name[name_size - 2] || name[name_size - 1])
		return bad(reader, "its name is malformed");
	data_size = bytes_at(in, at + name_size, sizeof(*data_size));
	size = data_size ? le32_get(*data_size) : 0;
	at += name_size + sizeof(*data_size);
	data = data_size ? bytes_at(in, at, size + (size & 1)) : NULL;
	if (!data)
		return bad(reader, "its data is longer than what is left");
	if (size & 1 && data[size])
		return bad(reader, "its padding is not zero");
	*command = (struct command){
		le32_get(head->command),
		le32_get(head->type),
		{ name, name_size - 2 },
		{ data, size },
	};
	reader->at = at + size + (size & 1);
	return true;
}

static bool read_next_entry(struct batch_reader *reader)
{
	uint32_t after = reader->next.after;

	if (!companion_next(reader->companion, &reader->companion_at, &reader->next,
	                    &reader->no_next, reader->err))
		return false;
	if (!reader->no_next && reader->next.after < after) /* (B9) */
		return error_set(reader->err, ERROR_SOURCE,
		                 "companion: an entry after command %u follows one after %u",
		                 reader->next.after, after);
	return true;
}

/* --- changes --- */

static bool give(struct batch_reader *reader, const struct change *change)
{
	return reader->each(reader->data, change, reader->err);
}

static bool give_entry(struct batch_reader *reader)
{
	static const enum change_op ops[] = {
		[COMPANION_SET_SECURITY] = CHANGE_SET_SECURITY,
		[COMPANION_SET_CLASS] = CHANGE_SET_CLASS,
		[COMPANION_SET_LINK] = CHANGE_SET_LINK,
		[COMPANION_ORDER_VALUES] = CHANGE_ORDER_VALUES,
		[COMPANION_SET_TIME] = CHANGE_SET_TIME,
	};
	const struct companion_entry *entry = &reader->next;
	struct change change = { .data = entry->data };

	if (entry->op == COMPANION_NEW_KEY)
		return bad(reader, "the companion calls its key new, but it is no CREATE_KEY");
	if (!entry->elsewhere && !reader->at_key)
		return bad(reader, "the companion means a key that was deleted");
	if (entry->elsewhere && !buffer_set_utf8(&reader->text, entry->path, reader->err))
		return false;
	change.op = ops[entry->op];
	change.key = text_of(entry->elsewhere ? &reader->text : &reader->key);
	return give(reader, &change);
}

static bool give_entries(struct batch_reader *reader)
{
	while (!reader->no_next && reader->next.after == reader->done) {
		if (!give_entry(reader) || !read_next_entry(reader))
			return false;
	}
	return true;
}

/* CREATE_KEY: a new key if the companion says so, else no more than the way to it. */
static bool give_key(struct batch_reader *reader, const struct command *command)
{
	struct change change = { .op = CHANGE_CREATE_KEY };

	if (!buffer_set_utf8(&reader->key, command->name, reader->err))
		return false;
	reader->at_key = true;
	if (reader->no_next || reader->next.after != reader->done ||
	    reader->next.op != COMPANION_NEW_KEY)
		return true;
	change.key = text_of(&reader->key);
	return give(reader, &change) && read_next_entry(reader);
}

static bool give_deleted(struct batch_reader *reader, const struct command *command)
{
	struct change change = { .op = CHANGE_DELETE_KEY };

	reader->at_key = false;
	if (!buffer_set_utf8(&reader->text, command->name, reader->err))
		return false;
	change.key = text_of(&reader->text);
	return give(reader, &change);
}

static bool give_value(struct batch_reader *reader, const struct command *command)
{
	bool set = command->kind == BATCH_SET_VALUE;
	struct change change = {
		.op = set ? CHANGE_SET_VALUE : CHANGE_DELETE_VALUE,
		.type = command->type,
		.data = command->data,
	};

	if (!reader->at_key) /* (B5) */
		return bad(reader, "it is of a value, and of no key: ERROR_INVALID_PARAMETER (87)");
	if (!buffer_set_utf8(&reader->text, command->name, reader->err))
		return false;
	change.key = text_of(&reader->key);
	change.name = text_of(&reader->text);
	return give(reader, &change);
}

static bool give_command(struct batch_reader *reader)
{
	struct command command = { 0 };

	reader->done++;
	if (!read_command(reader, &command))
		return false;
	if (command.kind != BATCH_SET_VALUE && (command.type || command.data.size)) /* (B4) */
		return bad(reader, "it has a type or data, and is no SET_VALUE");
	switch (command.kind) {
	case BATCH_CREATE_KEY:
		return give_key(reader, &command);
	case BATCH_DELETE_KEY:
		return give_deleted(reader, &command);
	case BATCH_SET_VALUE:
	case BATCH_DELETE_VALUE:
		return give_value(reader, &command);
	default:
		return bad(reader, "it is none that changes anything");
	}
}

static bool read_all(struct batch_reader *reader)
{
	const struct batch_start *start = bytes_at(reader->commands, 0, sizeof(*start));

	if (!start || le32_get(start->version) != BATCH_VERSION) /* (B1) */
		return error_set(reader->err, ERROR_SOURCE, "the batch is not of version %u",
		                 BATCH_VERSION);
	reader->at = sizeof(*start);
	if (!read_next_entry(reader) || !give_entries(reader))
		return false;
	while (reader->at < reader->commands.size) {
		if (!give_command(reader) || !give_entries(reader))
			return false;
	}
	if (reader->done == 0)
		return error_set(reader->err, ERROR_SOURCE, "the batch has no command");
	return reader->no_next ||
	       error_set(reader->err, ERROR_SOURCE, "companion: an entry after command %u of %u",
	                 reader->next.after, reader->done);
}

struct batch_reader *batch_reader_new(TALLOC_CTX *ctx, struct error *err)
{
	struct batch_reader *reader = talloc_zero(ctx, struct batch_reader);

	if (!reader) {
		error_memory(err);
		return NULL;
	}
	reader->key.ctx = reader->text.ctx = reader;
	return reader;
}

bool batch_read(struct batch_reader *reader, struct bytes commands, struct bytes companion,
                change_fn *each, void *data, struct error *err)
{
	reader->commands = commands;
	reader->companion = companion;
	reader->at = reader->companion_at = 0;
	reader->done = 0;
	reader->at_key = true;
	reader->key.size = 0;
	reader->next = (struct companion_entry){ 0 };
	reader->each = each;
	reader->data = data;
	reader->err = err;
	return read_all(reader);
}

bool batch_each(struct bytes commands, struct bytes companion, change_fn *each, void *data,
                struct error *err)
{
	struct batch_reader *reader = batch_reader_new(NULL, err);
	bool done = reader && batch_read(reader, commands, companion, each, data, err);

	talloc_free(reader);
	return done;
}
