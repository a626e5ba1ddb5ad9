/* Paths on a disk as names in open directories, and the single changes made there. */
#include <errno.h>
#include <fcntl.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "hive/publish_step.h"
#include "snapshot/journal_check.h"
#include "snapshot/replacing.h"

#define MOUNT_ADVICE "ntfs-3g -o rw,nodev,nosuid,noexec,windows_names DEVICE DIRECTORY"

static int site_close(struct site *site)
{
	if (site->fd >= 0)
		close(site->fd);
	return 0;
}

struct site *replacement_site(TALLOC_CTX *ctx, const struct replacement *r, enum journal_disk disk,
                              const char *path, struct error *err)
{
	struct volume *volume = r->disks[disk];
	struct site *site = talloc_zero(ctx, struct site);
	char *directory = NULL;
	size_t size;

	if (site) {
		site->fd = -1;
		talloc_set_destructor(site, site_close);
		site->name = talloc_strdup(site, journal_split(path, &size));
		site->shown = talloc_asprintf(site, "%s/%s", volume_path(volume), path);
		directory = talloc_strndup(site, path, size);
	}
	if (!directory || !site->name || !site->shown) {
		error_memory(err);
		TALLOC_FREE(site);
		return NULL;
	}
	site->fd = volume_directory(volume, directory, err);
	if (site->fd >= 0)
		return site;
	if (err->kind == ERROR_SOURCE)
		err->kind = ERROR_DESTINATION;
	talloc_free(site);
	return NULL;
}

int replacement_open(const struct site *site, struct error *err)
{
	int fd = openat(site->fd, site->name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

	if (fd < 0)
		error_errno(err, ERROR_DESTINATION, "%s: cannot open it", site->shown);
	return fd;
}

char *replacement_inside(TALLOC_CTX *ctx, const struct replacement *r, enum journal_disk disk,
                         const char *name)
{
	return talloc_asprintf(ctx, "%s/%s", r->journal->aside[disk], name);
}

bool replacement_needs_aside(const struct replacement *r, enum journal_disk disk)
{
	if (disk == JOURNAL_SYSTEM)
		return true; /* the journal is in it */
	for (uint32_t i = 0; i < r->journal->step_count; i++) {
		const struct journal_step *step = &r->journal->steps[i];

		if (step->disk == disk)
			return true;
	}
	return false;
}

bool replacement_writable(const struct replacement *r, struct error *err)
{
	for (unsigned i = 0; i < JOURNAL_DISKS; i++) {
		const char *path;
		struct statvfs fs;

		if (r->parents[i] < 0)
			continue;
		path = volume_path(r->disks[i]);
		if (fstatvfs(r->parents[i], &fs) != 0)
			return error_errno(err, ERROR_DESTINATION, "%s: cannot look at it", path);
		if (fs.f_flag & ST_RDONLY)
			return error_set(err, ERROR_DESTINATION,
			                 "%s: is mounted read-only; mount it with: " MOUNT_ADVICE,
			                 path);
	}
	return true;
}

bool replacement_failed(struct error *err)
{
	if (err->kind == ERROR_SOURCE)
		err->kind = ERROR_DESTINATION;
	if (err->kind == ERROR_DESTINATION && err->sys == EROFS)
		error_wrap(err, "the volume is read-only by now; check it, and mount it with: "
		                "" MOUNT_ADVICE);
	if (err->kind == ERROR_DESTINATION && err->sys == EIO)
		error_wrap(err,
		           "the disk fails, or a power cut has left NTFS inconsistent: if this "
		           "comes again, run chkdsk /f on the volume first");
	return false;
}

void replacement_tell(const struct replacement *r, const char *step, const char *path)
{
	if (r->progress)
		r->progress(r->data, step, path);
}

bool replacement_move(const struct replacement *r, enum journal_disk disk, const char *from,
                      const char *to, struct error *err)
{
	struct site *a = replacement_site(NULL, r, disk, from, err);
	struct site *b = a ? replacement_site(a, r, disk, to, err) : NULL;
	bool done = b && publish_step_move(a->fd, a->name, b->fd, b->name, b->shown, err);

	talloc_free(a);
	return done;
}

bool replacement_exchange(const struct replacement *r, enum journal_disk disk, const char *a,
                          const char *b, bool *exchanged, struct error *err)
{
	struct site *one = replacement_site(NULL, r, disk, a, err);
	struct site *two = one ? replacement_site(one, r, disk, b, err) : NULL;
	bool done = two && publish_step_exchange(one->fd, one->name, two->fd, two->name, exchanged,
	                                         one->shown, err);

	talloc_free(one);
	return done;
}

typedef bool step_fn(int dirfd, const char *name, const char *shown, struct error *err);

static bool at_site(const struct replacement *r, enum journal_disk disk, const char *path,
                    step_fn *step, struct error *err)
{
	struct site *site = replacement_site(NULL, r, disk, path, err);
	bool done = site && step(site->fd, site->name, site->shown, err);

	talloc_free(site);
	return done;
}

bool replacement_remove(const struct replacement *r, enum journal_disk disk, const char *path,
                        struct error *err)
{
	return at_site(r, disk, path, publish_step_remove, err);
}

bool replacement_sync(const struct replacement *r, enum journal_disk disk, const char *path,
                      struct error *err)
{
	return at_site(r, disk, path, publish_step_sync, err);
}

bool replacement_mkdir(const struct replacement *r, enum journal_disk disk, const char *path,
                       struct error *err)
{
	return at_site(r, disk, path, publish_step_mkdir, err);
}

bool replacement_rmdir(const struct replacement *r, enum journal_disk disk, const char *path,
                       struct error *err)
{
	return at_site(r, disk, path, publish_step_rmdir, err) || err->sys == ENOTEMPTY;
}
