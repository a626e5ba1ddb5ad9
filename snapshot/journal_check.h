/*
 * journal_check: does a journal name only what a restore may touch?
 *
 * Asked of every journal that is written or read, for one that is read comes from a disk that
 * is not trusted. What it may name:
 *
 *  (1) on the system disk the set-aside directory is W/Cluster/clusnap-X for some directory W,
 *      and a step's path lies directly in W/Cluster or W/System32/config;
 *  (2) on the quorum disk the set-aside directory is D/clusnap-X, where D is at the top or the
 *      top itself, and a step's path lies in D or in a directory in D;
 *  (3) names are names that Windows could have given: no '.', '..', '\', ':' or control
 *      character; none begins with "clusnap-" or ends as the names that restore uses itself;
 *  (4) no path, and no name in a set-aside directory, is there twice.
 *
 * (W, D, and Cluster or System32/config are compared without regard to ASCII letter case.)
 */
#ifndef SNAPSHOT_JOURNAL_CHECK_H
#define SNAPSHOT_JOURNAL_CHECK_H

#include "snapshot/journal.h"

#define JOURNAL_STEPS_MAX 10000u
#define JOURNAL_TEXTS_MAX 10000u              /* resources, names of refusals */
#define JOURNAL_PATH_MAX 4000u                /* bytes */
#define JOURNAL_NAME_MAX 200u                 /* bytes; ".clusnap-new" must fit behind it */
#define JOURNAL_FILE_MAX ((uint64_t)4 << 30)  /* more than any hive */
#define JOURNAL_TEXT_MAX ((uint64_t)16 << 20) /* bytes of JSON */

/* ERROR_SOURCE, naming the field and what is wrong with it. */
bool journal_check(const struct journal *journal, struct error *err);

/* The end of PATH behind its last '/'; *SIZE is the length of what is before that '/', or 0. */
const char *journal_split(const char *path, size_t *size);

#endif
