/*
 * Opening a hive: logs replayed, the result validated, then given to hivex.
 *
 * hivex is not safe on malformed images, so it never sees one that the validator complains
 * of: that is refused or, if the caller asks for it, salvaged. An image that is sound but that
 * hivex refuses (a checksum of 0xffffffff, say) is open all the same: then our own reader walks it.
 */
#include "hive/hive.h"

#include "hive/open.h"
#include "hive/salvage.h"

static struct hive *hive_new(TALLOC_CTX *ctx, const char *name, struct error *err)
{
	struct hive *hive = talloc_zero(ctx, struct hive);

	if (hive) {
		hive->name = talloc_strdup(hive, name);
		hive->last = talloc_zero(hive, struct last_list);
	}
	if (!hive || !hive->name || !hive->last) {
		talloc_free(hive);
		error_memory(err);
		return NULL;
	}
	hive->last->key = REGF_NIL;
	return hive;
}

/* The first of the worst problems, in words. */
static void say_damaged(const struct check *check, struct error *err)
{
	const struct problems *problems = check->problems;

	for (uint32_t i = 0; i < problems->count; i++) {
		const struct problem *problem = &problems->list[i];

		if (problem->weight != problems->worst)
			continue;
		error_set(err, ERROR_SOURCE,
		          "the hive is damaged at offset 0x%llx: %s (`clusnap check` names all "
		          "there is): ERROR_REGISTRY_CORRUPT (1015)",
		          (unsigned long long)problem->offset, problem->text);
		return;
	}
	error_set(err, ERROR_SOURCE, "the hive is damaged: ERROR_REGISTRY_CORRUPT (1015)");
}

/* Dirty, read as it is because the caller said so, and nothing wrong but the header's checksum. */
static bool only_unsealed(const struct hive *hive)
{
	const struct problems *problems = hive->check.problems;

	if (hive->recovery.condition != RECOVER_IGNORED)
		return false;
	for (uint32_t i = 0; i < problems->count; i++) {
		if (problems->list[i].weight >= PROBLEM_HEALS &&
		    strcmp(problems->list[i].code, "base-checksum") != 0)
			return false;
	}
	return true;
}

static bool validate(struct hive *hive, const struct hive_options *options, struct error *err)
{
	if (!check_read(hive, hive->image, &hive->check, err))
		return false;
	if (hive->check.problems->worst < PROBLEM_HEALS || only_unsealed(hive))
		return true;
	if (!options->left_out) {
		say_damaged(&hive->check, err);
		return false;
	}
	hive->damaged = true;
	return true;
}

/* Takes the image into use: its bins, its format, and hivex if it may see it. */
static bool enter(struct hive *hive, const struct hive_options *options, struct error *err)
{
	struct bytes bytes = hive->image->bytes;
	const struct regf_base *base = bytes_at(bytes, 0, sizeof(*base));
	uint64_t size;

	if (!base)
		return error_set(err, ERROR_SOURCE,
		                 "it is no hive: the file has only %llu bytes: "
		                 "ERROR_NOT_REGISTRY_FILE (1017)",
		                 (unsigned long long)bytes.size);
	if (memcmp(base->signature, "regf", 4) != 0)
		return error_set(err, ERROR_SOURCE,
		                 "it is no hive: there is no regf signature: "
		                 "ERROR_NOT_REGISTRY_FILE (1017)");
	if (!validate(hive, options, err))
		return false;
	size = le32_get(base->bins_size);
	if (size > bytes.size - REGF_BASE_SIZE)
		size = bytes.size - REGF_BASE_SIZE;
	hive->bins = (struct bytes){ bytes.data + REGF_BASE_SIZE, size };
	hive->minor = le32_get(base->minor);
	if (hive->damaged)
		return true;
	hive->hivex = hivex_handle_new(hive, hive->image);
	return hive->hivex ? true : error_memory(err);
}

/* Notes what salvage left out of this hive. */
static void add_left_out(struct problems *to, const char *name, const struct problems *lost)
{
	to->same = UINT32_MAX; /* every one by its path; what is too much was counted before */
	for (uint32_t i = 0; i < lost->count; i++)
		problems_add(to, PROBLEM_HEALS, lost->list[i].offset, "left-out", "%s: %s", name,
		             lost->list[i].text);
	if (lost->count && lost->list[lost->count - 1].more)
		problems_add(to, PROBLEM_HEALS, PROBLEM_NOWHERE, "left-out",
		             "%s: and %u more, too many to be listed", name,
		             lost->list[lost->count - 1].more);
	to->lost = to->lost || lost->lost;
}

/* Puts a new image of all that is sound into the place of the damaged one. */
static bool salvage(struct hive *hive, const struct hive_options *options, struct error *err)
{
	struct problems *lost = problems_new(hive);
	struct hive_options strict = { .recover = options->recover };

	if (!lost)
		return error_memory(err);
	hive->image = salvage_image(hive, hive, lost, err);
	if (!hive->image)
		return false;
	add_left_out(options->left_out, hive->name, lost);
	hive->damaged = false;
	hive->salvaged = true;
	if (enter(hive, &strict, err))
		return true;
	return error_wrap(err,
	                  "it cannot be salvaged: what was made of its sound parts is refused");
}

static const struct hive_options no_options;

/* Salvage of a file without a base block. ERR says so, and stays if it is no hive either. */
static struct image *without_base(struct hive *hive, const struct source *source,
                                  struct problems *left_out, struct error *err)
{
	struct error why = *err;
	struct image *image;
	uint32_t minor;

	if (!image_wait(source->hive, UINT64_MAX, err))
		return NULL;
	image = salvage_base(hive, source->hive->bytes, &minor, err);
	if (!image)
		return NULL;
	hive->recovery = recover_unused(source);
	problems_add(left_out, PROBLEM_HEALS, 0, "left-out",
	             "%s: its base block, and what its logs held; by its bins and lists it is a "
	             "hive of format 1.%u: %s",
	             hive->name, minor, why.text);
	hive->salvaged = true;
	return image;
}

/* Salvage of a dirty hive whose logs are of no use: ERR says why, and that is what is lost. */
static struct image *without_logs(struct hive *hive, const struct source *source,
                                  struct problems *left_out, struct error *err)
{
	static const struct recover_options as_it_is = { .ignore_logs = true };
	struct error why = *err, again = { 0 };
	struct image *image = recover(hive, source, &as_it_is, &hive->recovery, &again);

	if (!image && again.kind != ERROR_INTERNAL)
		return without_base(hive, source, left_out, err);
	if (!image) {
		*err = again;
		return NULL;
	}
	problems_add(left_out, PROBLEM_HEALS, 0, "left-out", "%s: what its logs held: %s",
	             hive->name, why.text);
	hive->salvaged = true;
	return image;
}

struct hive *hive_begin(TALLOC_CTX *ctx, const struct source *source,
                        const struct hive_options *options, struct error *err)
{
	struct hive *hive = hive_new(ctx, source->name, err);
	struct recover_options how;

	if (!hive)
		return NULL;
	if (!options)
		options = &no_options;
	how = options->recover;
	how.in_place = true;
	hive->image = recover(hive, source, &how, &hive->recovery, err);
	if (!hive->image && options->left_out &&
	    (err->kind == ERROR_BAD_NEWS || err->kind == ERROR_SOURCE))
		hive->image = without_logs(hive, source, options->left_out, err);
	if (!hive->image) {
		error_wrap(err, "%s", source->name);
		talloc_free(hive);
		return NULL;
	}
	if (hive->image != source->hive)
		image_rest(source->hive);
	return hive;
}

bool hive_finish(struct hive *hive, const struct hive_options *options, struct error *err)
{
	if (!options)
		options = &no_options;
	if (enter(hive, options, err) && (!hive->damaged || salvage(hive, options, err)))
		return true;
	return error_wrap(err, "%s", hive->name);
}

struct hive *hive_open(TALLOC_CTX *ctx, const struct source *source,
                       const struct hive_options *options, struct error *err)
{
	struct hive *hive = hive_begin(ctx, source, options, err);

	if (hive && !hive_finish(hive, options, err))
		TALLOC_FREE(hive);
	return hive;
}

struct hive *hive_open_image(TALLOC_CTX *ctx, const struct image *image, const char *name,
                             struct error *err)
{
	struct hive *hive = hive_new(ctx, name, err);

	if (!hive)
		return NULL;
	hive->image = image;
	if (!hive_finish(hive, NULL, err))
		TALLOC_FREE(hive);
	return hive;
}

const char *hive_name(const struct hive *hive)
{
	return hive->name;
}

const struct recovery *hive_recovery(const struct hive *hive)
{
	return &hive->recovery;
}

const struct check *hive_check(const struct hive *hive)
{
	return &hive->check;
}

const struct regf_base *hive_base(const struct hive *hive)
{
	return (const struct regf_base *)hive->image->bytes.data;
}

const struct image *hive_image(const struct hive *hive)
{
	return hive->image;
}

bool hive_salvaged(const struct hive *hive)
{
	return hive->salvaged;
}

bool hive_in_hivex(const struct hive *hive)
{
	return hive->hivex && hivex_handle_wake(hive->hivex);
}

void hive_rest(const struct hive *hive)
{
	if (hive->hivex)
		hivex_handle_rest(hive->hivex);
}
