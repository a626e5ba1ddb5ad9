/* A value's data as one line for people. Secrets are masked, long data is cut and says so. */
#include "snapshot/cmd/cmd.h"

#include <stdio.h>

#define SHOWN_BYTES 32u
#define REST_SIZE 40u /* of " ... (N bytes)" */

char *cmd_hex(TALLOC_CTX *ctx, struct bytes data, uint32_t most)
{
	static const char digits[] = "0123456789abcdef";
	uint32_t shown = data.size < most ? (uint32_t)data.size : most;
	char *text = talloc_array(ctx, char, 3 * shown + REST_SIZE), *at = text;

	for (uint32_t i = 0; text && i < shown; i++) {
		if (i > 0)
			*at++ = ' ';
		*at++ = digits[data.data[i] >> 4];
		*at++ = digits[data.data[i] & 15];
	}
	if (text && shown < data.size)
		snprintf(at, REST_SIZE, " ... (%llu bytes)", (unsigned long long)data.size);
	else if (text)
		*at = '\0';
	return text;
}

/* The texts in one line; its size is added up first, because there may be a million of them. */
static char *joined(TALLOC_CTX *ctx, const struct hive *hive, const struct hive_value *value,
                    struct error *err)
{
	char **texts, *line, *at;
	size_t size = 1;

	if (!hive_value_texts(ctx, hive, value, &texts, err))
		return NULL;
	for (char **text = texts; text && *text; text++)
		size += strlen(*text) + 2;
	line = at = talloc_size(ctx, size);
	if (!line) {
		error_memory(err);
		return NULL;
	}
	for (char **text = texts; text && *text; text++) {
		at = stpcpy(at, text == texts ? "" : ", ");
		at = stpcpy(at, *text);
	}
	*at = '\0';
	talloc_free(texts);
	talloc_set_name_const(line, "char");
	return line;
}

char *cmd_value_text(TALLOC_CTX *ctx, const struct hive *hive, const struct hive_value *value,
                     bool secret, struct error *err)
{
	struct bytes data;
	char *text;

	if (secret)
		return talloc_asprintf(ctx, "(secret, %u bytes)", value->size);
	if (value->type == REG_MULTI_SZ)
		return joined(ctx, hive, value, err);
	if (!hive_value_text(ctx, hive, value, &text, err))
		return NULL;
	if (text)
		return text;
	if (!hive_value_data(ctx, hive, value, &data, err))
		return NULL;
	text = cmd_hex(ctx, data, SHOWN_BYTES);
	if (!text)
		error_memory(err);
	return text;
}
