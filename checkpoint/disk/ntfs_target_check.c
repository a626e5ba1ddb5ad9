/*
 * May the data of a file be written where it lies? Everything that NTFS can say of it must be that
 * its clusters hold its bytes, one behind the other, and nobody else's.
 *
 * Where the clusters are is read twice, by libfsntfs and by checkpoint/disk/ntfs_value.c, which
 * share no code. A volume on which the two differ is one to look at, and not one to write on.
 */
#include <stdlib.h>

#include "checkpoint/disk/ntfs_target_internal.h"

#define OWN_FILES 11u /* $MFT to $UpCase */

struct list {
	struct ntfs_extent *extents;
	uint32_t count;
};

/* What is said of the file as a whole. */
static void check_kind(struct ntfs_file *file, const char *volume, const char *path,
                       struct problems *reasons)
{
	const struct ntfs_value *data = ntfs_file_data(file);
	uint16_t flags = ntfs_file_flags(file);

	if (data->resident)
		ntfs_target_reason(reasons, "file-resident", volume, path,
		                   "its data lies in its file record, with NTFS's own");
	if (flags & NTFS_SPARSE)
		ntfs_target_reason(reasons, "file-sparse", volume, path,
		                   "it is sparse: parts of it lie nowhere");
	if (flags & NTFS_COMPRESSED)
		ntfs_target_reason(
			reasons, "file-compressed", volume, path,
			"it is compressed, so its bytes do not lie on the volume as such");
	if (flags & NTFS_ENCRYPTED)
		ntfs_target_reason(reasons, "file-encrypted", volume, path,
		                   "it is encrypted (EFS)");
	if (!data->resident && data->initialised != data->size)
		ntfs_target_reason(reasons, "file-uninitialised", volume, path,
		                   "its end was never written, and reads as zeros whatever is "
		                   "written there");
	if (ntfs_file_links(file) != 1)
		ntfs_target_reason(reasons, "file-linked", volume, path,
		                   "it has more names than one, and they would all change");
}

/* Puts pieces that follow each other together, so that two lists can be compared. */
static void merge(struct list *list)
{
	uint32_t used = 0;

	for (uint32_t i = 0; i < list->count; i++) {
		struct ntfs_extent *last = used ? &list->extents[used - 1] : NULL;

		if (last && !last->sparse && !list->extents[i].sparse &&
		    last->offset + last->size == list->extents[i].offset)
			last->size += list->extents[i].size;
		else
			list->extents[used++] = list->extents[i];
	}
	list->count = used;
}

static bool is_equal(const struct list *a, const struct list *b)
{
	for (uint32_t i = 0; a->count == b->count && i < a->count; i++) {
		if (a->extents[i].offset != b->extents[i].offset ||
		    a->extents[i].size != b->extents[i].size ||
		    a->extents[i].sparse != b->extents[i].sparse)
			return false;
	}
	return a->count == b->count;
}

static int by_offset(const void *a, const void *b)
{
	const struct ntfs_extent *one = a, *other = b;

	return (one->offset > other->offset) - (one->offset < other->offset);
}

static bool overlap(const struct list *sorted, const struct ntfs_extent *extent)
{
	uint32_t low = 0, high = sorted->count;

	while (low < high) { /* the first that ends behind the beginning of EXTENT */
		uint32_t middle = low + (high - low) / 2;

		if (sorted->extents[middle].offset + sorted->extents[middle].size <= extent->offset)
			low = middle + 1;
		else
			high = middle;
	}
	return low < sorted->count && sorted->extents[low].offset < extent->offset + extent->size;
}

/* What is wrong with where it lies, all by itself; NULL if nothing is. */
static const char *check_places(const struct list *list, const struct ntfs_target *target,
                                uint64_t size, TALLOC_CTX *tmp)
{
	uint64_t total = 0, cluster = target->boot.cluster, end = target->boot.size;
	struct list sorted = { talloc_memdup(tmp, list->extents,
		                             list->count * sizeof(*list->extents) + 1),
		               list->count };

	if (!sorted.extents)
		return "there is no memory to check where its data lies";
	for (uint32_t i = 0; i < list->count; i++) {
		const struct ntfs_extent *extent = &list->extents[i];

		if (extent->sparse)
			return "a part of it lies nowhere";
		if (extent->offset == 0 || extent->size == 0 || extent->offset % cluster ||
		    extent->size % cluster || extent->offset > end ||
		    extent->size > end - extent->offset)
			return "a part of it lies outside the volume, or on its boot sector";
		total += extent->size;
	}
	if (total < size)
		return "it has fewer clusters than bytes";
	qsort(sorted.extents, sorted.count, sizeof(*sorted.extents), by_offset);
	for (uint32_t i = 1; i < sorted.count; i++) {
		if (sorted.extents[i - 1].offset + sorted.extents[i - 1].size >
		    sorted.extents[i].offset)
			return "two parts of it lie in one place";
	}
	return NULL;
}

/* Does it lie where one of NTFS's own files does? */
static bool is_own(TALLOC_CTX *tmp, struct ntfs *ntfs, const struct list *list, bool *own,
                   struct error *err)
{
	struct list sorted = { talloc_memdup(tmp, list->extents,
		                             list->count * sizeof(*list->extents) + 1),
		               list->count };

	*own = false;
	if (!sorted.extents)
		return error_memory(err);
	qsort(sorted.extents, sorted.count, sizeof(*sorted.extents), by_offset);
	for (uint64_t number = 0; number < OWN_FILES; number++) {
		struct ntfs_record *record = ntfs_record_read(tmp, ntfs, number, err);
		struct ntfs_value *value;

		if (!record || !ntfs_value_open(tmp, ntfs, record, NTFS_TYPE_DATA, "", &value, err))
			return false;
		for (uint32_t i = 0; value && i < value->extent_count; i++)
			*own |= !value->extents[i].sparse && overlap(&sorted, &value->extents[i]);
	}
	return true;
}

static bool check_extents(TALLOC_CTX *tmp, struct ntfs_target *target, struct ntfs_file *file,
                          const char **why, struct list *list, struct error *err)
{
	const struct ntfs_value *data = ntfs_file_data(file);
	struct list own = { data->extents, data->extent_count };
	bool is_ntfs;

	if (!ntfs_extents(tmp, file, &list->extents, &list->count, err))
		return false;
	merge(list);
	merge(&own);
	if (!is_equal(list, &own)) {
		*why = "where its data lies is read in two ways, and they differ";
		return true;
	}
	*why = check_places(list, target, data->size, tmp);
	if (*why)
		return true;
	if (!is_own(tmp, ntfs_file_volume(file), list, &is_ntfs, err))
		return false;
	if (is_ntfs)
		*why = "a part of it lies where a file of NTFS's own does";
	return true;
}

bool ntfs_target_check(TALLOC_CTX *ctx, struct ntfs_target *target, struct ntfs_file *file,
                       const char *path, struct problems *reasons, struct ntfs_extent **extents,
                       uint32_t *count, struct error *err)
{
	TALLOC_CTX *tmp = talloc_new(NULL);
	uint32_t before = reasons->count;
	struct list list = { NULL, 0 };
	const char *why = NULL;
	bool done = true;

	if (!tmp)
		return error_memory(err);
	check_kind(file, target->path, path, reasons);
	if (reasons->count == before && ntfs_file_size(file) > 0)
		done = check_extents(tmp, target, file, &why, &list, err);
	if (why)
		ntfs_target_reason(reasons, "file-damaged", target->path, path, why);
	*extents = NULL;
	*count = 0;
	if (done && reasons->count == before) {
		*extents = list.extents ? talloc_steal(ctx, list.extents)
		                        : talloc_zero_array(ctx, struct ntfs_extent, 1);
		*count = list.count;
		done = *extents || error_memory(err);
	}
	talloc_free(tmp);
	return done;
}
