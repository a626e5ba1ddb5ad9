/*
 * JSON documents. Texts from disks are WTF-8; what has no place in JSON becomes U+FFFD.
 */
#include <stdio.h>

#include "snapshot/cmd/cmd.h"

json_t *cmd_json_text(const char *text)
{
	const unsigned char *at = (const unsigned char *)text;
	char *clean, *out;
	json_t *string;

	if (!text)
		return json_null();
	clean = out = talloc_size(NULL, 3 * strlen(text) + 1);
	if (!clean)
		return NULL;
	while (*at) {
		unsigned size = cmd_utf8_length(at);

		if (size) {
			memcpy(out, at, size);
			out += size;
			at += size;
			continue;
		}
		memcpy(out, "\xef\xbf\xbd", 3);
		out += 3;
		at++;
		while ((*at & 0xc0) == 0x80) /* one mark for the whole sequence */
			at++;
	}
	string = json_stringn(clean, (size_t)(out - clean));
	talloc_free(clean);
	return string;
}

void cmd_json_problems(json_t *object, const char *name, const struct problems *problems,
                       enum problem_weight least)
{
	json_t *list = json_array();

	for (uint32_t i = 0; problems && i < problems->count; i++) {
		const struct problem *problem = &problems->list[i];
		json_t *entry;

		if (problem->weight < least)
			continue;
		entry = json_pack("{s:s,s:o,s:o}", "code", problem->code, "text",
		                  cmd_json_text(problem->text), "hint",
		                  cmd_json_text(problem->hint));
		if (problem->offset != PROBLEM_NOWHERE)
			json_object_set_new(entry, "offset",
			                    json_integer((json_int_t)problem->offset));
		if (problem->more)
			json_object_set_new(entry, "more", json_integer(problem->more));
		json_array_append_new(list, entry);
	}
	if (problems && problems->lost)
		json_array_append_new(list,
		                      json_pack("{s:s,s:s}", "code", "list-incomplete", "text",
		                                "there was no memory for all problems"));
	json_object_set_new(object, name, list);
}

/* One document is all that a script may find on standard output. */
static bool begun;

void cmd_json_begun(void)
{
	begun = true;
}

void cmd_json_failure(int status, const char *why)
{
	if (!begun)
		cmd_json_print(
			json_pack("{s:i,s:o}", "status", status, "error", cmd_json_text(why)));
}

void cmd_json_print(json_t *object)
{
	cmd_json_begun();
	json_object_set_new(object, "schema", json_integer(1));
	/* In ASCII, because a text may hold controls of above 0x7f too. */
	json_dumpf(object, stdout, JSON_INDENT(1) | JSON_SORT_KEYS | JSON_ENSURE_ASCII);
	putchar('\n');
	json_decref(object);
}
