/* What salvage.c (the walk) and the other files of salvage share. Nobody else includes it. */
#ifndef HIVE_SALVAGE_INTERNAL_H
#define HIVE_SALVAGE_INTERNAL_H

#include "hive/open.h"
#include "hive/salvage.h"
#include "hive/sink.h"

/* A key or value among those of its parent that are sound. */
struct salvage_item {
	struct name name;
	uint32_t cell;
	uint32_t place; /* in the parent's list */
};

struct salvage_items {
	struct salvage_item *list; /* talloc array, without a parent */
	uint32_t count, room;
	uint32_t seen;   /* entries of the lists, sound or not */
	bool incomplete; /* a list, or an entry, leads nowhere */
};

struct salvage_level {
	struct hive_key key;
	struct bytes descriptor; /* as it was written */
	struct salvage_items subkeys;
	uint32_t next;
};

struct salvage_orphan;

struct salvage {
	const struct hive *hive;
	struct sink *sink;
	struct problems *lost;
	uint64_t text;     /* bytes that the list of losses may still grow by */
	uint8_t *owned;    /* a bit for every 8 bytes of the bins: this cell has an owner */
	uint64_t left;     /* bytes of the bins that have no owner yet */
	uint8_t *known;    /* the same for security cells: this one was looked at */
	uint8_t *unsound;  /* and found wanting */
	uint32_t data_max; /* bytes of data in a value that the new image can hold */
	struct salvage_orphan *orphans; /* sorted by parent; none in the first walk */
	uint32_t orphan_count, orphan_room;
	struct salvage_level levels[REGF_DEPTH_MAX];
	unsigned depth;
};

/* Notes that WHAT of the key at the top cannot be had: WHY. */
void salvage_note(struct salvage *s, const char *what, const char *why);

/*
 * Notes that WHAT of the key at the top cannot be had, because of ERR. False if the walk has to
 * stop all the same.
 */
bool salvage_lose(struct salvage *s, const char *what, struct error *err);

/* The same for a subkey or value of it. NAME has no data if it cannot be read. */
enum salvage_kind { SALVAGE_SUBKEY, SALVAGE_VALUE };
bool salvage_lose_one(struct salvage *s, enum salvage_kind kind, struct name name,
                      struct error *err);

/*
 * Makes SIZE bytes of CELL the property of whoever asks. A cell has one owner, and all cells
 * together are no larger than the hive: so what comes out is not either, whatever refers to what.
 */
bool salvage_claim(struct salvage *s, uint32_t cell, uint64_t size, struct error *err);

/* Does the key have a name that a subkey can have? */
bool salvage_is_named(const struct hive_key *key, struct error *err);

/* A subkey, claimed. False if it cannot be had; KEY is filled as far as it can be read. */
bool salvage_enter(struct salvage *s, uint32_t cell, struct hive_key *key, struct error *err);

/* Finds the keys that have no owner after a walk that went by lists alone. */
bool salvage_orphans_find(struct salvage *s, struct error *err);

/* Adds those that name the key at the top as their parent. */
bool salvage_orphans_add(struct salvage *s, struct salvage_items *items, struct error *err);

/* The sound subkeys of the key at the top, in order, each name once. */
bool salvage_subkeys(struct salvage *s, struct salvage_items *items, struct error *err);

/* Gives the sink all sound values of the key at the top, in stored order, each name once. */
bool salvage_values(struct salvage *s, struct error *err);

bool salvage_item_add(struct salvage_items *items, struct name name, uint32_t cell,
                      struct error *err);

/* Sorts by name; of those with one name the first stays, the others are lost. */
bool salvage_items_unique(struct salvage *s, struct salvage_items *items, enum salvage_kind kind,
                          struct error *err);

static inline bool salvage_bit(const uint8_t *bits, uint32_t cell)
{
	return bits[cell / 64] & 1u << (cell / 8 % 8);
}

static inline void salvage_bit_set(uint8_t *bits, uint32_t cell)
{
	bits[cell / 64] |= (uint8_t)(1u << (cell / 8 % 8));
}

#endif
