/*
 * clusnap checkpoint list: Get-ClusterCheckpoint, with where each one is on this disk, and
 * whether the key, the snapshot's image and the quorum disk's are equal.
 */
#include "snapshot/cmd/cmd_table.h"
#include "snapshot/layout.h"
#include "snapshot/places.h"

struct list {
	struct checkpoints checkpoints;
	struct places *places; /* of each; NULL: nobody has asked */
	unsigned asked;        /* the places that were named */
	bool compare;          /* there are two of them, at least */
};

/* --- JSON --- */

static void places_json(json_t *object, const struct places *places)
{
	static const enum place all[] = { PLACES_LIVE, PLACES_SNAPSHOT, PLACES_QUORUM };
	json_t *differs = json_array(), *equal = json_null();

	for (unsigned i = 0; i < PLACES; i++) {
		char hex[DIGEST_HEX];
		bool there = places->there & PLACES_BIT(all[i]);

		digest_hex(places->digest[all[i]], hex);
		json_object_set_new(object, places_name(all[i]),
		                    there ? json_string(hex) : json_null());
		if (places->odd & PLACES_BIT(all[i]))
			json_array_append_new(differs, json_string(places_name(all[i])));
	}
	if (places->verdict != PLACES_UNKNOWN)
		equal = json_boolean(places->verdict == PLACES_EQUAL);
	json_object_set_new(object, "equal", equal);
	json_object_set_new(object, "differs", differs);
}

static json_t *checkpoint_json(const struct checkpoint *checkpoint, const struct places *places)
{
	bool registry = checkpoint->type == CHECKPOINT_REGISTRY;
	json_t *object = json_object();

	json_object_set_new(object, "resource", cmd_json_text(checkpoint->resource));
	json_object_set_new(object, "resource_name", cmd_json_text(checkpoint->resource_name));
	json_object_set_new(object, "id", cmd_json_text(checkpoint->id));
	json_object_set_new(object, "type", json_string(registry ? "registry" : "crypto"));
	json_object_set_new(object, "path", cmd_json_text(checkpoint->path));
	json_object_set_new(object, "hive",
	                    cmd_json_text(registry ? checkpoint->where.file : NULL));
	json_object_set_new(object, "key", cmd_json_text(registry ? checkpoint->where.key : NULL));
	json_object_set_new(object, "present", json_boolean(checkpoint->present));
	json_object_set_new(object, "file",
	                    cmd_json_text(checkpoint->present ? checkpoint->file : NULL));
	if (!registry) {
		json_object_set_new(object, "provider_type",
		                    json_integer(checkpoint->provider_type));
		json_object_set_new(object, "provider", cmd_json_text(checkpoint->provider));
		json_object_set_new(object, "container", cmd_json_text(checkpoint->container));
		json_object_set_new(object, "key_file", cmd_json_text(checkpoint->key_file));
	}
	places_json(object, places);
	cmd_json_problems(object, "problems", checkpoint->problems, PROBLEM_NOTE);
	return object;
}

static void print_json(const struct list *list)
{
	const struct checkpoints *checkpoints = &list->checkpoints;
	json_t *object = json_object(), *array = json_array();

	for (uint32_t i = 0; i < checkpoints->count; i++)
		json_array_append_new(array,
		                      checkpoint_json(&checkpoints->list[i], &list->places[i]));
	json_object_set_new(object, "checkpoints", array);
	cmd_json_problems(object, "problems", checkpoints->problems, PROBLEM_NOTE);
	cmd_json_print(object);
}

/* --- text --- */

/* Of a database alone nobody knows what is on its node's disk. */
static const char *state(const struct checkpoint *checkpoint)
{
	if (checkpoint->present)
		return "present";
	return checkpoint->looked ? "missing" : "unknown";
}

/* " (none: live, quorum)" */
static char *append_places(char *text, const char *word, unsigned set)
{
	const char *before = " (";

	for (unsigned place = 0; text && place < PLACES; place++) {
		if (!(set & PLACES_BIT(place)))
			continue;
		text = talloc_asprintf_append(text, "%s%s%s", before, *before == ' ' ? word : "",
		                              places_name((enum place)place));
		before = ", ";
	}
	return text && set ? talloc_strdup_append(text, ")") : text;
}

/* "equal", "differs: quorum", "-", and which of the places that were named have none. */
static char *comparison(struct cmd *cmd, const struct list *list, uint32_t i)
{
	const struct places *places = &list->places[i];
	bool registry = list->checkpoints.list[i].type == CHECKPOINT_REGISTRY;
	unsigned none = list->asked & ~places->there & ~places->damaged;
	const char *before = ": ";
	char *text;

	if (!registry)
		none &= ~PLACES_BIT(PLACES_LIVE);
	text = talloc_strdup(cmd->ctx, places->verdict == PLACES_EQUAL    ? "equal"
	                               : places->verdict == PLACES_DIFFER ? "differs"
	                                                                  : "-");
	for (unsigned place = 0; text && place < PLACES; place++) {
		if (!(places->odd & PLACES_BIT(place)))
			continue;
		text = talloc_asprintf_append(text, "%s%s", before, places_name((enum place)place));
		before = ", ";
	}
	text = append_places(text, "none: ", none);
	return append_places(text, "damaged: ", places->damaged);
}

enum { COLUMNS = 6 }; /* the last but one only if there is something to compare */

static bool add_line(struct cmd *cmd, struct libscols_table *table, const struct list *list,
                     uint32_t row)
{
	const struct checkpoint *checkpoint = &list->checkpoints.list[row];
	bool registry = checkpoint->type == CHECKPOINT_REGISTRY;
	const char *cells[COLUMNS] = { checkpoint->resource_name ? checkpoint->resource_name
		                                                 : checkpoint->resource,
		                       checkpoint->id,
		                       registry ? "registry" : "crypto",
		                       state(checkpoint),
		                       list->compare ? comparison(cmd, list, row) : "",
		                       checkpoint->path };
	struct libscols_line *line = scols_table_new_line(table, NULL);

	for (unsigned i = 0, column = 0; i < COLUMNS; i++) {
		if (i == 4 && !list->compare)
			continue;
		if (!cells[i] || !cmd_table_cell(cmd->ctx, line, column++, cells[i]))
			return false;
	}
	return true;
}

static bool print_table(struct cmd *cmd, const struct list *list, struct error *err)
{
	static const char *const names[COLUMNS] = { "RESOURCE", "ID",     "TYPE",
		                                    "STATE",    "COPIES", "PATH" };
	const struct checkpoints *checkpoints = &list->checkpoints;
	struct libscols_table *table = cmd_table_new();
	bool done = table != NULL;

	for (unsigned i = 0; done && i < COLUMNS; i++)
		done = (i == 4 && !list->compare) ||
		       scols_table_new_column(table, names[i], 0, 0) != NULL;
	for (uint32_t i = 0; done && i < checkpoints->count; i++)
		done = add_line(cmd, table, list, i);
	if (!done)
		error_memory(err);
	else if (checkpoints->count && scols_print_table(table) != 0)
		done = error_set(err, ERROR_DESTINATION, "standard output: cannot write");
	scols_unref_table(table);
	return done;
}

static bool print_text(struct cmd *cmd, const struct list *list, struct error *err)
{
	const struct checkpoints *checkpoints = &list->checkpoints;

	if (!print_table(cmd, list, err))
		return false;
	if (checkpoints->count == 0 && !cmd->quiet)
		cmd_print("no checkpoints are registered");
	for (uint32_t i = 0; i < checkpoints->problems->count; i++) {
		const struct problem *problem = &checkpoints->problems->list[i];

		cmd_print("%s: %s", problem->code, problem->text);
		if (problem->more)
			cmd_print("... and %u more of %s", problem->more, problem->code);
	}
	return true;
}

/* --- the three places --- */

/* --with: the other one of a node's disk and a snapshot. */
static bool take_with(struct cmd *cmd, const char *with, const struct copy *copy,
                      struct places_options *options, struct error *err)
{
	bool first = layout_has_log(copy->path);
	struct copy other;

	if (layout_has_log(with) == first || (!first && !copy->system))
		return error_set(err, ERROR_USAGE,
		                 "--with compares a node's disk with a snapshot: %s and %s are not "
		                 "one of each",
		                 copy->path, with);
	if (!first) {
		options->snapshot = with;
		return true;
	}
	if (!copy_open(cmd->ctx, with, &options->hive, &other, err))
		return false;
	if (!other.system)
		return error_set(err, ERROR_USAGE, "--with %s: is no node's disk", with);
	if (other.hive && !cluster_same(&copy->cluster, &other.cluster))
		return error_set(err, ERROR_REFUSED, "%s: is of another cluster, %s", with,
		                 other.cluster.name ? other.cluster.name : "without a name");
	options->live = other.system;
	return true;
}

static bool compare(struct cmd *cmd, const struct copy *copy, const char *with,
                    struct places_options *options, struct list *list, struct error *err)
{
	options->cluster = &copy->cluster;
	options->generation = copy->cluster.generation;
	if (layout_has_log(copy->path))
		options->snapshot = copy->path;
	else
		options->live = copy->system;
	if (with && !take_with(cmd, with, copy, options, err))
		return false;
	list->asked = (options->live ? PLACES_BIT(PLACES_LIVE) : 0) |
	              (options->snapshot ? PLACES_BIT(PLACES_SNAPSHOT) : 0) |
	              (options->quorum ? PLACES_BIT(PLACES_QUORUM) : 0);
	list->compare = with || options->quorum;
	if (!list->compare && !cmd->json)
		return true;
	return places_compare(cmd->ctx, options, &list->checkpoints, &list->places, err);
}

/* Bad news, if somebody has asked for a comparison: something differs, or cannot be compared. */
static int status_of(const struct list *list)
{
	for (uint32_t i = 0; list->compare && i < list->checkpoints.count; i++) {
		if (list->places[i].verdict == PLACES_DIFFER || list->places[i].damaged)
			return ERROR_BAD_NEWS;
	}
	return 0;
}

static int run(struct cmd *cmd, int argc, char **argv)
{
	struct cmd_hive_options hive = { 0 };
	struct places_options from = { 0 };
	const char *with = NULL;
	const struct cmd_option options[] = {
		{ "quorum", "DIR", "compare with the images on a mounted quorum disk", NULL,
		  &from.quorum, NULL },
		{ "with", "PATH", "compare with a SNAPSHOT, or for one with a node's disk", NULL,
		  &with, NULL },
		CMD_DISK_OPTIONS(&hive),
		{ 0 }
	};
	struct list list = { .places = NULL };
	struct copy copy;
	struct error err;
	int status;

	if (!cmd_parse(cmd, argc, argv, options, 1, 1, &status))
		return status;
	from.hive = cmd_hive_options(&hive);
	if (!cmd_copy(cmd, cmd->args[0], &from.hive, &copy, &err) ||
	    !cmd_checkpoints(cmd, &copy, &list.checkpoints, &err) ||
	    !compare(cmd, &copy, with, &from, &list, &err))
		return cmd_fail(&err);
	if (cmd->json)
		print_json(&list);
	else if (!print_text(cmd, &list, &err))
		return cmd_fail(&err);
	return cmd_end(status_of(&list));
}

const struct command command_checkpoint_list = {
	.name = "checkpoint list",
	.arguments = "SYSTEM|SNAPSHOT",
	.summary = "registry and crypto checkpoints, and where they are (Get-ClusterCheckpoint)",
	.help = "Lists what resources registered under RegSync and CryptoSync. For a SYSTEM it "
		"says whether\n"
		"the key (or the key container's file) is on that disk, for a SNAPSHOT whether its "
		"file is\n"
		"there, and in both cases what is wrong with the registrations.\n"
		"With --quorum or --with it says, too, whether the key on the node's disk, the "
		"snapshot's\n"
		"image and the quorum disk's image are equal, and if not, what Windows will do.",
	.run = run,
};
