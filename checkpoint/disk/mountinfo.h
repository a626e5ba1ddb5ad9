/*
 * mountinfo: what is mounted on this system, as /proc/self/mountinfo tells.
 */
#ifndef CHECKPOINT_DISK_MOUNTINFO_H
#define CHECKPOINT_DISK_MOUNTINFO_H

#include <stdbool.h>
#include <stdint.h>

/* A line of it; the texts are good during the call only. */
struct mountinfo {
	uint64_t
		device; /* of the files there: major number in the upper half, minor in the lower */
	const char *root;   /* what of the file system is there: a directory of it, "/" for all */
	const char *point;  /* where */
	const char *type;   /* "fuseblk", "ntfs3" */
	const char *source; /* what: a device, an image file or anything else */
};

/* Calls SEE for each mount, until it gives false. False if the list cannot be read. */
bool mountinfo_each(bool (*see)(void *data, const struct mountinfo *mount), void *data);

#endif
