/*
 * Lists of problems. What is beyond so many (PROBLEM_SAME) of one code and weight is counted, not
 * kept.
 *
 * A damaged hive can have millions of problems of the same kind, one after the other. So
 * the counts stand in a table of their own, with one row a code and weight, and the row that
 * was used last is looked at first.
 */
#include "hive/problem.h"

#include <stdarg.h>
#include <string.h>

struct problem_tally {
	const char *code;
	enum problem_weight weight;
	uint32_t listed;
	uint32_t last; /* index of the last one in the list */
};

struct problems *problems_new(TALLOC_CTX *ctx)
{
	struct problems *problems = talloc_zero(ctx, struct problems);

	if (problems)
		problems->same = PROBLEM_SAME;
	return problems;
}

static bool same(const struct problem_tally *tally, enum problem_weight weight, const char *code)
{
	return tally->weight == weight && (tally->code == code || strcmp(tally->code, code) == 0);
}

/* The row of CODE and WEIGHT; a new one if there is none; NULL without memory. */
static struct problem_tally *tally_of(struct problems *problems, enum problem_weight weight,
                                      const char *code)
{
	struct problem_tally *tally = problems->tally;

	if (problems->recent < problems->tallies && same(&tally[problems->recent], weight, code))
		return &tally[problems->recent];
	for (uint32_t i = 0; i < problems->tallies; i++) {
		if (!same(&tally[i], weight, code))
			continue;
		problems->recent = i;
		return &tally[i];
	}
	tally = talloc_realloc(problems, tally, struct problem_tally, problems->tallies + 1);
	if (!tally)
		return NULL;
	problems->tally = tally;
	problems->recent = problems->tallies++;
	tally[problems->recent] = (struct problem_tally){ code, weight, 0, 0 };
	return &tally[problems->recent];
}

bool problems_enough(struct problems *problems, enum problem_weight weight, const char *code)
{
	struct problem_tally *tally = tally_of(problems, weight, code);

	if (!tally || tally->listed < problems->same)
		return false;
	if (problems->list[tally->last].more < UINT32_MAX)
		problems->list[tally->last].more++;
	return true;
}

void problems_add(struct problems *problems, enum problem_weight weight, uint64_t offset,
                  const char *code, const char *format, ...)
{
	struct problem_tally *tally;
	struct problem *list;
	va_list args;
	char *text;

	if (weight > problems->worst)
		problems->worst = weight;
	if (problems_enough(problems, weight, code))
		return;
	tally = tally_of(problems, weight, code);
	list = talloc_realloc(problems, problems->list, struct problem, problems->count + 1);
	if (list)
		problems->list = list;
	va_start(args, format);
	text = list ? talloc_vasprintf(list, format, args) : NULL;
	va_end(args);
	if (!text || !tally) {
		problems->lost = true;
		return;
	}
	tally->listed++;
	tally->last = problems->count;
	list[problems->count++] = (struct problem){ code, weight, offset, text, 0 };
}

const struct problem *problems_find(const struct problems *problems, const char *code)
{
	for (uint32_t i = 0; i < problems->count; i++) {
		if (strcmp(problems->list[i].code, code) == 0)
			return &problems->list[i];
	}
	return NULL;
}

const struct problem *problems_first(const struct problems *problems, enum problem_weight weight)
{
	for (uint32_t i = 0; i < problems->count; i++) {
		if (problems->list[i].weight >= weight)
			return &problems->list[i];
	}
	return NULL;
}
