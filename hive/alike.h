/* alike: the values that two keys have in common, passed as quickly as memory gives them. */
#ifndef HIVE_ALIKE_H
#define HIVE_ALIKE_H

#include "hive/cursor.h"

/*
 * Passes the values at the beginning of both lists that are surely the same in name, type and
 * bytes; gives their number. Where it stops is for the caller to look at: there are values that
 * are the same and stored in another way, or in segments.
 */
uint32_t alike_pass(struct cursor *a, struct cursor *b);

#endif
