/* Old files are found in their directory by what they are, not by what they are called. */
#include "snapshot/restore/legacy.h"

#include <jansson.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "hive/quote.h"
#include "snapshot/restore/restoring.h"

#define PREFIX "clusnap-"
static const char *const lists[] = { "journal.json", "list.json" };

/* clusnap-YYYYMMDDThhmmssZ */
static bool is_name(const char *name)
{
	size_t size = strlen(PREFIX);

	return strncasecmp(name, PREFIX, size) == 0 && strspn(name + size, "0123456789") == 8 &&
	       name[size + 8] == 'T';
}

static const char *last_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

bool legacy_is(TALLOC_CTX *ctx, const char *path)
{
	bool found = false;

	for (unsigned i = 0; !found && i < 2; i++) {
		char *file = talloc_asprintf(ctx, "%s/%s", path, lists[i]);

		found = file && access(file, F_OK) == 0;
	}
	return found && is_name(last_name(path));
}

/* --- status --- */

static bool is_there(struct volume *volume, const char *folder, const char *name, bool *there,
                     struct error *err)
{
	TALLOC_CTX *tmp = talloc_new(NULL);
	char *path = tmp ? talloc_asprintf(tmp, "%s/%s", folder, name) : NULL;
	struct volume_entry entry;
	bool done = path ? volume_find(tmp, volume, path, &entry, err) : error_memory(err);

	*there = done && entry.kind == VOLUME_FILE;
	talloc_free(tmp);
	return done;
}

static bool tell(TALLOC_CTX *tmp, struct copy *copy, const char *folder, bool unfinished,
                 struct error *err)
{
	char *whole = talloc_asprintf(tmp, "%s/%s", copy->path, folder);
	char *path = whole ? quote_word(tmp, whole) : NULL;
	char *target = path ? quote_word(tmp, copy->path) : NULL;
	const char *code = unfinished ? "restore-unfinished" : "set-aside";

	if (!target)
		return error_memory(err);
	problems_add(copy->problems, unfinished ? PROBLEM_FATAL : PROBLEM_NOTE, PROBLEM_NOWHERE,
	             code,
	             unfinished ? "a restore by clusnap 0.1 was interrupted here; the old files "
	                          "are in %s"
	                        : "the old files of a restore by clusnap 0.1 are in %s",
	             folder);
	problems_hint(copy->problems, code, "clusnap undo --undo DIR %s %s", path, target);
	return true;
}

bool legacy_status(struct copy *copy, bool *found, struct error *err)
{
	struct volume *volume = copy->system->volume;
	TALLOC_CTX *tmp = talloc_new(NULL);
	char *cluster = tmp ? restore_cluster(tmp, copy->system, err) : NULL, **names;
	struct error ignored;
	uint32_t count = 0;
	bool done = tmp || error_memory(err);

	if (cluster && !volume_list(tmp, volume, cluster, &names, &count, &ignored))
		count = 0; /* others say that it cannot be listed */
	for (uint32_t i = 0; done && i < count; i++) {
		char *folder = talloc_asprintf(tmp, "%s/%s", cluster, names[i]);
		bool begun, ended;

		if (!is_name(names[i]))
			continue;
		done = folder ? is_there(volume, folder, lists[0], &begun, err) &&
		                        is_there(volume, folder, lists[1], &ended, err)
		              : error_memory(err);
		if (done && (begun || ended)) {
			done = tell(tmp, copy, folder, begun && !ended, err);
			*found |= begun && !ended;
		}
	}
	talloc_free(tmp);
	return done;
}

/* --- a plan --- */

struct legacy {
	struct restore *r;
	char *folder[UNDO_VOLUMES]; /* the directories with the old files */
};

static json_t *read_list(struct legacy *legacy, struct error *err)
{
	struct restore *r = legacy->r;
	struct image *image = NULL;
	json_error_t why;
	json_t *list;

	for (unsigned i = 0; !image && i < 2; i++) {
		char *path =
			talloc_asprintf(r->ctx, "%s/%s", legacy->folder[UNDO_SYSTEM], lists[i]);

		if (!path) {
			error_memory(err);
			return NULL;
		}
		image = volume_file(r->ctx, r->target.system->volume, path, err);
	}
	list = image ? json_loadb((const char *)image->bytes.data, image->bytes.size, 0, &why)
	             : NULL;
	if (image && !list)
		error_set(err, ERROR_SOURCE, "its list is no JSON: line %d: %s", why.line,
		          why.text);
	return list;
}

static bool same_digest(const struct image *image, const char *wanted)
{
	uint8_t digest[DIGEST_SIZE];
	char hex[DIGEST_HEX];

	digest_bytes(image->bytes, digest);
	digest_hex(digest, hex);
	return strcmp(hex, wanted) == 0;
}

/* The old file with this SHA-256, whatever its name there. */
static struct image *find_old(struct legacy *legacy, enum undo_volume volume, const char *sha256,
                              struct error *err)
{
	struct restore *r = legacy->r;
	struct volume *disk = volume == UNDO_QUORUM ? r->quorum->volume : r->target.system->volume;
	uint32_t count;
	char **names;

	if (!volume_list(r->ctx, disk, legacy->folder[volume], &names, &count, err))
		return NULL;
	for (uint32_t i = 0; i < count; i++) {
		char *path = talloc_asprintf(r->ctx, "%s/%s", legacy->folder[volume], names[i]);
		struct image *image = path ? volume_file(r->ctx, disk, path, err) : NULL;

		if (image && same_digest(image, sha256))
			return image;
		talloc_free(image);
	}
	error_set(err, ERROR_SOURCE, "%s: has no whole file with the SHA-256 %s",
	          legacy->folder[volume], sha256);
	return NULL;
}

static bool plan_step(struct legacy *legacy, const json_t *step, struct error *err)
{
	struct restore *r = legacy->r;
	const char *path = json_string_value(json_object_get(step, "path"));
	const char *disk = json_string_value(json_object_get(step, "disk"));
	const char *sha256 =
		json_string_value(json_object_get(json_object_get(step, "old"), "sha256"));
	enum undo_volume volume = disk && strcmp(disk, "quorum") == 0 ? UNDO_QUORUM : UNDO_SYSTEM;
	struct volume *where;
	struct volume_entry entry;
	struct image *now = NULL, *old = NULL;

	if (!path || !disk)
		return error_set(err, ERROR_SOURCE, "its list has a step without path or disk");
	if (volume == UNDO_QUORUM && !r->quorum)
		return error_set(err, ERROR_USAGE,
		                 "it is about the quorum disk, too: name it with --quorum DIR");
	where = volume == UNDO_QUORUM ? r->quorum->volume : r->target.system->volume;
	if (!volume_find(r->ctx, where, path, &entry, err))
		return false;
	if (entry.kind == VOLUME_DIRECTORY)
		return true;
	if (entry.kind == VOLUME_FILE && !(now = volume_file(r->ctx, where, entry.path, err)))
		return false;
	if (!sha256)
		return !now || restore_file_remove(r, volume, entry.path, now, err);
	if (now && same_digest(now, sha256))
		return true;
	old = find_old(legacy, volume, sha256, err);
	return old && restore_file_put(r, volume, now ? entry.path : path, now, old, err);
}

/* Without it nothing is interrupted any more. */
static bool remove_journal(struct legacy *legacy, struct error *err)
{
	struct restore *r = legacy->r;
	struct volume *volume = r->target.system->volume;
	char *path = talloc_asprintf(r->ctx, "%s/%s", legacy->folder[UNDO_SYSTEM], lists[0]);
	struct volume_entry entry;
	struct image *old;

	if (!path)
		return error_memory(err);
	if (!volume_find(r->ctx, volume, path, &entry, err))
		return false;
	if (entry.kind != VOLUME_FILE)
		return true;
	old = volume_file(r->ctx, volume, path, err);
	return old && restore_file_remove(r, UNDO_SYSTEM, entry.path, old, err);
}

static bool plan_steps(struct legacy *legacy, const json_t *list, struct error *err)
{
	const json_t *steps = json_object_get(list, "steps"),
		     *aside = json_object_get(list, "aside");
	const char *quorum = json_string_value(json_object_get(aside, "quorum"));

	if (!json_is_array(steps))
		return error_set(err, ERROR_SOURCE, "its list has no steps");
	legacy->folder[UNDO_QUORUM] = talloc_strdup(legacy->r->ctx, quorum ? quorum : "");
	if (!legacy->folder[UNDO_QUORUM])
		return error_memory(err);
	/* Back to front, as it was undone: logs last. */
	for (size_t i = json_array_size(steps); i-- > 0;) {
		if (!plan_step(legacy, json_array_get(steps, i), err))
			return false;
	}
	return remove_journal(legacy, err) && undo_check_paths(&legacy->r->undo, err);
}

bool legacy_plan(TALLOC_CTX *ctx, const struct restore_options *options, const char *path,
                 struct restore *r, struct error *err)
{
	struct legacy legacy = { .r = r };
	json_t *list;
	bool done;

	if (!restore_begin(ctx, options, r, err))
		return false;
	r->exact = true;
	r->undo.command = talloc_strdup(ctx, "undo");
	legacy.folder[UNDO_SYSTEM] = talloc_asprintf(ctx, "%s/%s", r->cluster, last_name(path));
	if (!r->undo.command || !legacy.folder[UNDO_SYSTEM])
		return error_memory(err);
	list = read_list(&legacy, err);
	done = list && plan_steps(&legacy, list, err);
	json_decref(list);
	return (done && restore_name(r, err)) || error_wrap(err, "%s", path);
}
