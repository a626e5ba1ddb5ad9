/*
 * libFuzzer: any bytes as the plan.json of an undo directory, and as a marker sector.
 *
 * A plan that is accepted passes its check, is written back to the same plan, and every path in
 * it leads down a volume. Digests need not be right: no file is looked at.
 */
#include <stdlib.h>

#include "snapshot/restore/marker.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool good)
{
	if (!good)
		abort();
}

/* Without the check's own code: nothing that a path walk would take for going up or elsewhere. */
static void leads_down(const char *path)
{
	char *copy = strdup(path), *rest = copy, *name;

	require(copy && *path && !strchr(path, '\\') && !strchr(path, ':'));
	while ((name = strsep(&rest, "/")) != NULL)
		require(*name && strcmp(name, ".") != 0 && strcmp(name, "..") != 0);
	free(copy);
}

static void use(TALLOC_CTX *ctx, struct undo *undo)
{
	struct bytes written, twice;
	struct error err = { 0 };
	struct undo again;

	require(undo->count > 0 && undo->count <= UNDO_FILES_MAX);
	require(undo_check(undo, &err));
	require(undo_sums(ctx, undo));
	for (uint32_t i = 0; i < undo->count; i++) {
		const struct undo_file *file = &undo->files[i];

		leads_down(file->path);
		require(file->action < UNDO_ACTIONS && file->volume < UNDO_VOLUMES);
		require(undo->disks[file->volume].path);
		for (unsigned when = 0; when < UNDO_WHENS; when++) {
			const char *name = undo_file_name(ctx, undo, i, (enum undo_when)when),
				   *slash = name ? strchr(name, '/') : NULL;

			require(slash && slash == strrchr(name, '/'));
		}
	}
	written = undo_plan_write(ctx, undo, &err);
	require(written.data && undo_plan_read(ctx, written, &again, &err));
	require(again.count == undo->count);
	twice = undo_plan_write(ctx, &again, &err);
	require(bytes_equal(written, twice));
}

static void mark(TALLOC_CTX *ctx, struct undo *undo)
{
	uint8_t sector[TARGET_SECTOR];
	struct marker marker;

	undo->path = undo->request.source ? undo->request.source : undo->node;
	marker_write(undo, sector);
	require(memcmp(sector, "regf", 4) != 0 && marker_is(sector, sizeof(sector)));
	require(marker_read(ctx, sector, &marker) && strcmp(marker.undo, undo->id) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	TALLOC_CTX *tmp = talloc_new(NULL);
	uint8_t *copy = malloc(size ? size : 1); /* of exactly this size */
	uint8_t sector[TARGET_SECTOR] = { 0 };
	struct error err = { 0 };
	struct marker marker;
	struct undo undo;

	require(tmp && copy);
	if (size)
		memcpy(copy, data, size);
	memcpy(sector, copy, size < sizeof(sector) ? size : sizeof(sector));
	(void)marker_read(tmp, sector, &marker);
	if (undo_plan_read(tmp, (struct bytes){ copy, size }, &undo, &err)) {
		use(tmp, &undo);
		mark(tmp, &undo);
	} else {
		require(err.kind == ERROR_SOURCE && err.text[0]);
	}
	talloc_free(tmp);
	free(copy);
	return 0;
}
