/*
 * Writing batches. SET_VALUE and DELETE_VALUE are of the key that the last CREATE_KEY named:
 * CREATE_KEY of a key that is there only moves to it, and the companion says which are new.
 */
#include "snapshot/batch.h"
#include "snapshot/batch_format.h"
#include "snapshot/companion.h"

struct batch {
	struct buffer commands, companion;
	struct buffer key; /* where the batch is, with its NUL */
	bool at_key;       /* not so after DELETE_KEY */
	uint32_t count;    /* commands */
	uint64_t changes;
};

static const struct bytes nothing;

struct batch *batch_new(TALLOC_CTX *ctx, struct error *err)
{
	struct batch *batch = talloc_zero(ctx, struct batch);

	if (!batch) {
		error_memory(err);
		return NULL;
	}
	batch->commands.ctx = batch->companion.ctx = batch->key.ctx = batch;
	batch_clear(batch);
	return batch;
}

void batch_clear(struct batch *batch)
{
	batch->commands.size = batch->companion.size = batch->key.size = 0;
	batch->at_key = true;
	batch->count = 0;
	batch->changes = 0;
}

uint64_t batch_count(const struct batch *batch)
{
	return batch->changes;
}

static bool put_command(struct batch *batch, enum batch_command command, uint32_t type,
                        const char *name, struct bytes data, struct error *err)
{
	struct buffer *out = &batch->commands;
	struct batch_start start = { le32_put(BATCH_VERSION) };
	struct batch_head head = { le32_put(command), le32_put(type), le32_put(0) };
	le32 size = le32_put((uint32_t)data.size);
	static const uint8_t zeros[2];
	size_t at;

	if (out->size == 0 && !buffer_add(out, &start, sizeof(start), err))
		return false;
	at = out->size;
	if (!buffer_add(out, &head, sizeof(head), err) || !buffer_add_utf16(out, name, err) ||
	    !buffer_add(out, zeros, 2, err))
		return false;
	head.name_size = le32_put((uint32_t)(out->size - at - sizeof(head)));
	memcpy(out->data + at, &head, sizeof(head));
	batch->count++;
	return buffer_add(out, &size, sizeof(size), err) &&
	       buffer_add(out, data.data, data.size, err) &&
	       buffer_add(out, zeros, data.size & 1, err);
}

static bool is_at(const struct batch *batch, const char *key)
{
	if (!batch->at_key)
		return false;
	return batch->key.size == 0 ? !*key : strcmp((const char *)batch->key.data, key) == 0;
}

static bool go_to(struct batch *batch, const char *key, struct error *err)
{
	if (!put_command(batch, BATCH_CREATE_KEY, 0, key, nothing, err))
		return false;
	batch->key.size = 0;
	batch->at_key = true;
	return buffer_add(&batch->key, key, strlen(key) + 1, err);
}

static bool put_companion(struct batch *batch, enum companion_op op, const struct change *change,
                          struct error *err)
{
	return companion_put(&batch->companion, batch->count, op,
	                     is_at(batch, change->key) ? NULL : change->key, change->data, err);
}

static bool put_value(struct batch *batch, const struct change *change, struct error *err)
{
	bool set = change->op == CHANGE_SET_VALUE;

	return (is_at(batch, change->key) || go_to(batch, change->key, err)) &&
	       put_command(batch, set ? BATCH_SET_VALUE : BATCH_DELETE_VALUE,
	                   set ? change->type : 0, change->name, change->data, err);
}

bool batch_put(void *data, const struct change *change, struct error *err)
{
	struct batch *batch = data;

	batch->changes++;
	switch (change->op) {
	case CHANGE_CREATE_KEY:
		return go_to(batch, change->key, err) &&
		       companion_put(&batch->companion, batch->count, COMPANION_NEW_KEY, NULL,
		                     nothing, err);
	case CHANGE_DELETE_KEY:
		batch->at_key = false;
		return put_command(batch, BATCH_DELETE_KEY, 0, change->key, nothing, err);
	case CHANGE_SET_VALUE:
	case CHANGE_DELETE_VALUE:
		return put_value(batch, change, err);
	case CHANGE_SET_SECURITY:
		return put_companion(batch, COMPANION_SET_SECURITY, change, err);
	case CHANGE_SET_CLASS:
		return put_companion(batch, COMPANION_SET_CLASS, change, err);
	case CHANGE_SET_LINK:
		return put_companion(batch, COMPANION_SET_LINK, change, err);
	case CHANGE_ORDER_VALUES:
		return put_companion(batch, COMPANION_ORDER_VALUES, change, err);
	case CHANGE_SET_TIME:
		return put_companion(batch, COMPANION_SET_TIME, change, err);
	default:
		return error_set(err, ERROR_INTERNAL, "unknown kind of change %u",
		                 (unsigned)change->op);
	}
}

/* A batch has at least one command; this one changes nothing. */
bool batch_finish(struct batch *batch, struct bytes *commands, struct bytes *companion,
                  struct error *err)
{
	if (batch->count == 0 && !go_to(batch, "", err))
		return false;
	*commands = (struct bytes){ batch->commands.data, batch->commands.size };
	*companion = (struct bytes){ batch->companion.data, batch->companion.size };
	return true;
}
