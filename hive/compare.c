/*
 * Two subtrees side by side, depth first, in stored order: both hives are valid, so equal
 * trees have their keys in the same order. The first difference ends it.
 */
#include "hive/compare.h"

struct level {
	uint32_t *a, *b; /* cells of the subkeys */
	uint32_t count, next;
};

struct compare {
	const struct hive *a, *b;
	TALLOC_CTX *ctx;
	struct level levels[REGF_DEPTH_MAX];
	unsigned depth;
};

static bool differ(const struct compare *c, const struct hive_key *key, const char *what,
                   struct error *err)
{
	char *path = hive_path(NULL, c->a, key);

	error_set(err, ERROR_BAD_NEWS, "\\%s: %s differ", path ? path : "?", what);
	talloc_free(path);
	return false;
}

static bool same_data(const struct compare *c, const struct hive_value *a,
                      const struct hive_value *b, bool *same, struct error *err)
{
	struct bytes piece_a = { NULL, 0 }, piece_b = { NULL, 0 };

	for (uint32_t done = 0; done < a->size;) {
		uint64_t size;

		if (piece_a.size == 0 && !hive_value_piece(c->a, a, done, &piece_a, err))
			return false;
		if (piece_b.size == 0 && !hive_value_piece(c->b, b, done, &piece_b, err))
			return false;
		size = piece_a.size < piece_b.size ? piece_a.size : piece_b.size;
		if (memcmp(piece_a.data, piece_b.data, size) != 0) {
			*same = false;
			return true;
		}
		piece_a.data += size;
		piece_a.size -= size;
		piece_b.data += size;
		piece_b.size -= size;
		done += (uint32_t)size;
	}
	*same = true;
	return true;
}

static bool same_value(const struct compare *c, const struct hive_key *key, uint32_t cell_a,
                       uint32_t cell_b, struct error *err)
{
	struct hive_value a, b;
	bool same;

	if (!hive_value_at(c->a, cell_a, &a, err) || !hive_value_at(c->b, cell_b, &b, err))
		return false;
	if (!name_identical(a.name, b.name))
		return differ(c, key, "names of values", err);
	if (a.type != b.type || a.size != b.size)
		return differ(c, key, "types or sizes of values", err);
	if (!same_data(c, &a, &b, &same, err))
		return false;
	return same ? true : differ(c, key, "data of values", err);
}

static bool same_values(const struct compare *c, const struct hive_key *a, const struct hive_key *b,
                        struct error *err)
{
	TALLOC_CTX *tmp = talloc_new(NULL);
	uint32_t *cells_a, *cells_b, count_a, count_b;
	bool same;

	if (!tmp)
		return error_memory(err);
	same = hive_values(tmp, c->a, a, &cells_a, &count_a, err) &&
	       hive_values(tmp, c->b, b, &cells_b, &count_b, err);
	if (same && count_a != count_b)
		same = differ(c, a, "numbers of values", err);
	for (uint32_t i = 0; same && i < count_a; i++)
		same = same_value(c, a, cells_a[i], cells_b[i], err);
	talloc_free(tmp);
	return same;
}

static bool same_key(const struct compare *c, const struct hive_key *a, const struct hive_key *b,
                     struct error *err)
{
	struct bytes descriptor_a, descriptor_b;

	if (hive_key_time(a) != hive_key_time(b))
		return differ(c, a, "times", err);
	if ((hive_key_flags(a) ^ hive_key_flags(b)) & REGF_KEY_SYM_LINK)
		return differ(c, a, "symbolic links", err);
	if (!bytes_equal(a->class_name, b->class_name))
		return differ(c, a, "class names", err);
	if (!hive_security(c->a, a, &descriptor_a, err) ||
	    !hive_security(c->b, b, &descriptor_b, err))
		return false;
	if (!bytes_equal(descriptor_a, descriptor_b))
		return differ(c, a, "security descriptors", err);
	return same_values(c, a, b, err);
}

static bool enter(struct compare *c, const struct hive_key *a, const struct hive_key *b,
                  struct error *err)
{
	struct level *level = &c->levels[c->depth];
	uint32_t count_b;

	if (!same_key(c, a, b, err) ||
	    !hive_subkeys(c->ctx, c->a, a, &level->a, &level->count, err) ||
	    !hive_subkeys(c->ctx, c->b, b, &level->b, &count_b, err))
		return false;
	if (level->count != count_b)
		return differ(c, a, "numbers of subkeys", err);
	if (level->count && c->depth + 1 == REGF_DEPTH_MAX)
		return error_set(err, ERROR_SOURCE, "more than %u levels of keys", REGF_DEPTH_MAX);
	level->next = 0;
	c->depth++;
	return true;
}

static bool next(struct compare *c, struct error *err)
{
	struct level *level = &c->levels[c->depth - 1];
	struct hive_key a, b;

	if (level->next == level->count) {
		TALLOC_FREE(level->a);
		TALLOC_FREE(level->b);
		c->depth--;
		return true;
	}
	if (!hive_key_at(c->a, level->a[level->next], &a, err) ||
	    !hive_key_at(c->b, level->b[level->next], &b, err))
		return false;
	level->next++;
	if (!name_identical(a.name, b.name))
		return differ(c, &a, "names", err);
	return enter(c, &a, &b, err);
}

bool compare_subtrees(const struct hive *a, const struct hive_key *key_a, const struct hive *b,
                      const struct hive_key *key_b, struct error *err)
{
	struct compare *c = talloc_zero(NULL, struct compare);
	bool same;

	if (!c)
		return error_memory(err);
	c->a = a;
	c->b = b;
	c->ctx = c;
	same = enter(c, key_a, key_b, err);
	while (same && c->depth)
		same = next(c, err);
	talloc_free(c);
	return same;
}
