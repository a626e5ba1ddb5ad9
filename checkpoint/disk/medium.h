/*
 * medium: bytes by offset, whatever they come from.
 *
 * The lowest part of a disk that is read without mounting it. A file system is read from a medium
 * and knows nothing else of it. A medium is a block device or an image file here, or memory; a
 * partition of one, an image format and a shadow copy fit behind the same function.
 */
#ifndef CHECKPOINT_DISK_MEDIUM_H
#define CHECKPOINT_DISK_MEDIUM_H

#include <talloc.h>

#include "hive/bytes.h"
#include "hive/error.h"

struct medium {
	char *path;      /* for messages, as the user knows it */
	uint64_t size;   /* in bytes */
	uint32_t sector; /* bytes that are written in one piece: 512, or what the device says */
	/* Reads all of SIZE bytes, which lie in the medium. The text says what failed, not where.
	 */
	bool (*read)(struct medium *medium, uint64_t offset, void *buffer, size_t size,
	             struct error *err);
	void *data; /* of the function */
};

/*
 * Opens a block device or a regular file, O_RDONLY; its access time is left alone where the system
 * allows that. ERROR_SOURCE for anything else, which is not opened at all.
 */
struct medium *medium_open(TALLOC_CTX *ctx, const char *path, struct error *err);

/*
 * A descriptor of a block device or a regular file, which stays the caller's and must outlive the
 * medium. ALIGNED: it was opened O_DIRECT, so it is read in whole pieces of MEDIUM_ALIGN bytes.
 */
struct medium *medium_of_fd(TALLOC_CTX *ctx, const char *path, int fd, bool aligned,
                            struct error *err);

#define MEDIUM_ALIGN 4096u

/* Bytes that outlive the medium. */
struct medium *medium_of_bytes(TALLOC_CTX *ctx, const char *path, struct bytes bytes,
                               struct error *err);

/* Reads SIZE bytes; ERROR_SOURCE, with the offset in the text, if they are not all there. */
bool medium_read(struct medium *medium, uint64_t offset, void *buffer, size_t size,
                 struct error *err);

#endif
