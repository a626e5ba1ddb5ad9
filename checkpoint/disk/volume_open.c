/*
 * Opening a volume: what a path leads to decides how it is read.
 *
 * The odd decision: the path itself may be a symbolic link, as /dev/disk/by-label/NODE1 is. It is
 * the user's; only what lies on the volume is not followed.
 */
#include <errno.h>
#include <stdlib.h>

#include "checkpoint/disk/mountinfo.h"
#include "checkpoint/disk/volume_internal.h"

static enum volume_form form_of(const struct boot *boot, mode_t mode)
{
	static const enum volume_form forms[] = {
		[BOOT_NTFS] = VOLUME_RAW,
		[BOOT_BITLOCKER] = VOLUME_ENCRYPTED,
		[BOOT_REFS] = VOLUME_UNKNOWN,
		[BOOT_PARTITIONS] = VOLUME_WHOLE_DISK,
	};

	if (boot->kind != BOOT_OTHER)
		return forms[boot->kind];
	return S_ISBLK(mode) ? VOLUME_DEVICE : VOLUME_FILE_ONLY;
}

/* The form of PATH and, if it is neither a directory nor a file only, its medium, on CTX. */
static bool look(TALLOC_CTX *ctx, const char *path, enum volume_form *form, struct medium **medium,
                 struct boot *boot, struct error *err)
{
	struct stat st;

	*medium = NULL;
	if (stat(path, &st) != 0)
		return error_errno(err, ERROR_SOURCE, "%s", path);
	if (!S_ISREG(st.st_mode) && !S_ISBLK(st.st_mode)) {
		*form = S_ISDIR(st.st_mode) ? VOLUME_MOUNTED : VOLUME_FILE_ONLY;
		return true;
	}
	*medium = medium_open(ctx, path, err);
	if (!*medium)
		return false;
	if (!boot_read(*medium, boot, err))
		return error_wrap(err, "%s", path);
	*form = form_of(boot, st.st_mode);
	return true;
}

bool volume_form(const char *path, enum volume_form *form, struct error *err)
{
	TALLOC_CTX *tmp = talloc_new(NULL);
	struct medium *medium;
	struct boot boot;
	bool done;

	if (!tmp)
		return error_memory(err);
	done = look(tmp, path, form, &medium, &boot, err);
	talloc_free(tmp);
	return done;
}

/* Says what PATH is instead of a volume that can be read. Returns false. */
static bool refuse(const char *path, enum volume_form form, struct error *err)
{
	switch (form) {
	case VOLUME_ENCRYPTED:
		return error_set(err, ERROR_SOURCE,
		                 "%s: the volume is encrypted by BitLocker; open it with its "
		                 "recovery key (cryptsetup bitlkOpen %s NAME, or dislocker) and "
		                 "name what that gives",
		                 path, path);
	case VOLUME_UNKNOWN:
		return error_set(err, ERROR_SOURCE, "%s: holds ReFS, which cannot be read", path);
	case VOLUME_WHOLE_DISK:
		return error_set(err, ERROR_SOURCE,
		                 "%s: is a whole disk with a partition table; name the partition "
		                 "that holds Windows (lsblk -f and fdisk -l list them; losetup -P "
		                 "makes devices of those in an image)",
		                 path);
	case VOLUME_DEVICE:
		return error_set(err, ERROR_SOURCE, "%s: no NTFS volume begins here", path);
	default:
		errno = ENOTDIR; /* and no image of a volume */
		return error_errno(err, ERROR_SOURCE, "%s", path);
	}
}

static bool open_raw(struct volume *volume, struct medium *medium, const struct boot *boot,
                     struct error *err)
{
	struct ntfs *ntfs = ntfs_open(volume, medium, boot, err);

	if (!ntfs)
		return error_wrap(err, "%s", volume->path);
	spot_top_ntfs(volume->path, ntfs, &volume->top);
	return true;
}

static bool open_any(struct volume *volume, const char *path, struct error *err)
{
	enum volume_form form;
	struct medium *medium;
	struct boot boot;

	volume->path = talloc_strdup(volume, path);
	if (!volume->path)
		return error_memory(err);
	if (!look(volume, path, &form, &medium, &boot, err))
		return false;
	if (form == VOLUME_MOUNTED)
		return spot_top_open(volume, volume->path, &volume->top, err);
	return form == VOLUME_RAW ? open_raw(volume, medium, &boot, err) : refuse(path, form, err);
}

struct volume *volume_open(TALLOC_CTX *ctx, const char *path, struct error *err)
{
	struct volume *volume = talloc_zero(ctx, struct volume);

	if (!volume)
		error_memory(err);
	else if (open_any(volume, path, err))
		return volume;
	talloc_free(volume);
	return NULL;
}

struct volume *volume_of_medium(TALLOC_CTX *ctx, struct medium *medium, struct error *err)
{
	struct volume *volume = talloc_zero(ctx, struct volume);
	struct boot boot;

	if (volume)
		volume->path = talloc_strdup(volume, medium->path);
	if (!volume || !volume->path)
		error_memory(err);
	else if (!boot_read(medium, &boot, err))
		error_wrap(err, "%s", medium->path);
	else if (boot.kind != BOOT_NTFS)
		error_set(err, ERROR_SOURCE, "%s: no NTFS volume begins here", medium->path);
	else if (open_raw(volume, medium, &boot, err))
		return volume;
	talloc_free(volume);
	return NULL;
}

bool volume_is_raw(const struct volume *volume)
{
	return volume->top.ntfs != NULL;
}

struct ntfs *volume_ntfs(const struct volume *volume)
{
	return volume->top.ntfs;
}

/* --- what a volume lies on --- */

struct wanted {
	TALLOC_CTX *ctx;
	uint64_t device; /* of the directory */
	const char *real;
	char *source; /* NULL: not found */
	char *top;
	size_t length; /* of the mount point */
};

/* What is left of PATH below POINT, "" or "/..."; NULL if it is not below. */
static const char *below(const char *path, const char *point)
{
	size_t size = strcmp(point, "/") == 0 ? 0 : strlen(point);

	if (strncmp(path, point, size) != 0 || (path[size] && path[size] != '/'))
		return NULL;
	return path + size;
}

/* The mount that the directory is in: of several of one volume the innermost, and the last. */
static bool take_mount(void *data, const struct mountinfo *mount)
{
	struct wanted *wanted = data;
	const char *rest = below(wanted->real, mount->point);
	const char *root = strcmp(mount->root, "/") == 0 ? "" : mount->root;
	size_t length = strlen(mount->point);

	if (mount->device != wanted->device || mount->source[0] != '/' || !rest ||
	    length < wanted->length)
		return true;
	talloc_free(wanted->source);
	talloc_free(wanted->top);
	wanted->source = talloc_strdup(wanted->ctx, mount->source);
	wanted->top = talloc_asprintf(wanted->ctx, "%s%s", root, rest);
	wanted->length = length;
	return true;
}

/* NULL with ERROR_NONE where there is no NTFS that can be opened. */
static struct medium *open_source(TALLOC_CTX *ctx, const struct volume *volume, char **top,
                                  struct boot *boot, struct error *err)
{
	struct wanted wanted = { .ctx = ctx, .device = volume->top.device };
	char *real = realpath(volume->path, NULL);
	struct medium *medium = NULL;
	enum volume_form form = VOLUME_FILE_ONLY;
	bool found;

	wanted.real = real ? real : volume->path;
	(void)mountinfo_each(take_mount, &wanted);
	free(real);
	*top = wanted.top;
	if (wanted.length && (!wanted.source || !wanted.top)) {
		error_memory(err);
		return NULL;
	}
	found = wanted.length && look(ctx, wanted.source, &form, &medium, boot, err);
	if (found && form == VOLUME_RAW)
		return medium;
	talloc_free(medium);
	if (found || !wanted.length || err->kind == ERROR_SOURCE)
		err->kind = ERROR_NONE;
	return NULL;
}

struct medium *volume_medium(TALLOC_CTX *ctx, const struct volume *volume, char **top,
                             struct error *err)
{
	struct boot boot;

	if (!volume->top.ntfs)
		return open_source(ctx, volume, top, &boot, err);
	*top = talloc_strdup(ctx, "");
	if (*top)
		return medium_open(ctx, volume->path, err);
	error_memory(err);
	return NULL;
}

bool volume_serial(struct volume *volume, uint64_t *serial)
{
	struct error ignored;
	TALLOC_CTX *tmp;
	struct boot boot;
	bool known;
	char *top;

	if (volume->top.ntfs) {
		*serial = ntfs_boot(volume->top.ntfs)->serial;
		return true;
	}
	tmp = talloc_new(NULL);
	known = tmp && open_source(tmp, volume, &top, &boot, &ignored);
	if (known)
		*serial = boot.serial;
	talloc_free(tmp);
	return known;
}
