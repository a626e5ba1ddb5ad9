/*
 * guard: places where nothing may be written, whatever the user asks for.
 *
 * Paths are resolved as far as they exist; symbolic links do not hide where something lies.
 */
#ifndef SNAPSHOT_GUARD_H
#define SNAPSHOT_GUARD_H

#include <stdbool.h>

#include "hive/error.h"

/*
 * ERROR_REFUSED if DESTINATION, a directory that will be made or replaced as a whole, lies in
 * the directory SOURCE, or SOURCE in it.
 */
bool guard_source(const char *destination, const char *source, struct error *err);

/* ERROR_REFUSED if two of the destinations are one, or one lies inside the other. */
bool guard_apart(const char *one, const char *other, struct error *err);

/*
 * ERROR_REFUSED if PATH would lie inside a snapshot, which holds what its manifest says and
 * nothing else, or beside any quolog.log, which is what a quorum disk has too.
 * ERROR_DESTINATION if it cannot exist at all.
 */
bool guard_snapshot(const char *path, struct error *err);

/*
 * ERROR_REFUSED if PATH would lie on a Windows system volume: a directory above it holds
 * Windows/System32/config (or WINNT). Only restore writes there, and says what it replaces.
 */
bool guard_windows(const char *path, struct error *err);

#endif
