/*
 * What is between the checkpoints of a log: the transactions are carried out, and must arrive
 * at the tree of the next checkpoint.
 */
#include <stdarg.h>

#include "snapshot/replay.h"
#include "snapshot/verifying.h"

bool verify_damage(struct verifying *v, const char *path, const char *format, ...)
{
	struct verdict *verdict = v->verdict;
	struct damage *list =
		talloc_realloc(v->ctx, verdict->damage, struct damage, verdict->damage_count + 1);
	va_list args;
	char *text;

	if (!list)
		return error_memory(v->err);
	verdict->damage = list;
	va_start(args, format);
	text = talloc_vasprintf(list, format, args);
	va_end(args);
	list[verdict->damage_count] = (struct damage){ talloc_strdup(list, path), text };
	if (!text || !list[verdict->damage_count].path)
		return error_memory(v->err);
	verdict->damage_count++;
	return true;
}

/* Entry INDEX is a checkpoint that transactions lead to: do they? */
static bool check_arrival(struct verifying *v, struct replay *replay, size_t index)
{
	const struct quolog_entry *entry = &v->verdict->log->entries[index];
	uint8_t digest[DIGEST_SIZE];

	if (!replay_digest(replay, digest, v->err))
		return false;
	return memcmp(digest, entry->checkpoint.digest, DIGEST_SIZE) == 0 ||
	       verify_damage(v, LAYOUT_LOG_NAME,
	                     "the transactions up to %llu do not lead to checkpoint %llu",
	                     (unsigned long long)entry->sequence - 1,
	                     (unsigned long long)entry->sequence);
}

/* Entry INDEX is a checkpoint directly behind another: are they of one state? */
static bool check_repeated(struct verifying *v, size_t index)
{
	const struct quolog_entry *entry = &v->verdict->log->entries[index];

	return memcmp(entry->checkpoint.digest, entry[-1].checkpoint.digest, DIGEST_SIZE) == 0 ||
	       verify_damage(v, LAYOUT_LOG_NAME,
	                     "no transaction leads from checkpoint %llu to checkpoint %llu",
	                     (unsigned long long)entry[-1].sequence,
	                     (unsigned long long)entry->sequence);
}

/* One entry; *GOING: the replay has a tree, which is the state before it. */
static bool check_step(struct verifying *v, struct replay *replay, size_t index, bool *going)
{
	const struct quolog *log = v->verdict->log;
	struct error why;

	if (log->entries[index].type == RECORD_CHECKPOINT) {
		if (*going && !check_arrival(v, replay, index))
			return false;
		if (index && log->entries[index - 1].type == RECORD_CHECKPOINT &&
		    !check_repeated(v, index))
			return false;
		*going = index + 1 < log->entry_count &&
		         log->entries[index + 1].type == RECORD_TRANSACTION;
		return !*going || replay_load(replay, index, v->err);
	}
	if (!*going)
		return true; /* behind one that could not be carried out */
	if (replay_step(replay, index, &why))
		return true;
	*going = false;
	return why.kind == ERROR_INTERNAL ? error_memory(v->err)
	                                  : verify_damage(v, LAYOUT_LOG_NAME, "%s", why.text);
}

/* Every transaction is carried out, and the last entry is a checkpoint: chk is the newest. */
bool verify_history(struct verifying *v)
{
	const struct quolog *log = v->verdict->log;
	struct replay *replay = replay_new(v->ctx, v->fd, log, v->err);
	bool going = false, done = replay;

	for (size_t i = 0; done && i < log->entry_count; i++)
		done = check_step(v, replay, i, &going);
	talloc_free(replay);
	if (done && log->entry_count &&
	    log->entries[log->entry_count - 1].type != RECORD_CHECKPOINT)
		return verify_damage(v, LAYOUT_LOG_NAME, "transactions follow the last checkpoint");
	return done;
}
