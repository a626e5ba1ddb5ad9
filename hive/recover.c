/*
 * Recovery: is the hive dirty, which entries make it whole (hive/plan.h), and writing their
 * pages into a copy or the hive itself. The odd decision: the base block is made clean after every
 * entry, not only after the last, so that any state on the way is a hive like any other.
 */
#include "hive/recover.h"

#include "hive/pages.h"
#include "hive/plan.h"

#define BEGINNING (REGF_BASE_SIZE + REGF_PAGE) /* what is looked at before pages are written */

struct walk {
	struct image *image;
	recover_state_fn *each; /* may be NULL */
	void *data;
};

/* The state before the first entry, where it is a whole hive. */
static bool show_first(const struct walk *walk, const struct plan *plan, struct error *err)
{
	uint32_t bins_size = le32_get(plan->base.bins_size);
	uint32_t sequence = le32_get(plan->base.sequence2);
	struct recover_state state = { .sequence = sequence,
		                       .image = walk->image,
		                       .consistent = plan->consistent_from == 0 };

	if (!walk->each || plan->base_lost)
		return true;
	if (REGF_BASE_SIZE + (uint64_t)bins_size > walk->image->bytes.size)
		return true;
	pages_seal(pages_base(walk->image), sequence, bins_size);
	return walk->each(walk->data, &state, err);
}

static bool show_step(const struct walk *walk, const struct plan *plan, uint32_t step,
                      struct error *err)
{
	const struct log_entry *entry = &plan->steps[step].entry;
	struct recover_state state = { .sequence = entry->sequence,
		                       .log = plan->steps[step].log->name,
		                       .image = walk->image,
		                       .pages = entry->pages,
		                       .page_count = entry->page_count,
		                       .consistent = step + 1 >= plan->consistent_from };

	return !walk->each || walk->each(walk->data, &state, err);
}

static bool apply_all(const struct walk *walk, const struct plan *plan, struct error *err)
{
	if (plan->base_lost) {
		if (walk->image->bytes.size < REGF_BASE_SIZE &&
		    !image_resize(walk->image, REGF_BASE_SIZE, err))
			return false;
		memcpy(image_data(walk->image), &plan->base, REGF_SECTOR);
	}
	if (!show_first(walk, plan, err))
		return false;
	for (uint32_t i = 0; i < plan->count; i++) {
		if (!pages_apply(walk->image, &plan->steps[i], err) ||
		    !show_step(walk, plan, i, err))
			return false;
	}
	return image_seal(walk->image, err);
}

/* A file that is no hive, TEXT says what its logs are worth. */
static bool no_hive(const struct plan *plan, struct bytes file, const struct error *why,
                    const char *text, struct error *err)
{
	const uint8_t *bin = bytes_at(file, REGF_BASE_SIZE, 4);
	bool bins = bin && memcmp(bin, "hbin", 4) == 0;

	return error_set(err, ERROR_SOURCE,
	                 "it is no hive: %s%s%s%s: ERROR_NOT_REGISTRY_FILE (1017)", why->text,
	                 plan->message_count ? ", and no log can be used: " : "",
	                 plan->message_count ? text : "",
	                 bins ? " (`clusnap save --salvage` goes by its bins)" : "");
}

/* Why no log was of any use, all in one line. */
static bool stays_dirty(TALLOC_CTX *tmp, const struct plan *plan, struct bytes file,
                        const struct error *why, bool hive, struct error *err)
{
	char *text = talloc_strdup(tmp, plan->message_count ? "" : "there is none");

	for (uint32_t i = 0; text && i < plan->message_count; i++)
		text = talloc_asprintf_append(text, "%s%s", i ? "; " : "", plan->messages[i]);
	if (!text)
		return error_memory(err);
	if (!hive)
		return no_hive(plan, file, why, text, err);
	return error_set(err, ERROR_BAD_NEWS,
	                 "it is dirty (%s) and no log can be used: %s "
	                 "(--ignore-logs reads it as it is)",
	                 why->text, text);
}

/* What recover_each() was asked for. */
struct request {
	const struct source *source;
	const struct recover_options *options;
	recover_state_fn *each;
	void *data;
};

/* Nobody knows what is in a log that cannot be read, or whether it comes first. */
static bool all_readable(const struct source *source, struct error *err)
{
	for (unsigned i = 0; i < SOURCE_LOGS; i++) {
		if (source->logs[i].unreadable)
			return error_set(err, ERROR_SOURCE,
			                 "it is dirty, and a log cannot be read: %s (--ignore-logs "
			                 "reads it as it is, --log names those to use)",
			                 source->logs[i].unreadable);
	}
	return true;
}

/* The hive in its own image or in a copy. The plan may have to last as long as that. */
static struct image *replay(TALLOC_CTX *ctx, const struct request *request, struct plan *plan,
                            struct error *err)
{
	struct walk walk = { .each = request->each, .data = request->data };
	struct image *hive = request->source->hive;
	bool in_place = request->options->in_place && !request->each;

	if (in_place && pages_fit(plan, hive) && image_patch(hive, pages_patch, plan)) {
		talloc_steal(hive, plan);
		return hive;
	}
	if (!image_wait(hive, UINT64_MAX, err))
		return NULL;
	if (request->each && !plan_consistent(plan, request->source, err))
		return NULL;
	walk.image = in_place && image_unseal(hive) ? hive : image_copy(ctx, hive->bytes, err);
	return walk.image && apply_all(&walk, plan, err) ? walk.image : NULL;
}

/* A dirty hive. WHY says what makes it so; BASE is NULL if it is the base block. */
static struct image *recover_dirty(TALLOC_CTX *ctx, const struct request *request,
                                   const struct regf_base *base, const struct error *why,
                                   struct recovery *recovery, struct error *err)
{
	struct bytes file = request->source->hive->bytes;
	bool hive = bytes_at(file, 0, REGF_SECTOR) && memcmp(file.data, "regf", 4) == 0;
	struct plan *plan;

	if (request->options->ignore_logs && hive) {
		recovery->condition = RECOVER_IGNORED;
		return request->source->hive;
	}
	if (!all_readable(request->source, err))
		return NULL;
	plan = plan_make(ctx, request->source, base, request->options->relaxed, err);
	if (!plan)
		return NULL;
	if (!plan->count) {
		stays_dirty(plan, plan, file, why, hive, err);
		return NULL;
	}
	recovery->condition = RECOVER_REPLAYED;
	recovery->entries = plan->count;
	recovery->first = plan->steps[0].entry.sequence;
	recovery->last = plan->steps[plan->count - 1].entry.sequence;
	recovery->messages = talloc_steal(ctx, plan->messages);
	recovery->message_count = plan->message_count;
	recovery->gap = plan->gap;
	recovery->base_lost = plan->base_lost;
	return replay(ctx, request, plan, err);
}

struct image *recover_as_clean(TALLOC_CTX *ctx, const struct image *image, struct error *err)
{
	const struct regf_base *base = bytes_at(image->bytes, 0, REGF_SECTOR);
	struct image *copy;
	uint32_t one, two;

	if (!base) {
		error_set(err, ERROR_SOURCE, "it is too short for a hive");
		return NULL;
	}
	one = le32_get(base->sequence1);
	two = le32_get(base->sequence2);
	copy = image_copy(ctx, image->bytes, err);
	if (!copy)
		return NULL;
	pages_seal(pages_base(copy), log_older(one, two) ? two : one, le32_get(base->bins_size));
	if (!image_seal(copy, err))
		TALLOC_FREE(copy);
	return copy;
}

static bool transactions_pending(const struct source *source, struct bytes image)
{
	struct regf_base base;
	struct error ignored;

	return source->transactions || (log_base(image, &base, &ignored) &&
	                                (le32_get(base.flags) & REGF_FLAG_TRANSACTIONS) != 0);
}

struct recovery recover_unused(const struct source *source)
{
	return (struct recovery){ .condition = RECOVER_IGNORED,
		                  .log_missing = plan_log_missing(source),
		                  .unlisted = source->unlisted,
		                  .transactions =
		                          transactions_pending(source, source->hive->bytes) };
}

static bool show_clean(const struct request *request, const struct regf_base *base,
                       struct error *err)
{
	struct recover_state state = { .sequence = le32_get(base->sequence2),
		                       .image = request->source->hive,
		                       .consistent = true };

	return !request->each || (image_wait(state.image, UINT64_MAX, err) &&
	                          request->each(request->data, &state, err));
}

struct image *recover_each(TALLOC_CTX *ctx, const struct source *source,
                           const struct recover_options *options, recover_state_fn *each,
                           void *data, struct recovery *recovery, struct error *err)
{
	static const struct recover_options none;
	struct request request = { source, options ? options : &none, each, data };
	struct recovery found = { .log_missing = plan_log_missing(source),
		                  .unlisted = source->unlisted };
	TALLOC_CTX *tmp = talloc_new(ctx);
	struct image *image = NULL;
	struct regf_base base;
	struct error why;
	bool whole;

	if (!tmp) {
		error_memory(err);
		return NULL;
	}
	if (!image_wait(source->hive, BEGINNING, err)) {
		talloc_free(tmp);
		return NULL;
	}
	whole = log_base(source->hive->bytes, &base, &why);
	if (whole && le32_get(base.sequence1) != le32_get(base.sequence2)) {
		error_set(&why, ERROR_BAD_NEWS, "the header has sequence numbers %u and %u",
		          le32_get(base.sequence1), le32_get(base.sequence2));
		image = recover_dirty(tmp, &request, &base, &why, &found, err);
	} else if (!whole) {
		image = recover_dirty(tmp, &request, NULL, &why, &found, err);
	} else if (show_clean(&request, &base, err)) {
		image = source->hive;
	}
	if (image) {
		found.transactions = transactions_pending(source, image->bytes);
		found.messages = talloc_steal(ctx, found.messages);
		*recovery = found;
		if (image != source->hive)
			talloc_steal(ctx, image);
	}
	talloc_free(tmp);
	return image;
}

struct image *recover(TALLOC_CTX *ctx, const struct source *source,
                      const struct recover_options *options, struct recovery *recovery,
                      struct error *err)
{
	return recover_each(ctx, source, options, NULL, NULL, recovery, err);
}
