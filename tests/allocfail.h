/*
 * allocfail: run a test body again and again, and each time let another allocation fail.
 *
 *	static bool body(void *data, struct error *err) { return do_it(data, err); }
 *
 *	assert_in_range(allocfail_run(body, data, 0), 1, 100000);
 *
 * In the Nth round the Nth malloc, calloc or realloc that the program itself, libtalloc,
 * libhivex or another library of ours makes gives NULL, first that one alone, then, in a
 * second series, it and all after it. The rounds end when none fails any more.
 *
 * The body must free what it takes. In each round the number of talloc blocks and of open
 * descriptors must be as before, and a body that returns false must have filled *err with
 * ERROR_INTERNAL and a text: memory that ran out is no damaged hive. A body that returns true
 * has looked at its result and found it right: to do without the memory is allowed.
 *
 * tests/hook.h is how it works.
 */
#ifndef TESTS_ALLOCFAIL_H
#define TESTS_ALLOCFAIL_H

#include <stdbool.h>

#include "hive/error.h"

typedef bool allocfail_body(void *data, struct error *err);

enum {
	ALLOCFAIL_ANY_KIND = 1, /* the kind of the error is the body's own affair */
	ALLOCFAIL_SPARSE = 2,   /* for long bodies: behind the 100th only every 7th */
	ALLOCFAIL_SPARSER = 4,  /* for very long ones: every 23rd */
};

/* The number of failures tried, or -1 after saying what was wrong. */
int allocfail_run(allocfail_body *body, void *data, unsigned flags);

/* Allocations between these two never fail and are not counted: for checks inside a body. */
void allocfail_pause(void);
void allocfail_resume(void);

#endif
