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
 *	nameless	the database says neither what the cluster is called nor which it is
 *	namesake	another cluster of the same name
 *	many	a group names thirty resources that do not exist; thirty crypto checkpoints
 *	twisted	a registered path has a backslash before an "x"; others are no paths
 *	wrong	registered paths with a prefix, below HARDWARE, and one that another resource has
 *	forced	ForceQuorum was left behind
 *	stranger	the computer is no node of the cluster
 *	umlaut	the node's name differs in letter case, beyond ASCII
 *	dirty	ClusDb is dirty, and its logs bring two values
 *	gap	ClusDb is dirty; LOG1 is damaged and LOG2 goes on behind it
 */
#include <stdio.h>
#include <string.h>

#include "tests/logbuilder.h"
#include "tests/small_node.h"

#define RESOURCE "Resources\\" SMALL_NODE_RESOURCE
#define COMPUTER_NAME "ControlSet001\\Control\\ComputerName\\ComputerName"
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

static void many(struct small_node *node)
{
	struct builder_key *group = builder_path(node->cluster, "Groups\\" SMALL_NODE_GROUP);
	const char *contains[32] = { SMALL_NODE_RESOURCE };
	char ids[30][40], name[16], text[40];

	for (unsigned i = 0; i < 30; i++) {
		snprintf(ids[i], sizeof(ids[i]), "22222222-2222-4333-8444-0000000000%02u", i);
		contains[1 + i] = ids[i];
		snprintf(name, sizeof(name), "%08u", 1 + i);
		snprintf(text, sizeof(text), "1\\\\Container%u", i);
		builder_string(builder_path(node->cluster, RESOURCE "\\CryptoSync"), name, text);
	}
	group->value_count = 0;
	builder_string(group, "Name", "Group");
	builder_multi(group, "Contains", contains);
}

static void twisted(struct small_node *node)
{
	static const char *const paths[] = { "", "\\Software\\App", "Nowhere\\App" };
	struct builder_key *own = builder_path(node->cluster, RESOURCE "\\RegSync"), *other;
	char id[9] = "00000003";

	other = builder_path(node->cluster,
	                     "Resources\\11111111-2222-4333-8444-666666666666\\RegSync");
	builder_string(builder_path(node->software, "App\\xylophone"), "Setting", "value");
	builder_string(own, "00000002", "Software\\App\\xylophone");
	for (unsigned i = 0; i < sizeof(paths) / sizeof(paths[0]); i++, id[7]++) {
		builder_string(own, id, paths[i]);
		builder_string(other, id, paths[i]);
	}
}

static void wrong(struct small_node *node)
{
	struct builder_key *own = builder_path(node->cluster, RESOURCE "\\RegSync"), *other;

	other = builder_path(node->cluster,
	                     "Resources\\11111111-2222-4333-8444-666666666666\\RegSync");
	builder_string(own, "00000002", "HKEY_LOCAL_MACHINE\\Software\\App");
	builder_string(own, "00000003", "HARDWARE\\DESCRIPTION");
	builder_string(other, "00000001", "SOFTWARE\\app");
}

/* The key at PATH with this value alone. */
static void set_alone(struct builder *b, const char *path, const char *name, const char *text)
{
	struct builder_key *key = builder_path(b, path);

	key->value_count = 0;
	builder_string(key, name, text);
}

static void umlaut(struct small_node *node)
{
	set_alone(node->cluster, "Nodes\\1", "NodeName", "k\xc3\xb6ln");
	set_alone(node->system, COMPUTER_NAME, "ComputerName", "K\xc3\x96LN");
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
	else if (strcmp(variant, "namesake") == 0)
		set(node.cluster->root, "small", "cccccccc-dddd-4eee-8fff-000000000001");
	else if (strcmp(variant, "nameless") == 0)
		node.cluster->root->value_count = 0;
	else if (strcmp(variant, "many") == 0)
		many(&node);
	else if (strcmp(variant, "twisted") == 0)
		twisted(&node);
	else if (strcmp(variant, "wrong") == 0)
		wrong(&node);
	else if (strcmp(variant, "forced") == 0)
		builder_string(builder_below(service, "Parameters"), "ForceQuorum", "NODE1");
	else if (strcmp(variant, "stranger") == 0)
		set_alone(node.system, COMPUTER_NAME, "ComputerName", "NODE9");
	else if (strcmp(variant, "umlaut") == 0)
		umlaut(&node);
	else if (strcmp(variant, "plain") == 0)
		service->name[0] = 'X';
	else if (strcmp(variant, "evicted") == 0)
		service->values[0]->data[0] = 4;
	small_node_write(&node, argv[1]);
	if (strcmp(variant, "dirty") == 0)
		small_node_dirty(&node, argv[1]);
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
