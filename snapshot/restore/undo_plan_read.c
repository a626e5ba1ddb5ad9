/*
 * A plan from the text of plan.json: its members, each of its type and no others. What they may say
 * is undo_check()'s business.
 */
#include <jansson.h>
#include <nettle/base16.h>
#include <stdarg.h>
#include <stdlib.h>

#include "snapshot/restore/undo_parse.h"

/* Where the reader is: the first error is the one that counts, and those after it are ignored. */
struct reader {
	TALLOC_CTX *ctx;
	struct error *err;
	json_error_t why; /* of the last unpack */
	bool failed;
};

static void *wrong(struct reader *r, const char *what, const char *why)
{
	if (!r->failed)
		error_set(r->err, ERROR_SOURCE, "%s: %s", what, why);
	r->failed = true;
	return NULL;
}

static void *no_memory(struct reader *r)
{
	if (!r->failed)
		error_memory(r->err);
	r->failed = true;
	return NULL;
}

/* Of a colon a member: as many as there are. (JSON_STRICT miscounts where memory is short.) */
static size_t members(const char *format)
{
	size_t count = 0;

	for (; *format; format++)
		count += *format == ':';
	return count;
}

/* Takes OBJECT apart: it must have these members, of these types, and no other. */
static bool unpack(struct reader *r, json_t *object, const char *what, const char *format, ...)
{
	va_list args;
	bool good;

	va_start(args, format);
	good = json_vunpack_ex(object, &r->why, 0, format, args) == 0 &&
	       json_object_size(object) == members(format);
	va_end(args);
	if (!good && json_error_code(&r->why) == json_error_out_of_memory)
		return no_memory(r) != NULL;
	return good || wrong(r, what, "has not the members that it must have, or others") != NULL;
}

static char *copy(struct reader *r, const char *text)
{
	char *mine = talloc_strdup(r->ctx, text);

	return mine ? mine : no_memory(r);
}

static char *text(struct reader *r, const json_t *value, const char *what)
{
	if (json_is_null(value))
		return NULL;
	return json_is_string(value) ? copy(r, json_string_value(value))
	                             : wrong(r, what, "is no text");
}

/* An even number of lower-case hexadecimal digits. */
static struct bytes hex(struct reader *r, const json_t *value, const char *what)
{
	size_t length = json_string_length(value), size = BASE16_DECODE_LENGTH(length);
	uint8_t *data = talloc_size(r->ctx, size + 1);
	struct base16_decode_ctx decode;

	base16_decode_init(&decode);
	if (!data)
		no_memory(r);
	else if (!json_is_string(value) ||
	         !base16_decode_update(&decode, &size, data, length, json_string_value(value)) ||
	         !base16_decode_final(&decode))
		wrong(r, what, "is no hexadecimal text");
	if (r->failed)
		size = 0;
	return (struct bytes){ data, size };
}

static void read_content(struct reader *r, json_t *value, const char *what,
                         struct undo_content *content)
{
	json_int_t size;
	struct bytes digest;
	json_t *sum;

	if (json_is_null(value) ||
	    !unpack(r, value, what, "{s:I,s:o}", "size", &size, "sha256", &sum))
		return;
	digest = hex(r, sum, what);
	if (!r->failed && (size < 0 || digest.size != DIGEST_SIZE))
		wrong(r, what, "has a size below zero, or no SHA-256");
	if (r->failed)
		return;
	content->present = true;
	content->size = (uint64_t)size;
	memcpy(content->digest, digest.data, DIGEST_SIZE);
}

static void read_attributes(struct reader *r, json_t *value, struct target_attributes *a)
{
	json_t *acl, *attrib, *times;
	int mode, uid, gid, nanoseconds;
	json_int_t seconds;

	if (json_is_null(value) ||
	    !unpack(r, value, "attributes", "{s:i,s:i,s:i,s:I,s:i,s:o,s:o,s:o}", "mode", &mode,
	            "uid", &uid, "gid", &gid, "seconds", &seconds, "nanoseconds", &nanoseconds,
	            "ntfs_acl", &acl, "ntfs_attrib", &attrib, "ntfs_times", &times))
		return;
	*a = (struct target_attributes){ .known = true,
		                         .mode = (uint32_t)mode,
		                         .uid = (uint32_t)uid,
		                         .gid = (uint32_t)gid,
		                         .seconds = seconds,
		                         .nanoseconds = (uint32_t)nanoseconds,
		                         .acl = hex(r, acl, "ntfs_acl"),
		                         .attrib = hex(r, attrib, "ntfs_attrib"),
		                         .times = hex(r, times, "ntfs_times") };
}

static void read_file(struct reader *r, json_t *value, struct undo_file *file)
{
	json_t *attributes, *contents[UNDO_WHENS];
	const char *action, *volume, *path;

	if (!unpack(r, value, "files", "{s:s,s:s,s:s,s:o,s:o,s:o,s:o}", "action", &action, "volume",
	            &volume, "path", &path, "attributes", &attributes, "old", &contents[UNDO_OLD],
	            "recovered", &contents[UNDO_RECOVERED], "new", &contents[UNDO_NEW]))
		return;
	while (file->action < UNDO_ACTIONS && strcmp(action, undo_action_name(file->action)) != 0)
		file->action++;
	if (file->action == UNDO_ACTIONS)
		wrong(r, action, "is no action that this version knows");
	file->volume =
		strcmp(volume, undo_volume_name(UNDO_QUORUM)) == 0 ? UNDO_QUORUM : UNDO_SYSTEM;
	if (strcmp(volume, undo_volume_name(file->volume)) != 0)
		wrong(r, volume, "is no volume that this version knows");
	file->path = copy(r, path);
	for (unsigned when = 0; when < UNDO_WHENS; when++)
		read_content(r, contents[when], undo_when_name(when), &file->content[when]);
	read_attributes(r, attributes, &file->attributes);
}

static void read_files(struct reader *r, json_t *value, struct undo *undo)
{
	size_t count = json_array_size(value); /* 0 if it is no list */

	if (!json_is_array(value) || count == 0 || count > UNDO_FILES_MAX) {
		wrong(r, "files", "is no list, or has no files in it, or too many");
		return;
	}
	undo->files = talloc_zero_array(r->ctx, struct undo_file, (unsigned)count);
	if (!undo->files) {
		no_memory(r);
		return;
	}
	for (size_t i = 0; i < count && !r->failed; i++)
		read_file(r, json_array_get(value, i), &undo->files[i]);
	undo->count = (uint32_t)count;
}

static void read_shadow(struct reader *r, json_t *value, struct undo_shadow *shadow)
{
	json_int_t file, store, created;
	json_t *content;

	if (!unpack(r, value, "shadows", "{s:I,s:I,s:I,s:o}", "file", &file, "store", &store,
	            "created", &created, "content", &content))
		return;
	if (file < 1 || file > UNDO_FILES_MAX || store < 1 || store > INT32_MAX || created < 0) {
		wrong(r, "shadows", "has a number that cannot be");
		return;
	}
	shadow->file = (uint32_t)file - 1;
	shadow->store = (uint32_t)store;
	shadow->created = (uint64_t)created;
	read_content(r, content, "shadows", &shadow->content);
}

static void read_shadows(struct reader *r, json_t *value, struct undo *undo)
{
	size_t count = json_array_size(value); /* 0 if it is no list */

	if (!json_is_array(value) || count > UNDO_SHADOWS_MAX) {
		wrong(r, "shadows", "is no list, or too long");
		return;
	}
	undo->shadows = talloc_zero_array(r->ctx, struct undo_shadow, (unsigned)count + 1);
	if (!undo->shadows) {
		no_memory(r);
		return;
	}
	for (size_t i = 0; i < count && !r->failed; i++)
		read_shadow(r, json_array_get(value, i), &undo->shadows[i]);
	undo->shadow_count = (uint32_t)count;
}

static void read_disk(struct reader *r, json_t *value, const char *what, struct undo_disk *disk)
{
	json_t *serial, *folder;
	const char *path, *digits;
	char *end;

	if (json_is_null(value) || !unpack(r, value, what, "{s:s,s:o,s:o}", "path", &path, "serial",
	                                   &serial, "folder", &folder))
		return;
	disk->path = copy(r, path);
	disk->folder = text(r, folder, "folder");
	digits = json_string_value(serial);
	disk->serial_known = digits != NULL;
	disk->serial = digits ? strtoull(digits, &end, 16) : 0;
	if (!json_is_null(serial) && (!digits || strlen(digits) != 16 || *end))
		wrong(r, "serial", "is no serial number of 16 hexadecimal digits");
}

static void read_request(struct reader *r, json_t *value, struct undo_request *request)
{
	int authoritative, checkpoints;
	json_t *source;
	json_int_t sequence;

	if (!unpack(r, value, "request", "{s:o,s:I,s:b,s:b}", "source", &source, "sequence",
	            &sequence, "authoritative", &authoritative, "checkpoints", &checkpoints))
		return;
	*request = (struct undo_request){ .source = text(r, source, "source"),
		                          .sequence = (uint64_t)sequence,
		                          .authoritative = authoritative,
		                          .checkpoints = checkpoints };
}

static void read_plan(struct reader *r, json_t *plan, struct undo *undo)
{
	const char *format, *begun, *host, *command, *node, *snapshot;
	const json_t *first = json_object_get(plan, "format"),
		     *second = json_object_get(plan, "version");
	json_t *request, *system, *quorum, *files, *shadows;
	int version, generation;

	if (!json_is_string(first) || strcmp(json_string_value(first), UNDO_FORMAT) != 0 ||
	    !json_is_integer(second)) {
		wrong(r, "format", "is not that of an undo directory of clusnap");
		return;
	}
	if (json_integer_value(second) != UNDO_VERSION) {
		wrong(r, "version", "is not 1: a later clusnap has made it, take that");
		return;
	}
	if (!unpack(r, plan, "the plan", "{s:s,s:i,s:s,s:s,s:s,s:s,s:i,s:s,s:o,s:o,s:o,s:o,s:o}",
	            "format", &format, "version", &version, "begun", &begun, "host", &host,
	            "command", &command, "node", &node, "generation", &generation, "snapshot",
	            &snapshot, "request", &request, "system", &system, "quorum", &quorum, "files",
	            &files, "shadows", &shadows))
		return;
	undo->begun = copy(r, begun);
	undo->host = copy(r, host);
	undo->command = copy(r, command);
	undo->node = copy(r, node);
	undo->generation = (unsigned)generation;
	undo->snapshot = copy(r, snapshot);
	read_request(r, request, &undo->request);
	read_disk(r, system, "system", &undo->disks[UNDO_SYSTEM]);
	read_disk(r, quorum, "quorum", &undo->disks[UNDO_QUORUM]);
	read_files(r, files, undo);
	read_shadows(r, shadows, undo);
}

bool undo_plan_read(TALLOC_CTX *ctx, struct bytes bytes, struct undo *undo, struct error *err)
{
	struct reader reader = { .ctx = ctx, .err = err };
	json_t *plan = undo_parse(bytes, err);
	uint8_t digest[DIGEST_SIZE];

	if (!plan)
		return false;
	*undo = (struct undo){ 0 };
	read_plan(&reader, plan, undo);
	json_decref(plan);
	digest_bytes(bytes, digest);
	digest_hex(digest, undo->id);
	return !reader.failed && undo_check(undo, err);
}
