/* See small_node.h; everything is written by the tests' own builder. */
#include "tests/small_node.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "tests/logbuilder.h"

#define PAGE 4096u

static struct builder *cluster_tree(TALLOC_CTX *ctx)
{
	static const char *const contains[] = { SMALL_NODE_RESOURCE, NULL };
	struct builder *b = builder_new(ctx);
	struct builder_key *key;

	builder_root_name(b, "Cluster");
	builder_string(b->root, "ClusterName", "SMALL");
	builder_string(b->root, "ClusterInstanceID", "cccccccc-dddd-4eee-8fff-000000000000");
	builder_string(b->root, "PaxosTag", "3:3:100");
	key = builder_path(b, "Nodes\\1");
	builder_string(key, "NodeName", "NODE1");
	builder_dword(key, "NodeHighestVersion", 10u << 16 | 17763);
	key = builder_path(b, "Groups\\" SMALL_NODE_GROUP);
	builder_string(key, "Name", "Group");
	builder_multi(key, "Contains", contains);
	key = builder_path(b, "Resources\\" SMALL_NODE_RESOURCE);
	builder_string(key, "Name", "Service");
	builder_string(key, "Type", "Generic Service");
	builder_string(builder_below(key, "RegSync"), "00000001", "Software\\App");
	return b;
}

struct small_node small_node_new(TALLOC_CTX *ctx)
{
	struct small_node node = { cluster_tree(ctx), builder_new(ctx), builder_new(ctx) };
	struct builder_key *key;

	key = builder_path(node.software, "Microsoft\\Windows NT\\CurrentVersion");
	builder_string(key, "ProductName", "Windows Server 2019 Datacenter");
	builder_string(key, "CurrentVersion", "6.3");
	builder_string(key, "CurrentBuild", "17763");
	builder_string(builder_path(node.software, "App"), "Setting", "value");
	builder_dword(builder_path(node.system, "Select"), "Current", 1);
	builder_string(
		builder_path(node.system, "ControlSet001\\Control\\ComputerName\\ComputerName"),
		"ComputerName", "NODE1");
	builder_dword(builder_path(node.system, "ControlSet001\\Services\\ClusSvc"), "Start", 2);
	return node;
}

static void make(const char *path, const char *folder)
{
	char *name = talloc_asprintf(NULL, "%s/%s", path, folder);

	if (mkdir(name, 0700) != 0)
		builder_fail(name);
	talloc_free(name);
}

static void put(struct builder *b, const char *path, const char *file)
{
	char *name = talloc_asprintf(NULL, "%s/%s", path, file);

	builder_write_file(b, name);
	talloc_free(name);
}

void small_node_write(struct small_node *node, const char *path)
{
	make(path, "Windows");
	make(path, "Windows/Cluster");
	make(path, "Windows/System32");
	make(path, "Windows/System32/config");
	put(node->cluster, path, "Windows/Cluster/CLUSDB");
	put(node->software, path, "Windows/System32/config/SOFTWARE");
	put(node->system, path, "Windows/System32/config/SYSTEM");
}

static void put_bytes(const char *path, const char *name, const void *data, size_t size)
{
	char *whole = talloc_asprintf(NULL, "%s/Windows/Cluster/%s", path, name);
	FILE *file = fopen(whole, "we");

	if (!file || fwrite(data, 1, size, file) != size || fclose(file) != 0)
		builder_fail(whole);
	talloc_free(whole);
}

/* A log of one entry, SEQUENCE: all bins of the tree as it is now. */
static void put_log(struct builder *b, uint32_t sequence, const char *path, const char *name)
{
	TALLOC_CTX *tmp = talloc_new(NULL);
	size_t size;
	uint8_t *hive = builder_write(b, &size);
	uint32_t pages = (uint32_t)(size / PAGE) - 1;
	struct logbuilder *log = logbuilder_new(tmp, sequence, pages);

	logbuilder_entry(log, sequence, 0, pages);
	logbuilder_reference(log, 0, pages * PAGE, 'x');
	memcpy(log->pages, hive + PAGE, pages * PAGE);
	logbuilder_finish(log);
	put_bytes(path, name, log->data, log->size);
	talloc_free(hive);
	talloc_free(tmp);
}

void small_node_dirty(struct small_node *node, const char *path)
{
	struct builder *b = node->cluster;
	size_t size;
	uint8_t *hive;

	b->sequence1 = 8;
	b->sequence2 = 7;
	hive = builder_write(b, &size);
	put_bytes(path, "CLUSDB", hive, size);
	builder_dword(b->root, "Logged1", 1);
	put_log(b, 8, path, "CLUSDB.LOG1");
	builder_dword(b->root, "Logged2", 2);
	put_log(b, 9, path, "CLUSDB.LOG2");
	put_bytes(path, "CLUSDB.blf", "transactions", 12);
	talloc_free(hive);
}
