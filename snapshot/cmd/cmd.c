/* Options, messages and JSON for all commands. Text from disks is never printed raw. */
#include "snapshot/cmd/cmd.h"

#include <getopt.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>

/* --- text --- */

char *cmd_visible(TALLOC_CTX *ctx, const char *text)
{
	char *out = talloc_size(ctx, 4 * strlen(text) + 1), *at = out;

	if (!out)
		return NULL;
	for (const unsigned char *c = (const unsigned char *)text; *c; c++) {
		/* C1 controls are C2 80 to C2 9F; C0 80 stands for a NUL inside a name. */
		bool c1 = c[0] == 0xc2 && c[1] >= 0x80 && c[1] < 0xa0;
		bool nul = c[0] == 0xc0 && c[1] == 0x80;

		if (c1 || nul)
			at += sprintf(at, "\\x%02x", c1 ? c[1] : 0);
		else if (*c < 0x20 || *c == 0x7f)
			at += sprintf(at, "\\x%02x", *c);
		else
			*at++ = (char)*c;
		c += c1 || nul;
	}
	*at = '\0';
	talloc_set_name_const(out, "char");
	return out;
}

static void put(FILE *to, const char *prefix, const char *format, va_list args)
{
	char *text = talloc_vasprintf(NULL, format, args);
	char *shown = text ? cmd_visible(text, text) : NULL;

	fprintf(to, "%s%s\n", prefix, shown ? shown : "out of memory");
	talloc_free(text);
}

void cmd_message(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	put(stderr, "clusnap: ", format, args);
	va_end(args);
}

void cmd_note(const struct cmd *cmd, const char *format, ...)
{
	va_list args;

	if (cmd->quiet)
		return;
	va_start(args, format);
	put(stderr, "clusnap: ", format, args);
	va_end(args);
}

void cmd_print(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	put(stdout, "", format, args);
	va_end(args);
}

int cmd_fail(const struct error *err)
{
	cmd_message("%s", err->text);
	return (int)err->kind;
}

int cmd_end(int status)
{
	if (fflush(stdout) != 0 || ferror(stdout)) {
		cmd_message("standard output: cannot write");
		return ERROR_DESTINATION;
	}
	return status;
}

char *cmd_time(TALLOC_CTX *ctx, uint64_t filetime)
{
	const uint64_t second = 10000000, to_1970 = 11644473600u;
	time_t seconds = (time_t)(filetime / second) - (time_t)to_1970;
	struct tm parts;
	char day[64];

	if (filetime == 0)
		return talloc_strdup(ctx, "never");
	if (!gmtime_r(&seconds, &parts) || !strftime(day, sizeof(day), "%Y-%m-%dT%H:%M:%S", &parts))
		return talloc_asprintf(ctx, "0x%016" PRIx64, filetime);
	return talloc_asprintf(ctx, "%s.%07" PRIu64 "Z", day, filetime % second);
}

/* --- options --- */

static const struct cmd_option none[] = { { 0 } };

static void help(const struct cmd *cmd, const struct cmd_option *options)
{
	const struct command *command = cmd->command;

	printf("usage: clusnap %s [OPTION...] %s\n\n%s\n\n", command->name, command->arguments,
	       command->help);
	for (; options->name; options++) {
		char left[64];

		snprintf(left, sizeof(left), "--%s%s%s", options->name, options->value ? " " : "",
		         options->value ? options->value : "");
		printf("  %-24s %s\n", left, options->help);
	}
	printf("  %-24s %s\n", "--json", "one JSON document on standard output");
	printf("  %-24s %s\n", "--quiet", "no messages but errors");
	printf("  %-24s %s\n", "--progress WHEN",
	       "auto, always or never: progress on standard error");
	printf("  %-24s %s\n", "--help", "this text");
	printf("\nExit status: 0 done; 1 done, and the answer is bad news; 2 wrong usage; 3 "
	       "refused for\n"
	       "safety; 4 a source is unreadable or malformed; 5 the destination could not be "
	       "written.\n");
}

int cmd_usage(const struct cmd *cmd, const char *why)
{
	cmd_message("%s: %s; usage: clusnap %s [OPTION...] %s (--help tells more)",
	            cmd->command->name, why, cmd->command->name, cmd->command->arguments);
	return ERROR_USAGE;
}

static bool set_progress(struct cmd *cmd, const char *when)
{
	static const char *const names[] = { "auto", "always", "never" };

	for (unsigned i = 0; i < 3; i++) {
		if (strcmp(when, names[i]) == 0) {
			cmd->progress = i;
			return true;
		}
	}
	return false;
}

static bool append(TALLOC_CTX *ctx, char ***list, char *value)
{
	size_t count = *list ? talloc_array_length(*list) : 1;
	char **longer = talloc_realloc(ctx, *list, char *, (unsigned)count + 1);

	if (!longer)
		return false;
	longer[count - 1] = value;
	longer[count] = NULL;
	*list = longer;
	return true;
}

/* NULL, or why the option cannot be taken. */
static const char *take(struct cmd *cmd, const struct cmd_option *option, char *value)
{
	if (option->flag)
		*option->flag = true;
	else if (option->list)
		return append(cmd->ctx, option->list, value) ? NULL : "out of memory";
	else if (*option->text)
		return "an option is given twice";
	else
		*option->text = value;
	return NULL;
}

enum { OPTION_HELP = 1, OPTION_JSON, OPTION_QUIET, OPTION_PROGRESS, OPTION_OWN };

static struct option *long_options(struct cmd *cmd, const struct cmd_option *options)
{
	static const struct option common[] = { { "help", no_argument, NULL, OPTION_HELP },
		                                { "json", no_argument, NULL, OPTION_JSON },
		                                { "quiet", no_argument, NULL, OPTION_QUIET },
		                                { "progress", required_argument, NULL,
		                                  OPTION_PROGRESS } };
	unsigned count = 0, fixed = sizeof(common) / sizeof(common[0]);
	struct option *all;

	while (options[count].name)
		count++;
	all = talloc_zero_array(cmd->ctx, struct option, count + fixed + 1);
	if (!all)
		return NULL;
	memcpy(all, common, sizeof(common));
	for (unsigned i = 0; i < count; i++)
		all[fixed + i] =
			(struct option){ options[i].name,
			                 options[i].value ? required_argument : no_argument, NULL,
			                 OPTION_OWN + (int)i };
	return all;
}

bool cmd_parse(struct cmd *cmd, int argc, char **argv, const struct cmd_option *options, int least,
               int most, int *status)
{
	struct option *all = long_options(cmd, options ? options : none);
	const char *why = all ? NULL : "out of memory";
	int option;

	if (!options)
		options = none;
	opterr = 0;
	optind = 1;
	while (!why && (option = getopt_long(argc, argv, ":", all, NULL)) != -1) {
		if (option == OPTION_HELP) {
			help(cmd, options);
			*status = cmd_end(0);
			return false;
		}
		if (option == OPTION_JSON)
			cmd->json = true;
		else if (option == OPTION_QUIET)
			cmd->quiet = true;
		else if (option == OPTION_PROGRESS && !set_progress(cmd, optarg))
			why = "--progress takes auto, always or never";
		else if (option == ':')
			why = "an option lacks its value";
		else if (option == '?')
			why = talloc_asprintf(cmd->ctx, "unknown option %s", argv[optind - 1]);
		else if (option >= OPTION_OWN)
			why = take(cmd, &options[option - OPTION_OWN], optarg);
	}
	cmd->args = argv + optind;
	cmd->count = argc - optind;
	if (!why && cmd->count < least)
		why = "an argument is missing";
	if (!why && most >= 0 && cmd->count > most)
		why = "there are too many arguments";
	if (why)
		*status = cmd_usage(cmd, why);
	return !why;
}

/* --- JSON --- */

/* The length of a well-formed UTF-8 sequence at AT; 0 if it is none (WTF-8 has more). */
static unsigned utf8_length(const unsigned char *at)
{
	if (at[0] < 0x80)
		return 1;
	if (at[0] >= 0xc2 && at[0] < 0xe0 && (at[1] & 0xc0) == 0x80)
		return 2;
	if ((at[0] & 0xf0) == 0xe0 && (at[1] & 0xc0) == 0x80 && (at[2] & 0xc0) == 0x80 &&
	    !(at[0] == 0xe0 && at[1] < 0xa0) && !(at[0] == 0xed && at[1] >= 0xa0))
		return 3;
	if (at[0] >= 0xf0 && at[0] < 0xf5 && (at[1] & 0xc0) == 0x80 && (at[2] & 0xc0) == 0x80 &&
	    (at[3] & 0xc0) == 0x80 && !(at[0] == 0xf0 && at[1] < 0x90) &&
	    !(at[0] == 0xf4 && at[1] >= 0x90))
		return 4;
	return 0;
}

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
		unsigned size = utf8_length(at);

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
		entry = json_pack("{s:s,s:o}", "code", problem->code, "text",
		                  cmd_json_text(problem->text));
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

void cmd_json_print(json_t *object)
{
	json_object_set_new(object, "schema", json_integer(1));
	/* In ASCII, because a text may hold controls of above 0x7f too. */
	json_dumpf(object, stdout, JSON_INDENT(1) | JSON_SORT_KEYS | JSON_ENSURE_ASCII);
	putchar('\n');
	json_decref(object);
}

/* --- hives --- */

struct source *cmd_source(struct cmd *cmd, const char *path, const struct cmd_hive_options *options,
                          struct error *err)
{
	struct source *source = options->logs ? source_read_alone(cmd->ctx, path, err)
	                                      : source_read_path(cmd->ctx, path, err);

	for (char **log = options->logs; source && log && *log; log++) {
		if (!source_add_log(source, *log, err))
			return NULL;
	}
	return source;
}

struct hive_options cmd_hive_options(const struct cmd_hive_options *options)
{
	return (struct hive_options){
		.recover = { .ignore_logs = options->ignore_logs, .relaxed = options->relaxed },
	};
}

void cmd_say_recovery(const struct cmd *cmd, const struct hive *hive)
{
	const struct recovery *recovery = hive_recovery(hive);

	for (uint32_t i = 0; i < recovery->message_count; i++)
		cmd_note(cmd, "%s: %s", hive_name(hive), recovery->messages[i]);
	if (recovery->condition == RECOVER_IGNORED)
		cmd_message("%s: warning: it is dirty and read as it is; what its logs hold is not "
		            "in it",
		            hive_name(hive));
	if (recovery->log_missing && recovery->condition == RECOVER_REPLAYED)
		cmd_message("%s: warning: only one of .LOG1 and .LOG2 is there; later changes may "
		            "be in "
		            "the other",
		            hive_name(hive));
	if (recovery->transactions)
		cmd_message("%s: warning: kernel transactions may be pending (.blf or .container "
		            "files, "
		            "or the flag in the hive); they are not replayed",
		            hive_name(hive));
}

static bool same_file(const char *a, const char *b)
{
	struct stat st_a, st_b;

	return stat(a, &st_a) == 0 && stat(b, &st_b) == 0 && st_a.st_dev == st_b.st_dev &&
	       st_a.st_ino == st_b.st_ino;
}

bool cmd_out_is_no_source(const char *out, const char *source_path, const struct source *source,
                          struct error *err)
{
	const char *slash = strrchr(source_path, '/');
	int folder = slash ? (int)(slash - source_path) + 1 : 0;
	bool same = same_file(out, source_path);

	for (unsigned i = 0; !same && i < SOURCE_LOGS; i++) {
		char *log;

		if (!source->logs[i].name)
			continue;
		log = talloc_asprintf(NULL, "%.*s%s", folder, source_path, source->logs[i].name);
		same = log && same_file(out, log);
		talloc_free(log);
	}
	if (same)
		return error_set(
			err, ERROR_REFUSED,
			"%s: is a source of this command, which never changes its sources; "
			"name another file",
			out);
	return true;
}
