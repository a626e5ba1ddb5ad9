/*
 * A log is read from its start, record by record, until one is not sound; nothing behind that
 * one is believed, because the chain of checksums ends there.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "snapshot/quolog.h"
#include "snapshot/quolog_format.h"

/* Why reading ended. Want of memory is no damage. */
struct ending {
	char why[RECORD_WHY];
	bool no_memory;
};

static bool damaged(struct ending *ending, const char *text)
{
	snprintf(ending->why, sizeof(ending->why), "%s", text);
	return false;
}

static bool no_memory(struct ending *ending)
{
	ending->no_memory = true;
	return damaged(ending, "out of memory");
}

/* SIZE bytes at *OFFSET as a string on CTX; none of them may be NUL. */
static bool read_string(TALLOC_CTX *ctx, struct bytes in, uint64_t *offset, le32 size,
                        const char **out, struct ending *ending)
{
	const char *at = bytes_at(in, *offset, le32_get(size));

	if (!at || memchr(at, 0, le32_get(size)))
		return damaged(ending, "a text in it has a NUL");
	*offset += le32_get(size);
	*out = talloc_strndup(ctx, at, le32_get(size));
	return *out || no_memory(ending);
}

/* (H1) the sizes fill the payload exactly (H2) no NUL */
static bool read_header(struct quolog *log, const struct record *record, struct ending *ending)
{
	const struct format_header *header = bytes_at(record->payload, 0, sizeof(*header));
	uint64_t at = sizeof(*header);

	if (!header || at + le32_get(header->cluster_size) + le32_get(header->instance_size) !=
	                       record->payload.size)
		return damaged(ending, "the sizes in the header do not fit");
	log->id.generation = le32_get(header->generation);
	return read_string(log, record->payload, &at, header->cluster_size, &log->id.cluster,
	                   ending) &&
	       read_string(log, record->payload, &at, header->instance_size, &log->id.instance_id,
	                   ending);
}

/* (C1) the size fits (C2) the name is one of a chk file */
static bool read_checkpoint(TALLOC_CTX *ctx, const struct record *record,
                            struct quolog_checkpoint *out, struct ending *ending)
{
	const struct format_checkpoint *head = bytes_at(record->payload, 0, sizeof(*head));
	uint64_t at = sizeof(*head);
	const char *name;

	if (!head || at + le32_get(head->name_size) != record->payload.size || le32_get(head->zero))
		return damaged(ending, "the sizes in the checkpoint do not fit");
	if (!read_string(ctx, record->payload, &at, head->name_size, &name, ending))
		return false;
	if (layout_kind(name) != LAYOUT_CHK)
		return damaged(ending, "the checkpoint does not name a chk file");
	out->file = (char *)name;
	memcpy(out->digest, head->digest, DIGEST_SIZE);
	return true;
}

/* (X1) the sizes fit */
static bool read_transaction(const struct record *record, struct quolog_transaction *out,
                             struct ending *ending)
{
	const struct format_transaction *head = bytes_at(record->payload, 0, sizeof(*head));
	uint32_t batch, companion;

	if (!head)
		return damaged(ending, "the transaction is too short");
	batch = le32_get(head->batch_size);
	companion = le32_get(head->companion_size);
	if (sizeof(*head) + (uint64_t)batch + companion != record->payload.size)
		return damaged(ending, "the sizes in the transaction do not fit");
	out->batch = (struct bytes){ record->payload.data + sizeof(*head), batch };
	out->companion = (struct bytes){ out->batch.data + batch, companion };
	return true;
}

/* One entry of a manifest; *OFFSET moves behind it. (M2) to (M5) */
static bool read_file(TALLOC_CTX *ctx, struct bytes in, uint64_t *offset, struct quolog_file *out,
                      struct ending *ending)
{
	const struct format_file *entry = bytes_at(in, *offset, sizeof(*entry));
	uint64_t at = *offset + sizeof(*entry), length, used;

	if (!entry)
		return false;
	used = (uint64_t)sizeof(*entry) + le32_get(entry->path_size) + le32_get(entry->hive_size) +
	       le32_get(entry->key_size);
	length = format_padded(used);
	if (le32_get(entry->length) != length || !bytes_at(in, *offset, length) ||
	    le32_get(entry->zero))
		return false;
	out->kind = le32_get(entry->kind);
	out->size = le64_get(entry->size);
	memcpy(out->digest, entry->digest, DIGEST_SIZE);
	if (!read_string(ctx, in, &at, entry->path_size, &out->path, ending) ||
	    !read_string(ctx, in, &at, entry->hive_size, &out->hive, ending) ||
	    !read_string(ctx, in, &at, entry->key_size, &out->key, ending))
		return false;
	for (; at < *offset + length; at++) {
		if (in.data[at])
			return false;
	}
	*offset += length;
	return out->kind >= LAYOUT_CHK && out->kind <= LAYOUT_MARKER &&
	       layout_kind(out->path) == out->kind;
}

/* (M1) the count fits (M6) sorted by path, none twice (M7) nothing behind the last */
static bool read_files(const struct record *record, struct quolog_file *files, uint32_t count,
                       struct ending *ending)
{
	uint64_t at = sizeof(struct format_manifest);

	for (uint32_t i = 0; i < count; i++) {
		if (!read_file(files, record->payload, &at, &files[i], ending) ||
		    (i && strcmp(files[i - 1].path, files[i].path) >= 0))
			return false;
	}
	return at == record->payload.size;
}

static bool read_manifest(struct quolog *log, const struct record *record, struct ending *ending)
{
	const struct format_manifest *head = bytes_at(record->payload, 0, sizeof(*head));
	struct quolog_file *files;
	uint32_t count;

	if (!head || le32_get(head->zero) ||
	    le32_get(head->count) > record->payload.size / sizeof(struct format_file))
		return damaged(ending, "the manifest's count does not fit");
	count = le32_get(head->count);
	files = talloc_zero_array(log, struct quolog_file, count ? count : 1);
	if (!files)
		return no_memory(ending);
	if (!read_files(record, files, count, ending)) {
		talloc_free(files);
		return !ending->no_memory &&
		       damaged(ending, "an entry of the manifest is not as it should be");
	}
	talloc_free(log->files);
	log->files = files;
	log->file_count = count;
	return true;
}

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
		return no_memory(ending);
	entry = &log->entries[log->entry_count];
	*entry = (struct quolog_entry){
		.type = record->type,
		.inferred = record->flags & RECORD_INFERRED,
		.sequence = record->sequence,
		.time = record->time,
		.offset = record->offset,
		.origin = talloc_strndup(log->entries, (const char *)record->origin.data,
		                         record->origin.size),
	};
	if (!entry->origin)
		return no_memory(ending);
	if (record->type == RECORD_CHECKPOINT
	            ? !read_checkpoint(log->entries, record, &entry->checkpoint, ending)
	            : !read_transaction(record, &unused, ending))
		return false;
	log->entry_count++;
	return true;
}

/* (L1) the record behind the header is a checkpoint: there is a state to begin with. */
static bool read_payload(struct quolog *log, const struct record *record, struct ending *ending)
{
	if (record->number == 1 && record->type != RECORD_CHECKPOINT)
		return damaged(ending, "the log does not begin with a checkpoint");
	switch (record->type) {
	case RECORD_HEADER:
		return read_header(log, record, ending);
	case RECORD_MANIFEST:
		return read_manifest(log, record, ending);
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

	while (result == RECORD_GOOD) {
		TALLOC_CTX *tmp = talloc_new(log);
		struct record_place place = log->end;
		struct record record;

		if (!tmp)
			return false;
		result = record_read(tmp, log->bytes, &place, &record, ending->why);
		if (result == RECORD_GOOD && !read_payload(log, &record, ending))
			result = RECORD_DAMAGED;
		talloc_free(tmp);
		if (result != RECORD_GOOD)
			break;
		log->end = place;
		if (record.type == RECORD_MANIFEST)
			log->committed = place.offset;
	}
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
		.origin = entry->origin,
		.inferred = entry->inferred,
	};
	struct record record;
	struct ending ending = { "", false };

	if (entry->type != RECORD_TRANSACTION)
		return error_set(err, ERROR_INTERNAL, "record %llu is no transaction",
		                 (unsigned long long)entry->sequence);
	if (!record_reread(ctx, log->bytes, entry->offset, &record, ending.why) ||
	    !read_transaction(&record, &found, &ending))
		return error_set(err, ERROR_INTERNAL, LAYOUT_LOG_NAME ": transaction %llu: %s",
		                 (unsigned long long)entry->sequence, ending.why);
	*out = found;
	return true;
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
