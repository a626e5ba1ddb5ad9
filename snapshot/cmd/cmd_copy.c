/*
 * A SYSTEM or a SNAPSHOT on the command line, as one copy of a database. A directory that holds
 * a quolog.log is a snapshot: no system volume has one at its top.
 */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "checkpoint/checkpoint.h"
#include "hive/cursor.h"
#include "snapshot/cmd/cmd.h"
#include "snapshot/replay.h"
#include "snapshot/restore/unfinished.h"
#include "snapshot/verify.h"

static bool snapshot_copy(struct cmd *cmd, const char *path, struct copy *copy, struct error *err)
{
	struct verdict verdict;

	*copy = (struct copy){ .path = talloc_strdup(cmd->ctx, path),
		               .problems = problems_new(cmd->ctx) };
	if (!copy->path || !copy->problems)
		return error_memory(err);
	copy->hive = verify_newest(cmd->ctx, path, &verdict, err);
	if (!copy->hive || !cluster_read(cmd->ctx, copy->hive, &copy->cluster, err))
		return false;
	copy->file = verdict.newest_chk;
	copy->condition = COPY_CLEAN;
	problems_add_all(copy->problems, copy->cluster.problems);
	return true;
}

static bool warn_interrupted(struct copy *copy, struct error *err)
{
	bool found;

	if (!unfinished_find(copy, &found, err))
		return false;
	if (found)
		cmd_message("warning: %s: %s", copy->path,
		            problems_find(copy->problems, "restore-unfinished")->text);
	return true;
}

bool cmd_copy(struct cmd *cmd, const char *path, const struct hive_options *options,
              struct copy *copy, struct error *err)
{
	cmd_progress(cmd, "reading", path);
	if (layout_has_log(path))
		return snapshot_copy(cmd, path, copy, err);
	if (!copy_open(cmd->ctx, path, options, copy, err) || !warn_interrupted(copy, err))
		return false;
	if (copy->hive) {
		cmd_say_recovery(cmd, copy->hive);
		return true;
	}
	return error_set(err, copy->condition == COPY_DAMAGED ? ERROR_SOURCE : ERROR_BAD_NEWS, "%s",
	                 copy->why);
}

/* Which of the files that the checkpoints would have are there. */
static bool find_files(struct cmd *cmd, const char *path, struct checkpoints *checkpoints,
                       struct error *err)
{
	struct verdict verdict;

	if (!verify_path(cmd->ctx, path, &verdict, err))
		return false;
	for (uint32_t i = 0; i < checkpoints->count; i++) {
		struct checkpoint *checkpoint = &checkpoints->list[i];

		checkpoint->looked = true;
		checkpoint->present = checkpoint->file && verdict.log &&
		                      quolog_file(verdict.log, checkpoint->file) != NULL;
	}
	return true;
}

bool cmd_checkpoints(struct cmd *cmd, const struct copy *copy, struct checkpoints *checkpoints,
                     struct error *err)
{
	if (!checkpoints_read(cmd->ctx, &copy->cluster, copy->system, checkpoints, err))
		return false;
	if (layout_has_log(copy->path))
		return find_files(cmd, copy->path, checkpoints, err);
	for (uint32_t i = 0; i < checkpoints->count; i++)
		checkpoints->list[i].file = checkpoints->list[i].key_file;
	return true;
}

bool cmd_is_cluster_hive(const struct hive *hive)
{
	static const char *const wanted[] = { "Nodes", "Groups", "Resources" };
	unsigned found = 0, count = sizeof(wanted) / sizeof(wanted[0]);
	struct cursor subkeys;
	struct hive_key key;
	struct error ignored;

	if (!hive_root(hive, &key, &ignored) || !cursor_subkeys(&subkeys, hive, &key, &ignored))
		return false;
	while (cursor_next_key(&subkeys, &key, &ignored)) {
		for (unsigned i = 0; i < count; i++)
			found += name_equal(key.name,
			                    (struct name){ (const uint8_t *)wanted[i],
			                                   (uint32_t)strlen(wanted[i]), true });
	}
	return found == count;
}

bool cmd_sequence(const char *text, uint64_t *sequence)
{
	char *end;

	if (*text < '0' || *text > '9')
		return false;
	errno = 0;
	*sequence = strtoull(text, &end, 10);
	return errno == 0 && !*end;
}

/* SNAPSHOT@SEQ, unless there is a file of that name. */
static struct hive *hive_at(struct cmd *cmd, const char *path, bool *is_one, struct error *err)
{
	const char *at = strrchr(path, '@');
	char *snapshot = at ? talloc_strndup(cmd->ctx, path, (size_t)(at - path)) : NULL;
	struct verdict verdict;
	uint64_t sequence;

	*is_one = snapshot && access(path, F_OK) != 0 && cmd_sequence(at + 1, &sequence) &&
	          layout_has_log(snapshot);
	if (!*is_one || !verify_complete(cmd->ctx, snapshot, &verdict, err))
		return NULL;
	return replay_hive(cmd->ctx, snapshot, verdict.log, sequence, err);
}

struct hive *cmd_hive(struct cmd *cmd, const char *path, const struct hive_options *options,
                      struct error *err)
{
	struct verdict verdict;
	struct source *source;
	struct hive *hive;
	bool is_one;

	cmd_progress(cmd, "reading", path);
	if (layout_has_log(path))
		return verify_newest(cmd->ctx, path, &verdict, err);
	hive = hive_at(cmd, path, &is_one, err);
	if (is_one)
		return hive;
	source = source_begin(cmd->ctx, path, false, err);
	return source ? hive_open(cmd->ctx, source, options, err) : NULL;
}
