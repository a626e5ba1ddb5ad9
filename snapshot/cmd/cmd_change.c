/*
 * Printing changes. A list of changes can be as long as a hive is large, so the JSON document
 * is written piece by piece: only one change is in memory at a time.
 */
#include "snapshot/cmd/cmd_change.h"

#include <stdio.h>

#define SHOWN_BYTES 64u

/* Without memory for the whole path, better too much is hidden. */
static bool is_secret(const struct change *change, const char *below)
{
	char *path;
	bool secret;

	if (!below || !change->name)
		return false;
	path = talloc_asprintf(NULL, "%s\\%s", below, change->key);
	secret = !path || cluster_secret(path, change->name);
	talloc_free(path);
	return secret;
}

static json_t *hex_json(struct bytes data)
{
	static const char digits[] = "0123456789abcdef";
	char *text = talloc_size(NULL, 2 * data.size + 1);
	json_t *string;

	if (!text)
		return json_null();
	for (uint64_t i = 0; i < data.size; i++) {
		text[2 * i] = digits[data.data[i] >> 4];
		text[2 * i + 1] = digits[data.data[i] & 15];
	}
	string = json_stringn(text, 2 * data.size);
	talloc_free(text);
	return string;
}

static bool has_data(const struct change *change)
{
	return change->op != CHANGE_CREATE_KEY && change->op != CHANGE_DELETE_KEY &&
	       change->op != CHANGE_DELETE_VALUE;
}

/* A name; one that JSON cannot hold (half of a surrogate pair, a NUL) also as hexadecimal WTF-8. */
static void put_name(json_t *object, const char *member, const char *text)
{
	json_t *string = cmd_json_text(text);
	char exact[16];

	if (string && strcmp(json_string_value(string), text) != 0) {
		snprintf(exact, sizeof(exact), "%s_wtf8", member);
		json_object_set_new(
			object, exact,
			hex_json((struct bytes){ (const uint8_t *)text, strlen(text) }));
	}
	json_object_set_new(object, member, string);
}

json_t *cmd_change_json(const struct change *change, const char *below)
{
	json_t *object = json_pack("{s:s}", "op", change_op_name(change->op));

	put_name(object, "key", change->key);
	if (change->name)
		put_name(object, "name", change->name);
	if (change->op == CHANGE_SET_VALUE)
		json_object_set_new(object, "type", json_integer(change->type));
	if (has_data(change) && is_secret(change, below))
		json_object_set_new(object, "secret", json_integer((json_int_t)change->data.size));
	else if (has_data(change))
		json_object_set_new(object, "data", hex_json(change->data));
	return object;
}

static char *data_text(TALLOC_CTX *ctx, const struct change *change)
{
	char *text;

	if (change->op == CHANGE_SET_VALUE &&
	    (change->type == REG_SZ || change->type == REG_EXPAND_SZ)) {
		struct bytes cut = change->data;

		while (cut.size >= 2 && !cut.data[cut.size - 1] && !cut.data[cut.size - 2])
			cut.size -= 2;
		text = name_utf16_to_utf8(ctx, cut);
		return text ? talloc_asprintf(ctx, "\"%s\"", text) : NULL;
	}
	return cmd_hex(ctx, change->data, SHOWN_BYTES);
}

void cmd_change_print(const struct change *change, const char *below)
{
	TALLOC_CTX *tmp = talloc_new(NULL);
	const char *data = is_secret(change, below)  ? "(secret)"
	                   : has_data(change) && tmp ? data_text(tmp, change)
	                                             : "";

	cmd_print("%-12s %s%s%s%s%s", change_op_name(change->op), *change->key ? change->key : "\\",
	          change->name ? " : " : "",
	          change->name ? (*change->name ? change->name : "(default)") : "",
	          data && *data ? " = " : "", data ? data : "");
	talloc_free(tmp);
}

bool cmd_changes_each(void *data, const struct change *change, struct error *err)
{
	struct cmd_changes *changes = data;

	if (changes->cmd->json) {
		json_t *object = cmd_change_json(change, changes->below);

		if (!object)
			return error_memory(err);
		printf("%s\n  ", changes->count ? "," : "");
		json_dumpf(object, stdout, JSON_COMPACT | JSON_SORT_KEYS);
		json_decref(object);
	} else {
		cmd_change_print(change, changes->below);
	}
	changes->count++;
	return ferror(stdout) ? error_set(err, ERROR_DESTINATION, "standard output: cannot write")
	                      : true;
}

void cmd_changes_begin(struct cmd_changes *changes)
{
	cmd_json_begun();
	if (changes->cmd->json)
		printf("{\"schema\": 1, \"changes\": [");
}

void cmd_changes_end(struct cmd_changes *changes, json_t *members)
{
	const char *name;
	json_t *value;

	if (changes->cmd->json) {
		printf("\n]");
		json_object_foreach(members, name, value)
		{
			printf(",\n\"%s\": ", name);
			json_dumpf(value, stdout, JSON_ENCODE_ANY | JSON_SORT_KEYS);
		}
		printf("}\n");
	}
	json_decref(members);
}
