/* Options and messages of all commands. Text from disks is never printed raw. */
#include "snapshot/cmd/cmd.h"

#include <getopt.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* --- messages --- */

/* What was said last on standard error, for --json. */
static char last_message[1024];

static void put(FILE *to, const char *prefix, const char *format, va_list args)
{
	char *text = talloc_vasprintf(NULL, format, args);
	char *shown = text ? cmd_visible(text, text) : NULL;

	fprintf(to, "%s%s\n", prefix, shown ? shown : "out of memory");
	if (to == stderr)
		snprintf(last_message, sizeof(last_message), "%s", shown ? shown : "out of memory");
	talloc_free(text);
}

const char *cmd_last_message(void)
{
	return last_message;
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

void cmd_progress(const struct cmd *cmd, const char *step, const char *what)
{
	bool wanted = cmd->progress == PROGRESS_ALWAYS ||
	              (cmd->progress == PROGRESS_AUTO && !cmd->quiet && isatty(STDERR_FILENO));

	if (wanted)
		cmd_message("%s: %s", step, what);
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
	       "written;\n6 an interrupted restore is waiting for --resume or --rollback.\n");
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

bool cmd_wants_json(int argc, char **argv)
{
	for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++) {
		if (strcmp(argv[i], "--json") == 0)
			return true;
	}
	return false;
}

/* What getopt_long() did not take: OPTION is ':' or '?', TEXT the word that it stopped at. */
static const char *not_taken(const struct cmd *cmd, int option, const char *text)
{
	bool is_long = strncmp(text, "--", 2) == 0;

	if (option == ':')
		return talloc_asprintf(cmd->ctx, "%s lacks its value", text);
	if (optopt && is_long)
		return talloc_asprintf(cmd->ctx, "%.*s takes no value", (int)strcspn(text, "="),
		                       text);
	if (optopt)
		return talloc_asprintf(cmd->ctx, "unknown option -%c", optopt);
	return talloc_asprintf(cmd->ctx, "unknown option %s", text);
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
		else if (option == ':' || option == '?')
			why = not_taken(cmd, option, argv[optind - 1]);
		else if (option >= OPTION_OWN)
			why = take(cmd, &options[option - OPTION_OWN], optarg);
	}
	cmd->args = argv + optind;
	cmd->count = argc - optind;
	if (!why && cmd->count < least)
		why = "an argument is missing";
	if (!why && most >= 0 && cmd->count > most)
		why = "there are too many arguments";
	if (why) {
		/* it may stand behind the word that is wrong */
		cmd->json = cmd->json || cmd_wants_json(argc, argv);
		*status = cmd_usage(cmd, why);
	}
	return !why;
}
