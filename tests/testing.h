/*
 * testing: what every cmocka program needs, in the order in which cmocka needs it, and the
 * rule that a test gives back all memory it took.
 *
 *	int main(void)
 *	{
 *		const struct CMUnitTest tests[] = { testing_unit(a_short_file_is_refused) };
 *
 *		return cmocka_run_group_tests(tests, testing_begin, testing_end);
 *	}
 *
 * After each test of testing_unit the number of talloc blocks must be what it was before.
 */
#ifndef TESTS_TESTING_H
#define TESTS_TESTING_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define testing_unit(f) cmocka_unit_test_setup_teardown(f, testing_count, testing_compare)

int testing_begin(void **state); /* before anything else: talloc counts from now on */
int testing_end(void **state);
int testing_count(void **state);   /* notes the talloc blocks there are */
int testing_compare(void **state); /* fails if there are more now, and shows which */

/* Says that a test, or a part of it, could not run here. (cmocka's skip() counts as failed.) */
void testing_skipped(const char *why);

/*
 * ALL, or FEW in short rounds (CLUSNAP_TESTS=short), which .ci/run asks for under valgrind: it is
 * 30 times slower. FEW must still bring every kind of case, so that every path is gone once.
 */
uint64_t testing_rounds(uint64_t all, uint64_t few);

/* A new directory below the temporary directory; testing_remove deletes it and all in it. */
char *testing_directory(void);
void testing_remove(char *directory);

/* Writes a whole file; a failure ends the program. */
void testing_write(const char *directory, const char *name, const void *data, size_t size);

#endif
