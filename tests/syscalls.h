/*
 * syscalls: the system calls of this program that change files, counted, recorded and stopped.
 *
 *	syscalls_begin(12);		// the 13th and all after it fail with EIO and change
 *nothing
 *	...
 *	made = syscalls_end();		// 12, or fewer
 *	list = syscalls_list(&count);	// what they were
 *
 * They are pwrite, fsync, ftruncate, openat where it creates, unlinkat and mkdirat. What times,
 * owners and modes are is not looked at.
 */
#ifndef TESTS_SYSCALLS_H
#define TESTS_SYSCALLS_H

#include <stddef.h>
#include <stdint.h>

#define SYSCALLS_ALL 1000000L

enum syscall_kind {
	SYSCALL_WRITE,
	SYSCALL_SYNC, /* of a file or a directory */
	SYSCALL_RESIZE,
	SYSCALL_CREATE,
	SYSCALL_UNLINK,
	SYSCALL_MKDIR,
	SYSCALL_RMDIR,
};

struct syscall_made {
	enum syscall_kind kind;
	char *path;      /* absolute */
	uint64_t offset; /* of a write; the size of a resize */
	uint8_t *data;   /* of a write */
	size_t size;
};

void syscalls_begin(long allowed);

/* From syscalls_begin() on: the write that would be number WHICH (from 0) says that it is done. */
void syscalls_lose(long which);
long syscalls_end(void);

/* Of the last series; valid until syscalls_begin(). A failed call is not in it. */
const struct syscall_made *syscalls_list(size_t *count);

/* Gives the memory of the list back. */
void syscalls_forget(void);

#endif
