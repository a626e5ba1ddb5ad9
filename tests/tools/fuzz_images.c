/*
 * fuzz_images: writes the hives from which fuzzing begins, tests/fuzz/corpus/image/.
 * They are small, and between them have every kind of record and list.
 */
#include <stdio.h>

#include "tests/builder.h"

static struct builder *describe(uint32_t minor)
{
	struct builder *b = builder_new(NULL);
	struct builder_key *key = builder_path(b, "Software\\Vendor");

	b->minor = minor;
	builder_class(key, "Class");
	builder_string(key, "", "default");
	builder_dword(key, "Number", 42);
	builder_value(key, "None", 3, NULL, 0)->nil_empty = true;
	builder_multi(key, "\xe2\x82\xac", (const char *const[]){ "one", "two", NULL });
	builder_security_kind(builder_path(b, "Secret"), BUILDER_SD_SECRET, 1);
	builder_link(builder_path(b, "Link"), "\\Registry\\Machine\\Software");
	for (const char *name = "abcdefg"; *name; name++)
		builder_key(key, (char[]){ *name, 0 }, 0);
	return b;
}

static void write_image(struct builder *b, const char *folder, const char *name)
{
	char path[4096];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	builder_write_file(b, path);
	talloc_free(b);
}

int main(int argc, char **argv)
{
	static const uint8_t data[16345] = { 1 };
	struct builder *b;

	if (argc != 2)
		return 2;
	write_image(builder_new(NULL), argv[1], "root-only");
	write_image(describe(3), argv[1], "lf");
	b = describe(3);
	b->list = BUILDER_LI;
	write_image(b, argv[1], "li");
	b = describe(5);
	b->leaf_max = 3;
	write_image(b, argv[1], "ri-lh");
	b = describe(5);
	b->shuffle = 1;
	b->free_every = 3;
	write_image(b, argv[1], "shuffled");
	b = describe(6);
	b->base_flags = 2;
	builder_tombstone(b->root, "gone");
	write_image(b, argv[1], "layered");
	b = builder_new(NULL);
	builder_value(b->root, "Big", 3, data, sizeof(data));
	write_image(b, argv[1], "big-data");
	return 0;
}
