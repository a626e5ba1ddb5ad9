/*
 * The values of attributes: in the record, or in clusters that a list of runs names.
 *
 * A run is a byte with two lengths, then a count of clusters and a signed distance from where the
 * run before began, both little-endian and of these lengths; without a distance it is sparse. All
 * are compared with the volume before they are believed, and added up before memory is taken.
 */
#include "checkpoint/disk/ntfs_record.h"

#include <assert.h>

#define LIST_MAX ((uint64_t)4 << 20) /* bytes of an attribute list; Windows stops at 256 KiB */
#define EXTENTS_MAX 4000000u

struct list_entry {
	le32 type;
	le16 length;
	uint8_t name_length; /* 0x06 */
	uint8_t name;
	le64 first;  /* 0x08: cluster */
	le64 record; /* 0x10: reference */
	le16 id;
};
static_assert(sizeof(struct list_entry) == 0x1a, "");

static bool is_named(const struct ntfs_attribute *attribute, const char *name)
{
	struct bytes whole = { (const uint8_t *)attribute, le32_get(attribute->length) };
	size_t length = strlen(name);
	const le16 *units = bytes_at(whole, le16_get(attribute->name), 2 * (uint64_t)length);

	if (attribute->name_length != length || !units)
		return false;
	for (size_t i = 0; i < length; i++) {
		if (le16_get(units[i]) != (uint8_t)name[i])
			return false;
	}
	return true;
}

/* A number of SIZE bytes, with its sign if it has one. */
static int64_t number(const uint8_t *data, unsigned size, bool has_sign)
{
	uint64_t value = has_sign && size && data[size - 1] & 0x80 ? UINT64_MAX : 0;

	for (unsigned i = size; i-- > 0;)
		value = value << 8 | data[i];
	return (int64_t)value;
}

static bool add_extent(struct ntfs_value *value, struct ntfs_extent extent, struct error *err)
{
	struct ntfs_extent *last =
		value->extent_count ? &value->extents[value->extent_count - 1] : NULL;
	uint32_t room = (uint32_t)talloc_array_length(value->extents);

	if (last && (extent.sparse ? last->sparse
	                           : !last->sparse && last->offset + last->size == extent.offset)) {
		last->size += extent.size;
		return true;
	}
	if (value->extent_count == EXTENTS_MAX)
		return ntfs_record_damaged(err, "damaged: its data lies in too many pieces");
	if (value->extent_count == room) {
		struct ntfs_extent *more = talloc_realloc(value, value->extents, struct ntfs_extent,
		                                          room ? 2 * room : 8);

		if (!more)
			return error_memory(err);
		value->extents = more;
	}
	value->extents[value->extent_count++] = extent;
	return true;
}

/* The runs of one part of a value. */
static bool add_runs(struct ntfs_value *value, const struct boot *boot,
                     const struct ntfs_attribute *attribute, struct error *err)
{
	uint64_t left = le64_get(attribute->outside.last) + 1 - le64_get(attribute->outside.first);
	struct bytes whole = { (const uint8_t *)attribute, le32_get(attribute->length) };
	uint64_t at = le16_get(attribute->outside.runs), clusters = boot->size / boot->cluster;
	int64_t place = 0;

	while (left > 0) {
		const uint8_t *head = bytes_at(whole, at, 1);
		unsigned counts = head ? *head & 15 : 0, places = head ? *head >> 4 : 0;
		const uint8_t *data = bytes_at(whole, at + 1, counts + places);
		int64_t count = data && counts <= 8 && counts ? number(data, counts, true) : 0;

		if (count <= 0 || (uint64_t)count > left || places > 8)
			return ntfs_record_damaged(err,
			                           "damaged: where its data lies makes no sense");
		place = (int64_t)((uint64_t)place + (uint64_t)number(data + counts, places, true));
		if (places && (place < 0 || (uint64_t)place > clusters ||
		               (uint64_t)count > clusters - (uint64_t)place))
			return ntfs_record_damaged(err,
			                           "damaged: its data lies outside the volume");
		if ((uint64_t)count > UINT64_MAX / 2 / boot->cluster)
			return ntfs_record_damaged(err, "damaged: it has too many clusters");
		if (!add_extent(value,
		                (struct ntfs_extent){ places ? (uint64_t)place * boot->cluster : 0,
		                                      (uint64_t)count * boot->cluster,
		                                      places == 0 },
		                err))
			return false;
		left -= (uint64_t)count;
		at += 1 + counts + places;
	}
	return true;
}

static bool take_resident(struct ntfs_value *value, const struct ntfs_attribute *attribute,
                          struct error *err)
{
	struct bytes bytes = ntfs_record_value(attribute);

	if (bytes.size != le32_get(attribute->resident.size))
		return ntfs_record_damaged(err, "damaged: a value does not lie in its record");
	value->resident = true;
	value->size = value->initialised = value->allocated = bytes.size;
	value->data = talloc_memdup(value, bytes.data, bytes.size + (bytes.size == 0));
	return value->data || error_memory(err);
}

/* What collects the parts of one value. */
struct wanted {
	TALLOC_CTX *ctx;
	const struct boot *boot;
	uint32_t type;
	const char *name;
	struct ntfs_value *value;
	uint64_t next; /* cluster of the next part */
};

static bool take(void *data, const struct ntfs_attribute *attribute, struct error *err)
{
	struct wanted *wanted = data;
	struct ntfs_value *value = wanted->value;
	bool first = !value;

	if (le32_get(attribute->type) != wanted->type || !is_named(attribute, wanted->name))
		return true;
	if (!first && (value->resident || !attribute->non_resident))
		return ntfs_record_damaged(err, "damaged: it has a value twice");
	if (first)
		value = wanted->value = talloc_zero(wanted->ctx, struct ntfs_value);
	if (!value)
		return error_memory(err);
	value->flags |= le16_get(attribute->flags);
	if (!attribute->non_resident)
		return take_resident(value, attribute, err);
	if (le64_get(attribute->outside.first) != wanted->next ||
	    le64_get(attribute->outside.last) > INT64_MAX ||
	    le64_get(attribute->outside.last) + 1 < wanted->next)
		return ntfs_record_damaged(err, "damaged: a part of its data is missing");
	if (first) {
		value->size = le64_get(attribute->outside.size);
		value->initialised = le64_get(attribute->outside.initialised);
		value->allocated = le64_get(attribute->outside.allocated);
	}
	wanted->next = le64_get(attribute->outside.last) + 1;
	return add_runs(value, wanted->boot, attribute, err);
}

/* Shows the attributes of one record, all of them or the one that a list means. */
static bool each_of(const struct ntfs_record *record, const struct list_entry *only,
                    ntfs_see_fn *see, void *data, struct error *err)
{
	const struct ntfs_attribute *attribute = NULL;

	while ((attribute = ntfs_record_next(record, attribute)) != NULL) {
		if (only && (le32_get(only->type) != le32_get(attribute->type) ||
		             le16_get(only->id) != le16_get(attribute->id)))
			continue;
		if (!see(data, attribute, err))
			return false;
	}
	return true;
}

/* The attribute list of a base record, on CTX; *LIST is NULL if it has none. */
static bool read_list(TALLOC_CTX *ctx, struct ntfs *ntfs, const struct ntfs_record *base,
                      uint8_t **list, uint64_t *size, struct error *err)
{
	struct wanted wanted = { ctx, ntfs_boot(ntfs), NTFS_TYPE_LIST, "", NULL, 0 };
	const struct ntfs_value *value;

	*list = NULL;
	if (!each_of(base, NULL, take, &wanted, err))
		return false;
	value = wanted.value;
	if (!value)
		return true;
	if (value->size > LIST_MAX)
		return ntfs_record_damaged(err, "damaged: its attribute list is too long");
	*size = value->size;
	*list = talloc_size(ctx, value->size + 1);
	return *list ? ntfs_value_read(ntfs, value, 0, *list, value->size, err) : error_memory(err);
}

/* The record of a list's entry: that of BASE, the *LAST one, or one that is read, on TMP. */
static const struct ntfs_record *listed_in(TALLOC_CTX *tmp, struct ntfs *ntfs,
                                           const struct ntfs_record *base,
                                           const struct list_entry *entry,
                                           struct ntfs_record **last, struct error *err)
{
	uint64_t number_of = le64_get(entry->record) & NTFS_NUMBER;
	struct ntfs_record *record = *last;

	if (number_of == base->number)
		return base;
	if (record && record->number == number_of)
		return record;
	talloc_free(record);
	record = ntfs_record_read(tmp, ntfs, number_of, err);
	*last = record;
	if (record &&
	    (!(record->flags & NTFS_RECORD_USED) || (record->base & NTFS_NUMBER) != base->number)) {
		ntfs_record_damaged(err, "damaged: a part of it is another file's");
		record = NULL;
	}
	return record;
}

/* The attributes in the order of the list, which is that of their clusters. */
static bool each_listed(TALLOC_CTX *tmp, struct ntfs *ntfs, const struct ntfs_record *base,
                        struct bytes list, ntfs_see_fn *see, void *data, struct error *err)
{
	const struct list_entry *entry;
	struct ntfs_record *last = NULL;

	for (uint64_t at = 0; (entry = bytes_at(list, at, sizeof(*entry))) != NULL;
	     at += le16_get(entry->length)) {
		const struct ntfs_record *record;

		if (le16_get(entry->length) < sizeof(*entry))
			return ntfs_record_damaged(err,
			                           "damaged: its attribute list makes no sense");
		record = listed_in(tmp, ntfs, base, entry, &last, err);
		if (!record || !each_of(record, entry, see, data, err))
			return false;
	}
	return true;
}

bool ntfs_value_each(struct ntfs *ntfs, const struct ntfs_record *base, ntfs_see_fn *see,
                     void *data, struct error *err)
{
	TALLOC_CTX *tmp = talloc_new(NULL);
	uint64_t size = 0;
	uint8_t *list = NULL;
	bool done;

	if (!tmp)
		return error_memory(err);
	done = read_list(tmp, ntfs, base, &list, &size, err);
	if (done && list)
		done = each_listed(tmp, ntfs, base, (struct bytes){ list, size }, see, data, err);
	else if (done)
		done = each_of(base, NULL, see, data, err);
	talloc_free(tmp);
	return done;
}

bool ntfs_value_open(TALLOC_CTX *ctx, struct ntfs *ntfs, const struct ntfs_record *base,
                     uint32_t type, const char *name, struct ntfs_value **value, struct error *err)
{
	struct wanted wanted = { ctx, ntfs_boot(ntfs), type, name, NULL, 0 };

	if (ntfs_value_each(ntfs, base, take, &wanted, err)) {
		*value = wanted.value;
		return true;
	}
	talloc_free(wanted.value);
	return false;
}

bool ntfs_value_read(struct ntfs *ntfs, const struct ntfs_value *value, uint64_t offset,
                     void *buffer, size_t size, struct error *err)
{
	uint8_t *to = buffer;
	uint64_t begin = 0;

	if (offset > value->size || size > value->size - offset)
		return ntfs_record_damaged(err, "damaged: a value ends too early");
	if (value->resident) {
		memcpy(to, value->data + offset, size);
		return true;
	}
	for (uint32_t i = 0; size > 0 && i < value->extent_count; i++) {
		const struct ntfs_extent *extent = &value->extents[i];
		uint64_t skip = offset - begin, part;

		begin += extent->size;
		if (skip >= extent->size)
			continue;
		part = extent->size - skip < size ? extent->size - skip : size;
		if (extent->sparse)
			memset(to, 0, part);
		else if (!ntfs_read_raw(ntfs, extent->offset + skip, to, part, err))
			return false;
		to += part;
		offset += part;
		size -= part;
	}
	return size == 0 || ntfs_record_damaged(err, "damaged: a value has too few clusters");
}
