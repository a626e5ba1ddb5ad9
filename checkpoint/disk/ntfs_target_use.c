/*
 * Does anybody else use a volume? A block device tells, if it is opened O_EXCL. An image file does
 * not: it is looked for among what is mounted and behind the loop devices, and locks are asked for,
 * which ntfs-3g and qemu take.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "checkpoint/disk/mountinfo.h"
#include "checkpoint/disk/ntfs_target_internal.h"

#define LOOPS "/sys/block"

/* Is PATH another name of what was opened? */
static bool is_same(const char *path, const struct stat *opened)
{
	struct stat st;

	if (path[0] != '/' || stat(path, &st) != 0)
		return false;
	if (S_ISBLK(opened->st_mode))
		return S_ISBLK(st.st_mode) && st.st_rdev == opened->st_rdev;
	return st.st_dev == opened->st_dev && st.st_ino == opened->st_ino;
}

struct search {
	const struct stat *opened;
	char *why;
	size_t size;
	bool found;
};

static bool see_mount(void *data, const struct mountinfo *mount)
{
	struct search *search = data;

	if (!is_same(mount->source, search->opened))
		return true;
	snprintf(search->why, search->size, "it is mounted at %s; unmount it first", mount->point);
	search->found = true;
	return false;
}

/* The file behind a loop device, as the kernel writes its path; false if there is none. */
static bool backing_file(const char *name, char *path, size_t size)
{
	char place[300];
	FILE *file;
	bool done;

	if (strncmp(name, "loop", 4) != 0)
		return false;
	snprintf(place, sizeof(place), LOOPS "/%s/loop/backing_file", name);
	file = fopen(place, "re");
	if (!file)
		return false;
	done = fgets(path, (int)size, file) != NULL;
	fclose(file);
	path[done ? strcspn(path, "\n") : 0] = '\0';
	return done;
}

static bool is_looped(struct search *search)
{
	DIR *dir = opendir(LOOPS);
	const struct dirent *entry;
	char path[4096];

	while (dir && !search->found && (entry = readdir(dir)) != NULL) {
		if (!backing_file(entry->d_name, path, sizeof(path)) ||
		    !is_same(path, search->opened))
			continue;
		snprintf(search->why, search->size,
		         "it is behind the loop device /dev/%s; name that, or detach it first "
		         "(losetup -d /dev/%s)",
		         entry->d_name, entry->d_name);
		search->found = true;
	}
	if (dir)
		closedir(dir);
	return search->found;
}

/* The lock is held until FD is closed. A file system without locks has nobody who locks. */
static bool is_locked(int fd, struct search *search)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

	if (fcntl(fd, F_OFD_SETLK, &lock) == 0 || (errno != EAGAIN && errno != EACCES))
		return false;
	lock = (struct flock){ .l_type = F_WRLCK, .l_whence = SEEK_SET };
	if (fcntl(fd, F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK && lock.l_pid > 0)
		snprintf(search->why, search->size,
		         "process %ld has it locked; end what uses it first", (long)lock.l_pid);
	else
		snprintf(search->why, search->size,
		         "another program has it locked (a virtual machine, or ntfs-3g); end "
		         "that first");
	return true;
}

bool ntfs_target_in_use(int fd, char *why, size_t size)
{
	struct stat opened;
	struct search search = { &opened, why, size, false };

	if (fstat(fd, &opened) != 0)
		return false;
	if (!mountinfo_each(see_mount, &search)) {
		snprintf(why, size, "whether it is mounted cannot be known: /proc is not there");
		return true;
	}
	return search.found || is_looped(&search) ||
	       (S_ISREG(opened.st_mode) && is_locked(fd, &search));
}
