/* What was found at the three places: which differ, and, in a sentence, what Windows will do. */
#include "checkpoint/locate.h"
#include "snapshot/places.h"

const char *places_name(enum place place)
{
	static const char *const names[] = { "live", "snapshot", "quorum" };

	return names[place];
}

static bool same(const struct places *places, enum place a, enum place b)
{
	return memcmp(places->digest[a], places->digest[b], DIGEST_SIZE) == 0;
}

void places_judge(struct places *places)
{
	unsigned all = PLACES_BIT(PLACES) - 1, live = PLACES_BIT(PLACES_LIVE),
		 snapshot = PLACES_BIT(PLACES_SNAPSHOT), quorum = PLACES_BIT(PLACES_QUORUM);

	if (places->there == all) {
		bool near = same(places, PLACES_LIVE, PLACES_SNAPSHOT),
		     far = same(places, PLACES_LIVE, PLACES_QUORUM),
		     copies = same(places, PLACES_SNAPSHOT, PLACES_QUORUM);

		places->odd = near && far ? 0
		              : near      ? quorum
		              : far       ? snapshot
		              : copies    ? live
		                          : all;
	} else if (places->there == (snapshot | quorum)) {
		places->odd = same(places, PLACES_SNAPSHOT, PLACES_QUORUM) ? 0 : quorum;
	} else if (places->there == (live | quorum)) {
		places->odd = same(places, PLACES_LIVE, PLACES_QUORUM) ? 0 : quorum;
	} else if (places->there == (live | snapshot)) {
		places->odd = same(places, PLACES_LIVE, PLACES_SNAPSHOT) ? 0 : snapshot;
	} else {
		return;
	}
	places->verdict = places->odd ? PLACES_DIFFER : PLACES_EQUAL;
}

/* --- in words --- */

static const char *full_name(enum place place, bool registry)
{
	static const char *const keys[] = { "the node's key", "the snapshot's .CPT",
		                            "the quorum disk's .CPT" };
	static const char *const files[] = { "the node's key container", "the snapshot's .CPR",
		                             "the quorum disk's .CPR" };

	return registry ? keys[place] : files[place];
}

/* The places of a set, with " and " or ", " between them. */
static void put_names(char text[128], unsigned set, bool registry)
{
	*text = '\0';
	for (unsigned place = 0; place < PLACES; place++) {
		unsigned after = set & ~(PLACES_BIT(place + 1) - 1);

		if (!(set & PLACES_BIT(place)))
			continue;
		strcat(text, full_name((enum place)place, registry));
		if (after)
			strcat(text, after & (after - 1) ? ", " : " and ");
	}
}

/*
 * Q174070, [MS-CMRP] 3.1.1.1.1.1: a checkpoint is restored before its resource goes online. The
 * first generation takes it from the quorum disk, the second from the cluster database, in a
 * form that is not public.
 */
static const char *consequence(const struct places_options *options, const struct places *places,
                               bool registry)
{
	unsigned live = PLACES_BIT(PLACES_LIVE), quorum = PLACES_BIT(PLACES_QUORUM);
	bool as_quorum = (places->there & live) && (places->there & quorum) &&
	                 places->odd == PLACES_BIT(PLACES_SNAPSHOT);

	if (!registry)
		return "when the resource next goes online, Windows puts the keys of the quorum "
		       "disk's .CPR into the key container";
	if (options->generation == 2)
		return "when the resource next goes online, Windows 2008 and later overwrites the "
		       "node's key with the copy in its cluster database, whose form is not public "
		       "and which is not compared here";
	if (as_quorum)
		return "when the resource next goes online, Windows changes nothing: the quorum "
		       "disk's .CPT, with which it overwrites the node's key, is equal to it";
	if (places->there & quorum)
		return "when the resource next goes online, Windows overwrites the node's key with "
		       "the quorum disk's .CPT";
	if (places->damaged & quorum)
		return "when the resource next goes online, Windows overwrites the node's key with "
		       "the quorum disk's .CPT, which cannot be read here";
	return options->quorum ? "the quorum disk has none, with which Windows would overwrite the "
	                         "node's key when the resource next goes online"
	                       : "when the resource next goes online, Windows overwrites the "
	                         "node's key with the .CPT on the quorum disk (--quorum DIR "
	                         "compares that, too)";
}

void places_say(const struct places_options *options, struct checkpoints *checkpoints,
                const struct checkpoint *checkpoint, const struct places *places)
{
	bool registry = checkpoint->type == CHECKPOINT_REGISTRY;
	unsigned rest = places->there & ~places->odd;
	char odd[128], others[128];

	if (places->verdict != PLACES_DIFFER)
		return;
	put_names(odd, places->odd, registry);
	put_names(others, rest, registry);
	checkpoint_problem(checkpoints, checkpoint, "checkpoint-differs", "%s differ%s%s; %s", odd,
	                   rest ? "s from " : " from each other", others,
	                   consequence(options, places, registry));
}
