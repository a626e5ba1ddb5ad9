/* The names of the subkeys of a hive's root: cc example.c $(pkg-config --cflags --libs clusnap) */
#include <stdio.h>

#include "hive/hive.h"

int main(int argc, char **argv)
{
	TALLOC_CTX *ctx = talloc_new(NULL);
	struct error err = { 0 };
	struct source *source = source_read_path(ctx, argc > 1 ? argv[1] : "CLUSDB", &err);
	struct hive *hive = source ? hive_open(ctx, source, NULL, &err) : NULL;
	struct hive_key root, key;
	uint32_t *cells, count = 0;
	char *name;

	if (hive && hive_root(hive, &root, &err) &&
	    hive_subkeys(ctx, hive, &root, &cells, &count, &err))
		for (uint32_t i = 0; i < count && hive_key_at(hive, cells[i], &key, &err); i++)
			if ((name = name_to_utf8(ctx, key.name)))
				puts(name);
	if (err.kind != ERROR_NONE)
		fprintf(stderr, "example: %s\n", err.text);
	talloc_free(ctx);
	return (int)err.kind;
}
