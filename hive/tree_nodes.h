/* tree_nodes: keys and values of a tree and how they are found. Only hive/tree*.c include it. */
#ifndef HIVE_TREE_NODES_H
#define HIVE_TREE_NODES_H

#include "hive/tree.h"

struct tree_key;

/* A subkey or a value: what stands in the index under its parent and its name. */
struct tree_node {
	struct tree_node *chain;           /* the next one in the same slot of the index */
	struct tree_node **link;           /* what points to this one there */
	struct tree_node *before, *behind; /* siblings of the same kind */
	struct tree_key *parent;
	struct name name;
	uint32_t hash;
	bool is_key;
};

struct tree_list {
	struct tree_node *first, *last;
	uint32_t count;
};

struct tree_value {
	struct tree_node node;
	uint32_t type;
	struct bytes data;
};

struct tree_key {
	struct tree_node node;
	uint64_t time;
	uint32_t id; /* another one for every key there ever was */
	bool link;
	bool unsorted; /* the subkeys may be out of order */
	struct bytes class_name, descriptor;
	struct tree_list subkeys, values;
};

struct tree {
	struct tree_key *top;
	struct tree_node **slots;
	uint32_t slot_count; /* a power of two */
	uint64_t nodes;      /* in the index */
	uint64_t hash_key;
	struct tree_count count;
	uint32_t ids;
	uint8_t *block; /* memory that is handed out piece by piece */
	size_t block_left;

	/* the key that was found last, and its path; NULL: none */
	struct tree_key *last;
	char *last_path;
	size_t last_room;
	le16 units[REGF_VALUE_NAME_MAX]; /* of the name that is looked up */
};

/* NULL if there is no memory. */
void *tree_take(struct tree *tree, size_t size);
bool tree_copy(struct tree *tree, struct bytes from, struct bytes *copy, struct error *err);

/* A new node under PARENT (NULL: the top), behind its siblings. NAME is copied if COPY. */
struct tree_key *tree_key_new(struct tree *tree, struct tree_key *parent, struct name name,
                              bool copy, struct error *err);
struct tree_value *tree_value_new(struct tree *tree, struct tree_key *parent, struct name name,
                                  bool copy, struct error *err);

/* NULL if there is none. */
struct tree_node *tree_find(const struct tree *tree, const struct tree_key *parent,
                            struct name name, bool is_key);

/* The key at the first SIZE bytes of a path that change_check() has passed, or NULL. */
struct tree_key *tree_find_path(struct tree *tree, const char *path, size_t size);

/* Takes a value out, or a key with all that is below it. */
void tree_remove(struct tree *tree, struct tree_node *node);

/* Puts the subkeys of a key in Windows' order. */
bool tree_sort(struct tree_key *key, struct error *err);

#endif
