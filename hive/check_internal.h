/*
 * check_internal: what the parts of the validator share. Private to hive/check*.c.
 *
 * The bins say where allocated cells begin (check_bins.c); one walk down the tree
 * (check_keys.c) claims each of them for the record that refers to it. What nobody claimed
 * has leaked, what is claimed twice has two owners. Both marks are one bit for every 8 bytes,
 * side by side, so that a claim touches one cache line.
 *
 * Cells are numbers as in the file, from the end of the base block. Sentences for people and
 * problem offsets count from the start of the file, as a hex editor does.
 */
#ifndef HIVE_CHECK_INTERNAL_H
#define HIVE_CHECK_INTERNAL_H

#include "hive/check.h"
#include "hive/name.h"
#include "hive/regf.h"

/* A key on the way from the root to where the walk is. */
struct check_key {
	uint32_t cell;
	const struct regf_key *nk;
	const uint8_t *index; /* rest of an ri list */
	const uint8_t *leaf;  /* rest of the lf, lh or li list being read */
	uint32_t index_cell;  /* of the ri list; the key's own until there is one */
	uint32_t leaf_cell;   /* of the lf, lh or li list */
	uint32_t index_left, leaf_left;
	uint32_t entry_size; /* 4 in li, 8 in lf and lh */
	bool hashed;         /* lh: entries hold a hash */
	bool unread;         /* a list could not be read: its keys are not counted */
	uint32_t listed;     /* entries met so far */
	uint32_t longest_name, longest_class; /* of the subkeys, in bytes of UTF-16 */
	struct name previous;                 /* the sibling before; data NULL if there is none */
};

/* A security cell that keys use. */
struct check_use {
	uint32_t cell;
	uint32_t next; /* another one in the same page, or CHECK_NONE */
	uint32_t keys : 30;
	uint32_t in_ring : 1;
	uint32_t bad : 1; /* it is none; that has been said once and need not be for each key */
};

#define CHECK_NONE 0xffffffffu

struct check_value_item {
	uint32_t hash; /* the same if the names are; of few names something simpler */
	uint32_t cell;
};

struct checker {
	const struct image *image;
	bool reading;      /* it may not be there as a whole; check_bins.c */
	uint64_t there;    /* bytes of it that are */
	bool again;        /* start over when all of it is there */
	struct bytes bins; /* what of the hive bins is in the file */
	uint64_t next_bin; /* the headers of all before it have been read */
	uint64_t good_bin; /* the next that fits, if it is not before next_bin */
	struct check *check;
	struct problems *problems;
	uint32_t minor, root;
	uint64_t *marks;       /* pairs of words: allocated, owned */
	uint32_t *bin_of_page; /* first page of the bin of each page; see check_bins.c */
	uint32_t pages;
	struct check_key *path;         /* REGF_DEPTH_MAX of them */
	uint32_t depth;                 /* how many are in use; 0: the base block */
	const struct regf_value *value; /* being looked at, or NULL */
	struct check_use *uses;
	uint32_t use_count, use_room;
	uint32_t *use_of_page; /* the first of those in a page, or CHECK_NONE */
	uint32_t recent_use;
	uint32_t root_security; /* cell; REGF_NIL: there is no root key */
	struct check_value_item *items;
	uint64_t *sieve; /* check_values.c; as large as item_room needs */
	uint64_t item_room;
	uint16_t latin[256]; /* upper case of what compressed names consist of */
	bool after_tree;     /* all keys have been seen */
	bool memory;         /* there was not enough of it */
};

/* A problem of the cell CELL; REGF_NIL is the base block. */
void check_say(struct checker *c, enum problem_weight weight, uint32_t cell, const char *code,
               const char *format, ...) __attribute__((format(printf, 5, 6)));

/* The same for the key (and value) being looked at, whose path stands before the text. */
void check_say_key(struct checker *c, enum problem_weight weight, uint32_t cell, const char *code,
                   const char *format, ...) __attribute__((format(printf, 5, 6)));

static inline uint64_t check_offset(uint32_t cell)
{
	return (uint64_t)cell + REGF_BASE_SIZE;
}

static inline struct check_key *check_top(struct checker *c)
{
	return c->depth ? &c->path[c->depth - 1] : NULL;
}

/* check_base.c; false if there is nothing behind the base block to look at. */
bool check_base(struct checker *c, struct bytes image);
void check_tail(struct checker *c, struct bytes image);

/* check_bins.c */
bool check_bins(struct checker *c);
void check_unowned(struct checker *c);

/* Bytes in an allocated cell behind its size field. */
static inline uint32_t check_room(const struct checker *c, uint32_t cell)
{
	le32 size;

	memcpy(&size, c->bins.data + cell, 4);
	return 0u - le32_get(size) - 4;
}

/* Does an allocated cell begin at CELL? */
bool check_allocated(struct checker *c, uint32_t cell);

/* check_claim for cells of bins that have not been read, and for all that cannot be claimed. */
const void *check_claim_slowly(struct checker *c, enum problem_weight weight, uint32_t from,
                               uint32_t cell, uint64_t least, const char *what);

/*
 * Claims the cell that a field of FROM names, WHAT it is for people: its contents if it is
 * allocated, unclaimed and has room for LEAST bytes; else the problem is said, and NULL.
 */
static inline const void *check_claim(struct checker *c, enum problem_weight weight, uint32_t from,
                                      uint32_t cell, uint64_t least, const char *what)
{
	uint64_t bit = 1ull << (cell >> 3 & 63), *marks;

	if (cell % 8 || cell >= c->bins.size)
		return check_claim_slowly(c, weight, from, cell, least, what);
	marks = &c->marks[2 * (cell >> 9)];
	if (!(marks[0] & ~marks[1] & bit) || check_room(c, cell) < least)
		return check_claim_slowly(c, weight, from, cell, least, what);
	marks[1] |= bit;
	return c->bins.data + cell + 4;
}

/* check_keys.c */
void check_tree(struct checker *c);

/* A stored maximum of the key on top: too small, which weighs LOW, or larger than what is there. */
void check_maximum(struct checker *c, const struct check_key *key, enum problem_weight low,
                   const char *what, uint32_t stored, uint32_t real);

/* check_lists.c */
void check_list_begin(struct checker *c, struct check_key *key);

/* The place of the next subkey of KEY in its lists. */
bool check_list_next(struct checker *c, struct check_key *key, const uint8_t **entry);

/* The hint or hash of ENTRY, in a list of PARENT, against NAME, that of the key on top. */
void check_hint(struct checker *c, const struct check_key *parent, const uint8_t *entry,
                struct name name);

/* check_values.c */
void check_values(struct checker *c, struct check_key *key);

/* check_security.c */
bool check_security_begin(struct checker *c);
void check_security_use(struct checker *c, const struct check_key *key);
void check_security_ring(struct checker *c);

static inline struct name check_key_name(const struct regf_key *nk)
{
	return (struct name){ nk->name, le16_get(nk->name_size),
		              (le16_get(nk->flags) & REGF_KEY_COMP_NAME) != 0 };
}

static inline struct name check_value_name(const struct regf_value *vk)
{
	return (struct name){ vk->name, le16_get(vk->name_size),
		              (le16_get(vk->flags) & REGF_VALUE_COMP_NAME) != 0 };
}

/* check_names.c */
int check_compare(const struct checker *c, struct name a, struct name b);
/* The hash of lh lists: the same for names that differ in case only. */
uint32_t check_hash(const struct checker *c, struct name n);
/* Is there a control character or half of a surrogate pair in it? Windows allows both. */
bool check_unprintable(struct name n);
#define CHECK_UNPRINTABLE                                                                          \
	"the name has a control character or half of a surrogate pair in it, which Windows "       \
	"allows and most programs cannot handle"
/* What an allocated cell seems to hold: "; it looks like the key A", or nothing. */
char *check_what(TALLOC_CTX *ctx, const struct checker *c, uint32_t cell);
/* "root key", "key A\B", "key A\B, value C", or what is before or behind all keys. */
char *check_who(TALLOC_CTX *ctx, const struct checker *c);

#endif
