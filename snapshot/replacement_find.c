/* Set-aside directories of other runs: one that was interrupted, and those that never began. */
#include <strings.h>

#include "hive/image.h"
#include "snapshot/journal_check.h"
#include "snapshot/replacing.h"

/* The directories of ours in DIRECTORY, sorted, which is by time; on CTX, NULL-terminated. */
static bool list_asides(TALLOC_CTX *ctx, struct volume *volume, const char *directory,
                        char ***paths, struct error *err)
{
	char **names, **found;
	struct volume_entry entry;
	uint32_t count, used = 0;

	if (!volume_list(ctx, volume, directory, &names, &count, err))
		return false;
	found = talloc_zero_array(ctx, char *, count + 1);
	if (!found)
		return error_memory(err);
	for (uint32_t i = 0; i < count; i++) {
		char *path;

		if (strncasecmp(names[i], JOURNAL_PREFIX, strlen(JOURNAL_PREFIX)) != 0 ||
		    strchr(names[i], '\\'))
			continue;
		path = talloc_asprintf(ctx, "%s%s%s", directory, *directory ? "/" : "", names[i]);
		if (!path)
			return error_memory(err);
		if (!volume_find(ctx, volume, path, &entry, err))
			return false;
		if (entry.kind == VOLUME_DIRECTORY)
			found[used++] = path;
	}
	*paths = found;
	return true;
}

/* The journal in the directory PATH, if there is one. */
static bool read_one(TALLOC_CTX *ctx, TALLOC_CTX *tmp, struct volume *volume, const char *path,
                     struct journal *journal, bool *found, struct error *err)
{
	char *name = talloc_asprintf(tmp, "%s/" JOURNAL_NAME, path);
	struct volume_entry entry;
	struct image *image;

	if (!name)
		return error_memory(err);
	if (!volume_find(tmp, volume, name, &entry, err))
		return false;
	if (entry.kind == VOLUME_ABSENT)
		return true;
	if (entry.size > JOURNAL_TEXT_MAX)
		return error_set(err, ERROR_SOURCE, "%s/%s: is too large for a journal",
		                 volume_path(volume), name);
	image = volume_file(tmp, volume, name, err);
	if (!image)
		return false;
	if (!journal_read(ctx, image->bytes, journal, err))
		return error_wrap(err, "%s/%s", volume_path(volume), name);
	*found = true;
	return strcmp(journal->aside[JOURNAL_SYSTEM], path) == 0 ||
	       error_set(err, ERROR_SOURCE, "%s/%s: is the journal of another directory: %s",
	                 volume_path(volume), name, journal->aside[JOURNAL_SYSTEM]);
}

/* The newest, if there is more than one: they can only be undone in reverse. */
static bool find_newest(TALLOC_CTX *ctx, TALLOC_CTX *tmp, struct volume *volume,
                        const char *cluster, struct journal *journal, bool *found,
                        struct error *err)
{
	struct volume_entry entry;
	char **paths;
	uint32_t count = 0;

	if (!volume_find(tmp, volume, cluster, &entry, err))
		return false;
	if (entry.kind != VOLUME_DIRECTORY)
		return true;
	if (!list_asides(tmp, volume, entry.path, &paths, err))
		return false;
	while (paths[count])
		count++;
	while (count-- > 0 && !*found) {
		if (!read_one(ctx, tmp, volume, paths[count], journal, found, err))
			return false;
	}
	return true;
}

bool replacement_find(TALLOC_CTX *ctx, struct volume *volume, const char *cluster,
                      struct journal *journal, bool *found, struct error *err)
{
	TALLOC_CTX *own = talloc_new(ctx), *tmp = talloc_new(NULL);
	struct journal read;
	bool any = false, done;

	done = own && tmp ? find_newest(own, tmp, volume, cluster, &read, &any, err)
	                  : error_memory(err);
	talloc_free(tmp);
	if (!done || !any)
		talloc_free(own);
	if (!done)
		return false;
	if (any)
		*journal = read;
	*found = any;
	return true;
}

/* --- what never began --- */

/* Nothing in it, or what was to become a journal. */
static bool never_began(TALLOC_CTX *tmp, struct volume *volume, const char *path, bool *did,
                        bool *temporary, struct error *err)
{
	char **names;
	uint32_t count;

	if (!volume_list(tmp, volume, path, &names, &count, err))
		return false;
	*temporary = count == 1 && strcmp(names[0], JOURNAL_NAME REPLACEMENT_NEW) == 0;
	*did = count > 0 && !*temporary;
	return true;
}

static bool leftovers_on(TALLOC_CTX *tmp, const struct replacement *r, enum journal_disk disk,
                         struct error *err)
{
	const char *aside = r->journal->aside[disk];
	char *parent, *inner, **paths;
	bool did, temporary;
	size_t size;

	journal_split(aside, &size);
	parent = talloc_strndup(tmp, aside, size);
	if (!parent)
		return error_memory(err);
	if (!list_asides(tmp, r->disks[disk], parent, &paths, err))
		return false;
	for (; *paths; paths++) {
		inner = talloc_asprintf(tmp, "%s/" JOURNAL_NAME REPLACEMENT_NEW, *paths);
		if (!inner)
			return error_memory(err);
		if (!never_began(tmp, r->disks[disk], *paths, &did, &temporary, err))
			return false;
		if (temporary && !replacement_remove(r, disk, inner, err))
			return false;
		if (!did && !replacement_rmdir(r, disk, *paths, err))
			return false;
	}
	return true;
}

bool replacement_leftovers(const struct replacement *r, struct error *err)
{
	TALLOC_CTX *tmp = talloc_new(NULL);
	bool done = true;

	if (!tmp)
		return error_memory(err);
	for (unsigned i = 0; done && i < JOURNAL_DISKS; i++)
		done = !r->journal->aside[i] || leftovers_on(tmp, r, i, err);
	talloc_free(tmp);
	return done;
}
