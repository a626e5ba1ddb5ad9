/*
 * Checkpoints as resources registered them: every value below RegSync and CryptoSync, first
 * all of them as text, then each one on the disk, then all against each other.
 */
#include "checkpoint/checkpoint.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "checkpoint/locate.h"

struct reader {
	TALLOC_CTX *ctx;
	const struct cluster *cluster;
	const struct cluster_resource *resource; /* whose registrations are read */
	enum checkpoint_type type;
	struct checkpoints points;
	struct error *err;
};

static const char *const section_names[] = {
	[CHECKPOINT_REGISTRY] = "RegSync",
	[CHECKPOINT_CRYPTO] = "CryptoSync",
};

static const char *const file_endings[] = {
	[CHECKPOINT_REGISTRY] = "CPT",
	[CHECKPOINT_CRYPTO] = "CPR",
};

void checkpoint_problem(struct checkpoints *points, const struct checkpoint *point,
                        const char *code, const char *format, ...)
{
	va_list args;
	char *text;

	va_start(args, format);
	text = talloc_vasprintf(NULL, format, args);
	va_end(args);
	if (!text) {
		points->problems->lost = point->problems->lost = true;
		return;
	}
	problems_add(point->problems, PROBLEM_HEALS, PROBLEM_NOWHERE, code, "%s", text);
	problems_add(points->problems, PROBLEM_HEALS, PROBLEM_NOWHERE, code,
	             "%s checkpoint %s of %s: %s",
	             point->type == CHECKPOINT_REGISTRY ? "registry" : "crypto", point->id,
	             point->resource_name ? point->resource_name : point->resource, text);
	talloc_free(text);
}

/* --- a registration --- */

bool checkpoint_id(const char *name, char id[9])
{
	size_t length = strlen(name);

	if (length < 1 || length > 8 || strspn(name, "0123456789abcdefABCDEF") != length)
		return false;
	memset(id, '0', 8 - length);
	for (size_t i = 0; i < length; i++)
		id[8 - length + i] =
			(char)(name[i] >= 'A' && name[i] <= 'F' ? name[i] + 0x20 : name[i]);
	id[8] = '\0';
	return true;
}

/* The text of a value up to its first NUL or its end; *TEXT is NULL if its type has none. */
static bool value_text(struct reader *r, const struct hive_value *value, char **text)
{
	TALLOC_CTX *tmp = talloc_new(NULL);
	struct bytes data;
	uint64_t size = 0;
	bool ok;

	*text = NULL;
	if (!tmp)
		return error_memory(r->err);
	if (value->type != REG_SZ && value->type != REG_EXPAND_SZ && value->type != REG_MULTI_SZ) {
		talloc_free(tmp);
		return true;
	}
	ok = hive_value_data(tmp, r->cluster->hive, value, &data, r->err);
	while (ok && size + 1 < data.size && (data.data[size] || data.data[size + 1]))
		size += 2;
	if (ok) {
		*text = name_utf16_to_utf8(r->ctx, (struct bytes){ data.data, size });
		ok = *text || error_memory(r->err);
	}
	talloc_free(tmp);
	return ok;
}

/* A place at the end of the list, zeroed; the list doubles whenever it is full. */
static struct checkpoint *new_point(struct reader *r)
{
	struct checkpoint *list = r->points.list;
	uint32_t count = r->points.count;

	if ((count & (count - 1)) == 0) {
		list = talloc_realloc(r->ctx, list, struct checkpoint, count ? 2 * count : 1);
		if (!list)
			return NULL;
		r->points.list = list;
	}
	list[count] = (struct checkpoint){ .type = r->type, .where = { .hive = -1 } };
	return &list[count];
}

static bool add_point(struct reader *r, const char *id, char *path)
{
	struct checkpoint *point = new_point(r);

	if (!point)
		return error_memory(r->err);
	point->resource = r->resource->id;
	point->resource_name = r->resource->name;
	point->where.found.cell = REGF_NIL;
	point->path = path;
	point->id = talloc_strdup(r->ctx, id);
	point->file =
		talloc_asprintf(r->ctx, "%s/%s.%s", point->resource, id, file_endings[r->type]);
	point->problems = problems_new(r->ctx);
	if (!point->id || !point->file || !point->problems)
		return error_memory(r->err);
	r->points.count++;
	return true;
}

static void leave_out(struct reader *r, const char *code, const char *name, const char *why)
{
	problems_add(r->points.problems, PROBLEM_HEALS, PROBLEM_NOWHERE, code,
	             "Resources\\%s\\%s has a value \"%s\", which %s; it is left out",
	             r->resource->id, section_names[r->type], name, why);
}

static bool read_value(struct reader *r, TALLOC_CTX *tmp, uint32_t cell)
{
	struct hive_value value;
	char *name, *path, id[9];

	if (!hive_value_at(r->cluster->hive, cell, &value, r->err))
		return false;
	name = name_to_utf8(tmp, value.name);
	if (!name)
		return error_memory(r->err);
	if (!checkpoint_id(name, id)) {
		leave_out(r, "malformed-id", name, "is no checkpoint's id");
		return true;
	}
	if (!value_text(r, &value, &path))
		return false;
	if (path)
		return add_point(r, id, path);
	leave_out(r, "malformed-checkpoint", name, "holds no text");
	return true;
}

/* --- all registrations --- */

static bool read_section(struct reader *r, TALLOC_CTX *tmp)
{
	uint32_t *cells, count;
	struct hive_key key;

	if (!hive_find(r->cluster->hive, &r->resource->key, section_names[r->type], &key, r->err))
		return false;
	if (key.cell == REGF_NIL)
		return true;
	if (!hive_values(tmp, r->cluster->hive, &key, &cells, &count, r->err))
		return false;
	for (uint32_t i = 0; i < count; i++) {
		if (!read_value(r, tmp, cells[i]))
			return error_wrap(r->err, "Resources\\%s\\%s", r->resource->id,
			                  section_names[r->type]);
	}
	return true;
}

static bool read_registrations(struct reader *r)
{
	static const enum checkpoint_type types[] = { CHECKPOINT_REGISTRY, CHECKPOINT_CRYPTO };

	for (uint32_t i = 0; i < 2 * r->cluster->resource_count; i++) {
		TALLOC_CTX *tmp = talloc_new(NULL);
		bool ok;

		r->resource = &r->cluster->resources[i / 2];
		r->type = types[i % 2];
		ok = tmp ? read_section(r, tmp) : error_memory(r->err);
		talloc_free(tmp);
		if (!ok)
			return false;
	}
	return true;
}

static int compare_points(const void *a, const void *b)
{
	const struct checkpoint *one = a, *two = b;
	int order = strcmp(one->resource, two->resource);

	if (order == 0)
		order = (int)one->type - (int)two->type;
	return order ? order : strcmp(one->id, two->id);
}

/* Sorts; "1" and "00000001" are one id, and would be one file: the first is kept. */
static void sort_points(struct checkpoints *points)
{
	uint32_t kept = 0;

	if (points->count)
		qsort(points->list, points->count, sizeof(*points->list), compare_points);
	for (uint32_t i = 0; i < points->count; i++) {
		const struct checkpoint *point = &points->list[i];

		if (kept && compare_points(&points->list[kept - 1], point) == 0)
			problems_add(points->problems, PROBLEM_HEALS, PROBLEM_NOWHERE,
			             "malformed-id",
			             "Resources\\%s\\%s has two values for %s; \"%s\" is left out",
			             point->resource, section_names[point->type], point->id,
			             point->path);
		else
			points->list[kept++] = *point;
	}
	points->count = kept;
}

static bool read_all(struct reader *r, struct system *system)
{
	r->points.problems = problems_new(r->ctx);
	if (!r->points.problems)
		return error_memory(r->err);
	if (!read_registrations(r))
		return false;
	sort_points(&r->points);
	return locate_all(r->ctx, &r->points, system, r->err) &&
	       overlap_find(r->ctx, &r->points, r->err);
}

bool checkpoints_read(TALLOC_CTX *ctx, const struct cluster *cluster, struct system *system,
                      struct checkpoints *out, struct error *err)
{
	struct reader r = { .ctx = talloc_new(ctx), .cluster = cluster, .err = err };

	if (!r.ctx)
		return error_memory(err);
	if (!read_all(&r, system)) {
		talloc_free(r.ctx);
		return false;
	}
	*out = r.points;
	return true;
}
