/*
 * companion: what the batch of a transaction cannot say. docs/quolog.md, "Companion", is the
 * specification. Not for callers of batch.h, which puts both together.
 */
#ifndef SNAPSHOT_COMPANION_H
#define SNAPSHOT_COMPANION_H

#include "snapshot/buffer.h"

#define COMPANION_VERSION 1u

enum companion_op {
	COMPANION_NEW_KEY = 1, /* the command before, a CREATE_KEY, makes a new key */
	COMPANION_SET_SECURITY = 2,
	COMPANION_SET_CLASS = 3,
	COMPANION_SET_LINK = 4,
	COMPANION_ORDER_VALUES = 5,
	COMPANION_SET_TIME = 6,
};

struct companion_entry {
	uint32_t after; /* so many commands of the batch have been carried out before */
	enum companion_op op;
	bool elsewhere;    /* of the key at PATH, not of the one where the batch is */
	struct bytes path; /* UTF-16LE, no NUL */
	struct bytes data;
};

/* Adds an entry, and before the first one the head. PATH is WTF-8; NULL: not elsewhere. */
bool companion_put(struct buffer *out, uint32_t after, enum companion_op op, const char *path,
                   struct bytes data, struct error *err);

/*
 * Reads the entry at *AT (0 at the start) and moves *AT behind it. *END says that there was
 * none. An empty companion is one without entries.
 */
bool companion_next(struct bytes companion, uint64_t *at, struct companion_entry *entry, bool *end,
                    struct error *err);

#endif
