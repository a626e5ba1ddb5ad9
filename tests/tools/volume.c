/*
 * Prints what checkpoint/disk/volume.h shows of a volume, for scripts that compare a mounted one
 *with the same one raw.
 *
 *	volume VOLUME			all of it: a line for each name, with size and hash; of a
 *					directory with many names, most without a look-up
 *	volume VOLUME PATH...		a line for each PATH that is looked up
 *	volume --serial VOLUME		its serial number
 *	volume --read VOLUME PATH	the bytes of a file
 *
 * The path of the volume is cut off in front of texts.
 */
#include <inttypes.h>
#include <nettle/sha2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "checkpoint/disk/volume.h"

#define MANY 500u

static const char *const kinds[] = { "absent", "file", "directory", "other" };

static void print_error(const struct volume *volume, const char *path, const struct error *err)
{
	const char *text = err->text;
	size_t size = strlen(volume_path(volume));

	if (strncmp(text, volume_path(volume), size) == 0)
		text += size;
	printf("%s: error %d: %s\n", path, (int)err->kind, text);
}

/* A file by its bytes, whole and its first ones. */
static void print_file(struct volume *volume, const char *path, uint64_t size)
{
	struct error err;
	struct image *image = volume_file(NULL, volume, path, &err);
	uint8_t digest[SHA256_DIGEST_SIZE], head[16] = { 0 };
	struct sha256_ctx sha;
	size_t got = 0;

	if (!image) {
		print_error(volume, path, &err);
		return;
	}
	sha256_init(&sha);
	sha256_update(&sha, image->bytes.size, image->bytes.data);
	sha256_digest(&sha, sizeof(digest), digest);
	printf("%s: file %" PRIu64 " %" PRIu64 " ", path, size, image->bytes.size);
	for (unsigned i = 0; i < 16; i++)
		printf("%02x", digest[i]);
	if (!volume_head(volume, path, head, sizeof(head), &got, &err) ||
	    memcmp(head, image->bytes.data, got) != 0)
		printf(" and another head");
	printf(" %zu\n", got);
	talloc_free(image);
}

static bool print_path(struct volume *volume, const char *path, struct volume_entry *entry)
{
	struct error err;

	if (!volume_find(volume, volume, path, entry, &err)) {
		print_error(volume, path, &err);
		return false;
	}
	if (entry->kind == VOLUME_FILE)
		print_file(volume, entry->path, entry->size);
	else
		printf("%s: %s\n", entry->path ? entry->path : path, kinds[entry->kind]);
	return true;
}

static void print_all(struct volume *volume, const char *path)
{
	struct volume_entry entry;
	struct error err;
	uint32_t count;
	char **names;

	if (!volume_list(volume, volume, path, &names, &count, &err)) {
		print_error(volume, path, &err);
		return;
	}
	for (uint32_t i = 0; i < count; i++) {
		char *below = talloc_asprintf(volume, "%s%s%s", path, *path ? "/" : "", names[i]);

		if (count > MANY && i % MANY)
			printf("%s\n", below);
		else if (print_path(volume, below, &entry) && entry.kind == VOLUME_DIRECTORY)
			print_all(volume, entry.path);
	}
}

static int read_one(struct volume *volume, const char *path)
{
	struct error err;
	struct image *image = volume_file(volume, volume, path, &err);

	if (!image) {
		fprintf(stderr, "%s\n", err.text);
		return 4;
	}
	return fwrite(image->bytes.data, 1, image->bytes.size, stdout) == image->bytes.size ? 0 : 5;
}

int main(int argc, char **argv)
{
	bool serial = argc == 3 && strcmp(argv[1], "--serial") == 0;
	bool reads = argc == 4 && strcmp(argv[1], "--read") == 0;
	const char *path = serial || reads ? argv[2] : argv[1];
	struct volume_entry entry;
	struct volume *volume;
	struct error err;
	uint64_t number;
	int status = 0;

	if (argc < 2)
		return 2;
	volume = volume_open(NULL, path, &err);
	if (!volume) {
		fprintf(stderr, "%s\n", err.text);
		return 4;
	}
	if (serial && volume_serial(volume, &number))
		printf("%016" PRIx64 "\n", number);
	else if (serial)
		printf("unknown\n");
	else if (reads)
		status = read_one(volume, argv[3]);
	else if (argc == 2)
		print_all(volume, "");
	for (int i = 2; !serial && !reads && i < argc; i++)
		print_path(volume, argv[i], &entry);
	talloc_free(volume);
	return status;
}
