/* Reading a quorum disk. Some versions put the GUID of a folder in braces: both are looked for. */
#include "snapshot/quorum.h"

#include <ctype.h>
#include <stdlib.h>
#include <strings.h>

#include "snapshot/layout.h"

/* The number in chkNNNN.tmp (hexadecimal), or false. */
static bool chk_number(const char *name, unsigned long *number)
{
	char *end;

	if (strncasecmp(name, "chk", 3) != 0 || !isxdigit((unsigned char)name[3]))
		return false;
	*number = strtoul(name + 3, &end, 16);
	return end - name <= 3 + 8 && strcasecmp(end, ".tmp") == 0;
}

static char *inside(TALLOC_CTX *ctx, const struct quorum *quorum, const char *name)
{
	return talloc_asprintf(ctx, "%s%s%s", quorum->folder, *quorum->folder ? "/" : "", name);
}

static void pass_over(struct quorum *quorum, const char *path, const char *why)
{
	problems_add(quorum->problems, PROBLEM_HEALS, PROBLEM_NOWHERE, "clusdb-damaged",
	             "%s: %s and is passed over", path, why);
}

/* Puts a chk in its place by number; beyond QUORUM_CHKS the lowest goes. */
static void insert(struct quorum *quorum, unsigned long *numbers, unsigned long number, char *path)
{
	uint32_t at = quorum->chk_count;

	if (at == QUORUM_CHKS) {
		pass_over(quorum, number < numbers[0] ? path : quorum->chks[0],
		          "is one of too many");
		if (number < numbers[0])
			return;
		memmove(numbers, numbers + 1, (QUORUM_CHKS - 1) * sizeof(*numbers));
		memmove(quorum->chks, quorum->chks + 1, (QUORUM_CHKS - 1) * sizeof(*quorum->chks));
		at = --quorum->chk_count;
	}
	for (; at > 0 && numbers[at - 1] > number; at--) {
		numbers[at] = numbers[at - 1];
		quorum->chks[at] = quorum->chks[at - 1];
	}
	numbers[at] = number;
	quorum->chks[at] = path;
	quorum->chk_count++;
}

#define ASIDE_PREFIX "clusnap-"

/* A directory that a restore of an earlier version has made, clusnap-YYYYMMDDThhmmssZ. */
static bool is_aside(const char *name)
{
	size_t size = strlen(ASIDE_PREFIX);

	return strncasecmp(name, ASIDE_PREFIX, size) == 0 &&
	       strspn(name + size, "0123456789") == 8 && name[size + 8] == 'T';
}

/* Is DIR the folder MSCS itself, also without a database? By its name, or what lies in it. */
static bool is_folder(const char *dir, char *const *names, uint32_t count)
{
	char *real = realpath(dir, NULL);
	const char *name = real ? strrchr(real, '/') : NULL;
	bool found = name && strcasecmp(name + 1, "MSCS") == 0;

	for (uint32_t i = 0; !found && i < count; i++)
		found = strcasecmp(names[i], LAYOUT_LOG_NAME) == 0 || is_aside(names[i]);
	free(real);
	return found;
}

/* One of no bytes is a failed attempt of Windows to write it (technet cc736599). */
static bool find_chks(TALLOC_CTX *ctx, struct quorum *quorum, const char *dir, bool *is_quorum,
                      struct error *err)
{
	unsigned long numbers[QUORUM_CHKS], number;
	uint32_t count;
	char **names, *path;

	if (!volume_list(ctx, quorum->volume, quorum->folder, &names, &count, err))
		return false;
	*is_quorum = *quorum->folder || is_folder(dir, names, count);
	for (uint32_t i = 0; i < count; i++) {
		struct volume_entry entry;
		char *within;

		if (!chk_number(names[i], &number))
			continue;
		within = inside(ctx, quorum, names[i]);
		if (!within)
			return error_memory(err);
		if (!volume_find(ctx, quorum->volume, within, &entry, err))
			return false;
		if (entry.kind == VOLUME_ABSENT)
			continue; /* somebody has removed it meanwhile */
		path = talloc_asprintf(ctx, "%s/%s", volume_path(quorum->volume), entry.path);
		if (!path)
			return error_memory(err);
		if (entry.kind != VOLUME_FILE || entry.size == 0)
			pass_over(quorum, path,
			          entry.kind == VOLUME_FILE ? "is empty" : "is no regular file");
		else
			insert(quorum, numbers, number, path);
	}
	return true;
}

struct quorum *quorum_open(TALLOC_CTX *ctx, const char *dir, struct error *err)
{
	struct quorum *quorum = talloc_zero(ctx, struct quorum);
	struct volume_entry entry;
	bool is_quorum;

	if (!quorum) {
		error_memory(err);
		return NULL;
	}
	quorum->volume = volume_open(quorum, dir, err);
	quorum->problems = problems_new(quorum);
	if (quorum->volume && !quorum->problems)
		error_memory(err);
	if (!quorum->volume || !quorum->problems ||
	    !volume_find(quorum, quorum->volume, "MSCS", &entry, err))
		goto fail;
	quorum->folder = entry.kind == VOLUME_DIRECTORY ? entry.path : talloc_strdup(quorum, "");
	if (!quorum->folder) {
		error_memory(err);
		goto fail;
	}
	if (!find_chks(quorum, quorum, dir, &is_quorum, err))
		goto fail;
	if (!is_quorum && !quorum->chk_count) {
		error_set(err, ERROR_SOURCE,
		          "%s: has no MSCS folder, so it is no quorum disk: "
		          "ERROR_QUORUM_DISK_NOT_FOUND (5086)",
		          dir);
		goto fail;
	}
	return quorum;
fail:
	talloc_free(quorum);
	return NULL;
}

bool quorum_copy(TALLOC_CTX *ctx, const struct quorum *quorum, uint32_t index,
                 const struct hive_options *options, struct copy *copy, struct error *err)
{
	const char *path = quorum->chks[index] + strlen(volume_path(quorum->volume)) + 1;

	if (!volume_is_raw(quorum->volume))
		return copy_open(ctx, quorum->chks[index], options, copy, err);
	return copy_open_on(ctx, quorum->volume, path, options, copy, err);
}

/* The path on the volume, or NULL with ERROR_NONE if there is no such file. */
static char *look_up(TALLOC_CTX *ctx, struct quorum *quorum, const char *name, struct error *err)
{
	const char *slash = strchr(name, '/');
	struct volume_entry entry;
	char *path;

	for (unsigned braces = 0; braces < 2; braces++) {
		path = braces ? talloc_asprintf(ctx, "{%.*s}%s", (int)(slash - name), name, slash)
		              : talloc_strdup(ctx, name);
		path = path ? inside(ctx, quorum, path) : NULL;
		if (!path) {
			error_memory(err);
			return NULL;
		}
		if (!volume_find(ctx, quorum->volume, path, &entry, err))
			return NULL;
		if (entry.kind != VOLUME_ABSENT)
			return entry.path;
	}
	err->kind = ERROR_NONE;
	return NULL;
}

struct image *quorum_file(TALLOC_CTX *ctx, struct quorum *quorum, const char *name, char **shown,
                          struct error *err)
{
	char *path = look_up(ctx, quorum, name, err);

	if (!path)
		return NULL;
	*shown = path;
	return volume_file(ctx, quorum->volume, path, err);
}

struct source *quorum_source(TALLOC_CTX *ctx, struct quorum *quorum, const char *name, char **shown,
                             struct error *err)
{
	char *path = look_up(ctx, quorum, name, err);

	if (!path)
		return NULL;
	*shown = path;
	return volume_source(ctx, quorum->volume, path, err);
}
