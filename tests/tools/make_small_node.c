/*
 * make_small_node DIRECTORY [VARIANT]
 *
 * Writes the disk of tests/small_node.h into the existing DIRECTORY. VARIANT:
 *
 *	secret	with values that are known to hold secrets, planted as "PLANTED-..."
 */
#include <stdio.h>
#include <string.h>

#include "tests/small_node.h"

static void plant(struct small_node *node)
{
	struct builder *b = node->cluster;

	builder_string(builder_path(b, "Resources\\" SMALL_NODE_RESOURCE "\\Parameters"),
	               "Password", "PLANTED-password");
}

int main(int argc, char **argv)
{
	TALLOC_CTX *tmp = talloc_new(NULL);
	struct small_node node = small_node_new(tmp);

	if (argc < 2 || argc > 3) {
		fprintf(stderr, "usage: make_small_node DIRECTORY [VARIANT]\n");
		return 2;
	}
	if (argc == 3 && strcmp(argv[2], "secret") == 0)
		plant(&node);
	small_node_write(&node, argv[1]);
	talloc_free(tmp);
	return 0;
}
