/* walk_salvage: what walk.c and walk_salvage.c share. Nobody else includes it. */
#ifndef HIVE_WALK_SALVAGE_H
#define HIVE_WALK_SALVAGE_H

#include "hive/cursor.h"
#include "hive/walk.h"

struct level {
	struct cursor subkeys;
	uint32_t *cells; /* salvage: a talloc array in place of the cursor */
	uint32_t count, next;
};

struct walk {
	const struct hive *hive;
	struct sink *sink;
	struct problems *left_out;
	uint8_t *entered; /* salvage: one bit for every 8 bytes of the image */
	struct level levels[REGF_DEPTH_MAX];
	unsigned depth;
};

/* False if the walk has to stop; in salvage the loss is noted and the walk goes on. */
bool walk_lose(struct walk *walk, const struct hive_key *parent, const char *what,
               struct error *err);

/* Gives the value in CELL to the sink. */
bool walk_give_value(struct walk *walk, const struct hive_key *key, uint32_t cell,
                     struct error *err);

/* --- salvage --- */

/* Can all of its data be read? Only then a value is given. */
bool walk_readable(struct walk *walk, const struct hive_value *value, struct error *err);

/* False if the key in CELL has been entered before. */
bool walk_enter_once(struct walk *walk, uint32_t cell);

/* Gives all sound values of a key, of each name the first. */
bool walk_salvage_values(struct walk *walk, const struct hive_key *key, struct error *err);

/* The sound subkeys of a key, in order, of each name the first, as a list in LEVEL. */
bool walk_salvage_subkeys(struct walk *walk, const struct hive_key *key, struct level *level,
                          struct error *err);

#endif
