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

#define WRITER_BIN 65536u /* a bin is closed once it is this large */

struct writer;

/* MINOR is 3 or 5. ROOM is a guess of the image's size, to save growing; 0 is fine. */
struct writer *writer_new(TALLOC_CTX *ctx, uint32_t minor, uint64_t room, struct error *err);

struct sink *writer_sink(struct writer *writer);

struct writer_count {
	uint64_t keys, values, descriptors;
};

/* The finished image, sealed, on CTX; the writer can only be freed then. */
struct image *writer_finish(TALLOC_CTX *ctx, struct writer *writer, struct writer_count *count,
                            struct error *err);

#endif
