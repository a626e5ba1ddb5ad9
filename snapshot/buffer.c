/* Buffers. One never holds more than a record can: what is larger is refused here already. */
#include "snapshot/buffer.h"

#include "hive/name.h"
#include "snapshot/record.h"

bool buffer_grow(struct buffer *buffer, size_t size, struct error *err)
{
	size_t need = buffer->size + size, room = buffer->room ? buffer->room : 256;
	uint8_t *larger;

	if (size > RECORD_PAYLOAD_MAX || need > RECORD_PAYLOAD_MAX)
		return error_set(err, ERROR_REFUSED, "a transaction of more than %u bytes",
		                 RECORD_PAYLOAD_MAX);
	while (room < need)
		room *= 2;
	larger = talloc_realloc(buffer->ctx, buffer->data, uint8_t, (unsigned)room);
	if (!larger)
		return error_memory(err);
	buffer->data = larger;
	buffer->room = room;
	return true;
}

/* ASCII as UTF-16LE. The loop inside is of a fixed length, which compilers do in one step. */
static void widen(uint8_t *restrict out, const char *restrict text, size_t size)
{
	size_t i = 0;

	for (; size - i >= 8; i += 8) {
		for (unsigned j = 0; j < 8; j++) {
			out[2 * (i + j)] = (uint8_t)text[i + j];
			out[2 * (i + j) + 1] = 0;
		}
	}
	for (; i < size; i++) {
		out[2 * i] = (uint8_t)text[i];
		out[2 * i + 1] = 0;
	}
}

/* A byte of WTF-8 stands for one unit at most, four bytes for two. */
bool buffer_add_utf16(struct buffer *buffer, const char *text, struct error *err)
{
	size_t size = strlen(text), units = name_ascii(text, size);
	uint8_t *at = buffer_room(buffer, 2 * size, err);

	if (!at)
		return false;
	widen(at, text, units);
	for (size_t used, i = units; i < size; i += used) {
		uint32_t code;

		used = name_get_utf8(text + i, size - i, &code);
		if (used == 0)
			return error_set(err, ERROR_INTERNAL, "a name is no UTF-8");
		if (code >= 0x10000) {
			uint32_t high = 0xd7c0 + (code >> 10);

			at[2 * units] = (uint8_t)high;
			at[2 * units++ + 1] = (uint8_t)(high >> 8);
			code = 0xdc00 + (code & 0x3ff);
		}
		at[2 * units] = (uint8_t)code;
		at[2 * units++ + 1] = (uint8_t)(code >> 8);
	}
	buffer->size += 2 * units;
	return true;
}

bool buffer_set_utf8(struct buffer *buffer, struct bytes units, struct error *err)
{
	struct name name = { units.data, (uint32_t)units.size, false };

	buffer->size = 0;
	if (!buffer_room(buffer, 3 * (units.size / 2) + 1, err))
		return false;
	buffer->size = name_put_utf8(name, (char *)buffer->data);
	buffer->data[buffer->size] = '\0';
	return true;
}
