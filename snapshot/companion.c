/* Companions, written and read; docs/quolog.md has the layout and the rules (B6) to (B9). */
#include "snapshot/companion.h"

struct companion_head {
	le32 version; /* 0x00 */
};
_Static_assert(sizeof(struct companion_head) == 4, "");

struct companion_record {
	le32 length;    /* 0x00: of the entry, a multiple of 4 */
	le32 after;     /* 0x04 */
	le16 op;        /* 0x08 */
	le16 elsewhere; /* 0x0a: 0 or 1 */
	le32 path_size; /* 0x0c */
	le32 data_size; /* 0x10 */
};
_Static_assert(sizeof(struct companion_record) == 20, "");

static uint64_t padded(uint64_t size)
{
	return (size + 3) & ~(uint64_t)3;
}

bool companion_put(struct buffer *out, uint32_t after, enum companion_op op, const char *path,
                   struct bytes data, struct error *err)
{
	struct companion_head head = { le32_put(COMPANION_VERSION) };
	struct companion_record record = {
		.after = le32_put(after),
		.op = le16_put((uint16_t)op),
		.elsewhere = le16_put(path != NULL),
		.data_size = le32_put((uint32_t)data.size),
	};
	static const uint8_t zeros[4];
	size_t start, size;

	if (out->size == 0 && !buffer_add(out, &head, sizeof(head), err))
		return false;
	start = out->size;
	if (!buffer_add(out, &record, sizeof(record), err) ||
	    (path && !buffer_add_utf16(out, path, err)))
		return false;
	record.path_size = le32_put((uint32_t)(out->size - start - sizeof(record)));
	if (!buffer_add(out, data.data, data.size, err))
		return false;
	size = out->size - start;
	if (!buffer_add(out, zeros, padded(size) - size, err))
		return false;
	record.length = le32_put((uint32_t)padded(size));
	memcpy(out->data + start, &record, sizeof(record));
	return true;
}

static bool bad(uint64_t at, const char *why, struct error *err)
{
	return error_set(err, ERROR_SOURCE, "companion, offset %llu: %s", (unsigned long long)at,
	                 why);
}

/* (B6) */
static bool read_head(struct bytes companion, uint64_t *at, struct error *err)
{
	const struct companion_head *head = bytes_at(companion, 0, sizeof(*head));

	if (!head)
		return bad(0, "it is too short", err);
	if (le32_get(head->version) != COMPANION_VERSION)
		return error_set(err, ERROR_SOURCE, "companion of version %u, %u is known",
		                 le32_get(head->version), COMPANION_VERSION);
	*at = sizeof(*head);
	return true;
}

/* (B7): sizes that fill the entry, and zeros behind them. */
static bool check_sizes(const struct companion_record *record, uint64_t at, struct error *err)
{
	uint64_t used = sizeof(*record) + (uint64_t)le32_get(record->path_size) +
	                le32_get(record->data_size);
	const uint8_t *bytes = (const uint8_t *)record;

	if (le32_get(record->length) != padded(used))
		return bad(at, "the sizes of an entry do not fill it", err);
	for (uint64_t i = used; i < padded(used); i++) {
		if (bytes[i])
			return bad(at, "the padding of an entry is not zero", err);
	}
	return true;
}

/* (B8) */
static bool check_fields(const struct companion_record *record, uint64_t at, struct error *err)
{
	uint16_t op = le16_get(record->op), elsewhere = le16_get(record->elsewhere);
	uint32_t path = le32_get(record->path_size);

	if (op < COMPANION_NEW_KEY || op > COMPANION_SET_TIME)
		return bad(at, "an unknown kind of entry", err);
	if (elsewhere > 1 || path % 2 || (path && !elsewhere))
		return bad(at, "its path is malformed", err);
	if (op == COMPANION_NEW_KEY && (elsewhere || le32_get(record->data_size)))
		return bad(at, "a new key has neither path nor data here", err);
	return true;
}

bool companion_next(struct bytes companion, uint64_t *at, struct companion_entry *entry, bool *end,
                    struct error *err)
{
	const struct companion_record *record;
	uint64_t start;

	if (*at == 0 && companion.size > 0 && !read_head(companion, at, err))
		return false;
	*end = *at == companion.size;
	if (*end)
		return true;
	start = *at;
	record = bytes_at(companion, start, sizeof(*record));
	if (!record || le32_get(record->length) < sizeof(*record) ||
	    !bytes_at(companion, start, le32_get(record->length)))
		return bad(start, "an entry is longer than what is left", err);
	if (!check_sizes(record, start, err) || !check_fields(record, start, err))
		return false;
	*entry = (struct companion_entry){
		.after = le32_get(record->after),
		.op = le16_get(record->op),
		.elsewhere = le16_get(record->elsewhere),
		.path = { (const uint8_t *)(record + 1), le32_get(record->path_size) },
		.data = { (const uint8_t *)(record + 1) + le32_get(record->path_size),
		          le32_get(record->data_size) },
	};
	*at = start + le32_get(record->length);
	return true;
}
