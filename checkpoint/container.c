/*
 * Key containers. Each generation has its own place for the machine's keys; the one that the
 * disk has is searched, in all kinds: RSA and DSS keys of CryptoAPI, those of LocalSystem, and
 * the directories of CNG, which may hold containers of the same name.
 */
#include "checkpoint/container.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "checkpoint/guid.h"

#define FIRST_GENERATION "Documents and Settings/All Users/Application Data/Microsoft/Crypto"
#define SECOND_GENERATION "ProgramData/Microsoft/Crypto"

static const char *const key_directories[] = {
	"RSA/MachineKeys", "DSS/MachineKeys", "RSA/S-1-5-18", "Keys", "SystemKeys",
};

/* --- the directories --- */

/* A file that is called like one of a container; what it is is looked at when it is asked for. */
struct entry {
	char hash[CONTAINER_HASH], guid[GUID_TEXT];
	char *path;
	bool looked, file;
};

struct containers {
	struct system *system;
	const char *base;     /* of the key directories */
	char guid[GUID_TEXT]; /* MachineGuid; empty if it is not known */
	struct entry *list;   /* sorted by hash and GUID */
	uint32_t count;
	struct error why_not; /* the first directory that could not be read */
};

/* A look-up that failed is kept for the answer; only lack of memory is a failure. */
static bool keep_failure(struct containers *all, const struct error *why, struct error *err)
{
	if (why->kind == ERROR_INTERNAL) {
		*err = *why;
		return false;
	}
	if (all->why_not.kind == ERROR_NONE)
		all->why_not = *why;
	return true;
}

static bool is_there(struct containers *all, const char *path, enum volume_kind kind, bool *there,
                     struct error *err)
{
	struct volume_entry entry;
	struct error why;

	*there = false;
	if (!volume_find(all, all->system->volume, path, &entry, &why))
		return keep_failure(all, &why, err);
	*there = entry.kind == kind;
	talloc_free(entry.path);
	return true;
}

/*
 * The directory above the key directories: of the disk's generation, else of the other. If there
 * is none, the first generation may have it under a translated name.
 */
static bool find_base(struct containers *all, struct error *err)
{
	bool first = all->system->generation == 1, there;
	struct error why;

	all->base = first ? FIRST_GENERATION : SECOND_GENERATION;
	if (!is_there(all, all->base, VOLUME_DIRECTORY, &there, err))
		return false;
	if (there || all->why_not.kind != ERROR_NONE)
		return true;
	all->base = first ? SECOND_GENERATION : FIRST_GENERATION;
	if (!is_there(all, all->base, VOLUME_DIRECTORY, &there, err))
		return false;
	if (there || !first)
		return true;
	error_set(&why, ERROR_SOURCE,
	          "%s: there is no " FIRST_GENERATION
	          ", which Windows in other languages calls otherwise",
	          volume_path(all->system->volume));
	return keep_failure(all, &why, err);
}

/* "hash_GUID" */
static bool parse_name(const char *name, struct entry *entry)
{
	for (unsigned i = 0; i < CONTAINER_HASH - 1; i++) {
		bool capital = name[i] >= 'A' && name[i] <= 'F';

		if (!capital && !(name[i] >= '0' && name[i] <= '9') &&
		    !(name[i] >= 'a' && name[i] <= 'f'))
			return false;
		entry->hash[i] = (char)(capital ? name[i] + 0x20 : name[i]);
	}
	entry->hash[CONTAINER_HASH - 1] = '\0';
	return name[CONTAINER_HASH - 1] == '_' &&
	       guid_canonical(name + CONTAINER_HASH, entry->guid);
}

static bool add_entry(struct containers *all, const char *directory, const char *name,
                      struct error *err)
{
	struct entry entry = { .looked = false }, *list = all->list;

	if (!parse_name(name, &entry))
		return true;
	if ((all->count & (all->count - 1)) == 0) {
		list = talloc_realloc(all, list, struct entry, all->count ? 2 * all->count : 1);
		if (!list)
			return error_memory(err);
		all->list = list;
	}
	entry.path = talloc_asprintf(list, "%s/%s", directory, name);
	if (!entry.path)
		return error_memory(err);
	list[all->count++] = entry;
	return true;
}

static bool read_directory(struct containers *all, TALLOC_CTX *tmp, const char *kind,
                           struct error *err)
{
	char *path = talloc_asprintf(tmp, "%s/%s", all->base, kind);
	struct volume_entry entry;
	struct error why;
	uint32_t count;
	char **names;

	if (!path)
		return error_memory(err);
	if (!volume_find(tmp, all->system->volume, path, &entry, &why))
		return keep_failure(all, &why, err);
	if (entry.kind != VOLUME_DIRECTORY)
		return true;
	if (!volume_list(tmp, all->system->volume, entry.path, &names, &count, &why))
		return keep_failure(all, &why, err);
	for (uint32_t i = 0; i < count; i++) {
		if (!add_entry(all, entry.path, names[i], err))
			return false;
	}
	return true;
}

static int compare_entries(const void *a, const void *b)
{
	const struct entry *one = a, *two = b;
	int order = strcmp(one->hash, two->hash);

	return order ? order : strcmp(one->guid, two->guid);
}

static bool read_directories(struct containers *all, struct error *err)
{
	bool ok = find_base(all, err);

	for (unsigned i = 0; ok && i < sizeof(key_directories) / sizeof(*key_directories); i++) {
		TALLOC_CTX *tmp = talloc_new(NULL);

		ok = tmp ? read_directory(all, tmp, key_directories[i], err) : error_memory(err);
		talloc_free(tmp);
	}
	if (all->count)
		qsort(all->list, all->count, sizeof(*all->list), compare_entries);
	return ok;
}

struct containers *containers_open(TALLOC_CTX *ctx, struct system *system, struct error *err)
{
	struct containers *all = talloc_zero(ctx, struct containers);

	if (!all) {
		error_memory(err);
		return NULL;
	}
	all->system = system;
	if (system->machine_guid && !guid_canonical(system->machine_guid, all->guid))
		all->guid[0] = '\0';
	if (read_directories(all, err))
		return all;
	talloc_free(all);
	return NULL;
}

/* --- the answer --- */

/* The first entry of HASH from GUID on; NULL if there is none of this hash. */
static struct entry *find_entry(const struct containers *all, const char *hash, const char *guid)
{
	uint32_t low = 0, high = all->count;
	struct entry wanted = { .looked = false };

	memcpy(wanted.hash, hash, sizeof(wanted.hash));
	snprintf(wanted.guid, sizeof(wanted.guid), "%s", guid);
	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (compare_entries(&all->list[middle], &wanted) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == all->count || strcmp(all->list[low].hash, hash) != 0)
		return NULL;
	return &all->list[low];
}

/* This machine's file in any of the directories, if it is a regular one. */
static bool find_own(struct containers *all, const char *hash, struct entry **own,
                     struct error *err)
{
	struct entry *entry = find_entry(all, hash, all->guid);

	*own = NULL;
	for (; entry && entry < all->list + all->count; entry++) {
		if (strcmp(entry->hash, hash) != 0 || strcmp(entry->guid, all->guid) != 0)
			return true;
		if (!entry->looked && !is_there(all, entry->path, VOLUME_FILE, &entry->file, err))
			return false;
		entry->looked = true;
		if (entry->file) {
			*own = entry;
			return true;
		}
	}
	return true;
}

static bool answer(TALLOC_CTX *ctx, struct container *out, enum container_result result, char *file,
                   char *why, struct error *err)
{
	if (!file && !why)
		return error_memory(err);
	*out = (struct container){ result, talloc_steal(ctx, file), talloc_steal(ctx, why) };
	return true;
}

static bool answer_absent(TALLOC_CTX *ctx, const struct containers *all, const char *hash,
                          struct container *out, struct error *err)
{
	const struct entry *other = find_entry(all, hash, "");
	enum container_result result = CONTAINER_ABSENT;
	char *why;

	if (all->why_not.kind) {
		result = CONTAINER_UNKNOWN;
		why = talloc_asprintf(ctx,
		                      "whether the key container is on this disk cannot be "
		                      "told: %s",
		                      all->why_not.text);
	} else if (other && !all->guid[0]) {
		result = CONTAINER_UNKNOWN;
		why = talloc_asprintf(ctx,
		                      "the key container has a file, %s, but which MachineGuid "
		                      "this system has is not known",
		                      other->path);
	} else if (other && strcmp(other->guid, all->guid) != 0) {
		why = talloc_asprintf(ctx,
		                      "the key container is there for another MachineGuid "
		                      "only, where this system does not find it: %s",
		                      other->path);
	} else {
		why = talloc_asprintf(ctx,
		                      "the key container is not on this disk: no key directory "
		                      "in %s has a file %s_%s",
		                      all->base, hash, all->guid[0] ? all->guid : "MachineGuid");
	}
	return answer(ctx, out, result, NULL, why, err);
}

bool container_find(TALLOC_CTX *ctx, struct containers *all, const char *name,
                    struct container *out, struct error *err)
{
	char hash[CONTAINER_HASH];
	struct entry *own;

	if (!container_hash(name, hash))
		return answer(ctx, out, CONTAINER_UNKNOWN, NULL,
		              talloc_strdup(ctx, "whether the key container is on this disk cannot "
		                                 "be told: its name has characters whose ANSI code "
		                                 "is not known"),
		              err);
	if (!find_own(all, hash, &own, err))
		return false;
	if (own)
		return answer(ctx, out, CONTAINER_PRESENT, talloc_strdup(ctx, own->path), NULL,
		              err);
	return answer_absent(ctx, all, hash, out, err);
}
