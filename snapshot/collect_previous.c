/*
 * The snapshot that a backup goes on with (--append): its log, its chk files, and those .CPR
 * files that nobody can make again.
 */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "snapshot/collecting.h"
#include "snapshot/verify.h"

struct previous {
	const char *path;
	struct verdict verdict;
	struct hive *hive;
	struct cluster cluster;
};

bool collect_previous(struct collecting *c)
{
	const char *path = c->options->append;
	struct previous *previous;

	if (!path || (access(path, F_OK) != 0 && errno == ENOENT))
		return true;
	previous = talloc_zero(c->ctx, struct previous);
	if (!previous)
		return error_memory(c->err);
	previous->path = path;
	previous->hive = verify_to_append(c->ctx, path, &previous->verdict, c->err);
	if (!previous->hive || !cluster_read(c->ctx, previous->hive, &previous->cluster, c->err))
		return false;
	c->previous = previous;
	c->out->previous = &previous->verdict;
	return true;
}

void collect_resume(const struct collecting *c, struct history_options *options)
{
	if (!c->previous)
		return;
	options->log = c->previous->verdict.log;
	options->hive = c->previous->hive;
	options->cluster = &c->previous->cluster;
}

static bool keep(struct collecting *c, const struct quolog_file *file)
{
	char *path = talloc_asprintf(c->ctx, "%s/%s", c->previous->path, file->path);
	struct image *image = path ? image_read(c->ctx, AT_FDCWD, path, c->err) : NULL;

	if (!image)
		return path ? error_wrap(c->err, "%s", path) : error_memory(c->err);
	return collect_add(c, talloc_strdup(c->ctx, file->path), image->bytes, file->hive,
	                   file->key);
}

bool collect_kept(struct collecting *c, const char *path, bool *done)
{
	const struct quolog_file *file =
		c->previous ? quolog_file(c->previous->verdict.log, path) : NULL;

	*done = file != NULL;
	return !file || keep(c, file);
}

bool collect_chks(struct collecting *c, const char **next)
{
	const struct verdict *verdict = &c->previous->verdict;
	uint32_t highest = 0;
	char *name;

	for (size_t i = 0; i < verdict->file_count; i++) {
		uint32_t number = layout_chk_number(verdict->files[i].path);

		if (number && !keep(c, &verdict->files[i]))
			return false;
		if (number > highest)
			highest = number;
	}
	name = talloc_size(c->ctx, LAYOUT_CHK_SIZE);
	if (!name)
		return error_memory(c->err);
	layout_chk_name(highest + 1, name);
	*next = name;
	return true;
}

/* --- has anything changed? --- */

static bool same_database(const struct collection *collection)
{
	const struct quolog *log = collection->previous->log;
	const struct quolog_entry *newest = NULL;

	for (size_t i = 0; i < log->entry_count; i++) {
		if (log->entries[i].type == RECORD_CHECKPOINT)
			newest = &log->entries[i];
	}
	return newest && memcmp(newest->checkpoint.digest, collection->digest, DIGEST_SIZE) == 0;
}

static bool same_file(const struct quolog *log, const struct collected *file)
{
	const struct quolog_file *there = quolog_file(log, file->path);
	uint8_t digest[DIGEST_SIZE];

	if (!there || there->size != file->bytes.size || strcmp(there->hive, file->hive) != 0 ||
	    strcmp(there->key, file->key) != 0)
		return false;
	digest_bytes(file->bytes, digest);
	return memcmp(there->digest, digest, DIGEST_SIZE) == 0;
}

bool collect_unchanged(const struct collection *collection)
{
	const struct verdict *previous = collection->previous;

	if (!previous || collection->history.oldest || collection->history.transactions ||
	    previous->file_count != collection->file_count + 1) /* the marker */
		return false;
	for (uint32_t i = 0; i < collection->file_count; i++) {
		if (!same_file(previous->log, &collection->files[i]))
			return false;
	}
	return same_database(collection);
}
