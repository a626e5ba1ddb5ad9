/*
 * A log is read from its start, record by record, until one is not sound; nothing behind that
 * one is believed, because the chain of checksums ends there.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "snapshot/quolog.h"
#include "snapshot/quolog_payload.h"

static bool entries_grow(struct quolog *log)
{
	size_t room = talloc_array_length(log->entries);
	struct quolog_entry *entries;

	if (log->entry_count < room)
		return true;
	entries = talloc_realloc(log, log->entries, struct quolog_entry,
	                         room ? (unsigned)(2 * room) : 16);
	if (!entries)
		return false;
	log->entries = entries;
	return true;
}

static bool read_entry(struct quolog *log, const struct record *record, struct ending *ending)
{
	struct quolog_transaction unused;
	struct quolog_entry *entry;

	if (!entries_grow(log))
		return quolog_payload_no_memory(ending);
	entry = &log->entries[log->entry_count];
	*entry = (struct quolog_entry){
		.type = record->type,
		.inferred = record->flags & RECORD_INFERRED,
		.sequence = record->sequence,
		.time = record->time,
		.offset = record->offset,
		.origin = record->origin,
	};
	if (record->type == RECORD_CHECKPOINT
	            ? !quolog_payload_read_checkpoint(log->entries, record, &entry->checkpoint,
	                                              ending)
	            : !quolog_payload_read_transaction(record, &unused, ending))
		return false;
	log->entry_count++;
	return true;
}

/* (L1) the record behind the header is a checkpoint: there is a state to begin with. */
static bool read_payload(struct quolog *log, const struct record *record, struct ending *ending)
{
	if (record->number == 1 && record->type != RECORD_CHECKPOINT)
		return quolog_payload_damaged(ending, "the log does not begin with a checkpoint");
	switch (record->type) {
	case RECORD_HEADER:
		return quolog_payload_read_header(log, record, ending);
	case RECORD_MANIFEST:
		return quolog_payload_read_manifest(log, record, ending);
	default:
		return read_entry(log, record, ending);
	}
}

static enum quolog_state state_of(enum record_result result)
{
	switch (result) {
	case RECORD_GOOD:
	case RECORD_END:
		return QUOLOG_WHOLE;
	case RECORD_TORN:
		return QUOLOG_TORN;
	case RECORD_TOO_NEW:
		return QUOLOG_TOO_NEW;
	case RECORD_FOREIGN:
		return QUOLOG_FOREIGN;
	default:
		return QUOLOG_DAMAGED;
	}
}

/* Reads the records that are sound. What comes then is in LOG and ENDING. False: no memory. */
static bool read_records(struct quolog *log, struct ending *ending)
{
	enum record_result result = RECORD_GOOD;
	TALLOC_CTX *tmp = talloc_new(log);

	if (!tmp)
		return false;
	while (result == RECORD_GOOD) {
		struct record_place place = log->end;
		struct record record;

		result = record_read(tmp, log->bytes, &place, &record, ending->why);
		if (result == RECORD_GOOD && !read_payload(log, &record, ending))
			result = RECORD_DAMAGED;
		talloc_free_children(tmp); /* what was inflated */
		if (result != RECORD_GOOD)
			break;
		log->end = place;
		if (record.type == RECORD_MANIFEST)
			log->committed = place.offset;
	}
	talloc_free(tmp);
	log->state = state_of(result);
	log->sound = log->end.offset;
	log->records = log->end.number;
	return result != RECORD_NO_MEMORY && !ending->no_memory;
}

/* Wraps what was found in the place where it was. (L2) the last record is a manifest. */
static bool explain(struct quolog *log, const char *why)
{
	unsigned long long at = log->sound;

	switch (log->state) {
	case QUOLOG_WHOLE:
		if (log->sound == log->committed && log->sound > 0)
			return true;
		log->state = QUOLOG_TORN;
		log->why = log->bytes.size == 0
		                   ? talloc_strdup(log, "torn at its start: it is empty")
		                   : talloc_asprintf(log,
		                                     "torn after %u records (offset %llu): the "
		                                     "manifest that closes it is missing",
		                                     log->records, at);
		break;
	case QUOLOG_TORN:
		log->why = talloc_asprintf(log, "torn after %u records (offset %llu): %s",
		                           log->records, at, why);
		break;
	case QUOLOG_DAMAGED:
		log->why = talloc_asprintf(log, "damaged at record %u (offset %llu): %s",
		                           log->records, at, why);
		break;
	default:
		log->why = talloc_strdup(log, why);
	}
	return log->why;
}

struct quolog *quolog_read(TALLOC_CTX *ctx, struct bytes bytes, struct error *err)
{
	struct quolog *log = talloc_zero(ctx, struct quolog);
	struct ending ending = { "", false };

	if (!log) {
		error_memory(err);
		return NULL;
	}
	log->bytes = bytes;
	log->id.cluster = log->id.instance_id = "";
	if (!read_records(log, &ending) || !explain(log, ending.why)) {
		error_memory(err);
		TALLOC_FREE(log);
	}
	return log;
}

bool quolog_check(const struct quolog *log, struct error *err)
{
	switch (log->state) {
	case QUOLOG_WHOLE:
		return true;
	case QUOLOG_FOREIGN:
	case QUOLOG_TOO_NEW:
		return error_set(err, ERROR_SOURCE, LAYOUT_LOG_NAME ": %s", log->why);
	default:
		return error_set(err, ERROR_BAD_NEWS, LAYOUT_LOG_NAME ": %s", log->why);
	}
}

/* The record was sound when the log was read; its checksum is not computed again. */
bool quolog_transaction(TALLOC_CTX *ctx, const struct quolog *log, const struct quolog_entry *entry,
                        struct quolog_transaction *out, struct error *err)
{
	struct quolog_transaction found = {
		.time = entry->time,
		.inferred = entry->inferred,
	};
	struct record record;
	struct ending ending = { "", false };

	if (entry->type != RECORD_TRANSACTION)
		return error_set(err, ERROR_INTERNAL, "record %llu is no transaction",
		                 (unsigned long long)entry->sequence);
	if (!record_reread(ctx, log->bytes, entry->offset, &record, ending.why) ||
	    !quolog_payload_read_transaction(&record, &found, &ending))
		return error_set(err, ERROR_INTERNAL, LAYOUT_LOG_NAME ": transaction %llu: %s",
		                 (unsigned long long)entry->sequence, ending.why);
	*out = found;
	return true;
}

char *quolog_origin(TALLOC_CTX *ctx, const struct quolog_entry *entry)
{
	return talloc_strndup(ctx, (const char *)entry->origin.data, entry->origin.size);
}

static int compare_path(const void *path, const void *file)
{
	return strcmp(path, ((const struct quolog_file *)file)->path);
}

const struct quolog_file *quolog_file(const struct quolog *log, const char *path)
{
	if (!log->file_count)
		return NULL;
	return bsearch(path, log->files, log->file_count, sizeof(*log->files), compare_path);
}
