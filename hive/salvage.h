/*
 * salvage: what is sound of a damaged hive, as a new image.
 *
 * No more is left out than is broken: a value, a key with what is below it. Subkeys whose list is
 * broken are found by the parent that they name. What a key cannot do without is replaced: its
 * security descriptor by that of the key above, the root's name by another. Time, memory and the
 * size of the image stay in proportion to the hive, whatever it says.
 */
#ifndef HIVE_SALVAGE_H
#define HIVE_SALVAGE_H

#include "hive/hive.h"

/*
 * The image, sealed, on CTX. LOST gets a line for whatever was left out or replaced, by path;
 * if there is nothing of the kind, one note that says so. ERROR_SOURCE if there is no root key,
 * ERROR_REFUSED for keys of a differencing hive (format 1.6).
 */
struct image *salvage_image(TALLOC_CTX *ctx, const struct hive *hive, struct problems *lost,
                            struct error *err);

/*
 * FILE, whose base block is lost, as a sealed image with another one, on CTX; *MINOR is the format
 * that it seems to have. NULL if it does not look like a hive either, or with ERR if there is no
 * memory.
 */
struct image *salvage_base(TALLOC_CTX *ctx, struct bytes file, uint32_t *minor, struct error *err);

#endif
