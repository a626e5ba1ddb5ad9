/* A few sound security descriptors, self-relative, parts in the order Windows writes them. */
#include "tests/builder.h"

#include <string.h>

#define FULL 0xf003fu
#define READ 0x20019u

/* SIDs as they lie: revision, count, authority, sub-authorities. */
static const uint8_t system_sid[12] = { 1, 1, 0, 0, 0, 0, 0, 5, 18 };
static const uint8_t admins_sid[16] = { 1, 2, 0, 0, 0, 0, 0, 5, 32, 0, 0, 0, 0x20, 2 };
static const uint8_t users_sid[16] = { 1, 2, 0, 0, 0, 0, 0, 5, 32, 0, 0, 0, 0x21, 2 };
static const uint8_t owner_sid[12] = { 1, 1, 0, 0, 0, 0, 0, 3, 0 };
static const uint8_t world_sid[12] = { 1, 1, 0, 0, 0, 0, 0, 1, 0 };

static void put(uint8_t *at, uint32_t number, unsigned size)
{
	for (; size > 0; size--, number >>= 8)
		*at++ = (uint8_t)number;
}

static uint32_t sid_size(const uint8_t *sid)
{
	return 8 + 4u * sid[1];
}

/* S-1-5-21-1111111111-222222222-333333333-RID */
static const uint8_t *user_sid(uint32_t rid, uint8_t sid[28])
{
	memcpy(sid, "\1\5\0\0\0\0\0\5", 8);
	put(sid + 8, 21, 4);
	put(sid + 12, 1111111111, 4);
	put(sid + 16, 222222222, 4);
	put(sid + 20, 333333333, 4);
	put(sid + 24, rid, 4);
	return sid;
}

/* Adds an entry to the ACL, or begins one (TYPE 0xff). */
static void ace(uint8_t *acl, unsigned type, unsigned flags, uint32_t mask, const uint8_t *sid)
{
	uint32_t used = acl[2] | (uint32_t)acl[3] << 8;
	uint8_t *at = acl + used;

	if (type == 0xff) {
		memcpy(acl, "\2\0\10\0\0\0\0\0", 8);
		return;
	}
	at[0] = (uint8_t)type;
	at[1] = (uint8_t)flags;
	put(at + 2, 8 + sid_size(sid), 2);
	put(at + 4, mask, 4);
	memcpy(at + 8, sid, sid_size(sid));
	put(acl + 2, used + 8 + sid_size(sid), 2);
	acl[4]++;
}

static uint32_t acl_size(const uint8_t *acl)
{
	return acl[2] | (uint32_t)acl[3] << 8;
}

static void allow(enum builder_sd kind, uint8_t *dacl, const uint8_t *user)
{
	ace(dacl, 0xff, 0, 0, NULL);
	if (kind == BUILDER_SD_EMPTY_DACL)
		return;
	if (kind == BUILDER_SD_PLAIN)
		ace(dacl, 0, 2, READ, users_sid);
	if (kind != BUILDER_SD_SECRET)
		ace(dacl, 0, 2, FULL, admins_sid);
	ace(dacl, 0, 2, FULL, system_sid);
	if (kind == BUILDER_SD_PLAIN)
		ace(dacl, 0, 2 | 8, FULL, owner_sid);
	if (user)
		ace(dacl, 0, 2, READ, user);
}

uint32_t builder_sd(enum builder_sd kind, uint32_t rid, uint8_t *out)
{
	uint8_t user[28], *at = out + 20;
	uint32_t control = 0x8004; /* self-relative, DACL present */

	memset(out, 0, 20);
	if (rid)
		user_sid(rid, user);
	if (kind == BUILDER_SD_PROTECTED || kind == BUILDER_SD_SECRET)
		control |= 0x1000;
	if (kind == BUILDER_SD_AUDITED) {
		control |= 0x10;
		ace(at, 0xff, 0, 0, NULL);
		ace(at, 2, 2 | 0x80, FULL, world_sid);
		put(out + 12, (uint32_t)(at - out), 4);
		at += acl_size(at);
	}
	if (kind != BUILDER_SD_NULL_DACL) {
		allow(kind, at, rid ? user : NULL);
		put(out + 16, (uint32_t)(at - out), 4);
		at += acl_size(at);
	}
	put(out + 4, (uint32_t)(at - out), 4);
	if (rid && (kind == BUILDER_SD_NULL_DACL || kind == BUILDER_SD_EMPTY_DACL))
		memcpy(at, user, 28);
	else
		memcpy(at, admins_sid, 16);
	at += sid_size(at);
	put(out + 8, (uint32_t)(at - out), 4);
	memcpy(at, system_sid, 12);
	out[0] = 1;
	put(out + 2, control, 2);
	return (uint32_t)(at - out) + 12;
}

void builder_security_kind(struct builder_key *key, enum builder_sd kind, uint32_t rid)
{
	uint8_t descriptor[256];

	builder_security(key, descriptor, builder_sd(kind, rid, descriptor));
}
