/* Data of a value from a word. */
#include "snapshot/cmd/cmd_set.h"

#include <errno.h>
#include <stdlib.h>
#include <strings.h>

#include "hive/name.h"
#include "hive/regf.h"
#include "snapshot/buffer.h"

static const struct {
	const char *name;
	uint32_t type;
} types[] = {
	{ "REG_SZ", REG_SZ },       { "REG_EXPAND_SZ", REG_EXPAND_SZ },
	{ "REG_DWORD", REG_DWORD }, { "REG_MULTI_SZ", REG_MULTI_SZ },
	{ "REG_QWORD", REG_QWORD }, { "REG_BINARY", REG_BINARY },
	{ "REG_NONE", REG_NONE },
};

static bool find_type(const char *word, uint32_t *type, struct error *err)
{
	for (unsigned i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		if (strcasecmp(word, types[i].name) == 0 ||
		    strcasecmp(word, types[i].name + strlen("REG_")) == 0) {
			*type = types[i].type;
			return true;
		}
	}
	return error_set(err, ERROR_USAGE,
	                 "%s: is no type; it is one of REG_SZ, REG_EXPAND_SZ, REG_MULTI_SZ, "
	                 "REG_DWORD, REG_QWORD, REG_BINARY, REG_NONE",
	                 word);
}

static bool add_text(struct buffer *buffer, const char *text, struct error *err)
{
	if (!name_well_formed(text, strlen(text)))
		return error_set(err, ERROR_USAGE, "the data is no well-formed UTF-8");
	return buffer_add_utf16(buffer, text, err) && buffer_add(buffer, "\0", 2, err);
}

/* Texts with "\0" between them, as reg add takes them; one more NUL ends the list. */
static bool add_list(TALLOC_CTX *ctx, struct buffer *buffer, const char *list, struct error *err)
{
	while (*list) {
		const char *end = strstr(list, "\\0");
		char *one = talloc_strndup(ctx, list, end ? (size_t)(end - list) : strlen(list));

		if (!one)
			return error_memory(err);
		if (!add_text(buffer, one, err))
			return false;
		list = end ? end + 2 : list + strlen(list);
	}
	return buffer_add(buffer, "\0", 2, err);
}

static bool add_number(struct buffer *buffer, const char *word, unsigned size, struct error *err)
{
	unsigned long long number;
	uint8_t bytes[8];
	char *end;

	errno = 0;
	number = strtoull(word, &end, strncasecmp(word, "0x", 2) == 0 ? 16 : 10);
	if (errno || end == word || *end || *word < '0' || *word > '9' ||
	    (size == 4 && number > UINT32_MAX))
		return error_set(err, ERROR_USAGE,
		                 "%s: is no number of %u bytes (decimal, or hexadecimal with 0x)",
		                 word, size);
	for (unsigned i = 0; i < size; i++)
		bytes[i] = (uint8_t)(number >> (8 * i));
	return buffer_add(buffer, bytes, size, err);
}

static bool add_hex(struct buffer *buffer, const char *word, struct error *err)
{
	size_t size = strlen(word);

	if (size % 2 || strspn(word, "0123456789abcdefABCDEF") != size)
		return error_set(err, ERROR_USAGE, "%s: is no even number of hexadecimal digits",
		                 word);
	for (size_t i = 0; i < size; i += 2) {
		char two[3] = { word[i], word[i + 1], '\0' };
		uint8_t byte = (uint8_t)strtoul(two, NULL, 16);

		if (!buffer_add(buffer, &byte, 1, err))
			return false;
	}
	return true;
}

bool cmd_set(struct cmd *cmd, char *const words[4], struct change *change, struct error *err)
{
	struct buffer buffer = { .ctx = cmd->ctx };
	bool done;

	*change = (struct change){ .op = CHANGE_SET_VALUE, .key = words[0], .name = words[1] };
	if (!find_type(words[2], &change->type, err))
		return false;
	switch (change->type) {
	case REG_SZ:
	case REG_EXPAND_SZ:
		done = add_text(&buffer, words[3], err);
		break;
	case REG_MULTI_SZ:
		done = add_list(cmd->ctx, &buffer, words[3], err);
		break;
	case REG_DWORD:
		done = add_number(&buffer, words[3], 4, err);
		break;
	case REG_QWORD:
		done = add_number(&buffer, words[3], 8, err);
		break;
	default:
		done = add_hex(&buffer, words[3], err);
	}
	change->data = (struct bytes){ buffer.data, buffer.size };
	return done && (change_check(change, err) || error_wrap(err, "%s", words[0]));
}
