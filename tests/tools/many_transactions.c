/*
 * many_transactions COUNT DIRECTORY
 *
 * Makes DIRECTORY/snapshot: a small cluster database and a log of COUNT transactions of three
 * changes each, in keys whose names are GUIDs as in a real one, published durably as one backup.
 * Prints the seconds that this takes, and those of a CRC-32 over the log in memory: the mean of
 * so many that a busy machine interrupts them as it does what they are compared with.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <zlib.h>

#include "hive/publish.h"
#include "hive/tree.h"
#include "snapshot/batch.h"
#include "snapshot/quolog.h"

static double read_clock(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

/* Since the call before: seconds, and those of the processor. */
static struct spent {
	double wall, processor;
} lap(void)
{
	static struct spent last;
	struct spent now = { read_clock(CLOCK_MONOTONIC), read_clock(CLOCK_PROCESS_CPUTIME_ID) };
	struct spent spent = { now.wall - last.wall, now.processor - last.processor };

	last = now;
	return spent;
}

static void must(bool done, const struct error *err)
{
	if (done)
		return;
	fprintf(stderr, "many_transactions: %s\n", err->text);
	exit(1);
}

#define GROUPS 500
#define SUMS 16
#define GROUP_KEY "Groups\\%08x-4f2c-4b7e-9d31-0c5e7a916b2d"

static char group_keys[GROUPS][80];

static struct tree *make_tree(TALLOC_CTX *ctx)
{
	static const uint8_t descriptor[20] = { 1, 0, 4, 0x80 };
	struct change change = { .op = CHANGE_SET_SECURITY,
		                 .key = "",
		                 .data = { descriptor, sizeof(descriptor) } };
	struct error err;
	struct tree *tree = tree_new(ctx, &err);

	must(tree && tree_apply(tree, &change, NULL, &err), &err);
	change = (struct change){ .op = CHANGE_CREATE_KEY, .key = "Groups" };
	must(tree_apply(tree, &change, NULL, &err), &err);
	for (unsigned i = 0; i < GROUPS; i++) {
		snprintf(group_keys[i], sizeof(group_keys[i]), GROUP_KEY, i);
		change.key = group_keys[i];
		must(tree_apply(tree, &change, NULL, &err), &err);
	}
	return tree;
}

/* Two values and the key's time. */
static void make_changes(struct batch *batch, struct tree *tree, unsigned i)
{
	le32 number = le32_put(i);
	le64 time = le64_put(132000000000000000u + i);
	struct change changes[3] = {
		{ .op = CHANGE_SET_VALUE, .name = "PersistentState", .type = 4 },
		{ .op = CHANGE_SET_VALUE, .name = "StatusInformation", .type = 11 },
		{ .op = CHANGE_SET_TIME },
	};
	struct error err;

	changes[0].data = (struct bytes){ number.b, sizeof(number) };
	changes[1].data = changes[2].data = (struct bytes){ time.b, sizeof(time) };
	for (int j = 0; j < 3; j++) {
		changes[j].key = group_keys[i * 7 % GROUPS];
		must(batch_put(batch, &changes[j], &err), &err);
		if (tree)
			must(tree_apply(tree, &changes[j], NULL, &err), &err);
	}
}

struct file {
	struct image *image;
	uint8_t digest[DIGEST_SIZE];
	struct quolog_file entry;
};

static struct file make_chk(TALLOC_CTX *ctx, struct tree *tree, const char *name)
{
	struct error err;
	struct file file = { tree_save(ctx, tree, 5, NULL, &err), { 0 }, { .path = name } };
	struct digest *digest = digest_new(ctx);

	must(file.image && tree_walk(tree, digest_sink(digest), &err), &err);
	digest_finish(digest, file.digest);
	file.entry.kind = LAYOUT_CHK;
	file.entry.size = file.image->bytes.size;
	file.entry.hive = file.entry.key = "";
	digest_bytes(file.image->bytes, file.entry.digest);
	return file;
}

static struct image *make_log(TALLOC_CTX *ctx, struct file chk[2], unsigned count)
{
	const struct quolog_identity id = { 2, "BENCH", "" };
	struct error err;
	struct quolog_writer *writer = quolog_create(ctx, &id, 1, 1, &err);
	struct quolog_transaction transaction = { .origin = "NODE CLUSDB.LOG1 entry 1" };
	struct batch *batch = batch_new(ctx, &err);
	struct quolog_file files[3] = { chk[0].entry,
		                        chk[1].entry,
		                        { .path = LAYOUT_MARKER_NAME } };
	struct image *image;

	must(quolog_put_checkpoint(writer, chk[0].entry.path, chk[0].digest, 1, "NODE", &err),
	     &err);
	for (unsigned i = 0; i < count; i++) {
		batch_clear(batch);
		make_changes(batch, NULL, i);
		must(batch_finish(batch, &transaction.batch, &transaction.companion, &err), &err);
		must(quolog_put_transaction(writer, &transaction, &err), &err);
	}
	files[2].kind = LAYOUT_MARKER;
	files[2].hive = files[2].key = "";
	digest_bytes((struct bytes){ (const uint8_t *)"", 0 }, files[2].digest);
	must(quolog_put_checkpoint(writer, chk[1].entry.path, chk[1].digest, 1, "NODE", &err) &&
	             quolog_put_manifest(writer, files, 3, 1, &err),
	     &err);
	image = quolog_finish(ctx, writer, &err);
	must(image, &err);
	return image;
}

static void publish(TALLOC_CTX *ctx, const char *path, const struct file chk[2],
                    const struct image *log)
{
	struct error err;
	struct publish_dir *dir = publish_dir_begin(ctx, path, layout_is_snapshot, &err);
	bool hidden;

	must(dir && publish_dir_file(dir, chk[0].entry.path, chk[0].image->bytes, &err) &&
	             publish_dir_file(dir, chk[1].entry.path, chk[1].image->bytes, &err) &&
	             publish_dir_file(dir, LAYOUT_LOG_NAME, log->bytes, &err) &&
	             publish_dir_marker(dir, LAYOUT_MARKER_NAME, &hidden, &err) &&
	             publish_dir_commit(dir, &err),
	     &err);
	talloc_free(dir);
}

int main(int argc, char **argv)
{
	TALLOC_CTX *ctx = talloc_new(NULL);
	unsigned count = argc == 3 ? (unsigned)strtoul(argv[1], NULL, 10) : 0;
	char *path = argc == 3 ? talloc_asprintf(ctx, "%s/snapshot", argv[2]) : NULL;
	struct spent appended, summed;
	struct file chk[2];
	struct batch *batch;
	struct image *log;
	struct tree *tree;
	struct error err;
	unsigned long crc = 0;

	if (!count)
		return 2;
	tree = make_tree(ctx);
	chk[0] = make_chk(ctx, tree, "chk0001.tmp");
	batch = batch_new(ctx, &err);
	for (unsigned i = 0; i < count; i++) {
		make_changes(batch, tree, i);
		batch_clear(batch);
	}
	chk[1] = make_chk(ctx, tree, "chk0002.tmp");
	lap();
	log = make_log(ctx, chk, count);
	publish(ctx, path, chk, log);
	appended = lap();
	for (unsigned i = 0; i < SUMS; i++)
		crc = crc32_z(0, log->bytes.data, log->bytes.size);
	summed = lap();
	printf("{\"transactions\": %u, \"log\": %llu, \"append\": [%.4f, %.4f], "
	       "\"crc32\": [%.4f, %.4f], \"crc\": %lu}\n",
	       count, (unsigned long long)log->bytes.size, appended.wall, appended.processor,
	       summed.wall / SUMS, summed.processor / SUMS, crc);
	talloc_free(ctx);
	return 0;
}
