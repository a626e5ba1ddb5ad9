/*
 * descriptors: the security descriptors of an image that is being written, each once, with
 * how many keys use it.
 */
#ifndef HIVE_DESCRIPTORS_H
#define HIVE_DESCRIPTORS_H

#include <talloc.h>

#include "hive/bytes.h"

struct descriptor {
	struct bytes bytes; /* the source's; stay where they are */
	uint32_t cell;      /* of the security cell in the image; 0: not written yet */
	uint32_t references;
};

struct descriptors {
	struct descriptor *list; /* in the order of first use */
	uint32_t count, room;
	uint32_t *by_place, *by_bytes; /* hash tables: index into list plus 1, 0 is free */
	uint32_t slots;                /* of each table; a power of two */
	const void **places;           /* the address that each slot of by_place stands for */
	uint32_t place_count;
	uint64_t key; /* of the hashes in by_bytes */
};

struct descriptors *descriptors_new(TALLOC_CTX *ctx);

/*
 * The entry of equal bytes, made if there is none; its references go up by one. NULL if there
 * is no memory. Valid until the next call.
 */
struct descriptor *descriptors_use(struct descriptors *descriptors, struct bytes bytes);

#endif
