/* What a restore leaves behind because nobody but chkdsk can remove it: see replacement_ghost.c. */
#include <errno.h>
#include <strings.h>

#include "hive/publish_step.h"
#include "snapshot/journal_check.h"
#include "snapshot/replacing.h"

static void warn(const struct replacement *r, enum journal_disk disk, const char *directory,
                 const char *name, struct problems *warnings)
{
	problems_add(warnings, PROBLEM_HEALS, PROBLEM_NOWHERE, "chkdsk-needed",
	             "%s/%s%s%s: is left: a power cut has made it a name that only chkdsk /f can "
	             "remove; it is in nobody's way",
	             volume_path(r->disks[disk]), directory, name ? "/" : "", name ? name : "");
}

static bool ends(const char *name, const char *end)
{
	size_t size = strlen(name), length = strlen(end);

	return size >= length && strcmp(name + size - length, end) == 0;
}

/* The old file of a step, which is to be there when all is done. */
static bool is_kept(const struct replacement *r, enum journal_disk disk, const char *name)
{
	for (uint32_t i = 0; i < r->journal->step_count; i++) {
		const struct journal_step *step = &r->journal->steps[i];

		if (step->disk == disk && step->aside && strcmp(step->aside, name) == 0)
			return true;
	}
	return false;
}

/* Is it a name of ours that should be gone? The one that a list has got is no such name. */
static bool is_left(const struct replacement *r, enum journal_disk disk, const char *name,
                    bool listed, bool back)
{
	if (strcmp(name, JOURNAL_LIST_NAME) == 0)
		return back || listed;
	if (strcmp(name, JOURNAL_LIST_OTHER) == 0)
		return back;
	if (strcmp(name, JOURNAL_NAME) == 0 || publish_step_is_room(name) ||
	    ends(name, REPLACEMENT_NEW) || ends(name, REPLACEMENT_OTHER))
		return true;
	return back && is_kept(r, disk, name);
}

static void look_inside(TALLOC_CTX *tmp, const struct replacement *r, enum journal_disk disk,
                        bool back, struct problems *warnings)
{
	const char *aside = r->journal->aside[disk];
	struct error ignored;
	bool listed = false;
	char **names;
	uint32_t count;

	if (!volume_list(tmp, r->disks[disk], aside, &names, &count, &ignored))
		return; /* it is gone, or told below */
	for (uint32_t i = 0; i < count; i++)
		listed |= strcmp(names[i], JOURNAL_LIST_OTHER) == 0;
	for (uint32_t i = 0; i < count; i++) {
		if (is_left(r, disk, names[i], listed, back))
			warn(r, disk, aside, names[i], warnings);
	}
}

/* Is it one that cannot be listed, or one of a restore that never began, and could not be removed?
 */
static bool is_remains(TALLOC_CTX *tmp, const struct replacement *r, enum journal_disk disk,
                       const char *path)
{
	struct error why;
	char **names;
	uint32_t count;

	if (!volume_list(tmp, r->disks[disk], path, &names, &count, &why))
		return why.sys == EIO;
	return strcmp(path, r->journal->aside[disk]) != 0 &&
	       replacement_never_began(tmp, r->disks[disk], path, names, count);
}

static void look_beside(TALLOC_CTX *tmp, const struct replacement *r, enum journal_disk disk,
                        struct problems *warnings)
{
	for (char **paths = replacement_asides(tmp, r, disk); paths && *paths; paths++) {
		if (is_remains(tmp, r, disk, *paths))
			warn(r, disk, *paths, NULL, warnings);
	}
}

void replacement_remains(const struct replacement *replacement, bool back,
                         struct problems *warnings)
{
	TALLOC_CTX *tmp = talloc_new(NULL);

	for (unsigned i = 0; tmp && i < JOURNAL_DISKS; i++) {
		if (!replacement->journal->aside[i])
			continue;
		look_inside(tmp, replacement, i, back, warnings);
		look_beside(tmp, replacement, i, warnings);
	}
	talloc_free(tmp);
}
