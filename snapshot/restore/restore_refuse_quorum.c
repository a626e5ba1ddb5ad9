/* Why the quorum disk that is named is refused, or that none is. */
#include <sys/stat.h>

#include "snapshot/layout.h"
#include "snapshot/record.h"
#include "snapshot/restore/restoring.h"

/* Does the folder hold our log, or the marker, which no quorum disk has? */
static bool is_snapshot(struct restore *r, bool *ours, struct error *err)
{
	struct volume *volume = r->quorum->volume;
	char *log = restore_quorum_path(r, LAYOUT_LOG_NAME);
	char *marker = restore_quorum_path(r, LAYOUT_MARKER_NAME);
	uint8_t start[RECORD_SIGNATURE_SIZE] = { 0 };
	struct volume_entry entry;
	size_t got;

	if (!log || !marker)
		return error_memory(err);
	if (!volume_find(r->ctx, volume, log, &entry, err) ||
	    (entry.kind == VOLUME_FILE &&
	     !volume_head(volume, log, start, sizeof(start), &got, err)))
		return false;
	if (!volume_find(r->ctx, volume, marker, &entry, err))
		return false;
	*ours = entry.kind == VOLUME_FILE || memcmp(start, RECORD_SIGNATURE, sizeof(start)) == 0;
	return true;
}

static bool same_file(const char *a, const char *b)
{
	struct stat one, other;

	return stat(a, &one) == 0 && stat(b, &other) == 0 && one.st_dev == other.st_dev &&
	       one.st_ino == other.st_ino;
}

/* Its log would be removed as a quorum disk's, and then it is no snapshot any more. */
static bool refuse_snapshot(struct restore *r, struct error *err)
{
	const char *folder = r->quorum->folder;
	bool ours = false;
	char *path;

	if (!is_snapshot(r, &ours, err))
		return false;
	if (!ours)
		return true;
	path = talloc_asprintf(r->ctx, "%s%s%s", r->options->quorum, *folder ? "/" : "", folder);
	if (!path)
		return error_memory(err);
	if (r->options->request.source && same_file(path, r->options->request.source))
		return error_set(
			err, ERROR_REFUSED,
			"%s is the snapshot that is to be restored, and would be taken "
			"apart; name the quorum disk with --quorum, or copy the snapshot to "
			"where it is safe and restore that",
			path);
	return restore_refuse(r, "quorum-is-snapshot", err,
	                      "%s is a snapshot of clusnap, which would be taken apart, and no "
	                      "quorum disk; name the quorum disk with --quorum (if somebody has "
	                      "copied a snapshot there, override this)",
	                      path);
}

bool restore_refuse_quorum(struct restore *r, struct error *err)
{
	const struct quorum *quorum = r->quorum;
	struct error unreadable;
	struct copy copy;

	if (quorum && !refuse_snapshot(r, err))
		return false;
	if (!quorum && r->options->request.authoritative && r->target.system->generation == 1)
		return restore_refuse(
			r, "no-quorum-disk", err,
			"at its next start the cluster takes its database from the "
			"quorum disk if that is valid, not from CLUSDB (Q217147): mount "
			"the quorum disk and name it with --quorum DIR; in a majority node "
			"set that is MNS.<GUID>$/<GUID>$ in the node's directory Cluster; "
			"where there is neither, override this");
	for (uint32_t i = quorum ? quorum->chk_count : 0; i-- > 0;) {
		if (!quorum_copy(r->ctx, quorum, i, NULL, &copy, &unreadable)) {
			if (unreadable.kind == ERROR_INTERNAL) {
				*err = unreadable;
				return false;
			}
			continue;
		}
		if (copy.hive)
			return restore_refuse_other(r, &copy.cluster, quorum->chks[i], err);
	}
	if (quorum && quorum->chk_count)
		problems_add(
			r->warnings, PROBLEM_NOTE, PROBLEM_NOWHERE, "identity-unknown",
			"no database on the quorum disk %s can be read, so that nothing there "
			"says which cluster it belongs to; make sure that it is the right disk",
			r->options->quorum);
	return true;
}
