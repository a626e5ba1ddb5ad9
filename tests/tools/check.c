/* check: what the validator says of a hive file: weight, code, file offset and text. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "hive/check.h"
#include "hive/image.h"

int main(int argc, char **argv)
{
	static const char *const weights[] = { "note", "odd", "heals", "fatal" };
	struct error err = { 0 };
	struct image *image;
	struct check check;
	bool sound;

	if (argc != 2)
		return 2;
	image = image_read(NULL, AT_FDCWD, argv[1], &err);
	if (!image || !check_image(image, image->bytes, &check, &err)) {
		fprintf(stderr, "check: %s\n", err.text);
		return 4;
	}
	for (uint32_t i = 0; i < check.problems->count; i++) {
		const struct problem *problem = &check.problems->list[i];

		printf("%s %s 0x%llx %s", weights[problem->weight], problem->code,
		       (unsigned long long)problem->offset, problem->text);
		if (problem->more)
			printf(" (and %u more)", problem->more);
		printf("\n");
	}
	printf("%s %s keys=%llu values=%llu\n", weights[check.problems->worst],
	       check.dirty ? "dirty" : "clean", (unsigned long long)check.keys,
	       (unsigned long long)check.values);
	sound = check.problems->worst < PROBLEM_HEALS;
	talloc_free(image);
	return !sound;
}
