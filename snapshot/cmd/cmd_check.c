/* clusnap check: everything that is wrong with a hive, by file offset. */
#include "snapshot/cmd/cmd.h"

struct checking {
	struct cmd_hive_options hive;
	bool notes;
};

struct verdict {
	const char *condition;
	struct check check;
	struct recovery recovery;
	char *unrecovered; /* why a dirty hive stays so, or NULL */
	char *dirty;       /* what its logs have to do with it, or NULL: it is clean */
};

/*
 * The hive as the kernel would see it, checked. A file that cannot be recovered is checked as
 * it is, so that the report says all there is to say.
 */
static bool judge(struct cmd *cmd, const struct source *source, const struct recover_options *how,
                  struct verdict *verdict, struct error *err)
{
	const struct recovery *recovery = &verdict->recovery;
	struct recover_options options = *how;
	struct image *image;

	options.in_place = true;
	image = recover(cmd->ctx, source, &options, &verdict->recovery, err);
	if (!image) {
		if (err->kind == ERROR_INTERNAL)
			return false;
		verdict->unrecovered = talloc_strdup(cmd->ctx, err->text);
		verdict->recovery = recover_unused(source);
	}
	if (!check_read(cmd->ctx, image ? image : source->hive, &verdict->check, err))
		return error_wrap(err, "%s", source->name);
	if (!image)
		verdict->dirty = verdict->unrecovered;
	else if (recovery->condition == RECOVER_REPLAYED)
		verdict->dirty = talloc_asprintf(
			cmd->ctx,
			"%u log entries would be applied when it is loaded; it was checked with "
			"them",
			recovery->entries);
	else if (recovery->condition == RECOVER_IGNORED)
		verdict->dirty = talloc_strdup(cmd->ctx, "it is dirty, and was checked as it is");
	verdict->condition = verdict->check.problems->worst > PROBLEM_NOTE ? "damaged"
	                     : verdict->dirty                              ? "dirty"
	                                                                   : "clean";
	return true;
}

static const char *what_windows_does(const struct verdict *verdict)
{
	if (verdict->unrecovered)
		return "refuses";
	switch (verdict->check.problems->worst) {
	case PROBLEM_FATAL:
		return "refuses";
	case PROBLEM_HEALS:
		return "heals";
	default:
		return "loads";
	}
}

/* The problems from one weight to another, with their weights. */
static json_t *problem_list(const struct problems *problems, enum problem_weight least,
                            enum problem_weight most)
{
	static const char *const weights[] = { "note", "odd", "heals", "fatal" };
	json_t *list = json_array();

	for (uint32_t i = 0; i < problems->count; i++) {
		const struct problem *problem = &problems->list[i];
		json_t *entry;

		if (problem->weight < least || problem->weight > most)
			continue;
		entry = json_pack("{s:I,s:s,s:o,s:s}", "offset", (json_int_t)problem->offset,
		                  "code", problem->code, "text", cmd_json_text(problem->text),
		                  "weight", weights[problem->weight]);
		if (problem->more)
			json_object_set_new(entry, "more", json_integer(problem->more));
		json_array_append_new(list, entry);
	}
	return list;
}

static void print_json(const struct verdict *verdict)
{
	json_t *object = json_pack("{s:s,s:I,s:I,s:i}", "condition", verdict->condition, "keys",
	                           (json_int_t)verdict->check.keys, "values",
	                           (json_int_t)verdict->check.values, "log_entries_applied",
	                           (int)verdict->recovery.entries);
	const struct problems *all = verdict->check.problems;
	json_t *problems = problem_list(all, PROBLEM_ODD, PROBLEM_FATAL);

	if (verdict->unrecovered)
		json_object_set_new(object, "unrecovered", cmd_json_text(verdict->unrecovered));
	if (verdict->dirty)
		json_array_append_new(problems,
		                      json_pack("{s:i,s:s,s:o,s:s}", "offset", 0, "code", "dirty",
		                                "text", cmd_json_text(verdict->dirty), "weight",
		                                verdict->unrecovered ? "fatal" : "odd"));
	json_object_set_new(object, "problems", problems);
	json_object_set_new(object, "notes", problem_list(all, PROBLEM_NOTE, PROBLEM_NOTE));
	json_object_set_new(object, "windows", json_string(what_windows_does(verdict)));
	json_object_set_new(object, "warnings", cmd_recovery_json(&verdict->recovery));
	cmd_json_print(object);
}

static void print_problem(const struct problem *problem)
{
	static const char *const weights[] = { "note", "Windows would load it as it is",
		                               "Windows would repair or drop it",
		                               "Windows would refuse the hive" };

	if (problem->offset == PROBLEM_NOWHERE)
		cmd_print("%s: %s [%s]", problem->code, problem->text, weights[problem->weight]);
	else
		cmd_print("0x%llx: %s: %s [%s]", (unsigned long long)problem->offset, problem->code,
		          problem->text, weights[problem->weight]);
	if (problem->more)
		cmd_print("    ... and %u more of %s", problem->more, problem->code);
}

static void print_text(const char *path, const struct verdict *verdict, bool notes)
{
	const struct problems *problems = verdict->check.problems;
	unsigned hidden = 0;

	for (uint32_t i = 0; i < problems->count; i++) {
		if (problems->list[i].weight == PROBLEM_NOTE && !notes)
			hidden += 1 + problems->list[i].more;
		else
			print_problem(&problems->list[i]);
	}
	cmd_print("%s: %s, %llu keys, %llu values", path, verdict->condition,
	          (unsigned long long)verdict->check.keys,
	          (unsigned long long)verdict->check.values);
	if (verdict->dirty)
		cmd_print("%s", verdict->dirty);
	if (hidden)
		cmd_print("%u harmless things that Windows leaves behind are not shown (--notes)",
		          hidden);
}

static int run(struct cmd *cmd, int argc, char **argv)
{
	struct checking checking = { 0 };
	const struct cmd_option options[] = {
		{ "notes", NULL, "also what is harmless", &checking.notes, NULL, NULL },
		CMD_HIVE_OPTIONS(&checking.hive),
		{ 0 },
	};
	struct verdict verdict = { 0 };
	struct hive_options how;
	struct source *source;
	struct error err;
	int status;

	if (!cmd_parse(cmd, argc, argv, options, 1, 1, &status))
		return status;
	how = cmd_hive_options(&checking.hive);
	source = cmd_source(cmd, cmd->args[0], &checking.hive, &err);
	if (source)
		cmd_progress(cmd, "checking", cmd->args[0]);
	if (!source || !judge(cmd, source, &how.recover, &verdict, &err))
		return cmd_fail(&err);
	if (cmd->json)
		print_json(&verdict);
	else
		print_text(cmd->args[0], &verdict, checking.notes);
	cmd_warn_recovery(cmd->args[0], &verdict.recovery);
	return cmd_end(strcmp(verdict.condition, "clean") == 0 ? 0 : ERROR_BAD_NEWS);
}

const struct command command_check = {
	.name = "check",
	.arguments = "HIVE",
	.summary = "what is wrong with a hive, by file offset",
	.help = "Checks HIVE as the kernel does when it loads it, and more: base block, bins, "
		"every cell,\n"
		"every reference, counts, order, hashes and security. Transaction logs beside it "
		"are\n"
		"applied first, in memory. Nothing is changed. Exit status 1: it is dirty or "
		"damaged.",
	.run = run,
};
