/*
 * Security cells: who uses them, how often they say they are used, and the ring they form.
 *
 * Many keys share one cell, so it is claimed by the first and counted for the others. The
 * cells that have been met are found again through a chain for each page of the hive: no
 * chain is longer than a page has cells, whatever somebody made up, as a hash table's is.
 */
#include "hive/check_internal.h"

bool check_security_begin(struct checker *c)
{
	c->use_of_page = talloc_array(c, uint32_t, c->pages + 1);
	if (!c->use_of_page)
		return false;
	memset(c->use_of_page, 0xff, (c->pages + 1) * sizeof(uint32_t)); /* CHECK_NONE */
	return true;
}

/* The place of a cell that has been met, or NULL. */
static struct check_use *find_use(const struct checker *c, uint32_t cell)
{
	uint32_t i = cell < c->bins.size ? c->use_of_page[cell / REGF_PAGE] : CHECK_NONE;

	while (i != CHECK_NONE && c->uses[i].cell != cell)
		i = c->uses[i].next;
	return i == CHECK_NONE ? NULL : &c->uses[i];
}

/* A place for a cell that has not been met; NULL if there is no memory. */
static struct check_use *new_use(struct checker *c, uint32_t cell)
{
	if (c->use_count == c->use_room) {
		uint32_t room = c->use_room + c->use_room / 2 + 64;
		struct check_use *uses = talloc_realloc(c, c->uses, struct check_use, room);

		if (!uses) {
			c->memory = true;
			return NULL;
		}
		c->uses = uses;
		c->use_room = room;
	}
	c->uses[c->use_count] =
		(struct check_use){ .cell = cell, .next = c->use_of_page[cell / REGF_PAGE] };
	c->use_of_page[cell / REGF_PAGE] = c->use_count;
	return &c->uses[c->use_count++];
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

bool check_descriptor(struct bytes sd)
{
	const le32 *parts = bytes_at(sd, 4, 16);

	return parts && sd.data[0] == 1 && (sd.data[3] & 0x80) != 0 &&
	       sid_fits(sd, le32_get(parts[0])) && sid_fits(sd, le32_get(parts[1])) &&
	       acl_fits(sd, le32_get(parts[2])) && acl_fits(sd, le32_get(parts[3]));
}

/* The record in CELL if it is a security cell that can be read. */
static const struct regf_security *claim_record(struct checker *c, enum problem_weight weight,
                                                uint32_t from, uint32_t cell)
{
	const struct regf_security *sk =
		check_claim(c, weight, from, cell, sizeof(*sk), "security cell");
	unsigned long long where = check_offset(cell);
	uint32_t size, room;

	if (!sk)
		return NULL;
	if (memcmp(sk->signature, "sk", 2) != 0) {
		check_say_key(c, weight, cell, "security-signature",
		              "security cell 0x%llx: it begins with %02x %02x and not with \"sk\"",
		              where, sk->signature[0], sk->signature[1]);
		return NULL;
	}
	size = le32_get(sk->size);
	room = check_room(c, cell) - (uint32_t)sizeof(*sk);
	if (size > room)
		check_say_key(c, weight, cell, "security-descriptor",
		              "security cell 0x%llx: the descriptor has %u bytes, the cell has "
		              "room for %u",
		              where, size, room);
	else if (!check_descriptor((struct bytes){ sk->descriptor, size }))
		check_say_key(c, PROBLEM_HEALS, cell, "security-descriptor",
		              "security cell 0x%llx: it is no sound self-relative descriptor",
		              where);
	return sk;
}

/* The place of CELL, which FROM refers to; NULL if it is no security cell, which is said. */
static struct check_use *use_of(struct checker *c, uint32_t from, uint32_t cell)
{
	enum problem_weight weight = c->depth == 1 ? PROBLEM_FATAL : PROBLEM_HEALS;
	struct check_use *use = find_use(c, cell);
	const struct regf_security *sk;

	if (use)
		return use->bad ? NULL : use;
	sk = claim_record(c, weight, from, cell);
	use = cell < c->bins.size ? new_use(c, cell) : NULL;
	if (use)
		use->bad = !sk;
	return sk ? use : NULL;
}

void check_security_use(struct checker *c, const struct check_key *key)
{
	uint32_t cell = le32_get(key->nk->security);
	struct check_use *use;

	if (c->recent_use < c->use_count && c->uses[c->recent_use].cell == cell) {
		c->uses[c->recent_use].keys++;
		return;
	}
	use = use_of(c, key->cell, cell);
	if (!use)
		return;
	use->keys++;
	c->recent_use = (uint32_t)(use - c->uses);
}

static void check_count(struct checker *c, const struct check_use *use)
{
	uint32_t stored = le32_get(record_at(c, use->cell)->references);

	if (stored != use->keys)
		check_say(c, stored < use->keys ? PROBLEM_HEALS : PROBLEM_ODD, use->cell,
		          "security-count", "security cell 0x%llx: it counts %u keys, %u use it",
		          (unsigned long long)check_offset(use->cell), stored, use->keys);
}

/* Goes round from the root key's cell until it comes back to a cell it has seen. */
static void walk_ring(struct checker *c, uint32_t first)
{
	struct check_use *use = find_use(c, first);
	uint32_t cell = first;

	if (!use || use->bad)
		return; /* the root key's own cell is bad, which has been said */
	while (!use->in_ring) {
		uint32_t next = le32_get(record_at(c, cell)->next), previous;

		use->in_ring = 1;
		use = use_of(c, cell, next);
		if (!use)
			return;
		previous = le32_get(record_at(c, next)->previous);
		if (previous != cell)
			check_say(c, PROBLEM_HEALS, next, "security-ring",
			          "security cell 0x%llx: the cell before it in the ring is 0x%llx, "
			          "not 0x%llx",
			          (unsigned long long)check_offset(next),
			          (unsigned long long)check_offset(cell),
			          (unsigned long long)check_offset(previous));
		cell = next;
	}
}

void check_security_ring(struct checker *c)
{
	if (c->root_security != REGF_NIL)
		walk_ring(c, c->root_security);
	for (uint32_t i = 0; i < c->use_count; i++) {
		const struct check_use *use = &c->uses[i];

		if (use->bad)
			continue;
		check_count(c, use);
		if (!use->in_ring)
			check_say(c, PROBLEM_HEALS, use->cell, "security-ring",
			          "security cell 0x%llx: the ring of security cells that begins at "
			          "the root key does not lead to it",
			          (unsigned long long)check_offset(use->cell));
	}
}
