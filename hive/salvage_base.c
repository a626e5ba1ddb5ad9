/*
 * Salvage: a hive that has lost its base block, and no log has another. What the block says is
 * the same in all hives but for the size of the bins, which can be seen, and the format. The odd
 * decision: the format is that of the root's list of subkeys, as Windows makes lf and li lists up
 * to 1.3 and lh lists from 1.5 on; without any it is 1.5.
 */
#include "hive/name.h"
#include "hive/pages.h"
#include "hive/salvage_internal.h"

#define ROOT (uint32_t)sizeof(struct regf_bin) /* the first cell of all, in every hive */

/* Where the last bin ends; there may be bad pages between bins. */
static uint64_t bins_end(struct bytes bins)
{
	uint64_t end = 0;
	uint32_t size;

	for (uint64_t at = 0; at < bins.size; at += size ? size : REGF_PAGE) {
		size = regf_bin_size(bins, at);
		end = size ? at + size : end;
	}
	return end;
}

static const struct regf_key *root_of(const struct hive *hive)
{
	const struct regf_key *nk = (const void *)open_cell_quietly(hive, ROOT, sizeof(*nk)).data;

	return nk && memcmp(nk->signature, "nk", 2) == 0 ? nk : NULL;
}

/* Has a key of this bin a layer? Only those of differencing hives (format 1.6) have. */
static bool bin_is_layered(const struct hive *hive, uint64_t at, uint32_t size)
{
	uint64_t cell = at + sizeof(struct regf_bin);

	while (cell < at + size) {
		const struct regf_key *nk =
			(const void *)open_cell_quietly(hive, (uint32_t)cell, sizeof(*nk)).data;
		uint32_t whole = regf_cell_size(le32_get(*(const le32 *)(hive->bins.data + cell)));

		if (nk && memcmp(nk->signature, "nk", 2) == 0 && nk->layer)
			return true;
		if (whole == 0 || whole % 8)
			break;
		cell += whole;
	}
	return false;
}

static bool is_layered(const struct hive *hive)
{
	uint32_t size;

	for (uint64_t at = 0; at < hive->bins.size; at += size ? size : REGF_PAGE) {
		size = regf_bin_size(hive->bins, at);
		if (size && bin_is_layered(hive, at, size))
			return true;
	}
	return false;
}

static uint32_t minor_of(const struct hive *hive, const struct regf_key *root)
{
	uint32_t cell = le32_get(root->subkey_list);
	struct bytes at = open_cell_quietly(hive, cell, 8);
	le32 first;

	if (at.data && memcmp(at.data, "ri", 2) == 0) {
		memcpy(&first, at.data + sizeof(struct regf_list), sizeof(first));
		at = open_cell_quietly(hive, le32_get(first), 4);
	}
	if (at.data && (memcmp(at.data, "lf", 2) == 0 || memcmp(at.data, "li", 2) == 0))
		return 3;
	return is_layered(hive) ? 6 : 5;
}

struct image *salvage_base(TALLOC_CTX *ctx, struct bytes file, uint32_t *minor, struct error *err)
{
	struct hive hive = { .minor = 5 };
	const struct regf_key *root;
	struct regf_base base = { .signature = "regf" };
	struct image *image;

	if (file.size < REGF_BASE_SIZE)
		return NULL;
	hive.bins = (struct bytes){ file.data + REGF_BASE_SIZE, file.size - REGF_BASE_SIZE };
	if (hive.bins.size > REGF_BINS_MAX)
		hive.bins.size = REGF_BINS_MAX;
	root = regf_bin_size(hive.bins, 0) ? root_of(&hive) : NULL;
	if (!root)
		return NULL;
	*minor = minor_of(&hive, root);
	base.time = ((const struct regf_bin *)hive.bins.data)->time;
	base.major = base.format = base.cluster = le32_put(1);
	base.minor = le32_put(*minor);
	base.flags = le32_put(*minor == 6 ? REGF_FLAG_LAYERED : 0);
	base.root = le32_put(ROOT);
	pages_seal(&base, 1, (uint32_t)bins_end(hive.bins));
	image = image_copy(ctx, file, err);
	if (image) {
		memcpy(image_data(image), &base, sizeof(base));
		if (!image_seal(image, err))
			TALLOC_FREE(image);
	}
	return image;
}
