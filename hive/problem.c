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

void problems_add_more(struct problems *problems, enum problem_weight weight, const char *code,
                       uint32_t count)
{
	struct problem_tally *tally = count ? tally_of(problems, weight, code) : NULL;
	uint32_t *more = tally && tally->listed ? &problems->list[tally->last].more : NULL;

	if (more)
		*more = count < UINT32_MAX - *more ? *more + count : UINT32_MAX;
	else if (count)
		problems->lost = true;
}

bool problems_enough(struct problems *problems, enum problem_weight weight, const char *code)
{
	struct problem_tally *tally = tally_of(problems, weight, code);

	if (!tally || tally->listed < problems->same)
		return false;
	problems_add_more(problems, weight, code, 1);
	return true;
}

/* The list with room for one more. */
static struct problem *list_with_room(struct problems *problems)
{
	uint32_t room = (uint32_t)talloc_array_length(problems->list);
	struct problem *list = problems->list;

	if (problems->count < room)
		return list;
	list = talloc_realloc(problems, list, struct problem, room + room / 2 + 8);
	if (list)
		problems->list = list;
	return list;
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
	list = list_with_room(problems);
	va_start(args, format);
	text = list ? talloc_vasprintf(list, format, args) : NULL;
	va_end(args);
	if (!text || !tally) {
		problems->lost = true;
		return;
	}
	tally->listed++;
	tally->last = problems->count;
	list[problems->count++] = (struct problem){ code, weight, offset, text, 0, NULL };
}

void problems_hint(struct problems *problems, const char *code, const char *format, ...)
{
	struct problem *last = problems->count ? &problems->list[problems->count - 1] : NULL;
	va_list args;

	if (!last || strcmp(last->code, code) != 0 || last->hint)
		return;
	va_start(args, format);
	last->hint = talloc_vasprintf(problems->list, format, args);
	va_end(args);
	if (!last->hint)
		problems->lost = true;
}

void problems_add_all(struct problems *problems, const struct problems *from)
{
	for (uint32_t i = 0; from && i < from->count; i++) {
		const struct problem *one = &from->list[i];

		problems_add(problems, one->weight, one->offset, one->code, "%s", one->text);
		if (one->hint)
			problems_hint(problems, one->code, "%s", one->hint);
		problems_add_more(problems, one->weight, one->code, one->more);
	}
	problems->lost = problems->lost || (from && from->lost);
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
