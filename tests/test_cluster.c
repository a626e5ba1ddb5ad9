/* The cluster database, read from hives that the builder made byte by byte. */
#include "tests/testing.h"

#include <stdio.h>
#include <string.h>

#include "checkpoint/cluster.h"
#include "tests/builder.h"

#define CLUSTER_ID "5fad0050-4052-4494-9110-24a827265572"
#define CORE "10000000-0000-4000-8000-000000000001"
#define FILES "10000000-0000-4000-8000-000000000002"
#define DISK "a0000000-0000-4000-8000-00000000000a"
#define NAME "b0000000-0000-4000-8000-00000000000b"
#define SHARE "c0000000-0000-4000-8000-00000000000c"
#define LAN "d0000000-0000-4000-8000-00000000000d"
#define CARD "e0000000-0000-4000-8000-00000000000e"
#define NOBODY "f0000000-0000-4000-8000-00000000000f"

struct fixture {
	TALLOC_CTX *ctx;
	struct builder *b;
	struct hive *hive;
	struct cluster cluster;
};

static struct builder_key *key(struct fixture *f, const char *path)
{
	return builder_path(f->b, path);
}

static void add_resource(struct fixture *f, const char *id, const char *name, const char *type)
{
	struct builder_key *resource = builder_below(key(f, "Resources"), id);

	builder_string(resource, "Name", name);
	builder_string(resource, "Type", type);
}

/* A sound cluster of either generation. */
static void build_sound(struct fixture *f, unsigned generation)
{
	struct builder_key *root = f->b->root, *k;

	builder_string(root, "ClusterName", "SQLPROD");
	builder_string(root, "ClusterInstanceID", CLUSTER_ID);
	k = key(f, "Nodes\\1");
	builder_string(k, "NodeName", "ADA");
	builder_dword(k, "NodeHighestVersion", generation == 1 ? 4 << 16 | 3790 : 10 << 16 | 17763);
	builder_dword(k, "BuildNumber", generation == 1 ? 3790 : 17763);
	k = key(f, "Nodes\\2");
	builder_text(k, "NodeName", 1, "BOOLE", false); /* no NUL at its end */
	k = key(f, "Groups\\" CORE);
	builder_string(k, "Name", "Cluster Group");
	builder_dword(k, "PersistentState", 1);
	builder_multi(k, "Contains", (const char *const[]){ DISK, NAME, NULL });
	k = key(f, "Groups\\" FILES);
	builder_string(k, "Name", "Files");
	builder_multi(k, "Contains", (const char *const[]){ SHARE, NULL });
	add_resource(f, DISK, "Disk Q:", "Physical Disk");
	add_resource(f, NAME, "Cluster Name", "Network Name");
	add_resource(f, SHARE, "Share", "File Share");
	builder_dword(key(f, "Resources\\" SHARE), "PersistentState", 0);
	builder_string(key(f, "ResourceTypes\\Physical Disk"), "DllName", "clusres.dll");
	k = key(f, "Networks\\" LAN);
	builder_string(k, "Name", "Public");
	builder_string(k, "Address", "10.0.0.0");
	builder_string(k, "AddressMask", "255.255.255.0");
	builder_dword(k, "Role", 3);
	k = key(f, "NetworkInterfaces\\" CARD);
	builder_string(k, "Node", "1");
	builder_string(k, "Network", LAN);
	builder_string(k, "Address", "10.0.0.1");
	k = key(f, "Quorum");
	builder_string(k, "Resource", DISK);
	builder_string(k, "Path", "MSCS\\");
	builder_dword(k, "MaxQuorumLogSize", 4194304);
	if (generation == 1)
		builder_multi(key(f, "Resources\\" SHARE), "Dependencies",
		              (const char *const[]){ DISK, NAME, NULL });
	else
		builder_string(root, "PaxosTag", "4:4:102");
}

static struct fixture *new_fixture(void)
{
	struct fixture *f = talloc_zero(NULL, struct fixture);

	f->ctx = f;
	f->b = builder_new(f);
	return f;
}

static struct hive *open_hive(TALLOC_CTX *ctx, struct builder *b)
{
	struct error err = { 0 };
	struct image *image;
	struct hive *hive;
	uint8_t *data;
	size_t size;

	data = builder_write(b, &size);
	image = image_copy(ctx, (struct bytes){ data, size }, &err);
	if (!image || !image_seal(image, &err))
		fail_msg("%s", err.text);
	hive = hive_open_image(ctx, image, "CLUSDB", &err);
	if (!hive)
		fail_msg("%s", err.text);
	return hive;
}

static void read_cluster(struct fixture *f)
{
	struct error err = { 0 };

	f->hive = open_hive(f, f->b);
	if (!cluster_read(f->ctx, f->hive, &f->cluster, &err))
		fail_msg("%s", err.text);
}

static void no_problems(const struct cluster *c)
{
	if (c->problems->count)
		fail_msg("%s: %s", c->problems->list[0].code, c->problems->list[0].text);
}

/* Exactly these problems, as "code: text", in any order. */
static void expect_problems(const struct cluster *c, const char *const *expected)
{
	uint32_t count = 0;

	for (; expected[count]; count++) {
		bool found = false;

		for (uint32_t i = 0; i < c->problems->count; i++) {
			char text[512];

			snprintf(text, sizeof(text), "%s: %s", c->problems->list[i].code,
			         c->problems->list[i].text);
			found = found || strcmp(text, expected[count]) == 0;
		}
		if (!found)
			fail_msg("missing: %s (there are %u, first %s)", expected[count],
			         c->problems->count,
			         c->problems->count ? c->problems->list[0].text : "none");
	}
	assert_int_equal(c->problems->count, count);
}

static void check_things(const struct cluster *c)
{
	assert_string_equal(c->name, "SQLPROD");
	assert_string_equal(c->instance_id, CLUSTER_ID);
	assert_int_equal(c->node_count, 2);
	assert_int_equal(c->nodes[0].id, 1);
	assert_string_equal(c->nodes[0].name, "ADA");
	assert_string_equal(c->nodes[1].name, "BOOLE");
	assert_int_equal(c->group_count, 2);
	assert_string_equal(c->groups[0].id, CORE);
	assert_string_equal(c->groups[0].name, "Cluster Group");
	assert_int_equal(c->groups[0].persistent_state, 1);
	assert_int_equal(c->groups[1].persistent_state, UINT32_MAX);
	assert_string_equal(c->groups[0].contains[0], DISK);
	assert_string_equal(c->groups[0].contains[1], NAME);
	assert_null(c->groups[0].contains[2]);
	assert_int_equal(c->resource_count, 3);
	assert_string_equal(c->resources[1].id, NAME);
	assert_string_equal(c->resources[1].name, "Cluster Name");
	assert_string_equal(c->resources[1].type, "Network Name");
	assert_string_equal(c->resources[1].group, CORE);
	assert_int_equal(c->resources[1].persistent_state, UINT32_MAX);
	assert_string_equal(c->resources[2].group, FILES);
	assert_int_equal(c->resources[2].persistent_state, 0);
	assert_int_equal(c->type_count, 1);
	assert_string_equal(c->types[0].name, "Physical Disk");
	assert_string_equal(c->types[0].dll, "clusres.dll");
	assert_int_equal(c->network_count, 1);
	assert_string_equal(c->networks[0].name, "Public");
	assert_string_equal(c->networks[0].mask, "255.255.255.0");
	assert_int_equal(c->networks[0].role, 3);
	assert_int_equal(c->interface_count, 1);
	assert_string_equal(c->interfaces[0].id, CARD);
	assert_string_equal(c->interfaces[0].node, "1");
	assert_string_equal(c->interfaces[0].network, LAN);
	assert_string_equal(c->quorum_resource, DISK);
	assert_string_equal(c->quorum_path, "MSCS\\");
	assert_int_equal(c->max_quorum_log_size, 4194304);
	no_problems(c);
}

static void test_first_generation(void **state)
{
	struct fixture *f = new_fixture();
	struct cluster *c = &f->cluster;

	(void)state;
	f->b->minor = 3;
	build_sound(f, 1);
	key(f, "Nodes\\1")->time = BUILDER_TIME + 77; /* the newest */
	f->b->root->time = BUILDER_TIME - 5;
	read_cluster(f);
	check_things(c);
	assert_int_equal(c->generation, 1);
	assert_null(c->version);
	assert_false(c->tag.valid);
	assert_int_equal(c->written, BUILDER_TIME + 77);
	assert_int_equal(c->nodes[0].highest, 4 << 16 | 3790);
	assert_int_equal(c->nodes[0].build, 3790);
	assert_string_equal(c->resources[2].depends[0], DISK);
	assert_string_equal(c->resources[2].depends[1], NAME);
	assert_null(c->resources[2].depends[2]);
	assert_null(c->resources[0].depends);
	talloc_free(f);
}

static void test_second_generation(void **state)
{
	struct fixture *f = new_fixture();
	struct cluster *c = &f->cluster;

	(void)state;
	build_sound(f, 2);
	builder_multi(key(f, "Dependencies\\" SHARE), "Provider",
	              (const char *const[]){ NAME, DISK, "no GUID", NULL });
	/* the other way in which it may be written */
	builder_string(key(f, "Dependencies\\" NOBODY), "Dependent", NAME);
	builder_text(key(f, "Dependencies\\" NOBODY), "Provider", 1, "{" DISK "}", false);
	builder_value(key(f, "Checkpoints\\" SHARE), "00000001", 3, "\1\2\3\4\5\6", 6);
	read_cluster(f);
	check_things(c);
	assert_int_equal(c->generation, 2);
	assert_string_equal(c->version, "4:4:102");
	assert_true(c->tag.valid);
	assert_int_equal(c->tag.sequence, 102);
	assert_string_equal(c->resources[2].depends[0], NAME);
	assert_string_equal(c->resources[2].depends[1], DISK);
	assert_null(c->resources[2].depends[2]);
	assert_string_equal(c->resources[1].depends[0], DISK);
	assert_null(c->resources[1].depends[1]);
	talloc_free(f);
}

/* Other spellings of keys, upper case, braces, numbers as text and text as numbers. */
static void test_spellings(void **state)
{
	struct fixture *f = new_fixture();
	struct cluster *c = &f->cluster;
	struct builder_key *k;

	(void)state;
	builder_dword(f->b->root, "PAXOSTAG", 17);
	builder_value(f->b->root, "ClusterInstanceID", 3, "\x01\xab\xff\x00", 4);
	builder_string(key(f, "NODES\\3"), "NODENAME", "ADA");
	builder_string(key(f, "NODES\\3"), "NodeHighestVersion", "655360");
	k = key(f, "GROUPS\\{10000000-0000-4000-8000-000000000001}");
	builder_string(k, "CONTAINS", "A0000000-0000-4000-8000-00000000000A");
	builder_string(key(f, "RESOURCES\\A0000000-0000-4000-8000-00000000000A"), "NAME", "Disk");
	builder_dword(key(f, "Resource Types\\Physical Disk"), "Unknown", 1);
	builder_dword(key(f, "ResourceTypes\\File Share"), "Unknown", 1);
	k = key(f, "Network Interfaces\\" CARD);
	builder_string(k, "Node", "ada");
	builder_string(k, "Network", "m\xc3\x84hl");
	builder_string(key(f, "Networks\\" LAN), "Name", "M\xc3\xa4HL");
	read_cluster(f);
	no_problems(c);
	assert_string_equal(c->version, "17");
	assert_false(c->tag.valid);
	assert_string_equal(c->instance_id, "01abff00");
	assert_int_equal(c->nodes[0].id, 3);
	assert_int_equal(c->nodes[0].highest, 10 << 16);
	assert_int_equal(c->generation, 2);
	assert_string_equal(c->groups[0].id, CORE);
	assert_string_equal(c->groups[0].contains[0], DISK);
	assert_string_equal(c->resources[0].id, DISK);
	assert_string_equal(c->resources[0].group, CORE);
	assert_int_equal(c->type_count, 2);
	assert_int_equal(c->interface_count, 1);
	assert_null(c->networks[0].address);
	assert_int_equal(c->networks[0].role, UINT32_MAX);
	talloc_free(f);
}

static void test_generation_unknown(void **state)
{
	struct fixture *f = new_fixture();

	(void)state;
	key(f, "Nodes\\1");
	key(f, "Resources");
	read_cluster(f);
	assert_int_equal(f->cluster.generation, 0);
	assert_null(f->cluster.name);
	no_problems(&f->cluster);
	talloc_free(f);
}

static void test_not_a_cluster(void **state)
{
	struct fixture *f = new_fixture();
	struct cluster untouched;
	struct error err = { 0 };

	(void)state;
	key(f, "Nodes");
	key(f, "Select");
	f->hive = open_hive(f, f->b);
	memset(&f->cluster, 0x5a, sizeof(f->cluster));
	untouched = f->cluster;
	assert_false(cluster_read(f, f->hive, &f->cluster, &err));
	assert_int_equal(err.kind, ERROR_SOURCE);
	assert_string_equal(err.text, "CLUSDB: not a cluster database: it has no keys Nodes, "
	                              "Groups and Resources");
	assert_memory_equal(&f->cluster, &untouched, sizeof(untouched));
	talloc_free(f);
}

static void test_dangling(void **state)
{
	struct fixture *f = new_fixture();

	(void)state;
	build_sound(f, 2);
	builder_multi(key(f, "Groups\\" NOBODY), "Contains", (const char *const[]){ NOBODY, NULL });
	builder_string(key(f, "Resources\\" DISK), "Dependencies", NOBODY);
	builder_multi(key(f, "Dependencies\\" NAME), "Provider",
	              (const char *const[]){ DISK, CARD, NULL });
	builder_string(key(f, "Dependencies\\" LAN), "Provider", DISK);
	builder_string(key(f, "Dependencies\\" CORE), "Dependent", LAN);
	key(f, "Checkpoints\\" NOBODY);
	key(f, "Checkpoints\\not a GUID");
	builder_string(key(f, "NetworkInterfaces\\" NOBODY), "Node", "3");
	builder_string(key(f, "NetworkInterfaces\\" NOBODY), "Network", NOBODY);
	builder_string(key(f, "NetworkInterfaces\\" SHARE), "Network", "Private");
	read_cluster(f);
	expect_problems(&f->cluster,
	                (const char *const[]){
				"dangling-reference: Groups\\" NOBODY
				"\\Contains names the resource " NOBODY ", which does not exist",
				"dangling-reference: Resources\\" DISK
				"\\Dependencies names the resource " NOBODY
				", which does not exist",
				"dangling-reference: Dependencies\\" NAME
				" names the resource " CARD ", which does not exist",
				"dangling-reference: Dependencies names the resource " LAN
				", which does not exist",
				"dangling-reference: Dependencies\\" CORE " names the resource " LAN
				", which does not exist",
				"dangling-reference: Checkpoints names the resource " NOBODY
				", which does not exist",
				"dangling-reference: NetworkInterfaces\\" NOBODY
				"\\Node names the node 3, which does not exist",
				"dangling-reference: NetworkInterfaces\\" NOBODY
				"\\Network names the network " NOBODY ", which does not exist",
				"dangling-reference: NetworkInterfaces\\" SHARE
				"\\Network names the network Private, which does not exist",
				NULL });
	talloc_free(f);
}

static void test_groups(void **state)
{
	struct fixture *f = new_fixture();

	(void)state;
	build_sound(f, 1);
	add_resource(f, NOBODY, "Orphan", "File Share");
	builder_multi(key(f, "Groups\\" NOBODY), "Contains",
	              (const char *const[]){ SHARE, "../../etc", NULL });
	builder_dword(key(f, "Groups\\" LAN), "Contains", 7);
	read_cluster(f);
	expect_problems(
		&f->cluster,
		(const char *const[]){
			"resource-ungrouped: no group contains the resource " NOBODY " (Orphan)",
			"resource-ungrouped: Groups\\" NOBODY "\\Contains names the resource " SHARE
			", which the group " FILES " contains already",
			"malformed-id: Groups\\" NOBODY
			"\\Contains names \"../../etc\", which is no GUID; it is left out",
			NULL });
	assert_int_equal(f->cluster.group_count, 4);
	for (uint32_t i = 0; i < f->cluster.group_count; i++)
		assert_non_null(f->cluster.groups[i].contains);
	talloc_free(f);
}

static void test_malformed_ids(void **state)
{
	static const char *const nodes[] = { "01", "0", "1x", "-1", " 1", "123456", "Boole" };
	struct fixture *f = new_fixture();

	(void)state;
	build_sound(f, 1);
	for (unsigned i = 0; i < sizeof(nodes) / sizeof(*nodes); i++)
		builder_below(key(f, "Nodes"), nodes[i]);
	key(f, "Groups\\..");
	key(f, "Resources\\" DISK "0");
	key(f, "Resources\\{" DISK "}");
	key(f, "Networks\\Public");
	key(f, "NetworkInterfaces\\{}");
	builder_string(key(f, "Quorum"), "Resource2", "");
	read_cluster(f);
	expect_problems(
		&f->cluster,
		(const char *const[]){
			"malformed-id: Nodes has a key \"01\", which is no node's id; it is left "
			"out",
			"malformed-id: Nodes has a key \"0\", which is no node's id; it is left "
			"out",
			"malformed-id: Nodes has a key \"1x\", which is no node's id; it is left "
			"out",
			"malformed-id: Nodes has a key \"-1\", which is no node's id; it is left "
			"out",
			"malformed-id: Nodes has a key \" 1\", which is no node's id; it is left "
			"out",
			"malformed-id: Nodes has a key \"123456\", which is no node's id; it is "
			"left out",
			"malformed-id: Nodes has a key \"Boole\", which is no node's id; it is "
			"left out",
			"malformed-id: Groups has a key \"..\", which is no GUID; it is left out",
			"malformed-id: Resources has a key \"" DISK
			"0\", which is no GUID; it is left out",
			"malformed-id: Resources has two keys for " DISK "; one is left out",
			"malformed-id: Networks has a key \"Public\", which is no GUID; it is left "
			"out",
			"malformed-id: NetworkInterfaces has a key \"{}\", which is no GUID; it is "
			"left out",
			NULL });
	assert_int_equal(f->cluster.node_count, 2);
	assert_int_equal(f->cluster.resource_count, 3);
	talloc_free(f);
}

/* The quorum names nothing, no GUID, a resource that is gone. */
static void test_quorum(void **state)
{
	static const struct {
		const char *text, *problem;
	} rows[] = {
		{ "", NULL },
		{ "\\\\server\\share",
		  "malformed-id: Quorum\\Resource names \"\\\\server\\share\", "
		  "which is no GUID; it is left out" },
		{ NOBODY, "dangling-reference: Quorum\\Resource names the resource " NOBODY
		          ", which does not exist" },
	};

	(void)state;
	for (unsigned i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct fixture *f = new_fixture();

		key(f, "Nodes");
		key(f, "Resources");
		builder_string(key(f, "Quorum"), "Resource", rows[i].text);
		read_cluster(f);
		expect_problems(&f->cluster, (const char *const[]){ rows[i].problem, NULL });
		talloc_free(f);
	}
}

/* Two hundred dangling references: the list does not flood. */
static void test_many(void **state)
{
	struct fixture *f = new_fixture();
	const char *ids[101] = { NULL };

	(void)state;
	build_sound(f, 1);
	for (unsigned i = 0; i < 100; i++)
		ids[i] = talloc_asprintf(f, "%08x-0000-4000-8000-00000000000f", i);
	builder_multi(key(f, "Groups\\" NOBODY), "Contains", ids);
	builder_multi(key(f, "Resources\\" DISK), "Dependencies", ids);
	read_cluster(f);
	assert_int_equal(f->cluster.problems->count, PROBLEM_SAME);
	assert_int_equal(f->cluster.problems->list[PROBLEM_SAME - 1].more, 200 - PROBLEM_SAME);
	assert_string_equal(f->cluster.resources[0].depends[99], ids[99]);
	assert_null(f->cluster.resources[0].depends[100]);
	talloc_free(f);
}

static void test_find_resource(void **state)
{
	struct fixture *f = new_fixture();
	const struct cluster *c = &f->cluster;

	(void)state;
	build_sound(f, 1);
	add_resource(f, NOBODY, "SHARE", "File Share");
	read_cluster(f);
	assert_ptr_equal(cluster_resource(c, NAME), &c->resources[1]);
	assert_ptr_equal(cluster_resource(c, "{B0000000-0000-4000-8000-00000000000B}"),
	                 &c->resources[1]);
	assert_ptr_equal(cluster_resource(c, "cluster NAME"), &c->resources[1]);
	assert_null(cluster_resource(c, "Share")); /* two */
	assert_null(cluster_resource(c, "Cluster"));
	assert_null(cluster_resource(c, LAN));
	talloc_free(f);
}

static void test_same(void **state)
{
	struct cluster a = { .name = (char *)"Sql", .instance_id = (char *)CLUSTER_ID }, b = a;

	(void)state;
	b.name = (char *)"Other";
	assert_true(cluster_same(&a, &b));
	b = (struct cluster){ .name = (char *)"sQL", .instance_id = (char *)NOBODY };
	assert_false(cluster_same(&a, &b));
	b.instance_id = NULL;
	assert_true(cluster_same(&a, &b));
	b.name = NULL;
	assert_false(cluster_same(&a, &b));
	a.name = NULL;
	assert_false(cluster_same(&a, &b));
}

static struct cluster copy_of(const char *version, uint64_t written)
{
	struct cluster c = { .version = (char *)version, .written = written };

	if (version)
		paxos_tag_read(version, &c.tag);
	return c;
}

static void test_compare(void **state)
{
	static const struct {
		const char *a, *b;
		uint64_t time_a, time_b;
		int order;
		const char *why;
	} rows[] = {
		{ "3:3:424", "4:4:93", BUILDER_TIME + 1, BUILDER_TIME, -1,
		  "version 3:3:424 is older than 4:4:93" },
		{ "4:4:102", "4:4:99", 0, 1, 1, "version 4:4:102 is newer than 4:4:99" },
		{ "4:4:99", "4:4:99", 0, 1, 0, "version 4:4:99 is the same as 4:4:99" },
		{ NULL, NULL, BUILDER_TIME, BUILDER_TIME + 10000000, -1,
		  "there are no version tags; the times of the keys decide: last written "
		  "2020-01-01T00:00:00Z, which is older than 2020-01-01T00:00:01Z" },
		{ "4:4:99", NULL, BUILDER_TIME, 0, 1,
		  "only one of the two copies has a version tag; the times of the keys decide: "
		  "last "
		  "written 2020-01-01T00:00:00Z, which is newer than an unknown time" },
		{ "17", "18", BUILDER_TIME, UINT64_MAX, -1,
		  "the version tags cannot be read; the times of the keys decide: last written "
		  "2020-01-01T00:00:00Z, which is older than an unknown time" },
		{ NULL, NULL, BUILDER_TIME, BUILDER_TIME, 0,
		  "there are no version tags; the times of the keys decide: last written "
		  "2020-01-01T00:00:00Z, which is the same as 2020-01-01T00:00:00Z" },
	};
	struct fixture *f = new_fixture();

	(void)state;
	for (unsigned i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct cluster a = copy_of(rows[i].a, rows[i].time_a);
		struct cluster b = copy_of(rows[i].b, rows[i].time_b);
		char *why;

		assert_int_equal(cluster_compare(f, &a, &b, &why), rows[i].order);
		assert_string_equal(why, rows[i].why);
		assert_int_equal(cluster_compare(f, &b, &a, &why), -rows[i].order);
	}
	talloc_free(f);
}

static void test_secrets(void **state)
{
	static const struct {
		const char *key, *value;
		bool secret;
	} rows[] = {
		{ "Resources\\" NAME "\\Parameters", "ResourceData", true },
		{ "Resources\\" NAME "\\Parameters", "RESOURCEDATA", true },
		{ "Resources\\" NAME "\\Parameters", "CryptoContainerGUID", true },
		{ "Resources\\" NAME "\\parameters", "PrimaryKey", true },
		{ "Resources\\" NAME "\\Parameters", "PrimaryToken", true },
		{ "Resources\\" NAME "\\Parameters\\More", "SqlPassword", true },
		{ "Resources\\" NAME "\\Parameters", "AccountKey", true },
		{ "Resources\\" NAME "\\Parameters", "clientSECRETtext", true },
		{ "", "Security Descriptor", true },
		{ "Checkpoints\\" NAME, "00000001", true },
		{ "Resources\\" NAME "\\Parameters", "Keyboard", false },
		{ "Resources\\" NAME "\\Parameters", "Name", false },
		{ "Resources\\" NAME "\\Parameters2", "AccountKey", false },
		{ "Resources\\" NAME, "Name", false },
		{ "Resources\\" NAME "\\RegSync", "00000001", false },
		{ "", "PaxosTag", false },
		{ "", "", false },
	};

	(void)state;
	for (unsigned i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		if (cluster_secret(rows[i].key, rows[i].value) != rows[i].secret)
			fail_msg("%s, %s", rows[i].key, rows[i].value);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		testing_unit(test_first_generation), testing_unit(test_second_generation),
		testing_unit(test_spellings),        testing_unit(test_generation_unknown),
		testing_unit(test_not_a_cluster),    testing_unit(test_dangling),
		testing_unit(test_groups),           testing_unit(test_malformed_ids),
		testing_unit(test_quorum),           testing_unit(test_many),
		testing_unit(test_find_resource),    testing_unit(test_same),
		testing_unit(test_compare),          testing_unit(test_secrets),
	};

	return cmocka_run_group_tests(tests, testing_begin, testing_end);
}
