/* shadow_header: does a volume say that it has shadow copies? */
#ifndef CHECKPOINT_DISK_SHADOW_HEADER_H
#define CHECKPOINT_DISK_SHADOW_HEADER_H

#include "checkpoint/disk/medium.h"

/* ERROR_SOURCE if that cannot be read. */
bool shadow_header(struct medium *medium, bool *has, struct error *err);

#endif
