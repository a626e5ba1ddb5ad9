/*
 * make_small_node DIRECTORY [VARIANT]
 *
 * Writes the disk of tests/small_node.h into the existing DIRECTORY. VARIANT:
 *
 *	secret	values that are known to hold secrets, planted as "PLANTED-..."
 *	older	an older copy of the same database
 *	other	another cluster
 *	plain	no cluster service
 *	evicted	the cluster service is disabled
 *	paths	registered paths, GUIDs and ids that would lead elsewhere
 *	damaged	a value of ClusDb and one of SOFTWARE are broken
 *	gap	ClusDb is dirty; LOG1 is damaged and LOG2 goes on behind it
 */
#include <stdio.h>
#include <string.h>

#include "tests/logbuilder.h"
#include "tests/small_node.h"

#define RESOURCE "Resources\\" SMALL_NODE_RESOURCE
#define PAGE 4096u

static void secret(struct small_node *node)
{
	struct builder_key *key = builder_path(node->cluster, RESOURCE "\\Parameters");

	builder_string(key, "Password", "PLANTED-password");
	builder_string(key, "AccountKey", "PLANTED-key");
	builder_value(key, "ResourceData", 3, "PLANTED-bytes", 13);
	builder_value(builder_path(node->cluster, "Checkpoints\\1"), "1", 3, "PLANTED-image", 13);
}

static void set(struct builder_key *key, const char *name, const char *text)
{
	key->value_count = 0;
	builder_string(key, "ClusterName", name);
	builder_string(key, "ClusterInstanceID", text);
	builder_string(key, "PaxosTag", "3:3:99");
}

static void paths(struct small_node *node)
{
	static const char *const resources[] = { "..", "../..", "/etc", "..%2f", "{x}", "." };
	static const char *const ids[] = { "../../x", "0000000g", "..", "/", "1/2", "" };
	static const char *const keys[] = { "Software\\..\\App",   "Software\\../../etc/passwd",
		                            "\\Software\\App",     "Software\\\\App",
		                            "../../../etc/passwd", "Software\\App\\..\\.." };
	char path[200];

	for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
		snprintf(path, sizeof(path), "Resources\\%s\\RegSync", resources[i]);
		builder_string(builder_path(node->cluster, path), "00000001", "Software\\App");
		snprintf(path, sizeof(path), "Resources\\%s\\CryptoSync", resources[i]);
		builder_string(builder_path(node->cluster, path), "00000001", "1\\\\../../x");
		builder_string(builder_path(node->cluster, RESOURCE "\\RegSync"), ids[i],
		               "Software\\App");
		snprintf(path, sizeof(path), "000000%02zx", 2 + i);
		builder_string(builder_path(node->cluster, RESOURCE "\\RegSync"), path, keys[i]);
	}
}

static void put(const char *directory, const char *name, const void *data, size_t size)
{
	char *path = talloc_asprintf(NULL, "%s/Windows/Cluster/%s", directory, name);
	FILE *file = fopen(path, "we");

	if (!file || fwrite(data, 1, size, file) != size || fclose(file) != 0)
		builder_fail(path);
	talloc_free(path);
}

/* The whole hive as one entry with the sequence number 9. */
static void gap(TALLOC_CTX *ctx, struct small_node *node, const char *directory)
{
	size_t size;
	uint8_t *hive = builder_write(node->cluster, &size);
	uint32_t pages = (uint32_t)(size / PAGE) - 1;
	struct logbuilder *log = logbuilder_new(ctx, 9, pages);

	logbuilder_entry(log, 9, 0, pages);
	logbuilder_reference(log, 0, pages * PAGE, 'x');
	memcpy(log->pages, hive + PAGE, pages * PAGE);
	logbuilder_finish(log);
	put(directory, "CLUSDB.LOG2", log->data, log->size);
	log = logbuilder_new(ctx, 7, pages); /* its entry is torn */
	put(directory, "CLUSDB.LOG1", log->data, log->size);
	logbuilder_put32(hive + 4, 7);
	logbuilder_put32(hive + 8, 6);
	logbuilder_checksum(hive);
	put(directory, "CLUSDB", hive, size);
}

static void damage(const char *directory, const char *name, const struct builder_value *value)
{
	char *path = talloc_asprintf(NULL, "%s/Windows/%s", directory, name);
	FILE *file = fopen(path, "r+e");

	if (!file || fseek(file, 0x1000 + (long)value->cell + 4, SEEK_SET) != 0 ||
	    fwrite("xx", 1, 2, file) != 2 || fclose(file) != 0)
		builder_fail(path);
	talloc_free(path);
}

int main(int argc, char **argv)
{
	TALLOC_CTX *tmp = talloc_new(NULL);
	struct small_node node = small_node_new(tmp);
	const char *variant = argc == 3 ? argv[2] : "";
	struct builder_key *service;

	if (argc < 2 || argc > 3) {
		fprintf(stderr, "usage: make_small_node DIRECTORY [VARIANT]\n");
		return 2;
	}
	service = builder_path(node.system, "ControlSet001\\Services\\ClusSvc");
	if (strcmp(variant, "secret") == 0)
		secret(&node);
	else if (strcmp(variant, "paths") == 0)
		paths(&node);
	else if (strcmp(variant, "older") == 0)
		set(node.cluster->root, "SMALL", "cccccccc-dddd-4eee-8fff-000000000000");
	else if (strcmp(variant, "other") == 0)
		set(node.cluster->root, "OTHER", "cccccccc-dddd-4eee-8fff-000000000001");
	else if (strcmp(variant, "plain") == 0)
		service->name[0] = 'X';
	else if (strcmp(variant, "evicted") == 0)
		service->values[0]->data[0] = 4;
	small_node_write(&node, argv[1]);
	if (strcmp(variant, "gap") == 0)
		gap(tmp, &node, argv[1]);
	if (strcmp(variant, "damaged") == 0) {
		damage(argv[1], "Cluster/CLUSDB",
		       builder_path(node.cluster, "Groups\\" SMALL_NODE_GROUP)->values[0]);
		damage(argv[1], "System32/config/SOFTWARE",
		       builder_path(node.software, "App")->values[0]);
	}
	talloc_free(tmp);
	return 0;
}
