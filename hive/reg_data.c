/*
 * Data in .reg text: quoted text, dword:, hex:. Hexadecimal data runs on to further lines behind a
 * backslash, quoted text without: a line break in it is part of it, as it stands there.
 */
#include <strings.h>

#include "hive/name.h"
#include "hive/reg_reader.h"
#include "hive/regf.h"

bool reg_expected(const struct reg_reader *reader, const char *what)
{
	char found[32];
	size_t size = 0;

	/* Some characters, whole ones. */
	while (size < sizeof(found) - 5 && reader->at[size]) {
		uint32_t code;
		unsigned used = name_get_utf8(reader->at + size, strlen(reader->at + size), &code);

		if (used == 0)
			break;
		size += used;
	}
	memcpy(found, reader->at, size);
	found[size] = '\0';
	if (size == 0)
		return error_set(reader->err, ERROR_SOURCE, "line %llu ends where %s is expected",
		                 (unsigned long long)reader->lines.number, what);
	return error_set(reader->err, ERROR_SOURCE, "line %llu: %s is expected, not '%s%s'",
	                 (unsigned long long)reader->lines.number, what, found,
	                 reader->at[size] ? "..." : "");
}

void reg_skip_blanks(struct reg_reader *reader)
{
	while (*reader->at == ' ' || *reader->at == '\t')
		reader->at++;
}

/* Nothing more but blanks and a comment. */
bool reg_line_ends(struct reg_reader *reader)
{
	reg_skip_blanks(reader);
	return *reader->at == '\0' || *reader->at == ';';
}

bool reg_must_end(struct reg_reader *reader)
{
	return reg_line_ends(reader) || reg_expected(reader, "the end of the line");
}

bool reg_next_line(struct reg_reader *reader, bool *end)
{
	if (!reg_lines_next(&reader->lines, end, reader->err))
		return false;
	reader->at = *end ? "" : reader->lines.line;
	return true;
}

/* --- numbers --- */

static int digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)(c | 0x20);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* One to MOST hexadecimal digits. */
static bool read_hex(struct reg_reader *reader, unsigned most, uint32_t *number)
{
	const char *from = reader->at;

	*number = 0;
	while (digit(*reader->at) >= 0 && reader->at < from + most)
		*number = *number << 4 | (uint32_t)digit(*reader->at++);
	return reader->at > from && digit(*reader->at) < 0;
}

/* Passes a word in any letter case. */
static bool take_word(struct reg_reader *reader, const char *word)
{
	size_t size = strlen(word);

	if (strncasecmp(reader->at, word, size) != 0)
		return false;
	reader->at += size;
	return true;
}

/* --- data --- */

static bool add_bytes(struct reg_reader *reader, const void *bytes, size_t size)
{
	if (size > reader->room - reader->size) {
		uint64_t room = 2 * (reader->size + size) + 256;
		uint8_t *larger = room > UINT32_MAX ? NULL
		                                    : talloc_realloc(reader->ctx, reader->bytes,
		                                                     uint8_t, (unsigned)room);

		if (!larger)
			return error_memory(reader->err);
		reader->bytes = larger;
		reader->room = room;
	}
	memcpy(reader->bytes + reader->size, bytes, size);
	reader->size += size;
	return true;
}

/*
 * The end of the quoted text that goes on at AT: the quotation mark, or the end of the line. NULL
 * if it has an escape that is none.
 */
static const char *find_end(const struct reg_reader *reader, const char *at)
{
	while (*at && *at != '"') {
		if (*at == '\\' && at[1] != '\\' && at[1] != '"') {
			error_set(reader->err, ERROR_SOURCE,
			          "line %llu: unknown escape in a quoted text: a backslash is "
			          "written \\\\, a quotation mark \\\"",
			          (unsigned long long)reader->lines.number);
			return NULL;
		}
		at += *at == '\\' ? 2 : 1;
	}
	return at;
}

/* The name of a value, quoted. */
bool reg_read_name(struct reg_reader *reader)
{
	const char *end = find_end(reader, reader->at + 1);
	char *put;

	if (!end)
		return false;
	if (!*end)
		return error_set(reader->err, ERROR_SOURCE,
		                 "line %llu ends inside the name of a value",
		                 (unsigned long long)reader->lines.number);
	if ((size_t)(end - reader->at) > reader->name_room) {
		talloc_free(reader->name);
		reader->name_room = 2 * (size_t)(end - reader->at);
		reader->name = talloc_size(reader->ctx, reader->name_room);
		if (!reader->name) {
			reader->name_room = 0;
			return error_memory(reader->err);
		}
	}
	put = reader->name;
	for (const char *at = reader->at + 1; at < end; at++) {
		at += *at == '\\';
		*put++ = *at;
	}
	*put = '\0';
	reader->at = end + 1;
	return true;
}

/* A character as UTF-16LE. */
static bool add_code(struct reg_reader *reader, uint32_t code)
{
	unsigned count = 0;
	le16 units[2];

	if (code >= 0x10000) {
		units[count++] = le16_put((uint16_t)(0xd7c0 + (code >> 10)));
		code = 0xdc00 + (code & 0x3ff);
	}
	units[count++] = le16_put((uint16_t)code);
	return add_bytes(reader, units, count * sizeof(le16));
}

static bool add_text(struct reg_reader *reader, const char *at, const char *end)
{
	while (at < end) {
		uint32_t code;

		at += *at == '\\';
		at += name_get_utf8(at, (size_t)(end - at), &code);
		if (!add_code(reader, code))
			return false;
	}
	return true;
}

/* From the end of a line inside a quoted text, which began in line FIRST, to the next line. */
static bool break_line(struct reg_reader *reader, uint64_t first)
{
	bool end;

	if ((reader->lines.returned && !add_code(reader, '\r')) || !add_code(reader, '\n') ||
	    !reg_next_line(reader, &end))
		return false;
	return !end || error_set(reader->err, ERROR_SOURCE,
	                         "the quoted text that begins in line %llu does not end",
	                         (unsigned long long)first);
}

/* Quoted text as UTF-16LE with its NUL. */
static bool read_string(struct reg_reader *reader)
{
	uint64_t first = reader->lines.number;

	reader->at++;
	for (;;) {
		const char *end = find_end(reader, reader->at);

		if (!end || !add_text(reader, reader->at, end))
			return false;
		if (*end) {
			reader->at = end + 1;
			return add_code(reader, 0);
		}
		if (!break_line(reader, first))
			return false;
	}
}

/* From the backslash at the end of this line to the next one. */
static bool continue_line(struct reg_reader *reader)
{
	bool end;

	reader->at++;
	if (!reg_line_ends(reader))
		return reg_expected(reader, "the end of the line behind '\\'");
	if (!reg_next_line(reader, &end))
		return false;
	return !end || reg_expected(reader, "another line with bytes");
}

static bool read_bytes(struct reg_reader *reader)
{
	bool more = false; /* a comma came last */

	for (;;) {
		uint32_t number;
		uint8_t byte;

		reg_skip_blanks(reader);
		if ((more || reader->size == 0) && *reader->at == '\\') {
			if (!continue_line(reader))
				return false;
			continue;
		}
		if (!more && reg_line_ends(reader))
			return true;
		if (!read_hex(reader, 2, &number))
			return reg_expected(reader, "a byte of two hexadecimal digits");
		byte = (uint8_t)number;
		if (!add_bytes(reader, &byte, 1))
			return false;
		reg_skip_blanks(reader);
		more = *reader->at == ',';
		if (!more)
			return reg_must_end(reader);
		reader->at++;
	}
}

/* Behind "hex": an optional type in parentheses, and the colon. */
static bool read_hex_type(struct reg_reader *reader, uint32_t *type)
{
	*type = REG_BINARY;
	if (*reader->at == '(') {
		reader->at++;
		if (!read_hex(reader, 8, type))
			return reg_expected(reader, "the number of a type in hexadecimal");
		if (*reader->at != ')')
			return reg_expected(reader, "')'");
		reader->at++;
	}
	if (*reader->at != ':')
		return reg_expected(reader, "':'");
	reader->at++;
	return true;
}

static bool read_dword(struct reg_reader *reader)
{
	uint32_t number;
	le32 bytes;

	reg_skip_blanks(reader);
	if (!read_hex(reader, 8, &number))
		return reg_expected(reader, "a number of up to eight hexadecimal digits");
	bytes = le32_put(number);
	return add_bytes(reader, &bytes, sizeof(bytes));
}

bool reg_read_data(struct reg_reader *reader, uint32_t *type)
{
	reader->size = 0;
	if (*reader->at == '"') {
		*type = REG_SZ;
		return read_string(reader) && reg_must_end(reader);
	}
	if (take_word(reader, "dword:")) {
		*type = REG_DWORD;
		return read_dword(reader) && reg_must_end(reader);
	}
	if (take_word(reader, "hex"))
		return read_hex_type(reader, type) && read_bytes(reader);
	return reg_expected(reader, "a \"text\", dword:, hex: or -");
}
