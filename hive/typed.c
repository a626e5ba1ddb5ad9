/*
 * Values by the type they have. Real hives hold REG_SZ without a NUL, with text behind the
 * NUL, and numbers as text: what can be read is read, and nothing is guessed beyond that.
 */
#include <inttypes.h>
#include <stdlib.h>

#include "hive/hive.h"

/* UTF-16 text up to its first NUL. */
static struct bytes until_nul(struct bytes text)
{
	for (uint64_t i = 0; i + 1 < text.size; i += 2) {
		if (text.data[i] == 0 && text.data[i + 1] == 0)
			return (struct bytes){ text.data, i };
	}
	return text;
}

static bool is_text(uint32_t type)
{
	return type == REG_SZ || type == REG_EXPAND_SZ || type == REG_LINK;
}

/* A REG_DWORD of either byte order, or a REG_QWORD. */
static bool as_number(uint32_t type, struct bytes data, uint64_t *number)
{
	le32 word;
	le64 quad;

	if (type == REG_QWORD && data.size == sizeof(quad)) {
		memcpy(&quad, data.data, sizeof(quad));
		*number = le64_get(quad);
		return true;
	}
	if ((type != REG_DWORD && type != REG_DWORD_BIG_ENDIAN) || data.size != sizeof(word))
		return false;
	memcpy(&word, data.data, sizeof(word));
	*number = type == REG_DWORD ? le32_get(word) : __builtin_bswap32(le32_get(word));
	return true;
}

static bool as_text(TALLOC_CTX *ctx, uint32_t type, struct bytes data, char **text,
                    struct error *err)
{
	uint64_t number;

	if (is_text(type))
		*text = name_utf16_to_utf8(ctx, until_nul(data));
	else if (as_number(type, data, &number))
		*text = talloc_asprintf(ctx, "%" PRIu64, number);
	else
		return true;
	return *text ? true : error_memory(err);
}

bool hive_value_text(TALLOC_CTX *ctx, const struct hive *hive, const struct hive_value *value,
                     char **text, struct error *err)
{
	TALLOC_CTX *tmp = talloc_new(NULL);
	struct bytes data;
	char *found = NULL;
	bool done;

	if (!tmp)
		return error_memory(err);
	done = hive_value_data(tmp, hive, value, &data, err) &&
	       as_text(ctx, value->type, data, &found, err);
	talloc_free(tmp);
	if (done)
		*text = found;
	return done;
}

bool hive_text(TALLOC_CTX *ctx, const struct hive *hive, const struct hive_key *key,
               const char *name, char **text, struct error *err)
{
	struct hive_value value;

	if (!hive_find_value(hive, key, name, &value, err))
		return false;
	if (value.cell != REGF_NIL)
		return hive_value_text(ctx, hive, &value, text, err);
	*text = NULL;
	return true;
}

static bool digits(const char *text, uint32_t *number)
{
	unsigned long long read;
	char *end;

	if (*text < '0' || *text > '9')
		return false;
	read = strtoull(text, &end, 10);
	if (*end || read > UINT32_MAX)
		return false;
	*number = (uint32_t)read;
	return true;
}

bool hive_number(const struct hive *hive, const struct hive_key *key, const char *name,
                 uint32_t *number, bool *found, struct error *err)
{
	char *text = NULL;

	if (!hive_text(NULL, hive, key, name, &text, err))
		return false;
	*found = text && digits(text, number);
	talloc_free(text);
	return true;
}

/* The texts of a REG_MULTI_SZ: each ends with a NUL, an empty one or the end ends the list. */
static char **split(TALLOC_CTX *ctx, struct bytes data)
{
	char **texts = talloc_zero_array(ctx, char *, 1);
	uint32_t count = 0;

	while (texts) {
		struct bytes text = until_nul(data);
		char **longer = texts;

		if (text.size < 2)
			return texts;
		if ((count & (count + 1)) == 0) /* it doubles whenever it is full */
			longer = talloc_realloc(ctx, texts, char *, 2 * count + 2);
		if (!longer)
			break;
		texts = longer;
		texts[count] = name_utf16_to_utf8(texts, text);
		if (!texts[count])
			break;
		texts[++count] = NULL;
		if (data.size - text.size < 2)
			return texts;
		data.data += text.size + 2;
		data.size -= text.size + 2;
	}
	talloc_free(texts);
	return NULL;
}

bool hive_value_texts(TALLOC_CTX *ctx, const struct hive *hive, const struct hive_value *value,
                      char ***texts, struct error *err)
{
	TALLOC_CTX *tmp = talloc_new(NULL);
	struct bytes data;
	char **found = NULL;
	bool wanted = value->type == REG_MULTI_SZ || is_text(value->type);

	if (!tmp)
		return error_memory(err);
	if (!hive_value_data(tmp, hive, value, &data, err)) {
		talloc_free(tmp);
		return false;
	}
	if (wanted)
		found = split(ctx, value->type == REG_MULTI_SZ ? data : until_nul(data));
	talloc_free(tmp);
	if (wanted && !found)
		return error_memory(err);
	*texts = found;
	return true;
}

bool hive_texts(TALLOC_CTX *ctx, const struct hive *hive, const struct hive_key *key,
                const char *name, char ***texts, struct error *err)
{
	struct hive_value value;

	if (!hive_find_value(hive, key, name, &value, err))
		return false;
	if (value.cell != REGF_NIL)
		return hive_value_texts(ctx, hive, &value, texts, err);
	*texts = NULL;
	return true;
}
