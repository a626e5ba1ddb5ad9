/* The rules of the header, one function each; their numbers are cited. */
#include "snapshot/journal_check.h"

#include <stdlib.h>
#include <strings.h>

#include "snapshot/replacement.h"

static bool ends_with(const char *text, size_t size, const char *end)
{
	size_t length = strlen(end);

	return size >= length && strncasecmp(text + size - length, end, length) == 0;
}

/* What is no name, or NULL. SIZE bytes at NAME. Rule 3 but for the names that are ours. */
static const char *bad_name(const char *name, size_t size)
{
	if (size == 0)
		return "has an empty name in it";
	if (size > JOURNAL_NAME_MAX)
		return "has a name in it that is too long";
	if (name[0] == '.' && (size == 1 || (size == 2 && name[1] == '.')))
		return "has '.' or '..' in it";
	for (size_t i = 0; i < size; i++) {
		if ((uint8_t)name[i] < 0x20 || name[i] == 0x7f || strchr("/\\:", name[i]))
			return "has a character in it that no name has";
	}
	return NULL;
}

static bool is_ours(const char *name, size_t size)
{
	return strncasecmp(name, JOURNAL_PREFIX, strlen(JOURNAL_PREFIX)) == 0 ||
	       ends_with(name, size, REPLACEMENT_NEW) || ends_with(name, size, REPLACEMENT_OTHER);
}

/* A path of names, the last of which may be ours if OURS. */
static const char *bad_path(const char *path, bool ours)
{
	const char *why = strlen(path) > JOURNAL_PATH_MAX ? "is too long" : NULL;

	while (!why) {
		size_t size = strcspn(path, "/");

		why = bad_name(path, size);
		if (!why && !(ours && !path[size]) && is_ours(path, size))
			why = "has a name in it that restore keeps for itself";
		if (!path[size])
			break;
		path += size + 1;
	}
	return why;
}

const char *journal_split(const char *path, size_t *size)
{
	const char *slash = strrchr(path, '/');

	*size = slash ? (size_t)(slash - path) : 0;
	return slash ? slash + 1 : path;
}

static bool same(const char *a, size_t a_size, const char *b, size_t b_size)
{
	return a_size == b_size && strncasecmp(a, b, a_size) == 0;
}

/* The set-aside directory itself: rules 1 and 2. */
static const char *bad_aside(const char *aside, enum journal_disk disk)
{
	const char *why = bad_path(aside, true);
	size_t size;
	const char *name = journal_split(aside, &size);

	if (why)
		return why;
	if (strncmp(name, JOURNAL_PREFIX, strlen(JOURNAL_PREFIX)) != 0)
		return "is not called clusnap- and a time";
	if (disk == JOURNAL_SYSTEM && !ends_with(aside, size, "/Cluster"))
		return "is not in the directory Cluster of a Windows directory";
	if (disk == JOURNAL_QUORUM && memchr(aside, '/', size))
		return "is neither at the top of the quorum disk nor in a directory there";
	return NULL;
}

/* A path on the system disk: rule 1. */
static bool system_allows(const char *aside, const char *path, size_t size)
{
	static const char config[] = "System32/config";
	size_t cluster, windows;

	journal_split(aside, &cluster);
	windows = cluster - strlen("Cluster");
	if (same(path, size, aside, cluster))
		return true;
	return size > windows && strncasecmp(path, aside, windows) == 0 &&
	       same(path + windows, size - windows, config, strlen(config));
}

/* A path on the quorum disk: rule 2. SIZE bytes of it are its directory. */
static bool quorum_allows(const char *aside, const char *path, size_t size)
{
	size_t top, own;
	const char *inner;

	journal_split(aside, &top);
	if (same(path, size, aside, top))
		return true;
	for (own = size; own > 0 && path[own - 1] != '/'; own--)
		;
	inner = path + own;
	return inner != path + size && same(path, own ? own - 1 : 0, aside, top);
}

static bool allows(const struct journal *journal, const struct journal_step *step)
{
	const char *aside = journal->aside[step->disk];
	size_t size;

	journal_split(step->path, &size);
	return step->disk == JOURNAL_SYSTEM ? system_allows(aside, step->path, size)
	                                    : quorum_allows(aside, step->path, size);
}

/* What a step's operation says it must have. */
static const char *bad_files(const struct journal_step *step)
{
	bool old = step->old.present, new = step->new.present;

	if (old != (step->aside != NULL))
		return "an old file and its name in the set-aside directory go together";
	if (step->op == JOURNAL_PUT && !new)
		return "to put a file takes a new one";
	if (step->op == JOURNAL_ASIDE && (!old || new))
		return "to set aside takes an old file and no new one";
	if (step->op == JOURNAL_MKDIR && (old || new))
		return "a directory has neither an old nor a new file";
	if (step->old.size > JOURNAL_FILE_MAX || step->new.size > JOURNAL_FILE_MAX)
		return "a file is larger than any hive";
	return NULL;
}

static const char *bad_step(const struct journal *journal, const struct journal_step *step)
{
	const char *why = bad_path(step->path, false);

	if (!why && !journal->aside[step->disk])
		why = "is on a disk that has no set-aside directory";
	if (!why && !allows(journal, step))
		why = "is in no directory that a restore touches";
	if (!why && step->aside) {
		why = bad_name(step->aside, strlen(step->aside));
		if (!why && (is_ours(step->aside, strlen(step->aside)) ||
		             strcasecmp(step->aside, JOURNAL_NAME) == 0 ||
		             strcasecmp(step->aside, JOURNAL_LIST_NAME) == 0))
			why = "is set aside under a name that restore keeps for itself";
	}
	return why ? why : bad_files(step);
}

static int by_path(const void *a, const void *b)
{
	const struct journal_step *one = *(const struct journal_step *const *)a;
	const struct journal_step *two = *(const struct journal_step *const *)b;
	int order = (int)one->disk - (int)two->disk;

	return order ? order : strcasecmp(one->path, two->path);
}

static int by_aside(const void *a, const void *b)
{
	const struct journal_step *one = *(const struct journal_step *const *)a;
	const struct journal_step *two = *(const struct journal_step *const *)b;
	int order = (int)one->disk - (int)two->disk;

	if (order || !one->aside || !two->aside)
		return order ? order : (one->aside != NULL) - (two->aside != NULL);
	return strcasecmp(one->aside, two->aside);
}

/* Rule 4. */
static bool check_twice(const struct journal *journal, struct error *err)
{
	uint32_t count = journal->step_count;
	const struct journal_step **sorted =
		talloc_array(NULL, const struct journal_step *, count ? count : 1);
	bool done = true;

	if (!sorted)
		return error_memory(err);
	for (uint32_t i = 0; i < count; i++)
		sorted[i] = &journal->steps[i];
	qsort(sorted, count, sizeof(*sorted), by_path);
	for (uint32_t i = 1; done && i < count; i++) {
		if (by_path(&sorted[i - 1], &sorted[i]) == 0)
			done = error_set(err, ERROR_SOURCE, "steps: %s is there twice",
			                 sorted[i]->path);
	}
	qsort(sorted, count, sizeof(*sorted), by_aside);
	for (uint32_t i = 1; done && i < count; i++) {
		if (sorted[i]->aside && by_aside(&sorted[i - 1], &sorted[i]) == 0)
			done = error_set(err, ERROR_SOURCE, "steps: %s is set aside twice",
			                 sorted[i]->aside);
	}
	talloc_free(sorted);
	return done;
}

/* yyyy-mm-ddThh:mm:ssZ */
static bool is_time(const char *text)
{
	static const char shape[] = "0000-00-00T00:00:00Z";

	for (unsigned i = 0; i < sizeof(shape); i++) {
		if (shape[i] == '0' ? text[i] < '0' || text[i] > '9' : text[i] != shape[i])
			return false;
	}
	return true;
}

bool journal_check(const struct journal *journal, struct error *err)
{
	static const char *const names[] = { "system", "quorum" };

	if (!is_time(journal->begun))
		return error_set(err, ERROR_SOURCE, "begun: is no time");
	if (journal->request.source[0] != '/')
		return error_set(err, ERROR_SOURCE, "request.source: is no absolute path");
	for (unsigned i = 0; i < JOURNAL_DISKS; i++) {
		const char *aside = journal->aside[i];
		const char *why = aside ? bad_aside(aside, i) : NULL;

		if (!aside && i == JOURNAL_SYSTEM)
			why = "is missing";
		if (why)
			return error_set(err, ERROR_SOURCE, "aside.%s: %s", names[i], why);
	}
	for (uint32_t i = 0; i < journal->step_count; i++) {
		const struct journal_step *step = &journal->steps[i];
		const char *why = bad_step(journal, step);

		if (why)
			return error_set(err, ERROR_SOURCE, "steps[%u]: %s: %s", i, step->path,
			                 why);
	}
	return check_twice(journal, err);
}
