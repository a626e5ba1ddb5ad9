/*
 * container: the key container that a crypto checkpoint names, as a file on a node's disk.
 *
 * CryptoAPI keeps a container of the machine in a file called
 *
 *	MD5 of the name _ MachineGuid of the system
 *
 * in one of the machine's key directories. The name is hashed in lower case, in the ANSI code
 * page, with its NUL; the digest is written as four little-endian words (docs/cluster.md).
 * Which code page a node has is not looked at: names beyond Latin-1 cannot be told.
 *
 * A file that is there says that the node has the key. What is in it is sealed by the
 * node's LSA secret, and nobody opens it here.
 */
#ifndef CHECKPOINT_CONTAINER_H
#define CHECKPOINT_CONTAINER_H

#include "checkpoint/disk/system.h"

#define CONTAINER_HASH 33 /* hex digits and a NUL */

enum container_result {
	CONTAINER_PRESENT,
	CONTAINER_ABSENT,
	CONTAINER_UNKNOWN, /* the name, the MachineGuid or a directory does not let us tell */
};

struct containers;

struct container {
	enum container_result result;
	char *file; /* on the volume, when it is present */
	char *why;  /* one sentence, when it is not */
};

/* The first half of the file's name. False if NAME has characters that are not in Latin-1. */
bool container_hash(const char *name, char hash[CONTAINER_HASH]);

/*
 * Reads the machine's key directories of a volume, once. What cannot be read is remembered
 * and makes the answers CONTAINER_UNKNOWN; NULL only without memory.
 */
struct containers *containers_open(TALLOC_CTX *ctx, struct system *system, struct error *err);

/* Looks for the container NAME. Strings are on CTX. False only without memory. */
bool container_find(TALLOC_CTX *ctx, struct containers *containers, const char *name,
                    struct container *out, struct error *err);

#endif
