/*
 * guid: a GUID from untrusted text. 16 bytes in the order of the digits, printed as the
 * cluster prints it: lower case, no braces.
 */
#ifndef CHECKPOINT_GUID_H
#define CHECKPOINT_GUID_H

#include <stdbool.h>
#include <stdint.h>

#define GUID_TEXT 37 /* with its NUL */

struct guid {
	uint8_t b[16];
};

/* 8-4-4-4-12 hex digits, with or without braces, nothing else. */
bool guid_parse(const char *text, struct guid *guid);
void guid_print(const struct guid *guid, char text[GUID_TEXT]);

/* Parses and prints at once: the canonical text of TEXT; false if it is no GUID. */
bool guid_canonical(const char *text, char canonical[GUID_TEXT]);

#endif
