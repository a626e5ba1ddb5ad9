/*
 * volume: a mounted Windows volume, whose contents are not to be trusted.
 *
 * Every look-up stays inside the volume: no symbolic link, junction, "..", device node or
 * FIFO is followed out of it (openat2 with RESOLVE_IN_ROOT, RESOLVE_NO_MAGICLINKS,
 * RESOLVE_NO_SYMLINKS, RESOLVE_NO_XDEV; O_PATH and fstat before anything is opened). Letter
 * case does not matter; two names that differ only in case are an error, not a choice.
 * Paths are relative to the volume, WTF-8, with '/' or '\' between names.
 */
#ifndef CHECKPOINT_VOLUME_H
#define CHECKPOINT_VOLUME_H

#include "hive/source.h"

struct volume;

/* PATH: a directory where a volume is mounted. ERROR_SOURCE if it cannot be opened. */
struct volume *volume_open(TALLOC_CTX *ctx, const char *path, struct error *err);

const char *volume_path(const struct volume *volume);	/* as given */

enum volume_kind { VOLUME_ABSENT, VOLUME_FILE, VOLUME_DIRECTORY, VOLUME_OTHER };

struct volume_entry {
	enum volume_kind kind;
	char *path;		/* as the volume spells it, '/' between names; NULL if absent */
	uint64_t size;
};

/* Looks PATH up. Absent is no error; letter-case twins and unreadable directories are. */
bool volume_find(TALLOC_CTX *ctx, struct volume *volume, const char *path,
		 struct volume_entry *entry, struct error *err);

/* The names in a directory, sorted by bytes, without "." and "..", on CTX. */
bool volume_list(TALLOC_CTX *ctx, struct volume *volume, const char *path, char ***names,
		 uint32_t *count, struct error *err);

/* Reads a hive with what lies beside it. ERROR_SOURCE if it is absent or no regular file. */
struct source *volume_source(TALLOC_CTX *ctx, struct volume *volume, const char *path,
			     struct error *err);

/* Reads any regular file whole. */
struct image *volume_file(TALLOC_CTX *ctx, struct volume *volume, const char *path,
			  struct error *err);

#endif
