/*
 * The values of one key on both sides. They are not sorted, but two states of one key
 * mostly hold them in the same order: that is tried first, and only from the first
 * difference of names on they are matched through a hash table.
 */
#include "hive/alike.h"
#include "hive/diff_walk.h"
#include "hive/keyed.h"

static bool data_equal(struct diff_walk *walk, const struct hive *a, const struct hive_value *va,
                       const struct hive *b, const struct hive_value *vb, bool *equal)
{
	uint32_t done = 0;

	*equal = va->type == vb->type && va->size == vb->size;
	while (*equal && done < va->size) {
		struct bytes piece_a, piece_b;
		uint64_t size;

		if (!hive_value_piece(a, va, done, &piece_a, walk->err) ||
		    !hive_value_piece(b, vb, done, &piece_b, walk->err))
			return false;
		size = piece_a.size < piece_b.size ? piece_a.size : piece_b.size;
		*equal = memcmp(piece_a.data, piece_b.data, size) == 0;
		done += (uint32_t)size;
	}
	return true;
}

/* B's value (NULL: it is gone) in place of A's (NULL: it is new). */
static bool emit_value(struct diff_walk *walk, const struct diff_side *a,
                       const struct hive_value *va, const struct diff_side *b,
                       const struct hive_value *vb)
{
	struct change change = { .op = vb ? CHANGE_SET_VALUE : CHANGE_DELETE_VALUE,
		                 .replaces = va != NULL };
	TALLOC_CTX *tmp;
	bool done;

	if (walk->leave_out & CHANGE_BIT(change.op))
		return true;
	tmp = talloc_new(walk->scratch);
	if (!tmp)
		return error_memory(walk->err);
	done = diff_put_name(walk, &walk->name, 0, vb ? vb->name : va->name);
	change.name = walk->name.text;
	if (done && va) {
		change.old_type = va->type;
		done = hive_value_data(tmp, a->hive, va, &change.old_data, walk->err);
	}
	if (done && vb) {
		change.type = vb->type;
		done = hive_value_data(tmp, b->hive, vb, &change.data, walk->err);
	}
	done = done && diff_emit(walk, &change);
	talloc_free(tmp);
	return done;
}

/* The same name on both sides. */
static bool emit_if_changed(struct diff_walk *walk, const struct diff_side *a,
                            const struct hive_value *va, const struct diff_side *b,
                            const struct hive_value *vb)
{
	bool equal;

	if (!data_equal(walk, a->hive, va, b->hive, vb, &equal))
		return false;
	return equal || emit_value(walk, a, va, b, vb);
}

/* --- from the first difference of names on --- */

#define NONE UINT32_MAX

struct value {
	struct hive_value value;
	uint32_t hash;
	uint32_t twin;  /* index of the value of the same name on the other side */
	uint32_t next;  /* A: the next one in its chain of the table */
	uint32_t place; /* where it is before the values are put in order */
};

struct list {
	struct value *values;
	uint32_t count;
};

/* FIRST, if it is one, and all that cells still has. */
static bool read_rest(struct diff_walk *walk, TALLOC_CTX *ctx, const struct diff_side *side,
                      struct cursor *cursor, const struct hive_value *first, uint64_t hash_key,
                      struct list *list)
{
	uint32_t most = cursor->left + (first != NULL), cell;

	*list = (struct list){ talloc_array(ctx, struct value, most), 0 };
	if (!list->values)
		return error_memory(walk->err);
	if (first)
		list->values[list->count++].value = *first;
	while (cursor_next(cursor, &cell, walk->err)) {
		if (!hive_value_at(side->hive, cell, &list->values[list->count].value, walk->err))
			return false;
		list->count++;
	}
	for (uint32_t i = 0; i < list->count; i++) {
		list->values[i].hash = keyed_name(hash_key, list->values[i].value.name);
		list->values[i].twin = NONE;
	}
	return true;
}

/* Finds out which values have the same name on both sides, letter case included. */
static bool match(struct diff_walk *walk, TALLOC_CTX *ctx, struct list *a, struct list *b)
{
	uint32_t slots = 1, *table;

	while (slots < a->count)
		slots *= 2;
	table = talloc_array(ctx, uint32_t, slots);
	if (!table)
		return error_memory(walk->err);
	memset(table, 0xff, sizeof(*table) * slots);
	for (uint32_t i = a->count; i-- > 0;) {
		uint32_t *slot = &table[a->values[i].hash & (slots - 1)];

		a->values[i].next = *slot;
		*slot = i;
	}
	for (uint32_t i = 0; i < b->count; i++) {
		struct value *vb = &b->values[i];
		uint32_t j = table[vb->hash & (slots - 1)];

		while (j != NONE && (a->values[j].hash != vb->hash || a->values[j].twin != NONE ||
		                     !name_identical(a->values[j].value.name, vb->value.name)))
			j = a->values[j].next;
		vb->twin = j;
		if (j != NONE)
			a->values[j].twin = i;
	}
	return true;
}

/*
 * Where each value of B is once all are deleted and set: the ones that stayed as A had them,
 * then the new ones. Says whether that is the order that B has.
 */
static bool in_order(struct list *a, struct list *b)
{
	uint32_t place = 0;
	bool order = true;

	for (uint32_t i = 0; i < a->count; i++) {
		if (a->values[i].twin != NONE)
			b->values[a->values[i].twin].place = place++;
	}
	for (uint32_t i = 0; i < b->count; i++) {
		if (b->values[i].twin == NONE)
			b->values[i].place = place++;
		order = order && b->values[i].place == i;
	}
	return order;
}

/* BEFORE values at the beginning of the list have their place already. */
static bool emit_order(struct diff_walk *walk, TALLOC_CTX *ctx, const struct list *b,
                       uint32_t before)
{
	le32 *places = talloc_array(ctx, le32, before + b->count);
	struct change change = { .op = CHANGE_ORDER_VALUES };

	if (!places)
		return error_memory(walk->err);
	for (uint32_t i = 0; i < before; i++)
		places[i] = le32_put(i);
	for (uint32_t i = 0; i < b->count; i++)
		places[before + i] = le32_put(before + b->values[i].place);
	change.data.data = (const uint8_t *)places;
	change.data.size = sizeof(le32) * ((uint64_t)before + b->count);
	return diff_emit(walk, &change);
}

static bool emit_matched(struct diff_walk *walk, const struct diff_side *side_a, struct list *a,
                         const struct diff_side *side_b, struct list *b)
{
	for (uint32_t i = 0; i < a->count; i++) {
		if (a->values[i].twin == NONE &&
		    !emit_value(walk, side_a, &a->values[i].value, side_b, NULL))
			return false;
	}
	for (uint32_t i = 0; i < b->count; i++) {
		struct value *vb = &b->values[i];

		if (vb->twin == NONE) {
			if (!emit_value(walk, side_a, NULL, side_b, &vb->value))
				return false;
		} else if (!emit_if_changed(walk, side_a, &a->values[vb->twin].value, side_b,
		                            &vb->value)) {
			return false;
		}
	}
	return true;
}

struct both {
	const struct diff_side *side_a, *side_b;
	struct cursor a, b;
	struct hive_value va, vb; /* the first ones that differ in their names, */
	bool have_a, have_b;      /* if there are any */
	uint32_t before;          /* how many did not */
};

static bool rest(struct diff_walk *walk, struct both *both)
{
	TALLOC_CTX *tmp = talloc_new(walk->scratch);
	uint64_t key = keyed_key();
	struct list a, b;
	bool done;

	if (!tmp)
		return error_memory(walk->err);
	done = read_rest(walk, tmp, both->side_a, &both->a, both->have_a ? &both->va : NULL, key,
	                 &a) &&
	       read_rest(walk, tmp, both->side_b, &both->b, both->have_b ? &both->vb : NULL, key,
	                 &b) &&
	       match(walk, tmp, &a, &b) && emit_matched(walk, both->side_a, &a, both->side_b, &b) &&
	       (in_order(&a, &b) || emit_order(walk, tmp, &b, both->before));
	talloc_free(tmp);
	return done;
}

/* The next value of one side, if there is one. */
static bool next_value(struct diff_walk *walk, const struct diff_side *side, struct cursor *cursor,
                       struct hive_value *value, bool *have)
{
	uint32_t cell;

	*have = cursor_next(cursor, &cell, walk->err);
	return !*have || hive_value_at(side->hive, cell, value, walk->err);
}

/* All of B's values are new: nothing to match, and no list of them is needed. */
static bool all_new(struct diff_walk *walk, struct both *both)
{
	while (both->have_b) {
		if (!emit_value(walk, both->side_a, NULL, both->side_b, &both->vb) ||
		    !next_value(walk, both->side_b, &both->b, &both->vb, &both->have_b))
			return false;
	}
	return true;
}

bool diff_values(struct diff_walk *walk, const struct diff_side *a, const struct diff_side *b)
{
	struct cursor values_a = { .left = 0 }, values_b;
	struct both both;
	uint32_t equal;

	if (a->key.cell != REGF_NIL && !cursor_values(&values_a, a->hive, &a->key, walk->err))
		return false;
	if (!cursor_values(&values_b, b->hive, &b->key, walk->err))
		return false;
	equal = alike_pass(&values_a, &values_b);
	if (values_a.left == 0 && values_b.left == 0)
		return true;
	both = (struct both){
		.side_a = a, .side_b = b, .a = values_a, .b = values_b, .before = equal
	};
	for (;; both.before++) {
		if (!next_value(walk, a, &both.a, &both.va, &both.have_a) ||
		    !next_value(walk, b, &both.b, &both.vb, &both.have_b))
			return false;
		if (!both.have_a || !both.have_b || !name_identical(both.va.name, both.vb.name))
			break;
		if (!emit_if_changed(walk, a, &both.va, b, &both.vb))
			return false;
	}
	if (!both.have_a)
		return all_new(walk, &both);
	return rest(walk, &both);
}
