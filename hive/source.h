/*
 * source: a hive file with what lies beside it, read into memory and not yet interpreted.
 *
 * For NAME in a directory these are NAME.LOG, NAME.LOG1 and NAME.LOG2 in any letter case
 * (two files that differ only in case are an error), and whether there are files of kernel
 * transactions: NAME*.blf, NAME*.container, NAME*.regtrans-ms (Vista and later).
 */
#ifndef HIVE_SOURCE_H
#define HIVE_SOURCE_H

#include "hive/image.h"

enum { SOURCE_LOG, SOURCE_LOG1, SOURCE_LOG2, SOURCE_LOGS };

struct source {
	char *name; /* for messages: the path as the user knows it */
	struct image *hive;
	struct source_log {
		char *name;          /* found: of the file, without its directory; named: the path
		                        as given; NULL if absent */
		struct image *image; /* NULL if absent or unreadable */
		char *unreadable;    /* why it cannot be read, or NULL */
	} logs[SOURCE_LOGS];
	bool logs_named;    /* by source_add_log(); false: found beside the hive */
	char *transactions; /* name of a file of kernel transactions, or NULL */
	bool unlisted;      /* its directory cannot be listed: only NAME.LOG, NAME.LOG1, NAME.LOG2,
	                       so spelled, were looked for (NTFS after a power cut) */
};

/* The directory that a hive is read from, where it is none of this system's. */
typedef bool source_see_fn(void *to, const char *name, struct error *err);
struct source_reader {
	void *data;
	/* Calls SEE with each name in the directory, until one call is false, and then is. */
	bool (*each)(void *data, source_see_fn *see, void *to, struct error *err);
	/* A file of that name, whole and sealed. ERROR_SOURCE with an errno if it cannot be read.
	 */
	struct image *(*read)(TALLOC_CTX *ctx, void *data, const char *name, struct error *err);
	/* The same, but it may go on being read by a thread. NULL: it is read at once. */
	struct image *(*begin)(TALLOC_CTX *ctx, void *data, const char *name, struct error *err);
	/* Is there such a name? Asked where names cannot be listed (EIO). NULL: cannot be asked. */
	bool (*has)(void *data, const char *name, bool *has, struct error *err);
};

/*
 * Reads NAME (no '/' in it) in the directory DIRFD and its company. SHOWN is the name for
 * messages. ERROR_SOURCE if the hive cannot be read, if a log is no regular file, and if files
 * beside it cannot be told apart: two logs (err->sys ENOTUNIQ), or two hives with logs, that differ
 * in letter case only. A log that is a file and cannot be read is an error only for who needs it.
 */
struct source *source_read(TALLOC_CTX *ctx, int dirfd, const char *name, const char *shown,
                           struct error *err);

/* The same by a READER, which is used only in the call. */
struct source *source_read_by(TALLOC_CTX *ctx, const struct source_reader *reader, const char *name,
                              const char *shown, struct error *err);

/* The same for a path that a user gave. */
struct source *source_read_path(TALLOC_CTX *ctx, const char *path, struct error *err);

/* The hive alone: nothing beside it is looked at. */
struct source *source_read_alone(TALLOC_CTX *ctx, const char *path, struct error *err);

/*
 * As the last two, but a large hive goes on being read by a thread meanwhile. recover() and
 * hive_open() wait for what they need; nobody else may look at source->hive before image_wait().
 */
struct source *source_begin(TALLOC_CTX *ctx, const char *path, bool alone, struct error *err);

/*
 * Adds the log PATH, up to three, instead of the logs that were found beside the hive. One
 * that ends in .LOG, .LOG1 or .LOG2 takes that place if it is free; otherwise the order does
 * not matter. After source_read_alone() a log that cannot be read beside the hive is no error.
 */
bool source_add_log(struct source *source, const char *path, struct error *err);

#endif
