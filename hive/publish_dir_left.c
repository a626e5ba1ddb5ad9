/* What a killed run left beside a destination, for those who only look. */
#include <errno.h>
#include <unistd.h>

#include "hive/publish.h"
#include "hive/publish_place.h"

/* *PATH is where NAME stands, if it is a directory that nobody has locked. */
static bool find_left(TALLOC_CTX *ctx, const struct publish_place *place, const char *name,
                      char **path, struct error *err)
{
	int fd = publish_lock_directory(place->parent, name);

	*path = NULL;
	if (fd < 0)
		return errno == ENOENT || errno == EWOULDBLOCK || errno == ENOTDIR ||
		       errno == ELOOP ||
		       error_errno(err, ERROR_DESTINATION, "%s: cannot open %s beside it",
		                   place->shown, name);
	close(fd);
	*path = publish_place_show(ctx, place, name);
	return *path || error_memory(err);
}

bool publish_dir_left_behind(TALLOC_CTX *ctx, const char *path, char **old, char **new,
                             struct error *err)
{
	struct publish_place *place = publish_place_directory(NULL, path, err);
	char *found_old = NULL, *found_new = NULL, *name;
	bool done;

	if (!place)
		return false;
	name = publish_place_beside(place, "old", err);
	done = name && find_left(ctx, place, name, &found_old, err);
	name = done ? publish_place_beside(place, "new", err) : NULL;
	done = name && find_left(ctx, place, name, &found_new, err);
	talloc_free(place);
	if (!done) {
		talloc_free(found_old);
		return false;
	}
	*old = found_old;
	*new = found_new;
	return true;
}
