/*
 * Reading /proc/self/mountinfo (proc(5)): "36 35 98:0 /root /point options [optional...] - type
 * source options", with blanks, tabs, newlines and backslashes in names written as three octal
 * digits.
 */
#include "checkpoint/disk/mountinfo.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Puts the bytes back that were written in octal, in place. */
static void unescape(char *text)
{
	char *to = text;

	for (; *text; text++) {
		if (text[0] == '\\' && strspn(text + 1, "01234567") >= 3) {
			*to++ = (char)((text[1] - '0') << 6 | (text[2] - '0') << 3 |
			               (text[3] - '0'));
			text += 3;
		} else {
			*to++ = *text;
		}
	}
	*to = '\0';
}

static bool parse(char *line, struct mountinfo *mount)
{
	char *rest = NULL, *word = strtok_r(line, " \n", &rest);
	char *root = NULL, *point = NULL, *type, *source;
	unsigned major = 0, minor = 0, field = 0;

	for (; word && strcmp(word, "-") != 0; word = strtok_r(NULL, " \n", &rest)) {
		if (field == 2 && sscanf(word, "%u:%u", &major, &minor) != 2)
			return false;
		if (field == 3)
			root = word;
		if (field == 4)
			point = word;
		field++;
	}
	type = strtok_r(NULL, " \n", &rest);
	source = type ? strtok_r(NULL, " \n", &rest) : NULL;
	if (!point || !source)
		return false;
	unescape(root);
	unescape(point);
	unescape(source);
	*mount = (struct mountinfo){ (uint64_t)major << 32 | minor, root, point, type, source };
	return true;
}

bool mountinfo_each(bool (*see)(void *data, const struct mountinfo *mount), void *data)
{
	FILE *file = fopen("/proc/self/mountinfo", "re");
	struct mountinfo mount;
	char *line = NULL;
	size_t room = 0;
	bool more = true;

	if (!file)
		return false;
	while (more && getline(&line, &room, file) > 0) {
		if (parse(line, &mount))
			more = see(data, &mount);
	}
	free(line);
	fclose(file);
	return true;
}
