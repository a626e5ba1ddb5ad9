/*
 * Reading back through hivex. Keys with more subkeys or values than hivex can count (it says
 * ERANGE, see hive/hivex.c) are the only ones that it is not asked about.
 */
#include "hive/read_back.h"

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

static bool enter(const struct hive *hive, uint32_t cell, struct cursor *subkeys, struct error *err)
{
	struct cursor values, again;
	struct hive_key key;
	size_t *theirs;
	bool same;

	if (!hive_key_at(hive, cell, &key, err) || !cursor_subkeys(subkeys, hive, &key, err) ||
	    !cursor_values(&values, hive, &key, err))
		return false;
	again = *subkeys;
	if (!hivex_handle_list(hive->hivex, cell, HIVEX_SUBKEYS, cursor_subkey_count(&key), &theirs,
	                       err))
		return false;
	same = same_list(&again, theirs, cell, "subkeys", err);
	free(theirs);
	if (!same || !hivex_handle_list(hive->hivex, cell, HIVEX_VALUES, cursor_value_count(&key),
	                                &theirs, err))
		return false;
	same = same_list(&values, theirs, cell, "values", err);
	free(theirs);
	return same;
}

static bool walk(const struct hive *hive, struct cursor *levels, struct error *err)
{
	uint32_t cell = le32_get(hive_base(hive)->root);
	unsigned depth = 0;

	for (uint64_t keys = 0;; keys++) {
		if (keys % REST == 0)
			image_rest(hive->image);
		if (depth == REGF_DEPTH_MAX)
			return error_set(err, ERROR_SOURCE, "more than %u levels of keys",
			                 REGF_DEPTH_MAX);
		if (!enter(hive, cell, &levels[depth++], err))
			return false;
		while (!cursor_next(&levels[depth - 1], &cell, err)) {
			if (levels[depth - 1].failed)
				return false;
			if (--depth == 0)
				return true;
		}
	}
}

bool read_back(const struct hive *hive, struct error *err)
{
	struct cursor *levels;
	bool done;

	if (!hive->hivex)
		return error_set(err, ERROR_INTERNAL, "hivex cannot open it");
	levels = talloc_array(NULL, struct cursor, REGF_DEPTH_MAX);
	if (!levels)
		return error_memory(err);
	done = walk(hive, levels, err);
	talloc_free(levels);
	return done;
}
