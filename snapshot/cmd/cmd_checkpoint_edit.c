/*
 * clusnap checkpoint add, checkpoint remove: what a resource has under RegSync, changed as a
 * transaction of a snapshot.
 */
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "checkpoint/checkpoint.h"
#include "snapshot/cmd/cmd_edit.h"

struct registering {
	const struct cluster_resource *resource;
	struct checkpoints checkpoints;
	const struct checkpoint *found; /* that has this path already */
	char *key;                      /* of the resource's RegSync */
};

static bool is_prefixed(const char *path)
{
	return strncasecmp(path, "HKEY_LOCAL_MACHINE", 18) == 0 ||
	       strncasecmp(path, "HKLM", 4) == 0;
}

/* Windows takes a path below HKEY_LOCAL_MACHINE, without that name. */
static bool check_path(const char *path, struct error *err)
{
	size_t size = strlen(path);

	if (is_prefixed(path))
		return error_set(err, ERROR_USAGE,
		                 "%s: name the key without HKEY_LOCAL_MACHINE, as Windows does",
		                 path);
	if (size == 0 || *path == '\\' || path[size - 1] == '\\' || strstr(path, "\\\\") ||
	    !name_well_formed(path, size))
		return error_set(err, ERROR_USAGE, "%s: is no path of a key", path);
	return true;
}

static bool find(struct cmd *cmd, struct edit *edit, struct registering *r, struct error *err)
{
	const struct cluster *cluster = edit_cluster(edit);
	const char *name = cmd->args[1], *path = cmd->args[2];

	r->resource = cluster_resource(cluster, name);
	if (!r->resource)
		return error_set(err, ERROR_SOURCE,
		                 "%s: no resource has this name, or several: "
		                 "ERROR_RESOURCE_NOT_FOUND (5007)",
		                 name);
	if (!checkpoints_read(cmd->ctx, cluster, NULL, &r->checkpoints, err))
		return false;
	for (uint32_t i = 0; i < r->checkpoints.count; i++) {
		const struct checkpoint *checkpoint = &r->checkpoints.list[i];

		if (checkpoint->type == CHECKPOINT_REGISTRY &&
		    strcmp(checkpoint->resource, r->resource->id) == 0 &&
		    strcasecmp(checkpoint->path, path) == 0)
			r->found = checkpoint;
	}
	r->key = hive_path(cmd->ctx, cluster->hive, &r->resource->key);
	r->key = r->key ? talloc_asprintf(cmd->ctx, "%s\\RegSync", r->key) : NULL;
	return r->key ? true : error_memory(err);
}

/* The lowest id that the resource has not used. */
static uint32_t free_id(const struct registering *r)
{
	uint32_t id = 1;

	for (bool again = true; again;) {
		again = false;
		for (uint32_t i = 0; i < r->checkpoints.count; i++) {
			const struct checkpoint *checkpoint = &r->checkpoints.list[i];

			if (strcmp(checkpoint->resource, r->resource->id) == 0 &&
			    checkpoint->type == CHECKPOINT_REGISTRY &&
			    strtoul(checkpoint->id, NULL, 16) == id) {
				id++;
				again = true;
			}
		}
	}
	return id;
}

static bool add(struct cmd *cmd, struct edit *edit, struct registering *r, struct error *err)
{
	struct change key = { .op = CHANGE_CREATE_KEY, .key = r->key };
	struct change value = { .op = CHANGE_SET_VALUE, .key = r->key, .type = REG_SZ };
	struct buffer text = { .ctx = cmd->ctx };
	char id[9];

	if (r->found)
		return error_set(
			err, ERROR_REFUSED,
			"%s: is checkpoint %s of this resource: ERROR_ALREADY_EXISTS (183)",
			cmd->args[2], r->found->id);
	snprintf(id, sizeof(id), "%08x", free_id(r));
	if (!buffer_add_utf16(&text, cmd->args[2], err) || !buffer_add(&text, "\0", 2, err))
		return false;
	value.name = id;
	value.data = (struct bytes){ text.data, text.size };
	return edit_change(edit, &key, err) && edit_change(edit, &value, err);
}

static bool remove_one(struct cmd *cmd, struct edit *edit, struct registering *r, struct error *err)
{
	struct change value = { .op = CHANGE_DELETE_VALUE, .key = r->key };
	struct hive_key key;
	uint32_t *cells, count;
	const struct hive *hive = edit_cluster(edit)->hive;

	if (!r->found)
		return error_set(err, ERROR_SOURCE,
		                 "%s: is no registry checkpoint of this resource: "
		                 "ERROR_FILE_NOT_FOUND (2)",
		                 cmd->args[2]);
	if (!hive_find(hive, NULL, r->key, &key, err) || key.cell == REGF_NIL ||
	    !hive_values(cmd->ctx, hive, &key, &cells, &count, err))
		return false;
	/* The value's name may be another spelling of the id. */
	for (uint32_t i = 0; i < count; i++) {
		struct hive_value one;
		char *name, id[9];

		if (!hive_value_at(hive, cells[i], &one, err))
			return false;
		name = name_to_utf8(cmd->ctx, one.name);
		if (!name)
			return error_memory(err);
		value.name = name;
		if (checkpoint_id(name, id) && strcmp(id, r->found->id) == 0 &&
		    !edit_change(edit, &value, err))
			return false;
	}
	edit_drop_file(edit, talloc_asprintf(edit, "%s/%s.CPT", r->resource->id, r->found->id));
	return true;
}

static int edit_checkpoints(struct cmd *cmd, int argc, char **argv,
                            bool (*change)(struct cmd *, struct edit *, struct registering *,
                                           struct error *))
{
	struct registering r = { 0 };
	struct edit *edit;
	struct error err;
	int status;

	if (!cmd_parse(cmd, argc, argv, NULL, 3, 3, &status))
		return status;
	if (!check_path(cmd->args[2], &err))
		return cmd_fail(&err);
	cmd_progress(cmd, "verifying", cmd->args[0]);
	edit = edit_open(cmd->ctx, cmd->args[0], &err);
	if (!edit || !find(cmd, edit, &r, &err) || !change(cmd, edit, &r, &err))
		return cmd_fail(&err);
	return cmd_edit_end(cmd, edit, cmd->command->name);
}

static int run_add(struct cmd *cmd, int argc, char **argv)
{
	return edit_checkpoints(cmd, argc, argv, add);
}

static int run_remove(struct cmd *cmd, int argc, char **argv)
{
	return edit_checkpoints(cmd, argc, argv, remove_one);
}

const struct command command_checkpoint_add = {
	.name = "checkpoint add",
	.arguments = "SNAPSHOT RESOURCE KEY",
	.summary = "registers a registry checkpoint in a snapshot (Add-ClusterCheckpoint)",
	.help = "RESOURCE is a GUID or a name, KEY a path below HKEY_LOCAL_MACHINE, without that "
		"name.\nThe registration is one more transaction of the log. The image of the key "
		"(.CPT) is not made:\nit comes with the next backup of a node's disk.",
	.run = run_add,
};

const struct command command_checkpoint_remove = {
	.name = "checkpoint remove",
	.arguments = "SNAPSHOT RESOURCE KEY",
	.summary = "takes a registry checkpoint out of a snapshot (Remove-ClusterCheckpoint)",
	.help = "RESOURCE is a GUID or a name, KEY the path as `checkpoint list` shows it. The "
		"registration is\ntaken out by one more transaction of the log, and its image "
		"(.CPT) "
		"leaves the snapshot.",
	.run = run_remove,
};
