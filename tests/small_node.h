/*
 * small_node: the disk of a node with as little as possible on it: a cluster of one group, one
 * resource and one registry checkpoint, so that every byte of a snapshot of it can be tried.
 */
#ifndef TESTS_SMALL_NODE_H
#define TESTS_SMALL_NODE_H

#include "tests/builder.h"

#define SMALL_NODE_RESOURCE "11111111-2222-4333-8444-555555555555"
#define SMALL_NODE_GROUP "66666666-7777-4888-9999-aaaaaaaaaaaa"

/* The trees of the disk, to be changed before small_node_write. */
struct small_node {
	struct builder *cluster, *software, *system;
};

struct small_node small_node_new(TALLOC_CTX *ctx);

/* Writes the disk into the existing directory PATH. */
void small_node_write(struct small_node *node, const char *path);

/*
 * Makes ClusDb of the disk at PATH dirty: LOG1 and LOG2 bring the values "Logged1" and "Logged2",
 * and beside it is a file of kernel transactions. NODE gets these values.
 */
void small_node_dirty(struct small_node *node, const char *path);

#endif
