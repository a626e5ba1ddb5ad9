/*
 * The quorum disk of the first generation. A cluster that forms takes its database from there,
 * if quolog.log is valid and the latest chk????.tmp passes its check; if there is no quolog.log,
 * from CLUSDB (Q217147, steps 5 to 9). So quolog.log goes first. Our own quolog.log never goes
 * there: the format of Windows' is not public.
 */
#include <ctype.h>
#include <strings.h>

#include "snapshot/restore/restoring.h"

char *restore_quorum_path(const struct restore *r, const char *name)
{
	const char *folder = r->quorum->folder;

	return talloc_asprintf(r->ctx, "%s%s%s", folder, *folder ? "/" : "", name);
}

/* chkNNNN.tmp, of any number; an empty one, which a failed attempt has left, too. */
static bool is_chk(const char *name)
{
	size_t digits;

	if (strncasecmp(name, "chk", 3) != 0)
		return false;
	for (digits = 0; isxdigit((unsigned char)name[3 + digits]); digits++)
		;
	return digits > 0 && strcasecmp(name + 3 + digits, ".tmp") == 0;
}

static bool take_away(struct restore *r, const char *name, struct error *err)
{
	char *path = restore_quorum_path(r, name);
	const struct image *old;

	if (!path)
		return error_memory(err);
	old = volume_file(r->ctx, r->quorum->volume, path, err);
	return old && restore_file_remove(r, UNDO_QUORUM, path, old, err);
}

bool restore_quorum_database(struct restore *r, struct error *err)
{
	uint32_t count;
	char **names;

	if (!volume_list(r->ctx, r->quorum->volume, r->quorum->folder, &names, &count, err))
		return false;
	for (uint32_t i = 0; i < count; i++) {
		if (strcasecmp(names[i], LAYOUT_LOG_NAME) == 0 && !take_away(r, names[i], err))
			return false;
	}
	for (uint32_t i = 0; i < count; i++) {
		if (is_chk(names[i]) && !take_away(r, names[i], err))
			return false;
	}
	return true;
}

/* False with ERROR_NONE if it is no hive. */
static bool digest_image(TALLOC_CTX *tmp, const struct image *image, uint8_t digest[DIGEST_SIZE],
                         struct error *err)
{
	struct hive *hive = hive_open_image(tmp, image, "image", err);
	struct hive_key root;

	if (hive && hive_root(hive, &root, err) && digest_subtree(hive, &root, digest, err))
		return true;
	if (err->kind != ERROR_INTERNAL)
		err->kind = ERROR_NONE;
	return false;
}

/* Is what is there the same: the same bytes, or an image of the same tree? */
static bool is_equal(const struct image *old, const struct image *new, bool *same,
                     struct error *err)
{
	uint8_t digests[2][DIGEST_SIZE];
	TALLOC_CTX *tmp;

	*same = bytes_equal(old->bytes, new->bytes);
	if (*same)
		return true;
	tmp = talloc_new(NULL);
	if (!tmp)
		return error_memory(err);
	err->kind = ERROR_NONE;
	*same = digest_image(tmp, old, digests[0], err) &&
	        digest_image(tmp, new, digests[1], err) &&
	        memcmp(digests[0], digests[1], DIGEST_SIZE) == 0;
	talloc_free(tmp);
	return err->kind == ERROR_NONE;
}

/* The folder of a resource as the disk spells it, or as it will be; *IS_NEW: it is to be made. */
static char *resource_folder(struct restore *r, const char *guid, bool *is_new, struct error *err)
{
	char *folder = restore_quorum_path(r, guid),
	     *braced = talloc_asprintf(r->ctx, "{%s}", guid);
	struct volume_entry entry = { 0 };

	braced = braced ? restore_quorum_path(r, braced) : NULL;
	if (!folder || !braced) {
		error_memory(err);
		return NULL;
	}
	*is_new = false;
	for (unsigned i = 0; i < 2; i++) {
		if (!volume_find(r->ctx, r->quorum->volume, i ? braced : folder, &entry, err))
			return NULL;
		if (entry.kind == VOLUME_DIRECTORY)
			return entry.path;
		if (entry.kind != VOLUME_ABSENT) {
			error_set(err, ERROR_DESTINATION, "%s/%s: is no directory",
			          volume_path(r->quorum->volume), entry.path);
			return NULL;
		}
	}
	*is_new = true;
	return folder;
}

/* Is the directory one that an earlier step makes? */
static bool is_made(const struct restore *r, const char *path)
{
	for (uint32_t i = 0; i < r->undo.count; i++) {
		const struct undo_file *file = &r->undo.files[i];

		if (file->action == UNDO_MKDIR && strcmp(file->path, path) == 0)
			return true;
	}
	return false;
}

bool restore_quorum_file(struct restore *r, const char *name, struct error *err)
{
	struct image *new = restore_snapshot_file(r, name, err), *old = NULL;
	const char *slash = strchr(name, '/');
	char *guid = talloc_strndup(r->ctx, name, (size_t)(slash - name)), *folder, *path;
	struct volume_entry entry = { 0 };
	bool is_new, same;

	if (!new || !guid)
		return new ? error_memory(err) : false;
	folder = resource_folder(r, guid, &is_new, err);
	if (!folder)
		return false;
	path = talloc_asprintf(r->ctx, "%s%s", folder, slash);
	if (!path)
		return error_memory(err);
	if (is_new && !is_made(r, folder) && !restore_file_mkdir(r, UNDO_QUORUM, folder, err))
		return false;
	if (!is_new && !volume_find(r->ctx, r->quorum->volume, path, &entry, err))
		return false;
	if (entry.kind != VOLUME_ABSENT) {
		path = entry.path;
		old = volume_file(r->ctx, r->quorum->volume, path, err);
		if (!old || !is_equal(old, new, &same, err))
			return false;
		if (same)
			return true;
	}
	return restore_file_put(r, UNDO_QUORUM, path, old, new, err);
}
