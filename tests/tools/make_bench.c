/*
 * Makes what tests/bench measures, with the tests' own builders:
 *
 *	make_bench hive KEYS FILE		a hive of 3 values and about 600 bytes a key
 *	make_bench changed KEYS FILE		the same with 1 % changed and every offset moved
 *	make_bench dirty KEYS MEGABYTES FILE	the same with that much of it only in FILE.LOG1
 *	make_bench shape KEYS SUBKEYS VALUES FILE
 *						every key has up to SUBKEYS subkeys, and VALUES
 *values make_bench software KEYS FILE		the same with what the sample's node has in SOFTWARE
 *	make_bench clusdb RESOURCES FILE	a cluster database with four registry checkpoints
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/builder.h"
#include "tests/logbuilder.h"

#define FANOUT 9
#define ENTRY_PAGES 64
#define GROUP 10 /* resources in a group */

/* Numbers that look random and are the same each time. */
static uint32_t scramble(uint32_t n)
{
	n = (n ^ n >> 16) * 0x45d9f3b;
	n = (n ^ n >> 16) * 0x45d9f3b;
	return n ^ n >> 16;
}

static void add_values(struct builder_key *key, uint32_t n)
{
	char text[120];
	uint8_t data[480];
	uint32_t size = scramble(n) % sizeof(data);

	snprintf(text, sizeof(text), "%%SystemRoot%%\\System32\\component%u.dll", n);
	builder_text(key, "ImagePath", 2, text, true);
	builder_dword(key, "Start", n % 5);
	for (uint32_t i = 0; i < size; i++)
		data[i] = (uint8_t)scramble(n + i);
	snprintf(text, sizeof(text), "Settings %u", n % 100);
	builder_value(key, text, 3, data, size);
}

/* A tree of COUNT keys below TOP: every key has up to FANOUT subkeys. CHANGED: 1 % is other. */
static void add_tree(struct builder_key *top, uint32_t count, bool changed)
{
	struct builder_key **keys = calloc(count, sizeof(*keys));
	uint8_t sd[256];

	if (!keys)
		builder_fail("no memory");
	for (uint32_t i = 0; i < count; i++) {
		struct builder_key *parent = i ? keys[(i - 1) / FANOUT] : top;
		char name[64];

		snprintf(name, sizeof(name), "%s %u", i % 3 ? "Component" : "InstalledPackage", i);
		keys[i] = builder_key(parent, name, BUILDER_TIME + i);
		if (i % 500 == 0)
			builder_security(keys[i], sd, builder_sd(BUILDER_SD_PLAIN, i % 40, sd));
		add_values(keys[i], changed && i % 100 == 50 ? i + 1 : i);
	}
	free(keys);
}

static struct builder *tree(uint32_t count, bool changed)
{
	struct builder *b = builder_new(NULL);

	if (changed) {
		b->slack = 16;
		b->leaf_max = 400;
	}
	add_tree(builder_path(b, "Bench"), count, changed);
	return b;
}

static struct builder *shape(uint32_t count, uint32_t subkeys, uint32_t values)
{
	struct builder *b = builder_new(NULL);
	struct builder_key **keys = calloc(count, sizeof(*keys));
	char name[40];

	if (!keys || !subkeys)
		builder_fail("no memory, or no subkeys");
	for (uint32_t i = 0; i < count; i++) {
		snprintf(name, sizeof(name), "Component %u", i);
		keys[i] = builder_key(i ? keys[(i - 1) / subkeys] : b->root, name, 0);
		for (uint32_t k = 0; k < values; k++) {
			snprintf(name, sizeof(name), "Setting %u", k);
			builder_dword(keys[i], name, i + k);
		}
	}
	free(keys);
	return b;
}

static void write_bytes(const char *path, const void *data, size_t size)
{
	FILE *file = fopen(path, "wb");

	if (!file || fwrite(data, 1, size, file) != size || fclose(file) != 0)
		builder_fail(path);
}

/* A file to be changed; a hive can be larger than what builder_write() gives. */
static uint8_t *map(const char *path, size_t *size)
{
	int fd = open(path, O_RDWR | O_CLOEXEC);
	struct stat st;
	void *data;

	if (fd < 0 || fstat(fd, &st) != 0)
		builder_fail(path);
	*size = (size_t)st.st_size;
	data = mmap(NULL, *size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (data == MAP_FAILED)
		builder_fail(path);
	close(fd);
	return data;
}

/* The hive as a machine leaves it that loses power between the log and the hive. */
static void dirty(uint32_t count, uint32_t megabytes, const char *path)
{
	struct builder *b = tree(count, false);
	struct logbuilder *log;
	uint32_t pages, left = megabytes * 256, step, at = 0;
	uint8_t *image;
	size_t size;

	b->sequence1 = 7;
	b->sequence2 = 6;
	builder_write_file(b, path);
	image = map(path, &size);
	pages = (uint32_t)((size - 4096) / 4096);
	step = pages / left ? pages / left : 1;
	log = logbuilder_new(b, 7, pages);
	for (uint32_t sequence = 7; left && at < pages; sequence++) {
		logbuilder_entry(log, sequence, 0, pages);
		for (uint32_t i = 0; i < ENTRY_PAGES && left && at < pages;
		     i++, at += step, left--) {
			uint8_t *page = image + 4096 + (size_t)at * 4096;

			logbuilder_page(log, at, 'x');
			memcpy(log->pages + log->pages_size - 4096, page, 4096);
			memset(page, 'x', 4096);
		}
		logbuilder_finish(log);
	}
	munmap(image, size);
	write_bytes(talloc_asprintf(b, "%s.LOG1", path), log->data, log->size);
	talloc_free(b);
}

static struct builder *software(uint32_t count)
{
	struct builder *b = tree(count, false);
	struct builder_key *key = builder_path(b, "Microsoft\\Windows NT\\CurrentVersion");

	builder_string(key, "ProductName", "Windows Server 2019 Datacenter");
	builder_string(key, "CurrentVersion", "6.3");
	builder_dword(key, "CurrentMajorVersionNumber", 10);
	builder_dword(key, "CurrentMinorVersionNumber", 0);
	builder_string(key, "CurrentBuildNumber", "17763");
	return b;
}

static struct builder *clusdb(uint32_t resources)
{
	struct builder *b = builder_new(NULL);
	const char *contains[GROUP + 1] = { NULL };

	builder_string(b->root, "ClusterName", "BENCH");
	builder_string(b->root, "ClusterInstanceID", "c11b64fb-534d-4343-af1e-93244cd6cdd2");
	builder_string(b->root, "PaxosTag", "3:3:276");
	builder_string(builder_path(b, "Nodes\\1"), "NodeName", "EMDEN");
	for (uint32_t i = 0; i < resources; i++) {
		char id[40], path[80], name[80];
		struct builder_key *key;

		snprintf(id, sizeof(id), "%08x-9a3b-4c7d-8e1f-%012x", scramble(i), i);
		snprintf(path, sizeof(path), "Resources\\%s", id);
		snprintf(name, sizeof(name), "Resource %u", i);
		contains[i % GROUP] = talloc_strdup(b, id);
		contains[i % GROUP + 1] = NULL;
		key = builder_path(b, path);
		builder_string(key, "Name", name);
		builder_string(key, "Type", "Generic Service");
		add_tree(builder_below(key, "Parameters"), 3, false);
		if (i < 4) {
			snprintf(name, sizeof(name),
			         "Software\\Bench\\InstalledPackage 0\\Component %u",
			         (uint32_t[]){ 1, 2, 4, 5 }[i]);
			builder_string(builder_below(key, "RegSync"), "00000001", name);
		}
		if ((i + 1) % GROUP == 0 || i + 1 == resources) {
			snprintf(path, sizeof(path), "Groups\\%08x-2018-440e-8cca-2448974057ed", i);
			snprintf(name, sizeof(name), "Group %u", i);
			key = builder_path(b, path);
			builder_string(key, "Name", name);
			builder_multi(key, "Contains", contains);
		}
	}
	return b;
}

static uint32_t number(const char *text)
{
	return (uint32_t)strtoul(text, NULL, 10);
}

int main(int argc, char **argv)
{
	uint32_t count = argc > 3 ? number(argv[2]) : 0;
	const char *path = argc > 3 ? argv[argc - 1] : "";
	struct builder *b = NULL;

	if (argc == 5 && strcmp(argv[1], "dirty") == 0) {
		dirty(count, number(argv[3]), path);
		return 0;
	}
	if (argc == 4 && strcmp(argv[1], "hive") == 0)
		b = tree(count, false);
	else if (argc == 4 && strcmp(argv[1], "changed") == 0)
		b = tree(count, true);
	else if (argc == 4 && strcmp(argv[1], "software") == 0)
		b = software(count);
	else if (argc == 4 && strcmp(argv[1], "clusdb") == 0)
		b = clusdb(count);
	else if (argc == 6 && strcmp(argv[1], "shape") == 0)
		b = shape(count, number(argv[3]), number(argv[4]));
	else
		builder_fail("usage: see the top of tests/tools/make_bench.c");
	builder_write_file(b, path);
	talloc_free(b);
	return 0;
}
