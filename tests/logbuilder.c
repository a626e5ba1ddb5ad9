/* Hives of plain pages, and logs. No memory ends the program: tests have no use for it. */
#include "tests/logbuilder.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PAGE 4096u

static uint8_t *grow(TALLOC_CTX *ctx, uint8_t *data, size_t size)
{
	data = talloc_realloc_size(ctx, data, size);
	if (!data) {
		fprintf(stderr, "logbuilder: no memory\n");
		abort();
	}
	return data;
}

void logbuilder_put32(uint8_t *at, uint32_t n)
{
	for (int i = 0; i < 4; i++)
		at[i] = (uint8_t)(n >> (8 * i));
}

uint32_t logbuilder_get32(const uint8_t *at)
{
	return at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

static void put64(uint8_t *at, uint64_t n)
{
	logbuilder_put32(at, (uint32_t)n);
	logbuilder_put32(at + 4, (uint32_t)(n >> 32));
}

void logbuilder_checksum(uint8_t *base)
{
	uint8_t sum[4] = { 0 };
	uint32_t word;

	for (int i = 0; i < 508; i++)
		sum[i % 4] ^= base[i];
	word = logbuilder_get32(sum);
	if (word == 0)
		word = 1;
	if (word == 0xffffffff)
		word = 0xfffffffe;
	logbuilder_put32(base + 508, word);
}

static void base_block(uint8_t *base, uint32_t type, uint32_t sequence1, uint32_t sequence2,
                       uint32_t pages)
{
	memset(base, 0, 512);
	memcpy(base, "regf", 4);
	logbuilder_put32(base + 4, sequence1);
	logbuilder_put32(base + 8, sequence2);
	put64(base + 12, LOGBUILDER_TIME);
	logbuilder_put32(base + 20, 1);
	logbuilder_put32(base + 24, 5);
	logbuilder_put32(base + 28, type);
	logbuilder_put32(base + 32, 1);
	logbuilder_put32(base + 36, 32);
	logbuilder_put32(base + 40, pages * PAGE);
	logbuilder_put32(base + 44, 1);
	memcpy(base + 48, "t\0e\0s\0t\0", 8);
	logbuilder_checksum(base);
}

void logbuilder_bin(uint8_t *page, uint32_t number, char letter)
{
	memset(page, letter, PAGE);
	memset(page, 0, 32);
	memcpy(page, "hbin", 4);
	logbuilder_put32(page + 4, number * PAGE);
	logbuilder_put32(page + 8, PAGE);
	if (!number)
		put64(page + 20, LOGBUILDER_TIME);
}

uint8_t *logbuilder_hive(TALLOC_CTX *ctx, uint32_t pages, uint32_t sequence1, uint32_t sequence2,
                         size_t *size)
{
	uint8_t *hive;

	*size = (size_t)PAGE * (pages + 1);
	hive = grow(ctx, NULL, *size);
	memset(hive, 0, PAGE);
	base_block(hive, 0, sequence1, sequence2, pages);
	for (uint32_t i = 0; i < pages; i++)
		logbuilder_bin(hive + (size_t)PAGE * (i + 1), i, 'a');
	return hive;
}

struct logbuilder *logbuilder_new(TALLOC_CTX *ctx, uint32_t sequence, uint32_t hive_pages)
{
	struct logbuilder *log = talloc_zero(ctx, struct logbuilder);

	log->data = grow(log, NULL, 512);
	log->size = 512;
	base_block(log->data, 6, sequence, sequence, hive_pages);
	return log;
}

void logbuilder_entry(struct logbuilder *log, uint32_t sequence, uint32_t flags,
                      uint32_t hive_pages)
{
	uint8_t *head;

	log->entry = log->size;
	log->size += 40;
	log->data = grow(log, log->data, log->size);
	head = log->data + log->entry;
	memset(head, 0, 40);
	memcpy(head, "HvLE", 4);
	logbuilder_put32(head + 8, flags);
	logbuilder_put32(head + 12, sequence);
	logbuilder_put32(head + 16, hive_pages * PAGE);
	log->references = 0;
	log->pages_size = 0;
}

static uint8_t *new_reference(struct logbuilder *log, uint32_t offset, uint32_t size)
{
	log->data = grow(log, log->data, log->size + 8);
	logbuilder_put32(log->data + log->size, offset);
	logbuilder_put32(log->data + log->size + 4, size);
	log->size += 8;
	log->references++;
	log->pages = grow(log, log->pages, log->pages_size + size + 1);
	log->pages_size += size;
	return log->pages + log->pages_size - size;
}

void logbuilder_page(struct logbuilder *log, uint32_t number, char letter)
{
	logbuilder_bin(new_reference(log, number * PAGE, PAGE), number, letter);
}

void logbuilder_reference(struct logbuilder *log, uint32_t offset, uint32_t size, char letter)
{
	memset(new_reference(log, offset, size), letter, size);
}

void logbuilder_finish(struct logbuilder *log)
{
	size_t used = log->size + log->pages_size, end = (used + PAGE - 1) / PAGE * PAGE;

	log->data = grow(log, log->data, end);
	if (log->pages_size)
		memcpy(log->data + log->size, log->pages, log->pages_size);
	memset(log->data + used, 0xa5, end - used);
	log->size = end;
	logbuilder_put32(log->data + log->entry + 4, (uint32_t)(end - log->entry));
	logbuilder_put32(log->data + log->entry + 20, log->references);
	logbuilder_hash(log, log->entry);
}

void logbuilder_hash(struct logbuilder *log, size_t at)
{
	uint32_t size = logbuilder_get32(log->data + at + 4);

	if (size >= 40 && size <= log->size - at)
		put64(log->data + at + 24, logbuilder_marvin(log->data + at + 40, size - 40));
	put64(log->data + at + 32, logbuilder_marvin(log->data + at, 32));
}

struct logbuilder *logbuilder_old(TALLOC_CTX *ctx, uint32_t type, uint32_t sequence,
                                  uint32_t hive_pages, const char *sectors)
{
	struct logbuilder *log = logbuilder_new(ctx, sequence, hive_pages);
	size_t bitmap = 516, first = (516 + hive_pages + 511) / 512 * 512;

	log->data = grow(log, log->data, first + 512 * (strlen(sectors) + 3));
	memset(log->data, 0x5e, first + 512 * (strlen(sectors) + 3));
	base_block(log->data, type, sequence, sequence, hive_pages);
	memcpy(log->data + 512, "DIRT", 4);
	memset(log->data + bitmap, 0, hive_pages);
	log->size = first;
	for (size_t i = 0; sectors[i]; i++) {
		if (sectors[i] == ' ')
			continue;
		log->data[bitmap + i / 8] |= (uint8_t)(1 << i % 8);
		memset(log->data + log->size, sectors[i], 512);
		log->size += 512;
	}
	log->size += 2 * 512;
	return log;
}

static void marvin_mix(uint32_t s[2], uint32_t word)
{
	static const unsigned turn[4] = { 20, 9, 27, 19 };

	s[0] += word;
	for (int i = 0; i < 4; i++) {
		uint32_t *one = &s[i % 2], *other = &s[1 - i % 2];
		uint32_t turned;

		/* low and high take turns; they are xored at even steps, added at odd ones */
		*other = i % 2 ? *other + *one : *other ^ *one;
		turned = *one << turn[i] | *one >> (32 - turn[i]);
		*one = turned;
	}
}

uint64_t logbuilder_marvin(const uint8_t *data, size_t size)
{
	uint32_t s[2] = { 0x7a4e55c5, 0x82ef4d88 };

	for (size_t i = 0; i + 4 <= size; i += 4)
		marvin_mix(s, logbuilder_get32(data + i));
	marvin_mix(s, 0x80);
	marvin_mix(s, 0);
	return (uint64_t)s[1] << 32 | s[0];
}
