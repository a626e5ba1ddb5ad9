/*
 * layout: the names of the files of a snapshot.
 *
 *	chk0001.tmp			four to eight lower-case hexadecimal digits
 *	quolog.log
 *	<resource GUID>/00000001.CPT	canonical GUID (lower case, no braces), eight
 *	<resource GUID>/00000001.CPR	hexadecimal digits
 *	Clusbackup.dat
 *
 * A name that comes from a file is untrusted until layout_kind() knows it.
 */
#ifndef SNAPSHOT_LAYOUT_H
#define SNAPSHOT_LAYOUT_H

#include <stdbool.h>
#include <stdint.h>

#include "hive/error.h"

#define LAYOUT_LOG_NAME "quolog.log"
#define LAYOUT_MARKER_NAME "Clusbackup.dat"
#define LAYOUT_CHK_SIZE 16 /* "chk" up to eight digits ".tmp" and NUL */

/* The first four are those that a manifest can name; their values stand in quolog.log. */
enum layout_kind {
	LAYOUT_CHK = 1,
	LAYOUT_CPT = 2,
	LAYOUT_CPR = 3,
	LAYOUT_MARKER = 4,
	LAYOUT_LOG,
	LAYOUT_RESOURCE, /* a directory named as a resource */
	LAYOUT_UNKNOWN,
};

/* PATH is relative to the snapshot, with '/' between names. */
enum layout_kind layout_kind(const char *path);

/* "chk", "cpt", "cpr", "marker", "log", "resource", "unknown" */
const char *layout_kind_name(enum layout_kind kind);

/* "chk0001.tmp", and back: 0 if NAME is none. */
void layout_chk_name(uint32_t number, char name[LAYOUT_CHK_SIZE]);
uint32_t layout_chk_number(const char *name);

/*
 * openat() for reading, with FLAGS besides. Times of what is read are left alone where that is
 * allowed: for owners and root.
 */
int layout_open(int fd, const char *name, int flags);

/* Is PATH a directory with a quolog.log, which no system volume has at its top? */
bool layout_has_log(const char *path);

/*
 * A publish_may_replace_fn: is the open directory a snapshot of ours, and nothing else?
 * ERROR_REFUSED, with the name, if there is anything that is no part of one, or a quolog.log
 * that is not ours: a genuine backup of Windows cannot be made again.
 */
bool layout_is_snapshot(int fd, const char *path, struct error *err);

#endif
