/* The catalog of a volume's shadow copies, and each of them as a medium. */
#include "checkpoint/disk/shadow.h"

#include <errno.h>
#include <string.h>

#include "checkpoint/disk/medium_io.h"
#include "checkpoint/disk/shadow_header.h"

#define LIBVSHADOW_HAVE_BFIO 1
#include <libvshadow.h>

struct shadow {
	struct medium_io io;
	libbfio_handle_t *handle;
	libvshadow_volume_t *volume;
	uint32_t count;
	struct shadow_copy *copies; /* those that are open */
};

/* One shadow copy: what its medium reads from. */
struct shadow_copy {
	struct shadow *shadow; /* NULL: it was freed */
	libvshadow_store_t *store;
	struct shadow_copy *next;
};

/* A store must be freed before its volume, and talloc frees in any order. */
static int shadow_close(struct shadow *shadow)
{
	for (struct shadow_copy *copy = shadow->copies; copy; copy = copy->next) {
		if (copy->store)
			libvshadow_store_free(&copy->store, NULL);
		copy->shadow = NULL;
	}
	if (shadow->volume)
		libvshadow_volume_free(&shadow->volume, NULL);
	if (shadow->handle)
		libbfio_handle_free(&shadow->handle, NULL);
	return 0;
}

/* WHAT, and why, if the medium is to blame. *ERROR is freed. */
static bool failed(struct shadow *shadow, libvshadow_error_t **error, const char *what,
                   struct error *err)
{
	libvshadow_error_free(error);
	if (shadow->io.failed) {
		*err = shadow->io.why;
		return error_wrap(err, "%s", what);
	}
	error_set(err, ERROR_SOURCE, "%s: it is damaged", what);
	err->sys = EIO;
	return false;
}

static bool open_catalog(struct shadow *shadow, struct error *err)
{
	libvshadow_error_t *error = NULL;
	int count = 0;

	if (!medium_io_handle(&shadow->io, &shadow->handle) ||
	    libvshadow_volume_initialize(&shadow->volume, NULL) != 1)
		return error_memory(err);
	medium_io_begin(&shadow->io, 0);
	if (libvshadow_volume_open_file_io_handle(shadow->volume, shadow->handle,
	                                          LIBVSHADOW_OPEN_READ, &error) != 1 ||
	    libvshadow_volume_get_number_of_stores(shadow->volume, &count, &error) != 1)
		return failed(shadow, &error, "the catalog of shadow copies cannot be read", err);
	if (count < 0 || (uint32_t)count > SHADOW_COPIES_MAX)
		return error_set(err, ERROR_SOURCE, "the shadow copies cannot be read: %d of them",
		                 count);
	shadow->count = (uint32_t)count;
	return true;
}

struct shadow *shadow_open(TALLOC_CTX *ctx, struct medium *medium, struct error *err)
{
	struct shadow *shadow;
	uint64_t catalog;

	if (!shadow_header(medium, &catalog, err))
		return NULL;
	if (!catalog) {
		err->kind = ERROR_NONE;
		return NULL;
	}
	if (!shadow_header_check(medium, catalog, err))
		return NULL;
	shadow = talloc_zero(ctx, struct shadow);
	if (!shadow) {
		error_memory(err);
		return NULL;
	}
	talloc_set_destructor(shadow, shadow_close);
	shadow->io.medium = medium;
	if (open_catalog(shadow, err)) {
		if (shadow->count)
			return shadow;
		err->kind = ERROR_NONE;
	}
	talloc_free(shadow);
	return NULL;
}

uint32_t shadow_count(const struct shadow *shadow)
{
	return shadow->count;
}

uint64_t shadow_created(struct shadow *shadow, uint32_t number)
{
	libvshadow_store_t *store = NULL;
	uint64_t created = 0;

	medium_io_begin(&shadow->io, 0);
	if (libvshadow_volume_get_store(shadow->volume, (int)number, &store, NULL) == 1 &&
	    libvshadow_store_get_creation_time(store, &created, NULL) != 1)
		created = 0;
	if (store)
		libvshadow_store_free(&store, NULL);
	return created;
}

static int copy_close(struct shadow_copy *copy)
{
	struct shadow_copy **at = copy->shadow ? &copy->shadow->copies : NULL;

	while (at && *at != copy)
		at = &(*at)->next;
	if (at)
		*at = copy->next;
	if (copy->store)
		libvshadow_store_free(&copy->store, NULL);
	return 0;
}

static bool copy_read(struct medium *medium, uint64_t offset, void *buffer, size_t size,
                      struct error *err)
{
	struct shadow_copy *copy = medium->data;
	libvshadow_error_t *error = NULL;
	uint8_t *to = buffer;

	if (!copy->shadow)
		return error_set(err, ERROR_INTERNAL, "the shadow copies were closed");
	medium_io_begin(&copy->shadow->io, size);
	while (size) {
		ssize_t got = libvshadow_store_read_buffer_at_offset(copy->store, to, size,
		                                                     (off64_t)offset, &error);

		if (got <= 0)
			return failed(copy->shadow, &error, "the shadow copy cannot be read", err);
		to += got;
		offset += (uint64_t)got;
		size -= (size_t)got;
	}
	return true;
}

/*
 * Windows can keep the blocks of shadow copies on another volume. What a copy has not itself it has
 * from those after it, so that it shows nothing true without these.
 */
static bool is_complete(struct shadow *shadow, uint32_t number, struct error *err)
{
	for (uint32_t i = number; i < shadow->count; i++) {
		libvshadow_error_t *error = NULL;
		libvshadow_store_t *store = NULL;
		int inside = -1;

		if (libvshadow_volume_get_store(shadow->volume, (int)i, &store, &error) == 1)
			inside = libvshadow_store_has_in_volume_data(store, &error);
		if (store)
			libvshadow_store_free(&store, NULL);
		if (inside < 0)
			return failed(shadow, &error, "its header cannot be read", err);
		if (inside == 0)
			return error_set(err, ERROR_SOURCE,
			                 "it cannot be read: blocks of it or a later one are kept "
			                 "on another volume "
			                 "(Windows' `vssadmin list shadowstorage` says which)");
	}
	return true;
}

/* The volume that MEDIUM is one of: what it is said to be longer than that is not there. */
static bool open_copy(struct shadow *shadow, uint32_t number, struct medium *medium,
                      struct error *err)
{
	struct shadow_copy *copy = medium->data;
	libvshadow_error_t *error = NULL;
	size64_t size = 0;

	medium_io_begin(&shadow->io, 0);
	if (!is_complete(shadow, number, err))
		return error_wrap(err, "%s", medium->path);
	if (libvshadow_volume_get_store(shadow->volume, (int)number, &copy->store, &error) != 1 ||
	    libvshadow_store_get_volume_size(copy->store, &size, &error) != 1)
		return failed(shadow, &error, medium->path, err);
	medium->size = size < shadow->io.medium->size ? size : shadow->io.medium->size;
	medium->sector = shadow->io.medium->sector;
	medium->read = copy_read;
	return true;
}

struct medium *shadow_medium(TALLOC_CTX *ctx, struct shadow *shadow, uint32_t number,
                             struct error *err)
{
	struct medium *medium = talloc_zero(ctx, struct medium);
	struct shadow_copy *copy = medium ? talloc_zero(medium, struct shadow_copy) : NULL;

	if (copy)
		medium->path = talloc_asprintf(medium, "%s: shadow copy %u",
		                               shadow->io.medium->path, number + 1);
	if (!copy || !medium->path) {
		talloc_free(medium);
		error_memory(err);
		return NULL;
	}
	copy->shadow = shadow;
	copy->next = shadow->copies;
	shadow->copies = copy;
	talloc_set_destructor(copy, copy_close);
	medium->data = copy;
	if (open_copy(shadow, number, medium, err))
		return medium;
	talloc_free(medium);
	return NULL;
}
