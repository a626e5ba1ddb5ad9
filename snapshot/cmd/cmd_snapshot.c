/* A snapshot in words and in JSON. */
#include "snapshot/cmd/cmd_snapshot.h"

#include "snapshot/cmd/cmd_table.h"

static json_t *files_json(const struct verdict *verdict)
{
	json_t *list = json_array();

	for (size_t i = 0; i < verdict->file_count; i++) {
		const struct quolog_file *file = &verdict->files[i];
		char hex[DIGEST_HEX];

		digest_hex(file->digest, hex);
		json_array_append_new(list, json_pack("{s:o,s:s,s:I,s:s,s:o,s:o}", "path",
		                                      cmd_json_text(file->path), "kind",
		                                      layout_kind_name(file->kind), "size",
		                                      (json_int_t)file->size, "sha256", hex,
		                                      "source_hive", cmd_json_text(file->hive),
		                                      "source_key", cmd_json_text(file->key)));
	}
	return list;
}

json_t *cmd_snapshot_json(const struct verdict *verdict, const struct problems *warnings)
{
	json_t *object = json_object(), *damage = json_array();
	const struct quolog *log = verdict->log;

	for (uint32_t i = 0; i < verdict->damage_count; i++)
		json_array_append_new(damage,
		                      json_pack("{s:o,s:o}", "path",
		                                cmd_json_text(verdict->damage[i].path), "text",
		                                cmd_json_text(verdict->damage[i].text)));
	json_object_set_new(object, "id", *verdict->id ? json_string(verdict->id) : json_null());
	json_object_set_new(object, "cluster", cmd_json_text(log ? log->id.cluster : NULL));
	json_object_set_new(object, "cluster_instance_id",
	                    cmd_json_text(log ? log->id.instance_id : NULL));
	json_object_set_new(object, "generation", json_integer(log ? log->id.generation : 0));
	json_object_set_new(object, "complete", json_boolean(verdict->complete));
	json_object_set_new(object, "sequence", json_integer((json_int_t)verdict->sequence));
	json_object_set_new(object, "files", files_json(verdict));
	json_object_set_new(object, "damage", damage);
	cmd_json_problems(object, "warnings", warnings, PROBLEM_NOTE);
	return object;
}

static bool add_line(struct cmd *cmd, struct libscols_table *table, const struct quolog_file *file)
{
	struct libscols_line *line = scols_table_new_line(table, NULL);
	char *size = talloc_asprintf(cmd->ctx, "%llu", (unsigned long long)file->size);
	char *from =
		talloc_asprintf(cmd->ctx, "%s%s%s", file->hive, *file->key ? " : " : "", file->key);

	return size && from && cmd_table_cell(cmd->ctx, line, 0, file->path) &&
	       cmd_table_cell(cmd->ctx, line, 1, size) && cmd_table_cell(cmd->ctx, line, 2, from);
}

static void print_files(struct cmd *cmd, const struct verdict *verdict)
{
	struct libscols_table *table = cmd_table_new();
	bool done = table && scols_table_new_column(table, "FILE", 0, 0) &&
	            scols_table_new_column(table, "SIZE", 0, SCOLS_FL_RIGHT) &&
	            scols_table_new_column(table, "FROM", 0, 0);

	for (size_t i = 0; done && i < verdict->file_count; i++)
		done = add_line(cmd, table, &verdict->files[i]);
	if (done && verdict->file_count)
		scols_print_table(table);
	scols_unref_table(table);
}

static const char *state(const struct verdict *verdict)
{
	if (verdict->complete)
		return "complete and undamaged";
	return *verdict->id ? "DAMAGED OR INCOMPLETE" : "NO SNAPSHOT, or one without its log";
}

void cmd_snapshot_print(struct cmd *cmd, const char *path, const struct verdict *verdict)
{
	const struct quolog *log = verdict->log;

	if (!cmd->quiet)
		print_files(cmd, verdict);
	for (uint32_t i = 0; i < verdict->damage_count; i++)
		cmd_print("damage: %s: %s", verdict->damage[i].path, verdict->damage[i].text);
	if (cmd->quiet && verdict->complete)
		return;
	cmd_print("%s: %s%s%s, up to transaction %llu", path, state(verdict),
	          log ? ", cluster " : "", log ? log->id.cluster : "",
	          (unsigned long long)verdict->sequence);
	if (*verdict->id)
		cmd_print("id %s", verdict->id);
}

/* What is not in the snapshot, or is open to others, is said even with --quiet. */
static bool matters(const char *code)
{
	static const char *const codes[] = {
		"not-a-member",    "clusdb-missing", "clusdb-damaged",    "clusdb-dirty",
		"hive-missing",    "hive-dirty",     "hive-damaged",      "checkpoint-hive-damaged",
		"log-gap",         "replaced-other", "replaced-newer",    "not-private",
		"old-not-removed", "log-torn",       "restore-unfinished"
	};

	for (unsigned i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
		if (strcmp(codes[i], code) == 0)
			return true;
	}
	return false;
}

void cmd_snapshot_warn(const struct cmd *cmd, const struct problems *warnings)
{
	for (uint32_t i = 0; i < warnings->count; i++) {
		const struct problem *one = &warnings->list[i];

		/* Linux file systems have no such attribute: nobody needs to hear that each time.
		 */
		if (strcmp(one->code, "marker-not-hidden") == 0)
			continue;
		if (cmd->quiet && !(one->weight > PROBLEM_NOTE && matters(one->code)))
			continue;
		cmd_message("warning: %s: %s", one->code, one->text);
		if (one->more)
			cmd_message("warning: %s: there are %u more of these", one->code,
			            one->more);
	}
}
