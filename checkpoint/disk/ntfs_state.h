/*
 * ntfs_state: how an NTFS volume was left by who had it mounted last.
 *
 * $VOLUME_INFORMATION has a flag that the volume is to be checked. $LogFile begins with two restart
 * pages, of which the one of the higher LSN counts, and both where they are equal: they say whether
 * the journal was closed. Windows' fast startup leaves pages of version 2.0. A journal of nothing
 * but 0xff is fresh, or was made so by ntfs-3g, which cannot be told from a clean one.
 */
#ifndef CHECKPOINT_DISK_NTFS_STATE_H
#define CHECKPOINT_DISK_NTFS_STATE_H

#include "checkpoint/disk/ntfs.h"

enum ntfs_journal {
	NTFS_JOURNAL_CLEAN,
	NTFS_JOURNAL_EMPTY,   /* all 0xff */
	NTFS_JOURNAL_OPEN,    /* it was not closed */
	NTFS_JOURNAL_FAST,    /* it is that of fast startup, or of a version that is not known */
	NTFS_JOURNAL_UNKNOWN, /* it has no sound restart page */
};

struct ntfs_state {
	bool dirty; /* the flag */
	enum ntfs_journal journal;
};

bool ntfs_state_read(struct ntfs *ntfs, struct ntfs_state *state, struct error *err);

/* A sentence, without a full stop, on why STATE is not that of a clean volume; NULL if it is. */
const char *ntfs_state_dirty(const struct ntfs_state *state);   /* of the flag */
const char *ntfs_state_journal(const struct ntfs_state *state); /* of the journal */

#endif
