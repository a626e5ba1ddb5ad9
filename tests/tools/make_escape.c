/*
 * Writes cluster hives whose names and texts want to play with the terminal: escape sequences,
 * bells, C1 controls, line feeds. make_escape FOLDER: good (sound), and broken (a key with the
 * wrong parent, so that `check` has to name it).
 */
#include <stdio.h>
#include <string.h>

#include "tests/builder.h"

#define EVIL                                                                                       \
	"\x1b[31mred\x07\x1b]0;title\x07\xc2\x9b"                                                  \
	"2J\r\n\t\x7f"
#define GROUP "78c42b9e-2018-440e-8cca-2448974057ed"
#define RESOURCE "ed834a9d-b834-40a9-b18f-53c6f562a441"
#define ABSENT "874f81b6-1153-496d-82ce-78000252344f"

static struct builder *build(struct builder_key **evil)
{
	static const char *const contains[] = { RESOURCE, ABSENT, EVIL, NULL };
	struct builder *b = builder_new(NULL);
	struct builder_key *key = b->root;

	builder_string(key, "ClusterName", "C" EVIL);
	builder_string(key, "ClusterInstanceID", EVIL);
	builder_string(key, "PaxosTag", "3:3:1");
	builder_string(builder_path(b, "Nodes\\1"), "NodeName", "N" EVIL);
	key = builder_path(b, "Groups\\" GROUP);
	builder_string(key, "Name", "G" EVIL);
	builder_multi(key, "Contains", contains);
	key = builder_path(b, "Resources\\" RESOURCE);
	builder_string(key, "Name", "R" EVIL);
	builder_string(key, "Type", "Generic Application");
	builder_string(builder_below(key, "Parameters"), "CommandLine", EVIL);
	builder_string(builder_below(key, "RegSync"), "00000001", "Software\\" EVIL);
	builder_string(builder_below(key, "CryptoSync"), "00000001", "1\\x\\" EVIL);
	builder_string(builder_path(b, "Networks\\" ABSENT), "Name", "net" EVIL);
	*evil = builder_path(b, "Quorum\\" EVIL);
	builder_string(*evil, EVIL, EVIL);
	builder_class(*evil, EVIL);
	builder_key(*evil, "below", 0);
	return b;
}

static void write_file(const char *folder, const char *name, const uint8_t *data, size_t size)
{
	char *path = talloc_asprintf(NULL, "%s/%s", folder, name);
	FILE *file = fopen(path, "wb");

	if (!file || fwrite(data, 1, size, file) != size || fclose(file) != 0)
		builder_fail(path);
	talloc_free(path);
}

int main(int argc, char **argv)
{
	struct builder_key *evil;
	struct builder *b = build(&evil);
	uint8_t *image;
	size_t size;

	if (argc != 2)
		builder_fail("usage: make_escape FOLDER");
	image = builder_write(b, &size);
	write_file(argv[1], "good", image, size);
	/* the parent of "below" */
	memset(image + 4096 + evil->children[0]->cell + 4 + 0x10, 0x11, 4);
	write_file(argv[1], "broken", image, size);
	talloc_free(image);
	talloc_free(b);
	return 0;
}
