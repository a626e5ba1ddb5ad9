/*
 * The volume header of the Volume Shadow Snapshot format (libvshadow's documentation of it, "Volume
 * header"): at offset 0x1e00 the identifier 3808876b-c176-4e48-b7ae-04046e6cc752, at 0x28 behind
 * that a record type of 1, at 0x30 the offset of the catalog, which is 0 where there is none.
 */
#include "checkpoint/disk/shadow_header.h"

#include <string.h>

#define HEADER_OFFSET 0x1e00u

bool shadow_header(struct medium *medium, bool *has, struct error *err)
{
	static const uint8_t identifier[16] = { 0x6b, 0x87, 0x08, 0x38, 0x76, 0xc1, 0x48, 0x4e,
		                                0xb7, 0xae, 0x04, 0x04, 0x6e, 0x6c, 0xc7, 0x52 };
	uint8_t header[sizeof(identifier)];

	*has = false;
	if (medium->size < HEADER_OFFSET + sizeof(header))
		return true;
	if (!medium_read(medium, HEADER_OFFSET, header, sizeof(header), err))
		return false;
	*has = memcmp(header, identifier, sizeof(identifier)) == 0;
	return true;
}
