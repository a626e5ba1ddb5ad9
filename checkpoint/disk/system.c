/*
 * A system as a whole, and its hives: each is opened once, when it is first asked for, and the
 * answer is kept, also when it is no. Whoever resolves hundreds of registered paths then does
 * not read a damaged SOFTWARE hive hundreds of times.
 */
#include "checkpoint/disk/system.h"

#include <errno.h>

#include "checkpoint/disk/node.h"
#include "checkpoint/disk/windows.h"

const char *node_state_name(enum node_state state)
{
	switch (state) {
	case NODE_NOT_INSTALLED:
		return "NotInstalled";
	case NODE_NOT_CONFIGURED:
		return "NotConfigured";
	case NODE_NOT_RUNNING:
		break;
	}
	return "NotRunning";
}

const char *system_hive_name(enum system_hive which)
{
	static const char *const names[SYSTEM_HIVES] = {
		[SYSTEM_SYSTEM] = "SYSTEM",   [SYSTEM_SOFTWARE] = "SOFTWARE",
		[SYSTEM_SAM] = "SAM",         [SYSTEM_SECURITY] = "SECURITY",
		[SYSTEM_DEFAULT] = "DEFAULT", [SYSTEM_COMPONENTS] = "COMPONENTS",
		[SYSTEM_DRIVERS] = "DRIVERS", [SYSTEM_CLUSTER] = "CLUSDB",
	};

	return names[which];
}

static struct hive *read_hive(struct system *system, enum system_hive which, struct error *err)
{
	struct source *source;
	struct hive *hive;

	if (!system->hives[which]) {
		errno = ENOENT;
		error_errno(err, ERROR_SOURCE, "%s/%s: %s", volume_path(system->volume),
		            system->windows, system_hive_name(which));
		return NULL;
	}
	source = volume_source(system, system->volume, system->hives[which], err);
	if (!source)
		return NULL;
	hive = hive_open(system, source, &system->options, err);
	if (!hive) {
		talloc_free(source);
		return NULL;
	}
	talloc_steal(hive, source);
	return hive;
}

/*
 * Files of kernel transactions lie beside most hives of Windows Vista and later, also when
 * nothing is pending, so alone they are a note; the flag in the base block is more.
 */
static void note_transactions(struct system *system, const struct hive *hive)
{
	bool flag = le32_get(hive_base(hive)->flags) & REGF_FLAG_TRANSACTIONS;

	if (!flag && !hive_recovery(hive)->transactions)
		return;
	problems_add(system->problems, flag ? PROBLEM_HEALS : PROBLEM_NOTE, PROBLEM_NOWHERE,
	             "kernel-transactions-pending",
	             flag ? "%s is marked as having kernel transactions pending; only Windows can "
	                    "finish them, and what is read here is the state without them."
	                  : "Files of kernel transactions lie beside %s; changes that are only in "
	                    "them cannot be seen here.",
	             hive_name(hive));
}

static void note_recovery(struct system *system, const struct hive *hive)
{
	note_transactions(system, hive);
	if (hive_recovery(hive)->gap)
		problems_add(system->problems, PROBLEM_HEALS, PROBLEM_NOWHERE, "log-gap",
		             "%s: a damaged log has lost entries before those that were applied; "
		             "what they changed may be old or torn.",
		             hive_name(hive));
	if (hive_recovery(hive)->log_missing)
		problems_add(system->problems, PROBLEM_NOTE, PROBLEM_NOWHERE, "log-missing",
		             "%s: only one of LOG1 and LOG2 is there; Windows always keeps both.",
		             hive_name(hive));
}

struct hive *system_hive(struct system *system, enum system_hive which, struct error *err)
{
	if (system->open[which])
		return system->open[which];
	if (system->failed[which]) {
		*err = *system->failed[which];
		return NULL;
	}
	system->open[which] = read_hive(system, which, err);
	if (system->open[which])
		note_recovery(system, system->open[which]);
	else if (err->kind != ERROR_INTERNAL)
		system->failed[which] = talloc_memdup(system, err, sizeof(*err));
	return system->open[which];
}

static bool fill(struct system *system, const char *path, struct error *err)
{
	system->problems = problems_new(system);
	if (!system->problems)
		return error_memory(err);
	system->volume = volume_open(system, path, err);
	return system->volume && windows_find(system, err) && windows_hibernation(system, err) &&
	       node_read(system, err);
}

struct system *system_open(TALLOC_CTX *ctx, const char *path, const struct hive_options *options,
                           struct error *err)
{
	struct system *system = talloc_zero(ctx, struct system);

	if (!system) {
		error_memory(err);
		return NULL;
	}
	if (options)
		system->options = *options;
	system->service_start = UINT32_MAX;
	if (fill(system, path, err))
		return system;
	talloc_free(system);
	return NULL;
}
