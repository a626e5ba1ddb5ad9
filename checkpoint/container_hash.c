/*
 * The name of a key container as the MD5 that its file is called by. The letters of Latin-1
 * are taken to be in the node's code page at the same place, as they are in Western
 * Europe's; what lies beyond is refused rather than guessed.
 */
#include <nettle/md5.h>
#include <stdio.h>
#include <string.h>

#include "checkpoint/container.h"

/* Lower case in Latin-1: letters are 0x20 apart, and two signs stand in between. */
static uint8_t lower(uint8_t c)
{
	bool capital = (c >= 'A' && c <= 'Z') || (c >= 0xc0 && c <= 0xde && c != 0xd7);

	return capital ? (uint8_t)(c + 0x20) : c;
}

/*
 * 0x80 to 0x9f are signs in Windows' code pages, and no characters of Latin-1 that are used. Takes
 * no memory: want of it must not look like a name that cannot be hashed.
 */
static bool hash_name(const char *text, uint8_t digest[MD5_DIGEST_SIZE])
{
	size_t left = strlen(text);
	struct md5_ctx md5;
	uint8_t byte = 0;

	md5_init(&md5);
	while (left) {
		uint32_t code;
		unsigned used = name_get_utf8(text, left, &code);

		if (used == 0 || code == 0 || code > 0xff || (code >= 0x80 && code < 0xa0))
			return false;
		byte = lower((uint8_t)code);
		md5_update(&md5, 1, &byte);
		text += used;
		left -= used;
	}
	byte = 0;
	md5_update(&md5, 1, &byte);
	md5_digest(&md5, MD5_DIGEST_SIZE, digest);
	return true;
}

bool container_hash(const char *text, char hash[CONTAINER_HASH])
{
	uint8_t digest[MD5_DIGEST_SIZE];

	if (!hash_name(text, digest))
		return false;
	for (unsigned i = 0; i < MD5_DIGEST_SIZE; i += 4)
		snprintf(hash + 2 * i, 9, "%02x%02x%02x%02x", digest[i + 3], digest[i + 2],
		         digest[i + 1], digest[i]);
	return true;
}
