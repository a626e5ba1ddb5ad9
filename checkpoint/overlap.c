/*
 * Checkpoints of different resources that are the same key, or lie one inside the other: the
 * resource that comes online last overwrites what the other one saved.
 *
 * Every path is folded and ends with a separator, so a key lies inside another if and only if
 * the other's text begins its own. Sorted, all that lie inside a key follow it directly, and a
 * stack of the keys that the current one lies in finds every pair in one pass. A hive may hold
 * a million registrations of one key, whose pairs nobody could count: so for each checkpoint at
 * most CHECKPOINT_OVERLAPS pairs are kept, those with the nearest keys that it lies in, and only
 * the nearest one when there are more than OVERLAP_MANY in all.
 */
#include <stdlib.h>
#include <string.h>

#include "checkpoint/disk/fold.h"
#include "checkpoint/locate.h"

#define OVERLAP_MANY 10000u

struct place {
	char *path; /* "HIVE\KEY\", folded */
	size_t length;
	uint32_t point; /* in the list of checkpoints */
	uint32_t other; /* how deep in the stack the nearest one of another resource is, plus 1 */
};

struct finder {
	TALLOC_CTX *ctx;
	struct checkpoints *points;
	struct place *places; /* sorted */
	uint32_t count;
	struct error *err;
};

/*
 * In terms of the disk where there is one, so that CurrentControlSet and the control set that
 * it stands for meet. What leads to no hive is kept apart by its first character.
 */
static bool place_of(TALLOC_CTX *ctx, const struct checkpoint *point, struct place *place,
                     struct error *err)
{
	const struct hklm *where = &point->where;
	bool known = where->hive >= 0 && where->key;
	char *path =
		talloc_asprintf(ctx, "%s%s", known ? "" : "?", known ? where->key : point->path);
	size_t length = path ? strlen(path) : 0;
	char *folded;

	if (!path)
		return error_memory(err);
	while (length && path[length - 1] == '\\')
		path[--length] = '\0';
	folded = fold_text(ctx, path);
	if (folded)
		place->path = talloc_asprintf(ctx, "%d\\%s%s", known ? where->hive : -1, folded,
		                              length ? "\\" : "");
	talloc_free(path);
	talloc_free(folded);
	if (!folded || !place->path)
		return error_memory(err);
	place->length = strlen(place->path);
	return true;
}

static int compare_places(const void *a, const void *b)
{
	const struct place *one = a, *two = b;
	int order = strcmp(one->path, two->path);

	return order ? order : (one->point > two->point) - (one->point < two->point);
}

static bool read_places(struct finder *f, TALLOC_CTX *tmp)
{
	f->places = talloc_array(tmp, struct place, f->points->count);
	if (!f->places)
		return error_memory(f->err);
	for (uint32_t i = 0; i < f->points->count; i++) {
		const struct checkpoint *point = &f->points->list[i];

		if (point->type != CHECKPOINT_REGISTRY || point->where.meant ||
		    point->where.result == HKLM_MALFORMED)
			continue; /* it leads nowhere */
		f->places[f->count].point = i;
		if (!place_of(tmp, point, &f->places[f->count++], f->err))
			return false;
	}
	qsort(f->places, f->count, sizeof(*f->places), compare_places);
	return true;
}

static const char *name_of(const struct checkpoint *point)
{
	return point->resource_name ? point->resource_name : point->resource;
}

static void say_overlap(struct checkpoints *points, const struct checkpoint *outer,
                        const struct checkpoint *inner, bool equal)
{
	checkpoint_problem(points, outer, "checkpoint-overlap", "%s %s checkpoint %s of %s: %s",
	                   outer->path, equal ? "is also" : "contains", inner->id, name_of(inner),
	                   inner->path);
	checkpoint_problem(points, inner, "checkpoint-overlap", "%s %s checkpoint %s of %s: %s",
	                   inner->path, equal ? "is also" : "lies inside", outer->id,
	                   name_of(outer), outer->path);
}

static bool add_overlap(struct finder *f, const struct place *outer, const struct place *inner)
{
	struct checkpoints *points = f->points;
	struct checkpoint_overlap *list = points->overlaps;
	uint32_t count = points->overlap_count;

	if ((count & (count - 1)) == 0) {
		list = talloc_realloc(f->ctx, list, struct checkpoint_overlap,
		                      count ? 2 * count : 1);
		if (!list)
			return error_memory(f->err);
		points->overlaps = list;
	}
	list[count] = (struct checkpoint_overlap){ outer->point, inner->point };
	points->overlap_count++;
	say_overlap(points, &points->list[outer->point], &points->list[inner->point],
	            outer->length == inner->length);
	return true;
}

/* Whose checkpoint it is; all of one resource share the string, which is the cluster's. */
static const char *owner(const struct finder *f, uint32_t place)
{
	return f->points->list[f->places[place].point].resource;
}

/*
 * INNER against the places that it lies in, from the nearest on. Those of its own resource may
 * be many; each knows where the next one of another resource is.
 */
static bool pair_with(struct finder *f, const uint32_t *stack, uint32_t depth, uint32_t inner)
{
	uint32_t most = f->points->overlap_count < OVERLAP_MANY ? CHECKPOINT_OVERLAPS : 1;

	for (uint32_t found = 0; depth && found < most;) {
		uint32_t outer = stack[depth - 1];

		if (owner(f, outer) == owner(f, inner)) {
			depth = f->places[outer].other;
			continue;
		}
		if (!add_overlap(f, &f->places[outer], &f->places[inner]))
			return false;
		found++;
		depth--;
	}
	return true;
}

static bool lies_in(const struct place *inner, const struct place *outer)
{
	return inner->length >= outer->length &&
	       memcmp(inner->path, outer->path, outer->length) == 0;
}

static bool find_pairs(struct finder *f, TALLOC_CTX *tmp)
{
	uint32_t *stack = talloc_array(tmp, uint32_t, f->count), depth = 0;

	if (!stack)
		return error_memory(f->err);
	for (uint32_t i = 0; i < f->count; i++) {
		while (depth && !lies_in(&f->places[i], &f->places[stack[depth - 1]]))
			depth--;
		if (!pair_with(f, stack, depth, i))
			return false;
		f->places[i].other = depth;
		if (depth && owner(f, stack[depth - 1]) == owner(f, i))
			f->places[i].other = f->places[stack[depth - 1]].other;
		stack[depth++] = i;
	}
	return true;
}

bool overlap_find(TALLOC_CTX *ctx, struct checkpoints *points, struct error *err)
{
	struct finder f = { .ctx = ctx, .points = points, .err = err };
	TALLOC_CTX *tmp = talloc_new(NULL);
	bool ok;

	if (!tmp)
		return error_memory(err);
	ok = read_places(&f, tmp) && find_pairs(&f, tmp);
	talloc_free(tmp);
	return ok;
}
