/* Filling and wrapping a struct error. Text that does not fit is cut, and says so. */
#include "hive/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static void mark_cut(struct error *err, int length)
{
	if (length >= (int)sizeof(err->text))
		memcpy(err->text + sizeof(err->text) - 4, "...", 4);
}

bool error_set(struct error *err, enum error_kind kind, const char *format, ...)
{
	va_list args;

	err->kind = kind;
	err->sys = 0;
	va_start(args, format);
	mark_cut(err, vsnprintf(err->text, sizeof(err->text), format, args));
	va_end(args);
	return false;
}

bool error_errno(struct error *err, enum error_kind kind, const char *format, ...)
{
	char why[128], text[sizeof(err->text)];
	int sys = errno;
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	error_set(err, kind, "%s: %s", text, strerror_r(sys, why, sizeof(why)));
	err->sys = sys;
	return false;
}

bool error_wrap(struct error *err, const char *format, ...)
{
	char context[sizeof(err->text)], text[sizeof(err->text)];
	va_list args;

	va_start(args, format);
	vsnprintf(context, sizeof(context), format, args);
	va_end(args);
	memcpy(text, err->text, sizeof(text));
	mark_cut(err, snprintf(err->text, sizeof(err->text), "%s: %s", context, text));
	return false;
}

bool error_memory(struct error *err)
{
	return error_set(err, ERROR_INTERNAL, "out of memory");
}
