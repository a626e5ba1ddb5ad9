/*
 * pieces: an image that is mostly zeros, of a list of pieces: le32 size of the image, then pieces
 * of le32 offset, le16 length, and the bytes; what lies outside is left out.
 * tests/tools/ntfs_seed.py makes one of an image.
 *
 * Update sequences are put right first where there are records and index blocks, as a random change
 * would break them and end there.
 */
#ifndef TESTS_FUZZ_PIECES_H
#define TESTS_FUZZ_PIECES_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static void pieces_require(bool good)
{
	if (!good)
		abort();
}

/* Writes the update sequence number of each block where it belongs. */
static void pieces_fix(uint8_t *image, size_t size)
{
	for (size_t at = 0; at + 1024 <= size; at += 512) {
		uint8_t *block = image + at;
		size_t sequence = block[4] | (size_t)block[5] << 8, count = block[6];

		if (memcmp(block, "FILE", 4) != 0 && memcmp(block, "INDX", 4) != 0)
			continue;
		for (size_t i = 1; i < count && at + i * 512 <= size && sequence < 500; i++)
			memcpy(block + i * 512 - 2, block + sequence, 2);
	}
}

/* DATA has 4 bytes at least; the image is shorter than MOST, and freed by the caller. */
static uint8_t *pieces_image(const uint8_t *data, size_t size, size_t most, size_t *image_size)
{
	uint32_t wanted;
	uint8_t *image;

	memcpy(&wanted, data, 4);
	*image_size = wanted % most;
	image = calloc(1, *image_size + 1);
	pieces_require(image != NULL);
	for (size_t at = 4; at + 6 <= size;) {
		uint32_t offset;
		uint16_t length;

		memcpy(&offset, data + at, 4);
		memcpy(&length, data + at + 4, 2);
		at += 6;
		if (length > size - at)
			length = (uint16_t)(size - at);
		if (offset <= *image_size && length <= *image_size - offset)
			memcpy(image + offset, data + at, length);
		at += length;
	}
	pieces_fix(image, *image_size);
	return image;
}

#endif
