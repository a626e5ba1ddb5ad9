/*
 * Writing .reg text. It is put together in one buffer in its final encoding and handed on
 * when that is full. A failure sticks: the functions that put text say nothing, and the
 * exported ones tell at their end.
 */
#include "hive/reg.h"

#include <stdio.h>

#include "hive/name.h"
#include "hive/regf.h"

#define BUFFER_SIZE ((size_t)128 << 10)
#define LINE_FULL 77  /* a line with so many characters gets no more bytes, only "\" */
#define BYTES_MOST 26 /* in one line */

struct reg_writer {
	char *root;
	bool utf8;
	reg_out_fn *out;
	void *data;
	struct reg_left_out left_out;

	uint8_t *buffer;
	size_t used;
	uint32_t column;     /* characters in this line */
	uint8_t hex[256][8]; /* "xx," in the encoding of the text */

	char *section; /* the key whose values are being written, or NULL */
	size_t section_room;
	bool failed;
	struct error error;
};

/* --- characters --- */

static void flush(struct reg_writer *writer)
{
	struct bytes text = { writer->buffer, writer->used };

	if (!writer->failed && writer->used > 0)
		writer->failed = !writer->out(writer->data, text, &writer->error);
	writer->used = 0;
}

static void make_room(struct reg_writer *writer, size_t size)
{
	if (BUFFER_SIZE - writer->used < size)
		flush(writer);
}

static void put_unit(struct reg_writer *writer, uint16_t unit)
{
	uint8_t *at;

	make_room(writer, 2);
	at = writer->buffer + writer->used;
	at[0] = (uint8_t)unit;
	at[1] = (uint8_t)(unit >> 8);
	writer->used += 2;
}

/* One code point; text is WTF-8 already, and its bytes are at hand. */
static void put_code(struct reg_writer *writer, uint32_t code, const char *bytes, unsigned size)
{
	writer->column++;
	if (writer->utf8) {
		make_room(writer, size);
		memcpy(writer->buffer + writer->used, bytes, size);
		writer->used += size;
		return;
	}
	if (code >= 0x10000) {
		put_unit(writer, (uint16_t)(0xd7c0 + (code >> 10)));
		code = 0xdc00 + (code & 0x3ff);
		writer->column++;
	}
	put_unit(writer, (uint16_t)code);
}

static void put_ascii(struct reg_writer *writer, const char *text)
{
	for (; *text; text++)
		put_code(writer, (uint8_t)*text, text, 1);
}

static void put_line_end(struct reg_writer *writer)
{
	put_ascii(writer, writer->utf8 ? "\n" : "\r\n");
	writer->column = 0;
}

/* WTF-8 text; with ESCAPE as the inside of a quoted string. */
static void put_text(struct reg_writer *writer, const char *text, size_t size, bool escape)
{
	for (size_t at = 0; at < size;) {
		uint32_t code;
		unsigned used = name_get_utf8(text + at, size - at, &code);

		if (used == 0) /* nobody gives us that */
			return;
		if (escape && (code == '"' || code == '\\'))
			put_ascii(writer, "\\");
		put_code(writer, code, text + at, used);
		at += used;
	}
}

static void put_quoted(struct reg_writer *writer, const char *text, size_t size)
{
	put_ascii(writer, "\"");
	put_text(writer, text, size, true);
	put_ascii(writer, "\"");
}

/* --- data --- */

static uint16_t unit_at(struct bytes text, uint64_t i)
{
	return (uint16_t)(text.data[2 * i] | text.data[2 * i + 1] << 8);
}

/*
 * Can it be written between quotes so that the same bytes come back? In UTF-8 only if it is
 * ASCII: regedit and hivexregedit take the bytes of others for so many characters.
 */
static bool is_plain_text(const struct reg_writer *writer, struct bytes text)
{
	uint64_t units = text.size / 2;

	if (text.size % 2 || units == 0 || unit_at(text, units - 1) != 0)
		return false;
	for (uint64_t i = 0; i + 1 < units; i++) {
		uint16_t unit = unit_at(text, i);

		if (unit == 0 || unit == '\r' || unit == '\n' || (writer->utf8 && unit > 0x7f))
			return false;
		if (unit < 0xd800 || unit >= 0xe000)
			continue;
		/* Half a pair must be the first, and the second one must follow. */
		if (unit >= 0xdc00 || (unit_at(text, ++i) & 0xfc00) != 0xdc00)
			return false;
	}
	return true;
}

/* Text data without its NUL, in pieces small enough for the stack. */
static void put_string(struct reg_writer *writer, struct bytes text)
{
	uint64_t units = text.size / 2 - 1, done = 0;
	char piece[3 * 256 + 1];

	put_ascii(writer, "\"");
	while (done < units) {
		uint32_t count = units - done < 256 ? (uint32_t)(units - done) : 256;
		size_t size;

		if (count == 256 && (unit_at(text, done + 255) & 0xfc00) == 0xd800)
			count--; /* do not cut a pair */
		size = name_put_utf8((struct name){ text.data + 2 * done, 2 * count, false },
		                     piece);
		put_text(writer, piece, size, true);
		done += count;
	}
	put_ascii(writer, "\"");
}

static void put_hex(struct reg_writer *writer, struct bytes data)
{
	size_t step = writer->utf8 ? 3 : 6;

	for (uint64_t done = 0; done < data.size;) {
		uint64_t count = 1, left = data.size - done;
		uint8_t *at;

		if (done > 0) {
			put_ascii(writer, "\\");
			put_line_end(writer);
			put_ascii(writer, "  ");
		}
		if (writer->column < LINE_FULL)
			count = (LINE_FULL - writer->column + 2) / 3;
		if (count > left)
			count = left;
		make_room(writer, 8 * (BYTES_MOST + 1));
		at = writer->buffer + writer->used;
		for (uint64_t i = 0; i < count; i++, at += step)
			memcpy(at, writer->hex[data.data[done + i]], 8);
		writer->used = (size_t)(at - writer->buffer);
		done += count;
		writer->column += (uint32_t)(3 * count);
	}
	if (data.size > 0)
		writer->used -= step / 3; /* no comma behind the last one */
}

static void put_data(struct reg_writer *writer, uint32_t type, struct bytes data)
{
	char prefix[32];

	if (type == REG_SZ && is_plain_text(writer, data)) {
		put_string(writer, data);
		return;
	}
	if (type == REG_DWORD && data.size == sizeof(le32)) {
		snprintf(prefix, sizeof(prefix), "dword:%08x", le32_get(*(const le32 *)data.data));
		put_ascii(writer, prefix);
		return;
	}
	if (type == REG_BINARY)
		snprintf(prefix, sizeof(prefix), "hex:");
	else
		snprintf(prefix, sizeof(prefix), "hex(%x):", type);
	put_ascii(writer, prefix);
	put_hex(writer, data);
}

/* --- lines --- */

/* Text that can stand on one line. */
static bool fits_line(const char *text)
{
	return !strpbrk(text, "\r\n") && !strstr(text, "\xc0\x80");
}

static void put_section(struct reg_writer *writer, const char *key, bool deleted)
{
	put_line_end(writer);
	put_ascii(writer, deleted ? "[-" : "[");
	put_text(writer, writer->root, strlen(writer->root), false);
	if (*key && *writer->root)
		put_ascii(writer, "\\");
	put_text(writer, key, strlen(key), false);
	put_ascii(writer, "]");
	put_line_end(writer);
}

/* Goes to the section of KEY if it is not the current one. */
static bool enter(struct reg_writer *writer, const char *key)
{
	size_t size = strlen(key) + 1;

	if (writer->section && strcmp(writer->section, key) == 0)
		return true;
	put_section(writer, key, false);
	if (size > writer->section_room || !writer->section) {
		talloc_free(writer->section);
		writer->section_room = 2 * size;
		writer->section = talloc_size(writer, writer->section_room);
		if (!writer->section)
			return false;
	}
	memcpy(writer->section, key, size);
	return true;
}

static bool put_value(struct reg_writer *writer, const struct change *change)
{
	if (!enter(writer, change->key))
		return false;
	if (*change->name)
		put_quoted(writer, change->name, strlen(change->name));
	else
		put_ascii(writer, "@");
	put_ascii(writer, "=");
	if (change->op == CHANGE_DELETE_VALUE)
		put_ascii(writer, "-");
	else
		put_data(writer, change->type, change->data);
	put_line_end(writer);
	return true;
}

/* --- outside --- */

static void make_hex(struct reg_writer *writer)
{
	for (unsigned byte = 0; byte < 256; byte++) {
		const uint8_t text[] = { "0123456789abcdef"[byte >> 4],
			                 "0123456789abcdef"[byte & 15], ',' };

		for (unsigned i = 0; i < sizeof(text); i++)
			writer->hex[byte][writer->utf8 ? i : 2 * i] = text[i];
	}
}

struct reg_writer *reg_writer_new(TALLOC_CTX *ctx, const struct reg_options *options,
                                  reg_out_fn *out, void *data, struct error *err)
{
	struct reg_writer *writer = talloc_zero(ctx, struct reg_writer);

	if (writer) {
		writer->root = talloc_strdup(writer, options->root);
		writer->buffer = talloc_size(writer, BUFFER_SIZE);
	}
	if (!writer || !writer->root || !writer->buffer) {
		talloc_free(writer);
		error_memory(err);
		return NULL;
	}
	writer->utf8 = options->utf8;
	writer->out = out;
	writer->data = data;
	make_hex(writer);
	if (!writer->utf8)
		put_unit(writer, 0xfeff);
	put_ascii(writer, "Windows Registry Editor Version 5.00");
	put_line_end(writer);
	return writer;
}

/* Nothing sticks but what has failed. */
static bool told(const struct reg_writer *writer, struct error *err)
{
	if (writer->failed)
		*err = writer->error;
	return !writer->failed;
}

bool reg_write(struct reg_writer *writer, const struct change *change, struct error *err)
{
	if (change->op != CHANGE_CREATE_KEY && change->op != CHANGE_DELETE_KEY &&
	    change->op != CHANGE_SET_VALUE && change->op != CHANGE_DELETE_VALUE) {
		writer->left_out.ops[change->op]++;
		return told(writer, err);
	}
	if (!fits_line(change->key) || (change->name && !fits_line(change->name))) {
		writer->left_out.names++;
		return told(writer, err);
	}
	if (change->op == CHANGE_DELETE_KEY) {
		put_section(writer, change->key, true);
		TALLOC_FREE(writer->section);
		return told(writer, err);
	}
	if (change->name ? !put_value(writer, change) : !enter(writer, change->key))
		return error_memory(err);
	return told(writer, err);
}

bool reg_write_each(void *writer, const struct change *change, struct error *err)
{
	return reg_write(writer, change, err);
}

bool reg_write_end(struct reg_writer *writer, struct reg_left_out *left_out, struct error *err)
{
	put_line_end(writer);
	flush(writer);
	if (!told(writer, err))
		return false;
	if (left_out)
		*left_out = writer->left_out;
	return true;
}
