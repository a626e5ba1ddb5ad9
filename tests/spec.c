/* Nothing of snapshot/ is used here: this is the second opinion. */
#include "tests/spec.h"

#include <stdlib.h>
#include <string.h>

void spec_put(uint8_t *at, uint64_t n, int bytes)
{
	for (int i = 0; i < bytes; i++)
		at[i] = (uint8_t)(n >> 8 * i);
}

uint64_t spec_get(const uint8_t *at, int bytes)
{
	uint64_t n = 0;

	for (int i = bytes; i-- > 0;)
		n = n << 8 | at[i];
	return n;
}

/* CRC-32 as in RFC 1952, bit by bit. */
static uint32_t spec_crc_bits(uint32_t crc, const uint8_t *data, size_t size)
{
	crc = ~crc;
	for (size_t i = 0; i < size; i++) {
		crc ^= data[i];
		for (int bit = 0; bit < 8; bit++)
			crc = crc & 1 ? crc >> 1 ^ 0xedb88320 : crc >> 1;
	}
	return ~crc;
}

static size_t spec_pad8(size_t size)
{
	return (size + 7) / 8 * 8;
}

size_t spec_add(struct file *file, struct spec spec)
{
	uint8_t *at = file->data + file->size;
	size_t origin = strlen(spec.origin);
	size_t length = 48 + spec_pad8(origin) + spec_pad8(spec.stored) + 8, start = file->size;

	if (file->size + length > sizeof(file->data))
		abort();
	memset(at, 0, length);
	memcpy(at, "clql", 4);
	spec_put(at + 4, length, 4);
	spec_put(at + 8, spec.type, 2);
	spec_put(at + 10, spec.flags, 2);
	spec_put(at + 12, spec.number, 4);
	spec_put(at + 16, spec.sequence, 8);
	spec_put(at + 24, spec.time, 8);
	spec_put(at + 32, origin, 4);
	spec_put(at + 36, spec.stored, 4);
	spec_put(at + 40, spec.inflated ? spec.inflated : spec.stored, 4);
	memcpy(at + 48, spec.origin, origin);
	memcpy(at + 48 + spec_pad8(origin), spec.payload, spec.stored);
	memcpy(at + length - 8, "qEnd", 4);
	file->size += length;
	return start;
}

/* Computes all checksums anew, from the start, leaving the checksums themselves out. */
void spec_seal(struct file *file)
{
	uint32_t crc = 0;

	for (size_t at = 0; at < file->size;) {
		size_t length = spec_get(file->data + at + 4, 4);

		crc = spec_crc_bits(crc, file->data + at, length - 4);
		spec_put(file->data + at + length - 4, crc, 4);
		at += length;
	}
}

size_t spec_header_payload(uint8_t *out, unsigned version)
{
	spec_put(out, version, 4);
	spec_put(out + 4, 2, 4);
	spec_put(out + 8, 7, 4);
	spec_put(out + 12, 4, 4);
	memcpy(out + 16, "CLUSTERid-1", 11);
	return 27;
}

size_t spec_checkpoint_payload(uint8_t *out, const char *name)
{
	memset(out, 0xd1, 32);
	spec_put(out + 32, strlen(name), 4);
	spec_put(out + 36, 0, 4);
	memcpy(out + 40, name, strlen(name));
	return 40 + strlen(name);
}

size_t spec_transaction_payload(uint8_t *out, const char *batch, const char *companion)
{
	spec_put(out, strlen(batch), 4);
	spec_put(out + 4, strlen(companion), 4);
	memcpy(out + 8, batch, strlen(batch));
	memcpy(out + 8 + strlen(batch), companion, strlen(companion));
	return 8 + strlen(batch) + strlen(companion);
}

size_t spec_manifest_entry(uint8_t *out, unsigned kind, const char *path, uint64_t size,
                           uint8_t digest, const char *hive, const char *key)
{
	size_t length = spec_pad8(64 + strlen(path) + strlen(hive) + strlen(key));

	memset(out, 0, length);
	spec_put(out, length, 4);
	spec_put(out + 4, kind, 4);
	spec_put(out + 8, size, 8);
	memset(out + 16, digest, 32);
	spec_put(out + 48, strlen(path), 4);
	spec_put(out + 52, strlen(hive), 4);
	spec_put(out + 56, strlen(key), 4);
	memcpy(out + 64, path, strlen(path));
	memcpy(out + 64 + strlen(path), hive, strlen(hive));
	memcpy(out + 64 + strlen(path) + strlen(hive), key, strlen(key));
	return length;
}

size_t spec_manifest_payload(uint8_t *out)
{
	size_t at = 8;

	spec_put(out, 3, 4);
	spec_put(out + 4, 0, 4);
	at += spec_manifest_entry(out + at, 4, "Clusbackup.dat", 0, 0xe3, "", "");
	at += spec_manifest_entry(out + at, 2, CPT1, 8192, 0xc1, "SOFTWARE", "Acme\\App");
	at += spec_manifest_entry(out + at, 1, "chk0001.tmp", 4096, 0xa1, "CLUSDB", "");
	return at;
}

void spec_build(struct file *file, size_t at[AT_END + 1])
{
	uint8_t p[4096];

	file->size = 0;
	at[0] = spec_add(file,
	                 (struct spec){ 1, 0, 0, 0, 100, "", p, spec_header_payload(p, 1), 0 });
	at[1] = spec_add(file, (struct spec){ 3, 0, 1, 1, 101, "node-a CLUSDB", p,
	                                      spec_checkpoint_payload(p, "chk0001.tmp"), 0 });
	at[2] = spec_add(file,
	                 (struct spec){ 4, 0, 2, 2, 102, "node-a CLUSDB.LOG1 entry 1", p,
	                                spec_transaction_payload(p, "batch one", "more"), 0 });
	at[3] = spec_add(file, (struct spec){ 4, 2, 3, 3, 103, "times", p,
	                                      spec_transaction_payload(p, "batch two!", ""), 0 });
	at[4] = spec_add(file,
	                 (struct spec){ 2, 0, 4, 3, 104, "", p, spec_manifest_payload(p), 0 });
	at[5] = file->size;
	spec_seal(file);
}
