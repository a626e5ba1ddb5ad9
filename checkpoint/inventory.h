/*
 * inventory: the things in a cluster hive, each from a key of its own, and the references
 * between them. The inside of cluster_read(), its only user: after it has set cluster->hive
 * and cluster->problems, the calls are inventory_read(), dependency_read(), reference_read().
 */
#ifndef CHECKPOINT_INVENTORY_H
#define CHECKPOINT_INVENTORY_H

#include "checkpoint/cluster.h"

/* The lists of nodes, groups, resources, types, networks and interfaces, all on CTX. */
bool inventory_read(TALLOC_CTX *ctx, struct cluster *cluster, struct error *err);

/* Calls back for each subkey of the key TOP of the cluster's hive, with its name. */
typedef bool inventory_fn(void *data, const struct hive_key *key, const char *name,
                          struct error *err);
bool inventory_each(const struct cluster *cluster, const char *top, inventory_fn *each, void *data,
                    struct error *err);

/*
 * thing.c: reads one thing from its key and adds it to its list. False only on failure: a
 * malformed id is said in cluster->problems.
 */
struct thing_reader {
	TALLOC_CTX *ctx;
	struct cluster *cluster;
	const char *section; /* the key above, "Groups" */
	struct error *err;
};

typedef bool thing_fn(struct thing_reader *r, const struct hive_key *key, const char *name);
thing_fn thing_node, thing_group, thing_resource, thing_type, thing_network, thing_interface;

/* By canonical id; NULL if there is none. */
struct cluster_resource *inventory_resource(const struct cluster *cluster, const char *id);
struct cluster_network *inventory_network(const struct cluster *cluster, const char *id);

/* Which resource depends on which: resource->depends, on CTX. */
bool dependency_read(TALLOC_CTX *ctx, struct cluster *cluster, struct error *err);

/* What groups contain, the quorum's resource, and what else is named but does not exist. */
bool reference_read(TALLOC_CTX *ctx, struct cluster *cluster, struct error *err);

/* Says which interfaces name a node or a network that does not exist. */
bool interface_check(const struct cluster *cluster, struct error *err);

/* Says that WHERE names a thing of a KIND that does not exist. */
void reference_dangling(const struct cluster *cluster, const char *where, const char *kind,
                        const char *id);

/*
 * The GUIDs in the data of a value, REG_SZ or REG_MULTI_SZ, canonical, as a NULL-terminated
 * array on CTX (empty for other types). Texts that are no GUIDs are left out, which is said
 * if WHERE is not NULL.
 */
bool reference_ids(TALLOC_CTX *ctx, const struct cluster *cluster, const struct hive_value *value,
                   const char *where, char ***ids, struct error *err);

#endif
