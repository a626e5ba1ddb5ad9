/* Reading batches and their companions: docs/quolog.md, (B1) to (B9). */
#include "snapshot/batch.h"
#include "snapshot/batch_format.h"
#include "snapshot/companion.h"

struct reading {
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

static bool bad(const struct reading *reading, const char *why)
{
	return error_set(reading->err, ERROR_SOURCE, "command %u of the batch: %s", reading->done,
	                 why);
}

static const char *text_of(const struct buffer *buffer)
{
	return buffer->data ? (const char *)buffer->data : "";
}

/* (B2), (B3) */
static bool read_command(struct reading *reading, struct command *command)
{
	struct bytes in = reading->commands;
	const struct batch_head *head = bytes_at(in, reading->at, sizeof(*head));
	uint64_t at = reading->at + sizeof(*head), name_size, size;
	const uint8_t *name, *data;
	const le32 *data_size;

	if (!head)
		return bad(reading, "it is too short");
	name_size = le32_get(head->name_size);
	name = bytes_at(in, at, name_size);
	if (!name || name_size < 2 || name_size % 2 || name[name_size - 2] || name[name_size - 1])
		return bad(reading, "its name is malformed");
	data_size = bytes_at(in, at + name_size, sizeof(*data_size));
	size = data_size ? le32_get(*data_size) : 0;
	at += name_size + sizeof(*data_size);
	data = data_size ? bytes_at(in, at, size + (size & 1)) : NULL;
	if (!data)
		return bad(reading, "its data is longer than what is left");
	if (size & 1 && data[size])
		return bad(reading, "its padding is not zero");
	*command = (struct command){
		le32_get(head->command),
		le32_get(head->type),
		{ name, name_size - 2 },
		{ data, size },
	};
	reading->at = at + size + (size & 1);
	return true;
}

static bool read_next_entry(struct reading *reading)
{
	uint32_t after = reading->next.after;

	if (!companion_next(reading->companion, &reading->companion_at, &reading->next,
	                    &reading->no_next, reading->err))
		return false;
	if (!reading->no_next && reading->next.after < after) /* (B9) */
		return error_set(reading->err, ERROR_SOURCE,
		                 "companion: an entry after command %u follows one after %u",
		                 reading->next.after, after);
	return true;
}

/* --- changes --- */

static bool give(struct reading *reading, const struct change *change)
{
	return reading->each(reading->data, change, reading->err);
}

static bool give_entry(struct reading *reading)
{
	static const enum change_op ops[] = {
		[COMPANION_SET_SECURITY] = CHANGE_SET_SECURITY,
		[COMPANION_SET_CLASS] = CHANGE_SET_CLASS,
		[COMPANION_SET_LINK] = CHANGE_SET_LINK,
		[COMPANION_ORDER_VALUES] = CHANGE_ORDER_VALUES,
		[COMPANION_SET_TIME] = CHANGE_SET_TIME,
	};
	const struct companion_entry *entry = &reading->next;
	struct change change = { .data = entry->data };

	if (entry->op == COMPANION_NEW_KEY)
		return bad(reading, "the companion calls its key new, but it is no CREATE_KEY");
	if (!entry->elsewhere && !reading->at_key)
		return bad(reading, "the companion means a key that was deleted");
	if (entry->elsewhere && !buffer_set_utf8(&reading->text, entry->path, reading->err))
		return false;
	change.op = ops[entry->op];
	change.key = text_of(entry->elsewhere ? &reading->text : &reading->key);
	return give(reading, &change);
}

static bool give_entries(struct reading *reading)
{
	while (!reading->no_next && reading->next.after == reading->done) {
		if (!give_entry(reading) || !read_next_entry(reading))
			return false;
	}
	return true;
}

/* CREATE_KEY: a new key if the companion says so, else no more than the way to it. */
static bool give_key(struct reading *reading, const struct command *command)
{
	struct change change = { .op = CHANGE_CREATE_KEY };

	if (!buffer_set_utf8(&reading->key, command->name, reading->err))
		return false;
	reading->at_key = true;
	if (reading->no_next || reading->next.after != reading->done ||
	    reading->next.op != COMPANION_NEW_KEY)
		return true;
	change.key = text_of(&reading->key);
	return give(reading, &change) && read_next_entry(reading);
}

static bool give_deleted(struct reading *reading, const struct command *command)
{
	struct change change = { .op = CHANGE_DELETE_KEY };

	reading->at_key = false;
	if (!buffer_set_utf8(&reading->text, command->name, reading->err))
		return false;
	change.key = text_of(&reading->text);
	return give(reading, &change);
}

static bool give_value(struct reading *reading, const struct command *command)
{
	bool set = command->kind == BATCH_SET_VALUE;
	struct change change = {
		.op = set ? CHANGE_SET_VALUE : CHANGE_DELETE_VALUE,
		.type = command->type,
		.data = command->data,
	};

	if (!reading->at_key) /* (B5) */
		return bad(reading,
		           "it is of a value, and of no key: ERROR_INVALID_PARAMETER (87)");
	if (!buffer_set_utf8(&reading->text, command->name, reading->err))
		return false;
	change.key = text_of(&reading->key);
	change.name = text_of(&reading->text);
	return give(reading, &change);
}

static bool give_command(struct reading *reading)
{
	struct command command = { 0 };

	reading->done++;
	if (!read_command(reading, &command))
		return false;
	if (command.kind != BATCH_SET_VALUE && (command.type || command.data.size)) /* (B4) */
		return bad(reading, "it has a type or data, and is no SET_VALUE");
	switch (command.kind) {
	case BATCH_CREATE_KEY:
		return give_key(reading, &command);
	case BATCH_DELETE_KEY:
		return give_deleted(reading, &command);
	case BATCH_SET_VALUE:
	case BATCH_DELETE_VALUE:
		return give_value(reading, &command);
	default:
		return bad(reading, "it is none that changes anything");
	}
}

static bool read_all(struct reading *reading)
{
	const struct batch_start *start = bytes_at(reading->commands, 0, sizeof(*start));

	if (!start || le32_get(start->version) != BATCH_VERSION) /* (B1) */
		return error_set(reading->err, ERROR_SOURCE, "the batch is not of version %u",
		                 BATCH_VERSION);
	reading->at = sizeof(*start);
	if (!read_next_entry(reading) || !give_entries(reading))
		return false;
	while (reading->at < reading->commands.size) {
		if (!give_command(reading) || !give_entries(reading))
			return false;
	}
	if (reading->done == 0)
		return error_set(reading->err, ERROR_SOURCE, "the batch has no command");
	return reading->no_next ||
	       error_set(reading->err, ERROR_SOURCE, "companion: an entry after command %u of %u",
	                 reading->next.after, reading->done);
}

bool batch_each(struct bytes commands, struct bytes companion, change_fn *each, void *data,
                struct error *err)
{
	struct reading reading = {
		.commands = commands,
		.companion = companion,
		.at_key = true,
		.each = each,
		.data = data,
		.err = err,
	};
	bool done;

	reading.key.ctx = reading.text.ctx = talloc_new(NULL);
	if (!reading.key.ctx)
		return error_memory(err);
	done = read_all(&reading);
	talloc_free(reading.key.ctx);
	return done;
}
