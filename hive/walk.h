/* walk: a subtree of a hive, given to a sink in order. No recursion; REGF_DEPTH_MAX levels. */
#ifndef HIVE_WALK_H
#define HIVE_WALK_H

#include "hive/hive.h"
#include "hive/sink.h"

/*
 * LEFT_OUT is NULL, and whatever cannot be read is an error; or it is a list, and what is not
 * sound is left out of the walk and listed there by path (salvage). ERROR_REFUSED for keys of
 * a differencing hive (format 1.6), which mean nothing without the hive below.
 */
bool walk_subtree(const struct hive *hive, const struct hive_key *key, struct sink *sink,
                  struct problems *left_out, struct error *err);

#endif
