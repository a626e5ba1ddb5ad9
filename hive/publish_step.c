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

#define NOT_PLAIN                                                                                  \
	(0x400u | 0x800u | 0x4000u) /* FILE_ATTRIBUTE_REPARSE_POINT, _COMPRESSED, _ENCRYPTED */

#define ROOM ".clusnap-room-"
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

/* --- new bytes for a file that stays --- */

/* Stored plainly: what a power cut leaves of a compressed block may not be readable at all. */
static bool is_plain(int fd)
{
	le32 value;
	ssize_t size = fgetxattr(fd, "system.ntfs_attrib", &value, sizeof(value));

	return size != sizeof(value) || !(le32_get(value) & NOT_PLAIN);
}

bool publish_step_in_place(int dirfd, const char *name)
{
	int fd = openat(dirfd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	struct stat st;
	bool good;

	if (fd < 0)
		return errno == ENOENT && publish_rename_is_weak(dirfd);
	good = publish_rename_is_weak(fd) && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
	       st.st_nlink <= 1 && is_plain(fd);
	close(fd);
	return good;
}

/* Its descriptor; *CREATED if it was not there. */
static int open_or_create(int dirfd, const char *name, int like, const char *shown, bool *created,
                          struct error *err)
{
	int fd = openat(dirfd, name, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

	*created = fd < 0 && errno == ENOENT;
	if (fd < 0 && !*created)
		failed(err, shown, "open it");
	if (!*created)
		return fd;
	fd = publish_create(dirfd, name, shown, err);
	if (fd >= 0)
		dress(fd, like);
	return fd;
}

static bool put_at(int fd, off_t at, struct bytes bytes)
{
	return lseek(fd, at, SEEK_SET) == at && publish_write_all(fd, bytes);
}

/* NULL, or what could not be done, with errno: 2 to 10 of what stands below. */
static const char *fill(int fd, struct bytes bytes, uint64_t kept)
{
	static const uint8_t zeros[PUBLISH_STEP_HEAD];
	struct bytes blank = { zeros, sizeof(zeros) }, head = { bytes.data, sizeof(zeros) };
	struct stat st;

	if (fstat(fd, &st) != 0)
		return "look at it";
	if ((uint64_t)st.st_size < blank.size)
		blank.size = (uint64_t)st.st_size;
	if (!put_at(fd, 0, blank) || fsync(fd) != 0)
		return "write over it";
	if ((uint64_t)st.st_size > kept && ftruncate(fd, (off_t)kept) != 0)
		return "make it shorter";
	if (ftruncate(fd, (off_t)bytes.size) != 0 || fsync(fd) != 0)
		return "make it longer";
	if (bytes.size < head.size)
		head.size = bytes.size;
	blank.size = head.size;
	if (!put_at(fd, 0, blank) ||
	    !publish_write_all(fd,
	                       (struct bytes){ bytes.data + head.size, bytes.size - head.size }) ||
	    fsync(fd) != 0)
		return "write it";
	return put_at(fd, 0, head) && fsync(fd) == 0 ? NULL : "write its start";
}

/*
 * 1 open or create, dress  2 zeros over the start  3 fsync: it is not whole from here on  4 make it
 * shorter: NTFS may have given away what is cut off and not yet say so, and it is not written to
 * any more  5 make it as long as it will be: where it grows by being written, a power cut can leave
 * what cannot be read  6 fsync  7 write all but the start  8 fsync  9 write the start  10 fsync
 * 11 close  12 fsync the directory of a new one
 */
bool publish_step_fill(int dirfd, const char *name, struct bytes bytes, uint64_t kept, int like,
                       const char *shown, struct error *err)
{
	const char *what;
	bool created;
	int fd = open_or_create(dirfd, name, like, shown, &created, err);
	int saved;

	if (fd < 0)
		return false;
	what = fill(fd, bytes, kept);
	saved = errno;
	if (close(fd) != 0 && errno != EINTR && !what) {
		what = "close it";
		saved = errno;
	}
	errno = saved;
	if (what)
		return failed(err, shown, what);
	return !created || sync_directory(dirfd, shown, err);
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
	char name[ROOM_NAME + 1] = ROOM;
	struct bytes nothing = { NULL, 0 };

	if (!publish_rename_is_weak(dirfd))
		return true;
	memset(name + strlen(name), '-', ROOM_NAME - strlen(name));
	return publish_step_file(dirfd, name, nothing, -1, shown, err);
}

bool publish_step_is_room(const char *name)
{
	return strncmp(name, ROOM, strlen(ROOM)) == 0;
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
