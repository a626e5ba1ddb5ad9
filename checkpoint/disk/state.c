/*
 * From what was read to what GetNodeClusterState would say. Each generation has its own rule and
 * its own hive for it; without that hive there is no rule, only a guess that is called one.
 */
#include "checkpoint/disk/state.h"

#include "checkpoint/disk/windows.h"

/* Without SOFTWARE: what only one of the generations puts on a volume. */
static bool guess_generation(struct system *system, struct error *err)
{
	static const struct {
		const char *name;
		unsigned generation;
	} signs[] = { { "ProgramData", 2 }, { "Documents and Settings", 1 } };
	TALLOC_CTX *tmp = talloc_new(NULL);
	struct volume_entry entry;
	struct error ignored;

	if (!tmp)
		return error_memory(err);
	if (system->hives[SYSTEM_COMPONENTS] || system->hives[SYSTEM_DRIVERS])
		system->generation = 2;
	for (unsigned i = 0; i < 2 && !system->generation; i++) {
		/* From Vista on, "Documents and Settings" is a junction: no directory. */
		if (volume_find(tmp, system->volume, signs[i].name, &entry, &ignored) &&
		    entry.kind == VOLUME_DIRECTORY)
			system->generation = signs[i].generation;
	}
	talloc_free(tmp);
	return true;
}

static enum node_state suggested_state(const struct system *system)
{
	return system->hives[SYSTEM_CLUSTER] ? NODE_NOT_RUNNING : NODE_NOT_INSTALLED;
}

/* Nothing that decides could be read. */
static void state_unknown(struct system *system, const char *why)
{
	system->state = suggested_state(system);
	problems_add(system->problems, PROBLEM_HEALS, PROBLEM_NOWHERE, "state-unknown",
	             "Whether this is a cluster node is not known: %s. As there is %s ClusDb, it "
	             "is taken for %s.",
	             why, system->hives[SYSTEM_CLUSTER] ? "a" : "no",
	             node_state_name(system->state));
}

/* What the registry of generation 1 says of the installation; *FOUND: it says anything. */
static bool read_installation(const struct hive *hive, uint32_t *installed, bool *found,
                              struct error *err)
{
	struct hive_key key;

	if (!hive_find(hive, NULL, "Microsoft\\Windows NT\\CurrentVersion\\Cluster Server", &key,
	               err))
		return error_wrap(err, "%s", hive_name(hive));
	*found = key.cell != REGF_NIL;
	return !*found ||
	       hive_number(hive, &key, "ClusterInstallationState", installed, found, err);
}

static bool first_generation(struct system *system, const struct hive *software, struct error *err)
{
	uint32_t installed = 0;
	bool found, directory;

	if (!software) {
		state_unknown(system, "its SOFTWARE hive says so, and cannot be read");
		return true;
	}
	if (!windows_has_directory(system, "Cluster", &directory, err))
		return false;
	if (!read_installation(software, &installed, &found, err)) {
		if (err->kind != ERROR_SOURCE)
			return false;
		state_unknown(system, "its SOFTWARE hive says so, and is damaged");
		return true;
	}
	system->state_known = !found || installed <= 3;
	if (!system->state_known)
		state_unknown(system, "ClusterInstallationState has a value that means nothing");
	else if (!found || (installed == 0 && !directory))
		system->state = NODE_NOT_INSTALLED;
	else
		system->state = installed < 2 ? NODE_NOT_CONFIGURED : NODE_NOT_RUNNING;
	return true;
}

static void second_generation(struct system *system, const struct hive *hive)
{
	if (!hive || !system->control_set) {
		state_unknown(system, "the service ClusSvc in its SYSTEM hive says so, and cannot "
		                      "be read");
		return;
	}
	system->state_known = true;
	if (!system->service)
		system->state = NODE_NOT_INSTALLED;
	else
		system->state = system->service_start == SYSTEM_SERVICE_DISABLED
		                        ? NODE_NOT_CONFIGURED
		                        : NODE_NOT_RUNNING;
}

bool state_judge(struct system *system, const struct hive *hive, const struct hive *software,
                 struct error *err)
{
	if (!system->generation && !guess_generation(system, err))
		return false;
	if (system->generation == 1) {
		if (!first_generation(system, software, err))
			return false;
	} else if (system->generation == 2) {
		second_generation(system, hive);
	} else {
		state_unknown(system, "not even the version of Windows can be told");
	}
	if (system->state == NODE_NOT_RUNNING && !system->hives[SYSTEM_CLUSTER])
		problems_add(system->problems, PROBLEM_FATAL, PROBLEM_NOWHERE, "clusdb-missing",
		             "%s/%s/Cluster has no CLUSDB, although the node is configured: it "
		             "cannot start clustering from this disk.",
		             volume_path(system->volume), system->windows);
	return true;
}
