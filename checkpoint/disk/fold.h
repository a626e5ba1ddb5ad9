/*
 * fold: a text of which every spelling in letter case gives the same bytes, as Windows'
 * own upcase table sees it. Two texts fold to the same bytes if and only if Windows takes
 * them for the same name, so strcmp() and sorting can be used on what comes out.
 */
#ifndef CHECKPOINT_DISK_FOLD_H
#define CHECKPOINT_DISK_FOLD_H

#include <stdbool.h>
#include <talloc.h>

/* WTF-8 in, WTF-8 out, on CTX; a text that is none comes back as it is. NULL: no memory. */
char *fold_text(TALLOC_CTX *ctx, const char *text);

/* Are they the same but for letter case? False if there is no memory to tell. */
bool fold_equal(const char *a, const char *b);

#endif
