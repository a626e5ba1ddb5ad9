/*
 * Reading one directory. Names are compared as UTF-16 by the upper-case table of Windows; what
 * the directory holds is never kept, unless all names are asked for, so a directory with many
 * names costs time and no memory.
 */
#include "checkpoint/directory.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

struct directory {
	DIR *dir;
};

static int directory_close(struct directory *directory)
{
	return closedir(directory->dir);
}

/* O_NOATIME is for the owner and root; a mount that is read-only does not need it. */
static int open_quietly(int at, const char *name, int flags)
{
	int fd;

	flags |= O_RDONLY | O_CLOEXEC | O_NOFOLLOW;
	fd = openat(at, name, flags | O_NOATIME);
	if (fd < 0 && errno == EPERM)
		fd = openat(at, name, flags);
	return fd;
}

struct directory *directory_open(TALLOC_CTX *ctx, int at, struct error *err)
{
	struct directory *directory = talloc(ctx, struct directory);
	int fd;

	if (!directory) {
		error_memory(err);
		return NULL;
	}
	fd = open_quietly(at, ".", O_DIRECTORY);
	directory->dir = fd < 0 ? NULL : fdopendir(fd);
	if (directory->dir) {
		talloc_set_destructor(directory, directory_close);
		return directory;
	}
	error_errno(err, ERROR_SOURCE, "cannot open the directory");
	if (fd >= 0)
		close(fd);
	talloc_free(directory);
	return NULL;
}

int directory_fd(const struct directory *directory)
{
	return dirfd(directory->dir);
}

int directory_open_file(const struct directory *directory, const char *name)
{
	return open_quietly(directory_fd(directory), name, O_NONBLOCK | O_NOCTTY);
}

/*
 * The next name that Windows could have written; *NAME is NULL at the end. *SEEN counts all
 * entries. The name's UTF-16 form goes to *WIDE, allocated on CTX.
 */
static bool next_name(TALLOC_CTX *ctx, struct directory *directory, uint32_t *seen,
                      const char **name, struct name *wide, struct error *err)
{
	struct dirent *entry;

	for (;;) {
		errno = 0;
		entry = readdir(directory->dir);
		if (!entry && errno)
			return error_errno(err, ERROR_SOURCE, "cannot read the directory");
		*name = entry ? entry->d_name : NULL;
		if (!entry)
			return true;
		if (strcmp(*name, ".") == 0 || strcmp(*name, "..") == 0)
			continue;
		if (++*seen > DIRECTORY_MAX)
			return error_set(err, ERROR_SOURCE, "has more than %u names in it",
			                 DIRECTORY_MAX);
		if (name_from_utf8(ctx, *name, strlen(*name), wide))
			return true;
	}
}

bool directory_match(TALLOC_CTX *ctx, struct directory *directory, struct name wanted, char **match,
                     struct error *err)
{
	char *found = NULL;
	uint32_t seen = 0;
	const char *name;

	for (;;) {
		TALLOC_CTX *step = talloc_new(ctx);
		struct name wide;
		bool equal;

		if (!step)
			return error_memory(err);
		if (!next_name(step, directory, &seen, &name, &wide, err))
			return false;
		equal = name && name_equal(wide, wanted);
		talloc_free(step);
		if (!name)
			break;
		if (!equal)
			continue;
		if (found)
			return error_set(err, ERROR_SOURCE,
			                 "holds both '%s' and '%s', which Windows cannot tell "
			                 "apart; move the wrong one away",
			                 found, name);
		found = talloc_strdup(ctx, name);
		if (!found)
			return error_memory(err);
	}
	*match = found;
	return true;
}

static int by_bytes(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* LIST with one more name, or NULL if there is no memory. */
static char **append(TALLOC_CTX *ctx, char **list, uint32_t used, const char *name)
{
	if (used == talloc_array_length(list))
		list = talloc_realloc(ctx, list, char *, 2 * used);
	if (!list)
		return NULL;
	list[used] = talloc_strdup(list, name);
	return list[used] ? list : NULL;
}

bool directory_names(TALLOC_CTX *ctx, struct directory *directory, char ***names, uint32_t *count,
                     struct error *err)
{
	TALLOC_CTX *tmp = talloc_new(ctx);
	char **list = tmp ? talloc_array(tmp, char *, 16) : NULL;
	uint32_t seen = 0, used = 0;
	const char *name = "";
	bool done = true;

	while (done && list) {
		TALLOC_CTX *step = talloc_new(tmp);
		struct name wide;

		if (!step)
			break;
		done = next_name(step, directory, &seen, &name, &wide, err);
		talloc_free(step);
		if (!done || !name)
			break;
		list = append(tmp, list, used++, name);
	}
	if (done && (!list || name))
		done = error_memory(err);
	if (done) {
		qsort(list, used, sizeof(*list), by_bytes);
		*names = talloc_steal(ctx, list);
		*count = used;
	}
	talloc_free(tmp);
	return done;
}
