/*
 * bytes: a bounded view of memory, and little-endian integers as they lie on a disk.
 *
 * le16, le32 and le64 are structures, so that an on-disk field cannot be used as a
 * number by mistake, needs no alignment, and means the same on every host.
 */
#ifndef HIVE_BYTES_H
#define HIVE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct bytes {
	const uint8_t *data;
	uint64_t size;
};

/* The one place where a pointer into foreign data is made. NULL if any byte is outside. */
static inline const void *bytes_at(struct bytes in, uint64_t offset, uint64_t size)
{
	if (offset > in.size || size > in.size - offset)
		return NULL;
	return in.data + offset;
}

static inline bool bytes_equal(struct bytes a, struct bytes b)
{
	return a.size == b.size && (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}

typedef struct {
	uint8_t b[2];
} le16;
typedef struct {
	uint8_t b[4];
} le32;
typedef struct {
	uint8_t b[8];
} le64;

static inline uint16_t le16_get(le16 v)
{
	return (uint16_t)(v.b[0] | v.b[1] << 8);
}

static inline uint32_t le32_get(le32 v)
{
	return v.b[0] | (uint32_t)v.b[1] << 8 | (uint32_t)v.b[2] << 16 | (uint32_t)v.b[3] << 24;
}

static inline uint64_t le64_get(le64 v)
{
	uint64_t low =
		v.b[0] | (uint64_t)v.b[1] << 8 | (uint64_t)v.b[2] << 16 | (uint64_t)v.b[3] << 24;
	uint64_t high =
		v.b[4] | (uint64_t)v.b[5] << 8 | (uint64_t)v.b[6] << 16 | (uint64_t)v.b[7] << 24;

	return low | high << 32;
}

static inline le16 le16_put(uint16_t n)
{
	return (le16){ { (uint8_t)n, (uint8_t)(n >> 8) } };
}

static inline le32 le32_put(uint32_t n)
{
	return (le32){ { (uint8_t)n, (uint8_t)(n >> 8), (uint8_t)(n >> 16), (uint8_t)(n >> 24) } };
}

static inline le64 le64_put(uint64_t n)
{
	return (le64){ { (uint8_t)n, (uint8_t)(n >> 8), (uint8_t)(n >> 16), (uint8_t)(n >> 24),
		         (uint8_t)(n >> 32), (uint8_t)(n >> 40), (uint8_t)(n >> 48),
		         (uint8_t)(n >> 56) } };
}

#endif
