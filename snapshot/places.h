/*
 * places: the three places where the data of a checkpoint may be, and whether they are equal:
 * the key on a node's disk, the .CPT or .CPR in a snapshot, the one on a quorum disk.
 *
 * Registry checkpoints are compared by tree digest (hive/digest.h), so it does not matter how a
 * hive is stored; crypto checkpoints by the SHA-256 of their files, and are never on a node
 * in this form. What is found is added to the problems of CHECKPOINTS:
 *
 *	checkpoint-differs	which places differ, and what Windows will do about it
 *	checkpoint-damaged	an image that is there and cannot be read; its place has no digest
 */
#ifndef SNAPSHOT_PLACES_H
#define SNAPSHOT_PLACES_H

#include "checkpoint/checkpoint.h"
#include "hive/digest.h"

enum place { PLACES_LIVE, PLACES_SNAPSHOT, PLACES_QUORUM, PLACES };

/* A set of places is the sum of these. */
#define PLACES_BIT(place) (1u << (place))

struct places_options {
	struct system *live;           /* the node's disk, or NULL */
	const char *snapshot;          /* path, or NULL; it need not be complete */
	const char *quorum;            /* where a quorum disk is mounted, or NULL */
	const struct cluster *cluster; /* whose checkpoints they are */
	unsigned generation;           /* 0: unknown */
	struct hive_options hive;      /* how images of the quorum disk are opened */
};

struct places {
	unsigned there;                      /* the places that have a digest */
	unsigned damaged;                    /* those that have something else */
	uint8_t digest[PLACES][DIGEST_SIZE]; /* of those that are THERE */
	enum { PLACES_UNKNOWN, PLACES_EQUAL, PLACES_DIFFER } verdict; /* unknown: fewer than two */
	/*
	 * PLACES_DIFFER: the odd one of three; all if no two of three are equal; of two the one
	 * that comes later in the enum.
	 */
	unsigned odd;
};

/* "live", "snapshot", "quorum" */
const char *places_name(enum place place);

/*
 * *OUT, on CTX, has an entry for each of CHECKPOINTS. ERROR_SOURCE if the quorum disk is none,
 * ERROR_BAD_NEWS if the snapshot has no log that can be read, ERROR_REFUSED if it is another
 * cluster's.
 */
bool places_compare(TALLOC_CTX *ctx, const struct places_options *options,
                    struct checkpoints *checkpoints, struct places **out, struct error *err);

/*
 * The inside of places_compare(): the verdict on what was found; and what there is to say of it,
 * as a problem of the checkpoint.
 */
void places_judge(struct places *places);
void places_say(const struct places_options *options, struct checkpoints *checkpoints,
                const struct checkpoint *checkpoint, const struct places *places);

#endif
