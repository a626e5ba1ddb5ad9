/*
 * Security cells: who uses them, how often they say they are used, and the ring they form.
 *
 * Many keys share one cell, so it is claimed by the first and counted for the others, in a
 * table with a place for each cell that some key uses or the ring names.
 */
#include "hive/check_internal.h"

static uint32_t slot_of(const struct checker *c, uint32_t cell)
{
	uint32_t slot = (cell >> 3) * 0x9e3779b1u >> 7 & (c->use_room - 1);

	while (c->uses[slot].cell != REGF_NIL && c->uses[slot].cell != cell)
		slot = (slot + 1) & (c->use_room - 1);
	return slot;
}

/* Makes the table larger before it is three quarters full. */
static bool grow(struct checker *c)
{
	struct check_use *old = c->uses;
	uint32_t old_room = c->use_room;

	if (c->use_count < old_room / 4 * 3)
		return true;
	c->use_room = old_room ? 2 * old_room : 64;
	c->uses = talloc_array(c, struct check_use, c->use_room);
	if (!c->uses) {
		c->uses = old;
		c->use_room = old_room;
		c->memory = true;
		return false;
	}
	for (uint32_t i = 0; i < c->use_room; i++)
		c->uses[i].cell = REGF_NIL;
	for (uint32_t i = 0; i < old_room; i++) {
		if (old[i].cell != REGF_NIL)
			c->uses[slot_of(c, old[i].cell)] = old[i];
	}
	talloc_free(old);
	return true;
}

static const struct regf_security *record_at(const struct checker *c, uint32_t cell)
{
	return (const void *)(c->bins.data + cell + 4);
}

static bool sid_fits(struct bytes sd, uint32_t at)
{
	const uint8_t *sid = bytes_at(sd, at, 8);

	return at == 0 || (at >= 20 && sid && sid[0] == 1 && sid[1] <= 15 &&
	                   bytes_at(sd, at, 8 + 4 * (uint64_t)sid[1]));
}

static bool acl_fits(struct bytes sd, uint32_t at)
{
	const uint8_t *acl = bytes_at(sd, at, 8);
	uint32_t size, used = 8;

	if (at == 0)
		return true;
	if (at < 20 || !acl)
		return false;
	size = acl[2] | (uint32_t)acl[3] << 8;
	if (size < 8 || !bytes_at(sd, at, size))
		return false;
	for (uint32_t left = acl[4] | (uint32_t)acl[5] << 8; left > 0; left--) {
		uint32_t ace;

		if (size - used < 4)
			return false;
		ace = acl[used + 2] | (uint32_t)acl[used + 3] << 8;
		if (ace < 4 || ace > size - used)
			return false;
		used += ace;
	}
	return true;
}

/* Are all parts of a self-relative security descriptor inside it? */
static bool descriptor_fits(struct bytes sd)
{
	const le32 *parts = bytes_at(sd, 4, 16);

	return parts && sd.data[0] == 1 && (sd.data[3] & 0x80) != 0 &&
	       sid_fits(sd, le32_get(parts[0])) && sid_fits(sd, le32_get(parts[1])) &&
	       acl_fits(sd, le32_get(parts[2])) && acl_fits(sd, le32_get(parts[3]));
}

/* Claims a security cell that is met for the first time; its slot in the table. */
static bool take(struct checker *c, uint32_t from, uint32_t cell, uint32_t *slot)
{
	enum problem_weight weight = c->depth == 1 ? PROBLEM_FATAL : PROBLEM_HEALS;
	const struct regf_security *sk;
	unsigned long long where = check_offset(cell);
	uint32_t size, room;

	if (!grow(c))
		return false;
	sk = check_claim(c, weight, from, cell, sizeof(*sk), "security cell");
	if (!sk)
		return false;
	if (memcmp(sk->signature, "sk", 2) != 0) {
		check_say_key(c, weight, cell, "security-signature",
		              "security cell 0x%llx: it begins with %02x %02x and not with \"sk\"",
		              where, sk->signature[0], sk->signature[1]);
		return false;
	}
	size = le32_get(sk->size);
	room = check_room(c, cell) - (uint32_t)sizeof(*sk);
	if (size > room)
		check_say_key(c, weight, cell, "security-descriptor",
		              "security cell 0x%llx: the descriptor has %u bytes, the cell has "
		              "room for %u",
		              where, size, room);
	else if (!descriptor_fits((struct bytes){ sk->descriptor, size }))
		check_say_key(c, PROBLEM_HEALS, cell, "security-descriptor",
		              "security cell 0x%llx: it is no sound self-relative descriptor",
		              where);
	*slot = slot_of(c, cell);
	c->uses[*slot] = (struct check_use){ .cell = cell };
	c->use_count++;
	return true;
}

void check_security_use(struct checker *c, const struct check_key *key)
{
	uint32_t cell = le32_get(key->nk->security), slot = c->recent_security;

	if (!c->uses || c->uses[slot].cell != cell || cell == REGF_NIL) {
		slot = c->uses && cell != REGF_NIL ? slot_of(c, cell) : 0;
		if ((!c->uses || cell == REGF_NIL || c->uses[slot].cell != cell) &&
		    !take(c, key->cell, cell, &slot))
			return;
		c->recent_security = slot;
	}
	c->uses[slot].keys++;
}

static void check_count(struct checker *c, const struct check_use *use)
{
	uint32_t stored = le32_get(record_at(c, use->cell)->references);

	if (stored != use->keys)
		check_say(c, stored < use->keys ? PROBLEM_HEALS : PROBLEM_NOTE, use->cell,
		          "security-count", "security cell 0x%llx: it counts %u keys, %u use it",
		          (unsigned long long)check_offset(use->cell), stored, use->keys);
}

/* The place of CELL, which the security cell FROM calls its neighbour. */
static bool neighbour(struct checker *c, uint32_t from, uint32_t cell, uint32_t *slot)
{
	if (cell != REGF_NIL) {
		*slot = slot_of(c, cell);
		if (c->uses[*slot].cell == cell)
			return true;
	}
	return take(c, from, cell, slot);
}

/* Goes round from the root key's cell; true if that comes back to where it began. */
static void walk_ring(struct checker *c, uint32_t first)
{
	uint32_t cell = first, slot = slot_of(c, first);

	if (c->uses[slot].cell != first)
		return; /* the root key's own cell is bad, which has been said */
	for (;;) {
		uint32_t next = le32_get(record_at(c, cell)->next);

		c->uses[slot].in_ring = 1;
		if (!neighbour(c, cell, next, &slot))
			return;
		if (le32_get(record_at(c, next)->previous) != cell)
			check_say(c, PROBLEM_HEALS, next, "security-ring",
			          "security cell 0x%llx: the cell before it in the ring is 0x%llx, "
			          "not 0x%llx",
			          (unsigned long long)check_offset(next),
			          (unsigned long long)check_offset(cell),
			          (unsigned long long)check_offset(
					  le32_get(record_at(c, next)->previous)));
		if (c->uses[slot].in_ring)
			break;
		cell = next;
	}
}

void check_security_ring(struct checker *c)
{
	if (c->root_security != REGF_NIL && c->uses)
		walk_ring(c, c->root_security);
	for (uint32_t i = 0; i < c->use_room; i++) {
		const struct check_use *use = &c->uses[i];

		if (use->cell == REGF_NIL)
			continue;
		check_count(c, use);
		if (!use->in_ring)
			check_say(c, PROBLEM_HEALS, use->cell, "security-ring",
			          "security cell 0x%llx: the ring of security cells that begins at "
			          "the root key does not lead to it",
			          (unsigned long long)check_offset(use->cell));
	}
}
