/*
 * Two trees are walked side by side, depth first, without recursion: subkeys are sorted in
 * both, so one merge finds who is new, gone or in both.
 *
 * Most keys are equal, so that the walk is what costs: lists and records are read in place,
 * and the path of a key is put together only when there is something to say of it.
 */
#include "hive/diff.h"

#include "hive/diff_walk.h"

/* --- paths --- */

static bool text_room(struct diff_walk *walk, struct diff_text *text, size_t need)
{
	size_t room = text->room ? text->room : 256;
	char *larger;

	if (need <= text->room)
		return true;
	while (room < need)
		room *= 2;
	larger = talloc_realloc(walk->scratch, text->text, char, (unsigned)room);
	if (!larger)
		return error_memory(walk->err);
	text->text = larger;
	text->room = room;
	return true;
}

bool diff_put_name(struct diff_walk *walk, struct diff_text *text, size_t keep, struct name name)
{
	if (!text_room(walk, text, keep + 3 * (size_t)name_length(name) + 1))
		return false;
	text->size = keep + name_put_utf8(name, text->text + keep);
	return true;
}

/* Puts NAME below the key whose path has SIZE bytes. */
static bool put_child(struct diff_walk *walk, size_t size, struct name name)
{
	if (!text_room(walk, &walk->path, size + 2))
		return false;
	if (size > 0)
		walk->path.text[size++] = '\\';
	return diff_put_name(walk, &walk->path, size, name);
}

/* The path of the key in the last frame. Where both keys exist, their names are the same. */
static bool put_path(struct diff_walk *walk)
{
	if (walk->named == 0) {
		if (!text_room(walk, &walk->path, 1))
			return false;
		walk->path.size = 0;
		walk->frames[0].path_size = 0;
		walk->named = 1;
	}
	for (; walk->named < walk->depth; walk->named++) {
		struct diff_frame *frame = &walk->frames[walk->named];

		if (!put_child(walk, frame[-1].path_size, frame->b.key.name))
			return false;
		frame->path_size = walk->path.size;
	}
	walk->path.size = walk->frames[walk->depth - 1].path_size;
	walk->path.text[walk->path.size] = '\0';
	return true;
}

bool diff_emit(struct diff_walk *walk, struct change *change)
{
	if (walk->leave_out & CHANGE_BIT(change->op))
		return true;
	if (!put_path(walk))
		return false;
	change->key = walk->path.text;
	return walk->each(walk->data, change, walk->err);
}

/* The subkey NAME of the key in the last frame is only in A. */
static bool emit_deleted(struct diff_walk *walk, struct name name)
{
	struct change change = { .op = CHANGE_DELETE_KEY };

	if (walk->leave_out & CHANGE_BIT(CHANGE_DELETE_KEY))
		return true;
	if (!put_path(walk) || !put_child(walk, walk->frames[walk->depth - 1].path_size, name))
		return false;
	change.key = walk->path.text;
	return walk->each(walk->data, &change, walk->err);
}

/* --- what is in a key beside values and subkeys --- */

static bool is_there(const struct diff_side *side)
{
	return side->key.cell != REGF_NIL;
}

/*
 * A new key begins with the descriptor of its parent. The top has none, and begins without.
 */
static bool old_security(struct diff_walk *walk, const struct diff_frame *frame, struct bytes *old)
{
	const struct hive_key *parent = &frame[-1].b.key;

	if (is_there(&frame->a))
		return hive_security(frame->a.hive, &frame->a.key, old, walk->err);
	if (frame == walk->frames) {
		*old = (struct bytes){ NULL, 0 };
		return true;
	}
	if (memcmp(&parent->nk->security, &frame->b.key.nk->security, sizeof(le32)) == 0)
		parent = &frame->b.key;
	return hive_security(frame->b.hive, parent, old, walk->err);
}

static bool is_cell(le32 a, le32 b)
{
	return le32_get(a) == le32_get(b);
}

static bool key_security(struct diff_walk *walk, const struct diff_frame *frame)
{
	struct change change = { .op = CHANGE_SET_SECURITY, .replaces = is_there(&frame->a) };

	if (walk->leave_out & CHANGE_BIT(CHANGE_SET_SECURITY))
		return true;
	/* Neighbours mostly share a cell: what was equal there is equal here. */
	if (change.replaces && is_cell(frame->a.key.nk->security, walk->same_a) &&
	    is_cell(frame->b.key.nk->security, walk->same_b))
		return true;
	if (!hive_security(frame->b.hive, &frame->b.key, &change.data, walk->err) ||
	    !old_security(walk, frame, &change.old_data))
		return false;
	if (!bytes_equal(change.data, change.old_data))
		return diff_emit(walk, &change);
	if (change.replaces) {
		walk->same_a = frame->a.key.nk->security;
		walk->same_b = frame->b.key.nk->security;
	}
	return true;
}

static bool key_class(struct diff_walk *walk, const struct diff_frame *frame)
{
	struct change change = { .op = CHANGE_SET_CLASS,
		                 .replaces = is_there(&frame->a),
		                 .data = frame->b.key.class_name };

	if (change.replaces)
		change.old_data = frame->a.key.class_name;
	return bytes_equal(change.data, change.old_data) || diff_emit(walk, &change);
}

static bool key_link(struct diff_walk *walk, const struct diff_frame *frame)
{
	static const uint8_t flags[] = { 0, 1 };
	bool now = hive_key_flags(&frame->b.key) & REGF_KEY_SYM_LINK,
	     before = is_there(&frame->a) && hive_key_flags(&frame->a.key) & REGF_KEY_SYM_LINK;
	struct change change = { .op = CHANGE_SET_LINK,
		                 .replaces = is_there(&frame->a),
		                 .data = { &flags[now], 1 } };

	if (change.replaces)
		change.old_data = (struct bytes){ &flags[before], 1 };
	return now == before || diff_emit(walk, &change);
}

static bool key_time(struct diff_walk *walk, const struct diff_frame *frame)
{
	static const uint8_t never[sizeof(le64)];
	struct change change = { .op = CHANGE_SET_TIME,
		                 .replaces = is_there(&frame->a),
		                 .data = { frame->b.key.nk->time.b, sizeof(le64) } };

	change.old_data.data = change.replaces ? frame->a.key.nk->time.b : never;
	change.old_data.size = sizeof(le64);
	return bytes_equal(change.data, change.old_data) || diff_emit(walk, &change);
}

bool diff_key(struct diff_walk *walk)
{
	struct diff_frame *frame = &walk->frames[walk->depth - 1];
	struct change create = { .op = CHANGE_CREATE_KEY };

	if (!is_there(&frame->a) && !diff_emit(walk, &create))
		return false;
	return key_security(walk, frame) && key_class(walk, frame) && key_link(walk, frame) &&
	       diff_values(walk, &frame->a, &frame->b) && key_time(walk, frame);
}

/* --- the walk --- */

bool diff_advance(struct diff_walk *walk, struct diff_side *side)
{
	side->ended = !cursor_next_key(&side->subkeys, &side->child, walk->err);
	return !side->subkeys.failed;
}

static bool start(struct diff_walk *walk, struct diff_side *side)
{
	if (!is_there(side) || cursor_subkey_count(&side->key) == 0) {
		side->ended = true;
		return true;
	}
	return cursor_subkeys(&side->subkeys, side->hive, &side->key, walk->err) &&
	       diff_advance(walk, side);
}

bool diff_push(struct diff_walk *walk, const struct hive *hive_a, const struct hive_key *a,
               const struct hive *hive_b, const struct hive_key *b)
{
	struct diff_frame *frame = &walk->frames[walk->depth];

	if (walk->depth == REGF_DEPTH_MAX)
		return error_set(walk->err, ERROR_SOURCE, "more than %u levels of keys",
		                 REGF_DEPTH_MAX);
	frame->a.hive = hive_a;
	if (a)
		frame->a.key = *a;
	else
		frame->a.key.cell = REGF_NIL;
	frame->b.hive = hive_b;
	frame->b.key = *b;
	walk->depth++;
	return start(walk, &frame->a) && start(walk, &frame->b);
}

int diff_order(const struct diff_frame *frame, bool *same)
{
	const struct diff_side *a = &frame->a, *b = &frame->b;

	*same = false;
	if (a->ended || b->ended)
		return a->ended ? 1 : -1;
	*same = name_identical(a->child.name, b->child.name);
	return *same ? 0 : name_compare(a->child.name, b->child.name);
}

/* The next subkey of the key in the last frame: in A, in B, or in both. */
static bool step(struct diff_walk *walk)
{
	struct diff_frame *frame = &walk->frames[walk->depth - 1];
	struct diff_side *a = &frame->a, *b = &frame->b;
	struct hive_key child_a = a->child, child_b = b->child;
	bool same;
	int order = diff_order(frame, &same);

	if (!same && order <= 0 && !emit_deleted(walk, child_a.name))
		return false;
	if (order <= 0 && !diff_advance(walk, a))
		return false;
	if (order < 0)
		return true;
	return diff_advance(walk, b) &&
	       diff_push(walk, a->hive, same ? &child_a : NULL, b->hive, &child_b) &&
	       diff_key(walk);
}

/* Is the next subkey the one at which somebody else goes on? */
static bool at_end(const struct diff_walk *walk, const struct diff_frame *frame)
{
	return walk->end_b != REGF_NIL && !frame->b.ended && !frame->a.ended &&
	       frame->b.child.cell == walk->end_b && frame->a.child.cell == walk->end_a;
}

bool diff_walk_on(struct diff_walk *walk)
{
	while (walk->depth > 0) {
		const struct diff_frame *frame = &walk->frames[walk->depth - 1];

		if (at_end(walk, frame))
			return true;
		if (!frame->a.ended || !frame->b.ended) {
			if (!step(walk))
				return false;
			continue;
		}
		walk->depth--;
		if (walk->named > walk->depth)
			walk->named = walk->depth;
	}
	return true;
}

bool diff_begin(struct diff_walk *walk, uint32_t leave_out, change_fn *each, void *data,
                struct error *err)
{
	*walk = (struct diff_walk){
		.leave_out = leave_out, .each = each, .data = data, .err = err, .end_b = REGF_NIL
	};
	walk->same_a = walk->same_b = le32_put(REGF_NIL);
	walk->scratch = talloc_new(NULL);
	if (!walk->scratch)
		return error_memory(err);
	walk->frames = talloc_array(walk->scratch, struct diff_frame, REGF_DEPTH_MAX);
	return walk->frames ? true : error_memory(err);
}

bool diff_subtrees(const struct hive *a, const struct hive_key *key_a, const struct hive *b,
                   const struct hive_key *key_b, const struct diff_options *options,
                   change_fn *each, void *data, struct error *err)
{
	static const struct diff_options all = { 0 };
	struct diff_walk walk;
	bool good, done = false;

	if (!options)
		options = &all;
	good = diff_begin(&walk, options->leave_out, each, data, err) &&
	       (!a || options->one_thread || diff_in_halves(&walk, a, key_a, b, key_b, &done)) &&
	       (done ||
	        (diff_push(&walk, a, key_a, b, key_b) && diff_key(&walk) && diff_walk_on(&walk)));
	talloc_free(walk.scratch);
	return good;
}
