/*
 * spool: bytes that are made from front to back, and written while the next ones are made.
 *
 *	spool = spool_new(ctx, put, to, 0, true, &err);
 *	window = spool_window(spool);		// SPOOL_FIRST bytes, all zero
 *	...
 *	window = spool_next(spool, used, least, &err);	// hands USED bytes over
 *	...
 *	spool_patch(spool, offset, bytes, &err);	// instead of what was handed over before
 *	...
 *	spool_finish(spool, used, &err);
 *
 * The windows are few and used again and again, so that they stay in the processor's cache. A
 * second thread writes them; it takes no memory. Patches are written last, when it has ended.
 */
#ifndef HIVE_SPOOL_H
#define HIVE_SPOOL_H

#include <talloc.h>

#include "hive/bytes.h"
#include "hive/error.h"

/* Sizes of windows, unless more is asked for. Most of what is made here fits into the first. */
#define SPOOL_FIRST ((uint64_t)65536)
#define SPOOL_WINDOW ((uint64_t)1048576)

struct spool; /* a talloc object; freeing it ends the thread */

/* Where the bytes go. Offsets rise; only patches come a second time. */
typedef bool spool_put_fn(void *to, uint64_t offset, struct bytes bytes, struct error *err);

/*
 * The first byte is at offset START. PUT is called in a thread of its own if that is wanted and
 * can be had, else in spool_next() and spool_finish().
 */
struct spool *spool_new(TALLOC_CTX *ctx, spool_put_fn *put, void *to, uint64_t start, bool thread,
                        struct error *err);

/* The window to be filled. */
uint8_t *spool_window(const struct spool *spool);

/*
 * Hands over the first USED bytes of the window and gives the next one, of LEAST bytes or more,
 * all zero. NULL if there is no memory, or if something could not be written.
 */
uint8_t *spool_next(struct spool *spool, uint64_t used, uint64_t least, struct error *err);

/* BYTES, which are copied, take the place of bytes that have been handed over. */
bool spool_patch(struct spool *spool, uint64_t offset, struct bytes bytes, struct error *err);

/* Hands over the last USED bytes. When this says true, all is written. */
bool spool_finish(struct spool *spool, uint64_t used, struct error *err);

#endif
