/* What the files of collect share. Nobody else includes it. */
#ifndef SNAPSHOT_COLLECTING_H
#define SNAPSHOT_COLLECTING_H

#include "snapshot/collect.h"
#include "snapshot/quorum.h"

struct previous; /* the snapshot that goes on */

struct collecting {
	TALLOC_CTX *ctx;
	const struct collect_options *options;
	struct collection *out;
	struct quorum *quorum;
	struct previous *previous; /* or NULL */
	struct error *err;
};

/* Adds a file to the collection. HIVE and KEY say where it comes from. */
bool collect_add(struct collecting *c, char *path, struct bytes bytes, const char *hive,
                 const char *key);

/* A disk without a database, of a computer that is no cluster node. */
bool collect_is_no_node(const struct copy *copy);

/* An image of the subtree, proved. */
struct image *collect_image(struct collecting *c, const struct hive *hive,
                            const struct hive_key *key, const char *name);

/* Opens the snapshot of --append, if there is one. */
bool collect_previous(struct collecting *c);

/* What history needs of it. */
void collect_resume(const struct collecting *c, struct history_options *options);

/* Adds the file PATH of it, if it has one; *DONE says so. */
bool collect_kept(struct collecting *c, const char *path, bool *done);

/* Adds its chk files; the name of the next one, on the context. */
bool collect_chks(struct collecting *c, const char **next);

/* Is it what is collected? struct collection says when. */
bool collect_unchanged(const struct collection *collection);

/* A file for every checkpoint that can be had, and a warning for every other. */
bool collect_checkpoints(struct collecting *c);

#endif
