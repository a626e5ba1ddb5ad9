/* Changes as output: lines for people, or JSON, one change at a time so that any number fits. */
#ifndef SNAPSHOT_CMD_CMD_CHANGE_H
#define SNAPSHOT_CMD_CMD_CHANGE_H

#include "hive/change.h"
#include "snapshot/cmd/cmd.h"

struct cmd_changes {
	const struct cmd *cmd;
	/* Of a cluster database, to mask what may be secret: the key that changes are below of. */
	const char *below;
	uint64_t count;
};

/*
 * One change as a JSON object, as contract and manual describe it. Values that may hold secrets
 * are masked unless BELOW is NULL: "", or the path of the key that change->key is below of.
 */
json_t *cmd_change_json(const struct change *change, const char *below);

/* One change as a line. */
void cmd_change_print(const struct change *change, const char *below);

/* A change_fn whose data is a struct cmd_changes: prints or, with --json, adds to the list. */
bool cmd_changes_each(void *data, const struct change *change, struct error *err);

/* Before the first and behind the last change; MEMBERS: more of the JSON document, or NULL. */
void cmd_changes_begin(struct cmd_changes *changes);
void cmd_changes_end(struct cmd_changes *changes, json_t *members);

#endif
