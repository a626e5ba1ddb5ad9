/*
 * fuzz_logs: writes the hives and logs from which fuzzing begins, tests/fuzz/corpus/log/, in
 * the form that tests/fuzz/fuzz_log.c describes.
 */
#include <stdio.h>
#include <string.h>

#include "tests/logbuilder.h"

static void write_case(const char *folder, const char *name, int options, const uint8_t *hive,
                       size_t size, struct logbuilder *logs[3])
{
	uint8_t head[17] = { (uint8_t)options };
	char path[4096];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	file = fopen(path, "wb");
	if (!file)
		return;
	logbuilder_put32(head + 1, (uint32_t)size);
	for (int i = 0; i < 3; i++)
		logbuilder_put32(head + 5 + 4 * i, logs[i] ? (uint32_t)logs[i]->size : 0);
	fwrite(head, 1, sizeof(head), file);
	fwrite(hive, 1, size, file);
	for (int i = 0; i < 3; i++) {
		if (logs[i])
			fwrite(logs[i]->data, 1, logs[i]->size, file);
	}
	fclose(file);
}

/* COUNT entries from SEQUENCE on; ends where its data ends, so that the files stay small. */
static struct logbuilder *new_log(TALLOC_CTX *ctx, uint32_t sequence, uint32_t count)
{
	struct logbuilder *log = logbuilder_new(ctx, sequence, 1);

	for (uint32_t i = 0; i < count; i++) {
		logbuilder_entry(log, sequence + i, i & 1, 1 + i % 2);
		logbuilder_reference(log, i % 2 ? 4096 : 512 * i, 512, (char)('b' + i));
		logbuilder_finish(log);
	}
	return log;
}

int main(int argc, char **argv)
{
	TALLOC_CTX *ctx = talloc_new(NULL);
	size_t size;
	uint8_t *hive = logbuilder_hive(ctx, 1, 7, 6, &size), *clean;

	if (argc != 2)
		return 2;
	for (int fix = 0; fix <= 2; fix += 2) {
		const char *name = fix ? "two-logs-hashed" : "two-logs";

		write_case(
			argv[1], name, fix, hive, size,
			(struct logbuilder *[3]){ NULL, new_log(ctx, 9, 1), new_log(ctx, 7, 2) });
		name = fix ? "old-log-hashed" : "old-log";
		write_case(argv[1], name, fix, hive, size,
		           (struct logbuilder *[3]){ logbuilder_old(ctx, 1, 7, 2, "b  c   d") });
	}
	write_case(argv[1], "gap", 2, hive, size,
	           (struct logbuilder *[3]){ NULL, new_log(ctx, 7, 0), new_log(ctx, 9, 1) });
	write_case(argv[1], "stub", 2, hive, 512, (struct logbuilder *[3]){ new_log(ctx, 7, 1) });
	clean = logbuilder_hive(ctx, 1, 7, 7, &size);
	write_case(argv[1], "clean", 0, clean, size,
	           (struct logbuilder *[3]){ NULL, new_log(ctx, 8, 1) });
	memset(clean, 0, 4096);
	write_case(argv[1], "zeroed-base", 0, clean, size,
	           (struct logbuilder *[3]){ NULL, NULL, new_log(ctx, 7, 2) });
	write_case(argv[1], "zeroed-base-old-relaxed", 1, clean, size,
	           (struct logbuilder *[3]){ logbuilder_old(ctx, 2, 7, 2, "b") });
	talloc_free(ctx);
	return 0;
}
