/* A value's data as one line for people. Secrets are masked, long data is cut and says so. */
#include "snapshot/cmd/cmd.h"

#define SHOWN_BYTES 32u

static char *hex(TALLOC_CTX *ctx, struct bytes data)
{
	uint64_t shown = data.size < SHOWN_BYTES ? data.size : SHOWN_BYTES;
	char *text = talloc_strdup(ctx, "");

	for (uint64_t i = 0; text && i < shown; i++)
		text = talloc_asprintf_append(text, "%s%02x", i ? " " : "", data.data[i]);
	if (text && shown < data.size)
		text = talloc_asprintf_append(text, " ... (%llu bytes)",
		                              (unsigned long long)data.size);
	return text;
}

static char *joined(TALLOC_CTX *ctx, const struct hive *hive, const struct hive_key *key,
                    const char *name, struct error *err)
{
	char **texts, *line = NULL;

	if (!hive_texts(ctx, hive, key, name, &texts, err))
		return NULL;
	line = talloc_strdup(ctx, "");
	for (char **text = texts; line && text && *text; text++)
		line = talloc_asprintf_append(line, "%s%s", text == texts ? "" : ", ", *text);
	return line;
}

char *cmd_value_text(TALLOC_CTX *ctx, const struct hive *hive, const struct hive_key *key,
                     const struct hive_value *value, bool secret, struct error *err)
{
	char *name = name_to_utf8(ctx, value->name), *text = NULL;
	struct bytes data;

	if (secret)
		return talloc_asprintf(ctx, "(secret, %u bytes)", value->size);
	if (!name) {
		error_memory(err);
		return NULL;
	}
	if (value->type == REG_MULTI_SZ)
		return joined(ctx, hive, key, name, err);
	if (!hive_text(ctx, hive, key, name, &text, err))
		return NULL;
	if (text)
		return text;
	if (!hive_value_data(ctx, hive, value, &data, err))
		return NULL;
	text = hex(ctx, data);
	if (!text)
		error_memory(err);
	return text;
}
