/* Every line becomes WTF-8, so that the grammar is written only once. */
#include "hive/reg_lines.h"

#include "hive/name.h"

#define LINE_MOST ((uint64_t)64 << 20) /* bytes; regedit folds at 80 columns */

bool reg_lines_begin(TALLOC_CTX *ctx, struct reg_lines *lines, struct bytes text, struct error *err)
{
	const uint8_t *mark = bytes_at(text, 0, 2);

	*lines = (struct reg_lines){ .text = text };
	if (mark && mark[0] == 0xfe && mark[1] == 0xff)
		return error_set(err, ERROR_SOURCE, "is UTF-16 in big-endian order");
	if (mark && ((mark[0] == 0xff && mark[1] == 0xfe) || (mark[0] != 0 && mark[1] == 0))) {
		lines->wide = true;
		lines->at = mark[0] == 0xff ? 2 : 0;
		if (text.size % 2)
			return error_set(err, ERROR_SOURCE, "ends in the middle of a character");
	} else if (text.size >= 3 && memcmp(text.data, "\xef\xbb\xbf", 3) == 0) {
		lines->at = 3;
	}
	lines->room = 256;
	lines->line = talloc_array(ctx, char, 256);
	return lines->line ? true : error_memory(err);
}

/* Bytes from here to the line feed, or to the end of the text. */
static uint64_t line_size(const struct reg_lines *lines)
{
	const uint8_t *from = lines->text.data + lines->at;
	uint64_t left = lines->text.size - lines->at;

	if (!lines->wide) {
		const uint8_t *feed = memchr(from, '\n', left);

		return feed ? (uint64_t)(feed - from) : left;
	}
	for (uint64_t i = 0; i + 1 < left; i += 2) {
		if (from[i] == '\n' && from[i + 1] == 0)
			return i;
	}
	return left;
}

static bool make_room(struct reg_lines *lines, size_t need, struct error *err)
{
	char *larger;

	if (need <= lines->room)
		return true;
	larger = talloc_realloc(NULL, lines->line, char, (unsigned)(need + need / 2));
	if (!larger)
		return error_memory(err);
	lines->line = larger;
	lines->room = need + need / 2;
	return true;
}

/* Characters that no line has, and bytes that are none. */
static bool check(const struct reg_lines *lines, size_t size, struct error *err)
{
	for (size_t at = 0; at < size;) {
		uint8_t byte = (uint8_t)lines->line[at];
		uint32_t code;
		unsigned used;

		if (byte >= ' ' && byte < 0x80) {
			at++;
			continue;
		}
		used = name_get_utf8(lines->line + at, size - at, &code);
		if (used == 0)
			return error_set(
				err, ERROR_SOURCE,
				"line %llu is neither UTF-16 nor UTF-8; was the file saved as "
				"ANSI text?",
				(unsigned long long)lines->number);
		if (code == 0 || code == '\r')
			return error_set(err, ERROR_SOURCE, "line %llu has a %s in it",
			                 (unsigned long long)lines->number,
			                 code ? "carriage return" : "NUL");
		at += used;
	}
	return true;
}

bool reg_lines_next(struct reg_lines *lines, bool *end, struct error *err)
{
	uint64_t size, step = lines->wide ? 2 : 1;
	const uint8_t *from = lines->text.data + lines->at;
	size_t put;

	*end = lines->at >= lines->text.size;
	if (*end)
		return true;
	lines->number++;
	size = line_size(lines);
	if (size > LINE_MOST)
		return error_set(err, ERROR_SOURCE, "line %llu has %llu bytes",
		                 (unsigned long long)lines->number, (unsigned long long)size);
	if (!make_room(lines, size / step * (lines->wide ? 3 : 1) + 1, err))
		return false;
	lines->at += size;
	if (lines->at < lines->text.size)
		lines->at += step;
	if (lines->wide) {
		put = name_put_utf8((struct name){ from, (uint32_t)size, false }, lines->line);
	} else {
		memcpy(lines->line, from, size);
		put = size;
	}
	lines->returned = put > 0 && lines->line[put - 1] == '\r';
	put -= lines->returned;
	lines->line[put] = '\0';
	return check(lines, put, err);
}
