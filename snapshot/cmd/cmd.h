/*
 * cmd: what the commands of the program share. One file a command: parse, call, print.
 *
 * Results go to standard output, messages to standard error as "clusnap: what: why".
 * A command returns the exit status (enum error_kind).
 */
#ifndef SNAPSHOT_CMD_CMD_H
#define SNAPSHOT_CMD_CMD_H

#include <jansson.h>

#include "checkpoint/copy.h"
#include "checkpoint/disk/system.h"
#include "hive/hive.h"

struct cmd {
	TALLOC_CTX *ctx; /* lives as long as the command */
	const struct command *command;
	bool json, quiet;
	enum { PROGRESS_AUTO, PROGRESS_ALWAYS, PROGRESS_NEVER } progress;
	char **args; /* what is not an option */
	int count;
};

/* An option of one command; the list ends with a NULL name. */
struct cmd_option {
	const char *name;  /* without "--" */
	const char *value; /* what its value is called in the help, or NULL: a flag */
	const char *help;
	bool *flag;        /* set to true */
	const char **text; /* set to the value; given twice is an error */
	char ***list;      /* the value is appended: a NULL-terminated talloc array on ctx */
};

struct command {
	const char *name;      /* "save", "checkpoint list" */
	const char *arguments; /* "HIVE KEY OUT" */
	const char *summary;   /* one line, for the list of commands */
	const char *help;      /* some lines more */
	int (*run)(struct cmd *cmd, int argc, char **argv);
};

extern const struct command command_backup, command_check, command_checkpoint_add,
	command_checkpoint_list, command_checkpoint_remove, command_diff, command_edit,
	command_export, command_extract, command_log, command_recover, command_restore,
	command_save, command_show, command_status, command_undo, command_verify;

/*
 * Parses argv[1..]; OPTIONS may be NULL. Between LEAST and MOST arguments must remain (MOST -1:
 * any number). True: go on; false: *STATUS is the exit status (--help, or wrong usage).
 */
bool cmd_parse(struct cmd *cmd, int argc, char **argv, const struct cmd_option *options, int least,
               int most, int *status);

/* Is --json among the words after the first, as far as they can be options? */
bool cmd_wants_json(int argc, char **argv);

/* Says what is wrong with the usage; the exit status. */
int cmd_usage(const struct cmd *cmd, const char *why);

/* "clusnap: TEXT" on standard error, control characters made visible. */
void cmd_message(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The same unless --quiet. */
void cmd_note(const struct cmd *cmd, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* "clusnap: STEP: WHAT" if progress is wanted: always, never, or on a terminal. */
void cmd_progress(const struct cmd *cmd, const char *step, const char *what);

/* The message of an error; its exit status. */
int cmd_fail(const struct error *err);

/* Prints a line of results, control characters made visible. */
void cmd_print(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The length of a well-formed UTF-8 sequence at AT; 0 if it is none (WTF-8 has more). */
unsigned cmd_utf8_length(const unsigned char *at);

/* Is the character set of the locale UTF-8? */
bool cmd_locale_is_utf8(void);

/*
 * Text from a disk as it may be shown on a terminal, on CTX: control characters, and bytes that
 * are no UTF-8, as \xNN.
 */
char *cmd_visible(TALLOC_CTX *ctx, const char *text);

/* Flushes standard output; STATUS, or 5 if not all could be written. */
int cmd_end(int status);

/* The data of a value as one line, on CTX: a secret one is masked, a long one cut. */
char *cmd_value_text(TALLOC_CTX *ctx, const struct hive *hive, const struct hive_value *value,
                     bool secret, struct error *err);

/* The first MOST bytes in hexadecimal, and how many there are if that is not all; on CTX. */
char *cmd_hex(TALLOC_CTX *ctx, struct bytes data, uint32_t most);

/* --- JSON --- */

/* A JSON string of WTF-8 text; what has no place in JSON becomes U+FFFD. NULL gives null. */
json_t *cmd_json_text(const char *text);

/* Adds "problems": [{"code","text"}] under NAME, with "offset" where there is one. */
void cmd_json_problems(json_t *object, const char *name, const struct problems *problems,
                       enum problem_weight least);

/* With --json a command that fails says so on standard output too, unless it has begun. */
void cmd_json_failure(int status, const char *why);

/* A document is being written piece by piece. */
void cmd_json_begun(void);

/* The text of the last message, or "". */
const char *cmd_last_message(void);

/* Prints the document with "schema": 1 and frees it. */
void cmd_json_print(json_t *object);

/* FILETIME as ISO 8601 UTC, on CTX; "never" for 0. */
char *cmd_time(TALLOC_CTX *ctx, uint64_t filetime);

/* --- hives that commands work on --- */

struct cmd_hive_options {
	bool ignore_logs, relaxed;
	char **logs; /* --log FILE, repeatable */
};

/* The options as rows of a cmd_option list: for whole disks, and for a single hive. */
#define CMD_DISK_OPTIONS(o)                                                                        \
	{ "ignore-logs", NULL, "read dirty hives as they are", &(o)->ignore_logs, NULL, NULL },    \
	{                                                                                          \
		"relaxed", NULL, "take old-format logs that are newer than their hive",            \
			&(o)->relaxed, NULL, NULL                                                  \
	}
#define CMD_HIVE_OPTIONS(o)                                                                        \
	{ "log", "FILE", "use this transaction log, not those beside the hive (repeatable)",       \
	  NULL,  NULL,   &(o)->logs },                                                             \
		CMD_DISK_OPTIONS(o)

/* Reads HIVE and its logs as the options say. */
struct source *cmd_source(struct cmd *cmd, const char *path, const struct cmd_hive_options *options,
                          struct error *err);

struct hive_options cmd_hive_options(const struct cmd_hive_options *options);

/* A HIVE or a SNAPSHOT (its newest state, or SNAPSHOT@SEQ) as an open hive. */
struct hive *cmd_hive(struct cmd *cmd, const char *path, const struct hive_options *options,
                      struct error *err);

/* All of standard input, as a sealed image. */
struct image *cmd_standard_input(TALLOC_CTX *ctx, struct error *err);

/* Is it a cluster's database? Then values that are known to hold secrets are masked. */
bool cmd_is_cluster_hive(const struct hive *hive);

/* The number of a transaction; false if TEXT is none. */
bool cmd_sequence(const char *text, uint64_t *sequence);

/* Says on standard error what recovery did, and what it could not see. */
void cmd_say_recovery(const struct cmd *cmd, const struct hive *hive);

/*
 * hive_open(), and what recovery did is said before anything else: it may be why the hive is
 * found damaged.
 */
struct hive *cmd_open(struct cmd *cmd, const struct source *source,
                      const struct hive_options *options, struct error *err);

/* What it could not see, on standard error and as an array of {code, text}. */
void cmd_warn_recovery(const char *name, const struct recovery *recovery);
json_t *cmd_recovery_json(const struct recovery *recovery);

/*
 * The database of a SYSTEM or of a SNAPSHOT (its newest state): copy->system is NULL for a
 * snapshot. False with the error for one that has none that can be read.
 */
bool cmd_copy(struct cmd *cmd, const char *path, const struct hive_options *options,
              struct copy *copy, struct error *err);

struct checkpoints;

/* The checkpoints of such a copy; for a snapshot with the files that are in it. */
bool cmd_checkpoints(struct cmd *cmd, const struct copy *copy, struct checkpoints *checkpoints,
                     struct error *err);

/*
 * Refuses OUT (ERROR_REFUSED) if it is SOURCE_PATH or one of the files of SOURCE (which may be
 * NULL), or would lie inside a snapshot.
 */
bool cmd_out_is_no_source(const char *out, const char *source_path, const struct source *source,
                          struct error *err);

#endif
