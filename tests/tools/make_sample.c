/*
 * make_sample DIRECTORY
 *
 * Writes what is in testdata/: the disks of two nodes and a quorum disk, byte by byte with
 * the tests' builder. A test does so again and compares. testdata/README.md says what is what.
 */
#include <errno.h>
#include <nettle/md5.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "tests/sample.h"

static const char *top;

/* The path of a file on a disk, its directories made; on CTX. */
static char *place(TALLOC_CTX *ctx, const char *disk, const char *path)
{
	char *full = talloc_asprintf(ctx, "%s/%s/%s", top, disk, path);

	for (char *at = full + 1; (at = strchr(at, '/')); at++) {
		*at = '\0';
		if (mkdir(full, 0755) != 0 && errno != EEXIST)
			builder_fail(full);
		*at = '/';
	}
	return full;
}

static void put_bytes(const struct sample *sample, const char *disk, const char *path, size_t size)
{
	TALLOC_CTX *tmp = talloc_new(NULL);
	uint8_t *data = talloc_size(tmp, size + 1);
	FILE *file = fopen(place(tmp, disk, path), "we");

	sample_bytes(sample, path, data, size);
	if (!file || fwrite(data, 1, size, file) != size || fclose(file) != 0)
		builder_fail(path);
	talloc_free(tmp);
}

static struct builder *tree(TALLOC_CTX *ctx, const struct sample *sample, const char *root,
                            const struct sample_row *rows, uint32_t minor)
{
	struct builder *b = builder_new(ctx);

	builder_root_name(b, root);
	b->minor = minor;
	b->ids = sample->generation == 2;
	b->sequence1 = b->sequence2 = 100 + (uint32_t)strlen(root);
	sample_build(b, sample, rows);
	return b;
}

static struct builder *put_tree(TALLOC_CTX *ctx, const struct sample *sample, const char *disk,
                                const char *path, const char *root, const struct sample_row *rows,
                                uint32_t minor)
{
	struct builder *b = tree(ctx, sample, root, rows, minor);
	const char *file = strrchr(path, '/') + 1;

	b->file_name = talloc_asprintf(b, "\\SystemRoot\\%s", file);
	builder_write_file(b, place(b, disk, path));
	return b;
}

/* The file of a key container: MD5 of its name in small letters with the NUL, and MachineGuid. */
static void put_container(const struct sample *sample, const char *disk, const char *directory)
{
	TALLOC_CTX *tmp = talloc_new(NULL);
	char name[64] = { 0 }, *path;
	struct md5_ctx md5;
	uint8_t d[16];

	for (size_t i = 0; sample->sql_key[i] && i + 1 < sizeof(name); i++)
		name[i] = (char)(sample->sql_key[i] | 0x20);
	md5_init(&md5);
	md5_update(&md5, strlen(name) + 1, (const uint8_t *)name);
	md5_digest(&md5, sizeof(d), d);
	path = talloc_asprintf(tmp, "%s/", directory);
	for (unsigned i = 0; i < 16; i += 4) /* four words, each with its lowest byte last */
		path = talloc_asprintf_append(path, "%02x%02x%02x%02x", d[i + 3], d[i + 2],
		                              d[i + 1], d[i]);
	put_bytes(sample, disk, sample_text(tmp, sample, talloc_strdup_append(path, "_{machine}")),
	          300);
	talloc_free(tmp);
}

/* The image of one registry checkpoint, as the key is on the node. */
static void put_checkpoint(const struct sample *sample, struct builder *hive, const char *key,
                           const char *file)
{
	TALLOC_CTX *tmp = talloc_new(NULL);
	struct builder_key *from = sample_find(hive, sample_text(tmp, sample, key));
	char *path = talloc_asprintf(tmp, "MSCS/%s", sample_text(tmp, sample, file));

	if (!from)
		builder_fail(key);
	builder_write_file(sample_copy(tmp, from), place(tmp, "quorum-2003", path));
	talloc_free(tmp);
}

#define SQL "Microsoft\\Microsoft SQL Server\\{instance}"

static void make_2003(TALLOC_CTX *tmp, const struct sample *s)
{
	static const char disk[] = "node-2003", quorum[] = "quorum-2003";
	struct builder *system, *software;

	system = put_tree(tmp, s, disk, "WINNT/system32/config/system", "$$$PROTO.HIV",
	                  sample_system, 5);
	software = put_tree(tmp, s, disk, "WINNT/system32/config/SOFTWARE", "$$$PROTO.HIV",
	                    sample_software, 5);
	put_tree(tmp, s, disk, "WINNT/system32/config/SAM", "SAM", sample_sam, 3);
	put_tree(tmp, s, disk, "WINNT/system32/config/SECURITY", "SECURITY", sample_security, 3);
	put_tree(tmp, s, disk, "WINNT/system32/config/default", "$$$PROTO.HIV", sample_default, 3);
	put_tree(tmp, s, disk, "WINNT/Cluster/CLUSDB", "Cluster", sample_database, 5);
	put_container(s, disk,
	              "Documents and Settings/All Users/Application Data/Microsoft/"
	              "Crypto/RSA/MachineKeys");
	put_tree(tmp, s, quorum, "MSCS/chk1C4.tmp", "Cluster", sample_database, 3);
	put_bytes(s, quorum, "MSCS/quolog.log", 8192);
	put_checkpoint(s, software, SQL "\\MSSQLServer", "{sql}/00000001.CPT");
	put_checkpoint(s, software, SQL "\\Cluster", "{sql}/00000002.CPT");
	put_checkpoint(s, software, SQL "\\Replication", "{sql}/00000003.CPT");
	put_checkpoint(s, software, SQL "\\SQLServerAgent", "{agent}/00000001.CPT");
	put_checkpoint(s, system, "ControlSet002\\Services\\ContosoLager", "{app}/00000001.CPT");
	put_checkpoint(s, software, SQL "\\MSSQLServer\\SuperSocketNetLib", "{app}/00000003.CPT");
	put_bytes(s, quorum, sample_text(tmp, s, "MSCS/{sql}/00000001.CPR"), 900);
	put_bytes(s, quorum, sample_text(tmp, s, "MSCS/{app}/00000001.CPR"), 900);
}

static void make_2019(TALLOC_CTX *tmp, const struct sample *s)
{
	static const char disk[] = "node-2019", config[] = "Windows/System32/config/";
	static const struct {
		const char *name, *root;
		const struct sample_row *rows;
	} hives[] = {
		{ "SYSTEM", "ROOT", sample_system },   { "SOFTWARE", "ROOT", sample_software },
		{ "SAM", "SAM", sample_sam },          { "SECURITY", "SECURITY", sample_security },
		{ "DEFAULT", "ROOT", sample_default },
	};

	for (size_t i = 0; i < sizeof(hives) / sizeof(hives[0]); i++)
		put_tree(tmp, s, disk, talloc_asprintf(tmp, "%s%s", config, hives[i].name),
		         hives[i].root, hives[i].rows, 5);
	put_tree(tmp, s, disk, "Windows/Cluster/CLUSDB", "ROOT", sample_database, 5);
	put_bytes(s, disk, "Windows/Cluster/CLUSDB.LOG1", 0);
	put_bytes(s, disk, "Windows/Cluster/CLUSDB.LOG2", 0);
	put_container(s, disk, "ProgramData/Microsoft/Crypto/RSA/MachineKeys");
}

int main(int argc, char **argv)
{
	TALLOC_CTX *tmp = talloc_new(NULL);

	if (argc != 2) {
		fprintf(stderr, "usage: make_sample DIRECTORY\n");
		return 2;
	}
	top = argv[1];
	make_2003(tmp, &sample_clusters[0]);
	make_2019(tmp, &sample_clusters[1]);
	talloc_free(tmp);
	return 0;
}
