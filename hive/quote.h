/* quote: a word as a shell takes it, for commands that messages print. */
#ifndef HIVE_QUOTE_H
#define HIVE_QUOTE_H

#include <talloc.h>

/* WORD as it is, or between single quotes, on CTX; NULL without memory. */
char *quote_word(TALLOC_CTX *ctx, const char *word);

#endif
