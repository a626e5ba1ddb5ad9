/*
 * The steps of a plan. What is there now is read when its step is made, and its size and SHA-256
 * go into the journal: whoever carries it out sees whether it has changed since.
 */
#include <strings.h>

#include "hive/log.h"
#include "hive/sequence.h"
#include "snapshot/restore/restoring.h"

static bool add(struct restore *r, const struct journal_step *step, struct bytes content,
                struct error *err)
{
	struct journal *journal = &r->journal;
	unsigned count = journal->step_count;
	struct journal_step *steps =
		talloc_realloc(r->ctx, journal->steps, struct journal_step, count + 1);
	struct bytes *contents = talloc_realloc(r->ctx, r->contents, struct bytes, count + 1);

	if (steps)
		journal->steps = steps;
	if (contents)
		r->contents = contents;
	if (!steps || !contents)
		return error_memory(err);
	steps[count] = *step;
	contents[count] = content;
	journal->step_count = count + 1;
	return true;
}

static struct journal_file describe(struct bytes bytes)
{
	struct journal_file file = { .present = true, .size = bytes.size };

	digest_bytes(bytes, file.digest);
	return file;
}

bool restore_step_put(struct restore *r, enum journal_disk disk, const char *path, const char *name,
                      const struct image *old, struct bytes content, struct error *err)
{
	struct journal_step step = { .op = JOURNAL_PUT,
		                     .disk = disk,
		                     .path = talloc_strdup(r->ctx, path),
		                     .new = describe(content) };

	if (old) {
		step.old = describe(old->bytes);
		step.aside = talloc_strdup(r->ctx, name);
	}
	return step.path && (step.aside || !old) ? add(r, &step, content, err) : error_memory(err);
}

bool restore_step_aside(struct restore *r, enum journal_disk disk, const char *path,
                        const char *name, const struct image *old, struct error *err)
{
	struct journal_step step = { .op = JOURNAL_ASIDE,
		                     .disk = disk,
		                     .path = talloc_strdup(r->ctx, path),
		                     .aside = talloc_strdup(r->ctx, name),
		                     .old = describe(old->bytes) };

	return step.path && step.aside ? add(r, &step, (struct bytes){ 0 }, err)
	                               : error_memory(err);
}

bool restore_step_mkdir(struct restore *r, enum journal_disk disk, const char *path,
                        struct error *err)
{
	struct journal_step step = { .op = JOURNAL_MKDIR,
		                     .disk = disk,
		                     .path = talloc_strdup(r->ctx, path) };

	return step.path ? add(r, &step, (struct bytes){ 0 }, err) : error_memory(err);
}

/* --- a hive and what belongs to it --- */

static bool ends_in(const char *name, const char *suffix)
{
	size_t length = strlen(name), size = strlen(suffix);

	return length >= size && strcasecmp(name + length - size, suffix) == 0;
}

/* NAME.LOG, .LOG1 and .LOG2; NAME.blf, NAME{...}.TM.blf, NAME.1.container and the like. */
static bool belongs_to(const char *file, const char *hive)
{
	size_t size = strlen(hive);
	const char *rest = file + size;

	if (strncasecmp(file, hive, size) != 0 || (*rest != '.' && *rest != '{'))
		return false;
	return strcasecmp(rest, ".LOG") == 0 || strcasecmp(rest, ".LOG1") == 0 ||
	       strcasecmp(rest, ".LOG2") == 0 || ends_in(rest, ".blf") ||
	       ends_in(rest, ".container") || ends_in(rest, ".regtrans-ms");
}

static void later(uint32_t *last, bool *known, struct bytes file)
{
	uint32_t found;

	if (!sequence_last(file, &found))
		return;
	if (!*known || log_older(*last, found))
		*last = found;
	*known = true;
}

struct company {
	char **paths;
	struct image **images;
	uint32_t count;
};

/* What lies beside the hive NAME in FOLDER and belongs to it, by name. */
static bool read_company(struct restore *r, const char *folder, const char *name,
                         struct company *company, struct error *err)
{
	struct volume *volume = r->target.system->volume;
	uint32_t count;
	char **names;

	if (!volume_list(r->ctx, volume, folder, &names, &count, err))
		return false;
	*company =
		(struct company){ .paths = talloc_zero_array(r->ctx, char *, count + 1),
		                  .images = talloc_zero_array(r->ctx, struct image *, count + 1) };
	if (!company->paths || !company->images)
		return error_memory(err);
	for (uint32_t i = 0; i < count; i++) {
		char *path;

		if (!belongs_to(names[i], name))
			continue;
		path = talloc_asprintf(r->ctx, "%s/%s", folder, names[i]);
		if (!path)
			return error_memory(err);
		company->images[company->count] = volume_file(r->ctx, volume, path, err);
		if (!company->images[company->count])
			return false;
		company->paths[company->count++] = path;
	}
	return true;
}

static bool is_clean(const struct image *hive)
{
	struct regf_base base;
	struct error ignored;

	return log_base(hive->bytes, &base, &ignored) &&
	       le32_get(base.sequence1) == le32_get(base.sequence2);
}

/* Is the file A later than B? What has no sequence number is of no log that would be applied. */
static bool is_later(const struct image *a, const struct image *b)
{
	uint32_t one, other;

	if (!sequence_last(a->bytes, &one))
		return false;
	return !sequence_last(b->bytes, &other) || log_older(other, one);
}

/*
 * The latest log first: where they are set aside before the hive is replaced, those that are left
 * beside a dirty one never lack an entry before the first that Windows would apply.
 */
static void latest_first(struct company *company)
{
	for (uint32_t i = 1; i < company->count; i++) {
		for (uint32_t j = i; j > 0 && is_later(company->images[j], company->images[j - 1]);
		     j--) {
			struct image *image = company->images[j];
			char *path = company->paths[j];

			company->images[j] = company->images[j - 1];
			company->paths[j] = company->paths[j - 1];
			company->images[j - 1] = image;
			company->paths[j - 1] = path;
		}
	}
}

bool restore_step_hive(struct restore *r, const char *path, const char *folder, const char *name,
                       const struct image *image, struct error *err)
{
	struct volume *volume = r->target.system->volume;
	uint32_t last = le32_get(((const struct regf_base *)image->bytes.data)->sequence2);
	const struct image *old = NULL, *numbered;
	struct company company;
	bool known = false;

	if (path && !(old = volume_file(r->ctx, volume, path, err)))
		return false;
	if (!path && !(path = talloc_asprintf(r->ctx, "%s/%s", folder, name)))
		return error_memory(err);
	if (!read_company(r, folder, name, &company, err))
		return false;
	if (old && !is_clean(old))
		latest_first(&company);
	if (old)
		later(&last, &known, old->bytes);
	for (uint32_t i = 0; i < company.count; i++)
		later(&last, &known, company.images[i]->bytes);
	numbered = sequence_set(r->ctx, image, known ? last + 1 : last, err);
	if (!numbered || !restore_step_put(r, JOURNAL_SYSTEM, path, strrchr(path, '/') + 1, old,
	                                   numbered->bytes, err))
		return false;
	for (uint32_t i = 0; i < company.count; i++) {
		if (!restore_step_aside(r, JOURNAL_SYSTEM, company.paths[i],
		                        strrchr(company.paths[i], '/') + 1, company.images[i], err))
			return false;
	}
	return true;
}
