/* image_internal: what the files of image.h share. Nobody else includes it. */
#ifndef HIVE_IMAGE_INTERNAL_H
#define HIVE_IMAGE_INTERNAL_H

#include "hive/image.h"

#define IMAGE_MAX ((uint64_t)4 << 30) /* more than a hive (2 GiB) or a log can have */

/* A writable image of SIZE zero bytes in anonymous memory. */
struct image *image_take(TALLOC_CTX *ctx, uint64_t size, struct error *err);

/* A file to be read, or what a name stands for that is none; -1 if it cannot be opened. */
int image_file_open(int dirfd, const char *name, struct error *err);

/* The size of an open file, if it is a regular one and not too large. */
bool image_file_size(int fd, uint64_t *size, struct error *err);

#endif
