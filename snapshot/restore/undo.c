/* What an undo directory is made of: names, actions, and the list of checksums. */
#include "snapshot/restore/undo.h"

#include <string.h>
#include <time.h>

static const char *const actions[UNDO_ACTIONS] = { "overwrite", "resize", "create",
	                                           "erase",     "remove", "mkdir" };

const char *undo_action_name(enum undo_action action)
{
	return actions[action];
}

const char *undo_when_name(enum undo_when when)
{
	static const char *const names[UNDO_WHENS] = { "old", "recovered", "new" };

	return names[when];
}

const char *undo_volume_name(enum undo_volume volume)
{
	return volume == UNDO_QUORUM ? "quorum" : "system";
}

enum undo_action undo_action_of(const struct undo_file *file)
{
	const struct undo_content *old = &file->content[UNDO_OLD], *new = &file->content[UNDO_NEW];

	if (!old->present)
		return new->present ? UNDO_CREATE : UNDO_MKDIR;
	if (!new->present)
		return UNDO_REMOVE;
	return old->size == new->size ? UNDO_OVERWRITE : UNDO_RESIZE;
}

/* An erased log is the old one with zeros for its first sector. */
bool undo_has_file(const struct undo_file *file, enum undo_when when)
{
	return file->content[when].present && (when != UNDO_NEW || file->action != UNDO_ERASE);
}

char *undo_file_name(TALLOC_CTX *ctx, const struct undo *undo, uint32_t number, enum undo_when when)
{
	const char *path = undo->files[number].path, *slash = strrchr(path, '/');

	return talloc_asprintf(ctx, "%s/%u-%s", undo_when_name(when), number + 1,
	                       slash ? slash + 1 : path);
}

char *undo_shadow_name(TALLOC_CTX *ctx, const struct undo *undo, uint32_t number)
{
	const struct undo_shadow *shadow = &undo->shadows[number];
	const char *path = undo->files[shadow->file].path, *slash = strrchr(path, '/');

	return talloc_asprintf(ctx, "shadow/%u-%u-%s", shadow->store, shadow->file + 1,
	                       slash ? slash + 1 : path);
}

/* TEXT, and the line of a file. NULL without memory. */
static char *add_sum(char *text, const struct undo_content *content, const char *name)
{
	char hex[DIGEST_HEX];

	if (!text || !name)
		return NULL;
	digest_hex(content->digest, hex);
	return talloc_asprintf_append(text, "%s  %s\n", hex, name);
}

char *undo_sums(TALLOC_CTX *ctx, const struct undo *undo)
{
	char *text = talloc_strdup(ctx, "");

	for (uint32_t i = 0; text && i < undo->count; i++) {
		for (unsigned when = 0; when < UNDO_WHENS; when++) {
			if (undo_has_file(&undo->files[i], when))
				text = add_sum(text, &undo->files[i].content[when],
				               undo_file_name(ctx, undo, i, when));
		}
	}
	for (uint32_t i = 0; text && i < undo->shadow_count; i++)
		text = add_sum(text, &undo->shadows[i].content, undo_shadow_name(ctx, undo, i));
	return text ? talloc_asprintf_append(text, "%s  %s\n", undo->id, UNDO_PLAN_NAME) : NULL;
}

void undo_time(char text[32])
{
	time_t now = time(NULL);
	struct tm parts;

	gmtime_r(&now, &parts);
	strftime(text, 32, "%Y-%m-%dT%H:%M:%SZ", &parts);
}
