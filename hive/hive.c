/*
 * Opening a hive: logs replayed, the result validated, then given to hivex.
 *
 * hivex is not safe on malformed images, so it never sees one that the validator complains
 * of. An image that is sound but that hivex refuses (a checksum of 0xffffffff, say) is open
 * all the same: then our own reader walks it.
 */
#include "hive/hive.h"

#include "hive/open.h"

static struct hive *hive_new(TALLOC_CTX *ctx, const char *name, struct error *err)
{
	struct hive *hive = talloc_zero(ctx, struct hive);

	if (hive)
		hive->name = talloc_strdup(hive, name);
	if (!hive || !hive->name) {
		talloc_free(hive);
		error_memory(err);
		return NULL;
	}
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
		          "there is)",
		          (unsigned long long)problem->offset, problem->text);
		return;
	}
	error_set(err, ERROR_SOURCE, "the hive is damaged");
}

static bool validate(struct hive *hive, const struct hive_options *options, struct error *err)
{
	if (!check_image(hive, hive->image->bytes, &hive->check, err))
		return false;
	if (hive->check.problems->worst == PROBLEM_NOTE)
		return true;
	if (!options->damaged_too) {
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

	if (!base || memcmp(base->signature, "regf", 4) != 0)
		return error_set(err, ERROR_SOURCE, "is not a registry hive");
	if (!validate(hive, options, err))
		return false;
	size = le32_get(base->bins_size);
	if (size > bytes.size - REGF_BASE_SIZE)
		size = bytes.size - REGF_BASE_SIZE;
	hive->bins = (struct bytes){ bytes.data + REGF_BASE_SIZE, size };
	hive->minor = le32_get(base->minor);
	if (!hive->damaged)
		hive->hivex = hivex_handle_open(hive, hive->image);
	return true;
}

struct hive *hive_open(TALLOC_CTX *ctx, const struct source *source,
                       const struct hive_options *options, struct error *err)
{
	static const struct hive_options none;
	struct hive *hive = hive_new(ctx, source->name, err);

	if (!hive)
		return NULL;
	if (!options)
		options = &none;
	hive->image = recover(hive, source, &options->recover, &hive->recovery, err);
	if (!hive->image || !enter(hive, options, err)) {
		error_wrap(err, "%s", source->name);
		talloc_free(hive);
		return NULL;
	}
	return hive;
}

struct hive *hive_open_image(TALLOC_CTX *ctx, const struct image *image, const char *name,
                             struct error *err)
{
	static const struct hive_options none;
	struct hive *hive = hive_new(ctx, name, err);

	if (!hive)
		return NULL;
	hive->image = image;
	if (!enter(hive, &none, err)) {
		error_wrap(err, "%s", name);
		talloc_free(hive);
		return NULL;
	}
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

bool hive_in_hivex(const struct hive *hive)
{
	return hive->hivex != NULL;
}
