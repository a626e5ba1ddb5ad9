/*
 * Why a restore is refused, and by which name --force overrides it.
 *
 * The worst of them is the wrong cluster: a node of Windows 2003 whose database has another
 * instance id than its cluster removes the cluster service from itself (KB924473).
 */
#include <linux/magic.h>
#include <stdarg.h>
#include <sys/vfs.h>

#include "hive/quote.h"
#include "snapshot/restore/marker.h"
#include "snapshot/restore/restoring.h"

static const char *const names[] = {
	"snapshot-damaged",    /* verify finds damage; what can be read is taken */
	"not-a-node",          /* the target is no configured cluster node */
	"state-unknown",       /* the hive that would say so cannot be read */
	"identity-mismatch",   /* it, or the quorum disk, is of another cluster: 5893 */
	"not-a-member",        /* its name is no node of the database */
	"generation-mismatch", /* the database is of another generation of Windows */
	"hibernated",          /* Windows would go on with what it has in memory */
	"running",             /* the volume is somebody else's: Windows may be running on it */
	"no-quorum-disk",      /* authoritative, first generation: its log would win */
	"volume-dirty",        /* of a raw volume: it is to be checked, or its journal is open */
	"shadow-unreadable",   /* shadow copies, which would change, cannot be read */
	"restore-unfinished",  /* and its undo directory is lost: what is there is the old state */
	"undo-not-durable",    /* a power cut would take the old files with it */
	"changed-since",       /* a file is none that a run has left: somebody else changed it */
	"quorum-is-snapshot",  /* what --quorum names is a backup, which would be taken apart */
	NULL,
};

const char *const *restore_forces(void)
{
	return names;
}

bool restore_can_force(const char *name)
{
	for (const char *const *known = names; *known; known++) {
		if (strcmp(*known, name) == 0)
			return true;
	}
	return false;
}

bool restore_forced(const struct restore *r, const char *name)
{
	for (char **force = r->options->request.force; force && *force; force++) {
		if (strcmp(*force, name) == 0)
			return true;
	}
	return false;
}

bool restore_refuse(struct restore *r, const char *name, struct error *err, const char *format, ...)
{
	struct restore_refusal *list;
	va_list args;
	char *text;

	va_start(args, format);
	text = talloc_vasprintf(r->ctx, format, args);
	va_end(args);
	if (!text)
		return error_memory(err);
	if (restore_forced(r, name)) {
		problems_add(r->warnings, PROBLEM_HEALS, PROBLEM_NOWHERE, name, "forced: %s", text);
		return true;
	}
	list = talloc_realloc(r->ctx, r->refusals, struct restore_refusal, r->refusal_count + 1);
	if (!list)
		return error_memory(err);
	r->refusals = list;
	list[r->refusal_count++] = (struct restore_refusal){ name, text };
	return true;
}

bool restore_refused(const struct restore *r, struct error *err)
{
	const struct restore_refusal *first = &r->refusals[0];

	if (!restore_can_force(first->name))
		return error_set(err, ERROR_REFUSED, "%s: refused: %s: %s", r->options->target,
		                 first->name, first->text);
	return error_set(err, ERROR_REFUSED, "%s: refused: %s: %s (--force %s overrides this)",
	                 r->options->target, first->name, first->text, first->name);
}

static bool refuse_state(struct restore *r, struct error *err)
{
	const struct system *system = r->target.system;

	if (!system->state_known)
		return restore_refuse(
			r, "state-unknown", err,
			"whether %s is a cluster node cannot be told, because the hive "
			"that says so cannot be read (`clusnap status` names it); a "
			"node whose SYSTEM or SOFTWARE is lost needs those first",
			r->options->target);
	if (system->state == NODE_NOT_RUNNING)
		return true;
	return restore_refuse(r, "not-a-node", err,
	                      "%s is no configured cluster node: GetNodeClusterState would say "
	                      "%s (%d)%s; restore into a node of the cluster",
	                      r->options->target, node_state_name(system->state),
	                      (int)system->state,
	                      system->service && system->service_start == 4
	                              ? ", the service ClusSvc is disabled, as on an evicted node"
	                              : "");
}

static const char *identity(const struct cluster *cluster)
{
	return cluster->instance_id ? cluster->instance_id : "unknown";
}

/* IT: "the target's database is", WHOSE: its cluster. */
bool restore_refuse_other(struct restore *r, const struct cluster *whose, const char *where,
                          struct error *err)
{
	const struct cluster *ours = &r->source.cluster;

	if (cluster_same(whose, ours))
		return true;
	return restore_refuse(
		r, "identity-mismatch", err,
		"ERROR_CLUSTER_INSTANCE_ID_MISMATCH (5893): %s is of the cluster %s (instance %s), "
		"and %s of %s (instance %s); Windows 2003 removes the cluster service from a node "
		"with a foreign database (KB924473); make sure that this is the right disk, or "
		"restore a database of its own cluster",
		where, whose->name ? whose->name : "without a name", identity(whose),
		r->source.path, ours->name ? ours->name : "without a name", identity(ours));
}

static bool refuse_identity(struct restore *r, struct error *err)
{
	if (r->target.hive)
		return restore_refuse_other(r, &r->target.cluster, r->options->target, err);
	problems_add(r->warnings, PROBLEM_NOTE, PROBLEM_NOWHERE, "identity-unknown",
	             "the database of %s cannot be read, so that only the node's name says that it "
	             "belongs to the cluster %s",
	             r->options->target,
	             r->source.cluster.name ? r->source.cluster.name : "without a name");
	return true;
}

static bool refuse_member(struct restore *r, struct error *err)
{
	const struct cluster *cluster = &r->source.cluster;
	const char *node = r->target.system->node;

	if (node && cluster_has_node(cluster, node))
		return true;
	return restore_refuse(
		r, "not-a-member", err,
		"the computer on %s is called %s, and no node of the cluster %s in %s "
		"is; it was evicted, renamed, or is another cluster's: restore a state in which it "
		"is one (--to), or let it join the cluster anew",
		r->options->target, node ? node : "nothing that could be read",
		cluster->name ? cluster->name : "without a name", r->source.path);
}

static bool refuse_generation(struct restore *r, struct error *err)
{
	unsigned here = r->target.system->generation, there = r->source.cluster.generation;

	if (!here || !there || here == there)
		return true;
	return restore_refuse(r, "generation-mismatch", err,
	                      "%s runs Windows of cluster generation %u, and the database is of "
	                      "generation %u (1: up to 2003, 2: 2008 and later); restore a "
	                      "database of the same generation",
	                      r->options->target, here, there);
}

/* A share of another machine: its Windows may be what serves it. */
static bool refuse_running(struct restore *r, struct error *err)
{
	static const struct {
		unsigned long magic;
		const char *name;
	} shares[] = {
		{ CIFS_SUPER_MAGIC, "an SMB share" }, { SMB2_SUPER_MAGIC, "an SMB share" },
		{ SMB_SUPER_MAGIC, "an SMB share" },  { NFS_SUPER_MAGIC, "an NFS mount" },
		{ V9FS_MAGIC, "a 9P mount" },
	};
	struct statfs fs;

	if (statfs(r->options->target, &fs) != 0)
		return true;
	for (unsigned i = 0; i < sizeof(shares) / sizeof(shares[0]); i++) {
		if ((unsigned long)fs.f_type == shares[i].magic)
			return restore_refuse(
				r, "running", err,
				"%s is %s, so that Windows may be running there; stop "
				"the node and mount its disk",
				r->options->target, shares[i].name);
	}
	return true;
}

static bool refuse_hibernated(struct restore *r, struct error *err)
{
	const struct system *system = r->target.system;
	const struct problem *unknown = problems_find(system->problems, "hibernation-unknown");

	if (!unknown) /* a resume that did not end is tried again */
		unknown = problems_find(system->problems, "resume-tried");
	if (!system->hibernated && !unknown)
		return true;
	return restore_refuse(
		r, "hibernated", err,
		"Windows on %s %s hibernated (%s): it would go on with what it has in memory and "
		"write over the restored files; start and shut it down, or remove the hibernation "
		"(ntfs-3g -o remove_hiberfile), first",
		r->options->target, unknown ? "may be" : "is",
		unknown ? unknown->text : "hiberfil.sys");
}

bool restore_refuse_unfinished(struct restore *r, struct error *err)
{
	static const char name[] = "restore-unfinished";
	const char *text = problems_find(r->target.problems, name)->text;

	if (!restore_forced(r, name))
		return error_set(err, ERROR_INTERRUPTED,
		                 "%s: %s; if that directory is lost, --force %s begins anew",
		                 r->options->target, text, name);
	problems_add(r->warnings, PROBLEM_HEALS, PROBLEM_NOWHERE, name, "forced: %s", text);
	return true;
}

/* Of a quorum disk nobody else looks at them. */
bool restore_refuse_marker(struct restore *r, const char *path, const struct image *image,
                           struct error *err)
{
	struct marker marker;
	char *undo;

	if (restore_forced(r, "restore-unfinished") || image->bytes.size < TARGET_SECTOR ||
	    !marker_read(r->ctx, image->bytes.data, &marker))
		return true;
	undo = quote_word(r->ctx, marker.path);
	if (!undo)
		return error_memory(err);
	return error_set(
		err, ERROR_INTERRUPTED,
		"%s: a restore that began at %s is not finished: this file is not whole; "
		"finish it with `clusnap restore --resume %s`, or put everything back with "
		"--rollback instead; if that directory is lost, --force restore-unfinished "
		"begins anew",
		path, marker.begun, undo);
}

bool restore_refuse_running(struct restore *r, struct error *err)
{
	return refuse_hibernated(r, err) && refuse_running(r, err);
}

bool restore_refuse_target(struct restore *r, struct error *err)
{
	return restore_refuse_running(r, err) && refuse_state(r, err) && refuse_identity(r, err) &&
	       refuse_member(r, err) && refuse_generation(r, err);
}
