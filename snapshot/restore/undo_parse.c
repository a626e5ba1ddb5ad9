/* Parsing twice: jansson does not tell want of memory from wrong syntax. */
#include "snapshot/restore/undo_parse.h"

#include <string.h>

/* More than the text of UNDO_FILES_MAX files with everything in it has. */
#define PLAN_TEXT_MAX ((uint64_t)256 << 20)

/*
 * Without memory jansson may say that the syntax is wrong, or lose a character of a text and say
 * nothing. Only what comes out twice is believed.
 */
json_t *undo_parse(struct bytes text, struct error *err)
{
	const char *data = text.data ? (const char *)text.data : "";
	json_error_t why = { 0 }, again = { 0 };
	json_t *plan, *second;

	if (text.size > PLAN_TEXT_MAX) {
		error_set(err, ERROR_SOURCE, "has %llu bytes, more than any plan",
		          (unsigned long long)text.size);
		return NULL;
	}
	plan = json_loadb(data, text.size, JSON_REJECT_DUPLICATES, &why);
	second = json_loadb(data, text.size, JSON_REJECT_DUPLICATES, &again);
	if (!plan && !second && why.text[0] && why.position == again.position &&
	    strcmp(why.text, again.text) == 0) {
		error_set(err, ERROR_SOURCE, "is no JSON: line %d: %s", why.line, why.text);
	} else if (!plan || !second || !json_equal(plan, second)) {
		error_memory(err);
		json_decref(plan);
		plan = NULL;
	}
	json_decref(second);
	return plan;
}
