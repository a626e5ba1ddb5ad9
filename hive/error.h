/*
 * error: why something could not be done.
 *
 * The caller owns the struct; nothing is allocated. A function that can fail takes a
 * struct error as its last parameter and returns false or NULL after filling it;
 * its other outputs are then untouched. Each level that knows more wraps the text:
 *
 *	if (!image_read(...))
 *		return error_wrap(err, "%s", path);
 *
 * gives "PATH: why". The library never prints.
 */
#ifndef HIVE_ERROR_H
#define HIVE_ERROR_H

#include <stdbool.h>

/* What kind of failure it is; the value is the exit status of the program. */
enum error_kind {
	ERROR_NONE = 0,
	ERROR_BAD_NEWS = 1, /* done, and the answer is: damaged, different, incomplete */
	ERROR_USAGE = 2,
	ERROR_REFUSED = 3,     /* refused for safety */
	ERROR_SOURCE = 4,      /* a source is unreadable or malformed */
	ERROR_DESTINATION = 5, /* the destination could not be written */
	ERROR_INTERRUPTED = 6, /* a restore waits for --resume or --rollback */
	ERROR_INTERNAL = 70,   /* no memory, or a mistake of ours */
};

struct error {
	enum error_kind kind;
	int sys; /* errno, or 0 */
	/*
	 * Well-formed UTF-8 without control characters, whatever the names in it are. What is
	 * too long is cut with "...": the context rather than the reason at the end.
	 */
	char text[1024];
};

/* All three return false, so that a function can end with them. */
bool error_set(struct error *err, enum error_kind kind, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/*
 * As error_set, with ": " and the text of errno behind it, and what Windows calls that where
 * it has a name for it: "cannot write x: No space left on device: ERROR_DISK_FULL (112)". What
 * errno says of this process (no memory, too many open files) is ERROR_INTERNAL whatever KIND is.
 */
bool error_errno(struct error *err, enum error_kind kind, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Puts more context before the text that is there: "CONTEXT: TEXT". Keeps the kind. */
bool error_wrap(struct error *err, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* "out of memory", ERROR_INTERNAL */
bool error_memory(struct error *err);

#endif
