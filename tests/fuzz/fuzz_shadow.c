/*
 * libFuzzer: any bytes as a volume with shadow copies, each of which is read whole, and looked
 * into.
 *
 * The input is a list of pieces (tests/fuzz/pieces.h).
 */
#include "checkpoint/disk/shadow.h"
#include "checkpoint/disk/volume.h"
#include "tests/fuzz/pieces.h"

#define SIZE_MAX_MEDIUM (4u << 20)
#define LOOKED_AT 8u /* shadow copies */

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

/* Every byte once, in pieces that are no blocks; then its top directory, where it is NTFS. */
static void read_copy(struct medium *copy, uint64_t size)
{
	static uint8_t buffer[40000];
	struct error err = { 0 };
	struct volume *volume;
	uint32_t count;
	char **names;

	require(copy->size <= size);
	for (uint64_t at = 0; at < copy->size; at += sizeof(buffer)) {
		uint64_t left = copy->size - at;

		if (!medium_read(copy, at, buffer, left < sizeof(buffer) ? left : sizeof(buffer),
		                 &err)) {
			check_error(&err);
			break;
		}
	}
	volume = volume_of_medium(copy, copy, &err);
	if (!volume || !volume_list(volume, volume, "", &names, &count, &err))
		check_error(&err);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct error err = { 0 };
	struct medium *medium, *copy;
	struct shadow *shadow;
	size_t image_size;
	uint8_t *image;

	if (size < 4)
		return 0;
	image = pieces_image(data, size, SIZE_MAX_MEDIUM, &image_size);
	medium = medium_of_bytes(NULL, "volume", (struct bytes){ image, image_size }, &err);
	require(medium);
	shadow = shadow_open(NULL, medium, &err);
	if (!shadow && err.kind != ERROR_NONE)
		check_error(&err);
	for (uint32_t i = 0; shadow && i < shadow_count(shadow) && i < LOOKED_AT; i++) {
		(void)shadow_created(shadow, i);
		copy = shadow_medium(medium, shadow, i, &err);
		if (!copy)
			check_error(&err);
		else
			read_copy(copy, image_size);
		if (i % 2) /* either may go first */
			talloc_free(copy);
	}
	talloc_free(shadow);
	talloc_free(medium);
	free(image);
	return 0;
}
