/* The table of commands, and which of them is meant. */
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>

#include "checkpoint/disk/ntfs.h"
#include "snapshot/cmd/cmd.h"

static const struct command *const commands[] = {
	&command_status,
	&command_show,
	&command_backup,
	&command_verify,
	&command_log,
	&command_extract,
	&command_edit,
	&command_checkpoint_list,
	&command_checkpoint_add,
	&command_checkpoint_remove,
	&command_restore,
	&command_undo,
	&command_recover,
	&command_save,
	&command_check,
	&command_export,
	&command_diff,
};

#define COMMANDS (sizeof(commands) / sizeof(commands[0]))

static void help(FILE *to)
{
	fprintf(to, "usage: clusnap COMMAND [OPTION...] ARGUMENT...\n\n"
	            "Backs up the configuration of Windows failover cluster nodes "
	            "that are\n"
	            "down, from their system disks.\n\n");
	for (unsigned i = 0; i < COMMANDS; i++)
		fprintf(to, "  %-18s %s\n", commands[i]->name, commands[i]->summary);
	fprintf(to,
	        "\n`clusnap COMMAND --help` tells more; clusnap(1) is the manual.\n"
	        "A volume on a device or in an image is read without mounting it, or mounted with\n"
	        "  ntfs-3g -o ro,norecover,nodev,nosuid,noexec,umask=077 DEVICE DIRECTORY\n");
}

/* The words of a command's name that argv begins with; 0 if it is another. */
static int words_matched(const char *name, int argc, char **argv)
{
	int words = 0;

	while (*name) {
		size_t size = strcspn(name, " ");

		if (words >= argc || strlen(argv[words]) != size ||
		    memcmp(argv[words], name, size) != 0)
			return 0;
		name += size + (name[size] == ' ');
		words++;
	}
	return words;
}

static int run(const struct command *command, int argc, char **argv)
{
	struct cmd cmd = { .ctx = talloc_new(NULL), .command = command };
	int status;

	if (!cmd.ctx) {
		cmd_message("out of memory");
		return ERROR_INTERNAL;
	}
	status = command->run(&cmd, argc, argv);
	if (cmd.json && status != 0)
		cmd_json_failure(status, cmd_last_message());
	talloc_free(cmd.ctx);
	return status;
}

/*
 * Names are UTF-8 whatever the locale says: on a rescue stick it usually says nothing. Where there
 * is no UTF-8 locale at all, snapshot/cmd/cmd_table.c knows what to do.
 */
static void set_locale(void)
{
	if (!setlocale(LC_CTYPE, "") || !cmd_locale_is_utf8())
		setlocale(LC_CTYPE, "C.UTF-8");
}

/* A restore holds every file that it writes to open: on a quorum disk that can be a thousand. */
static void allow_files(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
		return;
	limit.rlim_cur = limit.rlim_max;
	(void)setrlimit(RLIMIT_NOFILE, &limit);
}

int main(int argc, char **argv)
{
	set_locale();
	allow_files();
	signal(SIGPIPE, SIG_IGN); /* a closed pipe is an error of write(), not a death */
	if (argc < 2) {
		help(stderr);
		return ERROR_USAGE;
	}
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "help") == 0) {
		help(stdout);
		return cmd_end(0);
	}
	if (strcmp(argv[1], "--version") == 0) {
		puts("clusnap 0.2");
		puts(ntfs_library());
		return cmd_end(0);
	}
	for (unsigned i = 0; i < COMMANDS; i++) {
		int words = words_matched(commands[i]->name, argc - 1, argv + 1);

		if (words)
			return run(commands[i], argc - words, argv + words);
	}
	if (strcmp(argv[1], "checkpoint") == 0)
		cmd_message("checkpoint: which one: checkpoint list, add or remove?");
	else
		cmd_message("%s: no such command (--help lists them)", argv[1]);
	if (cmd_wants_json(argc, argv))
		cmd_json_failure(ERROR_USAGE, cmd_last_message());
	return ERROR_USAGE;
}
