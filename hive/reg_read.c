/*
 * Reading .reg text: a line is a key, a value, a comment or nothing; only data runs on to further
 * lines. The grammar is looser than what regedit writes (blanks, comments,
 * letter case) and stricter than what regedit takes: what it would skip in silence, such as
 * an unknown escape, is an error here, because somebody meant something by it.
 */
#include <strings.h>

#include "hive/name.h"
#include "hive/reg_reader.h"

static const char header[] = "Windows Registry Editor Version 5.00";

static bool give(struct reg_reader *reader, const struct change *change)
{
	if (change_check(change, reader->err) && reader->each(reader->data, change, reader->err))
		return true;
	return error_wrap(reader->err, "line %llu", (unsigned long long)reader->lines.number);
}

/* --- lines --- */

static bool read_value(struct reg_reader *reader)
{
	struct change change = { .op = CHANGE_SET_VALUE, .key = reader->key, .name = "" };

	if (!reader->key)
		return reg_expected(reader, "a [KEY] that the value is of");
	if (*reader->at == '"') {
		if (!reg_read_name(reader))
			return false;
		change.name = reader->name;
	} else {
		reader->at++;
	}
	reg_skip_blanks(reader);
	if (*reader->at != '=')
		return reg_expected(reader, "'='");
	reader->at++;
	reg_skip_blanks(reader);
	if (*reader->at == '-') {
		reader->at++;
		change.op = CHANGE_DELETE_VALUE;
		return reg_must_end(reader) && give(reader, &change);
	}
	if (!reg_read_data(reader, &change.type))
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
static bool set_key(struct reg_reader *reader, const char *text, size_t size)
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

static bool read_key(struct reg_reader *reader)
{
	bool deleted = reader->at[1] == '-';
	const char *from = reader->at + 1 + deleted, *end = strrchr(reader->at, ']');
	struct change change = { .op = deleted ? CHANGE_DELETE_KEY : CHANGE_CREATE_KEY };

	if (!end || end < from) {
		reader->at = "";
		return reg_expected(reader, "']'");
	}
	reader->at = end + 1;
	if (!reg_must_end(reader) || !set_key(reader, from, (size_t)(end - from)))
		return false;
	change.key = reader->key;
	if (!give(reader, &change))
		return false;
	if (deleted)
		TALLOC_FREE(reader->key);
	return true;
}

/* Is the line TEXT, perhaps with blanks behind it? */
static bool is_first_line(const struct reg_reader *reader, const char *text)
{
	size_t size = strlen(text);

	return strncmp(reader->at, text, size) == 0 &&
	       reader->at[size + strspn(reader->at + size, " \t")] == '\0';
}

static bool read_header(struct reg_reader *reader)
{
	bool end;

	if (!reg_next_line(reader, &end))
		return false;
	if (is_first_line(reader, "REGEDIT4"))
		return error_set(reader->err, ERROR_SOURCE,
		                 "is a REGEDIT4 file, whose code page nobody knows: save it as "
		                 "version 5.00");
	return is_first_line(reader, header) || reg_expected(reader, header);
}

static bool read_all(struct reg_reader *reader)
{
	bool end = false, done = read_header(reader);

	while (done) {
		done = reg_next_line(reader, &end);
		if (!done || end)
			return done;
		if (reg_line_ends(reader))
			continue;
		if (*reader->at == '[')
			done = read_key(reader);
		else if (*reader->at == '"' || *reader->at == '@')
			done = read_value(reader);
		else
			done = reg_expected(reader, "[KEY], \"name\"= or @=");
	}
	return false;
}

bool reg_read(struct bytes text, const char *root, change_fn *each, void *data, struct error *err)
{
	TALLOC_CTX *tmp = talloc_new(NULL);
	struct reg_reader reader = { .each = each, .data = data, .err = err, .ctx = tmp };
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
