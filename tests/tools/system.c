/*
 * Prints as JSON what checkpoint/ finds on a system volume, for scripts that compare it with
 * what another program has put there.
 *
 *	system DIR [PATH...]
 *
 * Each PATH is resolved below HKEY_LOCAL_MACHINE.
 */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "checkpoint/disk/hklm.h"

static json_t *text(const char *s)
{
	return s ? json_string(s) : json_null();
}

static json_t *problems_json(const struct problems *problems)
{
	json_t *list = json_array();

	for (uint32_t i = 0; i < problems->count; i++)
		json_array_append_new(list, json_pack("{s:s, s:s}", "code", problems->list[i].code,
		                                      "text", problems->list[i].text));
	return list;
}

static json_t *hives_json(const struct system *system)
{
	json_t *list = json_object();

	for (int i = 0; i < SYSTEM_HIVES; i++) {
		if (i != SYSTEM_CLUSTER && system->hives[i])
			json_object_set_new(list, system_hive_name(i), text(system->hives[i]));
	}
	return list;
}

static json_t *system_json(const struct system *system)
{
	return json_pack("{s:s, s:o, s:i, s:i, s:b, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:b, s:o}",
	                 "windows", system->windows, "hives", hives_json(system), "generation",
	                 (int)system->generation, "cluster_state", (int)system->state,
	                 "state_known", system->state_known, "cluster_state_name",
	                 node_state_name(system->state), "node_name", text(system->node), "product",
	                 text(system->product), "version", text(system->version), "machine_guid",
	                 text(system->machine_guid), "control_set", text(system->control_set),
	                 "clusdb", text(system->hives[SYSTEM_CLUSTER]), "hibernated",
	                 system->hibernated, "problems", problems_json(system->problems));
}

static json_t *hklm_json(const char *path, const struct hklm *where)
{
	return json_pack("{s:s, s:i, s:o, s:o, s:o, s:o}", "path", path, "result",
	                 (int)where->result, "file", text(where->file), "key", text(where->key),
	                 "meant", text(where->meant), "why", text(where->why));
}

int main(int argc, char **argv)
{
	TALLOC_CTX *ctx = talloc_new(NULL);
	json_t *out, *paths = json_array();
	struct system *system;
	struct error err;

	if (argc < 2)
		return 2;
	system = system_open(ctx, argv[1], NULL, &err);
	if (!system) {
		fprintf(stderr, "system: %s\n", err.text);
		return (int)err.kind;
	}
	out = system_json(system);
	for (int i = 2; i < argc; i++) {
		struct hklm where;

		if (!hklm_resolve(ctx, system, argv[i], false, &where, &err)) {
			fprintf(stderr, "system: %s\n", err.text);
			return (int)err.kind;
		}
		json_array_append_new(paths, hklm_json(argv[i], &where));
	}
	json_object_set_new(out, "paths", paths);
	json_dumpf(out, stdout, JSON_INDENT(1) | JSON_SORT_KEYS);
	putchar('\n');
	json_decref(out);
	talloc_free(ctx);
	return 0;
}
