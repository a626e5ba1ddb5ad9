/*
 * libFuzzer: any bytes as a hive file. The validator must give an answer, and what it calls
 * sound must be safe to use.
 *
 * A random change breaks the checksum, which hides nothing: the validator goes on. But what
 * comes after it only sees images that it calls sound, so the checksum is put right here.
 */
#include <stdlib.h>

#include "hive/check.h"
#include "hive/regf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct error err = { 0 };
	struct check check;
	/* a copy of exactly this size, so that a byte too many is noticed */
	uint8_t *image = malloc(size ? size : 1);

	if (!image)
		abort();
	memcpy(image, data, size);
	if (size >= REGF_BASE_SIZE) {
		struct regf_base *base = (struct regf_base *)image;

		base->sequence2 = base->sequence1;
		base->checksum = le32_put(regf_checksum(base));
	}
	if (!check_image(NULL, (struct bytes){ image, size }, &check, &err))
		abort();
	for (uint32_t i = 0; i < check.problems->count; i++) {
		const struct problem *problem = &check.problems->list[i];

		if (problem->offset > UINT32_MAX + (uint64_t)REGF_BASE_SIZE || !problem->text[0])
			abort();
	}
	talloc_free(check.problems);
	free(image);
	return 0;
}
