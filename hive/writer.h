/*
 * writer: a sink that makes a new, compact, clean hive image of a tree.
 *
 * What it writes is in docs/regf.md, "What save writes": depth first, bins that grow up to
 * CELLS_BIN, lf or lh leaves of at most REGF_LEAF_MAX keys below an ri, every count and
 * maximum exact, each security descriptor once, GUIDs and times that follow from the tree
 * alone.
 */
#ifndef HIVE_WRITER_H
#define HIVE_WRITER_H

#include "hive/image.h"
#include "hive/sink.h"
#include "hive/spool.h"

struct writer;

/* Into memory. MINOR is 3 or 5. ROOM is a guess of the image's size, to save growing; 0 is fine. */
struct writer *writer_new(TALLOC_CTX *ctx, uint32_t minor, uint64_t room, struct error *err);

/* To PUT, in a second thread: from front to back, then some places again, last the base block. */
struct writer *writer_new_to(TALLOC_CTX *ctx, uint32_t minor, spool_put_fn *put, void *to,
                             struct error *err);

struct sink *writer_sink(struct writer *writer);

struct writer_count {
	uint64_t keys, values, descriptors;
};

/* All of the image is where it should be; the writer can only be freed then. */
bool writer_complete(struct writer *writer, struct writer_count *count, struct error *err);

/* The same of one in memory: the finished image, sealed, on CTX. */
struct image *writer_finish(TALLOC_CTX *ctx, struct writer *writer, struct writer_count *count,
                            struct error *err);

#endif
