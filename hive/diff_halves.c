/*
 * A walk in two halves: the caller's thread goes from the beginning to a key in the middle, another
 * one from there to the end, which keeps the changes that it finds until they are wanted.
 *
 * The middle is a subkey of the same name in both trees, found by descending to the one that lies
 * in the middle of B's bins: our own images are laid out in the order of the walk. Where a hive is
 * not, one half is larger, and that is all.
 */
#include <pthread.h>
#include <stdlib.h>

#include "hive/diff_walk.h"
#include "hive/open.h"

#define LEAST ((uint64_t)8 << 20)      /* bytes of each hive; a smaller one is soon gone through */
#define KEPT_MOST ((uint64_t)16 << 20) /* bytes of changes; then the second thread waits */

/* --- the changes of the second half --- */

/*
 * From malloc(), in one piece with all that its change points to: no two threads may have memory of
 * one talloc context.
 */
struct kept {
	struct kept *next;
	struct change change;
	uint64_t size;
	char rest[];
};

struct later {
	struct diff_walk walk;
	struct error err;
	pthread_mutex_t lock; /* of what follows */
	pthread_cond_t changed;
	struct kept *first, **last;
	uint64_t size; /* of all that is kept, in bytes */
	bool ended, good;
	bool stop; /* nobody wants the rest */
};

static uint64_t text_size(const char *text)
{
	return text ? strlen(text) + 1 : 0;
}

/* Copies SIZE bytes to *TO, which is moved behind them; gives where they are, NULL for NULL. */
static const void *put(char **to, const void *from, uint64_t size)
{
	char *at = *to;

	if (!from)
		return NULL;
	memcpy(at, from, size);
	*to += size;
	return at;
}

/* NULL without memory. */
static struct kept *copy(const struct change *from)
{
	uint64_t key = text_size(from->key), name = text_size(from->name);
	uint64_t size = key + name + from->data.size + from->old_data.size;
	struct kept *kept = malloc(sizeof(*kept) + size);
	char *to = kept ? kept->rest : NULL;

	if (!kept)
		return NULL;
	kept->next = NULL;
	kept->size = sizeof(*kept) + size;
	kept->change = *from;
	kept->change.key = put(&to, from->key, key);
	kept->change.name = put(&to, from->name, name);
	kept->change.data.data = put(&to, from->data.data, from->data.size);
	kept->change.old_data.data = put(&to, from->old_data.data, from->old_data.size);
	return kept;
}

static void drop(struct kept *kept)
{
	while (kept) {
		struct kept *next = kept->next;

		free(kept);
		kept = next;
	}
}

static bool keep(void *data, const struct change *change, struct error *err)
{
	struct later *later = data;
	struct kept *kept = copy(change);
	bool wanted;

	if (!kept)
		return error_memory(err);
	pthread_mutex_lock(&later->lock);
	while (later->size >= KEPT_MOST && !later->stop)
		pthread_cond_wait(&later->changed, &later->lock);
	*later->last = kept;
	later->last = &kept->next;
	later->size += kept->size;
	wanted = !later->stop;
	pthread_cond_signal(&later->changed);
	pthread_mutex_unlock(&later->lock);
	return wanted;
}

static void *walk_later(void *data)
{
	struct later *later = data;
	bool good = diff_walk_on(&later->walk);

	pthread_mutex_lock(&later->lock);
	later->ended = true;
	later->good = good;
	pthread_cond_signal(&later->changed);
	pthread_mutex_unlock(&later->lock);
	return NULL;
}

/* All that is kept so far, at least one unless it has ended: then NULL. */
static struct kept *take(struct later *later)
{
	struct kept *first;

	pthread_mutex_lock(&later->lock);
	while (!later->first && !later->ended)
		pthread_cond_wait(&later->changed, &later->lock);
	first = later->first;
	later->first = NULL;
	later->last = &later->first;
	later->size = 0;
	pthread_cond_signal(&later->changed);
	pthread_mutex_unlock(&later->lock);
	return first;
}

/* Calls back for changes, until that says false, and frees them all. */
static bool give(const struct diff_walk *walk, struct kept *kept)
{
	bool good = true;

	for (const struct kept *one = kept; good && one; one = one->next)
		good = walk->each(walk->data, &one->change, walk->err);
	drop(kept);
	return good;
}

static bool give_all(const struct diff_walk *walk, struct later *later)
{
	struct kept *kept;

	while ((kept = take(later))) {
		if (!give(walk, kept))
			return false;
	}
	if (!later->good)
		*walk->err = later->err;
	return later->good;
}

/* --- the middle --- */

/* Goes on in the last frame to the last subkey of both that lies in B up to MIDDLE, if there is
 * one. */
static bool find_in_frame(struct diff_walk *walk, uint32_t middle, bool *found)
{
	struct diff_frame *frame = &walk->frames[walk->depth - 1], best = *frame;

	*found = false;
	while (!frame->a.ended && !frame->b.ended && frame->b.child.cell <= middle) {
		bool same;
		int order = diff_order(frame, &same);

		if (same) {
			best = *frame;
			*found = true;
		}
		if ((order <= 0 && !diff_advance(walk, &frame->a)) ||
		    (order >= 0 && !diff_advance(walk, &frame->b)))
			return false;
	}
	*frame = best;
	return true;
}

/* Goes down to that subkey as the walk would, but says nothing of its changes. */
static bool enter(struct diff_walk *walk)
{
	struct diff_frame *frame = &walk->frames[walk->depth - 1];
	struct hive_key a = frame->a.child, b = frame->b.child;

	return diff_advance(walk, &frame->a) && diff_advance(walk, &frame->b) &&
	       diff_push(walk, frame->a.hive, &a, frame->b.hive, &b);
}

/*
 * Has the walk, which has no keys yet, begin at a subkey in the middle. False if there is none, or
 * something is wrong, which whoever gets there will say.
 */
static bool find_middle(struct diff_walk *walk, const struct hive *a, const struct hive_key *key_a,
                        const struct hive *b, const struct hive_key *key_b)
{
	uint32_t middle = (uint32_t)(b->bins.size / 2);
	struct diff_frame before;
	bool found = true;

	if (!diff_push(walk, a, key_a, b, key_b))
		return false;
	while (find_in_frame(walk, middle, &found) && found) {
		before = walk->frames[walk->depth - 1];
		if (!enter(walk))
			return false;
	}
	if (found || --walk->depth == 0)
		return false;
	walk->frames[walk->depth - 1] = before;
	return true;
}

/* --- both halves --- */

static void end(struct later *later, pthread_t thread)
{
	pthread_mutex_lock(&later->lock);
	later->stop = true;
	pthread_cond_signal(&later->changed);
	pthread_mutex_unlock(&later->lock);
	pthread_join(thread, NULL);
	drop(later->first);
}

/* Walks up to where LATER begins, while that goes on, and calls back for what it found. */
static bool walk_both(struct diff_walk *walk, struct later *later, const struct hive *a,
                      const struct hive_key *key_a, const struct hive *b,
                      const struct hive_key *key_b, bool *done)
{
	const struct diff_frame *middle = &later->walk.frames[later->walk.depth - 1];
	pthread_t thread;
	bool good;

	later->last = &later->first;
	walk->end_a = middle->a.child.cell;
	walk->end_b = middle->b.child.cell;
	*done = pthread_create(&thread, NULL, walk_later, later) == 0;
	if (!*done) {
		walk->end_b = REGF_NIL;
		return true;
	}
	good = diff_push(walk, a, key_a, b, key_b) && diff_key(walk) && diff_walk_on(walk) &&
	       give_all(walk, later);
	end(later, thread);
	return good;
}

bool diff_in_halves(struct diff_walk *walk, const struct hive *a, const struct hive_key *key_a,
                    const struct hive *b, const struct hive_key *key_b, bool *done)
{
	struct later later = { .first = NULL };
	bool good = true;

	if (a->bins.size < LEAST || b->bins.size < LEAST)
		return true;
	pthread_mutex_init(&later.lock, NULL);
	pthread_cond_init(&later.changed, NULL);
	if (diff_begin(&later.walk, walk->leave_out, keep, &later, &later.err) &&
	    find_middle(&later.walk, a, key_a, b, key_b))
		good = walk_both(walk, &later, a, key_a, b, key_b, done);
	talloc_free(later.walk.scratch);
	pthread_cond_destroy(&later.changed);
	pthread_mutex_destroy(&later.lock);
	return good;
}
