/*
 * check: the strict validator, which every image passes before anything else reads it.
 *
 * It looks at the base block, every bin, every cell once, and every reference: that each
 * leads to an allocated cell of the right kind, large enough for the counts in it, and that
 * no cell has two owners. It never stops at the first problem, never recurses without
 * bound, and takes little memory (3 % of the image, and 12 bytes for each value of the key
 * with the most values).
 *
 * If problems->worst is below PROBLEM_HEALS and dirty is false, then every reference that counts
 * (a list of no subkeys or values does not) leads to a whole record of its kind, no cell is
 * reached twice, siblings are in strict order, and the keys are a tree of at most 512 levels.
 * docs/regf.md, "What check says", lists the codes.
 */
#ifndef HIVE_CHECK_H
#define HIVE_CHECK_H

#include "hive/image.h"
#include "hive/problem.h"

struct check {
	uint64_t keys, values;     /* reached from the root */
	bool dirty;                /* sequence numbers or checksum: the logs are needed */
	struct problems *problems; /* weight FATAL: Windows would refuse the hive */
};

/*
 * Checks IMAGE, a whole primary file. False only if the check itself could not be made (no
 * memory); whatever is wrong with the image is in check->problems, allocated on CTX.
 */
bool check_image(TALLOC_CTX *ctx, struct bytes image, struct check *check, struct error *err);

/*
 * The same for an image that may still be being read: it is checked as far as it is there, in
 * the order in which its keys are reached, and was read to its end when this returns. False
 * also if it cannot be read.
 */
bool check_read(TALLOC_CTX *ctx, const struct image *image, struct check *check, struct error *err);

/* Are all parts of a self-relative security descriptor inside it? */
bool check_descriptor(struct bytes descriptor);

#endif
