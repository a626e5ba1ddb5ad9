/*
 * image: the bytes of a file, in private memory that nobody else can change.
 *
 * A hive is read once, whole, into a memfd: a bad sector is then an error of read() and
 * not a SIGBUS in the middle of a walk, another program cannot change the bytes under us,
 * and hivex can open the very same bytes through image_path().
 *
 * An image is a talloc object; its destructor unmaps and closes. It starts writable
 * (image_new, image_copy) or is made by reading; once sealed it never changes again.
 */
#ifndef HIVE_IMAGE_H
#define HIVE_IMAGE_H

#include <talloc.h>

#include "hive/bytes.h"
#include "hive/error.h"

struct image {
	struct bytes bytes; /* mapped for as long as the image lives, or until image_resize */
	int fd;             /* the memfd; read it at any time, keep its offset alone */
	bool sealed;
	uint64_t room; /* bytes mapped, at least bytes.size */
};

/*
 * Reads a regular file whole: O_RDONLY, no symbolic link is followed, FIFOs, devices and
 * directories are refused without waiting, its times are left alone where the system allows
 * it. NAME is relative to the directory DIRFD (AT_FDCWD for the current one). The image is
 * sealed. ERROR_SOURCE if it cannot be read or changes size while it is read.
 */
struct image *image_read(TALLOC_CTX *ctx, int dirfd, const char *name, struct error *err);

/* As image_read for a file that is open already, from its start; the caller closes FD. */
struct image *image_read_fd(TALLOC_CTX *ctx, int fd, struct error *err);

/* A writable image of SIZE zero bytes. */
struct image *image_new(TALLOC_CTX *ctx, uint64_t size, struct error *err);

/* A writable image with the same bytes. */
struct image *image_copy(TALLOC_CTX *ctx, struct bytes from, struct error *err);

/* The bytes of an image that is not sealed, to write into. */
uint8_t *image_data(struct image *image);

/* Puts bytes into an image that is not sealed; much cheaper than its data where it is new. */
bool image_write(struct image *image, uint64_t offset, struct bytes bytes, struct error *err);

/* Makes it larger (zeros) or smaller. image->bytes may move. Not for a sealed image. */
bool image_resize(struct image *image, uint64_t size, struct error *err);

/* From now on nobody can change it. */
bool image_seal(struct image *image, struct error *err);

/* Its pages need not stay mapped; each comes back when it is read. */
void image_rest(const struct image *image);

/* A path under which this process can open it: "/proc/self/fd/N", allocated on CTX. */
char *image_path(TALLOC_CTX *ctx, const struct image *image);

#endif
