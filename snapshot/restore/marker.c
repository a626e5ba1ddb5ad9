/* The text of a marker sector: lines of "name: value", then zeros. */
#include "snapshot/restore/marker.h"

#include <stdio.h>
#include <string.h>

#define FIRST_LINE "clusnap: a restore of this file is unfinished\n"
#define HOST_SIZE 64 /* of a host's name, which has no more by POSIX */

void marker_write(const struct undo *undo, uint8_t sector[TARGET_SECTOR])
{
	char text[TARGET_SECTOR] = { 0 };
	int size = snprintf(text, sizeof(text),
	                    FIRST_LINE "undo: %s\nbegun: %.32s\nhost: %.*s\npath: ", undo->id,
	                    undo->begun, HOST_SIZE, undo->host);
	int room = (int)sizeof(text) - size - 1, length = (int)strlen(undo->path);

	if (length > room)
		snprintf(text + size, (size_t)room, "%.*s...", room - 4, undo->path);
	else
		memcpy(text + size, undo->path, (size_t)length);
	text[strlen(text)] = '\n';
	memcpy(sector, text, TARGET_SECTOR);
}

bool marker_is(const uint8_t *sector, size_t size)
{
	size_t line = strlen(FIRST_LINE);

	return size > 0 && memcmp(sector, FIRST_LINE, size < line ? size : line) == 0;
}

bool marker_of(const uint8_t sector[TARGET_SECTOR], const char *id)
{
	char start[TARGET_SECTOR];
	int size = snprintf(start, sizeof(start), FIRST_LINE "undo: %.*s", DIGEST_HEX - 1, id);

	return memcmp(sector, start, (size_t)size) == 0;
}

/* The line NAME of the text, on CTX; "" if it has none, NULL without memory. */
static char *line(TALLOC_CTX *ctx, const char *text, const char *name)
{
	const char *found = strstr(text, name);
	char *copy;

	if (!found)
		return talloc_strdup(ctx, "");
	found += strlen(name);
	copy = talloc_strndup(ctx, found, strcspn(found, "\n"));
	for (char *c = copy; c && *c; c++) {
		if ((unsigned char)*c < ' ' || *c == 0x7f)
			*c = '?';
	}
	return copy;
}

bool marker_read(TALLOC_CTX *ctx, const uint8_t sector[TARGET_SECTOR], struct marker *marker)
{
	char text[TARGET_SECTOR + 1] = { 0 };

	if (!marker_is(sector, TARGET_SECTOR))
		return false;
	memcpy(text, sector, TARGET_SECTOR);
	marker->undo = line(ctx, text, "\nundo: ");
	marker->begun = line(ctx, text, "\nbegun: ");
	marker->host = line(ctx, text, "\nhost: ");
	marker->path = line(ctx, text, "\npath: ");
	return marker->undo && marker->begun && marker->host && marker->path;
}
