/* reg_lines: the lines of a .reg text, whatever its encoding. Only reg_read.c includes it. */
#ifndef HIVE_REG_LINES_H
#define HIVE_REG_LINES_H

#include <talloc.h>

#include "hive/bytes.h"
#include "hive/error.h"

struct reg_lines {
	struct bytes text;
	uint64_t at;     /* the first byte of the next line */
	bool wide;       /* UTF-16LE; else UTF-8 */
	uint64_t number; /* of the current line, from 1 */
	bool returned;   /* the current line ends in CR LF; else LF, or the text ends with it */
	char *line;      /* WTF-8, without its end; talloc */
	size_t room;
};

/* Finds out the encoding, which may be one that is refused. LINE is allocated on CTX. */
bool reg_lines_begin(TALLOC_CTX *ctx, struct reg_lines *lines, struct bytes text,
                     struct error *err);

/* The next line; *END, and no line, behind the last one. Errors name the line. */
bool reg_lines_next(struct reg_lines *lines, bool *end, struct error *err);

#endif
