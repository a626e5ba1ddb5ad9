/* reg_text: the characters of a .reg text in its encoding. Only reg_write.c includes it. */
#ifndef HIVE_REG_TEXT_H
#define HIVE_REG_TEXT_H

#include "hive/reg.h"

struct reg_text {
	bool utf8; /* else UTF-16LE */
	reg_out_fn *out;
	void *data;
	uint8_t *buffer;
	size_t used;
	uint32_t column;     /* characters in this line */
	uint8_t hex[256][8]; /* "xx," in the encoding of the text */
	bool failed;         /* nothing is put any more */
	struct error error;
};

/* The buffer is allocated on CTX. A byte order mark is put where there has to be one. */
bool reg_text_begin(TALLOC_CTX *ctx, struct reg_text *text, bool utf8, reg_out_fn *out, void *data,
                    struct error *err);

void reg_text_ascii(struct reg_text *text, const char *ascii);

void reg_text_line_end(struct reg_text *text);

/* WTF-8; with ESCAPE as the inside of a quoted string. */
void reg_text_put(struct reg_text *text, const char *wtf8, size_t size, bool escape);

/* Bytes with commas between them, in folded lines. */
void reg_text_hex(struct reg_text *text, struct bytes data);

/* Hands on what is in the buffer. */
void reg_text_flush(struct reg_text *text);

/* False, with the first error there was, if any. */
bool reg_text_told(const struct reg_text *text, struct error *err);

#endif
