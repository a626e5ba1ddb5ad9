/*
 * Reading back through hivex. Keys with more subkeys or values than hivex can count (it says
 * ERANGE, see hive/hivex.c) are the only ones that it is not asked about.
 */
#include "hive/read_back.h"

#include <pthread.h>
#include <stdlib.h>

#include "hive/cursor.h"
#include "hive/open.h"

#define REST 4096u /* keys; hivex maps the image too, and once is enough */

/* Goes through what the cursor gives and what hivex gave, which has to be the same. */
static bool same_list(struct cursor *ours, const size_t *theirs, uint32_t key, const char *what,
                      struct error *err)
{
	uint32_t cell;

	while (theirs && cursor_next(ours, &cell, err)) {
		if (*theirs++ != (size_t)cell + REGF_BASE_SIZE)
			return error_set(err, ERROR_INTERNAL,
			                 "hivex finds other %s in key 0x%x than we do", what, key);
	}
	if (ours->failed)
		return false;
	return !theirs || *theirs == 0 ||
	       error_set(err, ERROR_INTERNAL, "hivex finds more %s in key 0x%x than we do", what,
	                 key);
}

static bool enter(const struct hive *hive, const struct hive_key *key, struct cursor *subkeys,
                  struct error *err)
{
	struct cursor values, again;
	size_t *theirs;
	bool same;

	if (!cursor_subkeys(subkeys, hive, key, err) || !cursor_values(&values, hive, key, err))
		return false;
	again = *subkeys;
	if (!hivex_handle_list(hive->hivex, key->cell, HIVEX_SUBKEYS, cursor_subkey_count(key),
	                       &theirs, err))
		return false;
	same = same_list(&again, theirs, key->cell, "subkeys", err);
	free(theirs);
	if (!same || !hivex_handle_list(hive->hivex, key->cell, HIVEX_VALUES,
	                                cursor_value_count(key), &theirs, err))
		return false;
	same = same_list(&values, theirs, key->cell, "values", err);
	free(theirs);
	return same;
}

struct read_back {
	const struct hive *hive;
	pthread_t thread;
	bool in_thread; /* which nobody has waited for */
	bool same;
	struct error err; /* why it is not */
	struct cursor levels[REGF_DEPTH_MAX];
};

static bool walk(const struct hive *hive, struct cursor *levels, struct error *err)
{
	struct hive_key key;
	unsigned depth = 0;
	uint32_t seen = 0; /* keys */

	if (!hive_root(hive, &key, err))
		return false;
	for (;;) {
		if (depth == REGF_DEPTH_MAX)
			return error_set(err, ERROR_SOURCE, "more than %u levels of keys",
			                 REGF_DEPTH_MAX);
		if (!enter(hive, &key, &levels[depth++], err))
			return false;
		if (++seen % READ_BACK_REST == 0)
			image_rest(hive_image(hive));
		while (!cursor_next_key(&levels[depth - 1], &key, err)) {
			if (levels[depth - 1].failed)
				return false;
			if (--depth == 0)
				return true;
		}
	}
}

/* Takes no memory of ours. */
static void *run(void *data)
{
	struct read_back *reading = data;

	reading->same = walk(reading->hive, reading->levels, &reading->err);
	hive_rest(reading->hive);
	return NULL;
}

static int wait_for_thread(struct read_back *reading)
{
	if (reading->in_thread)
		pthread_join(reading->thread, NULL);
	reading->in_thread = false;
	return 0;
}

struct read_back *read_back_begin(TALLOC_CTX *ctx, const struct hive *hive, struct error *err)
{
	struct read_back *reading = talloc(ctx, struct read_back);

	if (reading && !hive->hivex) {
		error_set(err, ERROR_INTERNAL, "hivex cannot open it");
		talloc_free(reading);
		return NULL;
	}
	if (!reading || !hivex_handle_prepare(hive->hivex)) {
		talloc_free(reading);
		error_memory(err);
		return NULL;
	}
	reading->hive = hive;
	reading->in_thread = pthread_create(&reading->thread, NULL, run, reading) == 0;
	if (!reading->in_thread)
		run(reading);
	talloc_set_destructor(reading, wait_for_thread);
	return reading;
}

bool read_back_end(struct read_back *reading, struct error *err)
{
	wait_for_thread(reading);
	if (!reading->same)
		*err = reading->err;
	return reading->same;
}

bool read_back(const struct hive *hive, struct error *err)
{
	struct read_back *reading = read_back_begin(NULL, hive, err);
	bool same = reading && read_back_end(reading, err);

	talloc_free(reading);
	return same;
}
