/*
 * Two hash tables: by address, because nearly every key shares its descriptor's bytes with
 * a key before it, and by content, so that equal bytes from two places become one.
 */
#include "hive/descriptors.h"

#include "hive/keyed.h"

struct descriptors *descriptors_new(TALLOC_CTX *ctx)
{
	struct descriptors *all = talloc_zero(ctx, struct descriptors);

	if (all)
		all->key = keyed_key();
	return all;
}

static uint32_t hash_place(const void *place)
{
	return (uint32_t)((uintptr_t)place * 0x9e3779b97f4a7c15u >> 32);
}

static uint32_t find_place(const struct descriptors *all, const void *place)
{
	uint32_t slot = hash_place(place) & (all->slots - 1);

	while (all->by_place[slot] && all->places[slot] != place)
		slot = (slot + 1) & (all->slots - 1);
	return slot;
}

static uint32_t find_bytes(const struct descriptors *all, struct bytes bytes)
{
	uint32_t slot = keyed_bytes(all->key, bytes) & (all->slots - 1);

	while (all->by_bytes[slot] && !bytes_equal(all->list[all->by_bytes[slot] - 1].bytes, bytes))
		slot = (slot + 1) & (all->slots - 1);
	return slot;
}

/* Tables twice as large; they are never more than half full. */
static bool grow(struct descriptors *all)
{
	uint32_t slots = all->slots ? 2 * all->slots : 64, old_slots = all->slots;
	uint32_t *by_place = talloc_zero_array(all, uint32_t, slots);
	uint32_t *by_bytes = talloc_zero_array(all, uint32_t, slots);
	const void **places = talloc_zero_array(all, const void *, slots);
	uint32_t *old_by_place = all->by_place;
	const void **old_places = all->places;

	if (!by_place || !by_bytes || !places)
		return false;
	talloc_free(all->by_bytes);
	all->by_place = by_place;
	all->by_bytes = by_bytes;
	all->places = places;
	all->slots = slots;
	for (uint32_t i = 0; i < all->count; i++)
		by_bytes[find_bytes(all, all->list[i].bytes)] = i + 1;
	for (uint32_t i = 0; i < old_slots; i++) {
		if (old_by_place[i]) {
			uint32_t slot = find_place(all, old_places[i]);

			by_place[slot] = old_by_place[i];
			places[slot] = old_places[i];
		}
	}
	talloc_free(old_by_place);
	talloc_free(old_places);
	return true;
}

static struct descriptor *use(struct descriptors *all, uint32_t number)
{
	struct descriptor *descriptor = &all->list[number - 1];

	descriptor->references++;
	return descriptor;
}

static bool make_room(struct descriptors *all)
{
	uint32_t room = 2 * all->room + 64;
	struct descriptor *list = talloc_realloc(all, all->list, struct descriptor, room);

	if (!list)
		return false;
	all->list = list;
	all->room = room;
	return true;
}

struct descriptor *descriptors_use(struct descriptors *all, struct bytes bytes)
{
	uint32_t place, slot;

	if (2 * (all->place_count + 1) > all->slots && !grow(all))
		return NULL;
	place = find_place(all, bytes.data);
	/* The same address with another size is another descriptor. */
	if (all->by_place[place] && all->list[all->by_place[place] - 1].bytes.size == bytes.size)
		return use(all, all->by_place[place]);
	slot = find_bytes(all, bytes);
	if (!all->by_bytes[slot]) {
		if (all->count == all->room && !make_room(all))
			return NULL;
		all->list[all->count++] = (struct descriptor){ bytes, 0, 0 };
		all->by_bytes[slot] = all->count;
	}
	if (!all->by_place[place])
		all->place_count++;
	all->by_place[place] = all->by_bytes[slot];
	all->places[place] = bytes.data;
	return use(all, all->by_bytes[slot]);
}
