/* Opening what a plan is about, and the order of the steps. */
#include "snapshot/restore/carry_internal.h"

#include <string.h>

#include "snapshot/restore/marker.h"

void carry_tell(const struct carry *carry, const char *step, const struct carried *one)
{
	if (carry->options.progress)
		carry->options.progress(carry->options.data, step, one->file->path);
}

/* --- opening --- */

static bool check_volume(const struct carry *carry, enum undo_volume which, struct error *err)
{
	const struct undo_disk *disk = &carry->undo->disks[which];
	struct volume *volume = carry->volumes[which];
	uint64_t serial;

	if (!volume)
		return error_set(err, ERROR_USAGE,
		                 "%s: the plan is about a quorum disk, too, which was at %s: name "
		                 "it with --quorum",
		                 carry->undo->path ? carry->undo->path : "restore", disk->path);
	if (!disk->serial_known || !volume_serial(volume, &serial) || serial == disk->serial)
		return true;
	return error_set(err, ERROR_REFUSED,
	                 "%s: is another volume: its serial number is %016llx, and the plan is "
	                 "about that with %016llx",
	                 volume_path(volume), (unsigned long long)serial,
	                 (unsigned long long)disk->serial);
}

/* Where both are the same directory or image, it is held once. */
static bool begin(struct carry *carry, struct error *err)
{
	struct volume **volumes = carry->volumes;

	for (unsigned i = 0; i < UNDO_VOLUMES; i++) {
		if (!carry->undo->disks[i].path)
			continue;
		if (!check_volume(carry, i, err))
			return false;
		if (i > 0 && volumes[0] && volume_same(volumes[0], volumes[i]))
			volumes[i] = volumes[0];
		else if (!target_begin(volumes[i], carry->reasons, err))
			return false;
	}
	return true;
}

static bool open_one(struct carry *carry, struct carried *one, struct error *err)
{
	struct problems *reasons = carry->reasons;

	if (one->file->action == UNDO_MKDIR)
		return true;
	/* Of one that is only removed no sector is written. */
	if (one->file->action == UNDO_REMOVE)
		reasons = problems_new(carry);
	if (!reasons)
		return error_memory(err);
	one->target = target_open(carry->files, one->volume, one->file->path, reasons, err);
	return one->target || err->kind == ERROR_NONE;
}

static bool open_all(struct carry *carry, struct error *err)
{
	for (uint32_t i = 0; i < carry->count; i++) {
		struct carried *one = &carry->files[i];

		one->file = &carry->undo->files[i];
		one->volume = carry->volumes[one->file->volume];
		if (!open_one(carry, one, err))
			return false;
	}
	return true;
}

struct carry *carry_open(TALLOC_CTX *ctx, const struct undo *undo,
                         struct volume *const volumes[UNDO_VOLUMES], struct problems *reasons,
                         struct error *err)
{
	struct carry *carry = talloc_zero(ctx, struct carry);

	if (carry)
		carry->files = talloc_zero_array(carry, struct carried, undo->count + 1);
	if (!carry || !carry->files) {
		talloc_free(carry);
		error_memory(err);
		return NULL;
	}
	carry->undo = undo;
	carry->reasons = reasons;
	carry->count = undo->count;
	for (unsigned i = 0; i < UNDO_VOLUMES; i++)
		carry->volumes[i] = volumes[i];
	if (begin(carry, err) && open_all(carry, err))
		return carry;
	talloc_free(carry);
	return NULL;
}

bool carry_sync(struct carry *carry, struct error *err)
{
	for (uint32_t i = 0; i < carry->count; i++) {
		if (carry->files[i].target && !target_sync(carry->files[i].target, err))
			return false;
	}
	return true;
}

bool carry_attributes(TALLOC_CTX *ctx, const struct carry *carry, uint32_t number,
                      struct target_attributes *attributes, struct error *err)
{
	const struct target *target = carry->files[number].target;

	*attributes = (struct target_attributes){ 0 };
	return !target || target_attributes(ctx, target, attributes, err);
}

/* --- the order --- */

static bool each(struct carry *carry, carry_step *step, enum undo_when to, struct error *err)
{
	for (uint32_t i = 0; i < carry->count; i++) {
		if (!step(carry, &carry->files[i], to, err))
			return false;
	}
	return true;
}

static bool each_backwards(struct carry *carry, carry_step *step, enum undo_when to,
                           struct error *err)
{
	for (uint32_t i = carry->count; i-- > 0;) {
		if (!step(carry, &carry->files[i], to, err))
			return false;
	}
	return true;
}

/* (1) to (4): data, and nothing else. */
static bool write_all_data(struct carry *carry, enum undo_when to, struct error *err)
{
	return each(carry, carry_calm, to, err) && each(carry, carry_erase, to, err) &&
	       each(carry, carry_mark_it, to, err) && each(carry, carry_data, to, err);
}

/* (7) and (8) */
static bool end(struct carry *carry, enum undo_when to, struct error *err)
{
	return (to == UNDO_NEW ||
	        (each(carry, carry_log_back, to, err) && each(carry, carry_dirty_back, to, err) &&
	         each(carry, carry_dress, to, err))) &&
	       each(carry, carry_compare, to, err);
}

const struct undo_file *carry_needs_driver(const struct carry *carry, enum undo_when to)
{
	for (uint32_t i = 0; i < carry->count; i++) {
		const struct carried *one = &carry->files[i];

		if (!target_can_change_names(one->volume) && carry_changes_name(one, to))
			return one->file;
	}
	return NULL;
}

bool carry_refuse_driver(const struct carry *carry, const struct undo_file *file, struct error *err)
{
	return error_set(
		err, ERROR_REFUSED,
		"%s: %s must be created, removed or given another size, which only a "
		"mounted volume can do; mount it (ntfs-3g -o "
		"rw,noatime,nodev,nosuid,noexec,windows_names DEVICE DIRECTORY) and name the "
		"directory, or write the data now with --data-first and do the rest when "
		"it is mounted",
		volume_path(carry->volumes[file->volume]), file->path);
}

bool carry_out(struct carry *carry, enum undo_when to, const struct carry_options *options,
               bool *waits, struct error *err)
{
	const struct undo_file *driver = carry_needs_driver(carry, to);

	*waits = false;
	carry->options = *options;
	marker_write(carry->undo, carry->marker);
	if (driver && !options->data_first)
		return carry_refuse_driver(carry, driver, err);
	if (!write_all_data(carry, to, err))
		return false;
	*waits = driver != NULL;
	return driver || (carry_names(carry, to, err) &&
	                  each_backwards(carry, carry_finish, to, err) && end(carry, to, err));
}
