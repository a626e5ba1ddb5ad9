/*
 * libFuzzer: any bytes as a raw NTFS volume, which is walked as clusnap walks one.
 *
 * The input is a list of pieces (tests/fuzz/pieces.h), of a megabyte of mostly zeros.
 */
#include "checkpoint/disk/medium.h"
#include "checkpoint/disk/ntfs_state.h"
#include "checkpoint/disk/volume.h"
#include "tests/fuzz/pieces.h"

#define SIZE_MAX_MEDIUM (2u << 20) /* a volume of mkntfs has 1.3 at least */
#define LOOKED_AT 200u             /* names in all */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool good)
{
	if (!good)
		abort();
}

static void check_error(const struct error *err)
{
	require(err->kind == ERROR_SOURCE && err->text[0]);
}

static void read_file(struct volume *volume, const char *path, uint64_t size)
{
	struct error err = { 0 };
	uint8_t head[64];
	struct image *image;
	struct source *source;
	size_t got;

	if (size > 64u << 20) /* it would be right, and take long */
		return;
	image = volume_file(NULL, volume, path, &err);
	if (!image)
		check_error(&err);
	else
		require(image->bytes.size == size);
	if (volume_head(volume, path, head, sizeof(head), &got, &err)) {
		require(got <= sizeof(head));
		require(!image || memcmp(head, image->bytes.data, got) == 0);
	} else {
		check_error(&err);
	}
	talloc_free(image);
	source = volume_source(NULL, volume, path, &err);
	talloc_free(source);
}

/* Down to a few levels, as a volume may hold itself. */
static void walk(struct volume *volume, const char *path, unsigned depth, unsigned *left)
{
	struct volume_entry entry;
	struct error err = { 0 };
	char **names;
	uint32_t count;

	if (!volume_list(volume, volume, path, &names, &count, &err)) {
		check_error(&err);
		return;
	}
	for (uint32_t i = 0; i < count && *left; i++) {
		char *below = talloc_asprintf(volume, "%s/%s", path, names[i]);

		--*left;
		require(below);
		if (!volume_find(volume, volume, below, &entry, &err))
			check_error(&err);
		else if (entry.kind == VOLUME_FILE)
			read_file(volume, below, entry.size);
		else if (entry.kind == VOLUME_DIRECTORY && depth < 4)
			walk(volume, below, depth + 1, left);
	}
	talloc_free(names);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct error err = { 0 };
	struct ntfs_state state;
	struct volume *volume;
	struct medium *medium;
	unsigned left = LOOKED_AT;
	size_t image_size;
	uint64_t serial;
	uint8_t *image;

	if (size < 4)
		return 0;
	image = pieces_image(data, size, SIZE_MAX_MEDIUM, &image_size);
	medium = medium_of_bytes(NULL, "volume", (struct bytes){ image, image_size }, &err);
	require(medium);
	volume = volume_of_medium(NULL, medium, &err);
	if (volume) {
		require(volume_is_raw(volume) && volume_serial(volume, &serial));
		if (!ntfs_state_read(volume_ntfs(volume), &state, &err))
			check_error(&err);
		walk(volume, "", 0, &left);
	} else {
		check_error(&err);
	}
	talloc_free(volume);
	talloc_free(medium);
	free(image);
	return 0;
}
