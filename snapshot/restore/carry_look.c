/*
 * Is every file one that a run has left? Sector by sector: a disk that lost its power has written
 * some sectors and not others, and each is one that the file had, or was to have, at its place.
 */
#include "snapshot/restore/carry_internal.h"

#include <string.h>

#include "snapshot/restore/marker.h"

#define PIECE 65536u /* bytes that are looked at together */

/* What may still be true of a file. */
struct look {
	bool old, new; /* it is this one, as a whole */
	bool ours;     /* each sector is one of ours */
};

/* Is the sector that of CONTENT at this place, with zeros behind its end? */
static bool is_sector(const struct undo_content *content, uint64_t offset, const uint8_t *sector,
                      size_t size)
{
	static const uint8_t zeros[TARGET_SECTOR];
	struct bytes bytes;
	size_t there;

	if (!content->present)
		return false;
	bytes = content->image->bytes;
	there = offset >= bytes.size         ? 0
	        : bytes.size - offset < size ? (size_t)(bytes.size - offset)
	                                     : size;
	return (there == 0 || memcmp(sector, bytes.data + offset, there) == 0) &&
	       memcmp(sector + there, zeros, size - there) == 0;
}

/* Zeros are what a file that gets longer, or is created, has before its data. */
static bool is_blank(const struct undo_file *file, uint64_t offset, const uint8_t *sector,
                     size_t size)
{
	static const uint8_t zeros[TARGET_SECTOR];
	const struct undo_content *old = &file->content[UNDO_OLD], *new = &file->content[UNDO_NEW];
	bool grows = !old->present || !new->present || offset + size > old->size;

	return grows && memcmp(sector, zeros, size) == 0;
}

/* One in a file that was, or is to be, shorter than a marker's first line has zeros behind that. */
static bool is_marker(const struct carry *carry, const struct undo_file *file,
                      const uint8_t *sector, size_t size)
{
	static const uint8_t zeros[TARGET_SECTOR];

	if (size == TARGET_SECTOR && marker_of(sector, carry->undo->id))
		return true; /* and that of another undo directory is none of ours */
	if (size < TARGET_SECTOR && marker_is(sector, size))
		return true;
	for (unsigned when = 0; when < UNDO_WHENS; when++) {
		uint64_t had = file->content[when].size; /* 0 if there is none */

		if (had < size && marker_is(sector, (size_t)had) &&
		    memcmp(sector + had, zeros, size - (size_t)had) == 0)
			return true;
	}
	return false;
}

static void look_at(const struct carry *carry, const struct undo_file *file, uint64_t offset,
                    const uint8_t *sector, size_t size, struct look *look)
{
	bool old = is_sector(&file->content[UNDO_OLD], offset, sector, size);
	bool new = is_sector(&file->content[UNDO_NEW], offset, sector, size);

	look->old = look->old && old;
	look->new = look->new &&new;
	if (old || new || is_sector(&file->content[UNDO_RECOVERED], offset, sector, size) ||
	    is_blank(file, offset, sector, size))
		return;
	if (offset == 0 && is_marker(carry, file, sector, size))
		return;
	look->ours = false;
}

/* A size between that of the old file and the largest one is what a run can leave. */
static bool size_is_ours(const struct undo_file *file, uint64_t size)
{
	uint64_t least = UINT64_MAX, most = 0;

	for (unsigned when = 0; when < UNDO_WHENS; when++) {
		const struct undo_content *content = &file->content[when];
		uint64_t has = content->present ? content->size : 0;

		if (when == UNDO_RECOVERED && !content->present)
			continue;
		least = has < least ? has : least;
		most = has > most ? has : most;
	}
	return size >= least && size <= most;
}

static bool look_through(const struct carry *carry, const struct carried *one, struct look *look,
                         struct error *err)
{
	uint64_t size = target_size(one->target);
	uint8_t *piece = talloc_size(NULL, PIECE);
	bool done = piece || error_memory(err);

	for (uint64_t at = 0; done && look->ours && at < size; at += PIECE) {
		size_t there = size - at < PIECE ? (size_t)(size - at) : PIECE;

		done = target_read(one->target, at, piece, there, err);
		for (size_t i = 0; done && i < there; i += TARGET_SECTOR)
			look_at(carry, one->file, at + i, piece + i,
			        there - i < TARGET_SECTOR ? there - i : TARGET_SECTOR, look);
	}
	talloc_free(piece);
	return done;
}

static bool look_at_one(const struct carry *carry, const struct carried *one, struct look *look,
                        struct error *err)
{
	const struct undo_content *old = &one->file->content[UNDO_OLD],
				  *new = &one->file->content[UNDO_NEW];
	uint64_t size;

	*look = (struct look){ !old->present, !new->present, true };
	if (one->file->action == UNDO_MKDIR) {
		look->new = carry_changes_name(one, UNDO_OLD);
		look->old = !look->new;
		return true;
	}
	if (!one->target) {
		/* It is on its way only if it is not there at one of both ends. */
		look->ours = look->old || look->new;
		return true;
	}
	size = target_size(one->target);
	*look = (struct look){ old->present && size == old->size, new->present &&size == new->size,
		               size_is_ours(one->file, size) };
	return look_through(carry, one, look, err);
}

bool carry_look(struct carry *carry, bool force, enum carry_state *state, struct error *err)
{
	bool all_old = true, all_new = true;

	for (uint32_t i = 0; i < carry->count; i++) {
		const struct carried *one = &carry->files[i];
		struct look look;

		if (!look_at_one(carry, one, &look, err))
			return false;
		if (!look.ours && !force)
			return error_set(err, ERROR_REFUSED,
			                 "%s/%s: changed-since: somebody else has changed it since "
			                 "%s; if that was Windows, what it has now counts more; "
			                 "--force changed-since writes over it all the same",
			                 volume_path(one->volume), one->file->path,
			                 carry->undo->begun);
		all_old = all_old && look.old && look.ours;
		all_new = all_new && look.new &&look.ours;
	}
	*state = all_new ? CARRY_NEW : all_old ? CARRY_OLD : CARRY_BETWEEN;
	return true;
}
