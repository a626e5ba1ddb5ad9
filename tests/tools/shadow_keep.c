/*
 * shadow_keep VOLUME PARENT PATH: a plan that writes to PATH, which is said to hold other bytes
 * than any shadow copy shows, with what those show of it, as an undo directory in PARENT. Prints
 * its path.
 */
#include <stdio.h>

#include "snapshot/restore/restoring.h"

static const struct image *made_up(TALLOC_CTX *ctx, struct error *err)
{
	struct image *image = image_new(ctx, 4096, err);

	return image && image_seal(image, err) ? image : NULL;
}

int main(int argc, char **argv)
{
	TALLOC_CTX *ctx = talloc_new(NULL);
	struct restore_options options = { .target = argc > 3 ? argv[1] : "" };
	struct system system = { 0 };
	struct restore r = { .ctx = ctx, .options = &options, .warnings = problems_new(ctx) };
	struct error err = { 0 };
	const struct image *image = made_up(ctx, &err);

	r.target.system = &system;
	system.volume = volume_open(ctx, options.target, &err);
	r.undo = (struct undo){ .begun = (char *)"2026-01-01T00:00:00Z",
		                .host = (char *)"host",
		                .command = (char *)"restore",
		                .node = (char *)"NODE",
		                .snapshot = (char *)"",
		                .disks[UNDO_SYSTEM].path = (char *)"/mnt" };
	if (argc != 4 || !image || !system.volume ||
	    !restore_file_put(&r, UNDO_SYSTEM, argv[3], image, image, &err) ||
	    !restore_shadows(&r, &err) || !undo_write(ctx, &r.undo, argv[2], r.warnings, &err)) {
		fprintf(stderr, "%s\n", err.text);
		return 1;
	}
	for (uint32_t i = 0; i < r.warnings->count; i++)
		fprintf(stderr, "%s: %s\n", r.warnings->list[i].code, r.warnings->list[i].text);
	puts(r.undo.path);
	talloc_free(ctx);
	return 0;
}
