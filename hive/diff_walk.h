/* diff_walk: what the files of diff share. Nobody else includes it. */
#ifndef HIVE_DIFF_WALK_H
#define HIVE_DIFF_WALK_H

#include "hive/cursor.h"
#include "hive/diff.h"

struct diff_text {
	char *text; /* talloc, NUL-terminated */
	size_t size, room;
};

/* One key on each side; absent: cell REGF_NIL. */
struct diff_side {
	const struct hive *hive;
	struct hive_key key;
	struct cursor subkeys;
	struct hive_key child; /* the subkey that is to be looked at next */
	bool ended;            /* there is no next one */
};

struct diff_frame {
	struct diff_side a, b;
	size_t path_size; /* how much of the path stands for this key, once it is known */
};

struct diff_walk {
	uint32_t leave_out;
	change_fn *each;
	void *data;
	struct error *err;
	struct diff_frame *frames; /* REGF_DEPTH_MAX of them */
	unsigned depth;            /* in use */
	uint32_t end_a, end_b;     /* the subkey in both at which it ends; REGF_NIL: at its end */
	le32 same_a, same_b;       /* security cells whose descriptors are the same */
	unsigned named;            /* frames whose names stand in path */
	struct diff_text path, name;
	TALLOC_CTX *scratch; /* data in segments, for as long as one change lasts */
};

/* A walk with no keys yet. Its memory is on WALK->scratch, which is to be freed. */
bool diff_begin(struct diff_walk *walk, uint32_t leave_out, change_fn *each, void *data,
                struct error *err);

/*
 * Takes up a key (A is NULL if it is new) for a look at its subkeys. Nothing is said of its
 * changes.
 */
bool diff_push(struct diff_walk *walk, const struct hive *hive_a, const struct hive_key *a,
               const struct hive *hive_b, const struct hive_key *b);

/* Calls back for all changes of the key in the last frame, but not of its subkeys. */
bool diff_key(struct diff_walk *walk);

/* Goes on from the last frame to the end. */
bool diff_walk_on(struct diff_walk *walk);

/* How the next subkey of A stands to that of B, of which there is one at least: -1 if it is only in
 * A, 1 if only in B, else 0, and *SAME unless letter case differs. */
int diff_order(const struct diff_frame *frame, bool *same);

/* Passes the next subkey of one side. */
bool diff_advance(struct diff_walk *walk, struct diff_side *side);

/*
 * diff_halves.c: a walk that has been begun is carried out by two threads, if that is worth while
 * and can be done: then *DONE. Only the calling thread calls back, and in the same order.
 */
bool diff_in_halves(struct diff_walk *walk, const struct hive *a, const struct hive_key *key_a,
                    const struct hive *b, const struct hive_key *key_b, bool *done);

/* Calls back for a change of the key in the last frame. */
bool diff_emit(struct diff_walk *walk, struct change *change);

/* Makes room for a name behind the first KEEP bytes and puts it there. */
bool diff_put_name(struct diff_walk *walk, struct diff_text *text, size_t keep, struct name name);

/* The changes of the values of the key in the last frame. */
bool diff_values(struct diff_walk *walk, const struct diff_side *a, const struct diff_side *b);

#endif
