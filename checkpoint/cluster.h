/*
 * cluster: ClusDb as nodes, groups, resources, types, networks and quorum.
 *
 * Every value is read by the type that it has; both spellings of key names are known
 * ("ResourceTypes" and "Resource Types"); a REG_SZ may lack its NUL. Identifiers come from
 * an untrusted hive: a GUID is one only if it parses, and is then printed canonically.
 * Sources: facts in docs/cluster.md ([MS-CMRP], SDK constants, KB articles).
 */
#ifndef CHECKPOINT_CLUSTER_H
#define CHECKPOINT_CLUSTER_H

#include "checkpoint/guid.h"
#include "hive/hive.h"

/* PaxosTag: NextEpoch:LastUpdateEpoch:Sequence; an epoch is N or DATE-hh`mm`ss.mmm_N. */
struct paxos_tag {
	bool valid;
	struct paxos_epoch {
		uint64_t time;	/* FILETIME-like ticks made of the date, 0 if there is none */
		uint32_t number;
	} next, last;
	uint32_t sequence;
};

/* <0 if A is older than B; epochs (time, number) first, then next epochs, then sequence. */
int paxos_tag_compare(const struct paxos_tag *a, const struct paxos_tag *b);
bool paxos_tag_read(const char *text, struct paxos_tag *tag);

struct cluster_node { uint32_t id; char *name; uint32_t highest, lowest, build; };
struct cluster_network { char *id, *name, *address, *mask; uint32_t role; };
struct cluster_interface { char *id, *name, *node, *network, *address; };
struct cluster_type { char *name, *dll; };
struct cluster_resource {
	char *id;			/* canonical GUID */
	char *name, *type;
	char *group;			/* id of the group whose Contains names it, or NULL */
	uint32_t persistent_state;	/* UINT32_MAX: absent or "as the group" */
	char **depends;			/* ids, NULL-terminated, or NULL */
	struct hive_key key;
};
struct cluster_group { char *id, *name; uint32_t persistent_state; char **contains; };

struct cluster {
	const struct hive *hive;
	char *name;			/* ClusterName, or NULL */
	char *instance_id;		/* ClusterInstanceID as a canonical GUID or as it is; or NULL */
	char *version;			/* the PaxosTag's text, or NULL */
	struct paxos_tag tag;
	unsigned generation;		/* 1 or 2, from NodeHighestVersion / ClusterFunctionalLevel /
					   PaxosTag; 0 if the hive does not say */
	uint64_t written;		/* newest FILETIME of any key */
	char *quorum_resource, *quorum_path;
	uint32_t max_quorum_log_size;	/* bytes; 0 if absent */
	struct cluster_node *nodes; uint32_t node_count;
	struct cluster_group *groups; uint32_t group_count;
	struct cluster_resource *resources; uint32_t resource_count;
	struct cluster_type *types; uint32_t type_count;
	struct cluster_network *networks; uint32_t network_count;
	struct cluster_interface *interfaces; uint32_t interface_count;
	struct problems *problems;	/* dangling-reference, ... */
};

/* False with ERROR_SOURCE if HIVE is no cluster hive (no Nodes, Groups, Resources). */
bool cluster_read(TALLOC_CTX *ctx, const struct hive *hive, struct cluster *cluster,
		  struct error *err);

/* Are both of the same cluster? By instance id where both have one, else by name. */
bool cluster_same(const struct cluster *a, const struct cluster *b);

/*
 * Which is newer: <0 if A is older, >0 if newer, 0 if it cannot be told. PaxosTag where both
 * have one, else the newest key's time. *WHY (on CTX) is a sentence.
 */
int cluster_compare(TALLOC_CTX *ctx, const struct cluster *a, const struct cluster *b, char **why);

/* A resource by GUID (any spelling) or name (any case); NULL if there is none or several. */
const struct cluster_resource *cluster_resource(const struct cluster *cluster, const char *name);

/* True for values whose data must not be printed; KEY is the path in the cluster hive. */
bool cluster_secret(const char *key, const char *value_name);

#endif
