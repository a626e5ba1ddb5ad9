/*
 * Either the steps one after the other, each with all its pages, or all steps for one piece of
 * the hive after the other, while it is read: both give the same bytes.
 */
#include "hive/pages.h"

#define PATCHES_MAX 65536u /* pages: all of them are looked at for each 2 MiB of the hive */

void pages_seal(struct regf_base *base, uint32_t sequence, uint32_t bins_size)
{
	base->sequence1 = le32_put(sequence);
	base->sequence2 = le32_put(sequence);
	base->type = le32_put(REGF_TYPE_HIVE);
	base->bins_size = le32_put(bins_size);
	base->checksum = le32_put(regf_checksum(base));
}

static void set_flags(struct regf_base *base, uint32_t flags)
{
	uint32_t kept = le32_get(base->flags) & ~(uint32_t)REGF_FLAG_TRANSACTIONS;

	base->flags = le32_put(kept | (flags & REGF_FLAG_TRANSACTIONS));
}

static void step_base(struct regf_base *base, const struct plan_step *step)
{
	if (log_is_new(step->log))
		set_flags(base, step->entry.flags);
	pages_seal(base, step->entry.sequence, step->entry.bins_size);
}

/* How long the file must be for an entry. */
static uint64_t needed(const struct log_entry *entry)
{
	uint64_t size = REGF_BASE_SIZE + (uint64_t)entry->bins_size;

	for (uint32_t i = 0; i < entry->page_count; i++) {
		uint64_t end = REGF_BASE_SIZE + (uint64_t)le32_get(entry->pages[i].offset) +
		               le32_get(entry->pages[i].size);

		size = end > size ? end : size;
	}
	return size;
}

/* Puts what lies between BEGIN and END of an entry's pages into the image. */
static void put_pages(uint8_t *image, const struct log_entry *entry, uint64_t begin, uint64_t end)
{
	const uint8_t *data = entry->data.data;

	for (uint32_t i = 0; i < entry->page_count; i++) {
		uint64_t at = REGF_BASE_SIZE + (uint64_t)le32_get(entry->pages[i].offset);
		uint64_t size = le32_get(entry->pages[i].size);
		uint64_t from = at > begin ? at : begin, to = at + size < end ? at + size : end;

		if (from < to)
			memcpy(image + from, data + (from - at), to - from);
		data += size;
	}
}

/* Log entries were checked to stay within plan->room. */
bool pages_apply(struct image *image, const struct plan_step *step, struct error *err)
{
	uint64_t size = needed(&step->entry);

	if (size > image->bytes.size && !image_resize(image, size, err))
		return false;
	put_pages(image_data(image), &step->entry, 0, size);
	step_base(pages_base(image), step);
	return true;
}

bool pages_fit(const struct plan *plan, const struct image *hive)
{
	uint64_t pages = 0;

	for (uint32_t i = 0; i < plan->count; i++) {
		pages += plan->steps[i].entry.page_count;
		if (needed(&plan->steps[i].entry) > hive->bytes.size || pages > PATCHES_MAX)
			return false;
	}
	return true;
}

void pages_patch(void *data, uint8_t *image, uint64_t begin, uint64_t end)
{
	const struct plan *plan = data;
	struct regf_base *base = (struct regf_base *)image;

	for (uint32_t i = 0; i < plan->count; i++)
		put_pages(image, &plan->steps[i].entry, begin, end);
	if (begin > 0 || end < REGF_SECTOR)
		return;
	if (plan->base_lost)
		memcpy(base, &plan->base, REGF_SECTOR);
	for (uint32_t i = 0; i < plan->count; i++)
		step_base(base, &plan->steps[i]);
}
