/* plan.json: a plan as text. */
#include <jansson.h>
#include <nettle/base16.h>

#include "hive/name.h"
#include "snapshot/restore/undo.h"

/* Without the surrogates and the NUL that a WTF-8 may have. */
static bool is_utf8(const char *text)
{
	for (const unsigned char *c = (const unsigned char *)text; *c; c++) {
		if (*c == 0xc0 || (*c == 0xed && c[1] >= 0xa0))
			return false;
	}
	return name_well_formed(text, strlen(text));
}

/* A path of this computer may be any bytes: what has no place in JSON becomes '?'. */
static json_t *text_json(const char *text)
{
	char *copy;
	json_t *string;

	if (is_utf8(text))
		return json_string(text);
	copy = talloc_strdup(NULL, text);
	for (char *c = copy; c && *c; c++) {
		if ((unsigned char)*c >= 0x80)
			*c = '?';
	}
	string = copy ? json_string(copy) : NULL;
	talloc_free(copy);
	return string;
}

static json_t *text_or_null(const char *text)
{
	return text ? text_json(text) : json_null();
}

static json_t *hex_json(struct bytes bytes)
{
	char *hex = talloc_size(NULL, BASE16_ENCODE_LENGTH(bytes.size) + 1);
	json_t *text;

	if (hex)
		base16_encode_update(hex, bytes.size, bytes.data);
	text = hex ? json_stringn(hex, BASE16_ENCODE_LENGTH(bytes.size)) : NULL;
	talloc_free(hex);
	return text;
}

static json_t *content_json(const struct undo_content *content)
{
	char hex[DIGEST_HEX];

	if (!content->present)
		return json_null();
	digest_hex(content->digest, hex);
	return json_pack("{s:I,s:s}", "size", (json_int_t)content->size, "sha256", hex);
}

static json_t *attributes_json(const struct target_attributes *a)
{
	if (!a->known)
		return json_null();
	return json_pack("{s:i,s:i,s:i,s:I,s:i,s:o,s:o,s:o}", "mode", (int)a->mode, "uid",
	                 (int)a->uid, "gid", (int)a->gid, "seconds", (json_int_t)a->seconds,
	                 "nanoseconds", (int)a->nanoseconds, "ntfs_acl", hex_json(a->acl),
	                 "ntfs_attrib", hex_json(a->attrib), "ntfs_times", hex_json(a->times));
}

static json_t *file_json(const struct undo_file *file)
{
	json_t *object =
		json_pack("{s:s,s:s,s:o,s:o}", "action", undo_action_name(file->action), "volume",
	                  undo_volume_name(file->volume), "path", json_string(file->path),
	                  "attributes", attributes_json(&file->attributes));

	for (unsigned when = 0; object && when < UNDO_WHENS; when++) {
		if (json_object_set_new(object, undo_when_name(when),
		                        content_json(&file->content[when])) == 0)
			continue;
		json_decref(object);
		object = NULL;
	}
	return object;
}

static json_t *shadows_json(const struct undo *undo)
{
	json_t *list = json_array();

	for (uint32_t i = 0; i < undo->shadow_count; i++) {
		const struct undo_shadow *one = &undo->shadows[i];

		json_array_append_new(list, json_pack("{s:I,s:I,s:I,s:o}", "file",
		                                      (json_int_t)one->file + 1, "store",
		                                      (json_int_t)one->store, "created",
		                                      (json_int_t)one->created, "content",
		                                      content_json(&one->content)));
	}
	return list;
}

static json_t *disk_json(const struct undo_disk *disk)
{
	char serial[17];

	if (!disk->path)
		return json_null();
	snprintf(serial, sizeof(serial), "%016llx", (unsigned long long)disk->serial);
	return json_pack("{s:o,s:o,s:o}", "path", text_json(disk->path), "serial",
	                 text_or_null(disk->serial_known ? serial : NULL), "folder",
	                 text_or_null(disk->folder));
}

static json_t *request_json(const struct undo_request *request)
{
	return json_pack("{s:o,s:I,s:b,s:b}", "source", text_or_null(request->source), "sequence",
	                 (json_int_t)request->sequence, "authoritative", request->authoritative,
	                 "checkpoints", request->checkpoints);
}

/* Without memory jansson may lose a character and say nothing. */
static bool says(const char *text, json_t *plan)
{
	json_t *again = json_loads(text, 0, NULL);
	bool same = again && json_equal(again, plan);

	json_decref(again);
	return same;
}

struct bytes undo_plan_write(TALLOC_CTX *ctx, const struct undo *undo, struct error *err)
{
	json_t *files = json_array(), *plan;
	char *text = NULL, *copy = NULL;

	for (uint32_t i = 0; i < undo->count; i++)
		json_array_append_new(files, file_json(&undo->files[i]));
	plan = json_pack("{s:s,s:i,s:s,s:o,s:s,s:o,s:i,s:s,s:o,s:o,s:o,s:o,s:o}", "format",
	                 UNDO_FORMAT, "version", UNDO_VERSION, "begun", undo->begun, "host",
	                 text_json(undo->host), "command", undo->command, "node",
	                 text_json(undo->node), "generation", (int)undo->generation, "snapshot",
	                 undo->snapshot, "request", request_json(&undo->request), "system",
	                 disk_json(&undo->disks[UNDO_SYSTEM]), "quorum",
	                 disk_json(&undo->disks[UNDO_QUORUM]), "files", files, "shadows",
	                 shadows_json(undo));
	if (plan)
		text = json_dumps(plan, JSON_INDENT(1));
	if (text && json_array_size(files) == undo->count && says(text, plan))
		copy = talloc_asprintf(ctx, "%s\n", text);
	free(text);
	json_decref(plan);
	if (!copy)
		error_set(
			err, ERROR_INTERNAL,
			"no plan can be written: there is no memory, or a path in it is no UTF-8");
	return (struct bytes){ (const uint8_t *)copy, copy ? strlen(copy) : 0 };
}
