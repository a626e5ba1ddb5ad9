/*
 * marker: the first sector of a file that is not whole.
 *
 * While a restore gives a file new bytes, its first sector holds this text instead of "regf", so
 * that Windows refuses the file and `status` can say what is to be done. A disk writes a sector
 * as a whole, so there is never half a marker. docs/undo.md has its lines.
 *
 * A marker that is read comes from a disk: it is shown, and decides nothing.
 */
#ifndef SNAPSHOT_RESTORE_MARKER_H
#define SNAPSHOT_RESTORE_MARKER_H

#include "snapshot/restore/undo.h"

struct marker {
	char *undo; /* id of the undo directory */
	char *begun, *host, *path;
};

/* The sector. A path that does not fit ends in "...". */
void marker_write(const struct undo *undo, uint8_t sector[TARGET_SECTOR]);

/* Are the first SIZE bytes of a file, a sector or all that there is, a marker? */
bool marker_is(const uint8_t *sector, size_t size);

/* Is it that of the undo directory with this id? */
bool marker_of(const uint8_t sector[TARGET_SECTOR], const char *id);

/* Its texts, on CTX, without control characters. False if it is none, or without memory. */
bool marker_read(TALLOC_CTX *ctx, const uint8_t sector[TARGET_SECTOR], struct marker *marker);

#endif
