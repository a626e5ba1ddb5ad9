/*
 * (1) to (3): the set-aside directories, the journal, and all that is new under names of its own.
 * Until the first step of (4) nothing that was there has changed, so a failure takes everything
 * away again.
 */
#include <errno.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "hive/publish_step.h"
#include "snapshot/replacing.h"

#define SLACK ((uint64_t)1 << 20) /* for directories, the journal, the file system's own needs */

static const char changed[] = "has changed since it was looked at";

static bool check_step(const struct replacement *r, const struct journal_step *step,
                       const struct look *look, struct error *err)
{
	if (step->old.present ? !look->place.old : look->place.present)
		return replacement_changed(r, step, changed, err);
	return true;
}

static bool check_contents(const struct journal_step *step, struct bytes content, struct error *err)
{
	uint8_t digest[DIGEST_SIZE];

	if (step->op != JOURNAL_PUT)
		return true;
	digest_bytes(content, digest);
	if (content.size == step->new.size && memcmp(digest, step->new.digest, DIGEST_SIZE) == 0)
		return true;
	return error_set(err, ERROR_INTERNAL, "%s: is not what the journal says it will be",
	                 step->path);
}

/* What restores that never began have left is gone by now: another one's is in the way. */
static bool check_aside(const struct replacement *r, struct error *err)
{
	for (unsigned i = 0; i < JOURNAL_DISKS; i++) {
		const char *path = r->journal->aside[i];
		enum volume_kind kind;

		if (!path)
			continue;
		if (!replacement_kind(r, i, path, &kind, err))
			return false;
		if (kind != VOLUME_ABSENT)
			return error_set(err, ERROR_DESTINATION, "%s/%s: is there already",
			                 volume_path(r->disks[i]), path);
	}
	return true;
}

/* --- room --- */

static uint64_t round_up(uint64_t size, uint64_t block)
{
	return block ? (size + block - 1) / block * block : size;
}

static uint64_t bytes_needed(const struct replacement *r, enum journal_disk disk, uint64_t block)
{
	uint64_t sum = 0;

	for (uint32_t i = 0; i < r->journal->step_count; i++) {
		const struct journal_step *step = &r->journal->steps[i];

		if (step->disk == disk && step->op == JOURNAL_PUT)
			sum += round_up(step->new.size, block);
		if (step->disk == disk && step->op == JOURNAL_PUT && replacement_weak(r, disk))
			sum += round_up(step->old.size, block); /* a copy of it */
	}
	return sum;
}

/* Two mounted directories of one file system share its room. */
static bool check_room(const struct replacement *r, struct error *err)
{
	struct stat at[JOURNAL_DISKS];

	for (unsigned i = 0; i < JOURNAL_DISKS; i++) {
		uint64_t free_bytes, needed = SLACK;
		struct statvfs fs;

		if (r->parents[i] < 0)
			continue;
		if (fstatvfs(r->parents[i], &fs) != 0 || fstat(r->parents[i], &at[i]) != 0)
			return error_errno(err, ERROR_DESTINATION, "%s: cannot look at it",
			                   volume_path(r->disks[i]));
		free_bytes = (uint64_t)fs.f_bavail * fs.f_frsize;
		for (unsigned j = 0; j <= i; j++) {
			if (r->parents[j] >= 0 && at[j].st_dev == at[i].st_dev)
				needed += bytes_needed(r, j, fs.f_frsize);
		}
		if (free_bytes < needed)
			return error_set(
				err, ERROR_DESTINATION,
				"%s: the new files%s take %llu bytes, and %llu are free",
				volume_path(r->disks[i]),
				replacement_weak(r, i) ? " and copies of the old ones" : "",
				(unsigned long long)needed, (unsigned long long)free_bytes);
	}
	return true;
}

bool replacement_check(const struct replacement *replacement, struct error *err)
{
	return replacement_writable(replacement, err) && check_room(replacement, err);
}

static bool check_all(TALLOC_CTX *tmp, const struct replacement *r, const struct bytes *contents,
                      struct error *err)
{
	const struct look *looks;

	if (!replacement_writable(r, err))
		return false;
	replacement_leftovers(r);
	if (!check_aside(r, err))
		return false;
	looks = replacement_look_all(tmp, r, err);
	if (!looks)
		return false;
	for (uint32_t i = 0; i < r->journal->step_count; i++) {
		const struct journal_step *step = &r->journal->steps[i];

		if (!check_step(r, step, &looks[i], err) || !check_contents(step, contents[i], err))
			return false;
	}
	return check_room(r, err);
}

/* --- what is made --- */

static bool make_asides(TALLOC_CTX *tmp, const struct replacement *r, struct error *err)
{
	for (unsigned i = 0; i < JOURNAL_DISKS; i++) {
		struct site *inside;
		char *path;

		if (!r->journal->aside[i] || !replacement_needs_aside(r, i))
			continue;
		path = replacement_inside(tmp, r, i, JOURNAL_NAME);
		if (!path)
			return error_memory(err);
		if (!replacement_mkdir(r, i, r->journal->aside[i], err))
			return false;
		inside = replacement_site(tmp, r, i, path, err);
		if (!inside || !publish_step_room(inside->fd, inside->shown, err))
			return false;
	}
	return true;
}

/* Created and not renamed: find takes one that is not whole for none, as nothing is done yet. */
static bool write_journal(TALLOC_CTX *tmp, const struct replacement *r, struct error *err)
{
	struct bytes text = journal_write(tmp, r->journal, err);
	char *path = replacement_inside(tmp, r, JOURNAL_SYSTEM, JOURNAL_NAME);
	struct site *site;

	if (!text.data)
		return false;
	if (!path)
		return error_memory(err);
	site = replacement_site(tmp, r, JOURNAL_SYSTEM, path, err);
	return site && publish_step_file(site->fd, site->name, text, -1, site->shown, err);
}

static bool prepare_put(TALLOC_CTX *tmp, const struct replacement *r,
                        const struct journal_step *step, struct bytes content, struct error *err)
{
	char *path = replacement_slot(tmp, r, step, SLOT_WAITING);
	struct site *new = path ? replacement_site(tmp, r, step->disk, path, err) : NULL;
	struct site *old;
	int like = -1;
	bool done;

	if (!path)
		return error_memory(err);
	if (!new)
		return false;
	replacement_tell(r, "write", step->path);
	if (step->old.present) {
		old = replacement_site(tmp, r, step->disk, step->path, err);
		if (!old)
			return false;
		like = replacement_open(old, err);
		if (like < 0)
			return false;
	}
	done = publish_step_file(new->fd, new->name, content, like, new->shown, err);
	if (like >= 0)
		close(like);
	return done;
}

/* Where it is not moved into the set-aside directory, a copy of it goes there. */
static bool keep_old(const struct replacement *r, const struct journal_step *step,
                     struct error *err)
{
	struct look look = { .place = { .present = true, .old = true } };

	return !step->old.present || !replacement_weak(r, step->disk) ||
	       replacement_keep(r, step, &look, false, err);
}

static bool prepare_step(const struct replacement *r, const struct journal_step *step,
                         struct bytes content, struct error *err)
{
	TALLOC_CTX *tmp = talloc_new(NULL);
	bool done = true;

	if (!tmp)
		return error_memory(err);
	if (step->op == JOURNAL_MKDIR) {
		replacement_tell(r, "mkdir", step->path);
		done = replacement_mkdir(r, step->disk, step->path, err);
	} else if (step->op == JOURNAL_PUT) {
		done = prepare_put(tmp, r, step, content, err) && keep_old(r, step, err);
	}
	talloc_free(tmp);
	return done;
}

static bool make_all(TALLOC_CTX *tmp, const struct replacement *r, const struct bytes *contents,
                     struct error *err)
{
	if (!make_asides(tmp, r, err) || !write_journal(tmp, r, err))
		return false;
	for (uint32_t i = 0; i < r->journal->step_count; i++) {
		if (!prepare_step(r, &r->journal->steps[i], contents[i], err))
			return false;
	}
	return true;
}

/* Takes everything away again, and says what came of that. */
static bool undo(const struct replacement *r, struct error *err)
{
	struct error why;

	replacement_failed(err);
	if (replacement_clean(r, &why))
		return error_wrap(err, "nothing was changed");
	return error_wrap(err, "no file was changed, but what was made beside them could not be "
	                       "removed, which --rollback will do");
}

bool replacement_prepare(struct replacement *replacement, const struct bytes *contents,
                         replacement_progress *progress, void *data, struct error *err)
{
	TALLOC_CTX *tmp = talloc_new(NULL);
	bool done;

	if (!tmp)
		return error_memory(err);
	replacement->progress = progress;
	replacement->data = data;
	done = check_all(tmp, replacement, contents, err);
	if (!done)
		error_wrap(err, "nothing was changed");
	else
		done = make_all(tmp, replacement, contents, err) || undo(replacement, err);
	talloc_free(tmp);
	return done;
}
