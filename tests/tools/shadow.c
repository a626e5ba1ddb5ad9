/*
 * shadow IMAGE [PATH...]: the shadow copies of a raw volume, a line each: its number, the FILETIME
 * of its making, and of each PATH the size, "absent", or why it cannot be read. Exit status 1:
 * none; 2: they cannot be read.
 */
#include <stdio.h>

#include "checkpoint/disk/shadow.h"
#include "checkpoint/disk/volume.h"

static void print_file(TALLOC_CTX *ctx, struct volume *volume, const char *path)
{
	struct volume_entry entry;
	struct image *image;
	struct error err;

	if (!volume_find(ctx, volume, path, &entry, &err)) {
		printf(" %s", err.text);
	} else if (entry.kind != VOLUME_FILE) {
		printf(" absent");
	} else {
		image = volume_file(ctx, volume, entry.path, &err);
		if (image)
			printf(" %llu", (unsigned long long)image->bytes.size);
		else
			printf(" %s", err.text);
	}
}

static void print_copy(TALLOC_CTX *ctx, struct shadow *shadow, uint32_t number, char **paths)
{
	TALLOC_CTX *tmp = talloc_new(ctx);
	struct error err = { 0 };
	struct medium *medium = shadow_medium(tmp, shadow, number, &err);
	struct volume *volume = medium ? volume_of_medium(tmp, medium, &err) : NULL;

	printf("%u %llu", number + 1, (unsigned long long)shadow_created(shadow, number));
	if (!volume)
		printf(" %s", err.text);
	for (; volume && *paths; paths++)
		print_file(tmp, volume, *paths);
	printf("\n");
	talloc_free(volume);
	talloc_free(tmp);
}

int main(int argc, char **argv)
{
	TALLOC_CTX *ctx = talloc_new(NULL);
	struct error err = { 0 };
	struct medium *medium = argc > 1 ? medium_open(ctx, argv[1], &err) : NULL;
	struct shadow *shadow = medium ? shadow_open(ctx, medium, &err) : NULL;
	int status = 0;

	for (uint32_t i = 0; shadow && i < shadow_count(shadow); i++)
		print_copy(ctx, shadow, i, argv + 2);
	if (!shadow) {
		status = err.kind == ERROR_NONE ? 1 : 2;
		if (status == 2)
			fprintf(stderr, "%s\n", err.text);
	}
	talloc_free(shadow);
	talloc_free(ctx);
	return status;
}
