/* A tree in memory for each hive that is changed; what differs in the end goes into the plan. */
#include "snapshot/restore/alter.h"

#include <strings.h>

#include "checkpoint/disk/hklm.h"
#include "hive/diff.h"
#include "hive/tree.h"
#include "snapshot/edit.h"
#include "snapshot/restore/restoring.h"
#include "snapshot/restore/unfinished.h"

struct alter {
	struct restore *restore;
	struct tree_rules rules;
	struct tree *trees[SYSTEM_HIVES]; /* NULL: nothing of this hive is changed */
};

static const enum system_hive altered[] = { SYSTEM_CLUSTER, SYSTEM_SYSTEM, SYSTEM_SOFTWARE };

static bool open_target(struct restore *r, struct error *err)
{
	const char *path = r->options->target;
	bool found;

	if (!copy_open(r->ctx, path, NULL, &r->target, err))
		return false;
	if (!r->target.system)
		return error_set(err, ERROR_USAGE,
		                 "%s: is a file; name the directory where the node's system volume "
		                 "is mounted, or a SNAPSHOT",
		                 path);
	if (!unfinished_find(&r->target, &found, err))
		return false;
	if (found && !restore_refuse_unfinished(r, err))
		return false;
	if (r->options->quorum)
		r->quorum = quorum_open(r->ctx, r->options->quorum, err);
	return (r->quorum || !r->options->quorum) && restore_refuse_running(r, err) &&
	       (!r->refusal_count || restore_refused(r, err));
}

struct alter *alter_open(TALLOC_CTX *ctx, const struct restore_options *options, struct restore *r,
                         struct error *err)
{
	struct alter *alter = talloc_zero(ctx, struct alter);

	*r = (struct restore){ .ctx = ctx, .options = options, .warnings = problems_new(ctx) };
	r->undo = (struct undo){ .request = options->request,
		                 .command = talloc_strdup(ctx, "edit"),
		                 .snapshot = talloc_strdup(ctx, "") };
	if (!alter || !r->warnings || !r->undo.command || !r->undo.snapshot) {
		error_memory(err);
		return NULL;
	}
	alter->restore = r;
	alter->rules = (struct tree_rules){ .as_reg = true, .now = edit_now() };
	return open_target(r, err) ? alter : NULL;
}

/* --- changes --- */

/* What people write before a path below HKEY_LOCAL_MACHINE. */
static const char *below_hklm(const char *key)
{
	static const char *const prefixes[] = { "HKEY_LOCAL_MACHINE\\", "HKLM\\", "HKLM:\\" };

	for (unsigned i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++) {
		size_t size = strlen(prefixes[i]);

		if (strncasecmp(key, prefixes[i], size) == 0)
			return key + size;
	}
	return key;
}

static bool load(struct alter *alter, enum system_hive which, struct hive *hive, struct error *err)
{
	struct hive_key root;

	if (alter->trees[which])
		return true;
	if (!hive_root(hive, &root, err))
		return false;
	alter->trees[which] = tree_load(alter, hive, &root, err);
	return alter->trees[which] != NULL;
}

static bool is_altered(int hive)
{
	for (unsigned i = 0; i < sizeof(altered) / sizeof(altered[0]); i++) {
		if ((int)altered[i] == hive)
			return true;
	}
	return false;
}

/* Where the change is, and the hive there. */
static struct hive *locate(struct alter *alter, const char *key, struct hklm *where,
                           struct error *err)
{
	struct restore *r = alter->restore;

	if (!hklm_resolve(r->ctx, r->target.system, key, false, where, err))
		return NULL;
	if (where->result != HKLM_PRESENT && where->result != HKLM_KEY_MISSING) {
		error_set(err, where->hive < 0 ? ERROR_USAGE : ERROR_SOURCE, "%s: %s", key,
		          where->why);
		return NULL;
	}
	if (!is_altered(where->hive)) {
		error_set(err, ERROR_USAGE,
		          "%s: only keys below HKEY_LOCAL_MACHINE\\Cluster, \\SYSTEM and "
		          "\\SOFTWARE can be edited",
		          key);
		return NULL;
	}
	return system_hive(r->target.system, (enum system_hive)where->hive, err);
}

bool alter_change(void *data, const struct change *change, struct error *err)
{
	struct alter *alter = data;
	struct change mine = *change;
	struct hklm where;
	struct hive *hive = locate(alter, below_hklm(change->key), &where, err);
	char *key = hive ? restore_key_path(alter->restore, hive, &where, err) : NULL;

	if (!key || !load(alter, (enum system_hive)where.hive, hive, err))
		return false;
	mine.key = key;
	return tree_apply(alter->trees[where.hive], &mine, &alter->rules, err);
}

/* --- the plan --- */

static bool count_change(void *data, const struct change *change, struct error *err)
{
	(void)change;
	(void)err;
	++*(uint32_t *)data;
	return true;
}

static bool differs(const struct hive *a, const struct hive *b, bool *differ, struct error *err)
{
	struct diff_options options = { .leave_out = CHANGE_BIT(CHANGE_SET_TIME) };
	struct hive_key root_a, root_b;
	uint32_t count = 0;

	if (!hive_root(a, &root_a, err) || !hive_root(b, &root_b, err) ||
	    !diff_subtrees(a, &root_a, b, &root_b, &options, count_change, &count, err))
		return false;
	*differ = count > 0;
	return true;
}

/* ClusDb must stay the cluster's, and on a quorum disk nothing may be that would win over it. */
static bool check_database(struct restore *r, struct hive *after, struct error *err)
{
	if (!edit_same_cluster(r->ctx, &r->target.cluster, after, r->target.file, err))
		return false;
	r->database = true;
	r->source.path = r->options->target;
	r->source.cluster = r->target.cluster;
	return restore_refuse_quorum(r, err) && (!r->refusal_count || restore_refused(r, err));
}

static bool plan_hive(struct alter *alter, enum system_hive which, struct error *err)
{
	struct restore *r = alter->restore;
	struct hive *hive = system_hive(r->target.system, which, err), *after;
	char *path = r->target.system->hives[which], *folder, *name = strrchr(path, '/');
	struct hive_key root;
	struct image *image;
	bool differ;

	image = hive ? tree_save_proved(r->ctx, alter->trees[which], hive, path, &after, err)
	             : NULL;
	if (!image || !differs(hive, after, &differ, err))
		return false;
	if (which == SYSTEM_CLUSTER && (differ || r->options->request.authoritative) &&
	    !check_database(r, after, err))
		return false;
	if (!differ)
		return true;
	if (!hive_root(hive, &root, err) ||
	    !restore_differs(r, system_hive_name(which), hive, &root, after, err))
		return false;
	r->differences[r->difference_count - 1].database = which == SYSTEM_CLUSTER;
	folder = talloc_strndup(r->ctx, path, (size_t)(name - path));
	return folder ? restore_file_hive(r, path, folder, name + 1, image, err)
	              : error_memory(err);
}

bool alter_plan(struct alter *alter, struct error *err)
{
	struct restore *r = alter->restore;

	for (unsigned i = 0; i < sizeof(altered) / sizeof(altered[0]); i++) {
		if (alter->trees[altered[i]] && !plan_hive(alter, altered[i], err))
			return false;
	}
	if (r->database && r->options->request.authoritative && r->quorum &&
	    !restore_quorum_database(r, err))
		return false;
	return restore_name(r, err) && (!r->database || restore_advise(r, err));
}
