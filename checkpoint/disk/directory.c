/*
 * Reading one directory. Names are compared as UTF-16 by the upper-case table of Windows; what
 * the directory holds is never kept, unless all names are asked for, so a directory with many
 * names costs time and no memory.
 */
#include "checkpoint/disk/directory.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/*
 * Names are made wide in a talloc pool of this size, which always has room for one: so a name
 * that cannot be made wide is malformed, and never a want of memory that would look like it.
 */
#define WIDE_POOL (4 * DIRECTORY_NAME_MAX)

struct directory {
	DIR *dir; /* NULL: the names are those that follow */
	char *const *names;
	uint32_t count, next;
	enum directory_flaw flaw;
};

bool directory_errno(struct error *err, const char *what)
{
	return errno == ENOMEM ? error_memory(err) : error_errno(err, ERROR_SOURCE, "%s", what);
}

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
	struct directory *directory = talloc_zero(ctx, struct directory);
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
	directory_errno(err, "cannot open the directory");
	if (fd >= 0)
		close(fd);
	talloc_free(directory);
	return NULL;
}

struct directory *directory_of_names(TALLOC_CTX *ctx, char *const *names, uint32_t count,
                                     struct error *err)
{
	struct directory *directory = talloc_zero(ctx, struct directory);

	if (directory) {
		directory->names = names;
		directory->count = count;
	} else {
		error_memory(err);
	}
	return directory;
}

int directory_fd(const struct directory *directory)
{
	return directory->dir ? dirfd(directory->dir) : -1;
}

int directory_open_file(const struct directory *directory, const char *name)
{
	return open_quietly(directory_fd(directory), name, O_NONBLOCK | O_NOCTTY);
}

/* The next entry of any name; *NAME is NULL at the end. */
static bool next_entry(struct directory *directory, const char **name, struct error *err)
{
	const struct dirent *entry;

	if (!directory->dir) {
		*name = directory->next < directory->count ? directory->names[directory->next++]
		                                           : NULL;
		return true;
	}
	errno = 0;
	entry = readdir(directory->dir);
	*name = entry ? entry->d_name : NULL;
	return entry || !errno || directory_errno(err, "cannot read the directory");
}

/*
 * The next name that Windows could have written; *NAME is NULL at the end. *SEEN counts all
 * entries. The name's UTF-16 form goes to *WIDE, in POOL, until the next call.
 */
static bool next_name(TALLOC_CTX *pool, struct directory *directory, uint32_t *seen,
                      const char **name, struct name *wide, struct error *err)
{
	size_t size;

	for (;;) {
		if (!next_entry(directory, name, err))
			return false;
		if (!*name)
			return true;
		if (strcmp(*name, ".") == 0 || strcmp(*name, "..") == 0)
			continue;
		if (++*seen > DIRECTORY_MAX)
			return error_set(err, ERROR_SOURCE, "has more than %u names in it",
			                 DIRECTORY_MAX);
		size = strlen(*name);
		talloc_free_children(pool);
		if (size <= DIRECTORY_NAME_MAX && name_from_utf8(pool, *name, size, wide))
			return true;
	}
}

/* The same name again: which of two is meant cannot be told. */
static bool twins(const char *one, const char *other, struct error *err)
{
	error_set(err, ERROR_SOURCE,
	          "holds both '%s' and '%s', which Windows cannot tell apart; move the wrong "
	          "one away",
	          one, other);
	err->sys = ENOTUNIQ;
	return false;
}

/* As it is spelled, where names cannot be listed. ERR says so already. */
static bool find_unlisted(TALLOC_CTX *ctx, struct directory *directory, const char *wanted,
                          size_t size, char **match, struct error *err)
{
	char *name = talloc_strndup(ctx, wanted, size);
	struct stat st;

	if (!name)
		return error_memory(err);
	if (fstatat(dirfd(directory->dir), name, &st, AT_SYMLINK_NOFOLLOW) != 0) {
		talloc_free(name);
		return false;
	}
	directory->flaw = DIRECTORY_UNLISTED;
	*match = name;
	return true;
}

/* With POOLS for the name that is wanted and for the one that is looked at. */
static bool find_match(TALLOC_CTX *ctx, struct directory *directory, TALLOC_CTX *pools[2],
                       const char *wanted, size_t size, char **match, struct error *err)
{
	struct name wide, wanted_wide;
	char *found = NULL;
	uint32_t seen = 0;
	const char *name;

	*match = NULL;
	if (size > DIRECTORY_NAME_MAX || !name_from_utf8(pools[0], wanted, size, &wanted_wide))
		return true;
	while (next_name(pools[1], directory, &seen, &name, &wide, err)) {
		if (!name) {
			*match = found;
			return true;
		}
		if (!name_equal(wide, wanted_wide))
			continue;
		if (found && strcmp(found, name) == 0) {
			directory->flaw = DIRECTORY_TWICE;
			continue;
		}
		if (found)
			return twins(found, name, err);
		found = talloc_strdup(ctx, name);
		if (!found)
			return error_memory(err);
	}
	return err->sys == EIO && find_unlisted(ctx, directory, wanted, size, match, err);
}

enum directory_flaw directory_flaw(const struct directory *directory)
{
	return directory->flaw;
}

bool directory_match(TALLOC_CTX *ctx, struct directory *directory, const char *wanted, size_t size,
                     char **match, struct error *err)
{
	TALLOC_CTX *pools[2] = { talloc_pool(NULL, WIDE_POOL), talloc_pool(NULL, WIDE_POOL) };
	bool done;

	done = pools[0] && pools[1] ? find_match(ctx, directory, pools, wanted, size, match, err)
	                            : error_memory(err);
	talloc_free(pools[0]);
	talloc_free(pools[1]);
	return done;
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

/* In a sorted list, what follows itself goes. */
static uint32_t each_once(char **list, uint32_t count)
{
	uint32_t used = 0;

	for (uint32_t i = 0; i < count; i++) {
		if (used == 0 || strcmp(list[used - 1], list[i]) != 0)
			list[used++] = list[i];
	}
	return used;
}

/* All that is allocated is on TMP. */
static bool gather(TALLOC_CTX *tmp, struct directory *directory, char ***names, uint32_t *count,
                   struct error *err)
{
	TALLOC_CTX *pool = talloc_pool(tmp, WIDE_POOL);
	char **list = talloc_array(tmp, char *, 16);
	uint32_t seen = 0, used = 0;
	const char *name = NULL;
	struct name wide;

	if (!pool)
		return error_memory(err);
	while (list && next_name(pool, directory, &seen, &name, &wide, err)) {
		if (!name) {
			*names = list;
			*count = used;
			return true;
		}
		list = append(tmp, list, used++, name);
	}
	return list ? false : error_memory(err);
}

bool directory_names(TALLOC_CTX *ctx, struct directory *directory, char ***names, uint32_t *count,
                     struct error *err)
{
	TALLOC_CTX *tmp = talloc_new(NULL);
	uint32_t found = 0;
	char **list = NULL;
	bool done;

	if (!tmp)
		return error_memory(err);
	done = gather(tmp, directory, &list, &found, err);
	if (done) {
		qsort(list, found, sizeof(*list), by_bytes);
		*names = talloc_steal(ctx, list);
		*count = each_once(list, found);
		if (*count < found)
			directory->flaw = DIRECTORY_TWICE;
	}
	talloc_free(tmp);
	return done;
}
