/*
 * hklm: a path below HKEY_LOCAL_MACHINE as a hive file and a key in it.
 *
 * Paths are those that were registered for checkpoints: WTF-8, '\' between names, letter case
 * does not matter, no '\' in front. What RegOpenKeyEx does with them on a running system is
 * done here with what is on the disk:
 *
 *  1. SYSTEM\CurrentControlSet is the control set of Select\Current; where the hive does not
 *     say which that is, the name is taken as it is (a link key of that name may be there).
 *  2. Symbolic link keys are followed, the last one too, as long as they stay in the same hive,
 *     and HKLM_LINKS_MAX of them at most.
 *  3. One '\' at the end is no harm; two in a row, or one in front, is malformed.
 *  4. "Cluster" is ClusDb. "0.Cluster" is the hive of the witness disk and "BCD00000000" that of
 *     the boot loader: known, but never on this volume. HARDWARE is on no disk.
 *  5. A path that begins with HKEY_LOCAL_MACHINE\ or HKLM\ is a common mistake: Windows never
 *     finds it, so neither do we, but what was meant is told.
 *  6. In the 32-bit view, SOFTWARE\X is SOFTWARE\Wow6432Node\X if there is a Wow6432Node at all.
 *     Keys that both views share are links below Wow6432Node since Windows 2008 R2 and come out
 *     right by rule 2; on older systems they are looked for in the redirected place only.
 */
#ifndef CHECKPOINT_DISK_HKLM_H
#define CHECKPOINT_DISK_HKLM_H

#include "checkpoint/disk/system.h"

#define HKLM_LINKS_MAX 16u

enum hklm_result {
	HKLM_PRESENT,      /* the key is there */
	HKLM_KEY_MISSING,  /* the hive is there, the key is not */
	HKLM_HIVE_MISSING, /* the hive file is not on this disk */
	HKLM_HIVE_DAMAGED, /* the hive file cannot be read; WHY says it */
	HKLM_VOLATILE,     /* HARDWARE */
	HKLM_PREFIXED,     /* HKEY_LOCAL_MACHINE\ in front */
	HKLM_MALFORMED,    /* empty, "\" in front, empty parts, unknown first name */
};

struct hklm {
	enum hklm_result result;
	int hive;              /* enum system_hive, or -1 */
	char *file;            /* path of the hive file on the volume, or NULL */
	char *key;             /* the path in the hive as it was registered, but for
	                          CurrentControlSet and Wow6432Node; NULL without a hive */
	struct hive_key found; /* when HKLM_PRESENT; behind all links */
	char *meant;           /* when HKLM_PREFIXED: the path without its prefix */
	char *why;             /* one sentence, but for HKLM_PRESENT */
};

/*
 * WOW64: the 32-bit view. SYSTEM may be NULL: then the text alone is judged, and what could be on
 * a disk is HKLM_HIVE_MISSING, with its hive and the key as registered. Strings are allocated on
 * CTX. False only without memory; whatever is wrong with the path or the disk is in out->result.
 * Hives are opened once and kept by SYSTEM.
 */
bool hklm_resolve(TALLOC_CTX *ctx, struct system *system, const char *path, bool wow64,
                  struct hklm *out, struct error *err);

#endif
