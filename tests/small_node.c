/* See small_node.h; everything is written by the tests' own builder. */
#include "tests/small_node.h"

#include <sys/stat.h>

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
