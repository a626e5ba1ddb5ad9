/*
 * checkpoint: what resources registered under RegSync and CryptoSync, and where it is.
 */
#ifndef CHECKPOINT_CHECKPOINT_H
#define CHECKPOINT_CHECKPOINT_H

#include "checkpoint/cluster.h"
#include "checkpoint/hklm.h"

enum checkpoint_type { CHECKPOINT_REGISTRY, CHECKPOINT_CRYPTO };

struct checkpoint {
	enum checkpoint_type type;
	char *resource, *resource_name;	/* canonical GUID, name or NULL */
	char *id;		/* eight hex digits, the value's name: "00000001" */
	char *path;		/* as it is registered */
	struct hklm where;	/* registry: where it is on this disk (when there is a system) */
	uint32_t provider_type;	/* crypto: Type\Name\Key */
	char *provider, *container;
	char *key_file;		/* crypto: path of the container's file if it is on the disk */
	bool present;		/* the key, or the container's file, is on the disk */
	char *file;		/* in a snapshot: "<GUID>/<id>.CPT" or ".CPR" */
	struct problems *problems;
};

struct checkpoints {
	struct checkpoint *list;
	uint32_t count;
	struct problems *problems;	/* of the whole: checkpoint-overlap, ... and each one's */
};

/*
 * All registrations of CLUSTER, sorted by resource and id. SYSTEM may be NULL: then nothing
 * is said of what is on a disk. Registrations whose id is no hex number or whose resource is
 * no GUID are problems, not checkpoints.
 */
bool checkpoints_read(TALLOC_CTX *ctx, const struct cluster *cluster, struct system *system,
		      struct checkpoints *out, struct error *err);

#endif
