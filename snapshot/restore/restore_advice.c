/*
 * What Windows will do with what was restored, and what an administrator has to do now. Every
 * sentence has its source: KB articles by number, docs/cluster.md for the rest.
 */
#include <string.h>
#include <strings.h>

#include "snapshot/restore/restoring.h"

static bool say(struct restore *r, const char *sentence, struct error *err)
{
	unsigned count = r->advice ? (unsigned)talloc_array_length(r->advice) : 1;
	char **longer = talloc_realloc(r->ctx, r->advice, char *, count + 1);
	char *text = longer ? talloc_strdup(longer, sentence) : NULL;

	if (longer)
		r->advice = longer;
	if (!text)
		return error_memory(err);
	longer[count - 1] = text;
	longer[count] = NULL;
	return true;
}

static bool has_quorum(const struct restore *r)
{
	return r->quorum || r->undo.disks[UNDO_QUORUM].path;
}

/* SENTENCE, and with what OPTIONS what is written wins. A second edit has nothing to change. */
static bool say_yields(struct restore *r, const char *sentence, const char *options,
                       struct error *err)
{
	bool edit = strcmp(r->undo.command, "edit") == 0;
	char *text = talloc_asprintf(
		r->ctx, "%s %s %s%s.", sentence,
		edit ? "To make an edit prevail, make it with"
		     : "To make what was restored prevail, restore with",
		options,
		edit ? " (one that was made without is taken back first, with clusnap undo)" : "");

	return text ? say(r, text, err) : error_memory(err);
}

static bool first_generation(struct restore *r, struct error *err)
{
	if (!r->undo.request.authoritative)
		return say_yields(
			r,
			"At its next start this node first tries to join: if another node is up, "
			"it takes the database from that one, and what was written here is "
			"overwritten. If none is up it forms the cluster: it then takes the "
			"database of the quorum disk if quolog.log and the latest chk????.tmp "
			"there are valid, and this CLUSDB only if they are not (Q217147).",
			"--authoritative --quorum DIR", err);
	return say(r,
	           has_quorum(r)
	                   ? "Keep the other nodes switched off or their cluster service "
	                     "stopped. Start this node first: with no quolog.log on the quorum "
	                     "disk it forms the cluster from its CLUSDB and writes a new "
	                     "chk????.tmp and quolog.log (Q217147, Q280353)."
	                   : "Keep the other nodes switched off or their cluster service "
	                     "stopped. Start this node first. If there is a quorum disk, which "
	                     "was not named here, rename its folder MSCS first: the node forms "
	                     "the cluster from its CLUSDB only where no valid quolog.log and "
	                     "chk????.tmp are there (Q217147, Q280353).",
	           err) &&
	       say(r,
	           "Then start the cluster service on the other nodes: they join and take the "
	           "database from this one, whatever is in theirs.",
	           err);
}

static bool second_generation(struct restore *r, struct error *err)
{
	if (!r->undo.request.authoritative)
		return say_yields(
			r,
			"At its next start this node joins if another node is up, and is given the "
			"whole database if its version tag is the older one. If it takes part in "
			"forming the cluster, the copy with the newest tag wins, on whichever "
			"node or witness disk that is (KB947713).",
			"--authoritative and start as that says", err);
	return say(r,
	           "Stop the cluster service on all other nodes (net stop clussvc, or leave them "
	           "switched off). Start Windows here, then: net start clussvc /fq",
	           err) &&
	       say(r,
	           "That forms the cluster from this copy and gives it a version tag that wins "
	           "over "
	           "all others (KB947713). The PaxosTag was not changed here: what makes a tag "
	           "win is not public in full, and a tag made up might lose, or win where it must "
	           "not.",
	           err) &&
	       say(r,
	           "Then start the other nodes normally, net start clussvc, or with /pq where "
	           "they might form a cluster of their own (KB2494036): they are given this "
	           "database.",
	           err);
}

static bool about_checkpoints(struct restore *r, struct error *err)
{
	if (r->undo.generation == 1 && !has_quorum(r))
		return say(
			r,
			"When a resource comes online, the cluster writes the .CPT of the quorum "
			"disk "
			"over the subtree that was restored here, if it is another: restore with "
			"--quorum DIR to put the snapshot's there, too (`clusnap checkpoint list "
			"--quorum DIR` compares them).",
			err);
	if (r->undo.generation == 1)
		return say(r,
		           "When a resource comes online, the cluster writes the .CPT of the "
		           "quorum disk "
		           "over its subtree; they are the same now.",
		           err);
	return say(
		r,
		"When a resource comes online, the cluster writes the checkpoint that it keeps in "
		"its own database over the subtree that was restored here. If that is the wrong "
		"one: remove the checkpoint (Remove-ClusterCheckpoint) while the resource is "
		"offline, bring it online with what was restored, and add it again.",
		err);
}

/* Who they are that "the other nodes" means; not known where an undo directory is all there is. */
static bool other_nodes(struct restore *r, struct error *err)
{
	const struct cluster *cluster = &r->source.cluster;
	char *names = talloc_strdup(r->ctx, "");

	for (uint32_t i = 0; names && i < cluster->node_count; i++) {
		const char *name = cluster->nodes[i].name;

		if (name && strcasecmp(name, r->undo.node) != 0)
			names = talloc_asprintf_append(names, "%s%s", *names ? ", " : "", name);
	}
	if (!names)
		return error_memory(err);
	return !*names ||
	       say(r, talloc_asprintf(r->ctx, "The other nodes of the cluster: %s.", names), err);
}

bool restore_advise(struct restore *r, struct error *err)
{
	const struct undo_request *request = &r->undo.request;
	bool database = request->authoritative || !request->checkpoints;

	if (database &&
	    (!(r->undo.generation == 1 ? first_generation : second_generation)(r, err) ||
	     !other_nodes(r, err)))
		return false;
	return !request->checkpoints || about_checkpoints(r, err);
}
