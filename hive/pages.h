/*
 * pages: the pages of log entries, put into a hive. Part of hive/recover.h.
 */
#ifndef HIVE_PAGES_H
#define HIVE_PAGES_H

#include "hive/image.h"
#include "hive/plan.h"

/* The base block of an image that is not sealed. */
static inline struct regf_base *pages_base(struct image *image)
{
	return (struct regf_base *)image_data(image);
}

/* R8: makes it that of a clean hive. */
void pages_seal(struct regf_base *base, uint32_t sequence, uint32_t bins_size);

/* Puts in the pages of one step; the image grows as far as they need it. */
bool pages_apply(struct image *image, const struct plan_step *step, struct error *err);

/* May pages_patch() be used? No, if HIVE would have to grow, or there are too many of them. */
bool pages_fit(const struct plan *plan, const struct image *hive);

/* An image_patch_fn: what lies in some bytes of the hive of all steps of the plan, which is DATA.
 */
void pages_patch(void *data, uint8_t *image, uint64_t begin, uint64_t end);

#endif
