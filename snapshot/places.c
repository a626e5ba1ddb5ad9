/*
 * Looking at each place. A key that several checkpoints name is read once: a database that names
 * one large key a thousand times shall not cost a thousand times as much.
 */
#include "snapshot/places.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "checkpoint/locate.h"
#include "snapshot/quolog.h"
#include "snapshot/quorum.h"

struct looking {
	const struct places_options *options;
	struct checkpoints *checkpoints;
	struct places *places;
	struct quorum *quorum;
	int fd; /* the snapshot */
	const struct quolog *log;
	struct error *err;
};

static bool is_registry(const struct checkpoint *checkpoint)
{
	return checkpoint->type == CHECKPOINT_REGISTRY;
}

static char *file_name(TALLOC_CTX *ctx, const struct checkpoint *checkpoint)
{
	return talloc_asprintf(ctx, "%s/%s.%s", checkpoint->resource, checkpoint->id,
	                       is_registry(checkpoint) ? "CPT" : "CPR");
}

/* What cannot be read is said, and is no reason to stop. */
static bool damaged(struct looking *l, uint32_t i, enum place place, const char *what,
                    const struct error *why)
{
	if (why->kind == ERROR_INTERNAL) {
		*l->err = *why;
		return false;
	}
	l->places[i].damaged |= PLACES_BIT(place);
	checkpoint_problem(l->checkpoints, &l->checkpoints->list[i], "checkpoint-damaged",
	                   "%s cannot be read: %s", what, why->text);
	return true;
}

static bool digest_key(struct looking *l, uint32_t i, enum place place, const char *what,
                       const struct hive *hive, const struct hive_key *key)
{
	struct error why;

	if (!digest_subtree(hive, key, l->places[i].digest[place], &why))
		return damaged(l, i, place, what, &why);
	l->places[i].there |= PLACES_BIT(place);
	return true;
}

/* HIVE is NULL if it could not be opened; WHY says it. */
static bool digest_image(struct looking *l, uint32_t i, enum place place, const char *what,
                         const struct hive *hive, const struct error *why)
{
	struct hive_key root;
	struct error other;

	if (!hive)
		return damaged(l, i, place, what, why);
	if (!hive_root(hive, &root, &other))
		return damaged(l, i, place, what, &other);
	return digest_key(l, i, place, what, hive, &root);
}

static void digest_file(struct looking *l, uint32_t i, enum place place, struct bytes bytes)
{
	digest_bytes(bytes, l->places[i].digest[place]);
	l->places[i].there |= PLACES_BIT(place);
}

/* --- the quorum disk --- */

static bool look_at_quorum(struct looking *l, uint32_t i, TALLOC_CTX *tmp)
{
	const struct checkpoint *checkpoint = &l->checkpoints->list[i];
	char *name = file_name(tmp, checkpoint), *shown = NULL;
	struct source *source = NULL;
	struct image *image = NULL;
	struct hive *hive;
	struct error why;

	if (!name)
		return error_memory(l->err);
	if (is_registry(checkpoint))
		source = quorum_source(tmp, l->quorum, name, &shown, &why);
	else
		image = quorum_file(tmp, l->quorum, name, &shown, &why);
	if (!source && !image)
		return why.kind == ERROR_NONE ||
		       damaged(l, i, PLACES_QUORUM, "the quorum disk's file", &why);
	if (image) {
		digest_file(l, i, PLACES_QUORUM, image->bytes);
		return true;
	}
	hive = hive_open(tmp, source, &l->options->hive, &why);
	return digest_image(l, i, PLACES_QUORUM, "the quorum disk's .CPT", hive, &why);
}

/* --- the snapshot --- */

/* By instance id where both have one, else by name. */
static bool same_cluster(const struct cluster *cluster, const struct quolog_identity *id)
{
	if (cluster->instance_id && *cluster->instance_id && *id->instance_id)
		return strcasecmp(cluster->instance_id, id->instance_id) == 0;
	return !cluster->name || !*id->cluster || strcasecmp(cluster->name, id->cluster) == 0;
}

static bool open_snapshot(struct looking *l, TALLOC_CTX *ctx)
{
	const char *path = l->options->snapshot;
	struct image *image;

	l->fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (l->fd < 0)
		return error_errno(l->err, ERROR_SOURCE, "%s", path);
	image = image_read(ctx, l->fd, LAYOUT_LOG_NAME, l->err);
	if (!image)
		return error_wrap(l->err, "%s", path);
	l->log = quolog_read(ctx, image->bytes, l->err);
	if (!l->log)
		return false;
	if (l->log->file_count == 0)
		return error_set(l->err, ERROR_BAD_NEWS, "%s: " LAYOUT_LOG_NAME ": %s", path,
		                 l->log->why ? l->log->why : "it has no manifest");
	return same_cluster(l->options->cluster, &l->log->id) ||
	       error_set(l->err, ERROR_REFUSED, "%s: is of another cluster, %s", path,
	                 l->log->id.cluster);
}

static bool look_at_snapshot(struct looking *l, uint32_t i, TALLOC_CTX *tmp)
{
	static const char what[] = "the snapshot's file";
	const struct checkpoint *checkpoint = &l->checkpoints->list[i];
	const char *name = file_name(tmp, checkpoint);
	const struct quolog_file *file = name ? quolog_file(l->log, name) : NULL;
	uint8_t digest[DIGEST_SIZE];
	struct image *image;
	struct hive *hive;
	struct error why;

	if (!file)
		return name || error_memory(l->err);
	image = image_read(tmp, l->fd, name, &why);
	if (!image)
		return damaged(l, i, PLACES_SNAPSHOT, what, &why);
	digest_bytes(image->bytes, digest);
	if (memcmp(digest, file->digest, DIGEST_SIZE) != 0) {
		error_set(&why, ERROR_SOURCE, "its SHA-256 is not the one in " LAYOUT_LOG_NAME);
		return damaged(l, i, PLACES_SNAPSHOT, what, &why);
	}
	if (!is_registry(checkpoint)) {
		digest_file(l, i, PLACES_SNAPSHOT, image->bytes);
		return true;
	}
	hive = hive_open_image(tmp, image, name, &why);
	return digest_image(l, i, PLACES_SNAPSHOT, what, hive, &why);
}

/* --- the node's disk --- */

struct live_key {
	uint32_t point;
	int hive;
	struct hive_key key;
};

static int by_key(const void *a, const void *b)
{
	const struct live_key *one = a, *two = b;

	if (one->hive != two->hive)
		return one->hive < two->hive ? -1 : 1;
	if (one->key.cell != two->key.cell)
		return one->key.cell < two->key.cell ? -1 : 1;
	return one->point < two->point ? -1 : one->point > two->point;
}

/* Where the keys are; *COUNT of them are there. */
static bool find_keys(struct looking *l, TALLOC_CTX *tmp, struct live_key *keys, uint32_t *count)
{
	for (uint32_t i = 0; i < l->checkpoints->count; i++) {
		const struct checkpoint *checkpoint = &l->checkpoints->list[i];
		struct hklm where;

		if (!is_registry(checkpoint))
			continue;
		if (!hklm_resolve(tmp, l->options->live, checkpoint->path, false, &where, l->err))
			return false;
		if (where.result == HKLM_PRESENT)
			keys[(*count)++] = (struct live_key){ i, where.hive, where.found };
		if (where.result != HKLM_HIVE_DAMAGED)
			continue;
		l->places[i].damaged |= PLACES_BIT(PLACES_LIVE);
		if (!problems_find(checkpoint->problems, "checkpoint-hive-damaged"))
			checkpoint_problem(l->checkpoints, checkpoint, "checkpoint-damaged",
			                   "the node's key cannot be read: %s", where.why);
	}
	return true;
}

static bool look_at_live(struct looking *l, TALLOC_CTX *tmp)
{
	struct live_key *keys = talloc_array(tmp, struct live_key, l->checkpoints->count);
	uint32_t count = 0;

	if (!keys)
		return error_memory(l->err);
	if (!find_keys(l, tmp, keys, &count))
		return false;
	if (count)
		qsort(keys, count, sizeof(*keys), by_key);
	for (uint32_t i = 0; i < count; i++) {
		const struct live_key *at = &keys[i], *before = i ? at - 1 : NULL;
		struct places *places = &l->places[at->point];
		struct hive *hive;

		if (before && before->hive == at->hive && before->key.cell == at->key.cell &&
		    l->places[before->point].there & PLACES_BIT(PLACES_LIVE)) {
			memcpy(places->digest[PLACES_LIVE],
			       l->places[before->point].digest[PLACES_LIVE], DIGEST_SIZE);
			places->there |= PLACES_BIT(PLACES_LIVE);
			continue;
		}
		hive = system_hive(l->options->live, (enum system_hive)at->hive, l->err);
		if (!hive ||
		    !digest_key(l, at->point, PLACES_LIVE, "the node's key", hive, &at->key))
			return false;
	}
	return true;
}

/* --- all of them --- */

static bool look_at_images(struct looking *l)
{
	for (uint32_t i = 0; i < l->checkpoints->count; i++) {
		TALLOC_CTX *tmp = talloc_new(NULL);
		bool done = tmp || error_memory(l->err);

		if (done && l->log)
			done = look_at_snapshot(l, i, tmp);
		if (done && l->quorum)
			done = look_at_quorum(l, i, tmp);
		talloc_free(tmp);
		if (!done)
			return false;
	}
	return true;
}

static bool look(struct looking *l, TALLOC_CTX *tmp)
{
	const struct places_options *options = l->options;

	if (options->snapshot && !open_snapshot(l, tmp))
		return false;
	if (options->quorum) {
		l->quorum = quorum_open(tmp, options->quorum, l->err);
		if (!l->quorum)
			return false;
	}
	if ((options->live && !look_at_live(l, tmp)) || !look_at_images(l))
		return false;
	for (uint32_t i = 0; i < l->checkpoints->count; i++) {
		places_judge(&l->places[i]);
		places_say(options, l->checkpoints, &l->checkpoints->list[i], &l->places[i]);
	}
	return true;
}

bool places_compare(TALLOC_CTX *ctx, const struct places_options *options,
                    struct checkpoints *checkpoints, struct places **out, struct error *err)
{
	struct looking l = { .options = options, .checkpoints = checkpoints, .fd = -1, .err = err };
	TALLOC_CTX *tmp = talloc_new(NULL);
	bool done;

	l.places = talloc_zero_array(ctx, struct places, checkpoints->count);
	done = (tmp && l.places) || error_memory(err);
	done = done && look(&l, tmp);
	if (l.fd >= 0)
		close(l.fd);
	talloc_free(tmp);
	if (done)
		*out = l.places;
	else
		talloc_free(l.places);
	return done;
}
