/* The copy has a name of its own: one that an earlier run has kept is not written over. */
#include "snapshot/torn.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "hive/image.h"
#include "hive/publish.h"

#define NAMES_MOST 1000u

/* Is there nothing called NAME, or (*KEPT) just this log, which a killed run has kept? */
static bool is_free(TALLOC_CTX *ctx, const char *name, struct bytes log, bool *kept)
{
	struct error why;
	struct image *image = image_read(ctx, AT_FDCWD, name, &why);

	*kept = image && bytes_equal(image->bytes, log);
	talloc_free(image);
	return *kept || (!image && why.sys == ENOENT);
}

/* NULL with the error. */
static char *find_name(TALLOC_CTX *ctx, const char *path, struct bytes log, bool *kept,
                       struct error *err)
{
	size_t size = strlen(path);

	while (size > 1 && path[size - 1] == '/')
		size--;
	for (unsigned i = 1; i <= NAMES_MOST; i++) {
		char *name = i == 1 ? talloc_asprintf(ctx, "%.*s.torn-quolog.log", (int)size, path)
		                    : talloc_asprintf(ctx, "%.*s.torn-quolog-%u.log", (int)size,
		                                      path, i);

		if (!name) {
			error_memory(err);
			return NULL;
		}
		if (is_free(ctx, name, log, kept))
			return name;
	}
	error_set(err, ERROR_DESTINATION, "%s: too many copies of torn logs beside it", path);
	return NULL;
}

bool torn_keep(TALLOC_CTX *ctx, const char *path, const struct verdict *verdict,
               struct problems *warnings, struct error *err)
{
	uint64_t left = verdict->log->bytes.size;
	bool kept;
	char *name;

	if (!verdict->torn.size)
		return true;
	name = find_name(ctx, path, verdict->torn, &kept, err);
	if (!name)
		return false;
	if (!kept && !publish_file(name, verdict->torn, err))
		return error_wrap(err, "its torn log cannot be kept");
	problems_add(warnings, PROBLEM_HEALS, PROBLEM_NOWHERE, "log-torn",
	             "%s: " LAYOUT_LOG_NAME
	             " had a torn end of %llu bytes, which was never complete; it is cut off, "
	             "and the whole kept as %s",
	             path, (unsigned long long)(verdict->torn.size - left), name);
	return true;
}
