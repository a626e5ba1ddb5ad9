/* How far a restore has come is seen by what is on the disk, and nothing else. */
#include "snapshot/journal_check.h"
#include "snapshot/replacing.h"

#include "hive/image.h"

static bool same_bytes(const struct journal_file *file, uint64_t size,
                       const uint8_t digest[DIGEST_SIZE])
{
	return file->present && file->size == size &&
	       memcmp(file->digest, digest, DIGEST_SIZE) == 0;
}

static bool may_be(const struct journal_file *file, uint64_t size)
{
	return file->present && file->size == size;
}

/* Is the name spelled as the journal has it? Another letter case is another file. */
static bool same_name(const char *a, const char *b)
{
	size_t ignored;

	return strcmp(journal_split(a, &ignored), journal_split(b, &ignored)) == 0;
}

static bool look_into(TALLOC_CTX *tmp, const struct replacement *r, const struct journal_step *step,
                      const char *path, struct seen *seen, struct error *err)
{
	struct volume *volume = r->disks[step->disk];
	uint8_t digest[DIGEST_SIZE];
	struct volume_entry entry;
	struct image *image;

	if (!volume_find(tmp, volume, path, &entry, err))
		return false;
	seen->present = entry.kind != VOLUME_ABSENT;
	seen->directory = entry.kind == VOLUME_DIRECTORY;
	if (entry.kind != VOLUME_FILE || !same_name(entry.path, path) ||
	    (!may_be(&step->old, entry.size) && !may_be(&step->new, entry.size)))
		return true;
	image = volume_file(tmp, volume, path, err);
	if (!image)
		return false;
	digest_bytes(image->bytes, digest);
	seen->old = same_bytes(&step->old, image->bytes.size, digest);
	seen->new = same_bytes(&step->new, image->bytes.size, digest);
	return true;
}

bool replacement_look(const struct replacement *r, const struct journal_step *step,
                      const char *path, struct seen *seen, struct error *err)
{
	TALLOC_CTX *tmp = talloc_new(NULL);
	struct seen found = { 0 };
	bool done;

	if (!tmp || !path) {
		talloc_free(tmp);
		return error_memory(err);
	}
	done = look_into(tmp, r, step, path, &found, err);
	talloc_free(tmp);
	if (done)
		*seen = found;
	return done;
}

static bool look_at_step(TALLOC_CTX *tmp, const struct replacement *r,
                         const struct journal_step *step, struct look *look, struct error *err)
{
	if (!replacement_look(r, step, step->path, &look->place, err))
		return false;
	if (step->op == JOURNAL_PUT &&
	    !replacement_look(r, step, replacement_waiting(tmp, step), &look->waiting, err))
		return false;
	return !step->aside ||
	       replacement_look(r, step, replacement_aside(tmp, r, step), &look->aside, err);
}

struct look *replacement_look_all(TALLOC_CTX *ctx, const struct replacement *r, struct error *err)
{
	uint32_t count = r->journal->step_count;
	struct look *looks = talloc_zero_array(ctx, struct look, count);

	if (!looks) {
		error_memory(err);
		return NULL;
	}
	for (uint32_t i = 0; i < count; i++) {
		if (!look_at_step(looks, r, &r->journal->steps[i], &looks[i], err)) {
			talloc_free(looks);
			return NULL;
		}
	}
	return looks;
}

bool replacement_kind(const struct replacement *r, enum journal_disk disk, const char *path,
                      enum volume_kind *kind, struct error *err)
{
	TALLOC_CTX *tmp = talloc_new(NULL);
	struct volume_entry entry;
	bool done;

	if (!tmp || !path) {
		talloc_free(tmp);
		return error_memory(err);
	}
	done = volume_find(tmp, r->disks[disk], path, &entry, err);
	if (done)
		*kind = entry.kind;
	talloc_free(tmp);
	return done;
}

bool replacement_changed(const struct replacement *r, const struct journal_step *step,
                         const char *what, struct error *err)
{
	return error_set(err, ERROR_REFUSED, "%s/%s: %s", volume_path(r->disks[step->disk]),
	                 step->path, what);
}
