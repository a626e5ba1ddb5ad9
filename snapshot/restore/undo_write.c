/*
 * Making an undo directory: a new directory that is published whole (hive/publish.h), the sums
 * last, so that it is there and durable, or not there.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "hive/publish.h"
#include "hive/publish_step.h"
#include "snapshot/restore/undo.h"

#define NAMES_TRIED 100u /* directories of one second and one node */

/* PATH without slashes at its end; NULL without memory. */
static char *trimmed(TALLOC_CTX *ctx, const char *path)
{
	size_t size = strlen(path);

	while (size > 1 && path[size - 1] == '/')
		size--;
	return talloc_strndup(ctx, path, size);
}

/* The directory that undo directories are collected in; the one above it must be there. */
static bool make_parent(TALLOC_CTX *tmp, const char *path, struct error *err)
{
	char *name = trimmed(tmp, path), *slash = name ? strrchr(name, '/') : NULL;
	struct stat st;
	bool done;
	int fd;

	if (!name)
		return error_memory(err);
	if (stat(path, &st) == 0)
		return S_ISDIR(st.st_mode) ||
		       error_set(err, ERROR_DESTINATION,
		                 "%s: is no directory: ERROR_DIRECTORY (267); name one with --undo",
		                 path);
	if (slash)
		*slash = '\0';
	fd = open(!slash ? "." : slash == name ? "/" : name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return error_errno(err, ERROR_DESTINATION,
		                   "%s: cannot be made; name another directory with --undo", path);
	done = publish_step_mkdir(fd, slash ? slash + 1 : name, path, err);
	close(fd);
	return done;
}

/* A node's name as part of a file name that every file system takes. */
static char *safe_name(TALLOC_CTX *ctx, const char *node)
{
	char *safe = talloc_strdup(ctx, *node ? node : "node");

	for (char *c = safe; c && *c; c++) {
		if (!strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_", *c))
			*c = '_';
	}
	return safe;
}

/* PARENT/YYYYMMDDThhmmssZ-NODE, or with -2 behind it; absolute, for PARENT is there. */
static char *choose_path(TALLOC_CTX *ctx, const struct undo *undo, const char *parent,
                         struct error *err)
{
	char *real = realpath(parent, NULL), *node = safe_name(ctx, undo->node), *stamp,
	     *path = NULL;

	stamp = talloc_strdup(ctx, undo->begun);
	for (char *from = stamp, *to = stamp; from && (*to = *from); from++)
		to += *from != '-' && *from != ':';
	for (unsigned i = 1; real && node && stamp && i < NAMES_TRIED; i++) {
		path = talloc_asprintf(ctx, "%s/%s-%s", real, stamp, node);
		if (path && i > 1)
			path = talloc_asprintf_append(path, "-%u", i);
		if (!path || access(path, F_OK) != 0)
			break;
	}
	if (!real)
		error_errno(err, ERROR_DESTINATION, "%s", parent);
	else if (!path)
		error_memory(err);
	free(real);
	return path;
}

static bool write_files(TALLOC_CTX *tmp, struct publish_dir *dir, const struct undo *undo,
                        struct error *err)
{
	for (uint32_t i = 0; i < undo->count; i++) {
		const struct undo_file *file = &undo->files[i];

		for (unsigned when = 0; when < UNDO_WHENS; when++) {
			char *name;

			if (!undo_has_file(file, when))
				continue;
			name = undo_file_name(tmp, undo, i, when);
			if (!name)
				return error_memory(err);
			if (!publish_dir_file(dir, name, file->content[when].image->bytes, err))
				return false;
		}
	}
	return true;
}

/* They may be many and large: so they are read again, one at a time. */
static struct image *read_shadow(TALLOC_CTX *ctx, const struct undo_shadow *one, struct error *err)
{
	struct image *image = volume_file(ctx, one->copy, one->path, err);
	uint8_t digest[DIGEST_SIZE];

	if (!image)
		return NULL;
	digest_bytes(image->bytes, digest);
	if (memcmp(digest, one->content.digest, DIGEST_SIZE) == 0)
		return image;
	talloc_free(image);
	error_set(err, ERROR_REFUSED,
	          "%s/%s: has changed since it was looked at; if anything else writes to that "
	          "volume, stop it, and run this again",
	          volume_path(one->copy), one->path);
	return NULL;
}

static bool write_shadows(TALLOC_CTX *tmp, struct publish_dir *dir, const struct undo *undo,
                          struct error *err)
{
	for (uint32_t i = 0; i < undo->shadow_count; i++) {
		char *name = undo_shadow_name(tmp, undo, i);
		struct image *image;

		if (!name)
			return error_memory(err);
		image = read_shadow(tmp, &undo->shadows[i], err);
		if (!image || !publish_dir_file(dir, name, image->bytes, err))
			return false;
		talloc_free(image);
	}
	return true;
}

static bool write_all(TALLOC_CTX *tmp, struct publish_dir *dir, struct undo *undo,
                      struct error *err)
{
	struct bytes plan = undo_plan_write(tmp, undo, err);
	uint8_t digest[DIGEST_SIZE];
	char *sums;

	if (!plan.data || !write_files(tmp, dir, undo, err) ||
	    !write_shadows(tmp, dir, undo, err) ||
	    !publish_dir_file(dir, UNDO_PLAN_NAME, plan, err))
		return false;
	digest_bytes(plan, digest);
	digest_hex(digest, undo->id);
	sums = undo_sums(tmp, undo);
	if (!sums)
		return error_memory(err);
	return publish_dir_file(dir, UNDO_SUMS_NAME,
	                        (struct bytes){ (const uint8_t *)sums, strlen(sums) }, err) &&
	       publish_dir_commit(dir, err);
}

bool undo_write(TALLOC_CTX *ctx, struct undo *undo, const char *parent, struct problems *warnings,
                struct error *err)
{
	TALLOC_CTX *tmp = talloc_new(NULL);
	struct publish_dir *dir;
	bool done = false;
	char *path = NULL;

	if (!tmp)
		return error_memory(err);
	if (make_parent(tmp, parent, err))
		path = choose_path(ctx, undo, parent, err);
	dir = path ? publish_dir_begin(tmp, path, NULL, err) : NULL;
	if (dir)
		done = write_all(tmp, dir, undo, err);
	if (done)
		undo->path = path;
	if (done && !publish_dir_private(dir))
		problems_add(
			warnings, PROBLEM_HEALS, PROBLEM_NOWHERE, "not-private",
			"the file system of %s cannot keep modes: others may read the old files",
			parent);
	talloc_free(tmp);
	return done || error_wrap(err, "the undo directory cannot be made");
}

void undo_note(const struct undo *undo, const char *state, struct problems *warnings)
{
	TALLOC_CTX *tmp = talloc_new(NULL);
	char *path = NULL, *text = NULL, time[32];
	struct error err;

	undo_time(time);
	if (tmp) {
		path = talloc_asprintf(tmp, "%s/" UNDO_STATE_NAME, undo->path);
		text = talloc_asprintf(tmp, "%s %s\n", state, time);
	}
	if (!path || !text)
		error_memory(&err);
	if (!path || !text ||
	    !publish_file(path, (struct bytes){ (const uint8_t *)text, strlen(text) }, &err))
		problems_add(warnings, PROBLEM_NOTE, PROBLEM_NOWHERE, "undo-not-noted",
		             "it is done, but `undo --list` will not say so: %s", err.text);
	talloc_free(tmp);
}
