/* Is the file system a tmpfs or ramfs, or an overlay whose upper layer is one? */
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "snapshot/restore/durable.h"

#define LAYERS 4 /* overlays upon overlays that are looked through */

/* The nearest directory above PATH that is there; cuts PATH. */
static void to_existing(char *path)
{
	while (access(path, F_OK) != 0) {
		char *slash = strrchr(path, '/');

		if (!slash || slash == path) {
			strcpy(path, slash ? "/" : ".");
			return;
		}
		*slash = '\0';
	}
}

/* The upper layer of the overlay that PATH is on, on CTX; NULL if it is not told. */
static char *upper_layer(TALLOC_CTX *ctx, const char *path)
{
	FILE *mounts = fopen("/proc/self/mountinfo", "re");
	char *line = NULL, *upper = NULL, device[32];
	size_t room = 0;
	struct stat st;

	if (!mounts || stat(path, &st) != 0) {
		if (mounts)
			fclose(mounts);
		return NULL;
	}
	snprintf(device, sizeof(device), " %u:%u ", major(st.st_dev), minor(st.st_dev));
	while (getline(&line, &room, mounts) > 0) {
		char *found = strstr(line, "upperdir=");

		if (!strstr(line, device) || !strstr(line, " - overlay ") || !found)
			continue;
		talloc_free(upper);
		found += strlen("upperdir=");
		upper = talloc_strndup(ctx, found, strcspn(found, ",\n "));
	}
	free(line);
	fclose(mounts);
	return upper;
}

/* What is wrong with the file system, or NULL. */
static const char *in_memory(const struct statfs *fs)
{
	switch ((unsigned long)fs->f_type) {
	case TMPFS_MAGIC:
		return "is in memory (tmpfs)";
	case RAMFS_MAGIC:
		return "is in memory (ramfs)";
	default:
		return NULL;
	}
}

bool durable_check(TALLOC_CTX *ctx, const char *path, char **why, struct error *err)
{
	char *at = talloc_strdup(ctx, *path ? path : ".");
	const char *what = NULL;
	struct statfs fs;

	*why = NULL;
	for (unsigned i = 0; at && i < LAYERS; i++) {
		to_existing(at);
		if (statfs(at, &fs) != 0)
			return error_errno(err, ERROR_DESTINATION, "%s", at);
		what = in_memory(&fs);
		if (what || (unsigned long)fs.f_type != OVERLAYFS_SUPER_MAGIC)
			break;
		at = upper_layer(ctx, at);
		what = "is on an overlay, and whether its upper layer is in memory cannot be seen";
		if (!at || access(at, F_OK) != 0)
			break;
	}
	if (!what)
		return at || error_memory(err);
	*why = talloc_asprintf(
		ctx,
		"%s %s, so that a power cut would lose the old files with it; name a "
		"directory on a USB stick, a share or another partition with --undo",
		path, what);
	return *why || error_memory(err);
}
