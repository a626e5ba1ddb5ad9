/*
 * checkpoint: what resources registered under RegSync and CryptoSync, and where it is.
 *
 *	struct checkpoints points;
 *
 *	checkpoints_read(ctx, &cluster, system, &points, &err);
 *
 * Problems have these codes, all but the last two on the checkpoint and in the whole list:
 *
 *	checkpoint-key-missing		Windows does not find the key: it, or its hive, is not there
 *	checkpoint-hive-damaged		its hive cannot be read, so nobody can tell
 *	checkpoint-path-prefixed	HKEY_LOCAL_MACHINE\ in front of the path
 *	checkpoint-volatile		below HARDWARE
 *	checkpoint-overlap		of different resources, one is the other or lies inside it
 *	crypto-container-missing	the key container is not on the disk, or it cannot be told
 *	malformed-id			a value is left out: its name is no id
 *	malformed-checkpoint		a value is left out: its data is no text
 */
#ifndef CHECKPOINT_CHECKPOINT_H
#define CHECKPOINT_CHECKPOINT_H

#include "checkpoint/cluster.h"
#include "checkpoint/disk/hklm.h"

enum checkpoint_type { CHECKPOINT_REGISTRY, CHECKPOINT_CRYPTO };

struct checkpoint {
	enum checkpoint_type type;
	char *resource;      /* canonical GUID */
	char *resource_name; /* or NULL */
	char *id;            /* eight hex digits, from the value's name: "00000001" */
	char *path;          /* as it is registered */
	struct hklm where;   /* registry: where it is on this disk; without a system, what the text
	                        says */
	uint32_t provider_type; /* crypto: Type\Name\Key */
	char *provider;         /* "" is the default one; NULL if the text has another form */
	char *container;
	char *key_file; /* crypto: path of the container's file if it is on the disk */
	bool looked;    /* somebody looked for it: there is a disk */
	bool unknown;   /* crypto: looked, and it still cannot be told; a problem says why */
	bool present;   /* the key, or the container's file, is on the disk */
	char *file;     /* its place in a snapshot: "<GUID>/<id>.CPT" or ".CPR" */
	struct problems *problems;
};

struct checkpoints {
	struct checkpoint *list; /* by resource, type and id */
	uint32_t count;
	struct checkpoint_overlap {
		uint32_t outer, inner; /* in the list; inner is outer's key or lies inside it */
	} * overlaps; /* at most CHECKPOINT_OVERLAPS for each inner one, at least one */
	uint32_t overlap_count;
	struct problems *problems; /* of the whole and each one's, which name the checkpoint */
};

#define CHECKPOINT_OVERLAPS 20u

/*
 * All registrations of CLUSTER. SYSTEM may be NULL: then nothing is said of what is on a
 * disk (but for HARDWARE, which is on none), and overlaps go by the registered text. Registrations
 * whose id is no hex number or whose data is no text are problems, not checkpoints; those of a
 * resource that is no GUID were left out with it by cluster_read(). Everything is on CTX; CLUSTER
 * and SYSTEM must outlive it.
 */
bool checkpoints_read(TALLOC_CTX *ctx, const struct cluster *cluster, struct system *system,
                      struct checkpoints *out, struct error *err);

/*
 * The parts of a crypto checkpoint's text, Type\Name\Key; Key may hold '\'. False with
 * ERROR_SOURCE if it has another form. Strings are on CTX.
 */
bool checkpoint_crypto(TALLOC_CTX *ctx, const char *text, uint32_t *type, char **provider,
                       char **container, struct error *err);

/* Eight lower-case digits from one to eight hex digits; false if NAME is anything else. */
bool checkpoint_id(const char *name, char id[9]);

#endif
