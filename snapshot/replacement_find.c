/* Set-aside directories of other runs: one that was interrupted, and those that never began. */
#include <errno.h>
#include <fcntl.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "hive/image.h"
#include "hive/publish_step.h"
#include "snapshot/journal_check.h"
#include "snapshot/replacing.h"

/* The set-aside directories in DIRECTORY, sorted, which is by time; on CTX, NULL-terminated. */
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
		if (volume_find(ctx, volume, path, &entry, err)) {
			if (entry.kind == VOLUME_DIRECTORY)
				found[used++] = path;
		} else if (err->sys != ENOENT) { /* a name in a list, and nothing behind it */
			return false;
		}
	}
	*paths = found;
	return true;
}

/*
 * Was nothing ever put into a directory that cannot be listed? A power cut leaves it so where it
 * grows to make room, before the journal. What it holds can still be looked for by name.
 */
static bool never_used(struct volume *volume, const char *path)
{
	static const char *const names[] = { JOURNAL_NAME, JOURNAL_LIST_NAME, JOURNAL_LIST_OTHER };
	unsigned count = sizeof(names) / sizeof(names[0]), absent = 0;
	struct error ignored;
	struct stat st;
	int fd = volume_directory(volume, path, &ignored);

	if (fd < 0)
		return false;
	for (unsigned i = 0; i < count; i++)
		absent += fstatat(fd, names[i], &st, AT_SYMLINK_NOFOLLOW) != 0 && errno == ENOENT;
	close(fd);
	return absent == count;
}

/*
 * Is a journal that cannot be read of no matter? It is if it was never whole, which is so if
 * nothing came after it; or its name is what is left of it, when it was removed as the last or has
 * become a list. (replacement_ghost.c has what a power cut leaves.) One that has its end was whole.
 */
static bool no_matter(TALLOC_CTX *tmp, struct volume *volume, const char *path, bool torn)
{
	struct error why;
	char **names;
	uint32_t count, others = 0;

	if (!volume_list(tmp, volume, path, &names, &count, &why))
		return why.sys == EIO && never_used(volume, path);
	for (uint32_t i = 0; i < count; i++) {
		if (strcmp(names[i], JOURNAL_LIST_NAME) == 0 ||
		    strcmp(names[i], JOURNAL_LIST_OTHER) == 0)
			return true;
		others += strcmp(names[i], JOURNAL_NAME) != 0 && !publish_step_is_room(names[i]);
	}
	return torn && others == 0;
}

static bool ends_well(struct bytes text)
{
	const void *end = text.size < 2 ? NULL : bytes_at(text, text.size - 2, 2);

	return end && memcmp(end, "}\n", 2) == 0;
}

static bool read_text(TALLOC_CTX *ctx, TALLOC_CTX *tmp, struct volume *volume, const char *name,
                      struct journal *journal, bool *torn, struct error *err)
{
	struct image *image = volume_file(tmp, volume, name, err);

	*torn = !image || !ends_well(image->bytes);
	if (!image)
		return false;
	return journal_read(ctx, image->bytes, journal, err) ||
	       error_wrap(err, "%s/%s", volume_path(volume), name);
}

/* The journal in the directory PATH, if there is one. */
static bool read_one(TALLOC_CTX *ctx, TALLOC_CTX *tmp, struct volume *volume, const char *path,
                     struct journal *journal, bool *found, struct error *err)
{
	char *name = talloc_asprintf(tmp, "%s/" JOURNAL_NAME, path);
	struct volume_entry entry = { .kind = VOLUME_OTHER };
	bool torn = true, looked, done;

	if (!name)
		return error_memory(err);
	looked = volume_find(tmp, volume, name, &entry, err);
	if (looked && entry.kind == VOLUME_ABSENT)
		return true;
	if (looked && entry.size > JOURNAL_TEXT_MAX)
		return error_set(err, ERROR_SOURCE, "%s/%s: is too large for a journal",
		                 volume_path(volume), name);
	done = looked && read_text(ctx, tmp, volume, name, journal, &torn, err);
	if (!done)
		return err->kind == ERROR_SOURCE && no_matter(tmp, volume, path, torn);
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
	if (!done && err->sys == EIO)
		error_wrap(err,
		           "the disk fails, or a power cut has left NTFS inconsistent: run chkdsk "
		           "/f on the volume first");
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

/* (One that is empty on a quorum disk may be that of another node's restore, which makes it again.)
 */
bool replacement_never_began(TALLOC_CTX *tmp, struct volume *volume, const char *path, char **names,
                             uint32_t count)
{
	struct journal journal;
	struct error ignored;
	bool any = false;

	for (uint32_t i = 0; i < count; i++) {
		if (publish_step_is_room(names[i]))
			continue;
		if (strcmp(names[i], JOURNAL_NAME) != 0 ||
		    !read_one(tmp, tmp, volume, path, &journal, &any, &ignored) || any)
			return false;
	}
	return true;
}

static void remove_leftover(TALLOC_CTX *tmp, const struct replacement *r, enum journal_disk disk,
                            const char *path)
{
	struct error ignored;
	char **names, *inside;
	uint32_t count;

	if (!volume_list(tmp, r->disks[disk], path, &names, &count, &ignored) ||
	    !replacement_never_began(tmp, r->disks[disk], path, names, count))
		return;
	for (uint32_t i = 0; i < count; i++) {
		inside = talloc_asprintf(tmp, "%s/%s", path, names[i]);
		if (inside)
			replacement_remove(r, disk, inside, &ignored);
	}
	replacement_rmdir(r, disk, path, &ignored);
}

char **replacement_asides(TALLOC_CTX *ctx, const struct replacement *r, enum journal_disk disk)
{
	char *parent, **paths, **none = talloc_zero(ctx, char *);
	struct error ignored;
	size_t size;

	journal_split(r->journal->aside[disk], &size);
	parent = talloc_strndup(ctx, r->journal->aside[disk], size);
	return parent && list_asides(ctx, r->disks[disk], parent, &paths, &ignored) ? paths : none;
}

void replacement_leftovers(const struct replacement *r)
{
	TALLOC_CTX *tmp = talloc_new(NULL);

	for (unsigned i = 0; tmp && i < JOURNAL_DISKS; i++) {
		char **paths = r->journal->aside[i] ? replacement_asides(tmp, r, i) : NULL;

		for (; paths && *paths; paths++)
			remove_leftover(tmp, r, i, *paths);
	}
	talloc_free(tmp);
}
