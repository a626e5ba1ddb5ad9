/*
 * shadow: the shadow copies of an NTFS volume, by libvshadow.
 *
 *	struct shadow *shadow = shadow_open(ctx, medium, &err);
 *	for (i = 0; shadow && i < shadow_count(shadow); i++)
 *		volume_of_medium(ctx, shadow_medium(ctx, shadow, i, &err), &err);
 *
 * A shadow copy is a medium of its own: the volume as it was then. Windows keeps it up by copying a
 * block before it is written to; whoever writes without Windows changes what it shows. Nothing in
 * the volume is trusted; what libvshadow reads is counted (checkpoint/disk/medium_io.h).
 */
#ifndef CHECKPOINT_DISK_SHADOW_H
#define CHECKPOINT_DISK_SHADOW_H

#include "checkpoint/disk/medium.h"

struct shadow; /* a talloc object; the media of its copies fail when it is freed */

/*
 * MEDIUM must outlive it. NULL with ERROR_NONE in err->kind if the volume has no shadow copies;
 * ERROR_SOURCE if it has and they cannot be read (damaged, kept on another volume, or this clusnap
 * is built without libvshadow).
 */
struct shadow *shadow_open(TALLOC_CTX *ctx, struct medium *medium, struct error *err);

uint32_t shadow_count(const struct shadow *shadow);

/* When the copy NUMBER (from 0) was made, as FILETIME; 0 if it does not say. */
uint64_t shadow_created(struct shadow *shadow, uint32_t number);

/* The volume as it was then. */
struct medium *shadow_medium(TALLOC_CTX *ctx, struct shadow *shadow, uint32_t number,
                             struct error *err);

#endif
