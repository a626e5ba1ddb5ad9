/* image_internal: what image.c and image_read.c share. Nobody else includes it. */
#ifndef HIVE_IMAGE_INTERNAL_H
#define HIVE_IMAGE_INTERNAL_H

#include "hive/image.h"

#define IMAGE_MAX ((uint64_t)4 << 30) /* more than a hive (2 GiB) or a log can have */

/* A writable image of SIZE zero bytes in anonymous memory. */
struct image *image_take(TALLOC_CTX *ctx, uint64_t size, struct error *err);

/* Ends the thread that reads it, if there is one. */
void image_reader_stop(struct image *image);

#endif
