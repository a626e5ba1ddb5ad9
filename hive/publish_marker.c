/*
 * The completion marker: read-only, hidden and archive, as BackupClusterDatabase leaves it.
 *
 * The attributes (0x23) are set where the file system has them, in its own way; elsewhere
 * mode 0400 has to do. Nothing depends on it. The extended attributes are tried only on the
 * file systems that know them: ext4 would store "user.cifs.dosattrib" as a mere name.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/msdos_fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "hive/publish_dir.h"

#define NTFS3_MAGIC 0x7366746e
#define CIFS_MAGIC 0xff534d42
#define SMB2_MAGIC 0xfe534d42
#define ATTRIBUTES 0x23u /* FILE_ATTRIBUTE_READONLY, _HIDDEN, _ARCHIVE */

static bool set_attributes(int fd)
{
	static const uint8_t big_endian[4] = { 0, 0, 0, ATTRIBUTES };
	uint32_t attributes = ATTRIBUTES;
	struct statfs fs;

	if (fstatfs(fd, &fs) != 0)
		return false;
	switch ((uint32_t)fs.f_type) {
	case FUSE_SUPER_MAGIC:
	case NTFS3_MAGIC:
		return fsetxattr(fd, "system.ntfs_attrib_be", big_endian, sizeof(big_endian), 0) ==
		       0;
	case MSDOS_SUPER_MAGIC:
	case EXFAT_SUPER_MAGIC:
		return ioctl(fd, FAT_IOCTL_SET_ATTRIBUTES, &attributes) == 0;
	case CIFS_MAGIC:
	case SMB2_MAGIC:
		return fsetxattr(fd, "user.cifs.dosattrib", &attributes, sizeof(attributes), 0) ==
		       0;
	default:
		return false;
	}
}

/* 1 openat O_EXCL, fchmod 0400, fsync, close  2 open again, set the attributes, fsync, close */
bool publish_dir_marker(struct publish_dir *dir, const char *name, bool *hidden, struct error *err)
{
	struct bytes nothing = { NULL, 0 };
	bool private = true, done;
	int fd;

	if (!publish_write(dir->fd, name, nothing, 0400, &private, dir->place->shown, err))
		return false;
	fd = openat(dir->fd, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return error_errno(err, ERROR_DESTINATION, "%s: is as it was: cannot open %s",
		                   dir->place->shown, name);
	*hidden = set_attributes(fd);
	done = !*hidden || fsync(fd) == 0;
	if (!done)
		error_errno(err, ERROR_DESTINATION, "%s: is as it was: cannot fsync %s",
		            dir->place->shown, name);
	close(fd);
	return done;
}
