/* Journals for tests. */
#include "tests/planning.h"

#include <stdio.h>
#include <stdlib.h>

#include "hive/image.h"

#define GUID_A "11111111-2222-4333-8444-555555555555"
#define GUID_B "66666666-7777-4888-9999-aaaaaaaaaaaa"

const struct planned planning_all[] = {
	{ JOURNAL_PUT, JOURNAL_SYSTEM, "Windows/Cluster/CLUSDB", "CLUSDB", 100000 },
	{ JOURNAL_ASIDE, JOURNAL_SYSTEM, "Windows/Cluster/CLUSDB.LOG1", "CLUSDB.LOG1", 0 },
	{ JOURNAL_ASIDE, JOURNAL_SYSTEM, "Windows/Cluster/CLUSDB.LOG2", "CLUSDB.LOG2", 0 },
	{ JOURNAL_PUT, JOURNAL_SYSTEM, "Windows/System32/config/SOFTWARE", "SOFTWARE", 40000 },
	{ JOURNAL_ASIDE, JOURNAL_SYSTEM, "Windows/System32/config/SOFTWARE.LOG1", "SOFTWARE.LOG1",
	  0 },
	{ JOURNAL_ASIDE, JOURNAL_QUORUM, "MSCS/chk1.tmp", "chk1.tmp", 0 },
	{ JOURNAL_ASIDE, JOURNAL_QUORUM, "MSCS/quolog.log", "quolog.log", 0 },
	{ JOURNAL_MKDIR, JOURNAL_QUORUM, "MSCS/" GUID_A, NULL, 0 },
	{ JOURNAL_PUT, JOURNAL_QUORUM, "MSCS/" GUID_A "/00000001.CPT", "a-00000001.CPT", 5000 },
	{ JOURNAL_PUT, JOURNAL_QUORUM, "MSCS/" GUID_B "/00000001.CPT", "b-00000001.CPT", 600 },
};
const uint32_t planning_all_count = sizeof(planning_all) / sizeof(*planning_all);

static _Noreturn void give_up(const char *why)
{
	fprintf(stderr, "planning: %s\n", why);
	exit(70);
}

struct bytes planning_text(TALLOC_CTX *ctx, const char *which, const char *name, uint32_t size)
{
	const char *slash = strrchr(name, '/');
	char *line = talloc_asprintf(NULL, "%s %s\n", which, slash ? slash + 1 : name);
	char *text = talloc_array(ctx, char, size + 1);

	if (!line || !text)
		give_up("no memory");
	for (uint32_t i = 0; i < size; i++)
		text[i] = line[i % strlen(line)];
	talloc_free(line);
	return (struct bytes){ (uint8_t *)text, size };
}

static struct journal_file file_of(struct bytes bytes)
{
	struct journal_file file = { .present = true, .size = bytes.size };

	digest_bytes(bytes, file.digest);
	return file;
}

/* False if there is nothing to do. */
static bool plan_step(TALLOC_CTX *ctx, struct volume *volume, const struct planned *row,
                      struct journal_step *step, struct bytes *content)
{
	struct volume_entry entry;
	struct image *old;
	struct error err;

	if (!volume_find(ctx, volume, row->path, &entry, &err))
		give_up(err.text);
	if (row->op == (entry.kind == VOLUME_ABSENT ? JOURNAL_ASIDE : JOURNAL_MKDIR))
		return false;
	*step = (struct journal_step){ .op = row->op, .disk = row->disk };
	step->path = talloc_strdup(ctx, row->path);
	if (entry.kind == VOLUME_FILE) {
		old = volume_file(ctx, volume, row->path, &err);
		if (!old)
			give_up(err.text);
		step->old = file_of(old->bytes);
		step->aside = talloc_strdup(ctx, row->aside);
		talloc_free(old);
	}
	if (row->op == JOURNAL_PUT) {
		*content = planning_text(ctx, "new", row->path, row->size);
		step->new = file_of(*content);
	}
	return true;
}

static char *aside_path(TALLOC_CTX *ctx, const char *directory)
{
	const char *time = getenv("PLANNING_TIME");

	if (!time || !*time)
		return talloc_asprintf(ctx, "%s/" PLANNING_ASIDE, directory);
	return talloc_asprintf(ctx, "%s/" JOURNAL_PREFIX "%s", directory, time);
}

void planning_journal(TALLOC_CTX *ctx, struct volume *const disks[JOURNAL_DISKS],
                      const struct planned *rows, uint32_t count, struct journal *journal,
                      struct bytes **contents)
{
	*journal = (struct journal){
		.begun = talloc_strdup(ctx, "2026-01-01T00:00:00Z"),
		.request = { .source = talloc_strdup(ctx, "/snapshot"), .sequence = 7 },
		.id = talloc_strdup(ctx, "planned"),
		.steps = talloc_zero_array(ctx, struct journal_step, count),
	};
	journal->aside[JOURNAL_SYSTEM] = aside_path(ctx, PLANNING_CLUSTER);
	if (disks[JOURNAL_QUORUM])
		journal->aside[JOURNAL_QUORUM] = aside_path(ctx, "MSCS");
	*contents = talloc_zero_array(ctx, struct bytes, count);
	for (uint32_t i = 0; i < count; i++) {
		uint32_t at = journal->step_count;

		if (disks[rows[i].disk] && plan_step(ctx, disks[rows[i].disk], &rows[i],
		                                     &journal->steps[at], &(*contents)[at]))
			journal->step_count++;
	}
}
