/* One function a type of record; docs/quolog.md, Payloads, has the clauses. */
#include "snapshot/quolog_payload.h"

#include <stdio.h>
#include <string.h>

#include "snapshot/quolog_format.h"

bool quolog_payload_damaged(struct ending *ending, const char *text)
{
	snprintf(ending->why, sizeof(ending->why), "%s", text);
	return false;
}

bool quolog_payload_no_memory(struct ending *ending)
{
	ending->no_memory = true;
	return quolog_payload_damaged(ending, "out of memory");
}

/* SIZE bytes at *OFFSET as a string on CTX; none of them may be NUL. */
static bool read_string(TALLOC_CTX *ctx, struct bytes in, uint64_t *offset, le32 size,
                        const char **out, struct ending *ending)
{
	const char *at = bytes_at(in, *offset, le32_get(size));

	if (!at || memchr(at, 0, le32_get(size)))
		return quolog_payload_damaged(ending, "a text in it has a NUL");
	*offset += le32_get(size);
	*out = talloc_strndup(ctx, at, le32_get(size));
	return *out || quolog_payload_no_memory(ending);
}

/* (H1) the sizes fill the payload exactly (H2) no NUL */
bool quolog_payload_read_header(struct quolog *log, const struct record *record,
                                struct ending *ending)
{
	const struct format_header *header = bytes_at(record->payload, 0, sizeof(*header));
	uint64_t at = sizeof(*header);

	if (!header || at + le32_get(header->cluster_size) + le32_get(header->instance_size) !=
	                       record->payload.size)
		return quolog_payload_damaged(ending, "the sizes in the header do not fit");
	log->id.generation = le32_get(header->generation);
	return read_string(log, record->payload, &at, header->cluster_size, &log->id.cluster,
	                   ending) &&
	       read_string(log, record->payload, &at, header->instance_size, &log->id.instance_id,
	                   ending);
}

/* (C1) the size fits (C2) the name is one of a chk file */
bool quolog_payload_read_checkpoint(TALLOC_CTX *ctx, const struct record *record,
                                    struct quolog_checkpoint *out, struct ending *ending)
{
	const struct format_checkpoint *head = bytes_at(record->payload, 0, sizeof(*head));
	uint64_t at = sizeof(*head);
	const char *name;

	if (!head || at + le32_get(head->name_size) != record->payload.size || le32_get(head->zero))
		return quolog_payload_damaged(ending, "the sizes in the checkpoint do not fit");
	if (!read_string(ctx, record->payload, &at, head->name_size, &name, ending))
		return false;
	if (layout_kind(name) != LAYOUT_CHK)
		return quolog_payload_damaged(ending, "the checkpoint does not name a chk file");
	out->file = (char *)name;
	memcpy(out->digest, head->digest, DIGEST_SIZE);
	return true;
}

/* (X1) the sizes fit */
bool quolog_payload_read_transaction(const struct record *record, struct quolog_transaction *out,
                                     struct ending *ending)
{
	const struct format_transaction *head = bytes_at(record->payload, 0, sizeof(*head));
	uint32_t batch, companion;

	if (!head)
		return quolog_payload_damaged(ending, "the transaction is too short");
	batch = le32_get(head->batch_size);
	companion = le32_get(head->companion_size);
	if (sizeof(*head) + (uint64_t)batch + companion != record->payload.size)
		return quolog_payload_damaged(ending, "the sizes in the transaction do not fit");
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

bool quolog_payload_read_manifest(struct quolog *log, const struct record *record,
                                  struct ending *ending)
{
	const struct format_manifest *head = bytes_at(record->payload, 0, sizeof(*head));
	struct quolog_file *files;
	uint32_t count;

	if (!head || le32_get(head->zero) ||
	    le32_get(head->count) > record->payload.size / sizeof(struct format_file))
		return quolog_payload_damaged(ending, "the manifest's count does not fit");
	count = le32_get(head->count);
	files = talloc_zero_array(log, struct quolog_file, count ? count : 1);
	if (!files)
		return quolog_payload_no_memory(ending);
	if (!read_files(record, files, count, ending)) {
		talloc_free(files);
		return !ending->no_memory &&
		       quolog_payload_damaged(ending,
		                              "an entry of the manifest is not as it should be");
	}
	talloc_free(log->files);
	log->files = files;
	log->file_count = count;
	return true;
}
