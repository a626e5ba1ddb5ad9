/*
 * Filling and wrapping a struct error.
 *
 * Names from foreign disks end up in these texts, so whatever could move a terminal's cursor
 * or break a JSON document is made a question mark here, once. When a text is too long it is
 * the context that is cut, not the reason at its end.
 */
#include "hive/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define ROOM sizeof(((struct error *)0)->text)

/* Bytes of the UTF-8 character at AT, or 0 if it is malformed or a control character. */
static unsigned character(const uint8_t *at)
{
	unsigned size = *at < 0x80 ? 1 : *at < 0xc2 ? 0 : *at < 0xe0 ? 2 : *at < 0xf0 ? 3 : 4;

	if (size == 1)
		return *at >= 0x20 && *at != 0x7f;
	if (*at > 0xf4)
		return 0;
	for (unsigned i = 1; i < size; i++) {
		if ((at[i] & 0xc0) != 0x80)
			return 0;
	}
	if ((at[0] == 0xc2 && at[1] < 0xa0) || (at[0] == 0xe0 && at[1] < 0xa0) ||
	    (at[0] == 0xed && at[1] > 0x9f) || (at[0] == 0xf0 && at[1] < 0x90) ||
	    (at[0] == 0xf4 && at[1] > 0x8f))
		return 0; /* C1 controls, overlong forms, surrogates, above U+10FFFF */
	return size;
}

static void tidy(char *text)
{
	while (*text) {
		unsigned size = character((const uint8_t *)text);

		if (size == 0)
			*text = '?';
		text += size ? size : 1;
	}
}

/* Makes TEXT at most LENGTH bytes long, with "..." at its end if anything was cut. */
static void cut(char *text, size_t length)
{
	if (strlen(text) <= length)
		return;
	length -= 3;
	while (length > 0 && ((uint8_t)text[length] & 0xc0) == 0x80)
		length--;
	strcpy(text + length, "...");
}

/* The formatted text, tidy; OUT has one byte more than an error so that a cut is noticed. */
static void format_text(char out[ROOM + 1], const char *format, va_list args)
{
	if (vsnprintf(out, ROOM + 1, format, args) < 0)
		strcpy(out, "?");
	tidy(out); /* a character that vsnprintf has cut in two becomes question marks, and goes */
	cut(out, ROOM - 1);
}

/* "CONTEXT: REASON" */
static void join(struct error *err, char context[ROOM + 1], char reason[ROOM + 1])
{
	size_t length = strlen(context);

	cut(reason, ROOM - 3 - (length < 60 ? length : 60));
	length = strlen(reason);
	cut(context, ROOM - 3 - length);
	memcpy(err->text, context, strlen(context));
	memcpy(err->text + strlen(context), ": ", 2);
	memcpy(err->text + strlen(context) + 2, reason, length + 1);
}

bool error_set(struct error *err, enum error_kind kind, const char *format, ...)
{
	char text[ROOM + 1];
	va_list args;

	va_start(args, format);
	format_text(text, format, args);
	va_end(args);
	err->kind = kind;
	err->sys = 0;
	memcpy(err->text, text, strlen(text) + 1);
	return false;
}

/* What this process lacks is no fault of a source or a destination. */
static bool is_ours(int sys)
{
	return sys == ENOMEM || sys == EMFILE || sys == ENFILE;
}

/* What Windows calls it, as ": NAME (NUMBER)"; empty where nothing fits. */
static const char *windows_name(int sys)
{
	static const struct {
		int sys;
		const char *name;
	} names[] = {
		{ ENOENT, ": ERROR_FILE_NOT_FOUND (2)" },
		{ EACCES, ": ERROR_ACCESS_DENIED (5)" },
		{ EPERM, ": ERROR_ACCESS_DENIED (5)" },
		{ ENOMEM, ": ERROR_NOT_ENOUGH_MEMORY (8)" },
		{ EROFS, ": ERROR_WRITE_PROTECT (19)" },
		{ ENOSPC, ": ERROR_DISK_FULL (112)" },
		{ ENOTEMPTY, ": ERROR_DIR_NOT_EMPTY (145)" },
		{ ENAMETOOLONG, ": ERROR_FILENAME_EXCED_RANGE (206)" },
		{ ENOTDIR, ": ERROR_DIRECTORY (267)" },
		{ EIO, ": ERROR_IO_DEVICE (1117)" },
		{ EDQUOT, ": ERROR_DISK_QUOTA_EXCEEDED (1295)" },
	};

	for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (names[i].sys == sys)
			return names[i].name;
	}
	return "";
}

bool error_errno(struct error *err, enum error_kind kind, const char *format, ...)
{
	char why[128], context[ROOM + 1], reason[ROOM + 1];
	int sys = errno;
	va_list args;

	va_start(args, format);
	format_text(context, format, args);
	va_end(args);
	snprintf(reason, sizeof(reason), "%s%s", strerror_r(sys, why, sizeof(why)),
	         windows_name(sys));
	err->kind = is_ours(sys) ? ERROR_INTERNAL : kind;
	err->sys = sys;
	join(err, context, reason);
	return false;
}

bool error_wrap(struct error *err, const char *format, ...)
{
	char context[ROOM + 1], reason[ROOM + 1];
	va_list args;

	va_start(args, format);
	format_text(context, format, args);
	va_end(args);
	memcpy(reason, err->text, ROOM);
	join(err, context, reason);
	return false;
}

bool error_memory(struct error *err)
{
	return error_set(err, ERROR_INTERNAL, "out of memory");
}
