/*
 * Who refers to whom, and what is referred to but does not exist.
 *
 * Checked is only what public sources support (docs/cluster.md, "References"): a wrong alarm
 * on a healthy cluster would be worse than a fault that goes unseen. Possible owners, for
 * one, are not looked at.
 */
#include "checkpoint/inventory.h"

#define ID_UNITS (GUID_TEXT + 1u)       /* the longest text that can be a GUID: with braces */
#define ID_BYTES (2 * (GUID_TEXT - 1u)) /* the shortest, without its NUL */
#define SHOWN_UNITS 64u                 /* of a text that is no GUID */

void reference_dangling(const struct cluster *cluster, const char *where, const char *kind,
                        const char *id)
{
	problems_add(cluster->problems, PROBLEM_HEALS, PROBLEM_NOWHERE, "dangling-reference",
	             "%s names the %s %s, which does not exist", where, kind, id);
}

/* --- lists of ids --- */

/* Cuts the text up to the next NUL, or the end, off REST; SIZE in whole units. */
static struct bytes cut_text(struct bytes *rest)
{
	struct bytes text = { rest->data, 0 };

	while (text.size + 1 < rest->size && (rest->data[text.size] || rest->data[text.size + 1]))
		text.size += 2;
	rest->data += text.size;
	rest->size -= text.size;
	if (rest->size >= 2) {
		rest->data += 2;
		rest->size -= 2;
	} else {
		rest->size = 0;
	}
	return text;
}

/* UTF-16 to a GUID's text; false if it is none. */
static bool text_id(struct bytes text, char id[GUID_TEXT])
{
	char narrow[ID_UNITS + 1];
	uint64_t units = text.size / 2;

	if (units > ID_UNITS)
		return false;
	for (uint64_t i = 0; i < units; i++) {
		if (text.data[2 * i + 1])
			return false;
		narrow[i] = (char)text.data[2 * i];
	}
	narrow[units] = '\0';
	return guid_canonical(narrow, id);
}

static void say_malformed(const struct cluster *cluster, const char *where, struct bytes text)
{
	char *shown;

	if (text.size > 2 * SHOWN_UNITS)
		text.size = 2 * SHOWN_UNITS;
	shown = name_utf16_to_utf8(NULL, text);
	problems_add(cluster->problems, PROBLEM_HEALS, PROBLEM_NOWHERE, "malformed-id",
	             "%s names \"%s\", which is no GUID; it is left out", where,
	             shown ? shown : "?");
	talloc_free(shown);
}

/* The ids in DATA into LIST, which has room for all that can be in there. */
static bool split_ids(const struct cluster *cluster, struct bytes data, bool several,
                      const char *where, char **list, struct error *err)
{
	uint32_t count = 0;

	do {
		struct bytes text = cut_text(&data);
		char id[GUID_TEXT];

		if (text.size == 0)
			return true;
		if (!text_id(text, id)) {
			if (where)
				say_malformed(cluster, where, text);
			continue;
		}
		list[count] = talloc_strdup(list, id);
		if (!list[count++])
			return error_memory(err);
	} while (several);
	return true;
}

bool reference_ids(TALLOC_CTX *ctx, const struct cluster *cluster, const struct hive_value *value,
                   const char *where, char ***ids, struct error *err)
{
	TALLOC_CTX *tmp = talloc_new(NULL);
	bool several = value->type == REG_MULTI_SZ;
	struct bytes data = { (const uint8_t *)"", 0 };
	char **list;
	bool ok;

	if (!tmp)
		return error_memory(err);
	ok = several || value->type == REG_SZ || value->type == REG_EXPAND_SZ;
	if (ok && !hive_value_data(tmp, cluster->hive, value, &data, err)) {
		talloc_free(tmp);
		return false;
	}
	list = talloc_zero_array(tmp, char *, (unsigned)(data.size / ID_BYTES) + 2);
	ok = list ? split_ids(cluster, data, several, where, list, err) : error_memory(err);
	if (ok)
		*ids = talloc_steal(ctx, list);
	talloc_free(tmp);
	return ok;
}

/* --- groups --- */

static void put_in_group(struct cluster *c, const struct cluster_group *group, const char *where)
{
	for (char **id = group->contains; *id; id++) {
		struct cluster_resource *resource = inventory_resource(c, *id);

		if (!resource)
			reference_dangling(c, where, "resource", *id);
		else if (!resource->group)
			resource->group = group->id;
		else
			problems_add(
				c->problems, PROBLEM_HEALS, PROBLEM_NOWHERE, "resource-ungrouped",
				"%s names the resource %s, which the group %s contains already",
				where, *id, resource->group);
	}
}

static bool read_group(TALLOC_CTX *ctx, struct cluster *c, struct cluster_group *group,
                       struct error *err)
{
	char *where = talloc_asprintf(NULL, "Groups\\%s\\Contains", group->id);
	struct hive_value value;
	bool ok;

	if (!where)
		return error_memory(err);
	ok = hive_find_value(c->hive, &group->key, "Contains", &value, err);
	if (ok && value.cell != REGF_NIL)
		ok = reference_ids(ctx, c, &value, where, &group->contains, err);
	else if (ok && !(group->contains = talloc_zero_array(ctx, char *, 1)))
		ok = error_memory(err);
	if (ok)
		put_in_group(c, group, where);
	else
		error_wrap(err, "%s", where);
	talloc_free(where);
	return ok;
}

static void check_grouped(const struct cluster *c)
{
	for (uint32_t i = 0; i < c->resource_count; i++) {
		const struct cluster_resource *resource = &c->resources[i];

		if (!resource->group)
			problems_add(c->problems, PROBLEM_HEALS, PROBLEM_NOWHERE,
			             "resource-ungrouped", "no group contains the resource %s (%s)",
			             resource->id, resource->name ? resource->name : "no name");
	}
}

/* --- the quorum, checkpoints --- */

static bool read_quorum(TALLOC_CTX *ctx, struct cluster *c, struct error *err)
{
	struct hive_value value;
	struct hive_key key;
	char **ids;

	if (!hive_find(c->hive, NULL, "Quorum", &key, err))
		return false;
	if (key.cell == REGF_NIL)
		return true;
	if (!hive_find_value(c->hive, &key, "Resource", &value, err))
		return false;
	if (value.cell == REGF_NIL)
		return true;
	if (!reference_ids(ctx, c, &value, "Quorum\\Resource", &ids, err))
		return false;
	c->quorum_resource = ids[0];
	if (ids[0] && !inventory_resource(c, ids[0]))
		reference_dangling(c, "Quorum\\Resource", "resource", ids[0]);
	return true;
}

/* Checkpoints\<GUID>: what is below is not public, the name is that of a resource. */
static bool read_checkpoint(void *data, const struct hive_key *key, const char *name,
                            struct error *err)
{
	char id[GUID_TEXT];

	(void)key;
	(void)err;
	if (guid_canonical(name, id) && !inventory_resource(data, id))
		reference_dangling(data, "Checkpoints", "resource", id);
	return true;
}

bool reference_read(TALLOC_CTX *ctx, struct cluster *c, struct error *err)
{
	for (uint32_t i = 0; i < c->group_count; i++) {
		if (!read_group(ctx, c, &c->groups[i], err))
			return false;
	}
	check_grouped(c);
	return read_quorum(ctx, c, err) &&
	       inventory_each(c, "Checkpoints", read_checkpoint, c, err) && interface_check(c, err);
}
