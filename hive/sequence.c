/* Sequence numbers wrap around: which of two is the later one is log_older()'s to say. */
#include "hive/sequence.h"

#include "hive/log.h"

bool sequence_last(struct bytes file, uint32_t *sequence)
{
	TALLOC_CTX *tmp = talloc_new(NULL);
	struct log_entries entries = { 0 };
	struct regf_base base;
	struct error none;
	struct log log;

	if (!tmp || !log_base(file, &base, &none)) {
		talloc_free(tmp);
		return false;
	}
	*sequence = le32_get(base.sequence1);
	if (log_older(*sequence, le32_get(base.sequence2)))
		*sequence = le32_get(base.sequence2);
	if (log_read("log", file, &log, &none) && log_is_new(&log) &&
	    log_entries(tmp, &log, REGF_BINS_MAX, &entries, &none) && entries.count)
		*sequence = entries.list[entries.count - 1].sequence;
	talloc_free(tmp);
	return true;
}

struct image *sequence_set(TALLOC_CTX *ctx, const struct image *image, uint32_t sequence,
                           struct error *err)
{
	struct image *copy = image_copy(ctx, image->bytes, err);
	struct regf_base base;

	if (!copy)
		return NULL;
	memcpy(&base, copy->bytes.data, sizeof(base));
	base.sequence1 = base.sequence2 = le32_put(sequence);
	base.checksum = le32_put(regf_checksum(&base));
	memcpy(image_data(copy), &base, sizeof(base));
	if (!image_seal(copy, err))
		TALLOC_FREE(copy);
	return copy;
}
