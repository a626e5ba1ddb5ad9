/*
 * hklm: a path below HKEY_LOCAL_MACHINE as a hive file and a key in it.
 *
 * SYSTEM\CurrentControlSet goes through Select\Current; HKLM\Cluster and 0.Cluster are ClusDb
 * itself; HARDWARE is volatile and on no disk; symbolic links are followed inside one hive
 * only. A path that begins with HKEY_LOCAL_MACHINE\ or HKLM\ is a common mistake in a
 * checkpoint: Windows never finds it, so neither do we, but what was meant is told.
 */
#ifndef CHECKPOINT_HKLM_H
#define CHECKPOINT_HKLM_H

#include "checkpoint/system.h"

enum hklm_result {
	HKLM_PRESENT,		/* the key is there */
	HKLM_KEY_MISSING,	/* the hive is there, the key is not */
	HKLM_HIVE_MISSING,	/* the hive file is not on this disk */
	HKLM_HIVE_DAMAGED,	/* the hive file cannot be read; WHY says it */
	HKLM_VOLATILE,		/* HARDWARE */
	HKLM_PREFIXED,		/* HKEY_LOCAL_MACHINE\ in front */
	HKLM_MALFORMED,		/* empty, "\" in front, empty parts, unknown first name */
};

struct hklm {
	enum hklm_result result;
	int hive;		/* enum system_hive, or -1 */
	char *file;		/* path of the hive file on the volume, or NULL */
	char *key;		/* path of the key in it, CurrentControlSet resolved, or NULL */
	struct hive_key found;	/* when HKLM_PRESENT */
	char *meant;		/* when HKLM_PREFIXED: the path without its prefix */
	char *why;		/* one sentence, but for HKLM_PRESENT */
};

/* WOW64: the 32-bit view (SOFTWARE\Wow6432Node). Strings are allocated on CTX. */
bool hklm_resolve(TALLOC_CTX *ctx, struct system *system, const char *path, bool wow64,
		  struct hklm *out, struct error *err);

#endif
