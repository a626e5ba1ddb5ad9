/*
 * The writer keeps no list of what it wrote: the place behind the last record is all that the
 * next one needs, and a log of many transactions costs no more than its bytes.
 */
#include <stdlib.h>
#include <string.h>

#include "snapshot/buffer.h"
#include "snapshot/quolog.h"
#include "snapshot/quolog_format.h"

struct quolog_writer {
	struct image *image;
	uint64_t used;
	struct record_place place;
	struct buffer payload; /* of the record that is being made */
};

static const struct bytes nothing;

static struct quolog_writer *writer_new(TALLOC_CTX *ctx, struct error *err)
{
	struct quolog_writer *writer = talloc_zero(ctx, struct quolog_writer);

	if (!writer) {
		error_memory(err);
		return NULL;
	}
	writer->payload.ctx = writer;
	writer->image = image_copy(writer, nothing, err);
	if (!writer->image)
		TALLOC_FREE(writer);
	return writer;
}

/* The payload begins anew; its parts are added one behind the other. */
static struct buffer *payload_begin(struct quolog_writer *writer)
{
	writer->payload.size = 0;
	return &writer->payload;
}

/* Origins are for people: what is no text is shown as '?', what is too long is cut. */
static struct bytes origin_bytes(const char *origin, uint8_t text[RECORD_ORIGIN_MAX])
{
	size_t size = strlen(origin);

	if (size > RECORD_ORIGIN_MAX) {
		size = RECORD_ORIGIN_MAX;
		while (size && ((uint8_t)origin[size] & 0xc0) == 0x80)
			size--;
	}
	for (size_t i = 0; i < size; i++) {
		text[i] = (uint8_t)origin[i];
		if (text[i] < 0x20 || text[i] == 0x7f)
			text[i] = '?';
	}
	return (struct bytes){ text, size };
}

/* Writes the record whose payload was made. */
static bool put(struct quolog_writer *writer, struct record *record, const char *origin,
                struct error *err)
{
	uint8_t text[RECORD_ORIGIN_MAX];

	record->payload = (struct bytes){ writer->payload.data, writer->payload.size };
	record->origin = origin_bytes(origin ? origin : "", text);
	return record_write(writer->image, &writer->used, &writer->place, record, err);
}

static bool put_header(struct quolog_writer *writer, const struct quolog_identity *id,
                       uint64_t time, uint64_t first, struct error *err)
{
	size_t cluster = strlen(id->cluster), instance = strlen(id->instance_id);
	struct format_header header = {
		.version = le32_put(FORMAT_VERSION),
		.generation = le32_put(id->generation),
		.cluster_size = le32_put((uint32_t)cluster),
		.instance_size = le32_put((uint32_t)instance),
	};
	struct record record = { .type = RECORD_HEADER, .sequence = first - 1, .time = time };
	struct buffer *payload = payload_begin(writer);

	return buffer_add(payload, &header, sizeof(header), err) &&
	       buffer_add(payload, id->cluster, cluster, err) &&
	       buffer_add(payload, id->instance_id, instance, err) && put(writer, &record, "", err);
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
	struct record record = {
		.type = RECORD_CHECKPOINT,
		.sequence = writer->place.sequence + 1,
		.time = time,
	};
	struct buffer *payload = payload_begin(writer);

	if (layout_kind(file) != LAYOUT_CHK)
		return error_set(err, ERROR_INTERNAL, "'%s' is no name for a checkpoint", file);
	memcpy(head.digest, digest, DIGEST_SIZE);
	return buffer_add(payload, &head, sizeof(head), err) &&
	       buffer_add(payload, file, name, err) && put(writer, &record, origin, err);
}

bool quolog_put_transaction(struct quolog_writer *writer,
                            const struct quolog_transaction *transaction, struct error *err)
{
	struct bytes batch = transaction->batch, companion = transaction->companion;
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
	struct buffer *payload = payload_begin(writer);

	if (writer->place.number < 2)
		return error_set(err, ERROR_INTERNAL, "a log starts with a checkpoint");
	return buffer_add(payload, &head, sizeof(head), err) &&
	       buffer_add(payload, batch.data, batch.size, err) &&
	       buffer_add(payload, companion.data, companion.size, err) &&
	       put(writer, &record, transaction->origin, err);
}

static int by_path(const void *a, const void *b)
{
	const struct quolog_file *const *one = a, *const *two = b;

	return strcmp((*one)->path, (*two)->path);
}

static bool add_file(struct buffer *payload, const struct quolog_file *file, struct error *err)
{
	size_t path = strlen(file->path), hive = strlen(file->hive), key = strlen(file->key);
	size_t size = sizeof(struct format_file) + path + hive + key;
	size_t length = (size_t)format_padded(size);
	struct format_file entry = {
		.length = le32_put((uint32_t)length),
		.kind = le32_put(file->kind),
		.size = le64_put(file->size),
		.path_size = le32_put((uint32_t)path),
		.hive_size = le32_put((uint32_t)hive),
		.key_size = le32_put((uint32_t)key),
	};
	static const uint8_t zeros[8];

	memcpy(entry.digest, file->digest, DIGEST_SIZE);
	return buffer_add(payload, &entry, sizeof(entry), err) &&
	       buffer_add(payload, file->path, path, err) &&
	       buffer_add(payload, file->hive, hive, err) &&
	       buffer_add(payload, file->key, key, err) &&
	       buffer_add(payload, zeros, length - size, err);
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
	struct record record = {
		.type = RECORD_MANIFEST,
		.sequence = writer->place.sequence,
		.time = time,
	};
	struct buffer *payload = payload_begin(writer);
	bool done = sorted && buffer_add(payload, &head, sizeof(head), err);

	for (size_t i = 0; done && i < count; i++)
		done = add_file(payload, sorted[i], err);
	done = done && put(writer, &record, "", err);
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
	struct image *next = image_copy(writer, nothing, err), *image = writer->image;

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
