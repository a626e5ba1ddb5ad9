/*
 * Salvage: the walk over a damaged hive, into a writer.
 *
 * It is kept apart from walk.c so that a sound hive pays nothing for it. Paths are those on which
 * the walk came, because a key's own idea of its parent may be what is broken: lists count for
 * more, and only a key to which none leads is asked for its parent. Hence two walks: the first goes
 * by lists alone and tells which keys those are.
 */
#include "hive/salvage.h"

#include "hive/salvage_internal.h"
#include "hive/walk.h"
#include "hive/writer.h"

/* Bytes that the list of losses may have, beside the size of the hive. */
#define TEXT_MAX 1048576u

/* Owner Administrators, group SYSTEM; both may do all, here and below. */
static const uint8_t plain_descriptor[] = {
	1, 0, 0x04, 0x80, 20,   0, 0,    0, 36, 0, 0, 0, 0,  0, 0, 0, 48, 0, 0,  0, /* header */
	1, 2, 0,    0,    0,    0, 0,    5, 32, 0, 0, 0, 32, 2, 0, 0,               /* owner */
	1, 1, 0,    0,    0,    0, 0,    5, 18, 0, 0, 0,                            /* group */
	2, 0, 52,   0,    2,    0, 0,    0,                                         /* DACL */
	0, 2, 24,   0,    0x3f, 0, 15,   0, 1,  2, 0, 0, 0,  0, 0, 5, 32, 0, 0,  0, 32, 2,
	0, 0, 0,    2,    20,   0, 0x3f, 0, 15, 0, 1, 1, 0,  0, 0, 0, 0,  5, 18, 0, 0,  0,
};

static const struct name made_up_name = { (const uint8_t *)"ROOT", 4, true };

/* --- keys --- */

/* A security cell is looked at once, however many keys have it. */
static bool read_descriptor(struct salvage *s, const struct hive_key *key, struct bytes *descriptor,
                            struct error *err)
{
	uint32_t cell = le32_get(key->nk->security);

	if (!hive_security(s->hive, key, descriptor, err))
		return false;
	if (!salvage_bit(s->known, cell)) {
		salvage_bit_set(s->known, cell);
		if (!check_descriptor(*descriptor) || descriptor->size > s->left)
			salvage_bit_set(s->unsound, cell);
		else
			s->left -= descriptor->size;
	}
	if (!salvage_bit(s->unsound, cell))
		return true;
	return error_set(err, ERROR_SOURCE, "cell 0x%llx has no sound security descriptor",
	                 open_place(cell));
}

static void choose_descriptor(struct salvage *s, struct salvage_level *level)
{
	struct error err = { 0 };

	if (read_descriptor(s, &level->key, &level->descriptor, &err))
		return;
	if (s->depth > 1) {
		level->descriptor = level[-1].descriptor;
		salvage_note(s, "its security is that of the key above instead of its own",
		             err.text);
		return;
	}
	level->descriptor = (struct bytes){ plain_descriptor, sizeof(plain_descriptor) };
	salvage_note(s, "its security is made up (all for Administrators and SYSTEM)", err.text);
}

static struct bytes choose_class(struct salvage *s, const struct hive_key *key)
{
	static const struct bytes none;
	uint16_t size = le16_get(key->nk->class_size);
	struct error err = { 0 };

	if (size == 0)
		return none;
	if (key->class_name.size == size &&
	    salvage_claim(s, le32_get(key->nk->class_name), size, &err))
		return key->class_name;
	salvage_note(s, "its class name", err.text[0] ? err.text : "its cell cannot be read");
	return none;
}

/* The root has to have some name; the others were left out if theirs cannot be had. */
static struct name choose_name(struct salvage *s, const struct hive_key *key)
{
	uint32_t length = name_length(key->name);

	if (s->depth > 1 || (length && length <= REGF_KEY_NAME_MAX &&
	                     (key->name.compressed || key->name.size % 2 == 0)))
		return key->name;
	salvage_note(s, "the root's name is made up", "it has none that is possible");
	return made_up_name;
}

static bool enter(struct salvage *s, const struct hive_key *key, struct error *err)
{
	struct salvage_level *level = &s->levels[s->depth++];
	struct sink_key facts = {
		.time = hive_key_time(key),
		.link = (hive_key_flags(key) & REGF_KEY_SYM_LINK) != 0,
	};

	*level = (struct salvage_level){ .key = *key };
	if (key->nk->layer && walk_is_layered(s->hive))
		return error_set(err, ERROR_REFUSED,
		                 "key 0x%llx is layered (format 1.6): it means nothing without "
		                 "the hive below it",
		                 open_place(key->cell));
	facts.name = choose_name(s, key);
	facts.class_name = choose_class(s, key);
	choose_descriptor(s, level);
	facts.descriptor = level->descriptor;
	if (!salvage_subkeys(s, &level->subkeys, err))
		return false;
	facts.subkeys = level->subkeys.count;
	return s->sink->begin_key(s->sink, &facts, err) && salvage_values(s, err);
}

static bool run(struct salvage *s, struct error *err)
{
	struct hive_key root;

	if (!hive_root(s->hive, &root, err) ||
	    !salvage_claim(s, root.cell, sizeof(*root.nk) + root.name.size, err))
		return error_wrap(err, "nothing can be salvaged");
	if (!enter(s, &root, err))
		return false;
	while (s->depth) {
		struct salvage_level *level = &s->levels[s->depth - 1];
		struct hive_key key;

		if (level->next < level->subkeys.count) {
			uint32_t cell = level->subkeys.list[level->next++].cell;

			if (!hive_key_at(s->hive, cell, &key, err) || !enter(s, &key, err))
				return false;
			continue;
		}
		TALLOC_FREE(level->subkeys.list);
		s->depth--;
		if (!s->sink->end_key(s->sink, err))
			return false;
	}
	return true;
}

/* --- the whole --- */

/*
 * The validator has gone over the same hive and counted: what is missing has to be said. Where a
 * cell's size is broken it gives up the rest of the bin, and salvage finds more.
 */
static void compare_counts(const struct salvage *s, const struct writer_count *written)
{
	unsigned long long keys = s->hive->check.keys, values = s->hive->check.values;
	bool fewer = written->keys < keys || written->values < values;

	if (s->lost->count)
		return;
	if (written->keys == keys && written->values == values)
		problems_add(s->lost, PROBLEM_NOTE, PROBLEM_NOWHERE, "left-out",
		             "it is damaged, but every key and value of it could be read");
	else
		problems_add(s->lost, fewer ? PROBLEM_HEALS : PROBLEM_NOTE, PROBLEM_NOWHERE,
		             "left-out",
		             "it is damaged: %llu keys and %llu values could be read, %s the %llu "
		             "and %llu that `clusnap check` counts",
		             (unsigned long long)written->keys, (unsigned long long)written->values,
		             fewer ? "not" : "more than", keys, values);
}

static bool take_bits(struct salvage *s)
{
	size_t bits = s->hive->bins.size / 64 + 1;

	s->left = s->hive->bins.size;
	s->text = TEXT_MAX + s->hive->bins.size;
	s->owned = talloc_zero_size(s, bits);
	s->known = talloc_zero_size(s, bits);
	s->unsound = talloc_zero_size(s, bits);
	return s->owned && s->known && s->unsound;
}

static struct salvage *begin(TALLOC_CTX *tmp, const struct hive *hive)
{
	struct salvage *s = talloc_zero(tmp, struct salvage);

	if (!s)
		return NULL;
	s->hive = hive;
	s->data_max = hive->minor <= 3 ? REGF_STANDARD_DATA_MAX : UINT16_MAX * REGF_BIG;
	return s;
}

/* A walk over all that can be had, into SINK; LOST gets what cannot. */
static bool walk(struct salvage *s, struct sink *sink, struct problems *lost, struct error *err)
{
	bool done;

	s->sink = sink;
	s->lost = lost;
	lost->same = UINT32_MAX; /* each by its path, as long as there is room for text */
	s->depth = 0;
	done = take_bits(s) ? run(s, err) : error_memory(err);
	for (; s->depth; s->depth--)
		TALLOC_FREE(s->levels[s->depth - 1].subkeys.list);
	return done;
}

/* --- the first walk --- */

static bool no_key(struct sink *sink, const struct sink_key *key, struct error *err)
{
	(void)sink, (void)key, (void)err;
	return true;
}

static bool no_value(struct sink *sink, const struct sink_value *value, struct error *err)
{
	(void)sink, (void)value, (void)err;
	return true;
}

static bool no_data(struct sink *sink, struct bytes piece, struct error *err)
{
	(void)sink, (void)piece, (void)err;
	return true;
}

static bool no_end(struct sink *sink, struct error *err)
{
	(void)sink, (void)err;
	return true;
}

/* Writes nothing: afterwards it is known to which keys no list leads. */
static bool walk_first(struct salvage *s, struct error *err)
{
	struct sink nobody = { no_key, no_value, no_data, no_end };
	struct problems *unheard = problems_new(s);
	bool done;

	if (!unheard)
		return error_memory(err);
	done = walk(s, &nobody, unheard, err) && salvage_orphans_find(s, err);
	talloc_free(unheard);
	TALLOC_FREE(s->owned);
	TALLOC_FREE(s->known);
	TALLOC_FREE(s->unsound);
	return done;
}

struct image *salvage_image(TALLOC_CTX *ctx, const struct hive *hive, struct problems *lost,
                            struct error *err)
{
	TALLOC_CTX *tmp = talloc_new(NULL);
	struct salvage *s = tmp ? begin(tmp, hive) : NULL;
	struct writer_count written;
	struct image *image = NULL;
	struct writer *writer;

	if (!s) {
		error_memory(err);
		talloc_free(tmp);
		return NULL;
	}
	writer = walk_first(s, err) ? writer_new(tmp, hive->minor <= 3 ? 3 : 5,
	                                         hive_image(hive)->bytes.size, err)
	                            : NULL;
	if (writer && walk(s, writer_sink(writer), lost, err))
		image = writer_finish(ctx, writer, &written, err);
	if (image)
		compare_counts(s, &written);
	talloc_free(tmp);
	return image;
}
