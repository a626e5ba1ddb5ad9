/* Taking the disks and their locks; what is done there is in the other files of replacement. */
#include "snapshot/replacement.h"

#include <unistd.h>

#include "hive/publish_step.h"
#include "snapshot/journal_check.h"
#include "snapshot/replacing.h"

static int replacement_destroy(struct replacement *r)
{
	for (unsigned i = 0; i < JOURNAL_DISKS; i++) {
		if (r->parents[i] >= 0)
			close(r->parents[i]);
	}
	return 0;
}

/* Opens and locks the directory that the set-aside directory is, or will be, in. */
static bool take_disk(struct replacement *r, enum journal_disk disk, struct error *err)
{
	struct site *site = replacement_site(r, r, disk, r->journal->aside[disk], err);
	int fd;

	if (!site)
		return false;
	fd = r->parents[disk] = site->fd;
	site->fd = -1; /* ours from now on */
	talloc_free(site);
	return publish_step_lock(fd) ||
	       error_set(err, ERROR_REFUSED, "%s: another clusnap is restoring there",
	                 volume_path(r->disks[disk]));
}

static bool check_disks(const struct replacement *r, struct error *err)
{
	for (unsigned i = 0; i < JOURNAL_DISKS; i++) {
		if (r->journal->aside[i] && !r->disks[i])
			return error_set(err, ERROR_USAGE, "the restore is about the %s disk too",
			                 i == JOURNAL_QUORUM ? "quorum" : "system");
	}
	return true;
}

struct replacement *replacement_new(TALLOC_CTX *ctx, struct volume *const disks[JOURNAL_DISKS],
                                    const struct journal *journal, struct error *err)
{
	struct replacement *r = talloc_zero(ctx, struct replacement);
	bool done;

	if (!r) {
		error_memory(err);
		return NULL;
	}
	r->journal = journal;
	for (unsigned i = 0; i < JOURNAL_DISKS; i++) {
		r->disks[i] = disks[i];
		r->parents[i] = -1;
	}
	talloc_set_destructor(r, replacement_destroy);
	done = journal_check(journal, err) && check_disks(r, err);
	for (unsigned i = 0; done && i < JOURNAL_DISKS; i++)
		done = !journal->aside[i] || take_disk(r, i, err);
	if (done)
		return r;
	talloc_free(r);
	return NULL;
}
