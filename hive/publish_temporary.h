/*
 * publish_temporary: the temporary file beside a file that is to be.
 *
 * Not for callers of publish.h.
 */
#ifndef HIVE_PUBLISH_TEMPORARY_H
#define HIVE_PUBLISH_TEMPORARY_H

#include "hive/image.h"
#include "hive/publish_place.h"

struct publish_temporary {
	char *name; /* in the place's directory; begins with a prefix of its own */
	int fd;     /* to be read and written; closed when it is filled, then it holds the lock */
};

/* Removes the temporary files of killed runs. Nothing depends on it, so it cannot fail. */
void publish_temporary_sweep(TALLOC_CTX *ctx, const struct publish_place *place,
                             const char *prefix);

/* Creates one, empty and locked; its name is on CTX. After a failure nothing of it is there. */
bool publish_temporary_open(TALLOC_CTX *ctx, const struct publish_place *place, const char *prefix,
                            struct publish_temporary *out, struct error *err);

/* Writes BYTES at OFFSET. */
bool publish_temporary_put(const struct publish_place *place,
                           const struct publish_temporary *temporary, uint64_t offset,
                           struct bytes bytes, struct error *err);

/*
 * Writes IMAGE, as far as it is read, if there is anything in it, and then fsync and close. The
 * lock lives on in a second descriptor of the same open file: each close() reports what is its own
 * to report. Takes no memory.
 */
bool publish_temporary_fill(const struct publish_place *place, struct publish_temporary *temporary,
                            const struct image *image, struct error *err);

#endif
