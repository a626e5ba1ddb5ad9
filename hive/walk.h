/* walk: a subtree of a hive, given to a sink in order. No recursion; REGF_DEPTH_MAX levels. */
#ifndef HIVE_WALK_H
#define HIVE_WALK_H

#include "hive/hive.h"
#include "hive/sink.h"

/*
 * Whatever cannot be read is an error. ERROR_REFUSED for keys of a differencing hive (format 1.6),
 * which mean nothing without the hive below.
 */
bool walk_subtree(const struct hive *hive, const struct hive_key *key, struct sink *sink,
                  struct error *err);

/* May there be such keys and values in it? */
bool walk_is_layered(const struct hive *hive);

#endif
