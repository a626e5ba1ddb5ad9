/*
 * Each step is the call that changes something, and the fsyncs that make it durable. Nothing is
 * undone here: whoever calls has a journal, and looks at what is there.
 */
#include "hive/publish_step.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "hive/publish_place.h"

#define NTFS3_MAGIC 0x7366746e
#define DESCRIPTOR_MAX 65536 /* bytes of a security descriptor; no extended attribute has more */

#define ROOM_NAME 220 /* characters; a record of 1024 bytes has no room for twice as many bytes */

static bool failed(struct error *err, const char *shown, const char *what)
{
	return error_errno(err, ERROR_DESTINATION, "%s: cannot %s", shown, what);
}

static bool sync_directory(int dirfd, const char *shown, struct error *err)
{
	return publish_sync_directory(dirfd) || failed(err, shown, "fsync its directory");
}

/*
 * What Windows knows of a file and Linux does not, as ntfs-3g and ntfs3 show it. The descriptor
 * is set after owner and mode, which those that map them would write into it.
 */
static void dress_ntfs(int fd, int like)
{
	static const char *const names[] = { "system.ntfs_acl", "system.ntfs_attrib",
		                             "system.ntfs_crtime" };
	uint8_t value[DESCRIPTOR_MAX];
	struct statfs fs;

	if (fstatfs(fd, &fs) != 0 ||
	    (fs.f_type != FUSE_SUPER_MAGIC && (uint32_t)fs.f_type != NTFS3_MAGIC))
		return;
	for (unsigned i = 0; i < sizeof(names) / sizeof(*names); i++) {
		ssize_t size = fgetxattr(like, names[i], value, sizeof(value));

		if (size > 0)
			(void)!fsetxattr(fd, names[i], value, (size_t)size, 0);
	}
}

/* Best effort: a file system without owners or modes refuses or ignores this. */
static void dress(int fd, int like)
{
	struct stat st;

	if (like < 0 || fstat(like, &st) != 0)
		return;
	(void)!fchown(fd, st.st_uid, st.st_gid);
	(void)!fchmod(fd, st.st_mode & 07777);
	dress_ntfs(fd, like);
}

/* 1 remove what is there  2 create  3 dress  4 write  5 fsync  6 close  7 fsync the directory */
bool publish_step_file(int dirfd, const char *name, struct bytes bytes, int like, const char *shown,
                       struct error *err)
{
	bool ignored = true;
	int fd;

	if (unlinkat(dirfd, name, 0) != 0 && errno != ENOENT)
		return failed(err, shown, "remove what is there");
	fd = publish_create(dirfd, name, shown, err);
	if (fd < 0)
		return false;
	dress(fd, like);
	return publish_fill(fd, dirfd, name, bytes, &ignored, shown, err) &&
	       sync_directory(dirfd, shown, err);
}

static bool same_directory(int a, int b)
{
	struct stat one, two;

	return a == b || (fstat(a, &one) == 0 && fstat(b, &two) == 0 && one.st_dev == two.st_dev &&
	                  one.st_ino == two.st_ino);
}

static bool sync_both(int one, int other, const char *shown, struct error *err)
{
	return sync_directory(one, shown, err) &&
	       (same_directory(one, other) || sync_directory(other, shown, err));
}

/* 1 rename  2 fsync the directory it is in now  3 fsync the one it was in, if that is another */
bool publish_step_move(int from_dirfd, const char *from, int to_dirfd, const char *to,
                       const char *shown, struct error *err)
{
	if (renameat(from_dirfd, from, to_dirfd, to) != 0)
		return failed(err, shown, "rename it");
	return sync_both(to_dirfd, from_dirfd, shown, err);
}

/* 1 renameat2  2 fsync one directory  3 fsync the other */
bool publish_step_exchange(int a_dirfd, const char *a, int b_dirfd, const char *b, bool *done,
                           const char *shown, struct error *err)
{
	*done = renameat2(a_dirfd, a, b_dirfd, b, RENAME_EXCHANGE) == 0;
	if (*done)
		return sync_both(a_dirfd, b_dirfd, shown, err);
	return errno == EINVAL || errno == ENOSYS || errno == EOPNOTSUPP ||
	       failed(err, shown, "exchange it");
}

bool publish_step_remove(int dirfd, const char *name, const char *shown, struct error *err)
{
	if (unlinkat(dirfd, name, 0) != 0 && errno != ENOENT)
		return failed(err, shown, "remove it");
	return sync_directory(dirfd, shown, err);
}

bool publish_step_mkdir(int dirfd, const char *name, const char *shown, struct error *err)
{
	if (mkdirat(dirfd, name, 0700) != 0)
		return failed(err, shown, "make the directory");
	return sync_directory(dirfd, shown, err);
}

bool publish_step_rmdir(int dirfd, const char *name, const char *shown, struct error *err)
{
	if (unlinkat(dirfd, name, AT_REMOVEDIR) != 0 && errno != ENOENT)
		return failed(err, shown, "remove the directory");
	return sync_directory(dirfd, shown, err);
}

bool publish_step_room(int dirfd, const char *shown, struct error *err)
{
	char name[ROOM_NAME + 1] = PUBLISH_STEP_ROOM;
	struct bytes nothing = { NULL, 0 };

	if (!publish_rename_is_weak(dirfd))
		return true;
	memset(name + strlen(name), '-', ROOM_NAME - strlen(name));
	return publish_step_file(dirfd, name, nothing, -1, shown, err);
}

/* An fsync of a descriptor that was opened for reading writes out the whole file. */
bool publish_step_sync(int dirfd, const char *name, const char *shown, struct error *err)
{
	int fd = openat(dirfd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	bool done;

	if (fd < 0)
		return failed(err, shown, "open it");
	done = fsync(fd) == 0 || failed(err, shown, "fsync it");
	close(fd);
	return done && sync_directory(dirfd, shown, err);
}

bool publish_step_lock(int fd)
{
	return publish_lock(fd);
}
