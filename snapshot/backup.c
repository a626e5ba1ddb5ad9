/*
 * Writing a snapshot: the files, then quolog.log, which holds the SHA-256 of each of them,
 * then the marker. All times in it come from the data, so that two backups of one disk are the
 * same bytes.
 */
#include "snapshot/backup.h"

#include <fcntl.h>

#include "hive/publish.h"
#include "snapshot/guard.h"
#include "snapshot/quolog.h"
#include "snapshot/torn.h"

/* --- where a snapshot must not go: sources never change --- */

static bool check_destination(const struct backup_options *options, const char *destination,
                              struct error *err)
{
	for (char **system = options->collect.systems; *system; system++) {
		if (!guard_source(destination, *system, err))
			return false;
	}
	return guard_snapshot(destination, err) && guard_windows(destination, err) &&
	       (!options->collect.quorum ||
	        guard_source(destination, options->collect.quorum, err));
}

/* --- the log --- */

bool backup_manifest(TALLOC_CTX *ctx, struct quolog_writer *writer,
                     const struct collection *collection, uint64_t time, struct error *err)
{
	size_t count = collection->file_count + 1;
	struct quolog_file *files = talloc_zero_array(ctx, struct quolog_file, (unsigned)count);

	if (!files)
		return error_memory(err);
	for (uint32_t i = 0; i < collection->file_count; i++) {
		const struct collected *from = &collection->files[i];

		files[i].path = from->path;
		files[i].kind = layout_kind(from->path);
		files[i].size = from->bytes.size;
		files[i].hive = from->hive;
		files[i].key = from->key;
		digest_bytes(from->bytes, files[i].digest);
	}
	files[count - 1] = (struct quolog_file){
		.path = LAYOUT_MARKER_NAME, .kind = LAYOUT_MARKER, .hive = "", .key = ""
	};
	digest_bytes((struct bytes){ (const uint8_t *)"", 0 }, files[count - 1].digest);
	return quolog_put_manifest(writer, files, count, time, err);
}

/* The log that is there, and what was put behind it. */
static struct image *join(TALLOC_CTX *ctx, struct bytes old, struct bytes new, struct error *err)
{
	struct image *whole = image_new(ctx, old.size + new.size, err);

	if (!whole)
		return NULL;
	memcpy(image_data(whole), old.data, old.size);
	memcpy(image_data(whole) + old.size, new.data, new.size);
	return image_seal(whole, err) ? whole : NULL;
}

/*
 * The history, the checkpoint that it ends with, and the manifest. If nothing has changed it is the
 * log that is there, without its torn end: a manifest would only say once more what the last one
 * says.
 */
static struct image *make_log(TALLOC_CTX *ctx, const struct collection *collection,
                              struct error *err)
{
	const struct history *history = &collection->history;
	const struct copy *newest = &collection->copies[collection->newest];
	uint64_t time = newest->cluster.written;
	const char *origin = copy_origin(ctx, newest);
	struct image *image;

	if (collection->unchanged)
		return image_copy(ctx, collection->previous->log->bytes, err);
	if (!origin) {
		error_memory(err);
		return NULL;
	}
	if (history->transactions && !quolog_put_checkpoint(history->writer, collection->newest_chk,
	                                                    collection->digest, time, origin, err))
		return NULL;
	if (!backup_manifest(ctx, history->writer, collection, time, err))
		return NULL;
	image = quolog_finish(ctx, history->writer, err);
	return image && collection->previous && !history->oldest
	               ? join(ctx, collection->previous->log->bytes, image->bytes, err)
	               : image;
}

/* --- publishing --- */

static bool write_all(struct publish_dir *dir, const struct collection *collection,
                      const struct image *log, bool *hidden, struct error *err)
{
	for (uint32_t i = 0; i < collection->file_count; i++) {
		if (!publish_dir_file(dir, collection->files[i].path, collection->files[i].bytes,
		                      err))
			return false;
	}
	return publish_dir_file(dir, LAYOUT_LOG_NAME, log->bytes, err) &&
	       publish_dir_marker(dir, LAYOUT_MARKER_NAME, hidden, err);
}

/* What was written is read again and verified before it may replace anything. */
static bool verify_written(TALLOC_CTX *ctx, struct publish_dir *dir, const char *path,
                           struct verdict *verdict, struct error *err)
{
	if (!verify_directory(ctx, publish_dir_fd(dir), path, verdict, err))
		return false;
	if (verdict->complete)
		return true;
	return error_set(err, ERROR_DESTINATION, "%s: what was written reads back damaged: %s: %s",
	                 path, verdict->damage[0].path, verdict->damage[0].text);
}

static void warn_about(const struct publish_dir *dir, const char *path, bool hidden,
                       struct problems *warnings)
{
	if (!hidden)
		problems_add(warnings, PROBLEM_NOTE, PROBLEM_NOWHERE, "marker-not-hidden",
		             "%s: the file system has no hidden attribute for " LAYOUT_MARKER_NAME,
		             path);
	if (!publish_dir_private(dir))
		problems_add(
			warnings, PROBLEM_HEALS, PROBLEM_NOWHERE, "not-private",
			"%s: the file system lets others read it, and it holds secrets; restrict "
			"access to it",
			path);
	if (publish_dir_warning(dir))
		problems_add(warnings, PROBLEM_HEALS, PROBLEM_NOWHERE, "old-not-removed", "%s",
		             publish_dir_warning(dir));
}

bool backup_publish(TALLOC_CTX *ctx, struct publish_dir *dir, const char *path,
                    const struct collection *collection, const struct image *log,
                    struct verdict *verdict, struct error *err)
{
	bool hidden = false;

	if (!write_all(dir, collection, log, &hidden, err) ||
	    !verify_written(ctx, dir, path, verdict, err) || !publish_dir_commit(dir, err))
		return false;
	warn_about(dir, path, hidden, collection->warnings);
	return true;
}

/* A snapshot that goes on must be the one that was read: now nobody else writes there. */
static bool is_unchanged(TALLOC_CTX *ctx, const char *path, const struct verdict *previous,
                         struct error *err)
{
	char *name = talloc_asprintf(ctx, "%s/" LAYOUT_LOG_NAME, path);
	struct image *image = name ? image_read(ctx, AT_FDCWD, name, err) : NULL;

	if (!image)
		return name ? error_wrap(err, "%s", name) : error_memory(err);
	return bytes_equal(image->bytes,
	                   previous->torn.size ? previous->torn : previous->log->bytes) ||
	       error_set(err, ERROR_DESTINATION, "%s: somebody else changed it meanwhile", path);
}

/* A snapshot is replaced as BackupClusterDatabase does it; that it held something else is said. */
static void warn_replaced(TALLOC_CTX *ctx, const char *path, struct bytes log,
                          struct problems *warnings)
{
	char *name = talloc_asprintf(ctx, "%s/" LAYOUT_LOG_NAME, path);
	struct error none;
	struct image *image = name ? image_read(ctx, AT_FDCWD, name, &none) : NULL;
	struct quolog *old = image ? quolog_read(ctx, image->bytes, &none) : NULL;
	struct quolog *new = old ? quolog_read(ctx, log, &none) : NULL;

	if (!new || old->entry_count == 0 || new->entry_count == 0)
		return;
	if (strcmp(old->id.instance_id, new->id.instance_id) != 0 ||
	    strcmp(old->id.cluster, new->id.cluster) != 0)
		problems_add(warnings, PROBLEM_HEALS, PROBLEM_NOWHERE, "replaced-other",
		             "%s: replaced a snapshot of another cluster, %s", path,
		             old->id.cluster);
	else if (old->entries[old->entry_count - 1].time > new->entries[new->entry_count - 1].time)
		problems_add(warnings, PROBLEM_HEALS, PROBLEM_NOWHERE, "replaced-newer",
		             "%s: replaced a snapshot of a newer state of %s", path,
		             old->id.cluster);
}

/* What is published at one path after the other. */
struct publishing {
	TALLOC_CTX *ctx;
	const struct collection *collection;
	const struct image *log;
	struct error *err;
};

/*
 * Of what stands there and has all that would be written: not a byte of it is touched, unless
 * it lets others read it where it need not.
 */
static bool let_stay(const struct publishing *p, const struct publish_dir *dir, const char *path,
                     bool *stays)
{
	bool private;

	if (!publish_dir_stay(dir, &private, p->err))
		return false;
	*stays = private || !publish_dir_private(dir);
	if (*stays)
		warn_about(dir, path, true, p->collection->warnings);
	return true;
}

/*
 * THERE: what must be there, as it was verified; NULL: anything that may be replaced, or nothing.
 * If nothing has changed, THERE stays, but for a torn end of its log.
 */
static bool publish_into(const struct publishing *p, struct publish_dir *dir, const char *path,
                         const struct verdict *there, struct verdict *verdict)
{
	struct problems *warnings = p->collection->warnings;
	bool stays = false;

	if (!there)
		warn_replaced(p->ctx, path, p->log->bytes, warnings);
	else if (!is_unchanged(p->ctx, path, there, p->err) ||
	         !torn_keep(p->ctx, path, there, warnings, p->err))
		return false;
	if (there && p->collection->unchanged && !there->torn.size &&
	    !let_stay(p, dir, path, &stays))
		return false;
	if (stays)
		*verdict = *there;
	return stays || backup_publish(p->ctx, dir, path, p->collection, p->log, verdict, p->err);
}

static bool publish(const struct publishing *p, const char *path, const struct verdict *there,
                    struct verdict *verdict)
{
	struct publish_dir *dir = publish_dir_begin(p->ctx, path, layout_is_snapshot, p->err);
	bool done = dir && publish_into(p, dir, path, there, verdict);

	talloc_free(dir);
	return done;
}

/* A copy that is whole and has this log stays, too, if nothing has changed. */
static bool publish_copy(const struct publishing *p, const char *path)
{
	struct verdict there, verdict;
	struct error ignored;
	bool stays = p->collection->unchanged && verify_path(p->ctx, path, &there, &ignored) &&
	             there.complete && bytes_equal(there.log->bytes, p->log->bytes);

	return publish(p, path, stays ? &there : NULL, &verdict);
}

static bool check_destinations(const struct backup_options *options, struct error *err)
{
	if (!check_destination(options, options->destination, err))
		return false;
	for (char **copy = options->copies; copy && *copy; copy++) {
		if (!check_destination(options, *copy, err) ||
		    !guard_apart(options->destination, *copy, err))
			return false;
		for (char **other = options->copies; other < copy; other++) {
			if (!guard_apart(*other, *copy, err))
				return false;
		}
	}
	return true;
}

bool backup(TALLOC_CTX *ctx, const struct backup_options *options, struct collection *collection,
            struct verdict *verdict, struct error *err)
{
	struct publishing p = { .ctx = ctx, .collection = collection, .err = err };
	const char *step;

	if (!check_destinations(options, err) || !collect(ctx, &options->collect, collection, err))
		return false;
	step = collection->unchanged ? "verifying" : "writing";
	collect_progress(&options->collect, step, options->destination);
	p.log = make_log(ctx, collection, err);
	if (!p.log || !publish(&p, options->destination, collection->previous, verdict))
		return false;
	for (char **copy = options->copies; copy && *copy; copy++) {
		collect_progress(&options->collect, step, *copy);
		if (!publish_copy(&p, *copy))
			return error_wrap(err, "%s is complete, but a copy of it is not",
			                  options->destination);
	}
	return true;
}
