/*
 * Finding Windows. A volume may hold both a Windows and a WINNT directory (an upgrade, or a
 * second installation): then only a SYSTEM hive makes one of them the Windows that runs, and
 * two of those are for the administrator to decide about.
 */
#include "checkpoint/disk/windows.h"

#include <string.h>

static const char *const hive_files[SYSTEM_HIVES] = {
	[SYSTEM_SYSTEM] = "System32/config/SYSTEM",
	[SYSTEM_SOFTWARE] = "System32/config/SOFTWARE",
	[SYSTEM_SAM] = "System32/config/SAM",
	[SYSTEM_SECURITY] = "System32/config/SECURITY",
	[SYSTEM_DEFAULT] = "System32/config/DEFAULT",
	[SYSTEM_COMPONENTS] = "System32/config/COMPONENTS",
	[SYSTEM_DRIVERS] = "System32/config/DRIVERS",
	[SYSTEM_CLUSTER] = "Cluster/CLUSDB",
};

/* What is at NAME below the directory DIR; entry->path on CTX. */
static bool below(TALLOC_CTX *ctx, struct volume *volume, const char *dir, const char *name,
                  struct volume_entry *entry, struct error *err)
{
	char *path = talloc_asprintf(ctx, "%s/%s", dir, name);

	if (!path)
		return error_memory(err);
	return volume_find(ctx, volume, path, entry, err);
}

/* One of the names that Windows has; *DIR is NULL if it is no directory here. */
static bool candidate(TALLOC_CTX *ctx, struct volume *volume, const char *name, char **dir,
                      bool *has_system, struct error *err)
{
	struct volume_entry entry;

	*dir = NULL;
	*has_system = false;
	if (!volume_find(ctx, volume, name, &entry, err))
		return false;
	if (entry.kind == VOLUME_OTHER)
		return error_set(err, ERROR_SOURCE,
		                 "%s/%s: is a link or a special file, not the Windows directory",
		                 volume_path(volume), entry.path);
	if (entry.kind != VOLUME_DIRECTORY)
		return true;
	*dir = entry.path;
	if (!below(ctx, volume, *dir, hive_files[SYSTEM_SYSTEM], &entry, err))
		return false;
	*has_system = entry.kind == VOLUME_FILE;
	return true;
}

/* The Windows directory as the volume spells it, on CTX. */
static char *choose(TALLOC_CTX *ctx, struct volume *volume, struct error *err)
{
	bool new_system, old_system;
	char *new_dir, *old_dir;

	if (!candidate(ctx, volume, "Windows", &new_dir, &new_system, err) ||
	    !candidate(ctx, volume, "WINNT", &old_dir, &old_system, err))
		return NULL;
	if (!new_dir && !old_dir) {
		error_set(err, ERROR_SOURCE,
		          "%s: there is no Windows or WINNT directory; is this where the "
		          "node's system volume is mounted?",
		          volume_path(volume));
		return NULL;
	}
	if (new_dir && old_dir && new_system == old_system) {
		error_set(err, ERROR_SOURCE,
		          "%s: '%s' and '%s' are both there and %s of them has a SYSTEM hive; "
		          "which is meant cannot be told",
		          volume_path(volume), new_dir, old_dir, new_system ? "each" : "none");
		return NULL;
	}
	if (!old_dir || (new_dir && new_system))
		return new_dir;
	return old_dir;
}

bool windows_has_directory(struct system *system, const char *name, bool *has, struct error *err)
{
	TALLOC_CTX *tmp = talloc_new(NULL);
	struct volume_entry entry;
	bool done;

	if (!tmp)
		return error_memory(err);
	done = below(tmp, system->volume, system->windows, name, &entry, err);
	if (done)
		*has = entry.kind == VOLUME_DIRECTORY;
	talloc_free(tmp);
	return done;
}

static bool find_hives(struct system *system, struct error *err)
{
	TALLOC_CTX *tmp = talloc_new(NULL);
	struct volume_entry entry;
	bool done = true;

	if (!tmp)
		return error_memory(err);
	for (int i = 0; i < SYSTEM_HIVES && done; i++) {
		done = below(tmp, system->volume, system->windows, hive_files[i], &entry, err);
		if (done && entry.kind != VOLUME_ABSENT)
			system->hives[i] = talloc_steal(system, entry.path);
	}
	talloc_free(tmp);
	return done;
}

bool windows_find(struct system *system, struct error *err)
{
	TALLOC_CTX *tmp = talloc_new(NULL);
	bool config, cluster;
	char *dir;

	if (!tmp)
		return error_memory(err);
	dir = choose(tmp, system->volume, err);
	system->windows = talloc_steal(system, dir);
	talloc_free(tmp);
	if (!dir || !windows_has_directory(system, "System32/config", &config, err) ||
	    !windows_has_directory(system, "Cluster", &cluster, err))
		return false;
	if (!config && !cluster)
		return error_set(err, ERROR_SOURCE,
		                 "%s/%s: holds neither System32/config nor Cluster; this is no "
		                 "Windows directory",
		                 volume_path(system->volume), dir);
	return find_hives(system, err);
}

/*
 * "hibr" or "HIBR" begins the file of a system that will be resumed from it. "RSTR" is left by a
 * resume that was begun; "wake", zeros and anything else are left over from earlier.
 */
static void judge_hibernation(struct system *system, const char head[4])
{
	if (memcmp(head, "hibr", 4) == 0 || memcmp(head, "HIBR", 4) == 0) {
		system->hibernated = true;
		problems_add(
			system->problems, PROBLEM_HEALS, PROBLEM_NOWHERE, "hibernated",
			"Windows is hibernated (hiberfil.sys): what it goes on with is not all "
			"on this disk, and it would overwrite what is restored. Start it and "
			"shut it down with `shutdown /s /t 0`, or delete hiberfil.sys and lose "
			"that session.");
	} else if (memcmp(head, "RSTR", 4) == 0 || memcmp(head, "rstr", 4) == 0) {
		problems_add(system->problems, PROBLEM_NOTE, PROBLEM_NOWHERE, "resume-tried",
		             "hiberfil.sys says that Windows began to resume from hibernation; "
		             "whether it ended cannot be known.");
	}
}

bool windows_hibernation(struct system *system, struct error *err)
{
	TALLOC_CTX *tmp = talloc_new(NULL);
	struct volume_entry entry;
	char head[4] = { 0 };
	struct error why = { 0 };
	size_t got;

	if (!tmp)
		return error_memory(err);
	if (volume_find(tmp, system->volume, "hiberfil.sys", &entry, &why) &&
	    (entry.kind != VOLUME_FILE ||
	     volume_head(system->volume, "hiberfil.sys", head, sizeof(head), &got, &why)))
		judge_hibernation(system, head);
	else if (why.kind != ERROR_INTERNAL)
		problems_add(system->problems, PROBLEM_HEALS, PROBLEM_NOWHERE,
		             "hibernation-unknown",
		             "Whether Windows is hibernated cannot be told: %s", why.text);
	talloc_free(tmp);
	if (why.kind == ERROR_INTERNAL)
		*err = why;
	return why.kind != ERROR_INTERNAL;
}
