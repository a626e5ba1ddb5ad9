/*
 * Opening copies of a database.
 *
 * A ClusDb that cannot be read is an answer, not a failure: somebody who asks about a node
 * whose ClusDb is damaged has come to the right place.
 */
#include "checkpoint/copy.h"

#include "checkpoint/checkpoint.h"
#include "checkpoint/disk/ntfs_state.h"

static const char *const condition_names[] = { "clean", "recovered", "damaged", "missing" };

const char *copy_condition_name(enum copy_condition condition)
{
	return condition_names[condition];
}

const char *copy_origin(TALLOC_CTX *ctx, const struct copy *copy)
{
	const char *node = copy->system ? copy->system->node : NULL;
	const char *slash = strrchr(copy->path, '/');

	/* Where a disk is mounted must not matter: the same disk gives the same bytes. */
	if (!copy->system)
		node = slash ? slash + 1 : copy->path;
	return talloc_asprintf(ctx, "%s%s", node ? node : "database",
	                       copy->hive && hive_salvaged(copy->hive) ? COPY_SALVAGED : "");
}

/* The node's own name must be among the nodes of the database that it keeps. */
static void check_member(struct copy *copy)
{
	const char *node = copy->system ? copy->system->node : NULL;

	if (!node || copy->cluster.node_count == 0)
		return;
	if (cluster_has_node(&copy->cluster, node))
		return;
	problems_add(copy->problems, PROBLEM_HEALS, PROBLEM_NOWHERE, "not-a-member",
	             "the computer is called %s, and no node of the cluster %s is", node,
	             copy->cluster.name ? copy->cluster.name : "in its database");
}

/* Of a single file too: what the registered texts alone say is wrong. */
static bool check_checkpoints(TALLOC_CTX *ctx, struct copy *copy, struct error *err)
{
	struct checkpoints checkpoints;

	if (!checkpoints_read(ctx, &copy->cluster, copy->system, &checkpoints, err))
		return false;
	problems_add_all(copy->problems, checkpoints.problems);
	return true;
}

/* The hive could not be opened: dirty for good, or damaged. */
static bool not_open(TALLOC_CTX *ctx, struct copy *copy, struct error *err)
{
	bool dirty = err->kind == ERROR_BAD_NEWS;

	if (err->kind == ERROR_INTERNAL)
		return false;
	copy->condition = COPY_DAMAGED;
	copy->unreadable = err->sys != 0;
	copy->why = talloc_strdup(ctx, err->text);
	problems_add(copy->problems, PROBLEM_FATAL, PROBLEM_NOWHERE,
	             dirty ? "clusdb-dirty" : "clusdb-damaged", "%s", err->text);
	return copy->why ? true : error_memory(err);
}

static bool read_database(TALLOC_CTX *ctx, struct copy *copy, struct error *err)
{
	const struct recovery *recovery = hive_recovery(copy->hive);

	if (!cluster_read(ctx, copy->hive, &copy->cluster, err)) {
		copy->hive = NULL;
		return not_open(ctx, copy, err);
	}
	copy->condition = recovery->condition == RECOVER_REPLAYED ? COPY_RECOVERED : COPY_CLEAN;
	if (recovery->condition == RECOVER_IGNORED)
		problems_add(copy->problems, PROBLEM_HEALS, PROBLEM_NOWHERE, "clusdb-dirty",
		             "%s is dirty and was read as it is", copy->file);
	else if (recovery->condition == RECOVER_REPLAYED)
		problems_add(copy->problems, PROBLEM_NOTE, PROBLEM_NOWHERE, "clusdb-dirty",
		             "%s is dirty: Windows was not shut down; it was read with its "
		             "transaction logs applied (%u entries)",
		             copy->file, recovery->entries);
	problems_add_all(copy->problems, copy->cluster.problems);
	check_member(copy);
	return check_checkpoints(ctx, copy, err);
}

/* How a raw volume was left. Of a mounted one, who mounts it has judged that. */
static void check_left(struct copy *copy)
{
	struct ntfs *ntfs = volume_ntfs(copy->system->volume);
	const char *texts[2] = { NULL, NULL };
	struct ntfs_state state;
	struct error why;

	if (!ntfs)
		return;
	if (ntfs_state_read(ntfs, &state, &why)) {
		texts[0] = ntfs_state_dirty(&state);
		texts[1] = ntfs_state_journal(&state);
	} else {
		texts[0] = why.text;
	}
	for (unsigned i = 0; i < 2; i++) {
		if (texts[i])
			problems_add(copy->problems, PROBLEM_HEALS, PROBLEM_NOWHERE, "volume-dirty",
			             "%s: %s", copy->path, texts[i]);
	}
}

/* After a power cut; what was found is what is there, but more may be. */
static void check_volume(struct copy *copy)
{
	const char *path;

	switch (volume_flaw(copy->system->volume, &path)) {
	case DIRECTORY_UNLISTED:
		problems_add(copy->problems, PROBLEM_HEALS, PROBLEM_NOWHERE, "directory-unreadable",
		             "%s/%s cannot be listed, as a power cut can leave NTFS: what has its "
		             "usual name there was found, and nothing else can be seen; run chkdsk "
		             "/f on the volume",
		             copy->path, path);
		break;
	case DIRECTORY_TWICE:
		problems_add(
			copy->problems, PROBLEM_HEALS, PROBLEM_NOWHERE, "directory-inconsistent",
			"%s/%s lists a name twice, as a power cut can leave NTFS: there is one "
			"such file, and of others nothing but the name may be left; run "
			"chkdsk /f on the volume",
			copy->path, path);
		break;
	default:
		break;
	}
}

static bool open_disk(TALLOC_CTX *ctx, struct copy *copy, const struct hive_options *options,
                      struct error *err)
{
	bool done;

	copy->system = system_open(ctx, copy->path, options, err);
	if (!copy->system)
		return false;
	copy->volume = copy->system->volume;
	copy->file = copy->system->hives[SYSTEM_CLUSTER];
	check_left(copy);
	if (!copy->file) {
		copy->condition = COPY_MISSING;
		copy->why = talloc_asprintf(
			ctx, "%s: there is no Cluster/CLUSDB in %s: ERROR_FILE_NOT_FOUND (2)",
			copy->path, copy->system->windows);
		problems_add_all(copy->problems, copy->system->problems);
		return copy->why ? true : error_memory(err);
	}
	copy->hive = system_hive(copy->system, SYSTEM_CLUSTER, err);
	done = copy->hive ? read_database(ctx, copy, err) : not_open(ctx, copy, err);
	problems_add_all(copy->problems, copy->system->problems);
	check_volume(copy);
	return done;
}

static void hive_problems(struct copy *copy)
{
	const struct recovery *recovery = hive_recovery(copy->hive);

	if (recovery->transactions)
		problems_add(copy->problems, PROBLEM_NOTE, PROBLEM_NOWHERE,
		             "kernel-transactions-pending",
		             "%s: kernel transactions may be pending; they are not replayed",
		             copy->file);
	if (recovery->gap)
		problems_add(copy->problems, PROBLEM_HEALS, PROBLEM_NOWHERE, "log-gap",
		             "%s: a damaged log has lost entries before those that were applied; "
		             "what they changed may be old or torn",
		             copy->file);
	if (recovery->log_missing)
		problems_add(copy->problems, PROBLEM_NOTE, PROBLEM_NOWHERE, "log-missing",
		             "%s: only one of .LOG1 and .LOG2 is there", copy->file);
}

struct source *copy_source(TALLOC_CTX *ctx, const struct copy *copy, struct error *err)
{
	return copy->volume ? volume_source(ctx, copy->volume, copy->file, err)
	                    : source_read_path(ctx, copy->file, err);
}

static bool open_file(TALLOC_CTX *ctx, struct copy *copy, const struct hive_options *options,
                      struct error *err)
{
	struct source *source = copy_source(ctx, copy, err);

	if (!source)
		return false;
	copy->hive = hive_open(ctx, source, options, err);
	if (!copy->hive)
		return not_open(ctx, copy, err);
	hive_problems(copy);
	return read_database(ctx, copy, err);
}

/* What can be opened once somebody has decrypted it. */
static bool encrypted(TALLOC_CTX *ctx, struct copy *copy, struct error *err)
{
	if (volume_open(ctx, copy->path, err))
		return error_set(err, ERROR_SOURCE, "%s: changes while it is read", copy->path);
	problems_add(copy->problems, PROBLEM_FATAL, PROBLEM_NOWHERE, "bitlocker", "%s", err->text);
	return false;
}

bool copy_open(TALLOC_CTX *ctx, const char *path, const struct hive_options *options,
               struct copy *copy, struct error *err)
{
	enum volume_form form;

	*copy = (struct copy){ .path = talloc_strdup(ctx, path), .problems = problems_new(ctx) };
	if (!copy->path || !copy->problems)
		return error_memory(err);
	if (!volume_form(path, &form, err))
		return false;
	if (form == VOLUME_ENCRYPTED)
		return encrypted(ctx, copy, err);
	if (form != VOLUME_FILE_ONLY)
		return open_disk(ctx, copy, options, err);
	copy->file = copy->path;
	return open_file(ctx, copy, options, err);
}

bool copy_open_on(TALLOC_CTX *ctx, struct volume *volume, const char *file,
                  const struct hive_options *options, struct copy *copy, struct error *err)
{
	*copy = (struct copy){ .volume = volume,
		               .path = talloc_asprintf(ctx, "%s/%s", volume_path(volume), file),
		               .file = talloc_strdup(ctx, file),
		               .problems = problems_new(ctx) };
	if (!copy->path || !copy->file || !copy->problems)
		return error_memory(err);
	return open_file(ctx, copy, options, err);
}
