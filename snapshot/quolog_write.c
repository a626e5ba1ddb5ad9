/*
 * The writer keeps no list of what it wrote: the place behind the last record is all that the
 * next one needs, and a log of many transactions costs no more than its bytes.
 */
#include <stdlib.h>
#include <string.h>

#include "snapshot/quolog.h"
#include "snapshot/quolog_format.h"

struct quolog_writer {
	struct image *image;
	uint64_t used;
	struct record_place place;
};

static struct quolog_writer *writer_new(TALLOC_CTX *ctx, struct error *err)
{
	struct quolog_writer *writer = talloc_zero(ctx, struct quolog_writer);

	if (!writer) {
		error_memory(err);
		return NULL;
	}
	writer->image = image_new(writer, 0, err);
	if (!writer->image)
		TALLOC_FREE(writer);
	return writer;
}

/* A payload under construction: the parts one behind the other, then zeros up to PADDED. */
static uint8_t *payload_new(TALLOC_CTX *ctx, uint64_t size, struct error *err)
{
	uint8_t *payload = NULL;

	if (size > RECORD_PAYLOAD_MAX) {
		error_set(err, ERROR_INTERNAL, "a record of %llu bytes, %u are the limit",
		          (unsigned long long)size, RECORD_PAYLOAD_MAX);
		return NULL;
	}
	payload = talloc_zero_size(ctx, size);
	if (!payload)
		error_memory(err);
	return payload;
}

static uint8_t *append(uint8_t *at, const void *data, size_t size)
{
	if (size)
		memcpy(at, data, size);
	return at + size;
}

/* Origins are for people: what is no text is shown as '?', what is too long is cut. */
static bool origin_bytes(TALLOC_CTX *ctx, const char *origin, struct bytes *out, struct error *err)
{
	size_t size = origin ? strlen(origin) : 0;
	uint8_t *text;

	if (size > RECORD_ORIGIN_MAX) {
		size = RECORD_ORIGIN_MAX;
		while (size && ((uint8_t)origin[size] & 0xc0) == 0x80)
			size--;
	}
	text = size ? talloc_memdup(ctx, origin, size) : NULL;
	for (size_t i = 0; text && i < size; i++) {
		if (text[i] < 0x20 || text[i] == 0x7f)
			text[i] = '?';
	}
	*out = (struct bytes){ text, size };
	return !size || text || error_memory(err);
}

static bool put(struct quolog_writer *writer, struct record *record, struct error *err)
{
	return record_write(writer->image, &writer->used, &writer->place, record, err);
}

static bool put_header(struct quolog_writer *writer, const struct quolog_identity *id,
                       uint64_t time, uint64_t first, struct error *err)
{
	size_t cluster = strlen(id->cluster), instance = strlen(id->instance_id);
	uint64_t size = sizeof(struct format_header) + cluster + instance;
	struct format_header header = {
		.version = le32_put(FORMAT_VERSION),
		.generation = le32_put(id->generation),
		.cluster_size = le32_put((uint32_t)cluster),
		.instance_size = le32_put((uint32_t)instance),
	};
	uint8_t *payload = payload_new(writer, size, err);
	struct record record = { .type = RECORD_HEADER, .sequence = first - 1, .time = time };
	bool done;

	if (!payload)
		return false;
	append(append(append(payload, &header, sizeof(header)), id->cluster, cluster),
	       id->instance_id, instance);
	record.payload = (struct bytes){ payload, size };
	done = put(writer, &record, err);
	talloc_free(payload);
	return done;
}

struct quolog_writer *quolog_create(TALLOC_CTX *ctx, const struct quolog_identity *id,
                                    uint64_t time, uint64_t first, struct error *err)
{
	struct quolog_writer *writer = writer_new(ctx, err);

	if (writer && !put_header(writer, id, time, first, err))
		TALLOC_FREE(writer);
	return writer;
}

struct quolog_writer *quolog_continue(TALLOC_CTX *ctx, const struct quolog *log, struct error *err)
{
	struct quolog_writer *writer;

	if (!quolog_check(log, err))
		return NULL;
	writer = writer_new(ctx, err);
	if (writer)
		writer->place = log->end;
	return writer;
}

bool quolog_put_checkpoint(struct quolog_writer *writer, const char *file,
                           const uint8_t digest[DIGEST_SIZE], uint64_t time, const char *origin,
                           struct error *err)
{
	size_t name = strlen(file);
	struct format_checkpoint head = { .name_size = le32_put((uint32_t)name) };
	uint64_t size = sizeof(head) + name;
	uint8_t *payload;
	struct record record = {
		.type = RECORD_CHECKPOINT,
		.sequence = writer->place.sequence + 1,
		.time = time,
	};
	bool done;

	if (layout_kind(file) != LAYOUT_CHK)
		return error_set(err, ERROR_INTERNAL, "'%s' is no name for a checkpoint", file);
	payload = payload_new(writer, size, err);
	if (!payload)
		return false;
	memcpy(head.digest, digest, DIGEST_SIZE);
	append(append(payload, &head, sizeof(head)), file, name);
	record.payload = (struct bytes){ payload, size };
	done = origin_bytes(payload, origin, &record.origin, err) && put(writer, &record, err);
	talloc_free(payload);
	return done;
}

bool quolog_put_transaction(struct quolog_writer *writer,
                            const struct quolog_transaction *transaction, struct error *err)
{
	struct bytes batch = transaction->batch, companion = transaction->companion;
	uint64_t size = sizeof(struct format_transaction) + batch.size + companion.size;
	struct format_transaction head = {
		.batch_size = le32_put((uint32_t)batch.size),
		.companion_size = le32_put((uint32_t)companion.size),
	};
	struct record record = {
		.type = RECORD_TRANSACTION,
		.flags = transaction->inferred ? RECORD_INFERRED : 0,
		.sequence = writer->place.sequence + 1,
		.time = transaction->time,
	};
	uint8_t *payload = NULL;
	bool done;

	if (writer->place.number < 2)
		return error_set(err, ERROR_INTERNAL, "a log starts with a checkpoint");
	payload = payload_new(writer, size, err);
	if (!payload)
		return false;
	append(append(append(payload, &head, sizeof(head)), batch.data, batch.size), companion.data,
	       companion.size);
	record.payload = (struct bytes){ payload, size };
	done = origin_bytes(payload, transaction->origin, &record.origin, err) &&
	       put(writer, &record, err);
	talloc_free(payload);
	return done;
}

static int by_path(const void *a, const void *b)
{
	const struct quolog_file *const *one = a, *const *two = b;

	return strcmp((*one)->path, (*two)->path);
}

static uint64_t file_length(const struct quolog_file *file)
{
	uint64_t size = sizeof(struct format_file) + strlen(file->path) + strlen(file->hive) +
	                strlen(file->key);

	return format_padded(size);
}

static uint8_t *append_file(uint8_t *at, const struct quolog_file *file)
{
	size_t path = strlen(file->path), hive = strlen(file->hive), key = strlen(file->key);
	struct format_file entry = {
		.length = le32_put((uint32_t)file_length(file)),
		.kind = le32_put(file->kind),
		.size = le64_put(file->size),
		.path_size = le32_put((uint32_t)path),
		.hive_size = le32_put((uint32_t)hive),
		.key_size = le32_put((uint32_t)key),
	};

	memcpy(entry.digest, file->digest, DIGEST_SIZE);
	append(append(append(append(at, &entry, sizeof(entry)), file->path, path), file->hive,
	              hive),
	       file->key, key);
	return at + file_length(file);
}

static const struct quolog_file **sort_files(TALLOC_CTX *ctx, const struct quolog_file *files,
                                             size_t count, struct error *err)
{
	const struct quolog_file **sorted =
		talloc_array(ctx, const struct quolog_file *, (unsigned)count + 1);

	if (!sorted) {
		error_memory(err);
		return NULL;
	}
	for (size_t i = 0; i < count; i++)
		sorted[i] = &files[i];
	qsort(sorted, count, sizeof(*sorted), by_path);
	for (size_t i = 0; i < count; i++) {
		if (sorted[i]->kind > LAYOUT_MARKER ||
		    layout_kind(sorted[i]->path) != sorted[i]->kind ||
		    (i && strcmp(sorted[i - 1]->path, sorted[i]->path) == 0)) {
			error_set(err, ERROR_INTERNAL, "'%s' cannot stand in a manifest",
			          sorted[i]->path);
			TALLOC_FREE(sorted);
			return NULL;
		}
	}
	return sorted;
}

bool quolog_put_manifest(struct quolog_writer *writer, const struct quolog_file *files,
                         size_t count, uint64_t time, struct error *err)
{
	const struct quolog_file **sorted = sort_files(writer, files, count, err);
	struct format_manifest head = { .count = le32_put((uint32_t)count) };
	uint64_t size = sizeof(head);
	struct record record = {
		.type = RECORD_MANIFEST,
		.sequence = writer->place.sequence,
		.time = time,
	};
	uint8_t *payload, *at;
	bool done = false;

	if (!sorted)
		return false;
	for (size_t i = 0; i < count; i++)
		size += file_length(sorted[i]);
	payload = payload_new(writer, size, err);
	if (payload) {
		at = append(payload, &head, sizeof(head));
		for (size_t i = 0; i < count; i++)
			at = append_file(at, sorted[i]);
		record.payload = (struct bytes){ payload, size };
		done = put(writer, &record, err);
	}
	talloc_free(payload);
	talloc_free(sorted);
	return done;
}

uint64_t quolog_sequence(const struct quolog_writer *writer)
{
	return writer->place.sequence;
}

uint64_t quolog_length(const struct quolog_writer *writer)
{
	return writer->place.offset;
}

struct image *quolog_finish(TALLOC_CTX *ctx, struct quolog_writer *writer, struct error *err)
{
	struct image *next = image_new(writer, 0, err), *image = writer->image;

	if (!next)
		return NULL;
	if (!image_resize(image, writer->used, err) || !image_seal(image, err)) {
		talloc_free(next);
		return NULL;
	}
	writer->image = next;
	writer->used = 0;
	return talloc_steal(ctx, image);
}
