/*
 * graft HIVE OUT [KEY FROM]...
 *
 * Writes to OUT the hive HIVE with each KEY replaced by the root of the hive FROM. Logs beside
 * hives are replayed. Prints a line for each: "made" or "replaced", and the key. Exit status
 * as the program's.
 */
#include <stdio.h>
#include <stdlib.h>

#include "hive/graft.h"

static const struct hive *open_hive(TALLOC_CTX *ctx, const char *path, struct error *err)
{
	const struct source *source = source_read_path(ctx, path, err);

	return source ? hive_open(ctx, source, NULL, err) : NULL;
}

static bool write_image(const char *path, struct bytes bytes, struct error *err)
{
	FILE *file = fopen(path, "wb");
	bool good = file && fwrite(bytes.data, 1, bytes.size, file) == bytes.size;

	if (file && fclose(file) != 0)
		good = false;
	return good ? true : error_errno(err, ERROR_DESTINATION, "%s", path);
}

static bool run(TALLOC_CTX *ctx, char **args, uint32_t count, struct error *err)
{
	const struct hive *hive = open_hive(ctx, args[0], err);
	struct graft *grafts = talloc_zero_array(ctx, struct graft, count);
	const struct image *image;

	if (!hive || !grafts)
		return false;
	for (uint32_t i = 0; i < count; i++) {
		grafts[i].key = args[2 + 2 * i];
		grafts[i].from = open_hive(ctx, args[3 + 2 * i], err);
		if (!grafts[i].from)
			return false;
	}
	image = graft_hive(ctx, hive, grafts, count, err);
	if (!image || !write_image(args[1], image->bytes, err))
		return false;
	for (uint32_t i = 0; i < count; i++)
		printf("%s %s\n", grafts[i].made ? "made" : "replaced", grafts[i].key);
	return true;
}

int main(int argc, char **argv)
{
	TALLOC_CTX *ctx = talloc_new(NULL);
	struct error err = { 0 };

	if (argc < 3 || argc % 2 == 0)
		return 2;
	if (!run(ctx, argv + 1, (uint32_t)(argc - 3) / 2, &err))
		fprintf(stderr, "%s\n", err.text);
	talloc_free(ctx);
	return (int)err.kind;
}
