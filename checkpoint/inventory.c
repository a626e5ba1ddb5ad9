/*
 * The lists of things in a cluster hive. One walk serves all of them: it gives every subkey
 * of a section, under both spellings of its name, to the reader of that kind (thing.c).
 */
#include "checkpoint/inventory.h"

#include <stdlib.h>
#include <string.h>

/* --- the walk --- */

bool inventory_each(const struct cluster *c, const char *top, inventory_fn *each, void *data,
                    struct error *err)
{
	TALLOC_CTX *tmp = talloc_new(NULL);
	uint32_t *cells, count = 0;
	struct hive_key key;
	bool ok;

	if (!tmp)
		return error_memory(err);
	ok = hive_find(c->hive, NULL, top, &key, err);
	if (ok && key.cell != REGF_NIL)
		ok = hive_subkeys(tmp, c->hive, &key, &cells, &count, err);
	for (uint32_t i = 0; ok && i < count; i++) {
		char *name;

		ok = hive_key_at(c->hive, cells[i], &key, err);
		name = ok ? name_to_utf8(tmp, key.name) : NULL;
		if (ok && !name)
			ok = error_memory(err);
		ok = ok && each(data, &key, name, err);
		talloc_free(name);
	}
	talloc_free(tmp);
	return ok || error_wrap(err, "%s", top);
}

struct visit {
	struct thing_reader *r;
	thing_fn *read;
};

static bool visit(void *data, const struct hive_key *key, const char *name, struct error *err)
{
	struct visit *v = data;

	(void)err;
	return v->read(v->r, key, name);
}

static bool read_section(struct thing_reader *r, const char *top, thing_fn *read)
{
	struct visit v = { r, read };

	r->section = top;
	return inventory_each(r->cluster, top, visit, &v, r->err);
}

/* --- order --- */

static int compare_nodes(const void *a, const void *b)
{
	const struct cluster_node *one = a, *two = b;

	return (one->id > two->id) - (one->id < two->id);
}

/* All structs with a GUID begin with its text. */
static const char *id_of(const void *thing)
{
	return *(char *const *)thing;
}

static int compare_ids(const void *a, const void *b)
{
	return strcmp(id_of(a), id_of(b));
}

/* Sorts by id. Two keys can be the same GUID, one with braces; the first is kept. */
static uint32_t sort(struct cluster *c, const char *where, void *list, uint32_t count, size_t size)
{
	uint8_t *at = list;
	uint32_t kept = 0;

	if (count == 0)
		return 0;
	qsort(list, count, size, compare_ids);
	for (uint32_t i = 0; i < count; i++) {
		if (kept && compare_ids(at + (kept - 1) * size, at + i * size) == 0) {
			problems_add(c->problems, PROBLEM_HEALS, PROBLEM_NOWHERE, "malformed-id",
			             "%s has two keys for %s; one is left out", where,
			             id_of(at + i * size));
			continue;
		}
		memmove(at + kept++ * size, at + i * size, size);
	}
	return kept;
}

static void *find(void *list, uint32_t count, size_t size, const char *id)
{
	return count ? bsearch(&id, list, count, size, compare_ids) : NULL;
}

struct cluster_resource *inventory_resource(const struct cluster *c, const char *id)
{
	return find(c->resources, c->resource_count, sizeof(*c->resources), id);
}

struct cluster_network *inventory_network(const struct cluster *c, const char *id)
{
	return find(c->networks, c->network_count, sizeof(*c->networks), id);
}

static void sort_all(struct cluster *c)
{
	if (c->node_count)
		qsort(c->nodes, c->node_count, sizeof(*c->nodes), compare_nodes);
	c->group_count = sort(c, "Groups", c->groups, c->group_count, sizeof(*c->groups));
	c->resource_count =
		sort(c, "Resources", c->resources, c->resource_count, sizeof(*c->resources));
	c->network_count = sort(c, "Networks", c->networks, c->network_count, sizeof(*c->networks));
	c->interface_count = sort(c, "NetworkInterfaces", c->interfaces, c->interface_count,
	                          sizeof(*c->interfaces));
}

bool inventory_read(TALLOC_CTX *ctx, struct cluster *c, struct error *err)
{
	struct thing_reader r = { .ctx = ctx, .cluster = c, .err = err };

	if (!read_section(&r, "Nodes", thing_node) || !read_section(&r, "Groups", thing_group) ||
	    !read_section(&r, "Resources", thing_resource) ||
	    !read_section(&r, "ResourceTypes", thing_type) ||
	    !read_section(&r, "Resource Types", thing_type) ||
	    !read_section(&r, "Networks", thing_network) ||
	    !read_section(&r, "NetworkInterfaces", thing_interface) ||
	    !read_section(&r, "Network Interfaces", thing_interface))
		return false;
	sort_all(c);
	return true;
}
