/*
 * Reading the node's registry. Everything here may be missing, and much of it is on some
 * disks: a value that is absent, or of a type that makes no sense, is not there and nothing is
 * put in its place.
 */
#include "checkpoint/disk/node.h"

#include "hive/quote.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "checkpoint/disk/state.h"
#include "checkpoint/guid.h"

#define VERSION_KEY "Microsoft\\Windows NT\\CurrentVersion"

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

#define SERVICE "'HKLM\\SYSTEM\\CurrentControlSet\\Services\\ClusSvc"

/* The edit that cures the last problem, if it is one of CODE: of the disk as it was named. */
static void hint(struct system *system, const char *code, const char *change)
{
	char *path = quote_word(system, volume_path(system->volume));

	if (path)
		problems_hint(system->problems, code, "clusnap edit --undo DIR %s %s", path,
		              change);
	else
		system->problems->lost = true;
}

static void judge_service(struct system *system)
{
	if (system->service_start == SYSTEM_SERVICE_DISABLED) {
		problems_add(
			system->problems, PROBLEM_HEALS, PROBLEM_NOWHERE, "service-disabled",
			"The cluster service (ClusSvc) is disabled: the node was evicted, or "
			"somebody disabled it; it will not start by itself. If it was not evicted, "
			"let it start automatically again.");
		hint(system, "service-disabled", "--set " SERVICE "' Start REG_DWORD 2");
	}
	if (system->force_quorum) {
		problems_add(
			system->problems, PROBLEM_HEALS, PROBLEM_NOWHERE, "forcequorum-left-behind",
			"ForceQuorum is still set to '%s' below Services\\ClusSvc\\Parameters: "
			"at every start the node would form a cluster of these nodes alone. "
			"Remove it when that is over.",
			system->force_quorum);
		hint(system, "forcequorum-left-behind",
		     "--delete " SERVICE "\\Parameters' ForceQuorum");
	}
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

bool node_read(struct system *system, struct error *err)
{
	struct hive *software, *hive;

	if (!try_hive(system, SYSTEM_SYSTEM, &hive, err) ||
	    !try_hive(system, SYSTEM_SOFTWARE, &software, err) ||
	    (hive && !read_system(system, hive, err) && !go_on(system, SYSTEM_SYSTEM, err)) ||
	    (software && !read_software(system, software, err) &&
	     !go_on(system, SYSTEM_SOFTWARE, err)))
		return false;
	return state_judge(system, hive, software, err);
}
