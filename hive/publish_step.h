/*
 * publish_step: the single steps of changing files that stay where they are: a disk is restored
 * so (snapshot/restore/carry.h), because on NTFS under Linux names are what a power cut destroys.
 *
 * Each function is one change. Nothing is undone here, and nothing is durable before
 * publish_step_sync(), but for names, which are durable at once. Errors are ERROR_DESTINATION;
 * SHOWN is the path for their text.
 */
#ifndef HIVE_PUBLISH_STEP_H
#define HIVE_PUBLISH_STEP_H

#include "hive/bytes.h"
#include "hive/error.h"

/* Writes BYTES at OFFSET of an open file. */
bool publish_step_write(int fd, uint64_t offset, struct bytes bytes, const char *shown,
                        struct error *err);

/* Makes what was written to the file durable. */
bool publish_step_sync(int fd, const char *shown, struct error *err);

/* Makes the file as long as that, durably: what is added reads as zeros. */
bool publish_step_resize(int fd, uint64_t size, const char *shown, struct error *err);

/* Creates an empty file, mode 0600, which must not be there; its descriptor, or -1. */
int publish_step_create(int dirfd, const char *name, const char *shown, struct error *err);

/* Removes a file; that there is none is no error. */
bool publish_step_remove(int dirfd, const char *name, const char *shown, struct error *err);

/* Makes a directory, mode 0700; that there is one is no error. */
bool publish_step_mkdir(int dirfd, const char *name, const char *shown, struct error *err);

/* Removes an empty directory. One that is not empty, or not there, stays as it is. */
bool publish_step_rmdir(int dirfd, const char *name, const char *shown, struct error *err);

/* An exclusive lock that ends with FD, without waiting; false if somebody else has it. */
bool publish_step_lock(int fd);

#endif
