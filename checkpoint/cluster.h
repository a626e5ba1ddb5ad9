/*
 * cluster: ClusDb as nodes, groups, resources, types, networks and quorum.
 *
 * Every value is read by the type that it has; both spellings of key names are known
 * ("ResourceTypes" and "Resource Types"); a REG_SZ may lack its NUL. Identifiers come from
 * an untrusted hive: a GUID is one only if it parses, and is then printed canonically, a
 * node's id is a small decimal number. A key whose name is none is left out and said
 * (malformed-id). All other texts are as the hive has them and may hold anything.
 * Sources: facts in docs/cluster.md ([MS-CMRP], SDK constants, KB articles).
 *
 * Lists are sorted by id, or in the hive's order where there is none. Strings that are not
 * there are NULL. The struct points into the hive, which must outlive it.
 */
#ifndef CHECKPOINT_CLUSTER_H
#define CHECKPOINT_CLUSTER_H

#include "checkpoint/guid.h"
#include "checkpoint/paxos.h"
#include "hive/hive.h"

struct cluster_node {
	uint32_t id;
	char *name;
	uint32_t highest, lowest; /* NodeHighestVersion, NodeLowestVersion: major << 16 | build */
	uint32_t build;
};

struct cluster_group {
	char *id; /* canonical GUID, here and below */
	char *name;
	uint32_t persistent_state; /* UINT32_MAX: absent */
	char **contains;           /* ids, NULL-terminated; they may name what does not exist */
	struct hive_key key;
};

struct cluster_resource {
	char *id;
	char *name, *type;
	char *group;               /* id of the first group whose Contains names it, or NULL */
	uint32_t persistent_state; /* UINT32_MAX: absent or "as the group" */
	char **depends; /* ids, NULL-terminated, or NULL; they may name what does not exist */
	struct hive_key key;
};

struct cluster_type {
	char *name, *dll;
};

struct cluster_network {
	char *id, *name, *address, *mask;
	uint32_t role; /* 0 none, 1 internal, 2 client, 3 both; UINT32_MAX: absent */
};

struct cluster_interface {
	char *id, *name;
	char *node, *network; /* as they are stored: an id, perhaps a name */
	char *address;
};

struct cluster {
	const struct hive *hive;
	char *name;        /* ClusterName */
	char *instance_id; /* ClusterInstanceID as a canonical GUID, or as it is */
	char *version;     /* the PaxosTag's text, whether it is valid or not */
	struct paxos_tag tag;
	unsigned generation;   /* 1 or 2, 0 if the hive does not say; docs/cluster.md has how */
	uint64_t written;      /* newest FILETIME of any key */
	char *quorum_resource; /* canonical GUID */
	char *quorum_path;
	uint32_t max_quorum_log_size; /* bytes; 0 if absent */
	struct cluster_node *nodes;
	uint32_t node_count;
	struct cluster_group *groups;
	uint32_t group_count;
	struct cluster_resource *resources;
	uint32_t resource_count;
	struct cluster_type *types;
	uint32_t type_count;
	struct cluster_network *networks;
	uint32_t network_count;
	struct cluster_interface *interfaces;
	uint32_t interface_count;
	/*
	 * dangling-reference	WHERE names the resource (node, network) ID, which does not exist
	 * malformed-id		an id in a key's name or in a list is none, and was left out
	 * resource-ungrouped	no group, or more than one, contains a resource
	 */
	struct problems *problems;
};

/* False with ERROR_SOURCE if HIVE is no cluster hive (no Nodes, Groups, Resources). */
bool cluster_read(TALLOC_CTX *ctx, const struct hive *hive, struct cluster *cluster,
                  struct error *err);

/* Are both of the same cluster? By instance id where both have one, else by name. */
bool cluster_same(const struct cluster *a, const struct cluster *b);

/*
 * Which is newer, of two copies of one cluster's database: <0 if A is older, >0 if newer, 0 if
 * it cannot be told or they are the same version. By PaxosTag where both have a valid one,
 * else by the newest key's time. *WHY (on CTX; NULL if there is no memory) is a sentence
 * about A: "version 3:3:276 is newer than 3:3:270".
 */
int cluster_compare(TALLOC_CTX *ctx, const struct cluster *a, const struct cluster *b, char **why);

/* Is a computer of this name (any case) one of its nodes? */
bool cluster_has_node(const struct cluster *cluster, const char *name);

/* A resource by GUID (any spelling) or name (any case); NULL if there is none or several. */
const struct cluster_resource *cluster_resource(const struct cluster *cluster, const char *name);

/*
 * True for values whose data must not be printed; KEY is the path in the cluster hive.
 * docs/cluster.md, "Values that are not shown", lists them with the reason.
 */
bool cluster_secret(const char *key, const char *value_name);

#endif
