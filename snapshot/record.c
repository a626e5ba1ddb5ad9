/*
 * Each record's checksum is the CRC-32 of everything before it in the file but the checksums
 * themselves. They must be left out: the CRC-32 of a text with its own CRC-32 behind it is
 * the same for all texts, and the chain would begin anew at every record.
 */
#include "snapshot/record.h"

#include <stdio.h>
#include <zlib.h>

#include "snapshot/quolog_format.h"

#define ANSWER(result, ...) (snprintf(why, RECORD_WHY, __VA_ARGS__), (result))

static bool all_zero(struct bytes log, uint64_t from)
{
	for (uint64_t i = from; i < log.size; i++) {
		if (log.data[i])
			return false;
	}
	return true;
}

/* (R1), (R2): may these 48 bytes be the head of any record? */
static bool head_is_sane(const struct record_head *head)
{
	uint64_t origin = le32_get(head->origin_size), stored = le32_get(head->stored_size);

	return memcmp(head->signature, RECORD_SIGNATURE, 4) == 0 && origin <= RECORD_ORIGIN_MAX &&
	       stored <= RECORD_PAYLOAD_MAX &&
	       le32_get(head->length) ==
	               RECORD_HEAD + format_padded(origin) + format_padded(stored) + RECORD_TAIL &&
	       le32_get(head->zero) == 0;
}

/* Is the end of the file such as a write that was cut short leaves it? (T1) to (T3) */
static bool is_torn(struct bytes log, const struct record_place *place,
                    const struct record_head *head, char why[RECORD_WHY])
{
	uint64_t rest = log.size - place->offset, tail = RECORD_HEAD;

	if (rest < RECORD_HEAD + RECORD_TAIL)
		return ANSWER(true, "%llu bytes are left, too few for a record",
		              (unsigned long long)rest);
	if (head_is_sane(head)) {
		uint64_t length = le32_get(head->length);

		if (length > rest && le32_get(head->number) == place->number)
			return ANSWER(true, "it is %llu bytes long, and %llu are left",
			              (unsigned long long)length, (unsigned long long)rest);
		tail = length - RECORD_TAIL;
	}
	if (tail < rest && all_zero(log, place->offset + tail))
		return ANSWER(true, "the file ends in zeros that were never written");
	return false;
}

/* (R3) */
static enum record_result check_number(uint32_t number, uint32_t expected, char why[RECORD_WHY])
{
	if (number < expected)
		return ANSWER(RECORD_DAMAGED, "record %u stands there, again or out of order",
		              number);
	if (number > expected + 1)
		return ANSWER(RECORD_DAMAGED,
		              "record %u stands there: records %u to %u are missing", number,
		              expected, number - 1);
	if (number > expected)
		return ANSWER(RECORD_DAMAGED, "record %u stands there: record %u is missing",
		              number, expected);
	return RECORD_GOOD;
}

/* (R6), (R7) */
static enum record_result check_order(const struct record_head *head,
                                      const struct record_place *place, char why[RECORD_WHY])
{
	uint16_t type = le16_get(head->type), flags = le16_get(head->flags);
	uint64_t sequence = le64_get(head->sequence), expected = place->sequence;
	uint16_t allowed = type == RECORD_HEADER ? 0 : RECORD_DEFLATED;

	if (type == RECORD_TRANSACTION)
		allowed |= RECORD_INFERRED;
	if (type < RECORD_HEADER || type > RECORD_TRANSACTION || flags & ~allowed)
		return ANSWER(RECORD_DAMAGED, "type %u with flags 0x%x does not exist", type,
		              flags);
	if ((type == RECORD_HEADER) != (place->number == 0))
		return ANSWER(RECORD_DAMAGED, "the header is the first record, and no other");
	if (type == RECORD_CHECKPOINT || type == RECORD_TRANSACTION)
		expected++;
	if (type != RECORD_HEADER && sequence != expected)
		return ANSWER(RECORD_DAMAGED, "sequence number %llu where %llu is due",
		              (unsigned long long)sequence, (unsigned long long)expected);
	return RECORD_GOOD;
}

/* (R8): sizes, text and padding. BODY is what stands between head and tail. */
static enum record_result check_body(const struct record_head *head, const uint8_t *body,
                                     char why[RECORD_WHY])
{
	uint32_t origin = le32_get(head->origin_size), stored = le32_get(head->stored_size);
	uint32_t payload = le32_get(head->payload_size);
	struct bytes first = { body, format_padded(origin) };
	struct bytes second = { body + first.size, format_padded(stored) };

	if (!(le16_get(head->flags) & RECORD_DEFLATED) && payload != stored)
		return ANSWER(RECORD_DAMAGED, "payload of %u bytes stored as %u", payload, stored);
	if (payload > RECORD_PAYLOAD_MAX || payload > (uint64_t)stored * RECORD_RATIO_MAX)
		return ANSWER(RECORD_DAMAGED, "%u stored bytes claim to be %u", stored, payload);
	if (!record_is_text(body, origin))
		return ANSWER(RECORD_DAMAGED, "its origin is no text");
	if (!all_zero(first, origin) || !all_zero(second, stored))
		return ANSWER(RECORD_DAMAGED, "its padding is not zero");
	return RECORD_GOOD;
}

/* (R9): exactly so many bytes come out, and all that is stored is used. */
static enum record_result inflate_payload(TALLOC_CTX *ctx, struct bytes stored, uint32_t size,
                                          struct bytes *payload, char why[RECORD_WHY])
{
	uint8_t *out = talloc_size(ctx, size ? size : 1);
	uLong used = (uLong)stored.size;
	uLongf made = size;
	int result;

	if (!out)
		return ANSWER(RECORD_NO_MEMORY, "out of memory");
	result = uncompress2(out, &made, stored.data, &used);
	if (result != Z_OK || made != size || used != stored.size) {
		talloc_free(out);
		if (result == Z_MEM_ERROR)
			return ANSWER(RECORD_NO_MEMORY, "out of memory");
		return ANSWER(RECORD_DAMAGED, "its payload does not inflate to %u bytes", size);
	}
	*payload = (struct bytes){ out, size };
	return RECORD_GOOD;
}

/* What is known of a record before its contents are looked at. */
static enum record_result check_frame(struct bytes log, const struct record_place *place,
                                      const struct record_head **head, char why[RECORD_WHY])
{
	uint64_t rest = log.size - place->offset;
	const uint8_t *at = bytes_at(log, place->offset, rest);
	enum record_result result;

	if (rest == 0)
		return ANSWER(RECORD_END, "the file ends");
	if (place->number == 0 && memcmp(at, RECORD_SIGNATURE, rest < 4 ? rest : 4) != 0)
		return ANSWER(RECORD_FOREIGN,
		              "not a quorum log of clusnap (the layout of a genuine Windows quorum "
		              "log is not public)");
	*head = (const struct record_head *)at;
	if (is_torn(log, place, *head, why))
		return RECORD_TORN;
	if (!head_is_sane(*head))
		return ANSWER(RECORD_DAMAGED, "no head of a record is there");
	result = check_number(le32_get((*head)->number), place->number, why);
	if (result == RECORD_GOOD && le32_get((*head)->length) > rest)
		return ANSWER(RECORD_DAMAGED, "it is longer than the file");
	return result;
}

/* (R4), (R5) */
static enum record_result check_crc(const struct record_head *head, struct record_place *place,
                                    char why[RECORD_WHY])
{
	const uint8_t *at = (const uint8_t *)head;
	uint32_t length = le32_get(head->length);
	const struct record_tail *tail = (const void *)(at + length - RECORD_TAIL);
	uint32_t crc = (uint32_t)crc32_z(place->crc, at, length - 4);

	if (memcmp(tail->mark, RECORD_END_MARK, 4) != 0)
		return ANSWER(RECORD_DAMAGED, "its end mark is not there");
	if (crc != le32_get(tail->crc))
		return ANSWER(RECORD_DAMAGED,
		              "checksum is %08x, computed %08x from it and all before it",
		              le32_get(tail->crc), crc);
	place->crc = crc;
	return RECORD_GOOD;
}

/* (V1), (V2) */
static enum record_result check_version(const struct record_head *head, const uint8_t *body,
                                        char why[RECORD_WHY])
{
	le32 version;

	if (le32_get(head->stored_size) < sizeof(version))
		return ANSWER(RECORD_DAMAGED, "the header is too short");
	memcpy(&version, body + format_padded(le32_get(head->origin_size)), sizeof(version));
	if (le32_get(version) > FORMAT_VERSION)
		return ANSWER(RECORD_TOO_NEW, "version %u of the format, this program knows %u",
		              le32_get(version), FORMAT_VERSION);
	if (le32_get(version) == 0)
		return ANSWER(RECORD_DAMAGED, "version 0 of the format does not exist");
	return RECORD_GOOD;
}

static enum record_result read_fields(TALLOC_CTX *ctx, const struct record_head *head,
                                      uint64_t offset, struct record *out, char why[RECORD_WHY])
{
	const uint8_t *body = (const uint8_t *)head + RECORD_HEAD;
	uint32_t origin = le32_get(head->origin_size);

	*out = (struct record){
		.type = le16_get(head->type),
		.flags = le16_get(head->flags),
		.number = le32_get(head->number),
		.sequence = le64_get(head->sequence),
		.time = le64_get(head->time),
		.origin = { body, origin },
		.payload = { body + format_padded(origin), le32_get(head->stored_size) },
		.offset = offset,
		.length = le32_get(head->length),
	};
	if (!(out->flags & RECORD_DEFLATED))
		return RECORD_GOOD;
	return inflate_payload(ctx, out->payload, le32_get(head->payload_size), &out->payload, why);
}

static enum record_result read_contents(TALLOC_CTX *ctx, const struct record_head *head,
                                        const struct record_place *place, struct record *out,
                                        char why[RECORD_WHY])
{
	const uint8_t *body = (const uint8_t *)head + RECORD_HEAD;
	enum record_result result = RECORD_GOOD;

	if (place->number == 0 && le16_get(head->type) == RECORD_HEADER)
		result = check_version(head, body, why);
	if (result == RECORD_GOOD)
		result = check_order(head, place, why);
	if (result == RECORD_GOOD)
		result = check_body(head, body, why);
	if (result == RECORD_GOOD)
		result = read_fields(ctx, head, place->offset, out, why);
	return result;
}

enum record_result record_read(TALLOC_CTX *ctx, struct bytes log, struct record_place *place,
                               struct record *record, char why[RECORD_WHY])
{
	const struct record_head *head;
	struct record_place next = *place;
	struct record found;
	enum record_result result;

	result = check_frame(log, place, &head, why);
	if (result == RECORD_GOOD)
		result = check_crc(head, &next, why);
	if (result == RECORD_GOOD)
		result = read_contents(ctx, head, place, &found, why);
	if (result != RECORD_GOOD)
		return result;
	*record = found;
	next.offset += found.length;
	next.sequence = found.sequence;
	next.number++;
	*place = next;
	return RECORD_GOOD;
}

bool record_is_text(const uint8_t *text, uint64_t size)
{
	for (uint64_t i = 0; i < size; i++) {
		if (text[i] < 0x20 || text[i] == 0x7f)
			return false;
	}
	return true;
}

bool record_reread(TALLOC_CTX *ctx, struct bytes log, uint64_t offset, struct record *record,
                   char why[RECORD_WHY])
{
	const struct record_head *head = bytes_at(log, offset, RECORD_HEAD);

	if (!head || !head_is_sane(head) || !bytes_at(log, offset, le32_get(head->length)))
		return ANSWER(false, "the log has changed");
	return read_fields(ctx, head, offset, record, why) == RECORD_GOOD;
}
