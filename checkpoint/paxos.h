/*
 * paxos: the version tag of a cluster database of 2008 and later.
 *
 * The text is NextEpoch:LastUpdateEpoch:Sequence (KB947713). An epoch changes whenever the
 * cluster is formed, the sequence with every update. An epoch is a number, or, after an
 * authoritative restore or a start with /forcequorum, a time and a number:
 *
 *	3:3:276
 *	2007/12/31-15`35`55.889_4:2007/12/31-15`35`55.889_4:294
 *
 * docs/cluster.md, "Which copy is newer", says what of this is published and what is not.
 */
#ifndef CHECKPOINT_PAXOS_H
#define CHECKPOINT_PAXOS_H

#include <stdbool.h>
#include <stdint.h>

struct paxos_tag {
	bool valid;
	struct paxos_epoch {
		uint64_t time; /* of its date, in 100 ns since 1601; 0 if it has none */
		uint32_t number;
	} next, last;
	uint32_t sequence;
};

/*
 * The whole of TEXT, nothing before or behind it. Numbers are decimal and fit into 31 bits,
 * dates are dates. If it is none: false, and *TAG is all zeros, valid too.
 */
bool paxos_tag_read(const char *text, struct paxos_tag *tag);

/*
 * <0 if A is older than B, 0 if they are the same version. The epoch of the last update
 * decides, then the next epoch, then the sequence; in an epoch the time, then the number, so
 * that an epoch with a time is newer than one without.
 */
int paxos_tag_compare(const struct paxos_tag *a, const struct paxos_tag *b);

#endif
