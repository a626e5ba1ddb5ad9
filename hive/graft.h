/*
 * graft: a hive with some of its subtrees replaced by those of other hives.
 *
 * Everything else in it stays as it is: names, times, classes, security, values and their order.
 */
#ifndef HIVE_GRAFT_H
#define HIVE_GRAFT_H

#include "hive/hive.h"

struct graft {
	const char *key;         /* WTF-8 path in the hive, '\' between names; not "" */
	const struct hive *from; /* its root, with all below it, becomes KEY */
	bool made;               /* out: KEY was not there, and was created */
};

/*
 * HIVE with all GRAFTS carried out in their order, as a sealed image in HIVE's own format on
 * CTX, proved: it passes the validator, hivex reads it back, each grafted subtree is equal to
 * its source and everything outside of them equal to HIVE. The name of a key that is there
 * stays as it is. Parents that are missing are made, with the descriptor of their parent and
 * the time of the grafted root. ERROR_REFUSED if a graft cannot be held by the hive's format, or
 * a later graft lies inside or around an earlier one and would undo it, or the way to KEY goes
 * through a symbolic link, or KEY is one (unless the grafted root is one too): Windows keeps
 * what is seen there in another place. ERROR_SOURCE if a KEY cannot be a path.
 */
struct image *graft_hive(TALLOC_CTX *ctx, const struct hive *hive, struct graft *grafts,
                         uint32_t count, struct error *err);

#endif
