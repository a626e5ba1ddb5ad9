/*
 * What a plan may say. It is carried out by root on a disk, so a path must lead nowhere but down,
 * and everything in it must agree: then carrying it out needs no second thoughts.
 */
#include <stdlib.h>
#include <string.h>

#include "checkpoint/disk/fold.h"
#include "hive/name.h"
#include "snapshot/restore/undo.h"

/* More than any hive; the sum of two of them is no overflow. */
#define SIZE_LIMIT ((uint64_t)4 << 30)

/* Linux opens none that is longer. */
#define PATH_LIMIT 4096u

static bool wrong(const struct undo_file *file, struct error *err, const char *why)
{
	return error_set(err, ERROR_SOURCE, "files: %.300s: %s", file->path, why);
}

static bool check_path(const struct undo_file *file, struct error *err)
{
	const char *rest = file->path;

	if (strlen(rest) >= PATH_LIMIT || !name_well_formed(rest, strlen(rest)))
		return error_set(err, ERROR_SOURCE,
		                 "files: a path is too long, or not well-formed UTF-8");
	for (const char *c = rest; *c; c++) {
		if ((unsigned char)*c < ' ' || strchr("\\:*?\"<>|", *c))
			return wrong(file, err, "has a character that no name of Windows has");
	}
	for (;;) {
		size_t size = strcspn(rest, "/");

		if (size == 0 || (size == 1 && *rest == '.') ||
		    (size == 2 && memcmp(rest, "..", 2) == 0))
			return wrong(file, err, "is no path that leads down a volume");
		rest += size;
		if (!*rest)
			return true;
		rest++;
	}
}

static bool check_contents(const struct undo_file *file, struct error *err)
{
	const struct undo_content *old = &file->content[UNDO_OLD], *new = &file->content[UNDO_NEW],
				  *recovered = &file->content[UNDO_RECOVERED];
	enum undo_action action = undo_action_of(file);

	for (unsigned when = 0; when < UNDO_WHENS; when++) {
		if (file->content[when].size > SIZE_LIMIT)
			return wrong(file, err, "is larger than any hive");
	}
	if (file->action == UNDO_ERASE ? action != UNDO_OVERWRITE : action != file->action)
		return wrong(file, err, "its action does not lead from the old to the new file");
	if (recovered->present && (!old->present || !new->present || file->action == UNDO_ERASE ||
	                           recovered->size < old->size || recovered->size > new->size))
		return wrong(file, err, "its recovered form does not lie between old and new");
	return file->attributes.acl.size <= 65536 && file->attributes.attrib.size <= 65536 &&
	                       file->attributes.times.size <= 65536
	               ? true
	               : wrong(file, err, "has an attribute that is larger than any");
}

static int compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Sorted, so that a long plan of long paths takes no long time. */
static bool check_once(TALLOC_CTX *tmp, const struct undo *undo, struct error *err)
{
	char **folded = talloc_zero_array(tmp, char *, undo->count + 1);

	for (uint32_t i = 0; folded && i < undo->count; i++) {
		char *path = fold_text(folded, undo->files[i].path);

		if (path)
			folded[i] = talloc_asprintf(folded, "%s: %s",
			                            undo_volume_name(undo->files[i].volume), path);
		if (!folded[i])
			return error_memory(err);
	}
	if (!folded)
		return error_memory(err);
	qsort(folded, undo->count, sizeof(*folded), compare);
	for (uint32_t i = 1; i < undo->count; i++) {
		if (strcmp(folded[i], folded[i - 1]) == 0)
			return error_set(err, ERROR_SOURCE,
			                 "files: %.300s: is there twice (letter case apart)",
			                 folded[i]);
	}
	return true;
}

bool undo_check_paths(const struct undo *undo, struct error *err)
{
	for (uint32_t i = 0; i < undo->count; i++) {
		if (!check_path(&undo->files[i], err))
			return false;
	}
	return true;
}

static bool check_files(const struct undo *undo, struct error *err)
{
	TALLOC_CTX *tmp = talloc_new(NULL);
	bool done = (tmp || error_memory(err)) && undo_check_paths(undo, err);

	for (uint32_t i = 0; done && i < undo->count; i++)
		done = check_contents(&undo->files[i], err);
	done = done && check_once(tmp, undo, err);
	talloc_free(tmp);
	return done;
}

/* By volume, shadow copy and file: then each is another file in the undo directory. */
static bool in_order(const struct undo *undo, const struct undo_shadow *a,
                     const struct undo_shadow *b)
{
	enum undo_volume of_a = undo->files[a->file].volume, of_b = undo->files[b->file].volume;

	if (of_a != of_b)
		return of_a < of_b;
	return a->store != b->store ? a->store < b->store : a->file < b->file;
}

static bool check_shadows(const struct undo *undo, struct error *err)
{
	for (uint32_t i = 0; i < undo->shadow_count; i++) {
		const struct undo_shadow *one = &undo->shadows[i];

		if (one->file >= undo->count || !one->content.present ||
		    one->content.size > SIZE_LIMIT || (i > 0 && !in_order(undo, one - 1, one)))
			return error_set(err, ERROR_SOURCE,
			                 "shadows: number %u is of no file, has no content, or is "
			                 "out of order",
			                 i + 1);
	}
	return true;
}

bool undo_check(const struct undo *undo, struct error *err)
{
	bool used[UNDO_VOLUMES] = { 0 };

	if (!check_files(undo, err) || !check_shadows(undo, err))
		return false;
	for (uint32_t i = 0; i < undo->count; i++)
		used[undo->files[i].volume] = true;
	for (unsigned i = 0; i < UNDO_VOLUMES; i++) {
		if (used[i] && !undo->disks[i].path)
			return error_set(err, ERROR_SOURCE,
			                 "%s: has files, and nothing says where it was",
			                 undo_volume_name(i));
	}
	return undo->disks[UNDO_SYSTEM].path || error_set(err, ERROR_SOURCE, "system: is missing");
}
