/*
 * Replacing the bytes of a file where it is, for NTFS under Linux.
 *
 * There two files cannot be exchanged, and a rename that a power cut interrupts can leave, at the
 * place of a hive, a name that nobody but chkdsk can mend: see replacement_ghost.c. So no name at a
 * place is touched. The old and the new file are both whole and durable in the set-aside directory,
 * and then the file at the place gets the bytes of one of them (publish_step_fill()). An
 * interrupted one is torn: each sector of it is that of the old file, of the new one, or zeros.
 * That is told by looking, and so is that nothing in it is not whole elsewhere, so that it may be
 * written over.
 */
#include <unistd.h>

#include "hive/image.h"
#include "hive/publish_place.h"
#include "hive/publish_step.h"
#include "snapshot/replacing.h"

#define SECTOR 512u /* what a disk writes whole, or not at all */

/*
 * What a file is shortened to before it is made longer is a multiple of this, so that its last
 * cluster goes: what is in one behind the end of a file shows when a power cut comes as that grows.
 */
#define CLUSTER_MAX 65536u

bool replacement_weak(const struct replacement *r, enum journal_disk disk)
{
	return r->parents[disk] >= 0 && publish_rename_is_weak(r->parents[disk]);
}

/*
 * While a hive is torn its base block is zeros, and Windows would take that of the log with the
 * latest entries, and apply it (docs/regf.md, Logs): no log may lie beside it.
 */
bool replacement_is_early(const struct replacement *r, const struct journal_step *step)
{
	return step->op == JOURNAL_ASIDE && replacement_weak(r, step->disk);
}

bool replacement_in_place(const struct replacement *r, const struct journal_step *step)
{
	struct error ignored;
	struct site *site;
	bool good;

	if (!replacement_weak(r, step->disk))
		return false;
	site = replacement_site(NULL, r, step->disk, step->path, &ignored);
	good = site && publish_step_in_place(site->fd, site->name);
	talloc_free(site);
	return good;
}

/* --- what is torn --- */

/* SIZE bytes at AT of a file behind whose end there are zeros. */
static bool same_piece(const uint8_t *piece, size_t size, struct bytes file, uint64_t at)
{
	size_t inside = at >= file.size         ? 0
	                : size > file.size - at ? (size_t)(file.size - at)
	                                        : size;

	if (inside && memcmp(piece, file.data + at, inside) != 0)
		return false;
	while (inside < size && piece[inside] == 0)
		inside++;
	return inside == size;
}

static bool is_torn(struct bytes place, struct bytes old, struct bytes new)
{
	const struct bytes zeros = { 0 };

	if (place.size > old.size && place.size > new.size)
		return false;
	for (uint64_t at = 0; at < place.size; at += SECTOR) {
		const uint8_t *piece = place.data + at;
		size_t size = place.size - at < SECTOR ? (size_t)(place.size - at) : SECTOR;

		if (!same_piece(piece, size, old, at) && !same_piece(piece, size, new, at) &&
		    !same_piece(piece, size, zeros, 0))
			return false;
	}
	return true;
}

static struct image *read_slot(TALLOC_CTX *tmp, const struct replacement *r,
                               const struct journal_step *step, enum slot slot, struct error *err)
{
	char *path = replacement_slot(tmp, r, step, slot);

	if (path)
		return volume_file(tmp, r->disks[step->disk], path, err);
	error_memory(err);
	return NULL;
}

/* The bytes of the old, or the new, file; none if the step has none. *WHOLE: was that found? */
static bool read_kept(TALLOC_CTX *tmp, const struct replacement *r, const struct journal_step *step,
                      const struct look *look, bool new, struct bytes *bytes, bool *whole,
                      struct error *err)
{
	const struct journal_file *file = new ? &step->new : &step->old;
	struct image *image = NULL;

	*bytes = (struct bytes){ 0 };
	*whole = !file->present;
	for (unsigned i = 0; !*whole && i < SLOTS; i++) {
		if (!replacement_holds(&look->slots[i], new))
			continue;
		image = read_slot(tmp, r, step, i, err);
		if (!image)
			return false;
		*bytes = image->bytes;
		*whole = true;
	}
	return true;
}

static bool tear(TALLOC_CTX *tmp, const struct replacement *r, const struct journal_step *step,
                 struct look *look, struct error *err)
{
	struct bytes old, new;
	struct image *place;
	struct volume_entry entry;
	bool whole_old, whole_new;

	if (!volume_find(tmp, r->disks[step->disk], step->path, &entry, err))
		return false;
	if (entry.kind != VOLUME_FILE ||
	    (entry.size > step->old.size && entry.size > step->new.size))
		return true;
	if (!read_kept(tmp, r, step, look, false, &old, &whole_old, err) ||
	    !read_kept(tmp, r, step, look, true, &new, &whole_new, err))
		return false;
	if (!whole_old || !whole_new)
		return true;
	place = volume_file(tmp, r->disks[step->disk], step->path, err);
	if (!place)
		return false;
	look->place.torn = is_torn(place->bytes, old, new);
	return !look->place.torn || replacement_identify(r, step, step->path, &look->place, err);
}

bool replacement_tear(const struct replacement *r, const struct journal_step *step,
                      struct look *look, struct error *err)
{
	const struct seen *place = &look->place;
	TALLOC_CTX *tmp;
	bool done;

	if (!place->present || place->directory || place->old || place->new ||
	    !replacement_weak(r, step->disk))
		return true;
	tmp = talloc_new(NULL);
	done = tmp ? tear(tmp, r, step, look, err) : error_memory(err);
	talloc_free(tmp);
	return done;
}

/* --- doing it --- */

/* A slot for a copy: one that is free, or in which a copy of ours was not finished. */
static bool free_slot(const struct journal_step *step, const struct look *look, bool new,
                      enum slot *slot)
{
	const enum slot order[] = { new ? SLOT_WAITING : SLOT_ASIDE, SLOT_SPARE,
		                    new ? SLOT_SPARE : SLOT_WAITING };

	for (unsigned i = 0; i < sizeof(order) / sizeof(*order); i++) {
		const struct seen *seen = &look->slots[order[i]];
		bool ours = order[i] != SLOT_ASIDE && !seen->lost && !seen->directory &&
		            !seen->old && !seen->new;

		*slot = order[i];
		if (replacement_has_slot(step, *slot) && (!seen->present || ours))
			return true;
	}
	return false;
}

/* As the file at the place is, with its owner, mode and attributes. */
static bool copy_to(TALLOC_CTX *tmp, const struct replacement *r, const struct journal_step *step,
                    const char *path, struct seen *seen, bool new, struct error *err)
{
	struct site *from = replacement_site(tmp, r, step->disk, step->path, err);
	struct site *to = from ? replacement_site(tmp, r, step->disk, path, err) : NULL;
	struct image *image = to ? volume_file(tmp, r->disks[step->disk], step->path, err) : NULL;
	bool done;
	int like;

	if (!image)
		return false;
	like = replacement_open(from, err);
	if (like < 0)
		return false;
	done = publish_step_file(to->fd, to->name, image->bytes, like, to->shown, err);
	close(like);
	if (!done || !replacement_look(r, step, path, true, seen, err))
		return false;
	return replacement_holds(seen, new) ||
	       replacement_changed(r, step, "has changed while it was copied", err);
}

bool replacement_keep(const struct replacement *r, const struct journal_step *step,
                      struct look *look, bool new, struct error *err)
{
	TALLOC_CTX *tmp;
	enum slot slot;
	char *path;
	bool done;

	if (replacement_kept(look, new))
		return true;
	if (!free_slot(step, look, new, &slot))
		return replacement_inconsistent(r, step, err);
	tmp = talloc_new(NULL);
	path = tmp ? replacement_slot(tmp, r, step, slot) : NULL;
	done = path ? copy_to(tmp, r, step, path, &look->slots[slot], new, err) : error_memory(err);
	talloc_free(tmp);
	return done;
}

static bool fill(TALLOC_CTX *tmp, const struct replacement *r, const struct journal_step *step,
                 enum slot slot, struct error *err)
{
	uint64_t shorter = step->old.size < step->new.size ? step->old.size : step->new.size;
	uint64_t kept = shorter - shorter % CLUSTER_MAX;
	struct image *image = read_slot(tmp, r, step, slot, err);
	char *path = image ? replacement_slot(tmp, r, step, slot) : NULL;
	struct site *from = path ? replacement_site(tmp, r, step->disk, path, err) : NULL;
	struct site *to = from ? replacement_site(tmp, r, step->disk, step->path, err) : NULL;
	bool done;
	int like;

	if (!to)
		return path || !image ? false : error_memory(err);
	like = replacement_open(from, err);
	if (like < 0)
		return false;
	done = publish_step_fill(to->fd, to->name, image->bytes, kept, like, to->shown, err);
	close(like);
	return done;
}

bool replacement_fill(const struct replacement *r, const struct journal_step *step,
                      struct look *look, enum slot slot, bool new, struct error *err)
{
	TALLOC_CTX *tmp;
	bool done;

	if (look->place.old && !replacement_keep(r, step, look, false, err))
		return false;
	if (look->place.new && !replacement_keep(r, step, look, true, err))
		return false;
	tmp = talloc_new(NULL);
	done = tmp ? fill(tmp, r, step, slot, err) : error_memory(err);
	talloc_free(tmp);
	if (done)
		look->place = (struct seen){ .present = true, .old = !new, .new = new };
	return done;
}
