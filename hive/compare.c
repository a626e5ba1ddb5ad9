/*
 * Two subtrees side by side, depth first, in stored order: both hives are valid, so equal
 * trees have their keys in the same order. The first difference ends it. Lists and records
 * are read in place, and descriptors that keys share are compared once.
 */
#include "hive/compare.h"

#include "hive/alike.h"
#include "hive/read_back.h"

struct level {
	struct cursor a, b; /* subkeys */
};

struct compare {
	const struct hive *a, *b;
	struct level levels[REGF_DEPTH_MAX];
	unsigned depth;
	uint32_t seen;       /* keys */
	le32 same_a, same_b; /* security cells whose descriptors are the same */
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
	struct cursor values_a, values_b;
	uint32_t cell_a, cell_b;

	if (cursor_value_count(a) != cursor_value_count(b))
		return differ(c, a, "numbers of values", err);
	if (!cursor_values(&values_a, c->a, a, err) || !cursor_values(&values_b, c->b, b, err))
		return false;
	while (alike_pass(&values_a, &values_b), values_a.left > 0) {
		if (!cursor_next(&values_a, &cell_a, err) || !cursor_next(&values_b, &cell_b, err))
			return false;
		if (!same_value(c, a, cell_a, cell_b, err))
			return false;
	}
	return true;
}

static bool is_cell(le32 a, le32 b)
{
	return le32_get(a) == le32_get(b);
}

static bool same_security(struct compare *c, const struct hive_key *a, const struct hive_key *b,
                          struct error *err)
{
	struct bytes descriptor_a, descriptor_b;

	if (is_cell(a->nk->security, c->same_a) && is_cell(b->nk->security, c->same_b))
		return true;
	if (!hive_security(c->a, a, &descriptor_a, err) ||
	    !hive_security(c->b, b, &descriptor_b, err))
		return false;
	if (!bytes_equal(descriptor_a, descriptor_b))
		return differ(c, a, "security descriptors", err);
	c->same_a = a->nk->security;
	c->same_b = b->nk->security;
	return true;
}

static bool same_key(struct compare *c, const struct hive_key *a, const struct hive_key *b,
                     struct error *err)
{
	if (hive_key_time(a) != hive_key_time(b))
		return differ(c, a, "times", err);
	if ((hive_key_flags(a) ^ hive_key_flags(b)) & REGF_KEY_SYM_LINK)
		return differ(c, a, "symbolic links", err);
	if (!bytes_equal(a->class_name, b->class_name))
		return differ(c, a, "class names", err);
	return same_security(c, a, b, err) && same_values(c, a, b, err);
}

static bool enter(struct compare *c, const struct hive_key *a, const struct hive_key *b,
                  struct error *err)
{
	struct level *level = &c->levels[c->depth];

	if (++c->seen % READ_BACK_REST == 0)
		image_rest(hive_image(c->b));
	if (!same_key(c, a, b, err))
		return false;
	if (cursor_subkey_count(a) != cursor_subkey_count(b))
		return differ(c, a, "numbers of subkeys", err);
	if (cursor_subkey_count(a) && c->depth + 1 == REGF_DEPTH_MAX)
		return error_set(err, ERROR_SOURCE, "more than %u levels of keys", REGF_DEPTH_MAX);
	c->depth++;
	return cursor_subkeys(&level->a, c->a, a, err) && cursor_subkeys(&level->b, c->b, b, err);
}

static bool next(struct compare *c, struct error *err)
{
	struct level *level = &c->levels[c->depth - 1];
	struct hive_key a, b;

	if (!cursor_next_key(&level->a, &a, err)) {
		c->depth--;
		return !level->a.failed;
	}
	if (!cursor_next_key(&level->b, &b, err))
		return !level->b.failed &&
		       error_set(err, ERROR_BAD_NEWS, "lists of keys differ in length");
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
	c->same_a = c->same_b = le32_put(REGF_NIL);
	same = enter(c, key_a, key_b, err);
	while (same && c->depth)
		same = next(c, err);
	talloc_free(c);
	return same;
}
