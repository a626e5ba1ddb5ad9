/* clusnap save: RegSaveKey. The image is read back and compared before it is published. */
#include "hive/save.h"
#include "snapshot/cmd/cmd.h"

struct saving {
	struct cmd_hive_options hive;
	const char *format;
	bool salvage;
};

static bool read_format(const char *text, struct save_options *options, struct error *err)
{
	if (!text)
		return true;
	if (strcmp(text, "1.3") == 0)
		options->minor = 3;
	else if (strcmp(text, "1.5") == 0)
		options->minor = 5;
	else
		return error_set(err, ERROR_USAGE, "--format takes 1.3 or 1.5, not %s", text);
	return true;
}

static void report(const struct cmd *cmd, const char *out, const struct save_count *count,
                   uint64_t size, const struct problems *left_out)
{
	json_t *object;

	if (!cmd->json) {
		for (uint32_t i = 0; left_out && i < left_out->count; i++)
			cmd_print("left out: %s", left_out->list[i].text);
		if (!cmd->quiet)
			cmd_print(
				"%s: %llu keys, %llu values, %llu security descriptors, %llu bytes",
				out, (unsigned long long)count->keys,
				(unsigned long long)count->values,
				(unsigned long long)count->descriptors, (unsigned long long)size);
		return;
	}
	object = json_pack("{s:o,s:I,s:I,s:I,s:I}", "path", cmd_json_text(out), "keys",
	                   (json_int_t)count->keys, "values", (json_int_t)count->values,
	                   "descriptors", (json_int_t)count->descriptors, "size", (json_int_t)size);
	cmd_json_problems(object, "left_out", left_out, PROBLEM_NOTE);
	cmd_json_print(object);
}

static int save(struct cmd *cmd, const struct saving *saving)
{
	const char *path = cmd->args[0], *key_path = cmd->args[1], *out = cmd->args[2];
	struct hive_options open_options = cmd_hive_options(&saving->hive);
	struct save_options options = { 0 };
	struct save_count count;
	struct source *source;
	struct hive_key key;
	struct hive *hive;
	struct error err;
	uint64_t size;

	if (saving->salvage)
		open_options.left_out = problems_new(cmd->ctx);
	source = cmd_source(cmd, path, &saving->hive, &err);
	if (!source || !read_format(saving->format, &options, &err) ||
	    !cmd_out_is_no_source(out, path, source, &err))
		return cmd_fail(&err);
	hive = cmd_open(cmd, source, &open_options, &err);
	if (!hive || !hive_find(hive, NULL, key_path, &key, &err))
		return cmd_fail(&err);
	if (key.cell == REGF_NIL) {
		cmd_message("%s: there is no key %s: ERROR_FILE_NOT_FOUND (2)", path, key_path);
		return ERROR_SOURCE;
	}
	if (!save_file(hive, &key, &options, out, &count, &size, &err))
		return cmd_fail(&err);
	report(cmd, out, &count, size, open_options.left_out);
	return cmd_end(open_options.left_out && open_options.left_out->count ? ERROR_BAD_NEWS : 0);
}

static int run(struct cmd *cmd, int argc, char **argv)
{
	struct saving saving = { 0 };
	const struct cmd_option options[] = {
		{ "format", "1.3|1.5", "format of the new hive (default: the source's)", NULL,
		  &saving.format, NULL },
		{ "salvage", NULL, "save what is sound of a damaged hive, list the rest, exit 1",
		  &saving.salvage, NULL, NULL },
		CMD_HIVE_OPTIONS(&saving.hive),
		{ 0 },
	};
	int status;

	if (!cmd_parse(cmd, argc, argv, options, 3, 3, &status))
		return status;
	return save(cmd, &saving);
}

const struct command command_save = {
	.name = "save",
	.arguments = "HIVE KEY OUT",
	.summary = "a subtree as a new compact hive (RegSaveKey)",
	.help = "Writes the subtree at KEY of HIVE (\"\" is its root) as the hive file OUT. Names, "
		"times,\n"
		"classes, security, value order, types and bytes are kept; the result is read back "
		"and\n"
		"compared before it gets its name. A dirty HIVE is recovered from its logs first, "
		"in\n"
		"memory: nothing but OUT is written.",
	.run = run,
};
