/*
 * Reading .reg text: a line is a key, a value, a comment or nothing; only hexadecimal data
 * runs on to further lines. The grammar is looser than what regedit writes (blanks, comments,
 * letter case) and stricter than what regedit takes: what it would skip in silence, such as
 * an unknown escape, is an error here, because somebody meant something by it.
 */
#include <strings.h>

#include "hive/name.h"
#include "hive/reg.h"
#include "hive/reg_lines.h"
#include "hive/regf.h"

static const char header[] = "Windows Registry Editor Version 5.00";

struct reader {
	struct reg_lines lines;
	const char *at; /* in the current line */
	const char *root;
	change_fn *each;
	void *data;
	struct error *err;
	TALLOC_CTX *ctx;

	char *key; /* NULL: no key can be the owner of a value here */
	char *name;
	size_t name_room;
	uint8_t *bytes; /* of the current value */
	uint64_t size, room;
};

static bool expected(const struct reader *reader, const char *what)
{
	char found[32];
	size_t size = 0;

	/* Some characters, whole ones. */
	while (reader->at[size] && size < sizeof(found) - 5) {
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

static void skip_blanks(struct reader *reader)
{
	while (*reader->at == ' ' || *reader->at == '\t')
		reader->at++;
}

/* Nothing more but blanks and a comment. */
static bool line_ends(struct reader *reader)
{
	skip_blanks(reader);
	return *reader->at == '\0' || *reader->at == ';';
}

static bool must_end(struct reader *reader)
{
	return line_ends(reader) || expected(reader, "the end of the line");
}

static bool next_line(struct reader *reader, bool *end)
{
	if (!reg_lines_next(&reader->lines, end, reader->err))
		return false;
	reader->at = *end ? "" : reader->lines.line;
	return true;
}

static bool give(struct reader *reader, const struct change *change)
{
	if (change_check(change, reader->err) && reader->each(reader->data, change, reader->err))
		return true;
	return error_wrap(reader->err, "line %llu", (unsigned long long)reader->lines.number);
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
static bool read_hex(struct reader *reader, unsigned most, uint32_t *number)
{
	const char *from = reader->at;

	*number = 0;
	while (digit(*reader->at) >= 0 && reader->at < from + most)
		*number = *number << 4 | (uint32_t)digit(*reader->at++);
	return reader->at > from && digit(*reader->at) < 0;
}

/* Passes a word in any letter case. */
static bool take_word(struct reader *reader, const char *word)
{
	size_t size = strlen(word);

	if (strncasecmp(reader->at, word, size) != 0)
		return false;
	reader->at += size;
	return true;
}

/* --- data --- */

static bool add_bytes(struct reader *reader, const void *bytes, size_t size)
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

/* The end of the quoted text that begins here, or NULL. */
static bool find_quote(const struct reader *reader, const char **end)
{
	const char *at = reader->at + 1;

	while (*at && *at != '"') {
		if (*at == '\\' && at[1] != '\\' && at[1] != '"')
			return error_set(
				reader->err, ERROR_SOURCE,
				"line %llu: unknown escape in a quoted text: a backslash is "
				"written \\\\, a quotation mark \\\"",
				(unsigned long long)reader->lines.number);
		at += *at == '\\' ? 2 : 1;
	}
	if (!*at)
		return error_set(reader->err, ERROR_SOURCE,
		                 "line %llu ends inside a quoted text (one with a line break is "
		                 "written as hex(1):)",
		                 (unsigned long long)reader->lines.number);
	*end = at;
	return true;
}

/* The name of a value, quoted. */
static bool read_name(struct reader *reader)
{
	const char *end;
	char *put;

	if (!find_quote(reader, &end))
		return false;
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

/* Quoted text as UTF-16LE with its NUL. */
static bool read_string(struct reader *reader)
{
	const char *at = reader->at + 1, *end;
	le16 units[2];

	if (!find_quote(reader, &end))
		return false;
	while (at < end) {
		unsigned count = 0;
		uint32_t code;

		at += *at == '\\';
		at += name_get_utf8(at, (size_t)(end - at), &code);
		if (code >= 0x10000) {
			units[count++] = le16_put((uint16_t)(0xd7c0 + (code >> 10)));
			code = 0xdc00 + (code & 0x3ff);
		}
		units[count++] = le16_put((uint16_t)code);
		if (!add_bytes(reader, units, count * sizeof(le16)))
			return false;
	}
	units[0] = le16_put(0);
	reader->at = end + 1;
	return add_bytes(reader, units, sizeof(le16));
}

/* From the backslash at the end of this line to the next one. */
static bool continue_line(struct reader *reader)
{
	bool end;

	reader->at++;
	if (!line_ends(reader))
		return expected(reader, "the end of the line behind '\\'");
	if (!next_line(reader, &end))
		return false;
	return !end || expected(reader, "another line with bytes");
}

static bool read_bytes(struct reader *reader)
{
	bool more = false; /* a comma came last */

	for (;;) {
		uint32_t number;
		uint8_t byte;

		skip_blanks(reader);
		if ((more || reader->size == 0) && *reader->at == '\\') {
			if (!continue_line(reader))
				return false;
			continue;
		}
		if (!more && line_ends(reader))
			return true;
		if (!read_hex(reader, 2, &number))
			return expected(reader, "a byte of two hexadecimal digits");
		byte = (uint8_t)number;
		if (!add_bytes(reader, &byte, 1))
			return false;
		skip_blanks(reader);
		more = *reader->at == ',';
		if (!more)
			return must_end(reader);
		reader->at++;
	}
}

/* Behind "hex": an optional type in parentheses, and the colon. */
static bool read_hex_type(struct reader *reader, uint32_t *type)
{
	*type = REG_BINARY;
	if (*reader->at == '(') {
		reader->at++;
		if (!read_hex(reader, 8, type))
			return expected(reader, "the number of a type in hexadecimal");
		if (*reader->at != ')')
			return expected(reader, "')'");
		reader->at++;
	}
	if (*reader->at != ':')
		return expected(reader, "':'");
	reader->at++;
	return true;
}

static bool read_dword(struct reader *reader)
{
	uint32_t number;
	le32 bytes;

	skip_blanks(reader);
	if (!read_hex(reader, 8, &number))
		return expected(reader, "a number of up to eight hexadecimal digits");
	bytes = le32_put(number);
	return add_bytes(reader, &bytes, sizeof(bytes));
}

static bool read_data(struct reader *reader, uint32_t *type)
{
	reader->size = 0;
	if (*reader->at == '"') {
		*type = REG_SZ;
		return read_string(reader) && must_end(reader);
	}
	if (take_word(reader, "dword:")) {
		*type = REG_DWORD;
		return read_dword(reader) && must_end(reader);
	}
	if (take_word(reader, "hex"))
		return read_hex_type(reader, type) && read_bytes(reader);
	return expected(reader, "a \"text\", dword:, hex: or -");
}

/* --- lines --- */

static bool read_value(struct reader *reader)
{
	struct change change = { .op = CHANGE_SET_VALUE, .key = reader->key, .name = "" };

	if (!reader->key)
		return expected(reader, "a [KEY] that the value is of");
	if (*reader->at == '"') {
		if (!read_name(reader))
			return false;
		change.name = reader->name;
	} else {
		reader->at++;
	}
	skip_blanks(reader);
	if (*reader->at != '=')
		return expected(reader, "'='");
	reader->at++;
	skip_blanks(reader);
	if (*reader->at == '-') {
		reader->at++;
		change.op = CHANGE_DELETE_VALUE;
		return must_end(reader) && give(reader, &change);
	}
	if (!read_data(reader, &change.type))
		return false;
	change.data = (struct bytes){ reader->bytes, reader->size };
	return give(reader, &change);
}

/* Passes the root if PATH is it or below it; names are compared as Windows does. */
static bool below_root(const char *root, const char **path)
{
	const char *at = *path;
	size_t left_root = strlen(root), left = strlen(at);

	while (left_root > 0 && left > 0) {
		uint32_t code_root, code;
		unsigned used_root = name_get_utf8(root, left_root, &code_root),
			 used = name_get_utf8(at, left, &code);

		if (used == 0 || used_root == 0)
			return false;
		if (code != code_root &&
		    (code >= 0x10000 || code_root >= 0x10000 ||
		     name_upcase((uint16_t)code) != name_upcase((uint16_t)code_root)))
			return false;
		root += used_root;
		left_root -= used_root;
		at += used;
		left -= used;
	}
	if (left_root > 0 || (left > 0 && *at != '\\'))
		return false;
	*path = at + (left > 1);
	return true;
}

/* A path with HKLM written out. */
static char *expand(TALLOC_CTX *ctx, const char *path, size_t size)
{
	bool shorter =
		size >= 4 && strncasecmp(path, "HKLM", 4) == 0 && (size == 4 || path[4] == '\\');
	unsigned skip = shorter ? 4 : 0;

	return talloc_asprintf(ctx, "%s%.*s", shorter ? "HKEY_LOCAL_MACHINE" : "",
	                       (int)(size - skip), path + skip);
}

/* The path between the brackets, as one from the top. */
static bool set_key(struct reader *reader, const char *text, size_t size)
{
	/* One backslash at the end may be: hivexregedit puts one behind its root. */
	char *whole = expand(reader->ctx, text, size - (size > 0 && text[size - 1] == '\\'));
	const char *path = whole;

	TALLOC_FREE(reader->key);
	if (!whole)
		return error_memory(reader->err);
	if (*reader->root && !below_root(reader->root, &path)) {
		error_set(reader->err, ERROR_SOURCE, "line %llu: [%.200s] is not below %.200s",
		          (unsigned long long)reader->lines.number, whole, reader->root);
		talloc_free(whole);
		return false;
	}
	reader->key = talloc_strdup(reader->ctx, path);
	talloc_free(whole);
	return reader->key ? true : error_memory(reader->err);
}

static bool read_key(struct reader *reader)
{
	bool deleted = reader->at[1] == '-';
	const char *from = reader->at + 1 + deleted, *end = strrchr(reader->at, ']');
	struct change change = { .op = deleted ? CHANGE_DELETE_KEY : CHANGE_CREATE_KEY };

	if (!end || end < from) {
		reader->at = "";
		return expected(reader, "']'");
	}
	reader->at = end + 1;
	if (!must_end(reader) || !set_key(reader, from, (size_t)(end - from)))
		return false;
	change.key = reader->key;
	if (!give(reader, &change))
		return false;
	if (deleted)
		TALLOC_FREE(reader->key);
	return true;
}

static bool read_header(struct reader *reader)
{
	bool end;

	if (!next_line(reader, &end))
		return false;
	if (strcmp(reader->at, "REGEDIT4") == 0)
		return error_set(reader->err, ERROR_SOURCE,
		                 "is a REGEDIT4 file, whose code page nobody knows: save it as "
		                 "version 5.00");
	return strcmp(reader->at, header) == 0 || expected(reader, header);
}

static bool read_all(struct reader *reader)
{
	bool end = false, done = read_header(reader);

	while (done) {
		done = next_line(reader, &end);
		if (!done || end)
			return done;
		if (line_ends(reader))
			continue;
		if (*reader->at == '[')
			done = read_key(reader);
		else if (*reader->at == '"' || *reader->at == '@')
			done = read_value(reader);
		else
			done = expected(reader, "[KEY], \"name\"= or @=");
	}
	return false;
}

bool reg_read(struct bytes text, const char *root, change_fn *each, void *data, struct error *err)
{
	TALLOC_CTX *tmp = talloc_new(NULL);
	struct reader reader = { .each = each, .data = data, .err = err, .ctx = tmp };
	bool done;

	if (!tmp)
		return error_memory(err);
	reader.root = expand(tmp, root ? root : "", root ? strlen(root) : 0);
	if (!reader.root) {
		talloc_free(tmp);
		return error_memory(err);
	}
	done = reg_lines_begin(tmp, &reader.lines, text, err) && read_all(&reader);
	talloc_free(tmp);
	return done;
}
