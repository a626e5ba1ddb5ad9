/*
 * Reading the node's registry. Everything here may be missing, and much of it is on some
 * disks: a value that is absent, or of a type that makes no sense, is not there and nothing is
 * put in its place.
 */
#include "checkpoint/node.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "checkpoint/guid.h"
#include "checkpoint/windows.h"

#define VERSION_KEY "Microsoft\\Windows NT\\CurrentVersion"
#define SERVICE_DISABLED 4u

/* A hive that may be unreadable; *HIVE is then NULL and the problem is on the list. */
static bool try_hive(struct system *system, enum system_hive which, struct hive **hive,
                     struct error *err)
{
	const char *code = "hive-damaged";

	*hive = system_hive(system, which, err);
	if (*hive)
		return true;
	if (err->kind == ERROR_INTERNAL)
		return false;
	if (!system->hives[which])
		code = "hive-missing";
	else if (err->kind == ERROR_BAD_NEWS)
		code = "hive-dirty";
	problems_add(system->problems, PROBLEM_FATAL, PROBLEM_NOWHERE, code,
	             "The %s hive cannot be read, so not all can be said of this node: %s",
	             system_hive_name(which), err->text);
	return true;
}

/* Reading went wrong: if the hive is to blame (it was opened although damaged), go on without. */
static bool go_on(struct system *system, enum system_hive which, struct error *err)
{
	if (err->kind != ERROR_SOURCE)
		return false;
	problems_add(
		system->problems, PROBLEM_FATAL, PROBLEM_NOWHERE, "hive-damaged",
		"The %s hive can only be read in part, so not all can be said of this node: %s",
		system_hive_name(which), err->text);
	return true;
}

/* A key by its path; *FOUND says if it is there. */
static bool key_at(const struct hive *hive, const char *path, struct hive_key *key, bool *found,
                   struct error *err)
{
	*found = false;
	if (!path)
		return error_memory(err);
	if (!hive_find(hive, NULL, path, key, err))
		return error_wrap(err, "%s", hive_name(hive));
	*found = key->cell != REGF_NIL;
	return true;
}

/* A text of a key by its path; *TEXT is NULL if there is none. */
static bool text_at(TALLOC_CTX *ctx, const struct hive *hive, const char *path, const char *name,
                    char **text, struct error *err)
{
	struct hive_key key;
	bool found;

	*text = NULL;
	if (!key_at(hive, path, &key, &found, err))
		return false;
	return !found || hive_text(ctx, hive, &key, name, text, err);
}

/* --- SOFTWARE --- */

/* MAJOR.MINOR.BUILD; Windows 10 and later still call themselves 6.3 in CurrentVersion. */
static bool read_version(struct system *system, const struct hive *hive, const struct hive_key *key,
                         struct error *err)
{
	char *number = NULL, *build = NULL;
	uint32_t major, minor = 0;
	bool has_major, has_minor;

	if (!hive_text(system, hive, key, "ProductName", &system->product, err) ||
	    !hive_text(system, hive, key, "CurrentVersion", &number, err) ||
	    !hive_text(system, hive, key, "CurrentBuildNumber", &build, err) ||
	    (!build && !hive_text(system, hive, key, "CurrentBuild", &build, err)) ||
	    !hive_number(hive, key, "CurrentMajorVersionNumber", &major, &has_major, err) ||
	    !hive_number(hive, key, "CurrentMinorVersionNumber", &minor, &has_minor, err))
		return false;
	if (has_major) {
		talloc_free(number);
		number = talloc_asprintf(system, "%u.%u", major, has_minor ? minor : 0);
		if (!number)
			return error_memory(err);
	}
	if (!number)
		return true;
	if (strtoul(number, NULL, 10) > 0)
		system->generation = strtoul(number, NULL, 10) >= 6 ? 2 : 1;
	system->version = build ? talloc_asprintf(system, "%s.%s", number, build) : number;
	return system->version || error_memory(err);
}

static bool read_machine_guid(struct system *system, const struct hive *hive, struct error *err)
{
	struct guid guid;
	char *text;

	if (!text_at(system, hive, "Microsoft\\Cryptography", "MachineGuid", &text, err))
		return false;
	if (text && guid_parse(text, &guid))
		system->machine_guid = text;
	return true;
}

/* What the registry of generation 1 says of the installation; *FOUND: it says anything. */
static bool read_installation(const struct hive *hive, uint32_t *installed, bool *found,
                              struct error *err)
{
	struct hive_key key;

	if (!key_at(hive, VERSION_KEY "\\Cluster Server", &key, found, err))
		return false;
	return !*found ||
	       hive_number(hive, &key, "ClusterInstallationState", installed, found, err);
}

static bool read_software(struct system *system, const struct hive *hive, struct error *err)
{
	struct hive_key key;
	bool found;

	if (!key_at(hive, VERSION_KEY, &key, &found, err))
		return false;
	if (found && !read_version(system, hive, &key, err))
		return false;
	return read_machine_guid(system, hive, err);
}

/* --- SYSTEM --- */

/* Select\Current is what ran last; a hive without it may still have a default. */
static bool read_control_set(struct system *system, const struct hive *hive, struct error *err)
{
	struct hive_key key;
	uint32_t number = 0;
	bool found;
	char *set;

	if (!key_at(hive, "Select", &key, &found, err))
		return false;
	if (found && !hive_number(hive, &key, "Current", &number, &found, err))
		return false;
	if (!found && key.cell != REGF_NIL &&
	    !hive_number(hive, &key, "Default", &number, &found, err))
		return false;
	if (!found || number == 0 || number > 999) {
		problems_add(system->problems, PROBLEM_HEALS, PROBLEM_NOWHERE,
		             "control-set-unknown",
		             "The SYSTEM hive does not say which control set is the current one.");
		return true;
	}
	set = talloc_asprintf(system, "ControlSet%03u", number);
	if (!key_at(hive, set, &key, &found, err))
		return false;
	if (found)
		system->control_set = set;
	else
		problems_add(
			system->problems, PROBLEM_HEALS, PROBLEM_NOWHERE, "control-set-unknown",
			"The SYSTEM hive names %s as the current one, but has no such key.", set);
	return true;
}

static void judge_service(struct system *system)
{
	if (system->service_start == SERVICE_DISABLED)
		problems_add(system->problems, PROBLEM_HEALS, PROBLEM_NOWHERE, "service-disabled",
		             "The cluster service (ClusSvc) is disabled: the node was evicted, or "
		             "somebody disabled it; it will not start by itself.");
	if (system->force_quorum)
		problems_add(
			system->problems, PROBLEM_HEALS, PROBLEM_NOWHERE, "forcequorum-left-behind",
			"ForceQuorum is still set to '%s' below Services\\ClusSvc\\Parameters: "
			"at every start the node would form a cluster of these nodes alone. "
			"Remove it when that is over.",
			system->force_quorum);
}

static bool read_service(struct system *system, const struct hive *hive, struct error *err)
{
	char *path = talloc_asprintf(system, "%s\\Services\\ClusSvc", system->control_set);
	struct hive_key key, parameters;
	bool found;

	if (!key_at(hive, path, &key, &system->service, err))
		return false;
	talloc_free(path);
	if (!system->service)
		return true;
	if (!hive_number(hive, &key, "Start", &system->service_start, &found, err))
		return false;
	if (!found)
		system->service_start = UINT32_MAX;
	if (!hive_find(hive, &key, "Parameters", &parameters, err))
		return false;
	if (parameters.cell != REGF_NIL &&
	    !hive_text(system, hive, &parameters, "ForceQuorum", &system->force_quorum, err))
		return false;
	judge_service(system);
	return true;
}

static bool read_system(struct system *system, const struct hive *hive, struct error *err)
{
	char *path;

	if (!read_control_set(system, hive, err))
		return false;
	if (!system->control_set)
		return true;
	path = talloc_asprintf(system, "%s\\Control\\ComputerName\\ComputerName",
	                       system->control_set);
	if (!text_at(system, hive, path, "ComputerName", &system->node, err))
		return false;
	talloc_free(path);
	return read_service(system, hive, err);
}

/* --- what follows from it --- */

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

static bool first_generation(struct system *system, const struct hive *software, struct error *err)
{
	uint32_t installed = 0;
	bool found, directory;

	if (!software) {
		state_unknown(system, "its SOFTWARE hive says so, and cannot be read");
		return true;
	}
	if (!read_installation(software, &installed, &found, err) ||
	    !windows_has_directory(system, "Cluster", &directory, err))
		return false;
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
		system->state = system->service_start == SERVICE_DISABLED ? NODE_NOT_CONFIGURED
		                                                          : NODE_NOT_RUNNING;
}

bool node_read(struct system *system, struct error *err)
{
	struct hive *software, *hive;

	if (!try_hive(system, SYSTEM_SYSTEM, &hive, err) ||
	    !try_hive(system, SYSTEM_SOFTWARE, &software, err) ||
	    (hive && !read_system(system, hive, err) && !go_on(system, SYSTEM_SYSTEM, err)) ||
	    (software && !read_software(system, software, err) &&
	     !go_on(system, SYSTEM_SOFTWARE, err)))
		return false;
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
