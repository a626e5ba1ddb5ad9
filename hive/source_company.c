/*
 * What lies beside a hive. The directory is listed once and its names are compared as Windows
 * compares them, by upcased UTF-16 units; a name that is no UTF-8 cannot be anything that we
 * look for. The odd decision is in parse(): a log must not be overlooked because memory was
 * short for a moment.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "hive/name.h"
#include "hive/source_internal.h"

static const char *const transaction_suffixes[] = { ".BLF", ".CONTAINER", ".REGTRANS-MS" };

/* Names are compared as slices of one, which all are units of two bytes. */
struct listing {
	struct source *source;
	const char *hive; /* the exact name of the hive */
	struct name name;
	char *twin; /* a file that differs from it in letter case only */
};

static int directory_destroy(DIR **dir)
{
	closedir(*dir);
	return 0;
}

/* A fresh descriptor, so that nobody's position in the directory moves. */
static DIR **directory_open(TALLOC_CTX *ctx, int dirfd, struct error *err)
{
	int flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC;
	DIR **dir = talloc(ctx, DIR *);
	int fd;

	if (!dir) {
		error_memory(err);
		return NULL;
	}
	fd = openat(dirfd, ".", flags | O_NOATIME);
	if (fd < 0 && errno == EPERM)
		fd = openat(dirfd, ".", flags);
	*dir = fd < 0 ? NULL : fdopendir(fd);
	if (*dir) {
		talloc_set_destructor(dir, directory_destroy);
		return dir;
	}
	error_errno(err, ERROR_SOURCE, "cannot list its directory");
	if (fd >= 0)
		close(fd);
	talloc_free(dir);
	return NULL;
}

/* The units FROM..FROM+LENGTH of a name, or the empty name if it is not that long. */
static struct name slice(struct name n, uint32_t from, uint32_t length)
{
	uint32_t unit = n.compressed ? 1 : 2;

	if (from > name_length(n) || length > name_length(n) - from)
		return (struct name){ n.data, 0, n.compressed };
	return (struct name){ n.data + unit * from, unit * length, n.compressed };
}

static struct name constant(const char *text)
{
	return (struct name){ (const uint8_t *)text, (uint32_t)strlen(text), true };
}

/*
 * A file's name, allocated on CTX; *VALID is false for one that is no UTF-8. name_from_utf8
 * does not tell that from a lack of memory: hence the second try, and the question whether
 * there is any memory at all.
 */
static bool parse(TALLOC_CTX *ctx, const char *text, struct name *name, bool *valid,
                  struct error *err)
{
	size_t size = strlen(text);
	void *any;

	*valid = name_from_utf8(ctx, text, size, name) || name_from_utf8(ctx, text, size, name);
	if (*valid)
		return true;
	any = talloc_size(ctx, 4 * size + 64);
	if (!any)
		return error_memory(err);
	talloc_free(any);
	return true;
}

static bool begins(struct name n, struct name with)
{
	return name_equal(slice(n, 0, name_length(with)), with);
}

static bool ends(struct name n, const char *with)
{
	uint32_t length = (uint32_t)strlen(with);

	return name_length(n) >= length &&
	       name_equal(slice(n, name_length(n) - length, length), constant(with));
}

/* A log that cannot be read is no error yet: a clean hive needs none. */
static bool add_log(struct source *source, struct source_log *log, int dirfd, const char *found,
                    struct error *err)
{
	struct error why = { 0 };
	struct image *image;

	if (log->name && strcmp(log->name, found) == 0)
		return true; /* listed twice */
	if (log->name) {
		error_set(err, ERROR_SOURCE, "%s and %s differ in letter case only", log->name,
		          found);
		err->sys = ENOTUNIQ;
		return false;
	}
	image = image_read(source, dirfd, found, &why);
	if (image)
		return source_add_image(log, found, image, source, err);
	error_wrap(&why, "%s", found);
	if (why.kind != ERROR_SOURCE || !why.sys) {
		*err = why;
		return false;
	}
	log->name = talloc_strdup(source, found);
	log->unreadable = talloc_strdup(source, why.text);
	return log->name && log->unreadable ? true : error_memory(err);
}

/* FOUND is how a file of the directory is called, NAME the same parsed. */
static bool consider(struct listing *listing, int dirfd, const char *found, struct name name,
                     struct error *err)
{
	struct source *source = listing->source;
	uint32_t length = name_length(listing->name);
	struct name rest;

	if (!begins(name, listing->name) || strcmp(found, listing->hive) == 0)
		return true;
	rest = slice(name, length, name_length(name) - length);
	if (!rest.size) {
		listing->twin = talloc_strdup(source, found);
		return listing->twin ? true : error_memory(err);
	}
	for (unsigned i = 0; i < SOURCE_LOGS; i++) {
		if (!name_equal(rest, constant(source_suffixes[i])))
			continue;
		return add_log(source, &source->logs[i], dirfd, found, err);
	}
	for (unsigned i = 0; i < sizeof(transaction_suffixes) / sizeof(char *); i++) {
		if (!ends(rest, transaction_suffixes[i]))
			continue;
		if (source->transactions && strcmp(source->transactions, found) <= 0)
			return true;
		talloc_free(source->transactions);
		source->transactions = talloc_strdup(source, found);
		return source->transactions ? true : error_memory(err);
	}
	return true;
}

static bool list(struct listing *listing, int dirfd, struct error *err)
{
	TALLOC_CTX *tmp = talloc_new(listing->source);
	struct dirent *entry;
	bool good = false, valid;
	struct name name;
	DIR **dir;

	if (!tmp)
		return error_memory(err);
	dir = directory_open(tmp, dirfd, err);
	while (dir) {
		errno = 0;
		entry = readdir(*dir);
		if (!entry) {
			good = errno ? error_errno(err, ERROR_SOURCE, "cannot list its directory")
			             : true;
			break;
		}
		if (!parse(tmp, entry->d_name, &name, &valid, err))
			break;
		if (!valid)
			continue;
		if (!consider(listing, dirfd, entry->d_name, name, err))
			break;
		talloc_free((void *)name.data);
	}
	talloc_free(tmp);
	return good;
}

/* Logs of the usual spelling, where names cannot be listed but looked up. */
static bool look_up(struct source *source, int dirfd, const char *hive, struct error *err)
{
	bool done = true;

	source->unlisted = true;
	for (unsigned i = 0; done && i < SOURCE_LOGS; i++) {
		char *name = talloc_asprintf(source, "%s%s", hive, source_suffixes[i]);
		struct stat st;

		if (!name)
			return error_memory(err);
		if (fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) == 0)
			done = source->logs[i].name ||
			       add_log(source, &source->logs[i], dirfd, name, err);
		else
			done = errno == ENOENT ||
			       error_errno(err, ERROR_SOURCE, "cannot look at %s", name);
		talloc_free(name);
	}
	return done;
}

bool source_find_company(struct source *source, int dirfd, const char *hive, struct error *err)
{
	struct listing listing = { .source = source, .hive = hive };
	bool valid;

	if (!parse(source, hive, &listing.name, &valid, err))
		return false;
	if (!valid)
		return true;
	if (!list(&listing, dirfd, err) && (err->sys != EIO || !look_up(source, dirfd, hive, err)))
		return false;
	for (unsigned i = 0; i < SOURCE_LOGS; i++) {
		if (listing.twin && source->logs[i].image)
			return error_set(err, ERROR_SOURCE,
			                 "%s is there too, and nobody knows whose log %s is",
			                 listing.twin, source->logs[i].name);
	}
	return true;
}
