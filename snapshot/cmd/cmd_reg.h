/* .reg text as output: to standard output, or published as a file. */
#ifndef SNAPSHOT_CMD_CMD_REG_H
#define SNAPSHOT_CMD_CMD_REG_H

#include "hive/reg.h"
#include "snapshot/cmd/cmd.h"

struct cmd_reg {
	const char *root;   /* path of the hive's root key; NULL: by the name of its file */
	const char *output; /* FILE, or NULL: standard output */
	bool utf8;
	uint32_t leave_out; /* CHANGE_BITs that nobody wants to hear of */
};

/* Rows of a cmd_option list; O has the members utf8, root and output. */
#define CMD_REG_OPTIONS(o)                                                                         \
	{ "utf8", NULL, "UTF-8 with LF instead of UTF-16LE with CR LF", &(o)->utf8, NULL, NULL },  \
		{ "root",                                                                          \
		  "PATH",                                                                          \
		  "what stands before every key (default: HKEY_LOCAL_MACHINE\\NAME)",              \
		  NULL,                                                                            \
		  &(o)->root,                                                                      \
		  NULL },                                                                          \
	{                                                                                          \
		"output", "FILE", "write the .reg text to FILE, not to standard output", NULL,     \
			&(o)->output, NULL                                                         \
	}

struct cmd_reg_done {
	uint64_t changes;
	uint64_t names_left_out; /* of them, because .reg text cannot hold a name in them */
};

/*
 * Writes what turns A into B, with the paths of A; A is NULL for an export. What .reg cannot say
 * is said.
 */
bool cmd_reg_write(struct cmd *cmd, const struct cmd_reg *reg, const struct hive *a,
                   const struct hive_key *key_a, const struct hive *b, const struct hive_key *key_b,
                   struct cmd_reg_done *done, struct error *err);

#endif
