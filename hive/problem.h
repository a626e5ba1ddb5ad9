/*
 * problem: a list of what is wrong with something, for people and for scripts.
 *
 * Each problem has a code (a fixed word, see docs/ and the manual page), a place and one
 * sentence. The list never floods: after PROBLEM_SAME of one code and weight only the count
 * goes up, at the same small cost however many there are.
 */
#ifndef HIVE_PROBLEM_H
#define HIVE_PROBLEM_H

#include <stdbool.h>
#include <stdint.h>
#include <talloc.h>

#define PROBLEM_SAME 20u           /* listed one by one; more of a code are counted */
#define PROBLEM_NOWHERE UINT64_MAX /* there is no file offset */

/* How bad it is, from the view of Windows loading it. */
enum problem_weight {
	PROBLEM_NOTE,  /* Windows leaves such things behind itself; nothing is lost */
	PROBLEM_ODD,   /* Windows does not, but it loads it as it is; nothing is lost */
	PROBLEM_HEALS, /* Windows loads it, and repairs or drops something */
	PROBLEM_FATAL, /* Windows refuses it */
};

struct problem {
	const char *code; /* a constant */
	enum problem_weight weight;
	uint64_t offset; /* in the file, or PROBLEM_NOWHERE */
	char *text;      /* one sentence, UTF-8 */
	uint32_t more;   /* how many of this code and weight came after the last listed one */
	char *hint;      /* the exact next command, or NULL */
};

struct problem_tally;

struct problems {
	struct problem *list; /* talloc array on the struct */
	uint32_t count;
	enum problem_weight worst;   /* PROBLEM_NOTE while the list is empty */
	uint32_t same;               /* PROBLEM_SAME, unless somebody needs to list more */
	bool lost;                   /* no memory for one: say so, the list is incomplete */
	struct problem_tally *tally; /* how many of each code; private */
	uint32_t tallies;
	uint32_t recent;
};

struct problems *problems_new(TALLOC_CTX *ctx);

void problems_add(struct problems *problems, enum problem_weight weight, uint64_t offset,
                  const char *code, const char *format, ...) __attribute__((format(printf, 5, 6)));

/* Gives the last problem that was listed, if it is one of CODE, the exact next command. */
void problems_hint(struct problems *problems, const char *code, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/*
 * Counts one more of CODE and gives true if enough of them are listed. For callers whose
 * sentence takes some work: ask first, and call problems_add only when this is false.
 */
bool problems_enough(struct problems *problems, enum problem_weight weight, const char *code);

/* COUNT more of CODE, which stay unlisted, behind one of this code and weight that is listed. */
void problems_add_more(struct problems *problems, enum problem_weight weight, const char *code,
                       uint32_t count);

/* All that FROM (may be NULL) lists and counts. */
void problems_add_all(struct problems *problems, const struct problems *from);

/* The first problem of a code, or NULL. */
const struct problem *problems_find(const struct problems *problems, const char *code);

/* The first problem of at least this weight, or NULL. */
const struct problem *problems_first(const struct problems *problems, enum problem_weight weight);

#endif
