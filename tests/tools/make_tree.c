/*
 * make_tree FROM TO FLAGS DIRECTORY
 *
 * Writes the random trees of the seeds FROM to TO - 1 as DIRECTORY/SEED; FLAGS is the sum of
 * RANDOM_ODD 1, RANDOM_LAYOUT 2, RANDOM_SMALL 4, RANDOM_LARGE 8.
 */
#include <stdio.h>
#include <stdlib.h>

#include "tests/random_tree.h"

int main(int argc, char **argv)
{
	if (argc != 5) {
		fprintf(stderr, "usage: make_tree FROM TO FLAGS DIRECTORY\n");
		return 2;
	}
	for (unsigned long seed = strtoul(argv[1], NULL, 10); seed < strtoul(argv[2], NULL, 10);
	     seed++) {
		unsigned flags = (unsigned)strtoul(argv[3], NULL, 10);
		struct builder *b = random_tree(NULL, seed, flags);
		char *path = talloc_asprintf(b, "%s/%lu", argv[4], seed);

		builder_write_file(b, path);
		talloc_free(b);
	}
	return 0;
}
