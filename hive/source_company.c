/*
 * What lies beside a hive. The directory is listed once and its names are compared as Windows
 * compares them, by upcased UTF-16 units; a name that is no UTF-8 cannot be anything that we
 * look for. The odd decision is in parse(): a log must not be overlooked because memory was
 * short for a moment.
 */
#include <errno.h>

#include "hive/name.h"
#include "hive/source_internal.h"

static const char *const transaction_suffixes[] = { ".BLF", ".CONTAINER", ".REGTRANS-MS" };

/* Names are compared as slices of one, which all are units of two bytes. */
struct listing {
	struct source *source;
	const struct source_reader *reader;
	TALLOC_CTX *tmp;
	const char *hive; /* the exact name of the hive */
	struct name name;
	char *twin; /* a file that differs from it in letter case only */
};

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
static bool add_log(const struct listing *listing, struct source_log *log, const char *found,
                    struct error *err)
{
	struct source *source = listing->source;
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
	image = listing->reader->read(source, listing->reader->data, found, &why);
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
static bool consider(struct listing *listing, const char *found, struct name name,
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
		return add_log(listing, &source->logs[i], found, err);
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

/* One name of the directory. */
static bool see(void *to, const char *found, struct error *err)
{
	struct listing *listing = to;
	struct name name;
	bool valid, done;

	if (!parse(listing->tmp, found, &name, &valid, err))
		return false;
	if (!valid)
		return true;
	done = consider(listing, found, name, err);
	talloc_free((void *)name.data);
	return done;
}

static bool list(struct listing *listing, struct error *err)
{
	bool done;

	listing->tmp = talloc_new(listing->source);
	if (!listing->tmp)
		return error_memory(err);
	done = listing->reader->each(listing->reader->data, see, listing, err);
	talloc_free(listing->tmp);
	return done;
}

/* Logs of the usual spelling, where names cannot be listed but looked up. */
static bool look_up(const struct listing *listing, struct error *err)
{
	const struct source_reader *reader = listing->reader;
	struct source *source = listing->source;
	bool done = true, there;

	source->unlisted = true;
	for (unsigned i = 0; done && i < SOURCE_LOGS; i++) {
		char *name = talloc_asprintf(source, "%s%s", listing->hive, source_suffixes[i]);

		if (!name)
			return error_memory(err);
		done = reader->has(reader->data, name, &there, err) &&
		       (!there || source->logs[i].name ||
		        add_log(listing, &source->logs[i], name, err));
		talloc_free(name);
	}
	return done;
}

bool source_find_company(struct source *source, const struct source_reader *reader,
                         const char *hive, struct error *err)
{
	struct listing listing = { .source = source, .reader = reader, .hive = hive };
	bool valid;

	if (!parse(source, hive, &listing.name, &valid, err))
		return false;
	if (!valid)
		return true;
	if (!list(&listing, err) && (err->sys != EIO || !reader->has || !look_up(&listing, err)))
		return false;
	for (unsigned i = 0; i < SOURCE_LOGS; i++) {
		if (listing.twin && source->logs[i].image)
			return error_set(err, ERROR_SOURCE,
			                 "%s is there too, and nobody knows whose log %s is",
			                 listing.twin, source->logs[i].name);
	}
	return true;
}
