/* journal_format: the words of a journal that its writer and its reader must agree on. */
#ifndef SNAPSHOT_JOURNAL_FORMAT_H
#define SNAPSHOT_JOURNAL_FORMAT_H

#include "snapshot/journal.h"

#define JOURNAL_KIND "journal of a restore"
#define JOURNAL_VERSION 1

extern const char *const journal_op_names[JOURNAL_OPS];
extern const char *const journal_disk_names[JOURNAL_DISKS];

#endif
