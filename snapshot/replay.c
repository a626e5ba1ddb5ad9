/*
 * Replaying. The hive of a checkpoint stays open as long as the tree lives: what no
 * transaction has touched is still in its image.
 */
#include "snapshot/replay.h"

#include <fcntl.h>
#include <unistd.h>

#include "snapshot/batch.h"

struct replay {
	int fd;
	const struct quolog *log;
	struct batch_reader *reader;
	TALLOC_CTX *step;  /* what one transaction takes */
	TALLOC_CTX *state; /* of the hive and the tree */
	struct hive *hive;
	struct tree *tree;
};

struct replay *replay_new(TALLOC_CTX *ctx, int fd, const struct quolog *log, struct error *err)
{
	struct replay *replay = talloc_zero(ctx, struct replay);

	if (!replay) {
		error_memory(err);
		return NULL;
	}
	replay->fd = fd;
	replay->log = log;
	replay->reader = batch_reader_new(replay, err);
	replay->step = replay->reader ? talloc_new(replay) : NULL;
	if (replay->step)
		return replay;
	talloc_free(replay);
	error_memory(err);
	return NULL;
}

struct tree *replay_tree(struct replay *replay)
{
	return replay->tree;
}

uint32_t replay_minor(const struct replay *replay)
{
	return le32_get(hive_base(replay->hive)->minor) > 3 ? 5 : 3;
}

bool replay_load(struct replay *replay, size_t index, struct error *err)
{
	const char *name = replay->log->entries[index].checkpoint.file;
	struct image *image;
	struct hive_key root;

	TALLOC_FREE(replay->state);
	replay->tree = NULL;
	replay->state = talloc_new(replay);
	if (!replay->state)
		return error_memory(err);
	image = image_read(replay->state, replay->fd, name, err);
	if (!image)
		return error_wrap(err, "%s", name);
	replay->hive = hive_open_image(replay->state, image, name, err);
	if (!replay->hive || !hive_root(replay->hive, &root, err))
		return false;
	replay->tree = tree_load(replay->state, replay->hive, &root, err);
	return replay->tree;
}

static bool apply(void *tree, const struct change *change, struct error *err)
{
	return tree_apply(tree, change, NULL, err);
}

bool replay_step(struct replay *replay, size_t index, struct error *err)
{
	const struct quolog_entry *entry = &replay->log->entries[index];
	struct quolog_transaction transaction;
	bool done = quolog_transaction(replay->step, replay->log, entry, &transaction, err) &&
	            batch_read(replay->reader, transaction.batch, transaction.companion, apply,
	                       replay->tree, err);

	talloc_free_children(replay->step);
	if (done)
		return true;
	if (err->kind != ERROR_INTERNAL)
		err->kind = ERROR_BAD_NEWS;
	return error_wrap(err, "transaction %llu", (unsigned long long)entry->sequence);
}

/* The index of the entry with this sequence number. */
static bool find(const struct quolog *log, uint64_t sequence, size_t *index, struct error *err)
{
	uint64_t first = log->entry_count ? log->entries[0].sequence : 0;

	if (log->entry_count && sequence >= first && sequence - first < log->entry_count) {
		*index = (size_t)(sequence - first); /* they rise by one */
		return true;
	}
	if (!log->entry_count)
		return error_set(err, ERROR_USAGE, "there is no transaction %llu, nor any other",
		                 (unsigned long long)sequence);
	return error_set(err, ERROR_USAGE, "there is no transaction %llu, only %llu to %llu",
	                 (unsigned long long)sequence, (unsigned long long)first,
	                 (unsigned long long)(first + log->entry_count - 1));
}

bool replay_to(struct replay *replay, uint64_t sequence, struct error *err)
{
	size_t to, from;

	if (!find(replay->log, sequence, &to, err))
		return false;
	for (from = to; replay->log->entries[from].type != RECORD_CHECKPOINT;)
		from--; /* (L1): the first one is a checkpoint */
	if (!replay_load(replay, from, err))
		return false;
	while (from < to) {
		if (!replay_step(replay, ++from, err))
			return false;
	}
	return true;
}

bool replay_digest(struct replay *replay, uint8_t digest[DIGEST_SIZE], struct error *err)
{
	struct digest *whole = digest_new(replay);
	bool done;

	if (!whole)
		return error_memory(err);
	done = tree_walk(replay->tree, digest_sink(whole), err);
	if (done)
		digest_finish(whole, digest);
	talloc_free(whole);
	return done;
}

/* --- a state as a hive --- */

static struct hive *hive_of(TALLOC_CTX *ctx, struct replay *replay, struct error *err)
{
	uint32_t minor = replay_minor(replay);
	struct image *image = tree_save(ctx, replay->tree, minor, NULL, err);

	if (!image && err->kind == ERROR_REFUSED && minor < 5)
		image = tree_save(ctx, replay->tree, 5, NULL, err);
	return image ? hive_open_image(ctx, image, "the replayed state", err) : NULL;
}

static struct hive *hive_at(TALLOC_CTX *ctx, int fd, const struct quolog *log, uint64_t sequence,
                            struct error *err)
{
	struct replay *replay = replay_new(ctx, fd, log, err);
	struct hive *hive = NULL;
	size_t index;

	if (!replay || !replay_to(replay, sequence, err) || !find(log, sequence, &index, err))
		return NULL;
	if (log->entries[index].type == RECORD_CHECKPOINT)
		return replay->hive;
	hive = hive_of(ctx, replay, err);
	talloc_free(replay);
	return hive;
}

struct hive *replay_hive(TALLOC_CTX *ctx, const char *path, const struct quolog *log,
                         uint64_t sequence, struct error *err)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct hive *hive;

	if (fd < 0) {
		error_errno(err, ERROR_SOURCE, "%s", path);
		return NULL;
	}
	hive = hive_at(ctx, fd, log, sequence, err);
	close(fd);
	if (!hive)
		error_wrap(err, "%s", path);
	return hive;
}
