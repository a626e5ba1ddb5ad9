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

/* 0x80 to 0x9f are signs in Windows' code pages, and no characters of Latin-1 that are used. */
static bool hash_name(struct name name, uint8_t digest[MD5_DIGEST_SIZE])
{
	struct md5_ctx md5;
	uint8_t byte = 0;

	if (!name.compressed)
		return false;
	md5_init(&md5);
	for (uint32_t i = 0; i < name.size; i++) {
		byte = lower(name.data[i]);
		if (byte == 0 || (byte >= 0x80 && byte < 0xa0))
			return false;
		md5_update(&md5, 1, &byte);
	}
	byte = 0;
	md5_update(&md5, 1, &byte);
	md5_digest(&md5, MD5_DIGEST_SIZE, digest);
	return true;
}

bool container_hash(const char *text, char hash[CONTAINER_HASH])
{
	TALLOC_CTX *tmp = talloc_new(NULL);
	uint8_t digest[MD5_DIGEST_SIZE];
	struct name name;
	bool ok;

	ok = tmp && name_from_utf8(tmp, text, strlen(text), &name) && hash_name(name, digest);
	talloc_free(tmp);
	if (!ok)
		return false;
	for (unsigned i = 0; i < MD5_DIGEST_SIZE; i += 4)
		snprintf(hash + 2 * i, 9, "%02x%02x%02x%02x", digest[i + 3], digest[i + 2],
		         digest[i + 1], digest[i]);
	return true;
}
