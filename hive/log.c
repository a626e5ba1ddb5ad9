/*
 * Reading one transaction log. An entry is validated whole, hashes and all its page
 * references, before anybody sees it. The odd decision: the hashes of all entries are
 * computed together at the end, because four at a time are nearly three times as fast.
 */
#include "hive/log.h"

#include "hive/marvin.h"

#define HASHED_HEADER 32u /* bytes of an entry under Hash2 */
#define OLD_BITMAP (REGF_SECTOR + 4u)

bool log_base(struct bytes file, struct regf_base *base, struct error *err)
{
	const uint8_t *start = bytes_at(file, 0, REGF_SECTOR);
	struct regf_base found = { 0 };

	if (!file.size)
		return error_set(err, ERROR_SOURCE, "the file is empty");
	if (!start)
		return error_set(err, ERROR_SOURCE, "the file has only %llu bytes",
		                 (unsigned long long)file.size);
	memcpy(&found, start, REGF_SECTOR);
	if (memcmp(found.signature, "regf", 4) != 0)
		return error_set(err, ERROR_SOURCE, "there is no regf signature");
	if (le32_get(found.checksum) != regf_checksum(&found))
		return error_set(err, ERROR_SOURCE, "the header checksum is %08x, computed %08x",
		                 le32_get(found.checksum), regf_checksum(&found));
	*base = found;
	return true;
}

bool log_read(const char *name, struct bytes bytes, struct log *log, struct error *err)
{
	struct regf_base base;
	uint32_t type;

	if (!log_base(bytes, &base, err))
		return false;
	type = le32_get(base.type);
	if (le32_get(base.sequence1) != le32_get(base.sequence2))
		return error_set(err, ERROR_SOURCE, "the header has sequence numbers %u and %u",
		                 le32_get(base.sequence1), le32_get(base.sequence2));
	if (le32_get(base.major) != 1 || le32_get(base.format) != 1)
		return error_set(err, ERROR_SOURCE, "the header has version %u and format %u",
		                 le32_get(base.major), le32_get(base.format));
	if (type != REGF_TYPE_OLD_LOG && type != REGF_TYPE_OLDEST_LOG && type != REGF_TYPE_NEW_LOG)
		return error_set(err, ERROR_SOURCE, "the header has type %u, which is no log",
		                 type);
	*log = (struct log){ name, bytes, base };
	return true;
}

/* True if the file may be so long that SIZE bytes of bins fit behind the base block. */
static bool has_room(uint64_t size, uint64_t room)
{
	return size <= REGF_BINS_MAX && REGF_BASE_SIZE + size <= room;
}

/* E8, E9: the pages fill no more than the entry, and lie in a file of believable size. */
static bool pages_check(struct log_entry *entry, uint64_t most, uint64_t room, struct error *err)
{
	uint64_t total = 0;

	for (uint32_t i = 0; i < entry->page_count; i++) {
		uint64_t offset = le32_get(entry->pages[i].offset);
		uint64_t size = le32_get(entry->pages[i].size);

		total += size;
		if (total > most)
			return error_set(err, ERROR_SOURCE, "its pages are larger than it");
		if (!has_room(offset + size, room))
			return error_set(err, ERROR_SOURCE,
			                 "it writes %llu bytes at 0x%llx, far outside the hive",
			                 (unsigned long long)size,
			                 (unsigned long long)(REGF_BASE_SIZE + offset));
	}
	entry->data.size = total;
	return true;
}

/* The entry at AT but for Hash1; *SIZE is how much of the log it takes. */
static bool entry_read(const struct log *log, uint64_t at, uint32_t want, uint64_t room,
                       struct log_entry *entry, uint32_t *size, struct error *err)
{
	const struct regf_log_entry *head = bytes_at(log->bytes, at, sizeof(*head));
	uint32_t bytes, count;

	if (!head || memcmp(head->signature, "HvLE", 4) != 0)
		return error_set(err, ERROR_SOURCE, "there is no entry");
	bytes = le32_get(head->size);
	count = le32_get(head->pages);
	if (bytes < REGF_SECTOR || bytes % REGF_SECTOR || !bytes_at(log->bytes, at, bytes))
		return error_set(err, ERROR_SOURCE, "the entry has a size of %u bytes", bytes);
	if (marvin_hash((struct bytes){ (const uint8_t *)head, HASHED_HEADER }) !=
	    le64_get(head->hash2))
		return error_set(err, ERROR_SOURCE, "the hash of the entry's head is wrong");
	if (le32_get(head->sequence) != want)
		return error_set(err, ERROR_SOURCE, "there is entry %u where %u should be",
		                 le32_get(head->sequence), want);
	*entry = (struct log_entry){ .sequence = want,
		                     .flags = le32_get(head->flags),
		                     .bins_size = le32_get(head->bins_size),
		                     .pages = (const struct regf_log_page *)(head + 1),
		                     .page_count = count };
	if (!entry->bins_size || entry->bins_size % REGF_PAGE || !has_room(entry->bins_size, room))
		return error_set(err, ERROR_SOURCE, "the entry makes the hive %u bytes long",
		                 entry->bins_size);
	if (!count || count > (bytes - sizeof(*head)) / sizeof(*entry->pages))
		return error_set(err, ERROR_SOURCE, "the entry has %u pages", count);
	entry->data.data = (const uint8_t *)(entry->pages + count);
	*size = bytes;
	return pages_check(entry, bytes - sizeof(*head) - count * sizeof(*entry->pages), room, err);
}

/* The bytes under Hash1 of an entry found by entry_read(). */
static struct bytes entry_body(const struct log_entry *entry)
{
	const struct regf_log_entry *head = (const struct regf_log_entry *)entry->pages - 1;

	return (struct bytes){ (const uint8_t *)entry->pages,
		               le32_get(head->size) - sizeof(*head) };
}

/* E4: cuts the list before the first entry whose Hash1 is wrong. */
static bool entries_hash(const struct log *log, struct log_entries *found, struct error *err)
{
	struct bytes *bodies = talloc_array(found->list, struct bytes, found->count);
	uint64_t *hashes = talloc_array(found->list, uint64_t, found->count);
	bool done = bodies && hashes;

	for (uint32_t i = 0; done && i < found->count; i++)
		bodies[i] = entry_body(&found->list[i]);
	if (done)
		marvin_hash_many(bodies, hashes, found->count);
	for (uint32_t i = 0; done && i < found->count; i++) {
		const struct regf_log_entry *head =
			(const struct regf_log_entry *)found->list[i].pages - 1;

		if (hashes[i] == le64_get(head->hash1))
			continue;
		found->count = i;
		found->end = (uint64_t)((const uint8_t *)head - log->bytes.data);
		found->why = talloc_asprintf(found->list, "the hash of entry %u is wrong",
		                             le32_get(head->sequence));
		done = found->why;
	}
	talloc_free(bodies);
	talloc_free(hashes);
	return done ? true : error_memory(err);
}

static bool entries_grow(struct log_entries *found, struct error *err)
{
	size_t room = talloc_array_length(found->list);
	struct log_entry *list;

	if (found->count < room)
		return true;
	list = talloc_realloc(NULL, found->list, struct log_entry, (unsigned)room * 2);
	if (!list)
		return error_memory(err);
	found->list = list;
	return true;
}

bool log_entries(TALLOC_CTX *ctx, const struct log *log, uint64_t room, struct log_entries *entries,
                 struct error *err)
{
	struct log_entries found = { .end = REGF_SECTOR };
	uint32_t want = log_sequence(log), size = 0;
	struct error why;

	found.list = talloc_array(ctx, struct log_entry, 16);
	if (!found.list)
		return error_memory(err);
	while (found.end < log->bytes.size) {
		if (!entries_grow(&found, err))
			goto fail;
		if (!entry_read(log, found.end, want, room, &found.list[found.count], &size,
		                &why)) {
			found.why = talloc_strdup(found.list, why.text);
			if (!found.why) {
				error_memory(err);
				goto fail;
			}
			break;
		}
		found.count++;
		found.end += size;
		want++;
	}
	if (!entries_hash(log, &found, err))
		goto fail;
	*entries = found;
	return true;
fail:
	talloc_free(found.list);
	return false;
}

/* Calls for each run of set bits are not worth a function pointer: PAGES may be NULL to count. */
static uint32_t bitmap_runs(struct bytes bitmap, struct regf_log_page *pages, uint64_t *sectors)
{
	uint64_t bits = 8 * bitmap.size, start;
	uint32_t runs = 0;

	*sectors = 0;
	for (uint64_t bit = 0; bit < bits;) {
		if (!(bitmap.data[bit / 8] >> bit % 8 & 1)) {
			bit++;
			continue;
		}
		for (start = bit; bit < bits && bitmap.data[bit / 8] >> bit % 8 & 1;)
			bit++;
		if (pages)
			pages[runs] = (struct regf_log_page){
				le32_put((uint32_t)(REGF_SECTOR * start)),
				le32_put((uint32_t)(REGF_SECTOR * (bit - start)))
			};
		runs++;
		*sectors += bit - start;
	}
	return runs;
}

bool log_dirty_pages(TALLOC_CTX *ctx, const struct log *log, uint64_t room, struct log_entry *entry,
                     struct error *err)
{
	uint32_t bins_size = le32_get(log->base.bins_size), runs;
	uint64_t first, sectors;
	struct regf_log_page *pages;
	struct bytes bitmap;
	const uint8_t *data;

	if (!bytes_at(log->bytes, REGF_SECTOR, 4) ||
	    memcmp(log->bytes.data + REGF_SECTOR, "DIRT", 4) != 0)
		return error_set(err, ERROR_SOURCE, "there is no DIRT signature");
	if (!bins_size || bins_size % REGF_PAGE || !has_room(bins_size, room))
		return error_set(err, ERROR_SOURCE, "the header makes the hive %u bytes long",
		                 bins_size);
	bitmap.size = bins_size / REGF_PAGE;
	bitmap.data = bytes_at(log->bytes, OLD_BITMAP, bitmap.size);
	if (!bitmap.data)
		return error_set(err, ERROR_SOURCE,
		                 "the file is too short for a bitmap of %llu bytes",
		                 (unsigned long long)bitmap.size);
	runs = bitmap_runs(bitmap, NULL, &sectors);
	first = (OLD_BITMAP + bitmap.size + REGF_SECTOR - 1) / REGF_SECTOR * REGF_SECTOR;
	data = bytes_at(log->bytes, first, REGF_SECTOR * sectors);
	if (!data)
		return error_set(err, ERROR_SOURCE, "the file is too short for %llu dirty pages",
		                 (unsigned long long)sectors);
	pages = talloc_array(ctx, struct regf_log_page, runs);
	if (!pages)
		return error_memory(err);
	bitmap_runs(bitmap, pages, &sectors);
	*entry = (struct log_entry){ .sequence = log_sequence(log),
		                     .bins_size = bins_size,
		                     .pages = pages,
		                     .page_count = runs,
		                     .data = { data, REGF_SECTOR * sectors } };
	return true;
}
