/*
 * One node, group, resource, type, network or interface from the key that it has in the
 * cluster hive. A key whose name is no id adds nothing to its list, and is said.
 */
#include <stdlib.h>
#include <string.h>

#include "checkpoint/inventory.h"

#define NODE_ID_DIGITS 5u /* more than any version of Windows allows nodes */

/* --- values of a thing --- */

static bool text(struct thing_reader *r, const struct hive_key *key, const char *name, char **out)
{
	return hive_text(r->ctx, r->cluster->hive, key, name, out, r->err);
}

static bool number(struct thing_reader *r, const struct hive_key *key, const char *name,
                   uint32_t absent, uint32_t *out)
{
	bool found;

	if (!hive_number(r->cluster->hive, key, name, out, &found, r->err))
		return false;
	if (!found)
		*out = absent;
	return true;
}

/* The id of a thing from the name of its key. *ID stays NULL, and it is said, if it is none. */
static bool guid_id(struct thing_reader *r, const char *name, char **id)
{
	char canonical[GUID_TEXT];

	*id = NULL;
	if (!guid_canonical(name, canonical)) {
		problems_add(r->cluster->problems, PROBLEM_HEALS, PROBLEM_NOWHERE, "malformed-id",
		             "%s has a key \"%s\", which is no GUID; it is left out", r->section,
		             name);
		return true;
	}
	*id = talloc_strdup(r->ctx, canonical);
	return *id || error_memory(r->err);
}

/* LIST with room for one more thing than COUNT; it doubles whenever it is full. */
static void *grown(struct thing_reader *r, void *list, uint32_t count, size_t size)
{
	if (count & (count - 1))
		return list;
	list = talloc_realloc_size(r->ctx, list, (count ? 2 * (size_t)count : 1) * size);
	if (!list)
		error_memory(r->err);
	return list;
}

/* --- one thing each --- */

static bool node_id(const char *name, uint32_t *id)
{
	size_t digits = strspn(name, "0123456789");

	if (digits == 0 || digits > NODE_ID_DIGITS || name[digits] != '\0' || name[0] == '0')
		return false;
	*id = (uint32_t)strtoul(name, NULL, 10);
	return true;
}

bool thing_node(struct thing_reader *r, const struct hive_key *key, const char *name)
{
	struct cluster *c = r->cluster;
	struct cluster_node node = { 0 };
	struct cluster_node *list;

	if (!node_id(name, &node.id)) {
		problems_add(c->problems, PROBLEM_HEALS, PROBLEM_NOWHERE, "malformed-id",
		             "%s has a key \"%s\", which is no node's id; it is left out",
		             r->section, name);
		return true;
	}
	if (!text(r, key, "NodeName", &node.name) ||
	    !number(r, key, "NodeHighestVersion", 0, &node.highest) ||
	    !number(r, key, "NodeLowestVersion", 0, &node.lowest) ||
	    !number(r, key, "BuildNumber", 0, &node.build))
		return false;
	list = grown(r, c->nodes, c->node_count, sizeof(*list));
	if (!list)
		return false;
	c->nodes = list;
	list[c->node_count++] = node;
	return true;
}

bool thing_group(struct thing_reader *r, const struct hive_key *key, const char *name)
{
	struct cluster *c = r->cluster;
	struct cluster_group group = { .key = *key };
	struct cluster_group *list;

	if (!guid_id(r, name, &group.id))
		return false;
	if (!group.id)
		return true;
	if (!text(r, key, "Name", &group.name) ||
	    !number(r, key, "PersistentState", UINT32_MAX, &group.persistent_state))
		return false;
	list = grown(r, c->groups, c->group_count, sizeof(*list));
	if (!list)
		return false;
	c->groups = list;
	list[c->group_count++] = group;
	return true;
}

bool thing_resource(struct thing_reader *r, const struct hive_key *key, const char *name)
{
	struct cluster *c = r->cluster;
	struct cluster_resource resource = { .key = *key };
	struct cluster_resource *list;

	if (!guid_id(r, name, &resource.id))
		return false;
	if (!resource.id)
		return true;
	if (!text(r, key, "Name", &resource.name) || !text(r, key, "Type", &resource.type) ||
	    !number(r, key, "PersistentState", UINT32_MAX, &resource.persistent_state))
		return false;
	list = grown(r, c->resources, c->resource_count, sizeof(*list));
	if (!list)
		return false;
	c->resources = list;
	list[c->resource_count++] = resource;
	return true;
}

bool thing_type(struct thing_reader *r, const struct hive_key *key, const char *name)
{
	struct cluster *c = r->cluster;
	struct cluster_type type = { .name = talloc_strdup(r->ctx, name) };
	struct cluster_type *list;

	if (!type.name)
		return error_memory(r->err);
	if (!text(r, key, "DllName", &type.dll))
		return false;
	list = grown(r, c->types, c->type_count, sizeof(*list));
	if (!list)
		return false;
	c->types = list;
	list[c->type_count++] = type;
	return true;
}

bool thing_network(struct thing_reader *r, const struct hive_key *key, const char *name)
{
	struct cluster *c = r->cluster;
	struct cluster_network network = { 0 };
	struct cluster_network *list;

	if (!guid_id(r, name, &network.id))
		return false;
	if (!network.id)
		return true;
	if (!text(r, key, "Name", &network.name) || !text(r, key, "Address", &network.address) ||
	    !text(r, key, "AddressMask", &network.mask) ||
	    !number(r, key, "Role", UINT32_MAX, &network.role))
		return false;
	list = grown(r, c->networks, c->network_count, sizeof(*list));
	if (!list)
		return false;
	c->networks = list;
	list[c->network_count++] = network;
	return true;
}

bool thing_interface(struct thing_reader *r, const struct hive_key *key, const char *name)
{
	struct cluster *c = r->cluster;
	struct cluster_interface interface = { 0 };
	struct cluster_interface *list;

	if (!guid_id(r, name, &interface.id))
		return false;
	if (!interface.id)
		return true;
	if (!text(r, key, "Name", &interface.name) || !text(r, key, "Node", &interface.node) ||
	    !text(r, key, "Network", &interface.network) ||
	    !text(r, key, "Address", &interface.address))
		return false;
	list = grown(r, c->interfaces, c->interface_count, sizeof(*list));
	if (!list)
		return false;
	c->interfaces = list;
	list[c->interface_count++] = interface;
	return true;
}
