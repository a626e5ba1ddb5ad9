/*
 * hook: functions of ours in the place of a library's, while the program runs.
 *
 *	static const struct hook hooks[] = { { "fsync", (void *)my_fsync } };
 *
 *	*(void **)&real_fsync = hook_real("fsync");
 *	hook_install(hooks, 1, NULL);
 *
 * The tables of addresses (the GOT) of the program are changed, so the code under test has no
 * hooks, and sanitizers and valgrind see what they always see.
 */
#ifndef TESTS_HOOK_H
#define TESTS_HOOK_H

#include <stddef.h>

struct hook {
	const char *symbol;
	void *to;
};

/* In the program, and in LIBRARIES (parts of their names, NULL-terminated; or NULL). For good. */
void hook_install(const struct hook *hooks, size_t count, const char *const *libraries);

/* The function itself. */
void *hook_real(const char *symbol);

#endif
