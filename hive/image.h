/*
 * image: the bytes of a file, in private memory that nobody else can change.
 *
 * A hive is read once, whole, into memory: a bad sector is then an error of read() and not a
 * SIGBUS in the middle of a walk, and another program cannot change the bytes under us.
 *
 * There are two kinds. What is read or copied is in anonymous memory, in huge pages where the
 * system has them: those are filled in a quarter of the time of small ones. What is made with
 * image_new() is in a memfd. Where hivex has to open the very same bytes, image_path() moves an
 * image of the first kind into a memfd; its bytes stay at their place.
 *
 * An image is a talloc object; its destructor gives the memory back. It starts writable
 * (image_new, image_copy) or is made by reading; once sealed it never changes again, unless
 * its owner asks for that with image_unseal().
 */
#ifndef HIVE_IMAGE_H
#define HIVE_IMAGE_H

#include <talloc.h>

#include "hive/bytes.h"
#include "hive/error.h"

struct image_reader;

struct image {
	struct bytes bytes; /* mapped for as long as the image lives, or until image_resize */
	int fd;             /* the memfd, -1 if there is none */
	bool sealed;
	uint64_t room;               /* bytes mapped, at least bytes.size */
	struct image_reader *reader; /* private to image_read.c; NULL: all of it is there */
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

/*
 * As image_read, but a large file goes on being read by a thread: its bytes are there, and may
 * be looked at, as far as image_wait() says so.
 */
struct image *image_read_begin(TALLOC_CTX *ctx, int dirfd, const char *name, struct error *err);

/*
 * Waits until the first END bytes are there (all of them and the end of the file, if END is
 * the size or more). False if they cannot be read, with the error of image_read().
 */
bool image_wait(const struct image *image, uint64_t end, struct error *err);

/*
 * Called with the bytes BEGIN to END of an image, which begins at IMAGE: before anybody sees
 * them, perhaps in the thread that reads them.
 */
typedef void image_patch_fn(void *data, uint8_t *image, uint64_t begin, uint64_t end);

/*
 * Passes the whole of an image that was read through PATCH, what is not there yet when it comes:
 * once it was waited for, it was patched. PATCH and DATA must last as long as the image. False
 * if it cannot be written to (image_unseal) or sealed again; that is no error before.
 */
bool image_patch(struct image *image, image_patch_fn *patch, void *data);

/* Ends the reading of an image that nobody wants any more. */
void image_stop(struct image *image);

/*
 * The bytes of a file of our own that is open: sealed, but mapped and not copied. Nobody may
 * change it while the image lives. The caller closes FD when he likes.
 */
struct image *image_map_fd(TALLOC_CTX *ctx, int fd, struct error *err);

#define IMAGE_MAX ((uint64_t)4 << 30) /* more than a hive (2 GiB) or a log can have */

/* A writable image of SIZE zero bytes in anonymous memory. */
struct image *image_take(TALLOC_CTX *ctx, uint64_t size, struct error *err);

/* A writable image of SIZE zero bytes in a memfd. */
struct image *image_new(TALLOC_CTX *ctx, uint64_t size, struct error *err);

/* A writable image with the same bytes. */
struct image *image_copy(TALLOC_CTX *ctx, struct bytes from, struct error *err);

/* The bytes of an image that is not sealed, to write into. */
uint8_t *image_data(struct image *image);

/* Puts bytes into an image that is not sealed; in a memfd much cheaper than its data is. */
bool image_write(struct image *image, uint64_t offset, struct bytes bytes, struct error *err);

/* Makes it larger (zeros) or smaller. image->bytes may move. Not for a sealed image. */
bool image_resize(struct image *image, uint64_t size, struct error *err);

/* From now on nobody can change it. */
bool image_seal(struct image *image, struct error *err);

/*
 * The owner of a sealed image may write to it again. False if it cannot be had: a memfd stays
 * sealed, and something else may have it open.
 */
bool image_unseal(struct image *image);

/* Its pages need not stay mapped; each comes back when it is read. Only a memfd can do that. */
void image_rest(const struct image *image);

/*
 * A path under which this process can open a sealed image: "/proc/self/fd/N", allocated on
 * CTX. NULL if there is no memory for it.
 */
char *image_path(TALLOC_CTX *ctx, const struct image *image);

#endif
