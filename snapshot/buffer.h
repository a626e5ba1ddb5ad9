/*
 * buffer: bytes that grow at their end, of what becomes a payload.
 *
 *	struct buffer buffer = { .ctx = ctx };		everything is on ctx
 *
 * Room is doubled, so that the whole stays linear; what was there may move.
 */
#ifndef SNAPSHOT_BUFFER_H
#define SNAPSHOT_BUFFER_H

#include <talloc.h>

#include "hive/bytes.h"
#include "hive/error.h"

struct buffer {
	TALLOC_CTX *ctx;
	uint8_t *data;
	size_t size, room;
};

/* Makes it larger, so that SIZE more bytes have room. */
bool buffer_grow(struct buffer *buffer, size_t size, struct error *err);

/* Room for SIZE bytes behind the end, which does not move; NULL with the error. */
static inline uint8_t *buffer_room(struct buffer *buffer, size_t size, struct error *err)
{
	if ((!buffer->data || size > buffer->room - buffer->size) &&
	    !buffer_grow(buffer, size, err))
		return NULL;
	return buffer->data + buffer->size;
}

/* In line, because most additions are of a few bytes. */
static inline bool buffer_add(struct buffer *buffer, const void *data, size_t size,
                              struct error *err)
{
	uint8_t *at = buffer_room(buffer, size, err);

	if (!at)
		return false;
	if (size)
		memcpy(at, data, size);
	buffer->size += size;
	return true;
}

/* WTF-8 text that is known to be well formed, as UTF-16LE without a NUL. */
bool buffer_add_utf16(struct buffer *buffer, const char *text, struct error *err);

/* The other way: UTF-16LE becomes the whole contents, as WTF-8 with a NUL behind it. */
bool buffer_set_utf8(struct buffer *buffer, struct bytes units, struct error *err);

#endif
