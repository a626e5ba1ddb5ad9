/* How far a restore has come is seen by what is on the disk, and nothing else. */
#include <fcntl.h>
#include <sys/stat.h>

#include "hive/image.h"
#include "snapshot/journal_check.h"
#include "snapshot/replacing.h"

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

/* To be told from others of the same bytes. */
bool replacement_identify(const struct replacement *r, const struct journal_step *step,
                          const char *path, struct seen *seen, struct error *err)
{
	struct site *site = replacement_site(NULL, r, step->disk, path, err);
	struct stat st;
	bool done;

	if (!site)
		return false;
	done = fstatat(site->fd, site->name, &st, AT_SYMLINK_NOFOLLOW) == 0 ||
	       error_errno(err, ERROR_SOURCE, "%s: cannot look at it", site->shown);
	talloc_free(site);
	if (!done)
		return false;
	seen->inode = st.st_ino;
	seen->links = st.st_nlink;
	return true;
}

static bool look_into(TALLOC_CTX *tmp, const struct replacement *r, const struct journal_step *step,
                      const char *path, struct seen *seen, struct error *err)
{
	struct volume *volume = r->disks[step->disk];
	uint8_t digest[DIGEST_SIZE];
	struct volume_entry entry;
	struct image *image;

	seen->lost = true;
	if (!volume_find(tmp, volume, path, &entry, err))
		return false;
	seen->lost = false;
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
	return (!seen->old && !seen->new) || replacement_identify(r, step, path, seen, err);
}

/* What is ours is asked a second time: a lost name stays lost, a disturbance may not. */
bool replacement_look(const struct replacement *r, const struct journal_step *step,
                      const char *path, bool ours, struct seen *seen, struct error *err)
{
	struct seen found = { 0 };
	bool done = false, again = ours;

	do {
		TALLOC_CTX *tmp = talloc_new(NULL);

		if (!tmp || !path) {
			talloc_free(tmp);
			return error_memory(err);
		}
		found = (struct seen){ 0 };
		done = look_into(tmp, r, step, path, &found, err);
		talloc_free(tmp);
	} while (!done && err->kind == ERROR_SOURCE && again && !(again = false));
	if (!done && ours && err->kind == ERROR_SOURCE) {
		found = (struct seen){ .present = true, .lost = found.lost };
		done = true;
	}
	if (done)
		*seen = found;
	return done;
}

static bool look_at_step(TALLOC_CTX *tmp, const struct replacement *r,
                         const struct journal_step *step, struct look *look, struct error *err)
{
	bool done = replacement_look(r, step, step->path, false, &look->place, err);

	for (unsigned i = 0; done && i < SLOTS; i++)
		done = !replacement_has_slot(step, i) ||
		       replacement_look(r, step, replacement_slot(tmp, r, step, i), true,
		                        &look->slots[i], err);
	return done && replacement_tear(r, step, look, err);
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
	done = volume_find(tmp, r->disks[disk], path, &entry, err) ||
	       (err->kind == ERROR_SOURCE && volume_find(tmp, r->disks[disk], path, &entry, err));
	if (!done && err->kind == ERROR_SOURCE) {
		entry.kind = VOLUME_OTHER;
		done = true;
	}
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
