/* What a journal calls things by: the source, the time, the directories for what is set aside. */
#include <stdlib.h>
#include <time.h>

#include "snapshot/restore/restoring.h"

/* A directory of its own for what is set aside, named by the time. */
static char *aside(struct restore *r, struct volume *volume, const char *folder, const char *stamp,
                   struct error *err)
{
	struct volume_entry entry;

	for (unsigned n = 1; n < 100; n++) {
		char *path = talloc_asprintf(r->ctx, "%s%s" JOURNAL_PREFIX "%s", folder,
		                             *folder ? "/" : "", stamp);

		if (path && n > 1)
			path = talloc_asprintf_append(path, "-%u", n);
		if (!path) {
			error_memory(err);
			return NULL;
		}
		if (!volume_find(r->ctx, volume, path, &entry, err))
			return NULL;
		if (entry.kind == VOLUME_ABSENT)
			return path;
	}
	error_set(err, ERROR_DESTINATION, "%s: has 99 directories " JOURNAL_PREFIX "%s already",
	          folder, stamp);
	return NULL;
}

static bool uses(const struct journal *journal, enum journal_disk disk)
{
	for (uint32_t i = 0; i < journal->step_count; i++) {
		if (journal->steps[i].disk == disk)
			return true;
	}
	return false;
}

/* The journal lies on the system disk whatever it is about. */
static bool name_asides(struct restore *r, struct error *err)
{
	struct journal *journal = &r->journal;
	time_t now = time(NULL);
	char stamp[32], begun[32];
	struct tm parts;

	if (journal->step_count == 0)
		return true;
	gmtime_r(&now, &parts);
	strftime(stamp, sizeof(stamp), "%Y%m%dT%H%M%SZ", &parts);
	strftime(begun, sizeof(begun), "%Y-%m-%dT%H:%M:%SZ", &parts);
	journal->begun = talloc_strdup(r->ctx, begun);
	if (!journal->begun)
		return error_memory(err);
	journal->aside[JOURNAL_SYSTEM] = aside(r, r->target.system->volume, r->cluster, stamp, err);
	if (!journal->aside[JOURNAL_SYSTEM])
		return false;
	if (!uses(journal, JOURNAL_QUORUM))
		return true;
	journal->aside[JOURNAL_QUORUM] = aside(r, r->quorum->volume, r->quorum->folder, stamp, err);
	return journal->aside[JOURNAL_QUORUM] != NULL;
}

char *restore_real_path(struct restore *r, const char *path, struct error *err)
{
	char *real = realpath(path, NULL), *copy = talloc_strdup(r->ctx, real ? real : path);

	free(real);
	if (!copy)
		error_memory(err);
	return copy;
}

/* A resume may be run from another directory. */
static bool name_source(struct restore *r, struct error *err)
{
	r->journal.request.source = restore_real_path(r, r->options->request.source, err);
	return r->journal.request.source != NULL;
}

bool restore_name(struct restore *r, struct error *err)
{
	return name_source(r, err) && name_asides(r, err);
}
