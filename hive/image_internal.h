/* image_internal: what the files of image.h share. Nobody else includes it. */
#ifndef HIVE_IMAGE_INTERNAL_H
#define HIVE_IMAGE_INTERNAL_H

#include "hive/image.h"

/* A file to be read, or what a name stands for that is none; -1 if it cannot be opened. */
int image_file_open(int dirfd, const char *name, struct error *err);

/* The size of an open file, if it is a regular one and not too large. */
bool image_file_size(int fd, uint64_t *size, struct error *err);

#endif
