/*
 * libFuzzer: any bytes as a quolog.log. The reader must give an answer, and what it calls sound
 * must be safe to use, and to go on with.
 *
 * Numbers, sequence numbers and checksums are put right first: a random change would otherwise
 * end every walk at the record it is in, and nothing behind a checksum would ever be seen.
 */
#include <stdlib.h>
#include <zlib.h>

#include "snapshot/quolog.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint32_t get32(const uint8_t *at)
{
	return at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

static void put32(uint8_t *at, uint32_t n)
{
	for (int i = 0; i < 4; i++)
		at[i] = (uint8_t)(n >> 8 * i);
}

static void put_right(uint8_t *log, size_t size)
{
	uint32_t crc = 0, number = 0, sequence = 0;
	size_t at = 0;

	while (size - at >= 56) {
		uint32_t length = get32(log + at + 4);

		if (length < 56 || length % 8 || length > size - at)
			return;
		if (number && log[at + 8] != 2)
			sequence++;
		if (number == 0)
			sequence = get32(log + at + 16);
		put32(log + at + 12, number++);
		put32(log + at + 16, sequence);
		put32(log + at + 20, 0);
		crc = (uint32_t)crc32(crc, log + at, length - 4);
		put32(log + at + length - 4, crc);
		at += length;
	}
}

static void use(TALLOC_CTX *ctx, const struct quolog *log)
{
	struct quolog_transaction transaction;
	struct quolog_writer *writer;
	struct error err;
	unsigned sum = 0;

	for (size_t i = 0; i < log->entry_count; i++) {
		if (log->entries[i].type != RECORD_TRANSACTION)
			continue;
		if (!quolog_transaction(ctx, log, &log->entries[i], &transaction, &err))
			abort();
		for (uint64_t j = 0; j < transaction.batch.size; j++)
			sum += transaction.batch.data[j];
		for (uint64_t j = 0; j < transaction.companion.size; j++)
			sum += transaction.companion.data[j];
	}
	/* what could be read in a manifest can be written in one */
	writer = quolog_continue(ctx, log, &err);
	if ((writer != NULL) != (log->state == QUOLOG_WHOLE))
		abort();
	if (writer && !quolog_put_manifest(writer, log->files, log->file_count, sum, &err))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	TALLOC_CTX *tmp = talloc_new(NULL);
	/* a copy of exactly this size, so that a byte too many is noticed */
	uint8_t *copy = malloc(size ? size : 1);
	struct quolog *log;
	struct error err;

	if (!tmp || !copy)
		abort();
	if (size)
		memcpy(copy, data, size);
	put_right(copy, size);
	log = quolog_read(tmp, (struct bytes){ copy, size }, &err);
	if (!log || log->sound > size || log->committed > log->sound)
		abort();
	use(tmp, log);
	talloc_free(tmp);
	free(copy);
	return 0;
}
