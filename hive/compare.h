/*
 * compare: are two subtrees the same, to the last byte that has a meaning?
 *
 * Names (letter case too), order, FILETIMEs, class names, security descriptors, symbolic
 * links, and values with their order, types and bytes. The name of the two top keys and how
 * things are stored do not matter.
 */
#ifndef HIVE_COMPARE_H
#define HIVE_COMPARE_H

#include "hive/hive.h"

/* False with ERROR_BAD_NEWS and the first difference by path; or another error. */
bool compare_subtrees(const struct hive *a, const struct hive_key *key_a, const struct hive *b,
                      const struct hive_key *key_b, struct error *err);

#endif
