/*
 * sample: the trees of the sample clusters, as tables of rows.
 *
 * A row adds one value or one key below a root. In its texts {word} stands for a name of the
 * cluster or node (struct sample), or else for a GUID that belongs to the word and the
 * cluster; everything is invented and comes out the same each time.
 */
#ifndef TESTS_SAMPLE_H
#define TESTS_SAMPLE_H

#include "tests/builder.h"

struct sample {
	unsigned generation;
	const char *cluster;  /* name of the cluster, {cluster} */
	const char *nodes[2]; /* {node1}, {node2}; the first one's disk is in the sample */
	const char *instance; /* of the database server, {instance} */
	const char *network;  /* first three numbers of an address, {net} */
	const char *sql_key;  /* name of a key container, {container} */
	uint64_t time;
};

struct sample_row {
	char generation; /* '1', '2', or '*' for both */
	/*
	 * s REG_SZ, n REG_SZ without its NUL, x REG_EXPAND_SZ, m REG_MULTI_SZ (parts separated
	 * by |), d REG_DWORD, q REG_QWORD, b REG_BINARY of so many invented bytes,
	 * D REG_BINARY with a security descriptor, k only the key, c class of the key,
	 * S security of the key (number of a BUILDER_SD_*), l symbolic link
	 */
	char kind;
	const char *key, *name, *text;
};

extern const struct sample_row sample_database[], sample_software[], sample_system[];
extern const struct sample_row sample_sam[], sample_security[], sample_default[];
extern const struct sample sample_clusters[2];

/* Adds a table, which ends with a row of generation 0. Each key is a second younger. */
void sample_build(struct builder *b, const struct sample *sample, const struct sample_row *rows);

/* TEXT with what stands for {word}, on CTX. */
char *sample_text(TALLOC_CTX *ctx, const struct sample *sample, const char *text);

/* SIZE bytes that belong to TEXT. */
void sample_bytes(const struct sample *sample, const char *text, uint8_t *out, size_t size);

/* A builder in format 1.3 with a copy of the key and all below it, as a checkpoint has it. */
struct builder *sample_copy(TALLOC_CTX *ctx, const struct builder_key *from);

/* Adds the copy of all below FROM to TO. */
void sample_graft(struct builder_key *to, const struct builder_key *from);

/* The key at a path, in any letter case (ASCII); NULL if it is not there. */
struct builder_key *sample_find(struct builder *b, const char *path);

#endif
