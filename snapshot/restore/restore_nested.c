/*
 * Checkpoints of which one lies inside the other, or that are of one key: a common mistake, and
 * harmless as long as they say the same.
 */
#include "snapshot/restore/restoring.h"

bool restore_same_tree(const struct hive *a, const struct hive_key *key, const struct hive *b,
                       bool *same, struct error *err)
{
	uint8_t digests[2][DIGEST_SIZE];
	struct hive_key root;

	if (!hive_root(b, &root, err) || !digest_subtree(a, key, digests[0], err) ||
	    !digest_subtree(b, &root, digests[1], err))
		return false;
	*same = memcmp(digests[0], digests[1], DIGEST_SIZE) == 0;
	return true;
}

/* The next name of a path, on CTX; NULL without memory. */
static char *next_name(TALLOC_CTX *ctx, const char **path)
{
	size_t size = strcspn(*path, "\\");
	char *name = talloc_strndup(ctx, *path, size);

	*path += size + ((*path)[size] != '\0');
	return name;
}

/* Does INNER lie below OUTER, or is it the same key? *REST is its path from there. */
static bool is_below(TALLOC_CTX *ctx, const char *inner, const char *outer, const char **rest)
{
	while (*outer) {
		char *a = next_name(ctx, &inner), *b = next_name(ctx, &outer);

		if (!a || !b || !name_equal_utf8(a, b))
			return false;
	}
	*rest = inner;
	return true;
}

/*
 * What one checkpoint holds of another's key must be what that one says: then one of them is
 * enough. *DONE: INNER is covered by OUTER.
 */
static bool cover(struct restore *r, const struct restore_graft *outer,
                  const struct restore_graft *inner, bool *done, struct error *err)
{
	struct hive_key key;
	const char *rest;
	bool same = false;

	*done = false;
	if (outer->hive != inner->hive ||
	    !is_below(r->ctx, inner->graft.key, outer->graft.key, &rest))
		return true;
	if (!hive_find(outer->graft.from, NULL, rest, &key, err) ||
	    (key.cell != REGF_NIL &&
	     !restore_same_tree(outer->graft.from, &key, inner->graft.from, &same, err)))
		return false;
	*done = same;
	return same || error_set(err, ERROR_REFUSED,
	                         "the checkpoints %s (%s) and %s (%s) lie inside one another and "
	                         "hold different things of %s; name the resource whose data is "
	                         "wanted",
	                         outer->point->file, outer->point->path, inner->point->file,
	                         inner->point->path, inner->graft.key);
}

/* Is plan->list[I] covered by another? Of two that cover each other the second is. */
static bool is_covered(struct restore *r, const struct restore_grafts *plan, uint32_t i,
                       bool *covered, struct error *err)
{
	*covered = false;
	for (uint32_t j = 0; j < plan->count; j++) {
		const struct restore_graft *outer = &plan->list[j], *inner = &plan->list[i];
		bool other, mutual;

		if (j == i)
			continue;
		if (!cover(r, outer, inner, &other, err) || !cover(r, inner, outer, &mutual, err))
			return false;
		if (other && (!mutual || j < i))
			*covered = true;
	}
	return true;
}

bool restore_drop_nested(struct restore *r, struct restore_grafts *plan, struct error *err)
{
	struct restore_graft *kept = talloc_array(r->ctx, struct restore_graft, plan->count + 1);
	uint32_t count = 0;
	bool covered;

	if (!kept)
		return error_memory(err);
	for (uint32_t i = 0; i < plan->count; i++) {
		if (!is_covered(r, plan, i, &covered, err))
			return false;
		if (!covered)
			kept[count++] = plan->list[i];
	}
	*plan = (struct restore_grafts){ kept, count };
	return true;
}
