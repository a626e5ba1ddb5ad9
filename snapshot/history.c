/*
 * Telling history. Only two states are in memory at a time beside the oldest: the pages of a log
 * are replayed over one image, and each state that counts is copied out of it.
 */
#include "snapshot/history.h"

#include "hive/diff.h"
#include "snapshot/infer.h"

struct state { /* a talloc object; freeing it frees the hive, unless that is a copy's own */
	const struct hive *hive;
	uint64_t written;
};

struct telling {
	TALLOC_CTX *ctx;
	const struct history_options *options;
	struct history *out;
	const struct copy *copy; /* that is told now */
	struct state *oldest, *last;
	bool arrived; /* the last state is one of this copy */
	uint64_t limit, time;
	struct error *err;
};

/* --- the log --- */

static uint64_t limit_of(const struct history_options *options)
{
	const struct cluster *cluster = &options->copies[options->newest].cluster;

	if (options->max_log)
		return options->max_log;
	/* In the second generation the value says which quorum model is used, not a size. */
	return cluster->generation == 1 && cluster->max_quorum_log_size
	               ? cluster->max_quorum_log_size
	               : HISTORY_MAX_LOG;
}

/* A log that begins with STATE. */
static bool begin(struct telling *t, struct state *state, uint64_t first)
{
	const struct cluster *cluster = &t->options->copies[t->options->newest].cluster;
	struct quolog_identity id = { cluster->generation, cluster->name ? cluster->name : "",
		                      cluster->instance_id ? cluster->instance_id : "" };
	uint8_t digest[DIGEST_SIZE];
	struct hive_key root;

	talloc_free(t->out->writer);
	t->out->writer = quolog_create(t->ctx, &id, cluster->written, first, t->err);
	if (t->oldest != t->last)
		talloc_free(t->oldest);
	t->oldest = state;
	t->out->oldest = state->hive;
	t->out->origin = t->copy;
	t->out->transactions = 0;
	t->time = state->written;
	return t->out->writer && hive_root(state->hive, &root, t->err) &&
	       digest_subtree(state->hive, &root, digest, t->err) &&
	       quolog_put_checkpoint(t->out->writer, "chk0001.tmp", digest, state->written,
	                             copy_origin(t->ctx, t->copy), t->err);
}

static bool put(struct telling *t, struct batch *batch, uint64_t time, bool inferred,
                const char *origin)
{
	struct quolog_transaction transaction = { .time = time,
		                                  .origin = origin,
		                                  .inferred = inferred };

	if (!batch_finish(batch, &transaction.batch, &transaction.companion, t->err) ||
	    !quolog_put_transaction(t->out->writer, &transaction, t->err))
		return false;
	t->out->transactions++;
	t->time = time;
	return true;
}

/* --- from one state to the next --- */

static bool put_inferred(void *data, uint64_t time, struct batch *batch, struct error *err)
{
	struct telling *t = data;

	(void)err;
	return put(t, batch, time, true, copy_origin(t->ctx, t->copy));
}

struct entry {
	struct batch *batch;
	uint64_t time; /* the newest that it gives to a key */
};

static bool take(void *data, const struct change *change, struct error *err)
{
	struct entry *entry = data;

	if (change->op == CHANGE_SET_TIME) {
		uint64_t time = le64_get(*(const le64 *)change->data.data);

		if (time > entry->time)
			entry->time = time;
	}
	return batch_put(entry->batch, change, err);
}

static bool put_entry(struct telling *t, const struct state *state, const char *origin)
{
	struct entry entry = { batch_new(t->ctx, t->err), 0 };
	struct hive_key a, b;
	bool done = entry.batch && hive_root(t->last->hive, &a, t->err) &&
	            hive_root(state->hive, &b, t->err) &&
	            diff_subtrees(t->last->hive, &a, state->hive, &b, NULL, take, &entry, t->err);

	if (done && batch_count(entry.batch))
		done = put(t, entry.batch, entry.time ? entry.time : t->time, false, origin);
	talloc_free(entry.batch);
	return done;
}

/* STATE is the next one; ORIGIN says which entry of a log led to it, or is NULL. */
static bool step(struct telling *t, struct state *state, const char *origin)
{
	bool done = false;

	if (!t->last) {
		done = begin(t, state, 1);
	} else if (origin && t->arrived) {
		done = put_entry(t, state, origin);
	} else {
		done = infer_groups(t->last->hive, state->hive, state->written, put_inferred, t,
		                    t->err);
	}
	if (!done && (!t->last || t->err->kind != ERROR_REFUSED))
		return false;
	/* More than a record can hold, or than the log shall. */
	if ((!done || (t->out->transactions && quolog_length(t->out->writer) > t->limit)) &&
	    !begin(t, state, quolog_sequence(t->out->writer) + 1))
		return false;
	/* The same state once more: the log begins with the newer copy of it. */
	if (t->last && t->oldest == t->last && !t->out->transactions &&
	    !begin(t, state, quolog_sequence(t->out->writer)))
		return false;
	if (t->last != t->oldest)
		talloc_free(t->last);
	t->last = state;
	t->arrived = true;
	return true;
}

/* --- the states of a copy --- */

/* The states of a log that are of no use: older than what is there, or no cluster's database. */
static bool is_newer(struct telling *t, const struct hive *hive, uint64_t *written)
{
	TALLOC_CTX *tmp = talloc_new(NULL);
	struct cluster then, now;
	struct error ignored;
	char *why;
	bool newer = tmp && cluster_read(tmp, hive, &now, &ignored);

	if (newer)
		*written = now.written;
	if (newer && t->last && !t->arrived)
		newer = cluster_read(tmp, t->last->hive, &then, &ignored) &&
		        cluster_compare(tmp, &now, &then, &why) > 0;
	talloc_free(tmp);
	return newer;
}

static struct state *state_new(struct telling *t, const struct hive *hive)
{
	struct state *state = talloc_zero(t->ctx, struct state);

	if (state)
		state->hive = hive;
	else
		error_memory(t->err);
	return state;
}

/* A recover_state_fn. What is consistent and yet no sound hive is left out. */
static bool take_state(void *data, const struct recover_state *replayed, struct error *err)
{
	struct telling *t = data;
	struct state *state;
	struct image *image;
	struct error why;
	char *origin = NULL;

	if (!replayed->consistent)
		return true;
	state = state_new(t, NULL);
	image = state ? image_copy(state, replayed->image->bytes, err) : NULL;
	if (!image || !image_seal(image, err)) {
		talloc_free(state);
		return false;
	}
	state->hive = hive_open_image(state, image, "a state on the way", &why);
	if (!state->hive || !is_newer(t, state->hive, &state->written)) {
		talloc_free(state);
		return true;
	}
	if (replayed->log)
		origin = talloc_asprintf(state, "%s %s entry %u", copy_origin(t->ctx, t->copy),
		                         replayed->log, replayed->sequence);
	return (origin || !replayed->log || error_memory(err)) && step(t, state, origin);
}

static bool replay_logs(struct telling *t)
{
	const struct copy *copy = t->copy;
	TALLOC_CTX *tmp = talloc_new(t->ctx);
	struct source *source;
	struct recovery recovery;
	bool done = false;

	if (!tmp)
		return error_memory(t->err);
	source = copy_source(tmp, copy, t->err);
	if (source)
		done = recover_each(tmp, source, &t->options->recover, take_state, t, &recovery,
		                    t->err);
	talloc_free(tmp);
	return done;
}

static bool tell(struct telling *t, const struct copy *copy)
{
	bool logs = copy->condition == COPY_RECOVERED && !t->options->without_logs;
	struct state *state;
	uint64_t ignored;

	t->copy = copy;
	t->arrived = false;
	if (logs && !replay_logs(t))
		return error_wrap(t->err, "%s", copy->path);
	/* What the logs lead to; or, the last state being there already, no change at all. */
	if (copy != &t->options->copies[t->options->newest] && !is_newer(t, copy->hive, &ignored))
		return true;
	state = state_new(t, copy->hive);
	if (!state)
		return false;
	state->written = copy->cluster.written;
	return step(t, state, logs ? "the end of its logs" : NULL);
}

/* Oldest first; of those that are equally old, as they were given. */
static void sort(TALLOC_CTX *tmp, const struct copy **order, uint32_t count)
{
	for (uint32_t i = 1; i < count; i++) {
		const struct copy *copy = order[i];
		uint32_t to = i;
		char *why;

		while (to > 0 &&
		       cluster_compare(tmp, &copy->cluster, &order[to - 1]->cluster, &why) < 0) {
			order[to] = order[to - 1];
			to--;
		}
		order[to] = copy;
	}
}

/* Goes on behind the log that is there. */
static bool resume(struct telling *t)
{
	const struct history_options *options = t->options;
	const struct copy *newest = &options->copies[options->newest];
	char *why = NULL;

	if (!cluster_same(options->cluster, &newest->cluster))
		return error_set(t->err, ERROR_REFUSED,
		                 "it is of the cluster %s, the snapshot of %s: "
		                 "ERROR_CLUSTER_INSTANCE_ID_MISMATCH (5893)",
		                 newest->cluster.name ? newest->cluster.name : "?",
		                 options->cluster->name ? options->cluster->name : "?");
	if (cluster_compare(t->ctx, &newest->cluster, options->cluster, &why) < 0)
		return error_set(t->err, ERROR_REFUSED, "the snapshot has a newer state: %s",
		                 why ? why : "");
	t->out->writer = quolog_continue(t->ctx, options->log, t->err);
	t->last = state_new(t, options->hive);
	if (!t->out->writer || !t->last)
		return false;
	t->time = t->last->written = options->cluster->written;
	return true;
}

bool history_tell(TALLOC_CTX *ctx, const struct history_options *options, struct history *history,
                  struct error *err)
{
	struct telling t = { .ctx = ctx, .options = options, .out = history, .err = err };
	TALLOC_CTX *tmp = talloc_new(NULL);
	const struct copy **order =
		tmp ? talloc_array(tmp, const struct copy *, options->count) : NULL;
	uint32_t count = 0;
	bool done = order || error_memory(err);

	*history = (struct history){ 0 };
	t.limit = limit_of(options);
	for (uint32_t i = 0; done && i < options->count; i++) {
		if (options->copies[i].hive && i != options->newest)
			order[count++] = &options->copies[i];
	}
	if (done)
		sort(tmp, order, count);
	if (done && options->log)
		done = resume(&t);
	for (uint32_t i = 0; done && i < count; i++)
		done = tell(&t, order[i]);
	done = done && tell(&t, &options->copies[options->newest]);
	talloc_free(tmp);
	return done;
}
