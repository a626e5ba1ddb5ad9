/*
 * read_back: does hivex, which shares no code with us, find in a hive what we find?
 *
 * Every key's subkeys and values are asked of hivex and compared with what we read in the lists
 * ourselves; what is in the records is then compare's business.
 */
#ifndef HIVE_READ_BACK_H
#define HIVE_READ_BACK_H

#include "hive/hive.h"

/*
 * In two steps: the first begins to read in a thread of its own, with nothing else of the hive
 * than looking at its keys and values (hive/compare.h) going on meanwhile; the second waits for
 * the answer. The hive must be an open one. What is freed without having ended is waited for.
 */
/*
 * Whoever goes through the image meanwhile gives it a rest after so many keys, and so does this:
 * hivex has all of it mapped a second time.
 */
#define READ_BACK_REST 8192u

struct read_back; /* a talloc object */
struct read_back *read_back_begin(TALLOC_CTX *ctx, const struct hive *hive, struct error *err);
bool read_back_end(struct read_back *reading, struct error *err);

/* Both. ERROR_INTERNAL if hivex refuses the hive or finds something else. */
bool read_back(const struct hive *hive, struct error *err);

#endif
