/*
 * tree: a registry tree in memory that can be changed. What edits and replays work on.
 *
 *	struct tree *tree = tree_load(ctx, hive, &key, &err);
 *
 *	tree_apply(tree, &change, &rules, &err);			any number of times
 *	struct image *image = tree_save(ctx, tree, 5, NULL, &err);	a new hive
 *
 * Names are looked up without regard to letter case, and what is there keeps its own, as in
 * Windows. Every look-up goes through a hash table, so that a change costs the length of its
 * path, however many siblings there are. Memory is given back with the whole tree only: it
 * grows with what was loaded and with what the changes brought.
 */
#ifndef HIVE_TREE_H
#define HIVE_TREE_H

#include "hive/change.h"
#include "hive/hive.h"
#include "hive/save.h"
#include "hive/sink.h"

struct tree;

/* A top key "ROOT" alone, without a descriptor: set-security of "" has to come before it is saved.
 */
struct tree *tree_new(TALLOC_CTX *ctx, struct error *err);

/* A copy of a subtree. What is not changed stays in HIVE, which must live as long. */
struct tree *tree_load(TALLOC_CTX *ctx, const struct hive *hive, const struct hive_key *key,
                       struct error *err);

/*
 * Puts a copy of a subtree in the place of the key at PATH and all that is below it; the key's name
 * stays. HIVE must live as long as the tree. ERROR_SOURCE if there is no such key; after another
 * failure the tree can only be freed.
 */
bool tree_replace(struct tree *tree, const char *path, const struct hive *hive,
                  const struct hive_key *key, struct error *err);

struct tree_rules {
	/*
	 * What .reg files mean: a key that is created may be there already, and its parents
	 * are made too; what is deleted may be gone already. Else each of these is an error.
	 */
	bool as_reg;
	/*
	 * Not 0: what Windows does to the times, too: a key whose values or subkeys change is
	 * written at this FILETIME.
	 */
	uint64_t now;
};

/*
 * Carries out a change; RULES may be NULL. ERROR_SOURCE, naming the change, if it is malformed
 * (change_check) or cannot be carried out; then the tree is as it was, but for parents that
 * as_reg has made.
 */
bool tree_apply(struct tree *tree, const struct change *change, const struct tree_rules *rules,
                struct error *err);

struct tree_count {
	uint64_t keys, values;
};

struct tree_count tree_count(const struct tree *tree);

/* Gives the whole tree to SINK. It puts subkeys in order, nothing else changes. */
bool tree_walk(struct tree *tree, struct sink *sink, struct error *err);

/* The tree as a sealed hive image in format 1.MINOR (3 or 5). COUNT may be NULL. */
struct image *tree_save(TALLOC_CTX *ctx, struct tree *tree, uint32_t minor,
                        struct save_count *count, struct error *err);

/*
 * The tree as a hive in the format of LIKE, or in 1.5 if that cannot hold it: proved as
 * save_proved() does. *HIVE is the tree as an open hive. NAME is for messages.
 */
struct image *tree_save_proved(TALLOC_CTX *ctx, struct tree *tree, const struct hive *like,
                               const char *name, struct hive **hive, struct error *err);

#endif
