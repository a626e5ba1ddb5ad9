/* spec: quolog.log written a second time, from docs/quolog.md, with plain offsets. */
#ifndef TESTS_SPEC_H
#define TESTS_SPEC_H

#include <stddef.h>
#include <stdint.h>

struct file {
	uint8_t data[1 << 16];
	size_t size;
};

/* Every field of one record, as it shall stand in the file. */
struct spec {
	unsigned type, flags, number;
	uint64_t sequence, time;
	const char *origin;
	const void *payload;
	size_t stored, inflated;
};

#define GUID1 "c8d32427-7daa-4a94-ba85-850f5a920382"
#define CPT1 GUID1 "/00000001.CPT"

/* Header, checkpoint 1, transactions 2 and 3, manifest: what the rows below alter. */
enum { AT_HEADER, AT_CHECKPOINT, AT_FIRST, AT_SECOND, AT_MANIFEST, AT_END };

void spec_put(uint8_t *at, uint64_t n, int bytes);
uint64_t spec_get(const uint8_t *at, int bytes);
size_t spec_add(struct file *file, struct spec spec);
void spec_seal(struct file *file);
size_t spec_header_payload(uint8_t *out, unsigned version);
size_t spec_checkpoint_payload(uint8_t *out, const char *name);
size_t spec_transaction_payload(uint8_t *out, const char *batch, const char *companion);
size_t spec_manifest_entry(uint8_t *out, unsigned kind, const char *path, uint64_t size,
                           uint8_t digest, const char *hive, const char *key);
size_t spec_manifest_payload(uint8_t *out);
void spec_build(struct file *file, size_t at[AT_END + 1]);

#endif
