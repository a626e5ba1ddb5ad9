/* undo_format: words that plan.json has. For its reader and its writer. */
#ifndef SNAPSHOT_RESTORE_UNDO_FORMAT_H
#define SNAPSHOT_RESTORE_UNDO_FORMAT_H

#include "snapshot/restore/undo.h"

#define UNDO_FORMAT "clusnap undo"
#define UNDO_VERSION 1

/* The members of a file, by enum undo_when. */
#define UNDO_WHEN_NAMES                                                                            \
	{                                                                                          \
		"old", "recovered", "new"                                                          \
	}

#endif
