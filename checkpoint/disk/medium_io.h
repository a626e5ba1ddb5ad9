/*
 * medium_io: a medium as the libraries of libyal read it, through a handle of libbfio. What they
 * read is counted: a damaged volume can lead them in circles, and then every read fails.
 */
#ifndef CHECKPOINT_DISK_MEDIUM_IO_H
#define CHECKPOINT_DISK_MEDIUM_IO_H

#include <libbfio.h>

#include "checkpoint/disk/medium.h"

struct medium_io {
	struct medium *medium;
	uint64_t at;
	uint64_t left;    /* bytes that may still be read */
	bool exhausted;   /* more than these were asked for */
	bool suspect;     /* that happened before */
	bool failed;      /* the medium could not be read */
	struct error why; /* then */
};

/* Before a library is called: it may read a multiple of the medium's size, and MORE bytes. */
void medium_io_begin(struct medium_io *io, uint64_t more);

/* A handle on IO, which must outlive it. False without memory. */
bool medium_io_handle(struct medium_io *io, libbfio_handle_t **handle);

#endif
