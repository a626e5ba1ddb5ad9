/* Files and directories of a mounted volume that are removed or made. */
#include <unistd.h>

#include "checkpoint/disk/target_internal.h"
#include "hive/publish_step.h"

/* A step on NAME in the directory of PATH. */
typedef bool step_fn(int dirfd, const char *name, const char *shown, struct error *err);

static bool take_step(struct volume *volume, const char *path, step_fn *step, struct error *err)
{
	struct target *target = target_new(NULL, volume, path, err);
	const char *name;
	bool done = false;
	int parent;

	if (!target)
		return false;
	parent = target_parent(target, volume, path, &name, err);
	if (parent >= 0) {
		done = step(parent, name, target->shown, err);
		close(parent);
	}
	talloc_free(target);
	return done;
}

bool target_remove(struct volume *volume, const char *path, struct error *err)
{
	return take_step(volume, path, publish_step_remove, err);
}

bool target_make_directory(struct volume *volume, const char *path, struct error *err)
{
	return take_step(volume, path, publish_step_mkdir, err);
}

bool target_remove_directory(struct volume *volume, const char *path, struct error *err)
{
	return take_step(volume, path, publish_step_rmdir, err);
}
