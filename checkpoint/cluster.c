/*
 * The cluster as a whole: what it is called, what version its database has, which
 * generation of Windows wrote it, and which of two copies is newer.
 */
#include "checkpoint/cluster.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "checkpoint/disk/fold.h"
#include "checkpoint/inventory.h"

#define TEXT_BYTES 256u       /* of binary data that is shown as hex digits */
#define GENERATION_2_MAJOR 5u /* CLUSTER_MAJOR_VERSION of Windows Server 2008 */

/* --- is it one? --- */

/* Two of three will do: a fault in one of them is for `status` to show, not to hide. */
static bool check_kind(const struct hive *hive, struct error *err)
{
	static const char *const keys[] = { "Nodes", "Groups", "Resources" };
	struct hive_key key;
	unsigned found = 0;

	for (unsigned i = 0; i < 3; i++) {
		if (!hive_find(hive, NULL, keys[i], &key, err))
			return false;
		found += key.cell != REGF_NIL;
	}
	if (found < 2)
		return error_set(err, ERROR_SOURCE,
		                 "%s: not a cluster database: it has no keys Nodes, Groups and "
		                 "Resources",
		                 hive_name(hive));
	return true;
}

/* --- values of the root --- */

static char *hex(TALLOC_CTX *ctx, struct bytes data)
{
	char *text = talloc_size(ctx, 2 * data.size + 1);

	for (uint64_t i = 0; text && i < data.size; i++)
		snprintf(text + 2 * i, 3, "%02x", data.data[i]);
	if (text)
		text[2 * data.size] = '\0';
	return text;
}

/* A value as text whatever its type is; other than text and numbers as hex digits. */
static bool any_text(TALLOC_CTX *ctx, const struct hive *hive, const struct hive_key *key,
                     const char *name, char **text, struct error *err)
{
	struct hive_value value;
	struct bytes data;

	if (!hive_text(ctx, hive, key, name, text, err))
		return false;
	if (*text)
		return true;
	if (!hive_find_value(hive, key, name, &value, err))
		return false;
	if (value.cell == REGF_NIL || value.size == 0 || value.size > TEXT_BYTES)
		return true;
	if (!hive_value_data(ctx, hive, &value, &data, err))
		return false;
	*text = hex(ctx, data);
	return *text || error_memory(err);
}

static bool read_identity(TALLOC_CTX *ctx, struct cluster *c, const struct hive_key *root,
                          struct error *err)
{
	char id[GUID_TEXT];

	if (!hive_text(ctx, c->hive, root, "ClusterName", &c->name, err) ||
	    !any_text(ctx, c->hive, root, "ClusterInstanceID", &c->instance_id, err) ||
	    !any_text(ctx, c->hive, root, "PaxosTag", &c->version, err))
		return false;
	if (c->version)
		paxos_tag_read(c->version, &c->tag);
	if (c->instance_id && guid_canonical(c->instance_id, id)) {
		c->instance_id = talloc_strdup(ctx, id);
		if (!c->instance_id)
			return error_memory(err);
	}
	return true;
}

static bool read_quorum(TALLOC_CTX *ctx, struct cluster *c, struct error *err)
{
	struct hive_key key;
	bool found;

	if (!hive_find(c->hive, NULL, "Quorum", &key, err))
		return false;
	if (key.cell == REGF_NIL)
		return true;
	return hive_text(ctx, c->hive, &key, "Path", &c->quorum_path, err) &&
	       hive_number(c->hive, &key, "MaxQuorumLogSize", &c->max_quorum_log_size, &found, err);
}

/*
 * The highest version any node may have decides: the major number is in the high word
 * (CLUSTER_MAKE_VERSION). ClusterFunctionalLevel and PaxosTag are of generation 2 only.
 */
static bool read_generation(struct cluster *c, const struct hive_key *root, struct error *err)
{
	uint32_t level = 0, major = 0;
	bool found;

	if (!hive_number(c->hive, root, "ClusterFunctionalLevel", &level, &found, err))
		return false;
	for (uint32_t i = 0; i < c->node_count; i++) {
		if (c->nodes[i].highest >> 16 > major)
			major = c->nodes[i].highest >> 16;
	}
	if (found || c->version || major >= GENERATION_2_MAJOR)
		c->generation = 2;
	else
		c->generation = major ? 1 : 0;
	return true;
}

/* --- when was it written? --- */

/* Keys that wait to be looked at; a stack of our own, as the depth is the hive's choice. */
struct waiting {
	uint32_t *cells;
	uint32_t count, room;
};

static bool wait_for(TALLOC_CTX *ctx, struct waiting *w, const uint32_t *cells, uint32_t count,
                     struct error *err)
{
	uint32_t room = w->room;

	if (count > UINT32_MAX / 4 - w->count)
		return error_memory(err);
	while (room < w->count + count)
		room *= 2;
	if (room != w->room) {
		uint32_t *larger = talloc_realloc(ctx, w->cells, uint32_t, room);

		if (!larger)
			return error_memory(err);
		w->cells = larger;
		w->room = room;
	}
	if (count)
		memcpy(w->cells + w->count, cells, count * sizeof(*cells));
	w->count += count;
	return true;
}

static bool visit_key(TALLOC_CTX *ctx, struct cluster *c, struct waiting *w, struct error *err)
{
	uint32_t *cells, count;
	struct hive_key key;
	bool ok;

	if (!hive_key_at(c->hive, w->cells[--w->count], &key, err))
		return false;
	if (hive_key_time(&key) > c->written)
		c->written = hive_key_time(&key);
	if (!hive_subkeys(ctx, c->hive, &key, &cells, &count, err))
		return false;
	ok = wait_for(ctx, w, cells, count, err);
	talloc_free(cells);
	return ok;
}

static bool read_written(struct cluster *c, const struct hive_key *root, struct error *err)
{
	TALLOC_CTX *tmp = talloc_new(NULL);
	struct waiting w = { tmp ? talloc_array(tmp, uint32_t, 64) : NULL, 0, 64 };
	bool ok;

	ok = w.cells ? wait_for(tmp, &w, &root->cell, 1, err) : error_memory(err);
	while (ok && w.count)
		ok = visit_key(tmp, c, &w, err);
	talloc_free(tmp);
	return ok;
}

/* --- all of it --- */

static bool read_all(TALLOC_CTX *ctx, struct cluster *c, struct error *err)
{
	struct hive_key root;

	c->problems = problems_new(ctx);
	if (!c->problems)
		return error_memory(err);
	return check_kind(c->hive, err) && hive_root(c->hive, &root, err) &&
	       read_identity(ctx, c, &root, err) && read_quorum(ctx, c, err) &&
	       inventory_read(ctx, c, err) && dependency_read(ctx, c, err) &&
	       reference_read(ctx, c, err) && read_generation(c, &root, err) &&
	       read_written(c, &root, err);
}

bool cluster_read(TALLOC_CTX *ctx, const struct hive *hive, struct cluster *cluster,
                  struct error *err)
{
	TALLOC_CTX *all = talloc_new(ctx);
	struct cluster read = { .hive = hive };

	if (!all)
		return error_memory(err);
	if (!read_all(all, &read, err)) {
		talloc_free(all);
		return false;
	}
	*cluster = read;
	return true;
}

/* --- questions --- */

bool cluster_has_node(const struct cluster *c, const char *name)
{
	for (uint32_t i = 0; i < c->node_count; i++) {
		if (c->nodes[i].name && fold_equal(c->nodes[i].name, name))
			return true;
	}
	return false;
}

const struct cluster_resource *cluster_resource(const struct cluster *c, const char *name)
{
	const struct cluster_resource *found = NULL;
	char id[GUID_TEXT];

	if (guid_canonical(name, id))
		return inventory_resource(c, id);
	for (uint32_t i = 0; i < c->resource_count; i++) {
		if (!c->resources[i].name || !fold_equal(c->resources[i].name, name))
			continue;
		if (found)
			return NULL;
		found = &c->resources[i];
	}
	return found;
}

bool cluster_same(const struct cluster *a, const struct cluster *b)
{
	if (a->instance_id && b->instance_id)
		return fold_equal(a->instance_id, b->instance_id);
	return a->name && b->name && fold_equal(a->name, b->name);
}

static const char *order_words(int order)
{
	return order < 0 ? "older than" : order > 0 ? "newer than" : "the same as";
}

/* FILETIME to ISO 8601; years beyond 9999 are no times that a cluster lived in. */
static void print_time(uint64_t filetime, char text[40])
{
	time_t seconds = (time_t)(filetime / 10000000) - 11644473600;
	struct tm tm;

	if (filetime == 0 || !gmtime_r(&seconds, &tm) || tm.tm_year > 9999 - 1900)
		snprintf(text, 40, "an unknown time");
	else
		strftime(text, 40, "%Y-%m-%dT%H:%M:%SZ", &tm);
}

/* Why versions do not decide. */
static const char *no_versions(const struct cluster *a, const struct cluster *b)
{
	if (a->tag.valid != b->tag.valid)
		return "only one of the two copies has a version tag; the times of the keys decide";
	if (a->version || b->version)
		return "the version tags cannot be read; the times of the keys decide";
	return "there are no version tags; the times of the keys decide";
}

static int compare_times(TALLOC_CTX *ctx, const struct cluster *a, const struct cluster *b,
                         char **why)
{
	int order = (a->written > b->written) - (a->written < b->written);
	char one[40], two[40];

	print_time(a->written, one);
	print_time(b->written, two);
	*why = talloc_asprintf(ctx, "%s: last written %s, which is %s %s", no_versions(a, b), one,
	                       order_words(order), two);
	return order;
}

int cluster_compare(TALLOC_CTX *ctx, const struct cluster *a, const struct cluster *b, char **why)
{
	int order;

	if (!a->tag.valid || !b->tag.valid)
		return compare_times(ctx, a, b, why);
	order = paxos_tag_compare(&a->tag, &b->tag);
	*why = talloc_asprintf(ctx, "version %s is %s %s", a->version, order_words(order),
	                       b->version);
	return order;
}
