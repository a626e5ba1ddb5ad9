/*
 * sequence: the sequence numbers of a hive that takes the place of another.
 *
 * Logs that lie beside a hive are ignored while its base block is good and clean. If that is
 * torn one day, Windows takes the base block of the log with the latest entries, and of a
 * log only what is not older than the hive (docs/regf.md, Logs). So the numbers of the new hive
 * lie above all that the old one and its logs have: what is stale stays stale.
 */
#ifndef HIVE_SEQUENCE_H
#define HIVE_SEQUENCE_H

#include "hive/image.h"

/*
 * The last sequence number that a hive or log file speaks of: that of its base block, or of the
 * last valid entry behind it. False if it has no base block with a checksum, as a torn file.
 */
bool sequence_last(struct bytes file, uint32_t *sequence);

/* A sealed copy of IMAGE, a clean hive, with both its sequence numbers set. */
struct image *sequence_set(TALLOC_CTX *ctx, const struct image *image, uint32_t sequence,
                           struct error *err);

#endif
