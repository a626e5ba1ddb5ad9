/*
 * (5): what only a file-system driver can do. Forward in the order of the plan: a quorum disk's
 * quolog.log goes before its chk, for without it Windows looks at neither. Back in reverse.
 */
#include "snapshot/restore/carry_internal.h"

#include <sys/stat.h>
#include <sys/statvfs.h>

static bool directory_is_there(const struct carried *one, bool *there, struct error *err)
{
	struct volume_entry entry;
	TALLOC_CTX *tmp = talloc_new(NULL);
	bool done = tmp && volume_find(tmp, one->volume, one->file->path, &entry, err);

	if (done)
		*there = entry.kind != VOLUME_ABSENT;
	talloc_free(tmp);
	return tmp ? done : error_memory(err);
}

bool carry_changes_name(const struct carried *one, enum undo_when to)
{
	const struct undo_content *content = &one->file->content[to];
	struct error ignored;
	bool there = false;

	switch (one->file->action) {
	case UNDO_ERASE: /* forward a log that is missing is as good as an erased one */
		return to == UNDO_OLD &&
		       (!one->target || target_size(one->target) != content->size);
	case UNDO_MKDIR:
		return directory_is_there(one, &there, &ignored) && there != (to == UNDO_NEW);
	default:
		if (!one->target || !content->present)
			return one->target || content->present;
		return target_size(one->target) != content->size;
	}
}

bool carry_make(struct carry *carry, struct carried *one, enum undo_when to, struct error *err)
{
	carry_tell(carry, "create", one);
	one->target = target_create(carry->files, one->volume, one->file->path, err);
	if (!one->target)
		return false;
	if (to == UNDO_OLD)
		target_set_attributes(one->target, &one->file->attributes);
	return true;
}

/* Longer: the size is durable before the data. Shorter: it is cut when the data is there. */
static bool size_file(struct carry *carry, struct carried *one, enum undo_when to,
                      struct error *err)
{
	const struct undo_content *first = carry_first(one->file, to);

	if (target_size(one->target) > first->size)
		return target_resize(one->target, first->size, err);
	if (target_size(one->target) == first->size)
		return true;
	/* A file that was too short for a marker has one before it has its size. */
	if (target_size(one->target) < TARGET_SECTOR &&
	    !target_resize(one->target, carry_head(first->image->bytes).size, err))
		return false;
	return carry_mark(carry, one, err) && target_resize(one->target, first->size, err) &&
	       carry_write(carry, one, first, err);
}

static bool take_away(struct carry *carry, struct carried *one, struct error *err)
{
	carry_tell(carry, "remove", one);
	TALLOC_FREE(one->target);
	return target_remove(one->volume, one->file->path, err);
}

static bool change(struct carry *carry, struct carried *one, enum undo_when to, struct error *err)
{
	if (!carry_changes_name(one, to) && !one->file->content[UNDO_RECOVERED].present)
		return true;
	if (one->file->action == UNDO_MKDIR)
		return to == UNDO_NEW ? target_make_directory(one->volume, one->file->path, err)
		                      : target_remove_directory(one->volume, one->file->path, err);
	if (!one->file->content[to].present)
		return !one->target || take_away(carry, one, err);
	return (one->target || carry_make(carry, one, to, err)) && size_file(carry, one, to, err);
}

bool carry_names(struct carry *carry, enum undo_when to, struct error *err)
{
	for (uint32_t i = 0; i < carry->count; i++) {
		uint32_t at = to == UNDO_NEW ? i : carry->count - 1 - i;

		if (carry->files[at].file->action != UNDO_ERASE &&
		    !change(carry, &carry->files[at], to, err))
			return false;
	}
	return true;
}

/* Blocks that a volume has to give, counted as if nothing were there yet. */
static uint64_t needed(const struct carry *carry, enum undo_volume which, enum undo_when to,
                       uint64_t block)
{
	uint64_t sum = 0;

	for (uint32_t i = 0; i < carry->count; i++) {
		const struct carried *one = &carry->files[i];
		uint64_t have = one->target ? target_size(one->target) : 0;
		uint64_t want = one->file->content[to].size;

		if (one->file->volume == which && one->file->content[to].present && want > have)
			sum += (want - have + 2 * block - 1) / block * block;
	}
	return sum;
}

bool carry_check_room(const struct carry *carry, enum undo_when to, struct error *err)
{
	for (unsigned i = 0; i < UNDO_VOLUMES; i++) {
		uint64_t wanted, available;
		struct statvfs fs;

		if (!carry->undo->disks[i].path || !target_can_change_names(carry->volumes[i]))
			continue;
		if (statvfs(volume_path(carry->volumes[i]), &fs) != 0)
			return error_errno(err, ERROR_DESTINATION, "%s",
			                   volume_path(carry->volumes[i]));
		wanted = needed(carry, i, to, fs.f_frsize ? fs.f_frsize : 4096);
		available = (uint64_t)fs.f_bavail * fs.f_frsize;
		if (wanted > available)
			return error_set(err, ERROR_DESTINATION,
			                 "%s: the new files take %llu bytes more, and %llu are "
			                 "free: ERROR_DISK_FULL (112)",
			                 volume_path(carry->volumes[i]), (unsigned long long)wanted,
			                 (unsigned long long)available);
	}
	return true;
}
