/* Reading one MFT record. */
#include "checkpoint/disk/ntfs_record.h"

#include <assert.h>
#include <errno.h>

#define STRIDE 512u
#define TYPE_END 0xffffffffu
#define RESIDENT_HEAD 0x18u
#define OUTSIDE_HEAD 0x40u

struct record_head {
	uint8_t signature[4]; /* "FILE" */
	le16 fixups;          /* 0x04: offset of the update sequence */
	le16 fixup_count;     /* 0x06: one more than there are sectors */
	le64 lsn;
	le16 sequence; /* 0x10 */
	le16 links;
	le16 attributes; /* 0x14: offset of the first one */
	le16 flags;
	le32 used; /* 0x18: bytes */
	le32 allocated;
	le64 base; /* 0x20 */
};
static_assert(sizeof(struct record_head) == 0x28, "");
static_assert(sizeof(struct ntfs_attribute) == OUTSIDE_HEAD, "");

bool ntfs_record_damaged(struct error *err, const char *what)
{
	error_set(err, ERROR_SOURCE, "%s; run chkdsk /f on the volume", what);
	err->sys = EIO;
	return false;
}

bool ntfs_record_fix(uint8_t *block, uint32_t size, const char *signature, struct error *err)
{
	const struct record_head *head = (const struct record_head *)block;
	uint32_t at = le16_get(head->fixups), count = le16_get(head->fixup_count);

	if (memcmp(head->signature, signature, 4) != 0) {
		error_set(err, ERROR_SOURCE,
		          "damaged: a block does not begin with %s; run chkdsk /f on the volume",
		          signature);
		err->sys = EIO;
		return false;
	}
	if (count != size / STRIDE + 1 || at < 8 || at + 2 * count > STRIDE - 2)
		return ntfs_record_damaged(err, "damaged: its update sequence does not fit");
	for (uint32_t i = 1; i < count; i++) {
		uint8_t *end = block + (size_t)i * STRIDE - 2;

		if (memcmp(end, block + at, 2) != 0)
			return ntfs_record_damaged(
				err, "damaged: one of its sectors was not written with the rest");
		memcpy(end, block + at + 2 * (size_t)i, 2);
	}
	return true;
}

static bool read_record(struct ntfs *ntfs, uint8_t *data, uint32_t size, uint64_t number,
                        struct error *err)
{
	size_t got = 0;

	if (number > NTFS_NUMBER || !ntfs_read_mft(ntfs, number * size, data, size, &got, err))
		return number > NTFS_NUMBER ? ntfs_record_damaged(err, "there is no such record")
		                            : false;
	if (got != size)
		return ntfs_record_damaged(err, "it lies behind the end of $MFT");
	return ntfs_record_fix(data, size, "FILE", err);
}

struct ntfs_record *ntfs_record_read(TALLOC_CTX *ctx, struct ntfs *ntfs, uint64_t number,
                                     struct error *err)
{
	struct ntfs_record *record = talloc_zero(ctx, struct ntfs_record);
	uint32_t size = ntfs_boot(ntfs)->record, used;
	const struct record_head *head;
	uint8_t *data;

	data = record ? talloc_size(record, size) : NULL;
	if (!data) {
		talloc_free(record);
		error_memory(err);
		return NULL;
	}
	if (!read_record(ntfs, data, size, number, err)) {
		talloc_free(record);
		error_wrap(err, "file record %llu", (unsigned long long)number);
		return NULL;
	}
	head = (const struct record_head *)data;
	used = le32_get(head->used);
	record->number = number;
	record->flags = le16_get(head->flags);
	record->sequence = le16_get(head->sequence);
	record->base = le64_get(head->base);
	record->bytes = (struct bytes){ data, used < size ? used : size };
	record->attributes = le16_get(head->attributes);
	return record;
}

const struct ntfs_attribute *ntfs_record_next(const struct ntfs_record *record,
                                              const struct ntfs_attribute *after)
{
	uint64_t at = record->attributes;
	const struct ntfs_attribute *attribute;
	uint32_t length;

	if (after)
		at = (uint64_t)((const uint8_t *)after - record->bytes.data) +
		     le32_get(after->length);
	attribute = bytes_at(record->bytes, at, RESIDENT_HEAD);
	if (!attribute || le32_get(attribute->type) == TYPE_END)
		return NULL;
	length = le32_get(attribute->length);
	if (length < (attribute->non_resident ? OUTSIDE_HEAD : RESIDENT_HEAD) || length % 8 ||
	    !bytes_at(record->bytes, at, length))
		return NULL;
	return attribute;
}

struct bytes ntfs_record_value(const struct ntfs_attribute *attribute)
{
	struct bytes whole = { (const uint8_t *)attribute, le32_get(attribute->length) };
	uint32_t size = le32_get(attribute->resident.size);
	const uint8_t *data = NULL;

	if (!attribute->non_resident)
		data = bytes_at(whole, le16_get(attribute->resident.offset), size);
	return data ? (struct bytes){ data, size } : (struct bytes){ whole.data, 0 };
}
