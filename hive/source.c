/*
 * Reading a hive with what lies beside it (hive/source_company.c) or with logs that a user names.
 */
#include <fcntl.h>
#include <strings.h>
#include <unistd.h>

#include "hive/source_internal.h"

const char *const source_suffixes[SOURCE_LOGS] = { ".LOG", ".LOG1", ".LOG2" };

bool source_add_image(struct source_log *log, const char *name, struct image *image,
                      struct source *source, struct error *err)
{
	char *copy = talloc_strdup(source, name);

	if (!copy)
		return error_memory(err);
	log->name = copy;
	log->image = talloc_steal(source, image);
	return true;
}

/* A reading thread may still need the logs. */
static int source_destroy(struct source *source)
{
	if (source->hive)
		image_stop(source->hive);
	return 0;
}

/* Without company if ALONE. */
static struct source *read_source(TALLOC_CTX *ctx, const struct source_reader *reader,
                                  const char *name, const char *shown, bool alone,
                                  struct error *err)
{
	struct source *source = talloc_zero(ctx, struct source);

	if (!source) {
		error_memory(err);
		return NULL;
	}
	talloc_set_destructor(source, source_destroy);
	source->name = talloc_strdup(source, shown);
	if (!source->name)
		error_memory(err);
	else
		source->hive = reader->begin ? reader->begin(source, reader->data, name, err)
		                             : reader->read(source, reader->data, name, err);
	if (source->hive && (alone || source_find_company(source, reader, name, err)))
		return source;
	talloc_free(source);
	error_wrap(err, "%s", shown);
	return NULL;
}

static struct source *read_in(TALLOC_CTX *ctx, int dirfd, const char *name, const char *shown,
                              bool alone, struct error *err)
{
	struct source_reader reader = source_directory(&dirfd);

	return read_source(ctx, &reader, name, shown, alone, err);
}

static struct source *read_path(TALLOC_CTX *ctx, const char *path, struct error *err)
{
	const char *slash = strrchr(path, '/');
	struct source *source = NULL;
	char *directory;
	int fd;

	if (!slash)
		return read_in(ctx, AT_FDCWD, path, path, false, err);
	directory = talloc_strndup(ctx, path, slash == path ? 1 : (size_t)(slash - path));
	if (!directory) {
		error_memory(err);
		return NULL;
	}
	fd = open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0) {
		error_errno(err, ERROR_SOURCE, "%s: cannot open its directory", path);
	} else {
		source = read_in(ctx, fd, slash[1] ? slash + 1 : ".", path, false, err);
		close(fd);
	}
	talloc_free(directory);
	return source;
}

struct source *source_begin(TALLOC_CTX *ctx, const char *path, bool alone, struct error *err)
{
	return alone ? read_in(ctx, AT_FDCWD, path, path, true, err) : read_path(ctx, path, err);
}

/* Waits for the hive of SOURCE, which may be NULL if the error is filled. */
static struct source *all_of(struct source *source, struct error *err)
{
	if (source && !image_wait(source->hive, UINT64_MAX, err)) {
		error_wrap(err, "%s", source->name);
		TALLOC_FREE(source);
	}
	return source;
}

struct source *source_read(TALLOC_CTX *ctx, int dirfd, const char *name, const char *shown,
                           struct error *err)
{
	return all_of(read_in(ctx, dirfd, name, shown, false, err), err);
}

struct source *source_read_by(TALLOC_CTX *ctx, const struct source_reader *reader, const char *name,
                              const char *shown, struct error *err)
{
	return all_of(read_source(ctx, reader, name, shown, false, err), err);
}

struct source *source_read_path(TALLOC_CTX *ctx, const char *path, struct error *err)
{
	return all_of(source_begin(ctx, path, false, err), err);
}

struct source *source_read_alone(TALLOC_CTX *ctx, const char *path, struct error *err)
{
	return all_of(source_begin(ctx, path, true, err), err);
}

/* The place of a log by its name, or the first that is free; SOURCE_LOGS if none is. */
static unsigned log_place(const struct source *source, const char *path)
{
	static const unsigned order[SOURCE_LOGS] = { SOURCE_LOG1, SOURCE_LOG2, SOURCE_LOG };
	size_t length = strlen(path);

	for (unsigned i = 0; i < SOURCE_LOGS; i++) {
		size_t suffix = strlen(source_suffixes[i]);

		if (!source->logs[i].image && length >= suffix &&
		    strcasecmp(path + length - suffix, source_suffixes[i]) == 0)
			return i;
	}
	for (unsigned i = 0; i < SOURCE_LOGS; i++) {
		if (!source->logs[order[i]].image)
			return order[i];
	}
	return SOURCE_LOGS;
}

static void drop_logs(struct source *source)
{
	for (unsigned i = 0; i < SOURCE_LOGS; i++) {
		TALLOC_FREE(source->logs[i].image);
		TALLOC_FREE(source->logs[i].name);
		TALLOC_FREE(source->logs[i].unreadable);
	}
}

bool source_add_log(struct source *source, const char *path, struct error *err)
{
	struct image *image = image_read(source, AT_FDCWD, path, err);
	unsigned place;

	if (!image)
		return error_wrap(err, "%s", path);
	if (!source->logs_named)
		drop_logs(source);
	source->logs_named = true;
	place = log_place(source, path);
	if (place < SOURCE_LOGS)
		return source_add_image(&source->logs[place], path, image, source, err);
	talloc_free(image);
	return error_set(err, ERROR_USAGE, "%s: a hive has no more than %d logs", path,
	                 SOURCE_LOGS);
}
