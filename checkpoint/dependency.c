/*
 * Which resource depends on which. Generation 1 keeps a list in the key of the dependent
 * resource, generation 2 a key for each dependent below Dependencies; how the values there are
 * named is not public, so every GUID in them counts. All are first collected as pairs: a
 * resource may be named in many places, and lists that grow one by one would cost the square
 * of that on a hive that was made to hurt.
 */
#include <stdlib.h>

#include "checkpoint/disk/fold.h"
#include "checkpoint/inventory.h"

struct pair {
	uint32_t resource; /* index of the dependent */
	uint32_t order;    /* as they were found */
	char *provider;
};

struct reader {
	TALLOC_CTX *ctx;
	struct cluster *cluster;
	struct pair *pairs;
	uint32_t count;
};

static bool add_pair(struct reader *r, const struct cluster_resource *resource, char *provider,
                     struct error *err)
{
	struct pair *pairs = r->pairs;

	if ((r->count & (r->count - 1)) == 0) {
		pairs = talloc_realloc(r->ctx, pairs, struct pair,
		                       r->count ? 2 * (size_t)r->count : 1);
		if (!pairs)
			return error_memory(err);
		r->pairs = pairs;
	}
	pairs[r->count] = (struct pair){ (uint32_t)(resource - r->cluster->resources), r->count,
		                         talloc_steal(r->ctx, provider) };
	r->count++;
	return true;
}

/* RESOURCE may be NULL: then it is only looked whether the providers exist. */
static bool add_providers(struct reader *r, const struct cluster_resource *resource, char **ids,
                          const char *where, struct error *err)
{
	for (; *ids; ids++) {
		if (!inventory_resource(r->cluster, *ids))
			reference_dangling(r->cluster, where, "resource", *ids);
		if (resource && !add_pair(r, resource, *ids, err))
			return false;
	}
	return true;
}

/* --- generation 1 --- */

static bool read_own(struct reader *r, TALLOC_CTX *tmp, const struct cluster_resource *resource,
                     struct error *err)
{
	char *where = talloc_asprintf(tmp, "Resources\\%s\\Dependencies", resource->id);
	struct hive_value value;
	char **ids;

	if (!where)
		return error_memory(err);
	if (!hive_find_value(r->cluster->hive, &resource->key, "Dependencies", &value, err))
		return error_wrap(err, "%s", where);
	if (value.cell == REGF_NIL)
		return true;
	if (!reference_ids(tmp, r->cluster, &value, where, &ids, err))
		return error_wrap(err, "%s", where);
	return add_providers(r, resource, ids, where, err);
}

/* --- generation 2 --- */

struct dependency {
	TALLOC_CTX *tmp;
	char dependent[GUID_TEXT]; /* from a value "Dependent", else the key's name */
	bool named;                /* there was such a value */
	char ***lists;             /* ids in each of the other values */
	uint32_t count;
};

static bool read_value(const struct cluster *c, struct dependency *d,
                       const struct hive_value *value, struct error *err)
{
	char *name = name_to_utf8(d->tmp, value->name);
	char **ids;

	if (!name)
		return error_memory(err);
	if (!reference_ids(d->tmp, c, value, NULL, &ids, err))
		return false;
	if (fold_equal(name, "Dependent") && ids[0]) {
		d->named = guid_canonical(ids[0], d->dependent);
		return true;
	}
	d->lists[d->count++] = ids;
	return true;
}

static bool read_values(const struct cluster *c, struct dependency *d, const struct hive_key *key,
                        struct error *err)
{
	uint32_t *cells, count;

	if (!hive_values(d->tmp, c->hive, key, &cells, &count, err))
		return false;
	d->lists = talloc_array(d->tmp, char **, count);
	if (!d->lists)
		return error_memory(err);
	for (uint32_t i = 0; i < count; i++) {
		struct hive_value value;

		if (!hive_value_at(c->hive, cells[i], &value, err) ||
		    !read_value(c, d, &value, err))
			return false;
	}
	return true;
}

/*
 * That the name of the key is the dependent resource is the reading that fits the public
 * text. A value "Dependent" would say it better, and the name may then be anything.
 */
static bool add_dependency(struct reader *r, struct dependency *d, const char *name,
                           struct error *err)
{
	char *where =
		talloc_asprintf(d->tmp, "Dependencies\\%s", name); /* a GUID in any spelling */
	struct cluster_resource *resource = inventory_resource(r->cluster, d->dependent);

	if (!where)
		return error_memory(err);
	if (!resource)
		reference_dangling(r->cluster, d->named ? where : "Dependencies", "resource",
		                   d->dependent);
	for (uint32_t i = 0; i < d->count; i++) {
		if (!add_providers(r, resource, d->lists[i], where, err))
			return false;
	}
	return true;
}

static bool read_dependency(void *data, const struct hive_key *key, const char *name,
                            struct error *err)
{
	struct dependency d = { .tmp = talloc_new(NULL) };
	struct reader *r = data;
	bool ok;

	if (!d.tmp)
		return error_memory(err);
	ok = !guid_canonical(name, d.dependent) ||
	     (read_values(r->cluster, &d, key, err) && add_dependency(r, &d, name, err));
	talloc_free(d.tmp);
	return ok;
}

/* --- both --- */

static int compare_pairs(const void *a, const void *b)
{
	const struct pair *one = a, *two = b;

	if (one->resource != two->resource)
		return one->resource < two->resource ? -1 : 1;
	return (one->order > two->order) - (one->order < two->order);
}

/* The pairs, sorted, become one list for each resource that has any. */
static bool make_lists(struct reader *r, TALLOC_CTX *ctx, struct error *err)
{
	if (r->count)
		qsort(r->pairs, r->count, sizeof(*r->pairs), compare_pairs);
	for (uint32_t i = 0, end; i < r->count; i = end) {
		char **list;

		for (end = i; end < r->count && r->pairs[end].resource == r->pairs[i].resource;)
			end++;
		list = talloc_zero_array(ctx, char *, (size_t)(end - i) + 1);
		if (!list)
			return error_memory(err);
		for (uint32_t j = i; j < end; j++)
			list[j - i] = talloc_steal(list, r->pairs[j].provider);
		r->cluster->resources[r->pairs[i].resource].depends = list;
	}
	return true;
}

static bool read_owns(struct reader *r, struct error *err)
{
	for (uint32_t i = 0; i < r->cluster->resource_count; i++) {
		TALLOC_CTX *tmp = talloc_new(NULL);
		bool ok =
			tmp ? read_own(r, tmp, &r->cluster->resources[i], err) : error_memory(err);

		talloc_free(tmp);
		if (!ok)
			return false;
	}
	return true;
}

bool dependency_read(TALLOC_CTX *ctx, struct cluster *cluster, struct error *err)
{
	struct reader r = { .ctx = talloc_new(NULL), .cluster = cluster };
	bool ok;

	if (!r.ctx)
		return error_memory(err);
	ok = read_owns(&r, err) &&
	     inventory_each(cluster, "Dependencies", read_dependency, &r, err) &&
	     make_lists(&r, ctx, err);
	talloc_free(r.ctx);
	return ok;
}
