/*
 * libFuzzer: any bytes as a hive and its transaction logs.
 *
 * Input: one byte of options (1: the relaxed rule, 2: make the hashes of the logs right), then
 * the sizes of the hive, LOG, LOG1 and LOG2 as le32, then these files one behind the other; a
 * size larger than what is left means all that is left. A log of size 0 is absent.
 *
 * A random change breaks a hash and ends the log before the entry is looked at closely; with
 * option 2 checksums and hashes are put right first.
 */
#include <stdlib.h>

#include "hive/marvin.h"
#include "hive/recover.h"

#define HEAD (1u + 4u * (1 + SOURCE_LOGS))

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool good)
{
	if (!good)
		abort();
}

static void fix_base(uint8_t *file, uint64_t size)
{
	struct regf_base *base = (struct regf_base *)file;

	if (size >= REGF_SECTOR)
		base->checksum = le32_put(regf_checksum(base));
}

static void fix_log(uint8_t *file, uint64_t size)
{
	fix_base(file, size);
	for (uint64_t at = REGF_SECTOR; at + sizeof(struct regf_log_entry) <= size;) {
		struct regf_log_entry *head = (struct regf_log_entry *)(file + at);
		uint32_t bytes = le32_get(head->size);

		if (bytes < sizeof(*head) || bytes > size - at)
			return;
		head->hash1 = le64_put(marvin_hash(
			(struct bytes){ (uint8_t *)(head + 1), bytes - sizeof(*head) }));
		head->hash2 = le64_put(marvin_hash((struct bytes){ (uint8_t *)head, 32 }));
		at += bytes;
	}
}

static struct image *take(TALLOC_CTX *ctx, struct bytes *left, le32 wanted, bool fix, bool log)
{
	struct bytes file = { left->data, le32_get(wanted) };
	struct error err;
	struct image *image;

	if (file.size > left->size)
		file.size = left->size;
	left->data += file.size;
	left->size -= file.size;
	image = image_copy(ctx, file, &err);
	require(image);
	if (fix && log)
		fix_log(image_data(image), file.size);
	else if (fix)
		fix_base(image_data(image), file.size);
	require(image_seal(image, &err));
	return image;
}

/* What recover.h promises of every image that is handed out. */
static void check_clean(const struct image *image, uint64_t room)
{
	const struct regf_base *base = bytes_at(image->bytes, 0, REGF_SECTOR);

	require(base && image->bytes.size <= room);
	require(memcmp(base->signature, "regf", 4) == 0);
	require(le32_get(base->sequence1) == le32_get(base->sequence2));
	require(le32_get(base->checksum) == regf_checksum(base));
}

struct walk {
	uint64_t room;
	unsigned calls;
	bool last_consistent;
	uint64_t last_hash;
};

static bool see(void *data, const struct recover_state *state, struct error *err)
{
	struct walk *walk = data;

	(void)err;
	walk->calls++;
	walk->last_consistent = state->consistent;
	check_clean(state->image, walk->room);
	if (state->log)
		require(REGF_BASE_SIZE +
		                (uint64_t)le32_get(
					((const struct regf_base *)state->image->bytes.data)
						->bins_size) <=
		        state->image->bytes.size);
	walk->last_hash = marvin_hash(state->image->bytes);
	return true;
}

static void check_recovery(TALLOC_CTX *ctx, const struct source *source,
                           const struct recover_options *options, uint64_t room)
{
	struct recovery plain, recovery;
	struct error err = { 0 };
	struct walk walk = { .room = room };
	struct image *image = recover(ctx, source, options, &plain, &err);
	struct image *again = recover_each(ctx, source, options, see, &walk, &recovery, &err);
	struct recover_options in_place = *options;

	require(!image == !again);
	if (!image) {
		require(err.kind == ERROR_BAD_NEWS || err.kind == ERROR_SOURCE);
		require(err.text[0] && !walk.calls);
		return;
	}
	require(image->sealed && bytes_equal(image->bytes, again->bytes));
	require(plain.entries == recovery.entries && plain.condition == recovery.condition);
	require(walk.calls >= recovery.entries && walk.calls <= recovery.entries + 1);
	require(walk.last_hash == marvin_hash(image->bytes));
	require(walk.last_consistent != recovery.gap);
	check_clean(image, room);
	in_place.in_place = true;
	again = recover(ctx, source, &in_place, &recovery,
	                &err); /* the last: it takes the source */
	require(again == source->hive && bytes_equal(image->bytes, again->bytes));
	require(plain.entries == recovery.entries && plain.condition == recovery.condition);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const names[SOURCE_LOGS] = { "LOG", "LOG1", "LOG2" };
	struct recover_options options = { 0 };
	struct bytes left = { data + HEAD, size - HEAD };
	uint64_t room = 2 * (uint64_t)size + (1 << 20);
	struct source *source;
	le32 sizes[1 + SOURCE_LOGS];

	if (size < HEAD)
		return 0;
	memcpy(sizes, data + 1, sizeof(sizes));
	options.relaxed = data[0] & 1;
	source = talloc_zero(NULL, struct source);
	require(source);
	source->name = talloc_strdup(source, "hive");
	source->hive = take(source, &left, sizes[0], data[0] & 2, false);
	for (int i = 0; i < SOURCE_LOGS; i++) {
		if (!le32_get(sizes[1 + i]))
			continue;
		source->logs[i].name = talloc_strdup(source, names[i]);
		source->logs[i].image = take(source, &left, sizes[1 + i], data[0] & 2, true);
	}
	check_recovery(source, source, &options, room);
	talloc_free(source);
	return 0;
}
