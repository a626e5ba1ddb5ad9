/* What libbfio calls. */
#include "checkpoint/disk/medium_io.h"

#include <stdio.h>

#define READ_LEAST ((uint64_t)64 << 20)
#define READ_MOST ((uint64_t)16 << 30)
#define READ_TIMES 8u /* the volume's size */

void medium_io_begin(struct medium_io *io, uint64_t more)
{
	uint64_t size = io->medium->size;

	io->left = size > READ_MOST / READ_TIMES ? READ_MOST : READ_TIMES * size;
	if (io->left < READ_LEAST || io->suspect)
		io->left = READ_LEAST;
	io->left += more;
	io->failed = false;
	io->exhausted = false;
}

static struct medium_io *io_of(intptr_t *handle)
{
	return (struct medium_io *)handle;
}

static int io_free(intptr_t **handle, libbfio_error_t **error)
{
	(void)error;
	*handle = NULL; /* it is its owner's */
	return 1;
}

static int io_clone(intptr_t **to, intptr_t *from, libbfio_error_t **error)
{
	(void)error;
	*to = from;
	return 1;
}

static int io_open(intptr_t *handle, int access, libbfio_error_t **error)
{
	(void)handle;
	(void)error;
	return access == LIBBFIO_OPEN_READ ? 1 : -1;
}

static int io_close(intptr_t *handle, libbfio_error_t **error)
{
	(void)handle;
	(void)error;
	return 0;
}

static ssize_t io_read(intptr_t *handle, uint8_t *buffer, size_t size, libbfio_error_t **error)
{
	struct medium_io *io = io_of(handle);

	(void)error;
	if (io->at >= io->medium->size)
		return 0;
	if (size > io->medium->size - io->at)
		size = (size_t)(io->medium->size - io->at);
	if (size > io->left) {
		io->exhausted = io->suspect = true;
		return -1;
	}
	io->left -= size;
	io->failed = !medium_read(io->medium, io->at, buffer, size, &io->why);
	if (io->failed)
		return -1;
	io->at += size;
	return (ssize_t)size;
}

static ssize_t io_write(intptr_t *handle, const uint8_t *buffer, size_t size,
                        libbfio_error_t **error)
{
	(void)handle;
	(void)buffer;
	(void)size;
	(void)error;
	return -1;
}

static off64_t io_seek(intptr_t *handle, off64_t offset, int whence, libbfio_error_t **error)
{
	struct medium_io *io = io_of(handle);
	uint64_t from = whence == SEEK_CUR ? io->at : whence == SEEK_END ? io->medium->size : 0;

	(void)error;
	if (from > INT64_MAX || (offset < 0 && (uint64_t)-offset > from) ||
	    (offset > 0 && offset > INT64_MAX - (off64_t)from))
		return -1;
	io->at = from + (uint64_t)offset;
	return (off64_t)io->at;
}

static int io_yes(intptr_t *handle, libbfio_error_t **error)
{
	(void)handle;
	(void)error;
	return 1;
}

static int io_size(intptr_t *handle, size64_t *size, libbfio_error_t **error)
{
	(void)error;
	*size = io_of(handle)->medium->size;
	return 1;
}

bool medium_io_handle(struct medium_io *io, libbfio_handle_t **handle)
{
	return libbfio_handle_initialize(handle, (intptr_t *)io, io_free, io_clone, io_open,
	                                 io_close, io_read, io_write, io_seek, io_yes, io_yes,
	                                 io_size, LIBBFIO_FLAG_IO_HANDLE_NON_MANAGED, NULL) == 1;
}
