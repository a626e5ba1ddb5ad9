/* Lists of problems. What is beyond PROBLEM_SAME of one code is counted, not kept. */
#include "hive/problem.h"

#include <stdarg.h>
#include <string.h>

struct problems *problems_new(TALLOC_CTX *ctx)
{
	return talloc_zero(ctx, struct problems);
}

/* True if enough of this code are listed; then the last of them counts this one. */
static bool enough(struct problems *problems, const char *code)
{
	struct problem *last = NULL;
	uint32_t same = 0;

	for (uint32_t i = 0; i < problems->count; i++) {
		if (strcmp(problems->list[i].code, code) != 0)
			continue;
		last = &problems->list[i];
		same++;
	}
	if (same < PROBLEM_SAME)
		return false;
	last->more++;
	return true;
}

void problems_add(struct problems *problems, enum problem_weight weight, uint64_t offset,
		  const char *code, const char *format, ...)
{
	struct problem *list;
	va_list args;
	char *text;

	if (weight > problems->worst)
		problems->worst = weight;
	if (enough(problems, code))
		return;
	list = talloc_realloc(problems, problems->list, struct problem, problems->count + 1);
	if (list)
		problems->list = list;
	va_start(args, format);
	text = list ? talloc_vasprintf(list, format, args) : NULL;
	va_end(args);
	if (!text) {
		problems->lost = true;
		return;
	}
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
