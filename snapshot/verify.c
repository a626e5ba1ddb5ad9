/*
 * Verifying a snapshot. Each file is opened by the name that the manifest has for it, and only
 * if layout_kind() knows that name: a manifest from elsewhere cannot lead out of the folder.
 */
#include "snapshot/verifying.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "hive/hive.h"
#include "hive/publish.h"

/* The file as an image, or NULL with *MISSING or *WHY telling the reason. */
static struct image *read_file(struct verifying *v, const char *name, bool *missing,
                               struct error *why)
{
	struct image *image = image_read(v->ctx, v->fd, name, why);

	*missing = !image && why->sys == ENOENT;
	return image;
}

/* --- hives --- */

static bool check_tree(struct verifying *v, const char *path, const struct hive *hive)
{
	uint8_t digest[DIGEST_SIZE];
	struct hive_key root;
	struct error why;

	for (size_t i = 0; i < v->verdict->log->entry_count; i++) {
		const struct quolog_entry *entry = &v->verdict->log->entries[i];

		if (entry->type != RECORD_CHECKPOINT || strcmp(entry->checkpoint.file, path) != 0)
			continue;
		if (!hive_root(hive, &root, &why) || !digest_subtree(hive, &root, digest, &why))
			return why.kind == ERROR_INTERNAL ? error_memory(v->err)
			                                  : verify_damage(v, path, "%s", why.text);
		if (memcmp(digest, entry->checkpoint.digest, DIGEST_SIZE) != 0)
			return verify_damage(
				v, path,
				"its tree is not the one that checkpoint %llu of the log has",
				(unsigned long long)entry->sequence);
	}
	return true;
}

static bool check_hive(struct verifying *v, const struct quolog_file *file,
                       const struct image *image)
{
	struct error why;
	struct hive *hive = hive_open_image(v->ctx, image, file->path, &why);
	bool done;

	if (!hive)
		return why.kind == ERROR_INTERNAL ? error_memory(v->err)
		                                  : verify_damage(v, file->path, "%s", why.text);
	done = !hive_check(hive)->dirty || verify_damage(v, file->path, "the hive is dirty");
	if (done && file->kind == LAYOUT_CHK)
		done = check_tree(v, file->path, hive);
	talloc_free(hive);
	return done;
}

/* --- files that the manifest names --- */

static bool check_file(struct verifying *v, const struct quolog_file *file)
{
	uint8_t digest[DIGEST_SIZE];
	struct image *image;
	struct error why;
	bool missing, done = true;

	if (layout_kind(file->path) != file->kind)
		return verify_damage(v, file->path,
		                     "the manifest names a file that no snapshot has");
	image = read_file(v, file->path, &missing, &why);
	if (!image)
		return why.kind == ERROR_INTERNAL ? error_memory(v->err)
		       : missing                  ? verify_damage(v, file->path, "is missing")
		                                  : verify_damage(v, file->path, "%s", why.text);
	digest_bytes(image->bytes, digest);
	if (image->bytes.size != file->size)
		done = verify_damage(v, file->path, "has %llu bytes, the manifest says %llu",
		                     (unsigned long long)image->bytes.size,
		                     (unsigned long long)file->size);
	else if (memcmp(digest, file->digest, DIGEST_SIZE) != 0)
		done = verify_damage(v, file->path, "its SHA-256 is not the one in the manifest");
	else if (file->kind == LAYOUT_CHK || file->kind == LAYOUT_CPT)
		done = check_hive(v, file, image);
	talloc_free(image);
	return done;
}

static bool check_files(struct verifying *v)
{
	const struct verdict *verdict = v->verdict;

	for (size_t i = 0; i < verdict->file_count; i++) {
		if (!check_file(v, &verdict->files[i]))
			return false;
	}
	return true;
}

/* The newest checkpoint must be there, and the marker must be in the manifest. */
static bool check_manifest(struct verifying *v)
{
	const struct quolog *log = v->verdict->log;
	bool chk = false;

	if (log->file_count == 0)
		return verify_damage(v, LAYOUT_LOG_NAME, "it has no manifest");
	if (!quolog_file(log, LAYOUT_MARKER_NAME) &&
	    !verify_damage(v, LAYOUT_LOG_NAME, "the manifest lacks " LAYOUT_MARKER_NAME))
		return false;
	for (size_t i = 0; i < log->entry_count; i++) {
		const struct quolog_entry *entry = &log->entries[i];

		v->verdict->sequence = entry->sequence;
		if (entry->type != RECORD_CHECKPOINT)
			continue;
		chk = true;
		if (!quolog_file(log, entry->checkpoint.file) &&
		    !verify_damage(
			    v, entry->checkpoint.file,
			    "checkpoint %llu of the log is of this file, the manifest lacks it",
			    (unsigned long long)entry->sequence))
			return false;
		v->verdict->newest_chk = entry->checkpoint.file;
	}
	return chk || verify_damage(v, LAYOUT_LOG_NAME, "it has no checkpoint");
}

/* --- the log, and all --- */

/* NULL log in the verdict if it is none of ours. */
static bool read_log(struct verifying *v, struct bytes bytes)
{
	struct verdict *verdict = v->verdict;
	struct quolog *log = quolog_read(v->ctx, bytes, v->err);

	if (log && v->without_torn && log->state == QUOLOG_TORN && log->committed) {
		verdict->torn = bytes;
		bytes.size = log->committed;
		log = quolog_read(v->ctx, bytes, v->err);
	}
	if (!log)
		return false;
	if (log->state != QUOLOG_WHOLE && !verify_damage(v, LAYOUT_LOG_NAME, "%s", log->why))
		return false;
	if (log->state == QUOLOG_FOREIGN || log->state == QUOLOG_TOO_NEW)
		return true;
	verdict->log = log;
	verdict->files = log->files;
	verdict->file_count = log->file_count;
	return true;
}

/* All that the log says, and whether it is so. */
static bool check_all(struct verifying *v, struct bytes log)
{
	const struct verdict *verdict = v->verdict;

	if (!read_log(v, log))
		return false;
	if (!verdict->log)
		return true;
	if (!check_manifest(v) || !check_files(v) || !verify_folder(v))
		return false;
	/* What is damaged already would only be said once more in other words. */
	return verdict->damage_count > 0 || verify_history(v);
}

static bool verify(struct verifying *v)
{
	struct verdict *verdict = v->verdict;
	struct digest_job id;
	struct image *log;
	struct error why;
	bool missing, done;

	memset(verdict, 0, sizeof(*verdict));
	log = read_file(v, LAYOUT_LOG_NAME, &missing, &why);
	if (!log)
		return why.kind == ERROR_INTERNAL ? error_memory(v->err)
		       : missing                  ? verify_damage(v, LAYOUT_LOG_NAME,
		                                                  "is missing: this is no complete snapshot")
		                 : verify_damage(v, LAYOUT_LOG_NAME, "%s", why.text);
	digest_begin(&id, log->bytes);
	done = check_all(v, log->bytes);
	digest_wait(&id);
	digest_hex(id.digest, verdict->id);
	verdict->complete = done && verdict->damage_count == 0;
	return done;
}

bool verify_directory(TALLOC_CTX *ctx, int fd, const char *path, struct verdict *verdict,
                      struct error *err)
{
	struct verifying v = { ctx, fd, path, verdict, err, false };

	return verify(&v);
}

/* There is no directory: perhaps a killed run has left both the old and the new beside it. */
static bool not_there(TALLOC_CTX *ctx, const char *path, int sys, struct error *err)
{
	char *old = NULL, *new = NULL;

	if (sys == ENOENT && publish_dir_left_behind(ctx, path, &old, &new, err) && old)
		return error_set(
			err, ERROR_BAD_NEWS,
			"%s: is not there; a backup was interrupted while it was replaced, and the "
			"earlier snapshot stands whole in %s%s%s; run the backup again, or rename "
			"it",
			path, old, new ? ", a new one in " : "", new ? new : "");
	errno = sys;
	return error_errno(err, ERROR_SOURCE, "%s", path);
}

static bool open_and_verify(struct verifying *v)
{
	bool done;

	v->fd = open(v->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (v->fd < 0)
		return not_there(v->ctx, v->path, errno, v->err);
	done = verify(v);
	close(v->fd);
	return done;
}

bool verify_path(TALLOC_CTX *ctx, const char *path, struct verdict *verdict, struct error *err)
{
	struct verifying v = { ctx, -1, path, verdict, err, false };

	return open_and_verify(&v);
}

static bool must_be_complete(const char *path, const struct verdict *verdict, struct error *err)
{
	return verdict->complete ||
	       error_set(err, ERROR_BAD_NEWS, "%s: is damaged: %s: %s (`clusnap verify` names all)",
	                 path, verdict->damage[0].path, verdict->damage[0].text);
}

bool verify_complete(TALLOC_CTX *ctx, const char *path, struct verdict *verdict, struct error *err)
{
	return verify_path(ctx, path, verdict, err) && must_be_complete(path, verdict, err);
}

static struct hive *newest(TALLOC_CTX *ctx, const char *path, const struct verdict *verdict,
                           struct error *err)
{
	char *chk = talloc_asprintf(ctx, "%s/%s", path, verdict->newest_chk);
	struct image *image = chk ? image_read(ctx, AT_FDCWD, chk, err) : NULL;

	return image ? hive_open_image(ctx, image, chk, err) : NULL;
}

struct hive *verify_newest(TALLOC_CTX *ctx, const char *path, struct verdict *verdict,
                           struct error *err)
{
	return verify_complete(ctx, path, verdict, err) ? newest(ctx, path, verdict, err) : NULL;
}

struct hive *verify_to_append(TALLOC_CTX *ctx, const char *path, struct verdict *verdict,
                              struct error *err)
{
	struct verifying v = { ctx, -1, path, verdict, err, true };

	return open_and_verify(&v) && must_be_complete(path, verdict, err)
	               ? newest(ctx, path, verdict, err)
	               : NULL;
}
