/*
 * windows: where on a volume Windows is, and which of the hives are there.
 *
 * The lower part of checkpoint/disk/system.h, which is what others use.
 */
#ifndef CHECKPOINT_DISK_WINDOWS_H
#define CHECKPOINT_DISK_WINDOWS_H

#include "checkpoint/disk/system.h"

/*
 * Fills system->windows and system->hives: Windows or WINNT in any letter case; where both
 * are there, the one with a SYSTEM hive. What stands where a hive belongs is taken for it
 * whatever it is, so that opening it says what is wrong with it.
 */
bool windows_find(struct system *system, struct error *err);

/* Is NAME a directory below the Windows directory? */
bool windows_has_directory(struct system *system, const char *name, bool *has, struct error *err);

/* Fills system->hibernated and adds the problem, by the first bytes of hiberfil.sys. */
bool windows_hibernation(struct system *system, struct error *err);

#endif
