/*
 * The temporary file beside a file that is to be. It is locked while it is written: one without
 * a lock was left by a killed run and is swept by the next.
 */
#include "hive/publish_temporary.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "hive/publish_tree.h"

#define WRITE_PIECE ((uint64_t)8 << 20) /* bytes; and the last piece has up to twice as many */
#define TEMPORARY_TRIES 16
#define RANDOM_DIGITS 16

/* Is NAME PREFIX and RANDOM_DIGITS hexadecimal digits? */
static bool is_temporary(const char *name, const char *prefix)
{
	size_t length = strlen(prefix);

	return strncmp(name, prefix, length) == 0 && strlen(name) == length + RANDOM_DIGITS &&
	       strspn(name + length, "0123456789abcdef") == RANDOM_DIGITS;
}

void publish_temporary_sweep(TALLOC_CTX *ctx, const struct publish_place *place, const char *prefix)
{
	struct error ignored;
	char **names = NULL;
	size_t count = 0;

	if (!publish_tree_list(ctx, place->parent, &names, &count, &ignored))
		return;
	for (size_t i = 0; i < count; i++) {
		int fd;

		if (!is_temporary(names[i], prefix))
			continue;
		fd = openat(place->parent, names[i],
		            O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
		if (fd < 0)
			continue;
		if (publish_lock(fd))
			unlinkat(place->parent, names[i], 0);
		close(fd);
	}
}

bool publish_temporary_open(TALLOC_CTX *ctx, const struct publish_place *place, const char *prefix,
                            struct publish_temporary *out, struct error *err)
{
	for (int i = 0; i < TEMPORARY_TRIES; i++) {
		uint64_t random;
		int fd;

		if (getrandom(&random, sizeof(random), 0) != sizeof(random))
			return error_errno(err, ERROR_INTERNAL, "no random numbers");
		out->name = talloc_asprintf(ctx, "%s%016llx", prefix, (unsigned long long)random);
		if (!out->name)
			return error_memory(err);
		fd = openat(place->parent, out->name,
		            O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
		if (fd < 0 && errno != EEXIST)
			return error_errno(err, ERROR_DESTINATION,
			                   "%s: cannot create a file beside it", place->shown);
		if (fd < 0)
			continue;
		/* another run may have swept it before it was locked */
		if (publish_lock(fd) && publish_same(fd, place->parent, out->name)) {
			out->fd = fd;
			return true;
		}
		close(fd);
	}
	return error_set(err, ERROR_DESTINATION, "%s: cannot create a file beside it",
	                 place->shown);
}

/* Piece by piece, as they come; why one does not come is in UNREAD. */
static bool write_image(int fd, const struct image *image, struct error *unread)
{
	uint64_t size = image->bytes.size;

	for (uint64_t at = 0, part; at < size; at += part) {
		part = size - at < 2 * WRITE_PIECE ? size - at : WRITE_PIECE;
		if (!image_wait(image, at + part, unread) ||
		    !publish_write_all(fd, (struct bytes){ image->bytes.data + at, part }))
			return false;
	}
	return true;
}

bool publish_temporary_fill(const struct publish_place *place, struct publish_temporary *temporary,
                            const struct image *image, struct error *err)
{
	int lock = fcntl(temporary->fd, F_DUPFD_CLOEXEC, 0);
	struct error unread = { 0 };
	const char *what = NULL;
	int saved;

	(void)!fchmod(temporary->fd, 0600);
	if (lock < 0)
		what = "lock";
	else if (!write_image(temporary->fd, image, &unread))
		what = "write";
	else if (fsync(temporary->fd) != 0)
		what = "fsync";
	saved = errno;
	if (close(temporary->fd) != 0 && errno != EINTR && !what) {
		what = "close";
		saved = errno;
	}
	temporary->fd = lock;
	errno = saved;
	if (unread.kind != ERROR_NONE)
		*err = unread;
	else if (what)
		error_errno(err, ERROR_DESTINATION,
		            "%s: is as it was: cannot %s the new file beside it", place->shown,
		            what);
	return !what;
}

bool publish_temporary_put(const struct publish_place *place,
                           const struct publish_temporary *temporary, uint64_t offset,
                           struct bytes bytes, struct error *err)
{
	while (bytes.size > 0) {
		ssize_t n = pwrite(temporary->fd, bytes.data, bytes.size, (off_t)offset);

		if (n < 0 && errno == EINTR)
			continue;
		if (n == 0)
			errno = ENOSPC;
		if (n <= 0)
			return error_errno(err, ERROR_DESTINATION,
			                   "%s: is as it was: cannot write the new file beside it",
			                   place->shown);
		bytes = (struct bytes){ bytes.data + n, bytes.size - (uint64_t)n };
		offset += (uint64_t)n;
	}
	return true;
}
