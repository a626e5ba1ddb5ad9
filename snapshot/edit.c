/*
 * Editing. What a .reg file asks for and what comes of it are two things: the transaction is
 * the difference of the tree before and after, so that the times of keys, and subkeys that
 * went with their parent, are in it, and a replay is exact.
 */
#include "snapshot/edit.h"

#include <fcntl.h>
#include <time.h>
#include <unistd.h>

#include "hive/diff.h"
#include "hive/save.h"
#include "hive/tree.h"
#include "snapshot/backup.h"
#include "snapshot/batch.h"
#include "snapshot/torn.h"

#define FILETIME_OF_1970 116444736000000000u

struct edit {
	const char *path;
	int fd; /* of the snapshot */
	struct publish_dir *dir;
	struct verdict verdict;
	struct image *log;
	struct hive *hive, *result;
	struct cluster cluster;
	struct tree *tree;
	struct tree_rules rules;
	struct collection files; /* of the new snapshot */
	const char *dropped;
};

static int close_fd(struct edit *edit)
{
	if (edit->fd >= 0)
		close(edit->fd);
	return 0;
}

/* From here on nobody else writes at PATH; what was verified must still be there. */
static bool begin(struct edit *edit, struct error *err)
{
	edit->dir = publish_dir_begin(edit, edit->path, layout_is_snapshot, err);
	if (!edit->dir)
		return false;
	edit->fd = open(edit->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (edit->fd < 0)
		return error_errno(err, ERROR_SOURCE, "%s", edit->path);
	edit->log = image_read(edit, edit->fd, LAYOUT_LOG_NAME, err);
	if (!edit->log)
		return error_wrap(err, "%s", edit->path);
	if (bytes_equal(edit->log->bytes,
	                edit->verdict.torn.size ? edit->verdict.torn : edit->verdict.log->bytes))
		return true;
	return error_set(err, ERROR_DESTINATION, "%s: somebody else changed it meanwhile",
	                 edit->path);
}

static bool load(struct edit *edit, struct error *err)
{
	struct hive_key root;

	edit->hive = verify_to_append(edit, edit->path, &edit->verdict, err);
	if (!edit->hive || !begin(edit, err) || !hive_root(edit->hive, &root, err) ||
	    !cluster_read(edit, edit->hive, &edit->cluster, err))
		return false;
	edit->tree = tree_load(edit, edit->hive, &root, err);
	edit->files.warnings = problems_new(edit);
	return edit->tree && (edit->files.warnings || error_memory(err));
}

struct edit *edit_open(TALLOC_CTX *ctx, const char *path, struct error *err)
{
	struct edit *edit = talloc_zero(ctx, struct edit);

	if (!edit) {
		error_memory(err);
		return NULL;
	}
	edit->fd = -1;
	talloc_set_destructor(edit, close_fd);
	edit->path = talloc_strdup(edit, path);
	edit->rules = (struct tree_rules){ .as_reg = true, .now = edit_now() };
	if (!edit->path || !load(edit, err)) {
		if (!edit->path)
			error_memory(err);
		TALLOC_FREE(edit);
	}
	return edit;
}

const struct problems *edit_warnings(const struct edit *edit)
{
	return edit->files.warnings;
}

const struct cluster *edit_cluster(const struct edit *edit)
{
	return &edit->cluster;
}

bool edit_change(void *data, const struct change *change, struct error *err)
{
	struct edit *edit = data;

	return tree_apply(edit->tree, change, &edit->rules, err);
}

void edit_drop_file(struct edit *edit, const char *path)
{
	edit->dropped = path;
}

/* --- the new state --- */

static struct image *prove(struct edit *edit, const char *name, uint8_t digest[DIGEST_SIZE],
                           struct error *err)
{
	struct image *image =
		tree_save_proved(edit, edit->tree, edit->hive, name, &edit->result, err);
	struct hive_key root;

	return image && hive_root(edit->result, &root, err) &&
	                       digest_subtree(edit->result, &root, digest, err)
	               ? image
	               : NULL;
}

/* What no cluster database is without. */
static bool is_database(const struct hive *hive, const char *path, struct error *err)
{
	static const char *const keys[] = { "Nodes", "Groups", "Resources" };
	struct hive_key key;

	for (unsigned i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		if (!hive_find(hive, NULL, keys[i], &key, err))
			return false;
		if (key.cell == REGF_NIL)
			return error_set(err, ERROR_REFUSED,
			                 "%s: after these changes there would be no key %s, and it "
			                 "no cluster database any more",
			                 path, keys[i]);
	}
	return true;
}

bool edit_same_cluster(TALLOC_CTX *ctx, const struct cluster *before, struct hive *after,
                       const char *path, struct error *err)
{
	struct cluster now;

	if (!is_database(after, path, err) || !cluster_read(ctx, after, &now, err))
		return false;
	return cluster_same(before, &now) ||
	       error_set(err, ERROR_REFUSED,
	                 "%s: after these changes it would be of another cluster: "
	                 "ERROR_CLUSTER_INSTANCE_ID_MISMATCH (5893)",
	                 path);
}

uint64_t edit_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return FILETIME_OF_1970 + (uint64_t)now.tv_sec * 10000000 + (uint64_t)now.tv_nsec / 100;
}

/* --- the files of the new snapshot --- */

static bool add_file(struct edit *edit, const char *path, struct bytes bytes, const char *hive,
                     const char *key, struct error *err)
{
	struct collection *files = &edit->files;
	struct collected *list =
		talloc_realloc(edit, files->files, struct collected, files->file_count + 1);

	if (!list)
		return error_memory(err);
	files->files = list;
	list[files->file_count++] = (struct collected){
		.path = (char *)path, .bytes = bytes, .hive = (char *)hive, .key = (char *)key
	};
	return true;
}

static bool keep_files(struct edit *edit, struct error *err)
{
	for (size_t i = 0; i < edit->verdict.file_count; i++) {
		const struct quolog_file *file = &edit->verdict.files[i];
		struct image *image;

		if (file->kind == LAYOUT_MARKER ||
		    (edit->dropped && strcmp(edit->dropped, file->path) == 0))
			continue;
		image = image_read(edit, edit->fd, file->path, err);
		if (!image)
			return error_wrap(err, "%s/%s", edit->path, file->path);
		if (!add_file(edit, file->path, image->bytes, file->hive, file->key, err))
			return false;
	}
	return true;
}

/* One more than the highest. */
static char *next_chk(struct edit *edit)
{
	char *name = talloc_size(edit, LAYOUT_CHK_SIZE);
	uint32_t highest = 0;

	for (size_t i = 0; i < edit->verdict.file_count; i++) {
		uint32_t number = layout_chk_number(edit->verdict.files[i].path);

		if (number > highest)
			highest = number;
	}
	if (name)
		layout_chk_name(highest + 1, name);
	return name;
}

/* --- the log --- */

static struct image *longer_log(struct edit *edit, struct batch *batch, const char *chk,
                                const uint8_t digest[DIGEST_SIZE], const char *origin,
                                struct error *err)
{
	struct quolog_transaction transaction = { .time = edit->rules.now, .origin = origin };
	struct quolog_writer *writer = quolog_continue(edit, edit->verdict.log, err);
	struct bytes old = edit->verdict.log->bytes;
	struct image *tail, *whole;

	if (!writer || !batch_finish(batch, &transaction.batch, &transaction.companion, err) ||
	    !quolog_put_transaction(writer, &transaction, err) ||
	    !quolog_put_checkpoint(writer, chk, digest, edit->rules.now, origin, err) ||
	    !backup_manifest(edit, writer, &edit->files, edit->rules.now, err))
		return NULL;
	tail = quolog_finish(edit, writer, err);
	whole = tail ? image_new(edit, old.size + tail->bytes.size, err) : NULL;
	if (!whole)
		return NULL;
	memcpy(image_data(whole), old.data, old.size);
	memcpy(image_data(whole) + old.size, tail->bytes.data, tail->bytes.size);
	return image_seal(whole, err) ? whole : NULL;
}

bool edit_publish(struct edit *edit, const char *origin, bool *changed, struct verdict *verdict,
                  struct error *err)
{
	struct batch *batch = batch_new(edit, err);
	char *chk = next_chk(edit);
	uint8_t digest[DIGEST_SIZE];
	struct image *image, *log;
	struct hive_key a, b;

	if (!batch || !chk)
		return error_memory(err);
	image = prove(edit, chk, digest, err);
	if (!image || !edit_same_cluster(edit, &edit->cluster, edit->result, edit->path, err) ||
	    !hive_root(edit->hive, &a, err) || !hive_root(edit->result, &b, err) ||
	    !diff_subtrees(edit->hive, &a, edit->result, &b, NULL, batch_put, batch, err))
		return false;
	*changed = batch_count(batch) > 0;
	*verdict = edit->verdict;
	if (!*changed && !edit->verdict.torn.size)
		return true;
	if (!keep_files(edit, err) || (*changed && !add_file(edit, chk, image->bytes, "", "", err)))
		return false;
	log = *changed ? longer_log(edit, batch, chk, digest, origin, err)
	               : image_copy(edit, edit->verdict.log->bytes, err); /* without its torn end */
	return log && torn_keep(edit, edit->path, &edit->verdict, edit->files.warnings, err) &&
	       backup_publish(talloc_parent(edit), edit->dir, edit->path, &edit->files, log,
	                      verdict, err);
}
