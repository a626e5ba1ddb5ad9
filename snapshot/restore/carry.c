/* Opening what a plan is about, and the order of the steps. */
#include "snapshot/restore/carry_internal.h"

#include <string.h>

#include "snapshot/restore/marker.h"

#define PIECE 65536u /* bytes that are read back together */

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

/* One lock is enough where both are the same directory. */
static bool begin(const struct carry *carry, struct error *err)
{
	struct volume *const *volumes = carry->volumes;

	for (unsigned i = 0; i < UNDO_VOLUMES; i++) {
		if (!carry->undo->disks[i].path)
			continue;
		if (!check_volume(carry, i, err))
			return false;
		if (i > 0 && volumes[0] && volume_same(volumes[0], volumes[i]))
			continue;
		if (!target_begin(volumes[i], err))
			return false;
	}
	return true;
}

bool carry_open_one(struct carry *carry, struct carried *one, struct error *err)
{
	if (one->file->action == UNDO_MKDIR)
		return true;
	one->target = target_open(carry->files, one->volume, one->file->path, err);
	return one->target || err->kind == ERROR_NONE;
}

struct carry *carry_open(TALLOC_CTX *ctx, const struct undo *undo,
                         struct volume *const volumes[UNDO_VOLUMES], struct error *err)
{
	struct carry *carry = talloc_zero(ctx, struct carry);

	if (!carry || !(carry->files = talloc_zero_array(carry, struct carried, undo->count + 1))) {
		talloc_free(carry);
		error_memory(err);
		return NULL;
	}
	carry->undo = undo;
	carry->volumes = volumes;
	carry->count = undo->count;
	if (begin(carry, err)) {
		uint32_t i = 0;

		for (; i < carry->count; i++) {
			carry->files[i] = (struct carried){ &undo->files[i],
				                            volumes[undo->files[i].volume], NULL };
			if (!carry_open_one(carry, &carry->files[i], err))
				break;
		}
		if (i == carry->count)
			return carry;
	}
	talloc_free(carry);
	return NULL;
}

bool carry_attributes(TALLOC_CTX *ctx, const struct carry *carry, uint32_t number,
                      struct target_attributes *attributes, struct error *err)
{
	const struct target *target = carry->files[number].target;

	*attributes = (struct target_attributes){ 0 };
	return !target || target_attributes(ctx, target, attributes, err);
}

/* --- the pieces that the steps are made of --- */

const struct undo_content *carry_first(const struct undo_file *file, enum undo_when to)
{
	if (to == UNDO_OLD && file->content[UNDO_RECOVERED].present)
		return &file->content[UNDO_RECOVERED];
	return &file->content[to];
}

struct bytes carry_head(struct bytes bytes)
{
	if (bytes.size > TARGET_SECTOR)
		bytes.size = TARGET_SECTOR;
	return bytes;
}

static bool put_head(struct carried *one, struct bytes bytes, struct error *err)
{
	bytes = carry_head(bytes);
	if (bytes.size > target_size(one->target)) /* somebody has cut the file */
		bytes.size = target_size(one->target);
	return target_write(one->target, 0, bytes, err) && target_sync(one->target, err);
}

bool carry_mark(struct carry *carry, struct carried *one, struct error *err)
{
	carry_tell(carry, "mark", one);
	return put_head(one, (struct bytes){ carry->marker, TARGET_SECTOR }, err);
}

static bool write_zeros(struct carried *one, uint64_t from, struct error *err)
{
	static const uint8_t zeros[65536];
	uint64_t end = target_size(one->target);

	while (from < end) {
		uint64_t size = end - from < sizeof(zeros) ? end - from : sizeof(zeros);

		if (!target_write(one->target, from, (struct bytes){ zeros, size }, err))
			return false;
		from += size;
	}
	return true;
}

/*
 * All behind the first sector. Each sector is written once, the last one with the zeros behind its
 * content: a power cut, or a kill, between two writes would make a sector that is nobody's.
 */
static bool write_rest(struct carried *one, struct bytes bytes, struct error *err)
{
	uint64_t size = target_size(one->target), at = TARGET_SECTOR;
	uint64_t whole = bytes.size == size ? size : bytes.size / TARGET_SECTOR * TARGET_SECTOR;
	uint8_t last[TARGET_SECTOR] = { 0 };

	if (whole > at) {
		if (!target_write(one->target, at, (struct bytes){ bytes.data + at, whole - at },
		                  err))
			return false;
		at = whole;
	}
	if (bytes.size > at) {
		uint64_t most = size - at < sizeof(last) ? size - at : sizeof(last);

		memcpy(last, bytes.data + at, (size_t)(bytes.size - at));
		if (!target_write(one->target, at, (struct bytes){ last, most }, err))
			return false;
		at += most;
	}
	return write_zeros(one, at, err);
}

bool carry_write(struct carry *carry, struct carried *one, const struct undo_content *content,
                 struct error *err)
{
	carry_tell(carry, "write", one);
	return write_rest(one, content->image->bytes, err) && target_sync(one->target, err);
}

/* --- (1) and (2) --- */

static bool has_head(const struct carried *one, enum undo_when when, const uint8_t *head)
{
	struct bytes bytes = carry_head(one->file->content[when].image->bytes);

	return memcmp(head, bytes.data, bytes.size) == 0;
}

/* Any other first sector says that the hive is on its way, or new: then its logs are erased. */
static bool calm(struct carry *carry, struct carried *one, struct error *err)
{
	const struct undo_content *recovered = &one->file->content[UNDO_RECOVERED];
	uint8_t head[TARGET_SECTOR];

	if (!recovered->present || !one->target || target_size(one->target) < sizeof(head))
		return true;
	if (!target_read(one->target, 0, head, sizeof(head), err))
		return false;
	if (!has_head(one, UNDO_OLD, head) && !has_head(one, UNDO_RECOVERED, head))
		return true;
	carry_tell(carry, "calm", one);
	if (target_size(one->target) < recovered->size &&
	    !target_resize(one->target, recovered->size, err))
		return false;
	return carry_write(carry, one, recovered, err) &&
	       put_head(one, recovered->image->bytes, err);
}

static bool erase(struct carry *carry, struct carried *one, struct error *err)
{
	if (one->file->action != UNDO_ERASE || !one->target)
		return true;
	carry_tell(carry, "erase", one);
	return put_head(one, one->file->content[UNDO_NEW].image->bytes, err);
}

/* --- (3), (4) and (6) --- */

/* Is it a file whose bytes (3) to (6) are about, and is it there? */
static bool is_written(const struct carried *one, enum undo_when to)
{
	return one->file->action != UNDO_ERASE && one->target && one->file->content[to].present;
}

static bool mark(struct carry *carry, struct carried *one, enum undo_when to, struct error *err)
{
	return !is_written(one, to) || carry_mark(carry, one, err);
}

static bool write_data(struct carry *carry, struct carried *one, enum undo_when to,
                       struct error *err)
{
	const struct undo_content *content = carry_first(one->file, to);

	return !is_written(one, to) || target_size(one->target) < content->size ||
	       carry_write(carry, one, content, err);
}

static bool finish(struct carry *carry, struct carried *one, enum undo_when to, struct error *err)
{
	if (!is_written(one, to))
		return true;
	carry_tell(carry, "finish", one);
	return put_head(one, carry_first(one->file, to)->image->bytes, err);
}

/* --- (7) --- */

/* From the offset FROM on. */
static bool is_same(const struct carried *one, struct bytes bytes, uint64_t from, bool *same,
                    struct error *err)
{
	uint8_t *piece = talloc_size(NULL, PIECE);
	bool done = piece || error_memory(err);

	*same = target_size(one->target) == bytes.size;
	for (uint64_t at = from; done && *same && at < bytes.size; at += PIECE) {
		size_t size = bytes.size - at < PIECE ? (size_t)(bytes.size - at) : PIECE;

		done = target_read(one->target, at, piece, size, err);
		*same = done && memcmp(piece, bytes.data + at, size) == 0;
	}
	talloc_free(piece);
	return done;
}

/* What is in it behind its first sector is the old log, unless somebody else has been there. */
static bool log_back(struct carry *carry, struct carried *one, struct error *err)
{
	const struct undo_content *old = &one->file->content[UNDO_OLD];
	bool same;

	if (one->file->action != UNDO_ERASE)
		return true;
	if ((!one->target && !carry_make(carry, one, UNDO_OLD, err)) ||
	    (target_size(one->target) != old->size && !target_resize(one->target, old->size, err)))
		return false;
	carry_tell(carry, "write", one);
	return is_same(one, old->image->bytes, TARGET_SECTOR, &same, err) &&
	       (same ||
	        (write_rest(one, old->image->bytes, err) && target_sync(one->target, err))) &&
	       put_head(one, old->image->bytes, err);
}

/* The recovered hive becomes the dirty one that it was: what its logs say is the same. */
static bool dirty_back(struct carry *carry, struct carried *one, struct error *err)
{
	const struct undo_content *old = &one->file->content[UNDO_OLD];

	if (!one->file->content[UNDO_RECOVERED].present || !one->target)
		return true;
	if (!put_head(one, old->image->bytes, err) || !carry_write(carry, one, old, err))
		return false;
	return target_size(one->target) == old->size || !target_can_change_names(one->volume) ||
	       target_resize(one->target, old->size, err);
}

/* Its times and what else the old file had, durably. */
static bool attributes_back(struct carried *one, struct error *err)
{
	if (!one->target || !one->file->attributes.known)
		return true;
	target_set_attributes(one->target, &one->file->attributes);
	return target_sync(one->target, err);
}

static bool logs_back(struct carry *carry, struct error *err)
{
	for (uint32_t i = 0; i < carry->count; i++) {
		if (!log_back(carry, &carry->files[i], err))
			return false;
	}
	for (uint32_t i = 0; i < carry->count; i++) {
		struct carried *one = &carry->files[i];

		if (!dirty_back(carry, one, err) || !attributes_back(one, err))
			return false;
	}
	return true;
}

/* --- (8) --- */

/* Of an erased log nothing but its first sector matters. */
static bool is_erased(const struct carried *one, bool *same, struct error *err)
{
	struct bytes bytes = carry_head(one->file->content[UNDO_NEW].image->bytes);
	uint8_t head[TARGET_SECTOR];

	if (bytes.size > target_size(one->target))
		bytes.size = target_size(one->target);
	if (!target_read(one->target, 0, head, (size_t)bytes.size, err))
		return false;
	*same = memcmp(head, bytes.data, (size_t)bytes.size) == 0;
	return true;
}

static bool compare(struct carry *carry, struct carried *one, enum undo_when to, struct error *err)
{
	const struct undo_content *content = &one->file->content[to];
	bool same = true;

	if (!one->target || !content->present)
		return true;
	carry_tell(carry, "compare", one);
	if (!(one->file->action == UNDO_ERASE && to == UNDO_NEW
	              ? is_erased(one, &same, err)
	              : is_same(one, content->image->bytes, 0, &same, err)))
		return false;
	return same ||
	       error_set(err, ERROR_DESTINATION, "%s: what is read back is not what was written",
	                 target_shown(one->target));
}

/* --- the order --- */

typedef bool step_fn(struct carry *carry, struct carried *one, enum undo_when to,
                     struct error *err);

static bool each(struct carry *carry, step_fn *step, enum undo_when to, struct error *err)
{
	for (uint32_t i = 0; i < carry->count; i++) {
		if (!step(carry, &carry->files[i], to, err))
			return false;
	}
	return true;
}

static bool each_backwards(struct carry *carry, step_fn *step, enum undo_when to, struct error *err)
{
	for (uint32_t i = carry->count; i-- > 0;) {
		if (!step(carry, &carry->files[i], to, err))
			return false;
	}
	return true;
}

static bool calm_and_erase(struct carry *carry, struct error *err)
{
	for (uint32_t i = 0; i < carry->count; i++) {
		if (!calm(carry, &carry->files[i], err))
			return false;
	}
	for (uint32_t i = 0; i < carry->count; i++) {
		if (!erase(carry, &carry->files[i], err))
			return false;
	}
	return true;
}

const char *carry_needs_driver(const struct carry *carry, enum undo_when to)
{
	for (uint32_t i = 0; i < carry->count; i++) {
		const struct carried *one = &carry->files[i];

		if (!target_can_change_names(one->volume) && carry_changes_name(one, to))
			return one->file->path;
	}
	return NULL;
}

bool carry_refuse_driver(const struct carry *carry, const char *path, struct error *err)
{
	return error_set(err, ERROR_REFUSED,
	                 "%s: %s must be created, removed or given another size, which only a "
	                 "mounted volume can do; mount it (ntfs-3g -o "
	                 "rw,nodev,nosuid,noexec,windows_names DEVICE DIRECTORY) and name the "
	                 "directory, or write the data now with --data-first and do the rest when "
	                 "it is mounted",
	                 volume_path(carry->volumes[UNDO_SYSTEM]), path);
}

bool carry_out(struct carry *carry, enum undo_when to, const struct carry_options *options,
               bool *waits, struct error *err)
{
	const char *driver = carry_needs_driver(carry, to);

	*waits = false;
	carry->options = *options;
	marker_write(carry->undo, carry->marker);
	if (driver && !options->data_first)
		return carry_refuse_driver(carry, driver, err);
	if (!calm_and_erase(carry, err) || !each(carry, mark, to, err) ||
	    !each(carry, write_data, to, err))
		return false;
	*waits = driver != NULL;
	if (driver)
		return true;
	return carry_names(carry, to, err) && each_backwards(carry, finish, to, err) &&
	       (to == UNDO_NEW || logs_back(carry, err)) && each(carry, compare, to, err);
}
