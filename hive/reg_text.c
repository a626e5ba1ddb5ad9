/*
 * Text is put together in one buffer in its final encoding and handed on when that is full.
 * A failure sticks: the functions that put text say nothing, reg_text_told tells in the end.
 */
#include "hive/reg_text.h"

#include "hive/name.h"

#define BUFFER_SIZE ((size_t)128 << 10)
#define LINE_FULL 77  /* a line with so many characters gets no more bytes, only "\" */
#define BYTES_MOST 26 /* in one line */

void reg_text_flush(struct reg_text *text)
{
	struct bytes piece = { text->buffer, text->used };

	if (!text->failed && text->used > 0)
		text->failed = !text->out(text->data, piece, &text->error);
	text->used = 0;
}

static void make_room(struct reg_text *text, size_t size)
{
	if (BUFFER_SIZE - text->used < size)
		reg_text_flush(text);
}

static void put_unit(struct reg_text *text, uint16_t unit)
{
	uint8_t *at;

	make_room(text, 2);
	at = text->buffer + text->used;
	at[0] = (uint8_t)unit;
	at[1] = (uint8_t)(unit >> 8);
	text->used += 2;
}

/* One code point; text is WTF-8 already, and its bytes are at hand. */
static void put_code(struct reg_text *text, uint32_t code, const char *bytes, unsigned size)
{
	text->column++;
	if (text->utf8) {
		make_room(text, size);
		memcpy(text->buffer + text->used, bytes, size);
		text->used += size;
		return;
	}
	if (code >= 0x10000) {
		put_unit(text, (uint16_t)(0xd7c0 + (code >> 10)));
		code = 0xdc00 + (code & 0x3ff);
		text->column++;
	}
	put_unit(text, (uint16_t)code);
}

void reg_text_ascii(struct reg_text *text, const char *ascii)
{
	for (; *ascii; ascii++)
		put_code(text, (uint8_t)*ascii, ascii, 1);
}

void reg_text_line_end(struct reg_text *text)
{
	reg_text_ascii(text, text->utf8 ? "\n" : "\r\n");
	text->column = 0;
}

void reg_text_put(struct reg_text *text, const char *wtf8, size_t size, bool escape)
{
	for (size_t at = 0; at < size;) {
		uint32_t code;
		unsigned used = name_get_utf8(wtf8 + at, size - at, &code);

		if (used == 0) /* nobody gives us that */
			return;
		if (escape && (code == '"' || code == '\\'))
			reg_text_ascii(text, "\\");
		put_code(text, code, wtf8 + at, used);
		at += used;
	}
}

void reg_text_hex(struct reg_text *text, struct bytes data)
{
	size_t step = text->utf8 ? 3 : 6;

	for (uint64_t done = 0; done < data.size;) {
		uint64_t count = 1, left = data.size - done;
		uint8_t *at;

		if (done > 0) {
			reg_text_ascii(text, "\\");
			reg_text_line_end(text);
			reg_text_ascii(text, "  ");
		}
		if (text->column < LINE_FULL)
			count = (LINE_FULL - text->column + 2) / 3;
		if (count > left)
			count = left;
		make_room(text, 8 * (BYTES_MOST + 1));
		at = text->buffer + text->used;
		for (uint64_t i = 0; i < count; i++, at += step)
			memcpy(at, text->hex[data.data[done + i]], 8);
		text->used = (size_t)(at - text->buffer);
		done += count;
		text->column += (uint32_t)(3 * count);
	}
	if (data.size > 0)
		text->used -= step / 3; /* no comma behind the last one */
}

static void make_hex(struct reg_text *text)
{
	for (unsigned byte = 0; byte < 256; byte++) {
		const uint8_t entry[] = { "0123456789abcdef"[byte >> 4],
			                  "0123456789abcdef"[byte & 15], ',' };

		for (unsigned i = 0; i < sizeof(entry); i++)
			text->hex[byte][text->utf8 ? i : 2 * i] = entry[i];
	}
}

bool reg_text_begin(TALLOC_CTX *ctx, struct reg_text *text, bool utf8, reg_out_fn *out, void *data,
                    struct error *err)
{
	*text = (struct reg_text){ .utf8 = utf8, .out = out, .data = data };
	text->buffer = talloc_size(ctx, BUFFER_SIZE);
	if (!text->buffer)
		return error_memory(err);
	make_hex(text);
	if (!utf8)
		put_unit(text, 0xfeff);
	return true;
}

bool reg_text_told(const struct reg_text *text, struct error *err)
{
	if (text->failed)
		*err = text->error;
	return !text->failed;
}
