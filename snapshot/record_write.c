/* The writing side of record.h: what it writes is what record.c reads. */
#include <zlib.h>

#include "snapshot/quolog_format.h"
#include "snapshot/record.h"

#define DEFLATE_LEVEL 6 /* fixed: the same input gives the same bytes */

/* Room for SIZE more bytes, which are zero. Doubling keeps the whole linear. */
static uint8_t *make_room(struct image *out, uint64_t used, uint64_t size, struct error *err)
{
	uint64_t room = out->bytes.size;

	if (used + size > room &&
	    !image_resize(out, used + size > 2 * room ? used + size : 2 * room, err))
		return NULL;
	return image_data(out) + used;
}

/*
 * What is stored for PAYLOAD: itself, or, if that is worth it and a reader will take it, the
 * same deflated.
 */
static bool deflate_payload(TALLOC_CTX *ctx, struct bytes payload, struct bytes *stored,
                            struct error *err)
{
	uLongf made = compressBound((uLong)payload.size);
	uint8_t *out;

	*stored = payload;
	out = talloc_size(ctx, made);
	if (!out || compress2(out, &made, payload.data, (uLong)payload.size, DEFLATE_LEVEL) != Z_OK)
		return error_memory(err);
	if (made < payload.size && made * RECORD_RATIO_MAX >= payload.size)
		*stored = (struct bytes){ out, made };
	return true;
}

static bool record_put(struct image *out, uint64_t *used, struct record_place *place,
                       const struct record *record, struct bytes stored, struct error *err)
{
	bool deflated = stored.data != record->payload.data;
	uint64_t length = RECORD_HEAD + format_padded(record->origin.size) +
	                  format_padded(stored.size) + RECORD_TAIL;
	struct record_head head = {
		.length = le32_put((uint32_t)length),
		.type = le16_put((uint16_t)record->type),
		.flags = le16_put((uint16_t)(record->flags | (deflated ? RECORD_DEFLATED : 0))),
		.number = le32_put(place->number),
		.sequence = le64_put(record->sequence),
		.time = le64_put(record->time),
		.origin_size = le32_put((uint32_t)record->origin.size),
		.stored_size = le32_put((uint32_t)stored.size),
		.payload_size = le32_put((uint32_t)record->payload.size),
	};
	struct record_tail tail = { .crc = le32_put(0) };
	uint8_t *at = make_room(out, *used, length, err);

	if (!at)
		return false;
	memcpy(head.signature, RECORD_SIGNATURE, 4);
	memcpy(tail.mark, RECORD_END_MARK, 4);
	memcpy(at, &head, RECORD_HEAD);
	if (record->origin.size)
		memcpy(at + RECORD_HEAD, record->origin.data, record->origin.size);
	if (stored.size)
		memcpy(at + RECORD_HEAD + format_padded(record->origin.size), stored.data,
		       stored.size);
	memcpy(at + length - RECORD_TAIL, &tail, 4);
	place->crc = (uint32_t)crc32_z(place->crc, at, length - 4);
	tail.crc = le32_put(place->crc);
	memcpy(at + length - RECORD_TAIL, &tail, RECORD_TAIL);
	*used += length;
	place->offset += length;
	place->sequence = record->sequence;
	place->number++;
	return true;
}

/* The same input must give the same bytes: without memory for deflating nothing is written. */
static bool put_deflated(struct image *out, uint64_t *used, struct record_place *place,
                         const struct record *record, struct error *err)
{
	TALLOC_CTX *tmp = talloc_new(NULL);
	struct bytes stored;
	bool done = tmp ? deflate_payload(tmp, record->payload, &stored, err) : error_memory(err);

	done = done && record_put(out, used, place, record, stored, err);
	talloc_free(tmp);
	return done;
}

bool record_write(struct image *out, uint64_t *used, struct record_place *place,
                  const struct record *record, struct error *err)
{
	if (record->payload.size > RECORD_PAYLOAD_MAX)
		return error_set(err, ERROR_INTERNAL, "a record of %llu bytes, %u are the limit",
		                 (unsigned long long)record->payload.size, RECORD_PAYLOAD_MAX);
	if (record->origin.size > RECORD_ORIGIN_MAX ||
	    !record_is_text(record->origin.data, record->origin.size))
		return error_set(err, ERROR_INTERNAL,
		                 "the origin of a record is too long or no text");
	if (record->type == RECORD_HEADER || record->payload.size < RECORD_DEFLATE_FROM)
		return record_put(out, used, place, record, record->payload, err);
	return put_deflated(out, used, place, record, err);
}
