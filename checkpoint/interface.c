/*
 * Do the node and the network of each network interface exist? By what they are named, their
 * id or their name, no public source says: so each is right.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "checkpoint/disk/fold.h"
#include "checkpoint/inventory.h"

/* All that nodes, or networks, may be called, folded and sorted. */
struct names {
	char **list;
	uint32_t count;
};

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static bool add_name(struct names *names, const char *text, struct error *err)
{
	char *folded;

	if (!text)
		return true;
	folded = fold_text(names->list, text);
	if (!folded)
		return error_memory(err);
	names->list[names->count++] = folded;
	return true;
}

static bool node_names(TALLOC_CTX *ctx, const struct cluster *c, struct names *names,
                       struct error *err)
{
	*names = (struct names){ talloc_array(ctx, char *, 2 * (size_t)c->node_count), 0 };
	if (!names->list)
		return error_memory(err);
	for (uint32_t i = 0; i < c->node_count; i++) {
		char id[16];

		snprintf(id, sizeof(id), "%u", c->nodes[i].id);
		if (!add_name(names, id, err) || !add_name(names, c->nodes[i].name, err))
			return false;
	}
	qsort(names->list, names->count, sizeof(*names->list), compare_names);
	return true;
}

static bool network_names(TALLOC_CTX *ctx, const struct cluster *c, struct names *names,
                          struct error *err)
{
	*names = (struct names){ talloc_array(ctx, char *, c->network_count), 0 };
	if (!names->list)
		return error_memory(err);
	for (uint32_t i = 0; i < c->network_count; i++) {
		if (!add_name(names, c->networks[i].name, err))
			return false;
	}
	qsort(names->list, names->count, sizeof(*names->list), compare_names);
	return true;
}

static bool has_name(const struct names *names, const char *text)
{
	char *folded = fold_text(NULL, text);
	bool found = folded && bsearch(&folded, names->list, names->count, sizeof(*names->list),
	                               compare_names);

	talloc_free(folded);
	return found;
}

static void check_interface(const struct cluster *c, const struct cluster_interface *interface,
                            const struct names *nodes, const struct names *networks)
{
	char where[64 + GUID_TEXT], id[GUID_TEXT];
	const char *network = interface->network;

	if (interface->node && interface->node[0] && !has_name(nodes, interface->node)) {
		snprintf(where, sizeof(where), "NetworkInterfaces\\%s\\Node", interface->id);
		reference_dangling(c, where, "node", interface->node);
	}
	if (!network || !network[0])
		return;
	if (guid_canonical(network, id) ? inventory_network(c, id) != NULL
	                                : has_name(networks, network))
		return;
	snprintf(where, sizeof(where), "NetworkInterfaces\\%s\\Network", interface->id);
	reference_dangling(c, where, "network", network);
}

bool interface_check(const struct cluster *c, struct error *err)
{
	TALLOC_CTX *tmp = talloc_new(NULL);
	struct names nodes, networks;
	bool ok;

	if (!tmp)
		return error_memory(err);
	ok = node_names(tmp, c, &nodes, err) && network_names(tmp, c, &networks, err);
	for (uint32_t i = 0; ok && i < c->interface_count; i++)
		check_interface(c, &c->interfaces[i], &nodes, &networks);
	talloc_free(tmp);
	return ok;
}
