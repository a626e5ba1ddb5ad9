/*
 * A ring of windows between two threads. Numbers of windows only rise: window N is in place N
 * modulo their number, those from WRITTEN to FULL wait for the writer, and FULL is being filled.
 */
#include "hive/spool.h"

#include <pthread.h>

#define WINDOWS 4u
#define PATCHES_ROOM ((uint64_t)65536)

struct window {
	uint8_t *data;
	uint64_t room, used;
	uint64_t offset; /* where it is to be written */
};

/* A patch; its bytes are behind it. */
struct patch {
	uint64_t offset, size;
};

/* Patches one behind the other, as they came. */
struct patches {
	struct patches *next;
	uint64_t room, used;
	uint64_t last; /* where the last one begins */
	uint8_t bytes[];
};

struct spool {
	spool_put_fn *put;
	void *to;
	struct window windows[WINDOWS];
	uint64_t offset; /* of the window that is being filled */
	struct patches *first, *last;

	pthread_t thread;
	bool in_thread;       /* which nobody has waited for */
	pthread_mutex_t lock; /* of what follows */
	pthread_cond_t moved;
	uint64_t full, written;
	bool ended;  /* no more windows come */
	bool failed; /* err says why; no more is written */
	struct error err;
};

static struct window *window_number(struct spool *spool, uint64_t number)
{
	return &spool->windows[number % WINDOWS];
}

/* Writes a window and makes it zero again. */
static bool write_window(struct spool *spool, struct window *window, struct error *err)
{
	struct bytes bytes = { window->data, window->used };

	if (bytes.size && !spool->put(spool->to, window->offset, bytes, err))
		return false;
	memset(window->data, 0, window->used);
	return true;
}

static void *write_windows(void *data)
{
	struct spool *spool = data;
	struct error err;

	pthread_mutex_lock(&spool->lock);
	while (!spool->failed && (spool->written < spool->full || !spool->ended)) {
		bool done;

		if (spool->written == spool->full) {
			pthread_cond_wait(&spool->moved, &spool->lock);
			continue;
		}
		pthread_mutex_unlock(&spool->lock);
		done = write_window(spool, window_number(spool, spool->written), &err);
		pthread_mutex_lock(&spool->lock);
		if (!done) {
			spool->failed = true;
			spool->err = err;
		}
		spool->written++;
		pthread_cond_signal(&spool->moved);
	}
	pthread_mutex_unlock(&spool->lock);
	return NULL;
}

/* Ends the thread; what waits is written first, unless the spool is given up. */
static void wait_for_thread(struct spool *spool, bool give_up)
{
	if (!spool->in_thread)
		return;
	pthread_mutex_lock(&spool->lock);
	spool->ended = true;
	spool->failed = spool->failed || give_up;
	pthread_cond_signal(&spool->moved);
	pthread_mutex_unlock(&spool->lock);
	pthread_join(spool->thread, NULL);
	spool->in_thread = false;
}

static int spool_destroy(struct spool *spool)
{
	wait_for_thread(spool, true);
	pthread_cond_destroy(&spool->moved);
	pthread_mutex_destroy(&spool->lock);
	return 0;
}

/* Gives the window that is being filled room for LEAST bytes; it is zero before and after. */
static bool make_room(struct spool *spool, uint64_t least, struct error *err)
{
	struct window *window = window_number(spool, spool->full);

	window->offset = spool->offset;
	window->used = 0;
	if (window->room >= least)
		return true;
	talloc_free(window->data);
	window->data = talloc_zero_size(spool, least);
	window->room = window->data ? least : 0;
	return window->data ? true : error_memory(err);
}

struct spool *spool_new(TALLOC_CTX *ctx, spool_put_fn *put, void *to, uint64_t start, bool thread,
                        struct error *err)
{
	struct spool *spool = talloc_zero(ctx, struct spool);

	if (!spool) {
		error_memory(err);
		return NULL;
	}
	spool->put = put;
	spool->to = to;
	spool->offset = start;
	if (!make_room(spool, SPOOL_FIRST, err)) {
		talloc_free(spool);
		return NULL;
	}
	pthread_mutex_init(&spool->lock, NULL);
	pthread_cond_init(&spool->moved, NULL);
	spool->in_thread =
		thread && pthread_create(&spool->thread, NULL, write_windows, spool) == 0;
	talloc_set_destructor(spool, spool_destroy);
	return spool;
}

uint8_t *spool_window(const struct spool *spool)
{
	return spool->windows[spool->full % WINDOWS].data;
}

/* Hands over USED bytes of the window and waits until another one is free. */
static bool hand_over(struct spool *spool, uint64_t used, struct error *err)
{
	bool failed;

	window_number(spool, spool->full)->used = used;
	spool->offset += used;
	if (!spool->in_thread)
		return write_window(spool, window_number(spool, spool->full), err);
	pthread_mutex_lock(&spool->lock);
	spool->full++;
	pthread_cond_signal(&spool->moved);
	while (!spool->failed && spool->full - spool->written == WINDOWS)
		pthread_cond_wait(&spool->moved, &spool->lock);
	failed = spool->failed;
	pthread_mutex_unlock(&spool->lock);
	if (failed)
		*err = spool->err;
	return !failed;
}

uint8_t *spool_next(struct spool *spool, uint64_t used, uint64_t least, struct error *err)
{
	if (!hand_over(spool, used, err) ||
	    !make_room(spool, least > SPOOL_WINDOW ? least : SPOOL_WINDOW, err))
		return NULL;
	return spool_window(spool);
}

/* Another piece of memory for patches, with room for one of SIZE bytes. */
static struct patches *more_patches(struct spool *spool, uint64_t size)
{
	uint64_t room = size + sizeof(struct patch);
	struct patches *more;

	if (room < PATCHES_ROOM)
		room = PATCHES_ROOM;
	more = talloc_size(spool, sizeof(*more) + room);
	if (!more)
		return NULL;
	*more = (struct patches){ .room = room };
	if (spool->last)
		spool->last->next = more;
	else
		spool->first = more;
	spool->last = more;
	return more;
}

/* Lengthens the last patch, if BYTES belong behind it: so the lists of large keys come. */
static bool lengthen(struct patches *patches, uint64_t offset, struct bytes bytes)
{
	struct patch last;

	if (!patches || patches->used == 0 || bytes.size > patches->room - patches->used)
		return false;
	memcpy(&last, patches->bytes + patches->last, sizeof(last));
	if (last.offset + last.size != offset)
		return false;
	last.size += bytes.size;
	memcpy(patches->bytes + patches->last, &last, sizeof(last));
	return true;
}

bool spool_patch(struct spool *spool, uint64_t offset, struct bytes bytes, struct error *err)
{
	struct patches *patches = spool->last;
	struct patch patch = { offset, bytes.size };

	if (!lengthen(patches, offset, bytes)) {
		if (!patches || sizeof(patch) + bytes.size > patches->room - patches->used)
			patches = more_patches(spool, bytes.size);
		if (!patches)
			return error_memory(err);
		patches->last = patches->used;
		memcpy(patches->bytes + patches->used, &patch, sizeof(patch));
		patches->used += sizeof(patch);
	}
	memcpy(patches->bytes + patches->used, bytes.data, bytes.size);
	patches->used += bytes.size;
	return true;
}

static bool put_patches(struct spool *spool, const struct patches *patches, struct error *err)
{
	struct patch patch;

	for (uint64_t at = 0; at < patches->used; at += sizeof(patch) + patch.size) {
		struct bytes bytes = { patches->bytes + at + sizeof(patch), 0 };

		memcpy(&patch, patches->bytes + at, sizeof(patch));
		bytes.size = patch.size;
		if (!spool->put(spool->to, patch.offset, bytes, err))
			return false;
	}
	return true;
}

bool spool_finish(struct spool *spool, uint64_t used, struct error *err)
{
	if (!hand_over(spool, used, err))
		return false;
	wait_for_thread(spool, false);
	if (spool->failed) {
		*err = spool->err;
		return false;
	}
	for (const struct patches *patches = spool->first; patches; patches = patches->next) {
		if (!put_patches(spool, patches, err))
			return false;
	}
	return true;
}
