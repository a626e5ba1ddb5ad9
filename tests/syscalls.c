/* Hooks around the calls that change files. */
#include "tests/syscalls.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/hook.h"

static ssize_t (*real_pwrite)(int, const void *, size_t, off_t);
static int (*real_fsync)(int);
static int (*real_ftruncate)(int, off_t);
static int (*real_openat)(int, const char *, int, ...);
static int (*real_unlinkat)(int, const char *, int);
static int (*real_mkdirat)(int, const char *, mode_t);

static bool armed;
static long left, made, lost = -1;
static struct syscall_made *list;
static size_t count;

static _Noreturn void give_up(const char *why)
{
	perror(why);
	exit(70);
}

/* The path of FD, or of NAME in that directory. */
static char *path_of(int fd, const char *name)
{
	char link[64], target[4096], *path;
	ssize_t size;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	size = readlink(link, target, sizeof(target) - 1);
	if (size < 0)
		give_up("syscalls: readlink");
	target[size] = '\0';
	if (asprintf(&path, "%s%s%s", target, name ? "/" : "", name ? name : "") < 0)
		give_up("syscalls");
	return path;
}

/* May one more be made? */
static bool may(void)
{
	if (!armed || left-- > 0)
		return true;
	errno = EIO;
	return false;
}

static void note(struct syscall_made one)
{
	if (!armed) {
		free(one.path);
		return;
	}
	made++;
	list = realloc(list, (count + 1) * sizeof(*list));
	if (!list)
		give_up("syscalls");
	list[count++] = one;
}

static ssize_t noted_pwrite(int fd, const void *data, size_t size, off_t offset)
{
	struct syscall_made one = { SYSCALL_WRITE, path_of(fd, NULL), (uint64_t)offset, NULL, 0 };

	if (!may() || (made != lost && real_pwrite(fd, data, size, offset) != (ssize_t)size)) {
		free(one.path);
		return -1;
	}
	if (armed) {
		one.data = malloc(size + 1);
		one.size = size;
		if (!one.data)
			give_up("syscalls");
		memcpy(one.data, data, size);
	}
	note(one);
	return (ssize_t)size;
}

static int noted(enum syscall_kind kind, int fd, const char *name, uint64_t offset, int result)
{
	if (result >= 0)
		note((struct syscall_made){ kind, path_of(fd, name), offset, NULL, 0 });
	return result;
}

static int noted_fsync(int fd)
{
	return may() ? noted(SYSCALL_SYNC, fd, NULL, 0, real_fsync(fd)) : -1;
}

static int noted_ftruncate(int fd, off_t size)
{
	return may() ? noted(SYSCALL_RESIZE, fd, NULL, (uint64_t)size, real_ftruncate(fd, size))
	             : -1;
}

static int noted_openat(int dirfd, const char *name, int flags, ...)
{
	va_list args;
	mode_t mode;

	if (!(flags & O_CREAT))
		return real_openat(dirfd, name, flags);
	va_start(args, flags);
	mode = va_arg(args, mode_t);
	va_end(args);
	return may() ? noted(SYSCALL_CREATE, dirfd, name, 0, real_openat(dirfd, name, flags, mode))
	             : -1;
}

static int noted_unlinkat(int dirfd, const char *name, int flags)
{
	return may() ? noted(flags & AT_REMOVEDIR ? SYSCALL_RMDIR : SYSCALL_UNLINK, dirfd, name, 0,
	                     real_unlinkat(dirfd, name, flags))
	             : -1;
}

static int noted_mkdirat(int dirfd, const char *name, mode_t mode)
{
	return may() ? noted(SYSCALL_MKDIR, dirfd, name, 0, real_mkdirat(dirfd, name, mode)) : -1;
}

static void install(void)
{
	static const struct hook hooks[] = {
		{ "pwrite", (void *)noted_pwrite },
		{ "pwrite64", (void *)noted_pwrite },
		{ "fsync", (void *)noted_fsync },
		{ "ftruncate", (void *)noted_ftruncate },
		{ "ftruncate64", (void *)noted_ftruncate },
		{ "openat", (void *)noted_openat },
		{ "openat64", (void *)noted_openat },
		{ "unlinkat", (void *)noted_unlinkat },
		{ "mkdirat", (void *)noted_mkdirat },
	};

	if (real_pwrite)
		return;
	*(void **)&real_fsync = hook_real("fsync");
	*(void **)&real_ftruncate = hook_real("ftruncate");
	*(void **)&real_openat = hook_real("openat");
	*(void **)&real_unlinkat = hook_real("unlinkat");
	*(void **)&real_mkdirat = hook_real("mkdirat");
	*(void **)&real_pwrite = hook_real("pwrite");
	hook_install(hooks, sizeof(hooks) / sizeof(hooks[0]), NULL);
}

void syscalls_forget(void)
{
	for (size_t i = 0; i < count; i++) {
		free(list[i].path);
		free(list[i].data);
	}
	free(list);
	list = NULL;
	count = 0;
}

void syscalls_begin(long allowed)
{
	install();
	syscalls_forget();
	left = allowed;
	made = 0;
	lost = -1;
	armed = true;
}

void syscalls_lose(long which)
{
	lost = which;
}

long syscalls_end(void)
{
	armed = false;
	lost = -1;
	return made;
}

const struct syscall_made *syscalls_list(size_t *many)
{
	*many = count;
	return list;
}
