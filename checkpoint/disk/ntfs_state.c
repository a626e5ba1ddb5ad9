/* Reading $VOLUME_INFORMATION and the restart pages of $LogFile. */
#include "checkpoint/disk/ntfs_state.h"

#include <assert.h>
#include <stdlib.h>

#define PAGE 4096u /* of the system: where the second restart page begins */
#define PIECE ((size_t)256 << 10)
#define FLAG_CLEAN 0x0002u
#define FIXED 510u /* bytes of a page before the first that the update sequence changes */

struct restart_page {
	uint8_t signature[4]; /* "RSTR" */
	le16 fixups;
	le16 fixup_count;
	le64 chkdsk_lsn;
	le32 system_page;
	le32 log_page;
	le16 area; /* 0x18: offset of the restart area */
	le16 minor;
	le16 major; /* 0x1c */
};
static_assert(sizeof(struct restart_page) == 0x1e, "");

struct restart_area {
	le64 lsn;
	le16 clients;
	le16 free;
	le16 in_use;
	le16 flags; /* 0x0e */
};
static_assert(sizeof(struct restart_area) == 0x10, "");

struct restart {
	bool sound;
	uint64_t lsn;
	bool clean;
	bool known; /* version 1.x */
};

static struct restart read_restart(const uint8_t *data)
{
	const struct restart_page *page = (const struct restart_page *)data;
	uint32_t at = le16_get(page->area);
	const struct restart_area *area;

	if (memcmp(page->signature, "RSTR", 4) != 0 || at < sizeof(*page) ||
	    at > FIXED - sizeof(*area))
		return (struct restart){ .sound = false };
	area = (const struct restart_area *)(data + at);
	return (struct restart){ true, le64_get(area->lsn),
		                 (le16_get(area->flags) & FLAG_CLEAN) != 0,
		                 le16_get(page->major) == 1 };
}

static enum ntfs_journal judge(struct restart one, struct restart other)
{
	bool equal = one.sound && other.sound && one.lsn == other.lsn;

	if (!one.sound && !other.sound)
		return NTFS_JOURNAL_UNKNOWN;
	if (!one.sound || (other.sound && other.lsn > one.lsn))
		one = other;
	if (!one.known || (equal && !other.known))
		return NTFS_JOURNAL_FAST;
	return one.clean && (!equal || other.clean) ? NTFS_JOURNAL_CLEAN : NTFS_JOURNAL_OPEN;
}

static bool is_empty(const uint8_t *data, size_t size)
{
	return size > 0 && data[0] == 0xff && memcmp(data, data + 1, size - 1) == 0;
}

static bool read_journal(struct ntfs_file *file, uint8_t *buffer, enum ntfs_journal *journal,
                         struct error *err)
{
	bool empty = true;
	size_t got = 0;

	for (uint64_t at = 0; empty && at < ntfs_file_size(file); at += got) {
		if (!ntfs_read(file, at, buffer, PIECE, &got, err))
			return false;
		empty = is_empty(buffer, got);
		if (at == 0 && got < 2 * PAGE)
			break;
	}
	if (empty && got > 0) {
		*journal = NTFS_JOURNAL_EMPTY;
		return true;
	}
	if (!ntfs_read(file, 0, buffer, 2 * PAGE, &got, err))
		return false;
	*journal = got == 2 * PAGE ? judge(read_restart(buffer), read_restart(buffer + PAGE))
	                           : NTFS_JOURNAL_UNKNOWN;
	return true;
}

bool ntfs_state_read(struct ntfs *ntfs, struct ntfs_state *state, struct error *err)
{
	uint8_t *buffer = malloc(PIECE);
	struct ntfs_file *file = NULL;
	enum ntfs_journal journal = NTFS_JOURNAL_UNKNOWN;
	uint16_t flags = 0;
	bool done;

	if (!buffer)
		return error_memory(err);
	done = ntfs_flags(ntfs, &flags, err);
	if (done)
		file = ntfs_file_open(ntfs, ntfs, NTFS_LOG, err);
	done = file && (read_journal(file, buffer, &journal, err) || error_wrap(err, "$LogFile"));
	if (done)
		*state = (struct ntfs_state){ flags & NTFS_FLAG_DIRTY, journal };
	talloc_free(file);
	free(buffer);
	return done;
}

const char *ntfs_state_dirty(const struct ntfs_state *state)
{
	return state->dirty ? "the volume is marked as to be checked: Windows found, or left, an "
	                      "inconsistency in its structures; let Windows check it (chkdsk /f)"
	                    : NULL;
}

const char *ntfs_state_journal(const struct ntfs_state *state)
{
	switch (state->journal) {
	case NTFS_JOURNAL_OPEN:
		return "its journal ($LogFile) was not closed: Windows was not shut down, and "
		       "repairs names and sizes from the journal at its next start; let Windows "
		       "start and shut down, or run chkdsk /f";
	case NTFS_JOURNAL_FAST:
		return "its journal ($LogFile) was left by a fast startup: Windows did not shut "
		       "down but keeps the volume in use; start it and shut it down with "
		       "shutdown /s /t 0";
	case NTFS_JOURNAL_UNKNOWN:
		return "its journal ($LogFile) is damaged, so whether Windows was shut down cannot "
		       "be known; let Windows check the volume (chkdsk /f)";
	default:
		return NULL;
	}
}
