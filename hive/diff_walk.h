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
	le32 same_a, same_b;       /* security cells whose descriptors are the same */
	unsigned named;            /* frames whose names stand in path */
	struct diff_text path, name;
	TALLOC_CTX *scratch; /* data in segments, for as long as one change lasts */
};

/* Calls back for a change of the key in the last frame. */
bool diff_emit(struct diff_walk *walk, struct change *change);

/* Makes room for a name behind the first KEEP bytes and puts it there. */
bool diff_put_name(struct diff_walk *walk, struct diff_text *text, size_t keep, struct name name);

/* The changes of the values of the key in the last frame. */
bool diff_values(struct diff_walk *walk, const struct diff_side *a, const struct diff_side *b);

#endif
