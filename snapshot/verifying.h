/* verifying: what the files of verify share. Not for callers of verify.h. */
#ifndef SNAPSHOT_VERIFYING_H
#define SNAPSHOT_VERIFYING_H

#include "snapshot/verify.h"

struct verifying {
	TALLOC_CTX *ctx;
	int fd;
	const char *path;
	struct verdict *verdict;
	struct error *err; /* for what ends the verification */
	bool without_torn; /* the torn end of a log is left out */
};

/* Notes what is wrong with PATH; false if there is no memory. */
bool verify_damage(struct verifying *v, const char *path, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Is there anything that the manifest does not name? False if it cannot be done. */
bool verify_folder(struct verifying *v);

/*
 * Is every transaction carried out, do they lead to the next checkpoint, and is the last entry a
 * checkpoint, so that the highest chk file is the newest state? False if it cannot be done.
 */
bool verify_history(struct verifying *v);

#endif
