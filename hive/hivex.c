/*
 * Navigation through hivex. A hivex handle is the file offset of a cell, so that everything
 * hivex has no call for can be read from the same image at the same place.
 *
 * hivex has limits (70,000 subkeys, 110,000 values, ...) where it answers ERANGE; then these
 * functions say false and the caller walks the lists itself. So it does in large images that
 * hivex has not opened yet: to move one into a memfd and to have hivex go through all of it
 * costs more than most of what is looked for there.
 */
#include <errno.h>
#include <hivex.h>
#include <stdio.h>
#include <stdlib.h>

#include "hive/open.h"

#define NAVIGATED_MOST ((uint64_t)16 << 20) /* bytes of an image that is opened to look around */

struct hivex_handle {
	const struct image *image;
	char path[32]; /* of it, for hivex; empty as long as it is not prepared */
	hive_h *hivex; /* NULL while it rests */
	bool refused;  /* it did not open the image, and will not be asked again */
};

static int hivex_handle_close(struct hivex_handle *handle)
{
	hivex_handle_rest(handle);
	return 0;
}

bool hivex_handle_prepare(struct hivex_handle *handle)
{
	char *path = *handle->path ? NULL : image_path(NULL, handle->image);

	if (path)
		snprintf(handle->path, sizeof(handle->path), "%s", path);
	talloc_free(path);
	return *handle->path != '\0';
}

bool hivex_handle_wake(struct hivex_handle *handle)
{
	if (handle->hivex || handle->refused)
		return handle->hivex;
	if (hivex_handle_prepare(handle))
		handle->hivex = hivex_open(handle->path, 0);
	handle->refused = !handle->hivex;
	return handle->hivex;
}

struct hivex_handle *hivex_handle_new(TALLOC_CTX *ctx, const struct image *image)
{
	struct hivex_handle *handle = talloc_zero(ctx, struct hivex_handle);

	if (!handle)
		return NULL;
	handle->image = image;
	talloc_set_destructor(handle, hivex_handle_close);
	return handle;
}

void hivex_handle_rest(struct hivex_handle *handle)
{
	if (handle->hivex)
		hivex_close(handle->hivex);
	handle->hivex = NULL;
}

static bool navigates(struct hivex_handle *handle)
{
	return (handle->hivex || handle->image->bytes.size <= NAVIGATED_MOST) &&
	       hivex_handle_wake(handle);
}

/* Takes COUNT handles of a zero-terminated array that hivex allocated, and frees it. */
static bool take(TALLOC_CTX *ctx, const size_t *handles, uint32_t count, uint32_t **cells)
{
	uint32_t *list = talloc_array(ctx, uint32_t, count);
	uint32_t i;

	for (i = 0; list && i < count && handles[i]; i++)
		list[i] = (uint32_t)(handles[i] - REGF_BASE_SIZE);
	if (!list || i < count || handles[count]) {
		talloc_free(list);
		return false;
	}
	*cells = list;
	return true;
}

bool hivex_handle_subkeys(TALLOC_CTX *ctx, struct hivex_handle *handle, uint32_t key,
                          uint32_t count, uint32_t **cells)
{
	hive_node_h *nodes;
	bool done;

	if (!navigates(handle))
		return false;
	nodes = hivex_node_children(handle->hivex, (size_t)key + REGF_BASE_SIZE);
	done = nodes && take(ctx, nodes, count, cells);
	free(nodes);
	return done;
}

bool hivex_handle_values(TALLOC_CTX *ctx, struct hivex_handle *handle, uint32_t key, uint32_t count,
                         uint32_t **cells)
{
	hive_value_h *values;
	bool done;

	if (!navigates(handle))
		return false;
	values = hivex_node_values(handle->hivex, (size_t)key + REGF_BASE_SIZE);
	done = values && take(ctx, values, count, cells);
	free(values);
	return done;
}

bool hivex_handle_list(struct hivex_handle *handle, uint32_t key, enum hivex_list which,
                       uint32_t count, size_t **list, struct error *err)
{
	size_t at = (size_t)key + REGF_BASE_SIZE, counted;

	if (!hivex_handle_wake(handle))
		return error_set(err, ERROR_INTERNAL, "hivex cannot open it");
	counted = which == HIVEX_SUBKEYS ? hivex_node_nr_children(handle->hivex, at)
	                                 : hivex_node_nr_values(handle->hivex, at);
	if (counted != count)
		return error_set(err, ERROR_INTERNAL,
		                 "hivex counts %zu subkeys or values of key 0x%x, and not %u",
		                 counted, key, count);
	*list = NULL;
	if (count == 0)
		return true;
	*list = which == HIVEX_SUBKEYS ? hivex_node_children(handle->hivex, at)
	                               : hivex_node_values(handle->hivex, at);
	return *list || errno == ERANGE ||
	       error_errno(err, ERROR_INTERNAL, "hivex cannot read the lists of key 0x%x", key);
}
