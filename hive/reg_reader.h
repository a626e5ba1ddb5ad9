/* reg_reader: what reg_read.c (keys and lines) and reg_data.c (data) share. Only they include it.
 */
#ifndef HIVE_REG_READER_H
#define HIVE_REG_READER_H

#include "hive/reg.h"
#include "hive/reg_lines.h"

struct reg_reader {
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

/* False: WHAT should be where the reader is, and is not. */
bool reg_expected(const struct reg_reader *reader, const char *what);

void reg_skip_blanks(struct reg_reader *reader);

/* Is there nothing more but blanks and a comment? */
bool reg_line_ends(struct reg_reader *reader);
bool reg_must_end(struct reg_reader *reader);

bool reg_next_line(struct reg_reader *reader, bool *end);

/* The quoted name of a value, into reader->name. */
bool reg_read_name(struct reg_reader *reader);

/* Everything behind the equals sign, into reader->bytes. */
bool reg_read_data(struct reg_reader *reader, uint32_t *type);

#endif
