/* What each step does with a file of the plan. */
#include <string.h>

#include "snapshot/restore/carry_internal.h"

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
bool carry_calm(struct carry *carry, struct carried *one, enum undo_when to, struct error *err)
{
	const struct undo_content *recovered = &one->file->content[UNDO_RECOVERED];
	uint8_t head[TARGET_SECTOR];

	(void)to;
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

bool carry_erase(struct carry *carry, struct carried *one, enum undo_when to, struct error *err)
{
	(void)to;
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

bool carry_mark_it(struct carry *carry, struct carried *one, enum undo_when to, struct error *err)
{
	return !is_written(one, to) || carry_mark(carry, one, err);
}

bool carry_data(struct carry *carry, struct carried *one, enum undo_when to, struct error *err)
{
	const struct undo_content *content = carry_first(one->file, to);

	return !is_written(one, to) || target_size(one->target) < content->size ||
	       carry_write(carry, one, content, err);
}

bool carry_finish(struct carry *carry, struct carried *one, enum undo_when to, struct error *err)
{
	if (!is_written(one, to))
		return true;
	carry_tell(carry, "finish", one);
	return put_head(one, carry_first(one->file, to)->image->bytes, err);
}

/* --- (7) --- */

/* What is in it behind its first sector is the old log, unless somebody else has been there. */
bool carry_log_back(struct carry *carry, struct carried *one, enum undo_when to, struct error *err)
{
	const struct undo_content *old = &one->file->content[to];
	bool same;

	if (one->file->action != UNDO_ERASE)
		return true;
	if ((!one->target && !carry_make(carry, one, to, err)) ||
	    (target_size(one->target) != old->size && !target_resize(one->target, old->size, err)))
		return false;
	carry_tell(carry, "write", one);
	return target_is(one->target, old->image->bytes, TARGET_SECTOR, &same, err) &&
	       (same ||
	        (write_rest(one, old->image->bytes, err) && target_sync(one->target, err))) &&
	       put_head(one, old->image->bytes, err);
}

/* The recovered hive becomes the dirty one that it was: what its logs say is the same. */
bool carry_dirty_back(struct carry *carry, struct carried *one, enum undo_when to,
                      struct error *err)
{
	const struct undo_content *old = &one->file->content[to];

	if (!one->file->content[UNDO_RECOVERED].present || !one->target)
		return true;
	if (!put_head(one, old->image->bytes, err) || !carry_write(carry, one, old, err))
		return false;
	return target_size(one->target) == old->size || !target_can_change_names(one->volume) ||
	       target_resize(one->target, old->size, err);
}

bool carry_dress(struct carry *carry, struct carried *one, enum undo_when to, struct error *err)
{
	(void)carry;
	(void)to;
	if (!one->target || !one->file->attributes.known)
		return true;
	target_set_attributes(one->target, &one->file->attributes);
	return target_sync(one->target, err);
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

bool carry_compare(struct carry *carry, struct carried *one, enum undo_when to, struct error *err)
{
	const struct undo_content *content = &one->file->content[to];
	bool same = true;

	if (!one->target || !content->present)
		return true;
	carry_tell(carry, "compare", one);
	if (!(one->file->action == UNDO_ERASE && to == UNDO_NEW
	              ? is_erased(one, &same, err)
	              : target_is(one->target, content->image->bytes, 0, &same, err)))
		return false;
	return same ||
	       error_set(err, ERROR_DESTINATION, "%s: what is read back is not what was written",
	                 target_shown(one->target));
}
