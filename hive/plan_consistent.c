/*
 * Which states on the way are consistent; hive/recover.h has the definition. A page counts as
 * old until the entry that brings it for the first time, unless the hive already holds it as
 * that entry or a later one has it.
 */
#include "hive/plan.h"

/* FIRST: for each page of the bins, the step that brings it first, 0 while there is none. */
static void compare_pages(struct plan *plan, struct bytes hive, uint32_t *first, uint32_t step,
                          const struct regf_log_page *page, const uint8_t *data)
{
	uint32_t start = le32_get(page->offset), size = le32_get(page->size);

	for (uint32_t done = 0; done < size; done += REGF_PAGE) {
		uint32_t *seen = &first[(start + done) / REGF_PAGE];
		const void *there =
			bytes_at(hive, REGF_BASE_SIZE + (uint64_t)start + done, REGF_PAGE);

		if (!*seen)
			*seen = step;
		if (*seen > plan->consistent_from && there &&
		    memcmp(there, data + done, REGF_PAGE) == 0)
			plan->consistent_from = *seen;
	}
}

bool plan_consistent(struct plan *plan, const struct source *source, struct error *err)
{
	bool sure = !plan->gap && !plan->base_lost && !plan_log_missing(source) && plan->count &&
	            log_is_new(plan->steps[0].log);
	uint32_t *first;

	plan->consistent_from = plan->gap ? plan->count + 1 : plan->count;
	if (!sure)
		return true;
	plan->consistent_from = 0;
	first = talloc_zero_array(plan, uint32_t, (unsigned)(plan->room / REGF_PAGE) + 1);
	if (!first)
		return error_memory(err);
	for (uint32_t i = 0; i < plan->count; i++) {
		const struct log_entry *entry = &plan->steps[i].entry;
		const uint8_t *data = entry->data.data;

		for (uint32_t j = 0; j < entry->page_count; j++) {
			uint32_t offset = le32_get(entry->pages[j].offset);
			uint32_t size = le32_get(entry->pages[j].size);

			if (offset % REGF_PAGE || size % REGF_PAGE)
				plan->consistent_from = i + 1;
			else
				compare_pages(plan, source->hive->bytes, first, i + 1,
				              &entry->pages[j], data);
			data += size;
		}
	}
	talloc_free(first);
	return true;
}
