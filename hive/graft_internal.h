/* graft_internal: what hive/graft*.c share. Nobody else includes it. */
#ifndef HIVE_GRAFT_INTERNAL_H
#define HIVE_GRAFT_INTERNAL_H

#include "hive/graft.h"

/* Proves that IMAGE is what graft_hive() promises; MADE[i] is what grafts[i].made will be. */
bool graft_prove(const struct hive *hive, const struct graft *grafts, const bool *made,
                 uint32_t count, const struct image *image, struct error *err);

#endif
